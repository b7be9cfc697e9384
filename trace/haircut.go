package trace

import "bongsu/chain"

// haircut draws from every lot by amount: a spend of a from a balance B takes
// from the tainted lots in order, P_k their running sum,
// floor(a*P_k/B) - floor(a*P_(k-1)/B) of lot k, and the rest from the clean
// money. A floor for each lot alone would lose units on the way. Lots in too many
// runs are grouped first.
type haircut struct {
	grouping
	arrival func(*lot) *rowInfo // of a tainted lot
}

// acquire keeps all clean money as one lot at the head, where no tainted lot's
// running sum sees it, and joins neighbouring tainted lots that are alike: the
// running sums, and so every amount drawn, stay the same. What several
// transactions of one block brought stays apart until a later block brings more:
// which lot a spend in that block rests on may say that it is inferred.
func (h haircut) acquire(b *book, lots []lot) {
	came := false // tainted money
	for i := range lots {
		l := lots[i]
		switch {
		case l.amount.IsZero():
			continue
		case !l.tainted():
			addClean(b, l)
		default:
			h.addTainted(b, l)
			came = true
		}
		b.total = b.total.MustAdd(l.amount)
	}
	if came {
		h.tidy(b)
	}
}

// tidy groups the lots when they lie in too many runs, and joins those that
// came before the latest block.
func (h haircut) tidy(b *book) {
	lots := b.lots
	if !lots[0].tainted() {
		lots = lots[1:]
	}
	if !h.group(lots) {
		return
	}
	newest := &lots[0]
	for i := range lots {
		if lots[i].flow > newest.flow {
			newest = &lots[i]
		}
	}
	h.joinBefore(b, h.arrival(newest).Block)
}

// joinBefore joins neighbouring tainted lots that are alike and came before a
// block.
func (h haircut) joinBefore(b *book, block uint64) {
	lots := b.lots
	b.lots, b.tainted = b.lots[:0], 0
	for i := range lots {
		b.lots = append(b.lots, lots[i])
		if !lots[i].tainted() {
			continue
		}
		if b.tainted++; b.tainted > 1 && h.arrival(&lots[i]).Block < block {
			h.joinLast(b)
		}
	}
}

// addTainted puts tainted money at the end. With it a new block may begin: then
// what came before is joined.
func (h haircut) addTainted(b *book, l lot) {
	at := h.arrival(&l)
	for len(b.lots) > 1 && h.arrival(&b.lots[len(b.lots)-1]).Block != at.Block && h.joinLast(b) {
	}
	b.lots = append(b.lots, l)
	b.tainted++
	if n := len(b.lots); n > 1 && b.lots[n-2].tainted() {
		if by := h.arrival(&b.lots[n-2]); by.Block == at.Block && by.Key.Tx == at.Key.Tx {
			h.joinLast(b)
		}
	}
}

// joinLast makes one lot of the last two, if they are tainted and alike, and says
// whether it did.
func (h haircut) joinLast(b *book) bool {
	n := len(b.lots)
	l, m := &b.lots[n-2], &b.lots[n-1]
	if !l.tainted() || !l.joins(m, h.hops) {
		return false
	}
	l.grow(m)
	l.hop = min(l.hop, m.hop)
	b.lots, b.tainted = b.lots[:n-1], b.tainted-1
	return true
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
