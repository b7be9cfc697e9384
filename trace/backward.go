package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
)

// Limits of a backward trace: how many transfers, or transactions of a UTXO
// chain, it may look at for one deposit, and how many sources may be traced one
// by one (haircut, poison and TIHO share out differently when several sources
// are traced at once).
const (
	MaxUpstream    = 2_000_000
	MaxUpstreamTxs = 300_000
	MaxAloneTrace  = 20_000
)

// stopKind says why going back stops at an account or an output; stopNone goes
// on.
type stopKind uint8

const (
	stopNone stopKind = iota
	stopExit
	stopDepth
	stopDegree
	stopStart // the ledger's start, a mint, a coinbase
)

// backward answers a request with Backward set: for each deposit the places
// that contributed to it. A transfer contributes what tracing it alone by the
// same method carries into the deposit (definition 12). So going back is a
// search for where it stops, and then the trace itself, forward from there.
type backward struct {
	r   ledger.Reader
	set *labels.Set
	req *Request
	run *Run
	d   *drawing

	reads    *readLog
	touched  map[chain.Account]bool
	carriers map[ledger.Key]bool // transfers that carried something into a deposit
	keys     []ledger.Key        // places of the run's flows
	room     *allowance          // for these; each trace forward has one of its own
}

// deposit is a transfer whose money is looked back for.
type deposit struct {
	id     string // the theft that names it
	key    ledger.Key
	asset  ledger.AssetRef
	amount chain.Amount
	sender chain.Account // what a lack is booked under
	prov   bool
}

// stop is where going back stops, and what it contributes.
type stop struct {
	account chain.Account
	place   place // atHolding: a start; atExit; atUnfollowed
	reason  Reason
	label   labels.Label // with atExit
	at      chain.Time
	got     [2]carried // observed, inferred
}

// carried is what a stop carries into the deposit on one basis.
type carried struct {
	amount chain.Amount
	rule   ruleCode
}

// add notes a flow into the deposit.
func (s *stop) add(amount chain.Amount, rule ruleCode) {
	c := &s.got[0]
	if rule != codeObserved {
		c = &s.got[1]
	}
	if c.amount.IsZero() || rule < c.rule {
		c.rule = rule
	}
	c.amount = c.amount.MustAdd(amount)
}

func (s *stop) total() chain.Amount { return s.got[0].amount.MustAdd(s.got[1].amount) }

// stopped sets a stop's place by why it is one.
func (s *stop) stopped(k stopKind, l labels.Label) {
	switch k {
	case stopExit:
		s.place, s.label = atExit, l
	case stopDepth:
		s.place, s.reason = atUnfollowed, ReasonDepth
	case stopDegree:
		s.place, s.reason = atUnfollowed, ReasonDegree
	default:
		s.place = atHolding
	}
}

func followBack(ctx context.Context, r ledger.Reader, set *labels.Set, req *Request) (*Run, error) {
	if len(req.Sources) > 0 {
		return nil, errs.New("trace", errs.Usage, "", "a backward trace starts at deposits, not at an account", "name the deposit by its transaction and receiver")
	}
	if req.Bounds.Until != 0 {
		return nil, errs.New("trace", errs.Usage, "", "a backward trace ends at its deposit", "leave out --until")
	}
	rows, coins, err := resolve(ctx, r, req.Thefts)
	if err != nil {
		return nil, err
	}
	b := &backward{
		r: r, set: set, req: req, run: &Run{Version: RunVersion, Request: *req, Stolen: []Part{}, Flows: []Flow{}, Lots: []Lot{}},
		reads: &readLog{}, touched: map[chain.Account]bool{}, carriers: map[ledger.Key]bool{}, room: req.allowance(),
	}
	defer b.reads.join()
	b.d = &drawing{names: &names{registry: r.Registry(), assets: map[ledger.AssetRef]chain.Asset{}}, poison: req.Method == Poison, res: &b.run.Result}
	for i := range rows {
		if err := b.transfer(ctx, &rows[i].row, req.Thefts[rows[i].theft].ID); err != nil {
			return nil, err
		}
	}
	for i := range coins {
		if err := b.output(ctx, &coins[i], req.Thefts[coins[i].theft].ID); err != nil {
			return nil, err
		}
	}
	return b.finish(ctx)
}

