package trace

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace/links"
)

// Inside a transaction the ledger knows two orders: that of the calls, which
// move coin, and that of the events, which tell of the token. Places put the
// calls first. That is right of a wrap, whose token is sent on behind it, and
// wrong of an unwrap that is paid by token which the same transaction brought:
// the coin would leave before. A link stands in both orders, so the events
// before an unwrap are drawn before it: by its own event's place where the
// ledger kept that, else as many as pay for it.

// txOrder is how the rows of a transaction with links happened.
type txOrder struct {
	tx    ledger.TxRef
	rows  []ledger.Row // calls' and events' of coin and its token; nil: as their places say
	exact bool         // by the places of the links' own events

	first, last ledger.Key // the lowest and the highest of their places
	at          int        // of rows, while they happen
	running     bool
}

// crosses says whether a row's transaction may have another order than places
// say.
func (all wrappers) crosses(w *ledger.Row) *wrapper {
	if w.Tx == 0 || w.Kind != chain.KindInternal && w.Kind != chain.KindToken {
		return nil
	}
	for i := range all {
		if x := &all[i]; x.coin == w.Asset || x.token == w.Asset {
			return x
		}
	}
	return nil
}

// order is how a transaction's rows happened.
func (x *wrapper) order(ctx context.Context, r ledger.Reader, tx ledger.TxRef) (*txOrder, error) {
	o := &txOrder{tx: tx}
	var pages ledger.Pages
	if err := r.Transactions(ctx, []ledger.TxRef{tx}, &pages); err != nil {
		return nil, err
	}
	var calls, events []ledger.Row
	unwrapped := false
	for i := range pages.Rows {
		w := &pages.Rows[i]
		if w.Asset != x.coin && w.Asset != x.token {
			continue
		}
		switch w.Kind {
		case chain.KindInternal:
			calls = append(calls, *w)
			unwrapped = unwrapped || x.link(w).code == unwraps
		case chain.KindToken:
			events = append(events, *w)
		}
	}
	if !unwrapped || len(events) == 0 {
		return o, nil
	}
	events, err := x.news(ctx, r, events)
	if err != nil {
		return nil, err
	}
	cuts, err := x.toldCuts(ctx, r, tx, calls, events)
	if err != nil {
		return nil, err
	}
	if o.exact = cuts != nil; !o.exact {
		cuts = x.paidCuts(calls, events)
	}
	if cuts[len(cuts)-1] == 0 {
		return o, nil
	}
	o.first, o.last = calls[0].Key, calls[len(calls)-1].Key
	if e := events[0].Key; e.Compare(o.first) < 0 {
		o.first = e
	}
	if e := events[len(events)-1].Key; e.Compare(o.last) > 0 {
		o.last = e
	}
	done := 0
	for i := range calls {
		o.rows = append(append(o.rows, events[done:cuts[i]]...), calls[i])
		done = cuts[i]
	}
	o.rows = append(o.rows, events[done:]...)
	return o, nil
}

// link says what a row is to this wrapper.
func (x *wrapper) link(w *ledger.Row) linked { return wrappers{*x}.link(w.From, w.To, w.Asset) }

// news leaves out events that tell a link again.
func (x *wrapper) news(ctx context.Context, r ledger.Reader, events []ledger.Row) (out []ledger.Row, err error) {
	for i := range events {
		if _, again, err := x.told(ctx, r, &events[i]); err != nil {
			return nil, err
		} else if !again {
			out = append(out, events[i])
		}
	}
	return out, nil
}

