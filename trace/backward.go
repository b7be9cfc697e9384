package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
)

// Limits of a backward trace: how many transfers it may look at for one
// deposit, and how many sources may be traced one by one (haircut, poison and
// TIHO share out differently when several sources are traced at once).
const (
	MaxUpstream   = 2_000_000
	MaxAloneTrace = 20_000
)

// upstream is where one deposit's money may have come from: the transfers at
// which going back stops, in chain order.
type upstream struct {
	r       ledger.Reader
	set     *labels.Set
	req     *Request
	deposit ledger.Row
	depth   map[ledger.AccountRef]int // hops back from the deposit's sender
	kinds   map[ledger.AccountRef]stopKind
	label   map[ledger.AccountRef]labels.Label
	stops   []stop
	seen    int

	carriers map[ledger.Key]bool // transfers that carried something into a deposit
	pages    ledger.Pages
}

// stopKind says why going back stops at an account; stopNone goes on.
type stopKind uint8

const (
	stopNone stopKind = iota
	stopExit
	stopDepth
	stopDegree
)

// stop is a transfer whose sender is where going back stops.
type stop struct {
	row    ledger.Row
	place  place // atHolding: the ledger's start, or a mint; atExit; atUnfollowed
	reason Reason
}

// followBack answers a request with Backward set: for each deposit the places
// that contributed to it. A transfer contributes what tracing it alone by the
// same method carries into the deposit (definition 12).
func followBack(ctx context.Context, r ledger.Reader, set *labels.Set, req *Request) (*Run, error) {
	if len(req.Sources) > 0 {
		return nil, errs.New("trace", errs.Usage, "", "a backward trace starts at deposits, not at an account", "name the deposit's transaction with a theft stated for it")
	}
	rows, coins, err := resolve(ctx, r, req.Thefts)
	if err != nil {
		return nil, err
	}
	if len(coins) > 0 {
		return nil, errs.New("trace", errs.Unavailable, "", "a UTXO chain is not traced backward", "trace forward from the suspected source")
	}
	run := &Run{Version: RunVersion, Request: *req, Stolen: []Part{}, Flows: []Flow{}, Lots: []Lot{}}
	run.Result.Method = req.Method
	reads := &readLog{}
	d := &drawing{names: &names{registry: r.Registry(), assets: map[ledger.AssetRef]chain.Asset{}}, poison: req.Method == Poison, res: &run.Result}
	touched, carriers := map[chain.Account]bool{}, map[ledger.Key]bool{}
	for _, w := range rows {
		u := &upstream{
			r: r, set: set, req: req, deposit: w.row, carriers: carriers, depth: map[ledger.AccountRef]int{}, kinds: map[ledger.AccountRef]stopKind{}, label: map[ledger.AccountRef]labels.Label{},
		}
		if err := u.search(ctx); err != nil {
			return nil, err
		}
		if err := u.answer(ctx, d, run, reads, req.Thefts[w.theft].ID, touched); err != nil {
			return nil, err
		}
	}
	run.Assets = d.list()
	run.Result.Accounts, run.Result.Transfers = len(touched), len(carriers)
	d.sort()
	if run.Result.Ledger, err = ranges(ctx, r, reads, req); err != nil {
		return nil, err
	}
	run.Result.Labels = append([]string{}, set.Digests()...)
	run.Result.Conserved = true
	return run, run.Result.seal()
}

// search walks back from the deposit's sender, nearest accounts first.
func (u *upstream) search(ctx context.Context) error {
	level := []ledger.AccountRef{u.deposit.From}
	if u.deposit.From == 0 {
		u.stops = append(u.stops, stop{row: u.deposit, place: atHolding})
		return nil
	}
	u.depth[u.deposit.From] = 0
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
	if max := u.req.Bounds.MaxHops; max > 0 && depth >= max {
		u.kinds[ref] = stopDepth
		return nil, nil
	}
	sends := 0
	err = u.each(ctx, ref, func(w *ledger.Row) {
		switch {
		case w.From == w.To || w.Amount.IsZero():
		case w.From == ref:
			if w.Kind != chain.KindFee && w.Kind != chain.KindAdjustment {
				sends++
			}
		case w.From != 0:
			if _, ok := u.depth[w.From]; !ok {
				u.depth[w.From] = depth + 1
				next = append(next, w.From)
			}
		}
	})
	if limit := u.req.Bounds.MaxDegree; err == nil && limit > 0 && sends > limit {
		u.kinds[ref] = stopDegree
		for _, n := range next {
			delete(u.depth, n)
		}
		return nil, nil
	}
	return next, err
}