// finish draws up the result.
func (b *backward) finish(ctx context.Context) (_ *Run, err error) {
	run, res := b.run, &b.run.Result
	run.Assets = b.d.list()
	b.order()
	res.Method, res.Accounts, res.Transfers = b.req.Method, len(b.touched), len(b.carriers)
	b.d.sort()
	logs := readLogs{b.reads}
	if res.Ledger, err = ranges(ctx, b.r, logs, b.req); err != nil {
		return nil, err
	}
	if run.Finals, err = finalsOf(ctx, b.r, res.Ledger); err != nil {
		return nil, err
	}
	run.Read = logs.rows()
	res.Labels = append([]string{}, b.set.Digests()...)
	run.links(b.d.linked)
	res.Conserved = true
	return run, res.seal()
}

// order puts the flows of all deposits and sources into chain order.
func (b *backward) order() {
	order := make([]int, len(b.run.Flows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return b.keys[i].Compare(b.keys[j]) })
	at := make([]int, len(order))
	flows := make([]Flow, len(order))
	for n, i := range order {
		at[i], flows[n] = n, b.run.Flows[i]
	}
	for i := range flows {
		for k, p := range flows[i].Parents {
			flows[i].Parents[k] = at[p]
		}
		slices.Sort(flows[i].Parents)
	}
	b.run.Flows = flows
}

// groups says which stops are traced together: with FIFO and LIFO all, because
// who else is traced changes nothing; else each alone.
func (b *backward) groups(id string, n int) ([][]int, error) {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if m := b.req.Method; m == FIFO || m == LIFO || n == 0 {
		return [][]int{all}, nil
	}
	if n > MaxAloneTrace {
		return nil, errs.New("trace", errs.Limit, id, "more than 20000 transfers may have contributed, and this method traces each alone", "use fifo or lifo, or bound the trace")
	}
	out := make([][]int, n)
	for i := range all {
		out[i] = all[i : i+1]
	}
	return out, nil
}

// request is what a forward trace from stops asks.
func (b *backward) request(id string, group []int, on chain.ID) *Request {
	req := &Request{Method: b.req.Method, Fees: b.req.Fees, flows: b.req.flows, runs: b.req.runs}
	for range group {
		req.Thefts = append(req.Thefts, Theft{ID: id, Transfers: []chain.Transfer{{Chain: on}}})
	}
	return req
}

// collect adds what the flows of a forward trace bring into the deposit to its
// stops, and keeps the flows that lead there.
func (b *backward) collect(ctx context.Context, s *sim, dep *deposit, stopOf func(theft uint32) *stop) error {
	need := make([]bool, len(s.flows))
	for i := len(s.flows) - 1; i >= 0; i-- {
		f := &s.flows[i]
		if f.row.Key == dep.key {
			stopOf(s.classes[f.class].theft).add(f.amount, f.rule)
			need[i] = true
		}
		if need[i] {
			for _, p := range s.parents[f.parent : f.parent+f.parents] {
				need[p] = true
			}
		}
	}
	if s.metLink {
		b.d.linked = true
		for i := range s.wrappers {
			x := &s.wrappers[i]
			b.d.assets[x.coin], b.d.assets[x.token] = x.Coin(), x.Token()
		}
	}
	all := &Run{}
	if err := b.d.flows(ctx, s, all); err != nil {
		return err
	}
	at := map[int]int{}
	for i, f := range all.Flows {
		if !need[i] {
			continue
		}
		b.carriers[s.flows[i].row.Key] = true
		at[i] = len(b.run.Flows)
		parents := []int{}
		for _, p := range f.Parents {
			parents = append(parents, at[p])
		}
		f.Parents = parents
		if err := b.room.spend(1, len(parents)); err != nil {
			return err
		}
		b.run.Flows = append(b.run.Flows, f)
		b.keys = append(b.keys, s.happened(&s.flows[i]))
	}
	return nil
}

// happened is the place of a flow in the order of what happened: a coinbase
// that collects fees comes after those that pay them.
func (s *sim) happened(f *flow) ledger.Key {
	k := f.row.Key
	if s.utxo != nil && s.req.Fees == FeesCoinbase {
		if t := s.utxo.back.byRef[f.row.tx]; t != nil && t.tx.Coinbase {
			k.Index = chain.NoIndex
		}
	}
	return k
}

