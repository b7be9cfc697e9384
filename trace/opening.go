package trace

import (
	"context"
	"slices"

	"bongsu/ledger"
)

// opening is what a book starts with: its balance before the transfer that
// brings taint, and the first page of its rows after it.
type opening struct {
	after ledger.Key // of that transfer
	held  ledger.Held
	rows  []ledger.Row
	more  bool
	paged bool // rows and more were asked for
}

// openings looks ahead along a theft's transfers, whose receivers' books are
// about to be opened, and asks for many at once: one by one each would wait for
// memory, or for a round trip.
type openings struct {
	rows  []ledger.Row // of the theft, in order
	next  int          // the first that was not asked for
	ready map[bookKey]opening
	pages ledger.Pages

	asked []ledger.Opening // of a batch
	held  []ledger.Held
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
	if s.stolen.of(&w.Key) != nil {
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
	a.asked = append(a.asked[:0], ledger.Opening{Account: key.account, Asset: key.asset, At: w})
	if err := a.open(ctx, s, &s.pages); err != nil {
		return opening{}, err
	}
	return a.answer(0, s, &s.pages), nil
}

// open asks for the books in asked, and for their first rows unless the ledger
// is read on.
func (a *openings) open(ctx context.Context, s *sim, pages *ledger.Pages) error {
	for i := range a.asked {
		if o := &a.asked[i]; !s.scanning {
			o.Until, o.Limit, o.IfSpent = s.head(o.At.Chain.ID()), firstPage, !s.poison // which mixes at each arrival
		}
	}
	a.held = slices.Grow(a.held[:0], len(a.asked))[:len(a.asked)]
	return ledger.OpenBooks(ctx, s.r, a.asked, a.held, pages)
}

// answer is what the i-th book in asked starts with.
func (a *openings) answer(i int, s *sim, pages *ledger.Pages) opening {
	o := opening{after: a.asked[i].At.Key, held: a.held[i], paged: !s.scanning}
	if o.paged {
		o.rows, o.more = pages.Page(i)
	}
	return o
}

// ask asks for the next books of the theft's receivers that are not open.
func (a *openings) ask(ctx context.Context, s *sim) error {
	a.asked = slices.Grow(a.asked[:0], openingBatch)
	if clear(a.ready); a.ready == nil {
		a.ready = make(map[bookKey]opening, openingBatch)
	}
	for ; a.next < len(a.rows) && len(a.asked) < openingBatch; a.next++ {
		w := &a.rows[a.next]
		_, key := s.wrappers.sides(w.From, w.To, w.Asset)
		if _, ok := a.ready[key]; ok || w.To == 0 || s.shelf.has(key.account, key.asset) || s.wrappers.of(key.account, key.asset) != nil {
			continue
		}
		a.ready[key] = opening{}
		a.asked = append(a.asked, ledger.Opening{Account: key.account, Asset: key.asset, At: w})
	}
	refs := make([]ledger.AccountRef, len(a.asked))
	for i := range a.asked {
		refs[i] = a.asked[i].Account
	}
	if err := s.meet(ctx, refs); err != nil {
		return err
	}
	if err := a.open(ctx, s, &a.pages); err != nil {
		return err
	}
	for i, o := range a.asked {
		a.ready[bookKey{o.Account, o.Asset}] = a.answer(i, s, &a.pages)
	}
	return nil
}

// recall tells what a book held before taint reached it, where that was left
// out because no row that was there spent from it.
func (s *sim) recall(ctx context.Context, b *book) error {
	place := s.shelf.find(b.account, b.asset) - 1
	flow, ok := s.unasked[place]
	if !ok {
		return nil
	}
	had, err := s.r.Balances(ctx, []ledger.BalanceQuery{{Account: b.account, Asset: b.asset, Before: s.flows[flow].row.Key}})
	if err != nil {
		return err
	}
	delete(s.unasked, place)
	b.pushFirst(lot{amount: had[0].Amount, flow: -1})
	return nil
}