// toldCuts says how many events come before each call by the places of the
// links' own events, Deposit and Withdrawal; nil where the ledger lacks one.
func (x *wrapper) toldCuts(ctx context.Context, r ledger.Reader, tx ledger.TxRef, calls, events []ledger.Row) ([]int, error) {
	notes, err := r.Notes(ctx, []ledger.TxRef{tx})
	if err != nil {
		return nil, err
	}
	logs := slices.DeleteFunc(slices.Clone(notes[0].Logs), func(l ledger.Log) bool { return l.Address != x.Contract })
	cuts := make([]int, len(calls))
	for i := range calls {
		l := x.link(&calls[i])
		if i > 0 {
			cuts[i] = cuts[i-1]
		}
		if l.code == noLink {
			continue
		}
		who, err := r.Accounts(ctx, []ledger.AccountRef{l.account})
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(logs, func(log ledger.Log) bool { return says(&log, l.code, who[0], calls[i].Amount) })
		if at < 0 {
			return nil, nil
		}
		for cuts[i] < len(events) && events[cuts[i]].Ordinal < logs[at].Index {
			cuts[i]++
		}
		logs = slices.Delete(logs, at, at+1)
	}
	return cuts, nil
}

// says whether an event tells of a link.
func says(log *ledger.Log, code linkCode, account chain.Account, amount chain.Amount) bool {
	topic := links.Deposit
	if code == unwraps {
		topic = links.Withdrawal
	}
	padded := append(make([]byte, 12, 32), account.AppendRaw(nil)...)
	wad := amount.Bytes32()
	return len(log.Topics) == 2 && log.Topics[0] == topic && bytes.Equal(log.Topics[1][:], padded) && bytes.Equal(log.Data, wad[:])
}

// paidCuts says how many events come before each call where nothing tells it: of
// an unwrap as few as bring the account what it unwraps, beside what else came
// and went in the transaction, or as much of that as there is.
func (x *wrapper) paidCuts(calls, events []ledger.Row) []int {
	cuts, done := make([]int, len(calls)), 0
	for i := range calls {
		if l := x.link(&calls[i]); l.code == unwraps {
			most := x.brought(l.account, calls[:i], events[:done])
			for n := done; n < len(events) && most.less(calls[i].Amount); {
				n++
				if b := x.brought(l.account, calls[:i], events[:n]); most.under(b) {
					most, done = b, n
				}
			}
		}
		cuts[i] = done
	}
	return cuts
}

// net is what came and what went.
type net struct{ in, out chain.Amount }

func (n net) less(a chain.Amount) bool { return n.in.Less(n.out.MustAdd(a)) }
func (n net) under(m net) bool         { return n.in.MustAdd(m.out).Less(m.in.MustAdd(n.out)) }

// brought is what of the token some rows brought an account, and took.
func (x *wrapper) brought(account ledger.AccountRef, rows ...[]ledger.Row) (n net) {
	all, key := wrappers{*x}, bookKey{account, x.token}
	for _, part := range rows {
		for i := range part {
			w := &part[i]
			from, to := all.sides(w.From, w.To, w.Asset)
			if from != to && from == key {
				n.out = n.out.MustAdd(w.Amount)
			}
			if from != to && to == key {
				n.in = n.in.MustAdd(w.Amount)
			}
		}
	}
	return n
}

// after is a place behind the last of the rows and before what follows.
func (o *txOrder) after() ledger.Key {
	k := o.last
	k.Rank = math.MaxUint32
	return k
}

// reorder puts rows of one transaction, which stand by their places, into the
// order in which they happened.
func (all wrappers) reorder(ctx context.Context, r ledger.Reader, rows []ledger.Row) error {
	var x *wrapper
	call, event := false, false
	for i := range rows {
		if y := all.crosses(&rows[i]); y != nil {
			x = y
			call, event = call || rows[i].Kind == chain.KindInternal, event || rows[i].Kind == chain.KindToken
		}
	}
	if !call || !event {
		return nil
	}
	o, err := x.order(ctx, r, rows[0].Tx)
	if err != nil || o.rows == nil {
		return err
	}
	place := func(w *ledger.Row) int {
		if at := o.place(w.Key); at >= 0 || w.Key.Compare(o.first) < 0 {
			return at
		}
		return len(o.rows) // behind them
	}
	slices.SortStableFunc(rows, func(a, b ledger.Row) int { return cmp.Compare(place(&a), place(&b)) })
	return nil
}