// trim takes units away from what haircut attributes beyond the deposit.
// Each source is rounded alone, so that together they may come to some base
// units more; one is taken from each, the largest first, until the sum is right.
func trim(stops []stop, amount chain.Amount) {
	var found chain.Amount
	for i := range stops {
		found = found.MustAdd(stops[i].total())
	}
	over, ok := found.Sub(amount)
	if !ok || over.IsZero() {
		return
	}
	order := make([]int, len(stops))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return stops[j].total().Cmp(stops[i].total()) })
	one := chain.Units(1)
	for !over.IsZero() {
		for _, i := range order {
			c := &stops[i].got[0]
			if c.amount.IsZero() {
				c = &stops[i].got[1]
			}
			if !over.IsZero() && !c.amount.IsZero() {
				c.amount, over = c.amount.MustSub(one), over.MustSub(one)
			}
		}
	}
}

// placed is what rows of the result tell apart.
type placed struct {
	account  chain.Account
	place    place
	reason   Reason
	inferred bool
}

// write adds a deposit's rows to the result: where it came from, and what the
// ledger does not explain.
func (b *backward) write(dep *deposit, stops []stop) error {
	if b.req.Method == Haircut {
		trim(stops, dep.amount)
	}
	sums, label, found := map[placed]*sum{}, map[chain.Account]labels.Label{}, chain.Amount{}
	floor := b.floor(dep.asset)
	for i := range stops {
		s := &stops[i]
		if s.place == atHolding && s.total().Less(floor) {
			s.place, s.reason = atUnfollowed, ReasonFloor
		}
		for n, c := range s.got {
			if c.amount.IsZero() {
				continue
			}
			k := placed{s.account, s.place, s.reason, n == 1}
			if k.inferred && b.req.ObservedOnly && k.place != atUnfollowed {
				k.place, k.reason = atUnfollowed, ReasonInferred
			}
			label[s.account] = s.label
			v := &sum{amount: c.amount, first: s.at, last: s.at, rule: c.rule}
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
	}
	for k, v := range sums {
		b.touched[k.account] = true
		b.row(dep, &k, v, label[k.account])
	}
	return b.lack(dep, found)
}

// floor is the bound on amounts of an asset, zero when there is none.
func (b *backward) floor(ref ledger.AssetRef) chain.Amount {
	for _, m := range b.req.Bounds.MinAmount {
		if m.Asset == b.d.assets[ref] {
			return m.Amount
		}
	}
	return chain.Amount{}
}

func (b *backward) row(dep *deposit, k *placed, v *sum, l labels.Label) {
	money := b.d.amount(dep.asset, v.amount)
	origin := &money
	if b.d.poison {
		origin = nil
	}
	res, basis, rule := b.d.res, v.rule.basis(), v.rule.rule()
	switch k.place {
	case atExit:
		res.Exits = append(res.Exits, Exit{k.account, l.Label, l.Service(), l.Source, money, origin, dep.id, basis, rule, dep.prov, v.first, v.last})
	case atUnfollowed:
		res.Unfollowed = append(res.Unfollowed, Unfollowed{k.account, k.reason, money, origin, dep.id, basis, rule, dep.prov, v.first})
	default:
		res.Holdings = append(res.Holdings, Holding{k.account, money, origin, dep.id, basis, rule, dep.prov, v.first})
	}
}

// lack books what of a deposit nothing explains. Poison and TIHO trace every
// source as if alone: what they find is no part of a sum.
func (b *backward) lack(dep *deposit, found chain.Amount) error {
	b.run.Stolen = append(b.run.Stolen, Part{Amount: b.d.amount(dep.asset, dep.amount), Theft: dep.id, Basis: Observed})
	missing, ok := dep.amount.Sub(found)
	if !ok && b.req.Method != Poison && b.req.Method != TIHO {
		return errs.New("trace", errs.Internal, dep.id, "more contributed to the deposit than it is worth", "report this with the ledger's range; no result was written")
	}
	if ok && !missing.IsZero() {
		b.d.res.Incomplete = append(b.d.res.Incomplete, Incomplete{
			dep.sender, b.d.amount(dep.asset, dep.amount), b.d.amount(dep.asset, found), b.d.amount(dep.asset, missing),
		})
	}
	return nil
}

// learn names the asset of a deposit.
func (b *backward) learn(ctx context.Context, ref ledger.AssetRef) error {
	assets, err := assetNames(ctx, b.r, []ledger.AssetRef{ref})
	if err == nil {
		b.d.assets[ref] = assets[0]
	}
	return err
}
