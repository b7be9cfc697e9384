package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// opening is what a book starts with: its balance before the transfer that
// brings taint, and the first page of its rows after it.
type opening struct {
	after   ledger.Key // of that transfer
	balance chain.Amount
	rows    []ledger.Row
	more    bool
	paged   bool // rows and more were asked for
}

// openings looks ahead along a theft's transfers, whose receivers' books are
// about to be opened, and asks for many at once: one by one each would wait for
// memory, or for a round trip.
type openings struct {
	rows  []ledger.Row // of the theft, in order
	next  int          // the first that was not asked for
	ready map[bookKey]opening
	pages ledger.Pages

	balances []ledger.BalanceQuery // of a batch
	books    []ledger.Query
}

// openingBatch is how many books are asked for at once.
const openingBatch = 128

// drop lets go of the rows that were asked for: the ledger is read on, and books
// need their balances alone.
func (a *openings) drop() {
	a.pages = ledger.Pages{}
	for key, o := range a.ready {
		o.rows, o.more, o.paged = nil, false, false
		a.ready[key] = o
	}
}

// opening is what the book of a row's receiver starts with.
func (s *sim) opening(ctx context.Context, key bookKey, w *ledger.Row) (opening, error) {
	a := &s.ahead
	if s.stolen[w.Key] != nil {
		for a.next < len(a.rows) && a.rows[a.next].Key.Compare(w.Key) < 0 {
			a.next++
		}
		if a.next < len(a.rows) && a.rows[a.next].Key == w.Key {
			if err := a.ask(ctx, s); err != nil {
				return opening{}, err
			}
		}
	}
	// What was asked for serves only when the book opens where it was expected.
	if o, ok := a.ready[key]; ok {
		if delete(a.ready, key); o.after == w.Key {
			return o, nil
		}
	}
	b, err := s.r.Balances(ctx, []ledger.BalanceQuery{{Account: key.account, Asset: key.asset, Before: w.Key}})
	if err != nil {
		return opening{}, err
	}
	return opening{after: w.Key, balance: b[0].Amount}, nil
}

// ask asks for the next books of the theft's receivers that are not open.
func (a *openings) ask(ctx context.Context, s *sim) error {
	balances, rows := slices.Grow(a.balances[:0], openingBatch), slices.Grow(a.books[:0], openingBatch)
	a.ready = make(map[bookKey]opening, openingBatch)
	for ; a.next < len(a.rows) && len(balances) < openingBatch; a.next++ {
		w := &a.rows[a.next]
		key := bookKey{w.To, w.Asset}
		if _, ok := a.ready[key]; ok || w.To == 0 || s.shelf.has(w.To, w.Asset) {
			continue
		}
		a.ready[key] = opening{}
		balances = append(balances, ledger.BalanceQuery{Account: w.To, Asset: w.Asset, Before: w.Key})
		rows = append(rows, ledger.Query{Account: w.To, Asset: w.Asset, After: w.Key, Until: s.head(w.Chain.ID()), Limit: firstPage})
	}
	a.balances, a.books = balances, rows
	had, err := s.r.Balances(ctx, balances)
	if err != nil {
		return err
	}
	if !s.scanning {
		a.pages.Reset()
		if err := s.r.Activity(ctx, rows, &a.pages); err != nil {
			return err
		}
	}
	for i, q := range balances {
		o := opening{after: q.Before, balance: had[i].Amount}
		if !s.scanning {
			o.paged = true
			o.rows, o.more = a.pages.Page(i)
		}
		a.ready[bookKey{q.Account, q.Asset}] = o
	}
	return nil
}