// place is where a row happened among the others; -1: it is none of them.
func (o *txOrder) place(k ledger.Key) int {
	return slices.IndexFunc(o.rows, func(w ledger.Row) bool { return w.Key == k })
}

// together lets all rows of a row's transaction happen in their order, where
// that is another than their places', and says whether the row has happened.
func (s *sim) together(ctx context.Context, x *wrapper, w *ledger.Row) (bool, error) {
	if s.inTx != nil && s.inTx.running {
		return false, nil
	}
	if s.inTx == nil || s.inTx.tx != w.Tx {
		o, err := x.order(ctx, s.r, w.Tx)
		if err != nil {
			return false, err
		}
		s.inTx = o
		o.running = true
		for ; o.at < len(o.rows); o.at++ {
			if err := s.event(ctx, &o.rows[o.at]); err != nil {
				return false, err
			}
		}
		o.running = false
	}
	return s.inTx.place(w.Key) >= 0, nil
}

// guessed says whether a row draws on what another brought in the same
// transaction only because an unwrap is taken to follow what pays for it.
func (s *sim) guessed(by *rowInfo, w *ledger.Row) bool {
	o := s.inTx
	return o != nil && o.running && !o.exact && by.tx == w.Tx && by.Kind == chain.KindToken && w.Kind == chain.KindInternal
}

// openWithin opens a book while rows of a transaction happen in an order of
// their own: it held what it held before them, and what they did since.
func (s *sim) openWithin(ctx context.Context, at uint32, w *ledger.Row) (*book, error) {
	o, key := s.inTx, bookKey{w.To, w.Asset}
	held, err := s.heldBefore(ctx, key, o.first)
	if err != nil {
		return nil, err
	}
	for i := range o.rows[:o.at] {
		if held, err = s.wrappers.running(key, held, &o.rows[i]); err != nil {
			return nil, err
		}
	}
	return s.openHolding(ctx, at, key, held, o.last)
}

// openHolding opens a book that holds a known amount of clean money; what
// happens in it is read from behind a place.
func (s *sim) openHolding(ctx context.Context, at uint32, key bookKey, held chain.Amount, after ledger.Key) (*book, error) {
	b := s.shelf.add(key.account, key.asset, at)
	b.push(lot{amount: held, flow: -1})
	if s.scanning {
		return b, nil
	}
	b.cur = s.cursorOf(b, after, s.head(s.parties[at].account.Chain()))
	return b, s.stream(ctx, b.cur)
}

// lookWithin is lookAhead while rows of a transaction happen in an order of
// their own.
func (s *sim) lookWithin(b *book) (spends []chain.Amount) {
	o, key := s.inTx, bookKey{b.account, b.asset}
	for i := o.at; i < len(o.rows); i++ {
		w := &o.rows[i]
		from, to := s.wrappers.sides(w.From, w.To, w.Asset)
		switch {
		case from == to || w.Amount.IsZero():
		case to == key:
			return spends
		case from == key:
			spends = append(spends, w.Amount)
		}
	}
	return spends
}

// heldBefore is what a book held before a place.
func (s *sim) heldBefore(ctx context.Context, key bookKey, before ledger.Key) (chain.Amount, error) {
	if x := s.wrappers.of(key.account, key.asset); x != nil {
		return s.heldWrapped(ctx, x, key.account, before)
	}
	had, err := s.r.Balances(ctx, []ledger.BalanceQuery{{Account: key.account, Asset: key.asset, Before: before}})
	if err != nil {
		return chain.Amount{}, err
	}
	return had[0].Amount, nil
}

// running is a book's balance after a row, by definition 3.
func (all wrappers) running(key bookKey, held chain.Amount, w *ledger.Row) (chain.Amount, error) {
	from, to := all.sides(w.From, w.To, w.Asset)
	switch {
	case from == to:
	case from == key:
		return held.MustSub(held.Min(w.Amount)), nil
	case to == key:
		sum, ok := held.Add(w.Amount)
		if !ok {
			return held, overflow()
		}
		return sum, nil
	}
	return held, nil
}
