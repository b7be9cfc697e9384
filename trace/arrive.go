package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// arrive brings a transfer's pieces to its receiver.
func (s *sim) arrive(ctx context.Context, w *ledger.Row, to *book, pieces []lot) error {
	if !anyTainted(pieces) {
		if to == nil {
			return nil
		}
		return s.acquire(to, w, pieces)
	}
	s.carried++
	pieces, err := s.record(w, pieces)
	if err != nil {
		return err
	}
	if s.scratch = pieces; w.To == 0 {
		s.sinkhole(w, pieces)
		return nil
	}
	at, err := s.party(ctx, w.To)
	if err != nil {
		return err
	}
	p := &s.parties[at]
	if p.role == roleBurn {
		s.sinkhole(w, pieces)
		return nil
	}
	first := !p.reached
	if first {
		p.reached = true
		s.received++
	}
	switch p.role {
	case roleExit, roleContract, roleSource, roleWrapper:
		s.end(at, w, pieces)
		return nil
	}
	if first {
		s.bait.reached(ctx, arrival{at, w.To, w.Key})
	}
	if err := s.bound(ctx, at, w, pieces); err != nil {
		return err
	}
	if to == nil {
		if !anyTainted(pieces) {
			return nil // all of it was stopped at the door
		}
		if to, err = s.open(ctx, at, w); err != nil {
			return err
		}
	}
	return s.acquire(to, w, pieces)
}

func anyTainted(pieces []lot) bool {
	for i := range pieces {
		if pieces[i].tainted() {
			return true
		}
	}
	return false
}

// record writes the transfer's flows and dates its pieces by their arrival.
// Neighbouring pieces that are alike become one lot with one flow: a lot is an
// amount, its source and the transaction that acquired it. errs.Limit says that
// the run may hold no more.
func (s *sim) record(w *ledger.Row, pieces []lot) ([]lot, error) {
	out, flows, parents := pieces[:0], len(s.flows), len(s.parents)
	hops := s.req.Bounds.MaxHops > 0
	for i := range pieces {
		p := pieces[i]
		if !p.tainted() {
			out = append(out, p)
			continue
		}
		parent := p.flow
		if parent >= 0 && s.linking == noLink { // a link is no hop
			p.hop++
		}
		p.arrive(w)
		from := w.From
		if s.utxo != nil && parent >= 0 {
			from = s.flows[parent].row.to // a transaction may have several payers
		}
		if n := len(out); n > 0 && out[n-1].tainted() && out[n-1].joins(&p, hops) && out[n-1].evenly(&p) && s.flows[out[n-1].flow].row.from == from {
			s.extend(&out[n-1], &p, parent)
			continue
		}
		p.flow = int32(len(s.flows))
		f := flow{row: infoOf(w), amount: p.amount, class: p.class, hop: p.hop, rule: p.rule, link: s.linking, parent: uint32(len(s.parents))}
		if !s.poison {
			f.origin = p.origin()
		}
		f.row.from = from
		if parent >= 0 {
			s.parents = append(s.parents, parent)
			f.parents = 1
		}
		s.flows = append(s.flows, f)
		out = append(out, p)
	}
	return out, s.room.spend(len(s.flows)-flows, len(s.parents)-parents)
}

// extend joins piece p to the lot l, whose flow is the last one.
func (s *sim) extend(l, p *lot, parent int32) {
	l.grow(p)
	l.hop = min(l.hop, p.hop)
	f := &s.flows[l.flow]
	if f.amount, f.hop = l.amount, l.hop; !s.poison {
		f.origin = l.origin()
	}
	if parent >= 0 && (f.parents == 0 || s.parents[len(s.parents)-1] != parent) {
		s.parents = append(s.parents, parent)
		f.parents++
	}
}

// sinkhole ends pieces outside any account: fees and adjustments.
func (s *sim) sinkhole(w *ledger.Row, pieces []lot) {
	for i := range pieces {
		if p := &pieces[i]; p.tainted() {
			if w.Kind == chain.KindFee {
				s.put(atFee, 0, w.Asset, "", p)
			} else {
				s.put(atAdjustment, 0, w.Asset, "", p)
			}
		}
	}
}

// end closes a branch at an account that is not followed.
func (s *sim) end(at uint32, w *ledger.Row, pieces []lot) {
	for i := range pieces {
		p := &pieces[i]
		if !p.tainted() {
			continue
		}
		switch role := s.parties[at].role; {
		case role == roleExit:
			s.put(atExit, at, w.Asset, "", p)
		case role == roleContract:
			s.put(atUnfollowed, at, w.Asset, ReasonContract, p)
		case role == roleWrapper && s.req.ObservedOnly && p.rule != codeObserved:
			s.put(atUnfollowed, at, w.Asset, ReasonInferred, p)
		default:
			s.put(atHolding, at, w.Asset, "", p)
		}
	}
}

