package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// bound stops pieces at the door of an account: they are booked as unfollowed
// there and become clean money of its book.
func (s *sim) bound(ctx context.Context, at uint32, w *ledger.Row, pieces []lot) error {
	stop := func(reason Reason, p *lot) {
		s.put(atUnfollowed, at, w.Asset, reason, p)
		*p = lot{amount: p.amount, flow: -1}
	}
	over, err := s.overDegree(ctx, at, w)
	if err != nil {
		return err
	}
	floor := s.floors[w.Asset]
	small := !floor.IsZero() && taintOf(pieces).Less(floor)
	for i := range pieces {
		p := &pieces[i]
		switch depth := s.req.Bounds.MaxHops; {
		case !p.tainted():
		case over:
			stop(ReasonDegree, p)
		case small:
			stop(ReasonFloor, p)
		case depth > 0 && int(p.hop) >= depth:
			stop(ReasonDepth, p)
		case s.req.ObservedOnly && p.rule != codeObserved:
			stop(ReasonInferred, p)
		}
	}
	return nil
}

func taintOf(pieces []lot) (sum chain.Amount) {
	for i := range pieces {
		if pieces[i].tainted() {
			sum = sum.MustAdd(pieces[i].amount)
		}
	}
	return sum
}

// overDegree says whether the receiver has sent more often of the asset than
// the bound, up to this moment: later blocks never change the answer.
func (s *sim) overDegree(ctx context.Context, at uint32, w *ledger.Row) (bool, error) {
	limit := s.req.Bounds.MaxDegree
	if limit <= 0 {
		return false, nil
	}
	p := &s.parties[at]
	if c := p.sends[w.Asset]; c != nil && s.shelf.has(p.ref, w.Asset) {
		return c.over, nil // only an open book counts on
	}
	n, err := s.sentBefore(ctx, w, limit)
	if err != nil {
		return false, err
	}
	if p.sends == nil {
		p.sends = map[ledger.AssetRef]*sends{}
	}
	p.sends[w.Asset] = &sends{n: n, over: n > limit}
	return n > limit, nil
}

// sentBefore counts the transfers of value that the receiver of w sent before
// it, up to one more than the bound.
func (s *sim) sentBefore(ctx context.Context, w *ledger.Row, limit int) (n int, err error) {
	if w.Asset >= firstOwnAsset {
		return 0, nil // the ledger holds none of it
	}
	q := ledger.Query{
		Account: w.To, Asset: w.Asset, Until: w.Key, Direction: ledger.Out, Reverse: true,
		Limit: min(2*(limit+1), lastPage),
	}
	for n <= limit {
		s.pages.Reset()
		if err := s.r.Activity(ctx, []ledger.Query{q}, &s.pages); err != nil {
			return 0, err
		}
		rows, more := s.pages.Page(0)
		for i := range rows {
			r := &rows[i]
			if r.From == r.To || r.Kind == chain.KindFee || r.Kind == chain.KindAdjustment || r.Amount.IsZero() || s.wrappers.link(r.From, r.To, r.Asset).code != noLink {
				continue
			}
			if again, err := s.wrappers.retold(ctx, s.r, r); err != nil {
				return 0, err
			} else if !again {
				n++
			}
		}
		if !more || len(rows) == 0 {
			break
		}
		q.Until = rows[len(rows)-1].Key
	}
	return n, nil
}

// countSend counts a spend and, when the bound is passed, stops the book: its
// tainted lots stay there as unfollowed.
func (s *sim) countSend(b *book) {
	if s.req.Bounds.MaxDegree == 0 {
		return
	}
	c := s.parties[b.owner].sends[b.asset]
	if c == nil || c.over {
		return
	}
	if c.n++; c.n <= s.req.Bounds.MaxDegree {
		return
	}
	c.over = true
	if p := b.batch(); p != nil {
		for i := range p.pieces {
			b.push(p.pieces[i])
		}
		b.more.batch = nil
	}
	s.giveUp(b, ReasonDegree)
}

// giveUp books a book's tainted lots as unfollowed and leaves them in it as
// clean money.
func (s *sim) giveUp(b *book, why Reason) {
	lots := slices.Clone(b.live())
	for i := range lots {
		if l := &lots[i]; l.tainted() {
			s.put(atUnfollowed, b.owner, b.asset, why, l)
			*l = lot{amount: l.amount, flow: -1}
		}
	}
	b.lots, b.head, b.tainted, b.total = nil, 0, 0, chain.Amount{}
	s.method.acquire(b, lots)
}
