package trace

import (
	"slices"

	"bongsu/chain"
)

// tiho is "tainted in, highest out": the spends of one book inside one
// transaction, with no arrival at that book between them, are a batch; its
// tainted lots, oldest first, fill the batch's spends by amount, highest
// first, ties by position, and clean lots fill the rest in the same order.
type tiho struct{ queue }

// draw is a batch of one spend.
func (t tiho) draw(b *book, a chain.Amount, out []lot) []lot {
	t.batch(b, []chain.Amount{a})
	out, _ = b.planned(out)
	return out
}

// batch draws the pieces of all spends and leaves them with the book, to be
// taken one by one with planned. Where the spends together exceed the balance,
// the known lots go to the first of them (definition 4), and the later ones get
// less than they spend: taint fills only what is known of each.
func (tiho) batch(b *book, spends []chain.Amount) {
	need, left := make([]chain.Amount, len(spends)), b.total
	order := make([]int, len(spends))
	for i, a := range spends {
		order[i], need[i] = i, a.Min(left)
		left = left.MustSub(need[i])
	}
	slices.SortStableFunc(order, func(i, j int) int { return spends[j].Cmp(spends[i]) })
	pieces := make([][]lot, len(spends))
	for _, wantTaint := range []bool{true, false} {
		for _, i := range order {
			pieces[i], need[i] = b.popKind(wantTaint, need[i], pieces[i])
		}
	}
	if b.batch() == nil {
		b.extra().batch = &batchPlan{}
	}
	p := b.batch()
	p.pieces, p.cuts = p.pieces[:0], p.cuts[:0]
	for i := range pieces {
		p.pieces = append(p.pieces, pieces[i]...)
		p.cuts = append(p.cuts, int32(len(pieces[i])))
	}
}

// planned takes the pieces of the batch's next spend.
func (b *book) planned(out []lot) ([]lot, bool) {
	p := b.batch()
	if p == nil || len(p.cuts) == 0 {
		return out, false
	}
	n := p.cuts[0]
	out = append(out, p.pieces[:n]...)
	p.pieces, p.cuts = p.pieces[n:], p.cuts[1:]
	return out, true
}

// popKind takes up to a from the oldest tainted lots, or from the oldest clean
// ones, and returns what is still missing.
func (b *book) popKind(tainted bool, a chain.Amount, out []lot) ([]lot, chain.Amount) {
	lots, gone := b.live(), 0
	for i := 0; i < len(lots) && !a.IsZero(); i++ {
		l := &lots[i]
		if l.tainted() != tainted || l.amount.IsZero() {
			continue
		}
		t := a.Min(l.amount)
		out = append(out, l.split(t))
		a, b.total = a.MustSub(t), b.total.MustSub(t)
		if l.amount.IsZero() {
			b.drop(l)
			gone++
		}
	}
	if gone > 0 {
		b.lots = append(b.lots[:0], slices.DeleteFunc(lots, func(l lot) bool { return l.amount.IsZero() })...)
		b.head = 0
	}
	return out, a
}
