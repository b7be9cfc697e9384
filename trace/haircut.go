package trace

import "bongsu/chain"

// haircut draws from every lot by amount: a spend of a from a balance B takes
// from the tainted lots in order, P_k their running sum,
// floor(a*P_k/B) - floor(a*P_(k-1)/B) of lot k, and the rest from the clean
// money. A floor for each lot alone would lose units on the way.
type haircut struct {
	hops bool // lots of different hops stay apart: a bound asks for them
}

// acquire keeps all clean money as one lot at the head, where no tainted lot's
// running sum sees it, and joins neighbouring tainted lots that are alike: the
// running sums, and so every amount drawn, stay the same.
func (h haircut) acquire(b *book, lots []lot) {
	for i := range lots {
		l := lots[i]
		switch n := len(b.lots); {
		case l.amount.IsZero():
			continue
		case !l.tainted():
			addClean(b, l)
		case n > 0 && b.lots[n-1].tainted() && b.lots[n-1].joins(&l, h.hops):
			b.lots[n-1].grow(&l)
			b.lots[n-1].hop = min(b.lots[n-1].hop, l.hop)
		default:
			b.lots = append(b.lots, l)
			b.tainted++
		}
		b.total = b.total.MustAdd(l.amount)
	}
}

// addClean puts clean money into the one clean lot, at index 0.
func addClean(b *book, l lot) {
	if len(b.lots) > 0 && !b.lots[0].tainted() {
		b.lots[0].amount = b.lots[0].amount.MustAdd(l.amount)
		return
	}
	b.lots = append(b.lots, lot{})
	copy(b.lots[1:], b.lots)
	b.lots[0] = l
}

func (h haircut) draw(b *book, a chain.Amount, out []lot) []lot {
	out, taken := h.drawTainted(b, a, out)
	b.total = b.total.MustSub(taken)
	rest := a.MustSub(taken)
	if rest.IsZero() {
		return out
	}
	// The clean lot holds the rest: a - floor(a*P/B) <= B - P for a <= B.
	out = append(out, b.lots[0].split(rest))
	b.total = b.total.MustSub(rest)
	if b.lots[0].amount.IsZero() {
		b.lots = append(b.lots[:0], b.lots[1:]...)
	}
	return out
}

func (haircut) drawTainted(b *book, a chain.Amount, out []lot) (_ []lot, taken chain.Amount) {
	var running chain.Amount
	keep := b.lots[:0]
	for i := range b.lots {
		l := b.lots[i]
		if !l.tainted() {
			keep = append(keep, l)
			continue
		}
		running = running.MustAdd(l.amount)
		upTo, _ := a.MulDiv(running, b.total) // fits: running <= total
		if t := upTo.MustSub(taken); !t.IsZero() {
			taken = upTo
			out = append(out, l.split(t))
		}
		if l.amount.IsZero() {
			b.tainted--
			continue
		}
		keep = append(keep, l)
	}
	b.lots = keep
	return out, taken
}
