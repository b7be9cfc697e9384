package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
)

// upstream is where one deposit of an account chain may have come from: the
// transfers at which going back stops, in chain order.
type upstream struct {
	*backward
	deposit ledger.Row
	depth   map[ledger.AccountRef]int // hops back from the deposit's sender
	kinds   map[ledger.AccountRef]stopKind
	label   map[ledger.AccountRef]labels.Label
	stops   []stopRow
	seen    int
	pages   ledger.Pages

	wrappers wrappers
	assets   []ledger.AssetRef // the deposit's, and what it may have been before a link
	sender   bookKey           // what the deposit left
	order    *txOrder          // of the deposit's transaction
	until    ledger.Key        // where what may come before the deposit ends
}

// stopRow is a transfer whose sender is where going back stops.
type stopRow struct {
	row  ledger.Row
	kind stopKind
}

// transfer looks back from a deposit of an account chain.
func (b *backward) transfer(ctx context.Context, w *ledger.Row, id string) error {
	u := &upstream{
		backward: b, deposit: *w, depth: map[ledger.AccountRef]int{}, kinds: map[ledger.AccountRef]stopKind{}, label: map[ledger.AccountRef]labels.Label{},
	}
	if err := u.learn(ctx, w.Asset); err != nil {
		return err
	}
	var err error
	if u.wrappers, err = wrappersOf(ctx, b.r); err != nil {
		return err
	}
	u.assets = u.wrappers.beside([]ledger.AssetRef{w.Asset})
	u.sender, _ = u.wrappers.sides(w.From, w.To, w.Asset)
	u.until, u.order = w.Key, &txOrder{}
	if x := u.wrappers.crosses(w); x != nil {
		if u.order, err = x.order(ctx, b.r, w.Tx); err != nil {
			return err
		}
		if u.order.place(w.Key) >= 0 {
			u.until = u.order.after()
		}
	}
	if err := u.search(ctx); err != nil {
		return err
	}
	who, err := u.r.Accounts(ctx, []ledger.AccountRef{u.sender.account})
	if err != nil {
		return err
	}
	dep := &deposit{id: id, key: w.Key, asset: w.Asset, amount: w.Amount, sender: who[0], prov: w.Provisional}
	stops, err := u.named(ctx)
	if err != nil {
		return err
	}
	groups, err := b.groups(id, len(stops))
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := u.forward(ctx, dep, g, stops); err != nil {
			return err
		}
	}
	return b.write(dep, stops)
}

// search walks back from the deposit's sender, nearest accounts first.
func (u *upstream) search(ctx context.Context) error {
	level := []ledger.AccountRef{u.sender.account}
	if u.sender.account == 0 {
		u.stops = append(u.stops, stopRow{u.deposit, stopStart})
		return nil
	}
	u.depth[u.sender.account] = 0
	for n := 0; len(level) > 0; n++ {
		var next []ledger.AccountRef
		for _, ref := range level {
			more, err := u.account(ctx, ref, n)
			if err != nil {
				return err
			}
			next = append(next, more...)
		}
		slices.Sort(next)
		level = next
	}
	return u.gather(ctx)
}

// account decides whether going back stops at an account, and if not lists the
// senders of what it received that were not seen yet.
func (u *upstream) account(ctx context.Context, ref ledger.AccountRef, depth int) (next []ledger.AccountRef, err error) {
	name, err := u.r.Accounts(ctx, []ledger.AccountRef{ref})
	if err != nil {
		return nil, err
	}
	if l, ok := u.set.Deciding(name[0]); ok && l.Service() != "" {
		u.kinds[ref], u.label[ref] = stopExit, l
		return nil, nil
	}
	if u.wrappers.contract(ref) != nil {
		u.kinds[ref] = stopStart
		return nil, nil
	}
	if max := u.req.Bounds.MaxHops; max > 0 && depth >= max {
		u.kinds[ref] = stopDepth
		return nil, nil
	}
	sends := map[ledger.AssetRef]int{}
	err = u.each(ctx, ref, func(w *ledger.Row) {
		switch {
		case w.From == w.To || w.Amount.IsZero() || u.link(w).code != noLink:
		case w.From == ref:
			if w.Kind != chain.KindFee && w.Kind != chain.KindAdjustment {
				sends[w.Asset]++
			}
		case w.From != 0:
			if _, ok := u.depth[w.From]; !ok {
				u.depth[w.From] = depth + 1
				next = append(next, w.From)
			}
		}
	})
	over := func(asset ledger.AssetRef) bool { return sends[asset] > u.req.Bounds.MaxDegree }
	if err == nil && u.req.Bounds.MaxDegree > 0 && slices.ContainsFunc(u.assets, over) {
		u.kinds[ref] = stopDegree
		for _, n := range next {
			delete(u.depth, n)
		}
		return nil, nil
	}
	return next, err
}

// link is what a row is between an account and a contract that wraps coin.
func (u *upstream) link(w *ledger.Row) linked { return u.wrappers.link(w.From, w.To, w.Asset) }