// acquire adds pieces to an open book, by the method.
func (s *sim) acquire(b *book, w *ledger.Row, pieces []lot) error {
	if _, ok := b.total.Add(w.Amount); !ok {
		return overflow()
	}
	if s.poison {
		s.turn(b, w, pieces)
	}
	s.method.acquire(b, pieces)
	return nil
}

// turn taints what mixes: with Poison a book is wholly tainted or wholly
// clean.
func (s *sim) turn(b *book, w *ledger.Row, pieces []lot) {
	var by lot // what taints
	lots := b.live()
	if len(lots) > 0 && lots[0].tainted() {
		by = lots[0]
		for i := range lots {
			if lots[i].rule == codeObserved {
				by = lots[i]
				break
			}
		}
	}
	for i := range pieces {
		if p := &pieces[i]; p.tainted() && (!by.tainted() || (by.rule != codeObserved && p.rule == codeObserved)) {
			by = *p
		}
	}
	if !by.tainted() {
		return
	}
	for i := range lots {
		s.turnLot(&lots[i], &by, w, b)
	}
	for i := range pieces {
		s.turnLot(&pieces[i], &by, w, nil)
	}
}

// turnLot taints one clean lot; b counts it when the lot is in the book.
func (s *sim) turnLot(l, by *lot, w *ledger.Row, b *book) {
	if l.tainted() || l.amount.IsZero() {
		return
	}
	s.put(atTurned, 0, w.Asset, "", &lot{amount: l.amount, class: by.class})
	*l = lot{amount: l.amount, class: by.class, rule: by.rule, hop: by.hop, flow: by.flow}
	l.arrive(w)
	if b != nil {
		b.tainted++
	}
}

// open opens the book of an account that taint reaches: what it held before is
// one clean lot, and its rows are streamed from here on.
func (s *sim) open(ctx context.Context, at uint32, w *ledger.Row) (*book, error) {
	if s.inTx != nil && s.inTx.running {
		return s.openWithin(ctx, at, w)
	}
	if x := s.wrappers.of(w.To, w.Asset); x != nil {
		return s.openWrapped(ctx, at, w, x)
	}
	key := bookKey{w.To, w.Asset}
	o, err := s.opening(ctx, key, w)
	if err != nil {
		return nil, err
	}
	b := s.shelf.add(key.account, key.asset, at)
	if b.push(lot{amount: o.held.Amount, flow: -1}); !o.held.Known {
		s.unasked[uint32(len(s.shelf.books)-1)] = int32(len(s.flows) - 1) // w's
	}
	if s.scanning {
		return b, nil
	}
	b.cur = s.cursorOf(b, w.Key, s.head(s.parties[at].account.Chain()))
	if o.paged {
		b.cur.take(o.rows, o.more)
	}
	return b, s.stream(ctx, b.cur)
}

// stream puts a cursor into the heap when it has rows.
func (s *sim) stream(ctx context.Context, c *cursor) error {
	return s.heap.stream(ctx, s.r, &s.pages, c)
}

// party finds or makes the party of an account, and says what it is.
func (s *sim) party(ctx context.Context, ref ledger.AccountRef) (uint32, error) {
	if at, ok := s.byRef[ref]; ok {
		return at, nil
	}
	err := s.meet(ctx, []ledger.AccountRef{ref})
	return s.byRef[ref], err
}

// meet makes parties of accounts that are none yet.
func (s *sim) meet(ctx context.Context, refs []ledger.AccountRef) error {
	fresh := make([]ledger.AccountRef, 0, len(refs))
	for _, ref := range refs {
		if _, ok := s.byRef[ref]; !ok {
			s.byRef[ref] = uint32(len(s.parties) + len(fresh))
			fresh = append(fresh, ref)
		}
	}
	names, err := s.r.Accounts(ctx, fresh)
	if err != nil {
		return err
	}
	s.parties = slices.Grow(s.parties, len(fresh))
	for i, ref := range fresh {
		s.parties = append(s.parties, s.judged(party{ref: ref, account: names[i]}))
	}
	return nil
}

// judged is a party with its role.
func (s *sim) judged(p party) party {
	if a := p.account; a.Form() == chain.FormEVM && a == chain.EVM(a.Chain(), [20]byte{}) {
		p.role = roleBurn
	}
	if found, ok := s.labels.Deciding(p.account); ok {
		l := found // a copy of its own: most accounts have none, and nothing is allocated
		switch {
		case l.Service() != "":
			p.role, p.label = roleExit, &l
		case l.Contract():
			p.role, p.label = roleContract, &l
		}
	}
	if p.role == roleBook && s.wrappers.contract(p.ref) != nil {
		p.role = roleWrapper
	}
	if s.within != nil && p.role == roleBook && !s.within(p.ref) {
		p.role = roleSource
	}
	return p
}
