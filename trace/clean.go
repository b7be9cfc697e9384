package trace

import (
	"bongsu/chain"
	"bongsu/ledger"
)

// Most transfers that a trace reads move clean money between books that hold
// much of it: what such a transfer does is two sums on either side, and no lot
// changes hands. The functions here do that and nothing else; where they decline
// nothing has changed, and the methods do the same by pieces.

// passClean lets a transfer of no theft happen that moves clean money alone, and
// says whether it did. from and to are the books of its sides, nil where none is
// open.
func (s *sim) passClean(w *ledger.Row, from, to *book) bool {
	if s.tiho {
		return false // its spends are planned ahead
	}
	queued := s.req.Method == FIFO
	switch {
	case from != nil && !from.givesClean(&w.Amount, queued):
		return false
	case to != nil && !to.takesClean(&w.Amount, queued):
		return false
	}
	if from != nil {
		l := &from.lots[from.head]
		l.amount, from.total = l.amount.MustSub(w.Amount), from.total.MustSub(w.Amount)
		from.spent = from.spent.MustAdd(w.Amount)
	}
	if to != nil {
		l := &to.lots[len(to.lots)-1]
		l.amount, to.total = l.amount.MustAdd(w.Amount), to.total.MustAdd(w.Amount)
	}
	return true
}

// givesClean says that a spend of a takes a part of one clean lot: the only one,
// or with a queue the oldest. What is spent must be possible to sum up.
func (b *book) givesClean(a *chain.Amount, queued bool) bool {
	n := len(b.lots) - int(b.head)
	if n == 0 || n > 1 && !queued {
		return false
	}
	l := &b.lots[b.head]
	if l.tainted() || !a.Less(l.amount) {
		return false
	}
	_, fits := b.spent.Add(*a)
	return fits
}

// takesClean says that clean money joins one clean lot: the only one, or with a
// queue the newest.
func (b *book) takesClean(a *chain.Amount, queued bool) bool {
	n := len(b.lots) - int(b.head)
	if n == 0 || n > 1 && !queued || b.lots[len(b.lots)-1].tainted() {
		return false
	}
	_, fits := b.total.Add(*a)
	return fits
}