// each reads an account's rows before the deposit, in order: of the deposit's
// asset, and of what it may have been before a link.
func (u *upstream) each(ctx context.Context, ref ledger.AccountRef, see func(*ledger.Row)) error {
	var h eventHeap
	for _, asset := range u.assets {
		if x := u.wrappers.contract(ref); x != nil && x.coin == asset {
			continue // others' tokens
		}
		c := &cursor{more: true, query: ledger.Query{Account: ref, Asset: asset, Until: u.until, Limit: lastPage}}
		if err := h.stream(ctx, u.r, &u.pages, c); err != nil {
			return err
		}
	}
	return u.wrappers.each(ctx, u.r, &u.pages, &h, func(w *ledger.Row) error {
		if u.seen++; u.seen > MaxUpstream {
			return errs.New("trace", errs.Limit, "", "going back reaches more than two million transfers", "bound it with --max-hops or --max-degree, or label the services on the way")
		}
		if u.before(w) {
			see(w)
		}
		return nil
	})
}

// before says whether a row happened before the deposit.
func (u *upstream) before(w *ledger.Row) bool {
	if at := u.order.place(w.Key); at >= 0 {
		return at < u.order.place(u.deposit.Key)
	}
	return w.Key.Compare(u.deposit.Key) < 0
}

// gather lists the stops: what accounts that are gone through received from
// where going back stops. An account that sends before it received anything is
// the ledger's start.
func (u *upstream) gather(ctx context.Context) error {
	refs := make([]ledger.AccountRef, 0, len(u.depth))
	for ref := range u.depth {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	for _, ref := range refs {
		received := map[ledger.AssetRef]bool{}
		err := u.each(ctx, ref, func(w *ledger.Row) {
			switch l := u.link(w); {
			case w.From == w.To || w.Amount.IsZero():
			case l.code != noLink:
				if u.inside(ref) {
					u.add(w, ref, received[l.gives])
				}
				received[l.gets] = true
			case w.To == ref:
				received[w.Asset] = true
				if w.From == 0 && u.inside(ref) {
					u.stops = append(u.stops, stopRow{*w, stopStart})
				}
			case w.To == 0 || !u.inside(w.To):
			default:
				u.add(w, ref, received[w.Asset])
			}
		})
		if err != nil {
			return err
		}
		// The deposit itself may come straight from a stop.
		if ref == u.sender.account {
			u.add(&u.deposit, ref, received[u.sender.asset])
		}
	}
	slices.SortFunc(u.stops, func(a, b stopRow) int { return a.row.Key.Compare(b.row.Key) })
	return nil
}

// add makes a stop of a transfer when its sender is one.
func (u *upstream) add(w *ledger.Row, sender ledger.AccountRef, received bool) {
	if k := u.kinds[sender]; k != stopNone {
		u.stops = append(u.stops, stopRow{*w, k})
	} else if !received {
		u.stops = append(u.stops, stopRow{*w, stopStart})
	}
}

// named is the stops by the names of their accounts: a mint's is the account
// that it was minted to.
func (u *upstream) named(ctx context.Context) ([]stop, error) {
	refs := make([]ledger.AccountRef, len(u.stops))
	for i := range u.stops {
		w := &u.stops[i].row
		from, _ := u.wrappers.sides(w.From, w.To, w.Asset)
		if refs[i] = from.account; refs[i] == 0 {
			refs[i] = w.To
		}
	}
	names, err := u.r.Accounts(ctx, refs)
	if err != nil {
		return nil, err
	}
	out := make([]stop, len(u.stops))
	for i := range out {
		out[i] = stop{account: names[i], at: u.stops[i].row.Stated}
		out[i].stopped(u.stops[i].kind, u.label[refs[i]])
	}
	return out, nil
}

// forward traces some stops' transfers up to the deposit, through the accounts
// that were searched: what leaves them does not come back before it.
func (u *upstream) forward(ctx context.Context, dep *deposit, group []int, stops []stop) error {
	if len(group) == 0 {
		return nil
	}
	on := u.d.assets[dep.asset].Chain()
	req := u.request(dep.id, group, on)
	req.Heads = map[chain.ID]uint64{on: dep.key.Block}
	part := part{}
	for n, i := range group {
		part.thefts = append(part.thefts, uint32(n))
		part.rows = append(part.rows, stolenRow{u.stops[i].row, uint32(n)})
	}
	s, err := newSim(ctx, u.r, u.set, req, part, u.reads)
	if err != nil {
		return err
	}
	s.within = func(ref ledger.AccountRef) bool { return u.inside(ref) || u.kinds[ref] == stopExit }
	if err := s.run(ctx); err != nil {
		return err
	}
	if err := s.balance(s.rest()); err != nil {
		return err
	}
	return u.collect(ctx, s, dep, func(theft uint32) *stop { return &stops[group[theft]] })
}

// inside says whether going back passed through an account.
func (u *upstream) inside(ref ledger.AccountRef) bool {
	_, ok := u.depth[ref]
	return ok && u.kinds[ref] == stopNone
}