// each reads an account's rows of the deposit's asset before the deposit.
func (u *upstream) each(ctx context.Context, ref ledger.AccountRef, see func(*ledger.Row)) error {
	q := ledger.Query{Account: ref, Asset: u.deposit.Asset, Until: u.deposit.Key, Limit: lastPage}
	for {
		u.pages.Reset()
		if err := u.r.Activity(ctx, []ledger.Query{q}, &u.pages); err != nil {
			return err
		}
		rows, more := u.pages.Page(0)
		if u.seen += len(rows); u.seen > MaxUpstream {
			return errs.New("trace", errs.Limit, "", "going back reaches more than two million transfers", "bound it with --max-hops or --max-degree, or label the services on the way")
		}
		for i := range rows {
			see(&rows[i])
		}
		if !more || len(rows) == 0 {
			return nil
		}
		q.After = rows[len(rows)-1].Key
	}
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
	inside := func(ref ledger.AccountRef) bool {
		_, ok := u.depth[ref]
		return ok && u.kinds[ref] == stopNone
	}
	for _, ref := range refs {
		received := false
		err := u.each(ctx, ref, func(w *ledger.Row) {
			switch {
			case w.From == w.To || w.Amount.IsZero():
			case w.To == ref:
				received = true
				if w.From == 0 && inside(ref) {
					u.stops = append(u.stops, stop{row: *w, place: atHolding})
				}
			case w.To == 0 || !inside(w.To):
			default:
				u.add(w, ref, received)
			}
		})
		if err != nil {
			return err
		}
		// The deposit itself may come straight from a stop.
		if ref == u.deposit.From {
			u.add(&u.deposit, ref, received)
		}
	}
	slices.SortFunc(u.stops, func(a, b stop) int { return a.row.Key.Compare(b.row.Key) })
	return nil
}

// add makes a stop of a transfer when its sender is one.
func (u *upstream) add(w *ledger.Row, sender ledger.AccountRef, received bool) {
	switch k := u.kinds[sender]; {
	case k == stopExit:
		u.stops = append(u.stops, stop{row: *w, place: atExit})
	case k == stopDepth:
		u.stops = append(u.stops, stop{row: *w, place: atUnfollowed, reason: ReasonDepth})
	case k == stopDegree:
		u.stops = append(u.stops, stop{row: *w, place: atUnfollowed, reason: ReasonDegree})
	case !received:
		u.stops = append(u.stops, stop{row: *w, place: atHolding})
	}
}

// carried is what one stop's transfer carries into the deposit.
type carried struct {
	amount chain.Amount
	rule   ruleCode
}

// answer traces the stops forward into the deposit and writes the result.
func (u *upstream) answer(ctx context.Context, d *drawing, run *Run, reads *readLog, id string, touched map[chain.Account]bool) error {
	groups := [][]int{}
	all := make([]int, len(u.stops))
	for i := range all {
		all[i] = i
	}
	if m := u.req.Method; m == FIFO || m == LIFO {
		groups = append(groups, all) // who else is traced changes nothing
	} else if len(all) > MaxAloneTrace {
		return errs.New("trace", errs.Limit, id, "more than 20000 transfers may have contributed, and this method traces each alone", "use fifo, or bound the trace")
	} else {
		for _, i := range all {
			groups = append(groups, []int{i})
		}
	}
	assets, err := u.r.Assets(ctx, []ledger.AssetRef{u.deposit.Asset})
	if err != nil {
		return err
	}
	d.assets[u.deposit.Asset] = assets[0]
	got := make([]carried, len(u.stops))
	for _, g := range groups {
		if err := u.forward(ctx, d, run, reads, id, g, got); err != nil {
			return err
		}
	}
	return u.write(ctx, d, run, id, got, touched)
}

// forward traces some stops' transfers up to the deposit.
func (u *upstream) forward(ctx context.Context, d *drawing, run *Run, reads *readLog, id string, group []int, got []carried) error {
	if len(group) == 0 {
		return nil
	}
	req := &Request{Method: u.req.Method, Bounds: Bounds{MinAmount: u.req.Bounds.MinAmount}, Heads: map[chain.ID]uint64{d.assets[u.deposit.Asset].Chain(): u.deposit.Block}}
	part := part{}
	for n, i := range group {
		part.thefts = append(part.thefts, uint32(n))
		part.rows = append(part.rows, stolenRow{u.stops[i].row, uint32(n)})
		req.Thefts = append(req.Thefts, Theft{ID: id, Transfers: []chain.Transfer{{Chain: d.assets[u.deposit.Asset].Chain()}}})
	}
	s, err := newSim(ctx, u.r, u.set, req, part, reads)
	if err != nil {
		return err
	}
	for ref, k := range u.kinds {
		if k == stopNone || k == stopExit {
			continue
		}
		at, err := s.party(ctx, ref)
		if err != nil {
			return err
		}
		s.parties[at].role = roleSource
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	if err := s.balance(s.rest()); err != nil {
		return err
	}
	for i := range s.flows {
		f := &s.flows[i]
		if f.row.Key != u.deposit.Key {
			continue
		}
		c := &got[group[s.classes[f.class].theft]]
		if c.amount.IsZero() || f.rule < c.rule {
			c.rule = f.rule
		}
		c.amount = c.amount.MustAdd(f.amount)
	}
	return u.keepFlows(ctx, d, s, run)
}

// keepFlows records the flows that lead into the deposit.
func (u *upstream) keepFlows(ctx context.Context, d *drawing, s *sim, run *Run) error {
	need := make([]bool, len(s.flows))
	for i := len(s.flows) - 1; i >= 0; i-- {
		f := &s.flows[i]
		if need[i] = need[i] || f.row.Key == u.deposit.Key; need[i] {
			for _, p := range s.parents[f.parent : f.parent+f.parents] {
				need[p] = true
			}
		}
	}
	all := &Run{}
	if err := d.flows(ctx, s, all); err != nil {
		return err
	}
	at := map[int]int{}
	for i, f := range all.Flows {
		if !need[i] {
			continue
		}
		u.carriers[s.flows[i].row.Key] = true
		at[i] = len(run.Flows)
		parents := []int{}
		for _, p := range f.Parents {
			parents = append(parents, at[p])
		}
		f.Parents = parents
		run.Flows = append(run.Flows, f)
	}
	return nil
}

// write adds a deposit's rows to the result: sources, exits, unfollowed, and
// what the ledger does not explain.
func (u *upstream) write(ctx context.Context, d *drawing, run *Run, id string, got []carried, touched map[chain.Account]bool) error {
	type groupKey struct {
		account  chain.Account
		place    place
		reason   Reason
		inferred bool
	}
	sums := map[groupKey]*sum{}
	label := map[chain.Account]labels.Label{}
	found := chain.Amount{}
	for i, c := range got {
		if c.amount.IsZero() {
			continue
		}
		w := &u.stops[i].row
		ref := w.From
		if ref == 0 {
			ref = w.To // a mint: the account it was minted to
		}
		name, err := u.r.Accounts(ctx, []ledger.AccountRef{ref})
		if err != nil {
			return err
		}
		label[name[0]] = u.label[ref]
		k := groupKey{name[0], u.stops[i].place, u.stops[i].reason, c.rule != codeObserved}
		v := &sum{amount: c.amount, first: w.Time, last: w.Time, rule: c.rule}
		if e := sums[k]; e != nil {
			e.join(v)
		} else {
			sums[k] = v
		}
		var ok bool
		if found, ok = found.Add(c.amount); !ok {
			return overflow()
		}
	}
	for k, v := range sums {
		touched[k.account] = true
		money := d.amount(u.deposit.Asset, v.amount)
		origin := money
		o := &origin
		if d.poison {
			o = nil
		}
		switch k.place {
		case atExit:
			l := label[k.account]
			d.res.Exits = append(d.res.Exits, Exit{k.account, l.Label, l.Service(), l.Source, money, o, id, v.rule.basis(), v.rule.rule(), u.deposit.Provisional, v.first, v.last})
		case atUnfollowed:
			d.res.Unfollowed = append(d.res.Unfollowed, Unfollowed{k.account, k.reason, money, o, id, v.rule.basis(), v.rule.rule(), u.deposit.Provisional, v.first})
		default:
			d.res.Holdings = append(d.res.Holdings, Holding{k.account, money, o, id, v.rule.basis(), v.rule.rule(), u.deposit.Provisional, v.first})
		}
	}
	run.Stolen = append(run.Stolen, Part{Amount: d.amount(u.deposit.Asset, u.deposit.Amount), Theft: id, Basis: Observed})
	missing, ok := u.deposit.Amount.Sub(found)
	additive := u.req.Method != Poison && u.req.Method != TIHO
	if !ok && additive {
		return errs.New("trace", errs.Internal, id, "more contributed to the deposit than it is worth", "report this with the ledger's range; no result was written")
	}
	if ok && !missing.IsZero() {
		sender, err := u.r.Accounts(ctx, []ledger.AccountRef{u.deposit.From})
		if err != nil {
			return err
		}
		d.res.Incomplete = append(d.res.Incomplete, Incomplete{
			sender[0], d.amount(u.deposit.Asset, u.deposit.Amount), d.amount(u.deposit.Asset, found), d.amount(u.deposit.Asset, missing),
		})
	}
	return nil
}
