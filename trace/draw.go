package trace

import (
	"cmp"
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/trace/links"
)

// names turns references into the names that a result carries.
type names struct {
	registry *chain.Registry
	assets   map[ledger.AssetRef]chain.Asset
	linked   bool // wrapped coins are named by the list of links where the registry lacks them
}

// info is what is known of an asset.
func (n *names) info(asset chain.Asset) (chain.AssetInfo, bool) {
	info, ok := n.registry.Info(asset)
	if !ok && n.linked {
		for i := range links.AllWrapped() {
			if x := &links.AllWrapped()[i]; x.Token() == asset {
				return chain.AssetInfo{Asset: asset, Symbol: x.Symbol, Decimals: x.Decimals, Source: x.Source}, true
			}
		}
	}
	return info, ok
}

func (n *names) amount(ref ledger.AssetRef, a chain.Amount) Amount { return n.money(n.assets[ref], a) }

func (n *names) money(asset chain.Asset, a chain.Amount) Amount {
	info, ok := n.info(asset)
	if !ok {
		return Amount{Asset: asset, Amount: a.Base(), Base: a}
	}
	return Amount{Asset: asset, Symbol: info.Symbol, Amount: a.Decimal(info.Decimals), Base: a}
}

// list is what is known of the assets, by name.
func (n *names) list() []Asset {
	out := []Asset{}
	for _, a := range n.assets {
		info, ok := n.info(a)
		out = append(out, Asset{Asset: a, Symbol: info.Symbol, Decimals: info.Decimals, Known: ok})
	}
	slices.SortFunc(out, func(a, b Asset) int { return cmp.Compare(a.Asset, b.Asset) })
	return out
}

// links says which list a run rests on whose rows had links among them.
func (r *Run) links(met bool) {
	if met {
		r.Version, r.Result.Links = RunVersionLinks, []string{links.Digest()}
	}
}

// draw draws up the result of finished simulations.
func draw(ctx context.Context, r ledger.Reader, set *labels.Set, req *Request, sims []*sim) (*Run, error) {
	n, err := nameAssets(ctx, r, sims)
	if err != nil {
		return nil, err
	}
	run := &Run{Version: RunVersion, Request: *req, Stolen: []Part{}, Flows: []Flow{}, Lots: []Lot{}}
	run.Assets = n.list() // before the guards name assets that carry nothing
	d := &drawing{names: n, poison: req.Method == Poison, res: &run.Result}
	d.res.Method = req.Method
	for _, s := range sims {
		final, err := s.finals(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.atEnd(ctx); err != nil {
			return nil, err
		}
		all := s.rest()
		if err := s.balance(all); err != nil {
			return nil, err
		}
		d.sim(s, all, final)
		aside, err := s.asides(ctx, n) // of account chains
		if err != nil {
			return nil, err
		}
		d.res.Aside = append(d.res.Aside, aside...)
		run.Stolen = append(run.Stolen, d.stolen(s)...)
		if err := d.flows(ctx, s, run); err != nil {
			return nil, err
		}
	}
	d.count(sims)
	d.sort()
	logs := readsOf(sims)
	if d.res.Ledger, err = ranges(ctx, r, logs, req); err != nil {
		return nil, err
	}
	if run.Finals, err = finalsOf(ctx, r, d.res.Ledger); err != nil {
		return nil, err
	}
	run.Read = logs.rows()
	d.res.Labels = append([]string{}, set.Digests()...)
	run.links(n.linked)
	d.res.Conserved = true // balance has checked it, or there is no result
	return run, d.res.seal()
}

func nameAssets(ctx context.Context, r ledger.Reader, sims []*sim) (*names, error) {
	n := &names{registry: r.Registry(), assets: map[ledger.AssetRef]chain.Asset{}}
	for _, s := range sims {
		for _, c := range s.classes[1:] {
			n.assets[c.asset] = ""
		}
		for _, b := range s.shelf.books {
			n.assets[b.asset] = ""
		}
		if n.linked = n.linked || s.metLink; s.metLink {
			for i := range s.wrappers {
				n.assets[s.wrappers[i].coin], n.assets[s.wrappers[i].token] = "", ""
			}
		}
	}
	refs := make([]ledger.AssetRef, 0, len(n.assets))
	for ref := range n.assets {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	assets, err := assetNames(ctx, r, refs)
	if err != nil {
		return nil, err
	}
	for i, ref := range refs {
		n.assets[ref] = assets[i]
	}
	return n, nil
}

// finals is the last final block of each chain of the simulation.
func (s *sim) finals(ctx context.Context) (map[chain.ID]uint64, error) {
	out := map[chain.ID]uint64{}
	for i := range s.parties {
		out[s.parties[i].account.Chain()] = 0
	}
	for id := range out {
		if id == "" {
			continue
		}
		c, err := s.r.Coverage(ctx, id)
		if err != nil {
			return nil, err
		}
		out[id] = c.Final
	}
	return out, nil
}

// atEnd books as unfollowed what lies on accounts that spend after the end of
// the trace: our bound in time stopped there.
func (s *sim) atEnd(ctx context.Context) error {
	if s.until == 0 {
		return nil
	}
	if s.utxo != nil {
		s.utxo.atEnd()
		return nil
	}
	for _, b := range s.shelf.books {
		if p := b.batch(); b.tainted == 0 && (p == nil || len(p.pieces) == 0) {
			continue
		}
		spends, err := s.spendsLater(ctx, b)
		if err != nil {
			return err
		}
		if !spends {
			continue
		}
		s.giveUp(b, ReasonTime)
	}
	return nil
}

// spendsLater says whether the book has a spend after the end of the trace.
func (s *sim) spendsLater(ctx context.Context, b *book) (bool, error) {
	c := *b.cur // a copy: a live trace goes on from the book's own
	c.rows = slices.Clone(c.rows[c.at:])
	c.at = 0
	for {
		for i := c.at; i < len(c.rows); i++ {
			if w := &c.rows[i]; b.spends(w) && w.From != w.To && !w.Amount.IsZero() {
				return true, nil
			}
		}
		if !c.more {
			return false, nil
		}
		c.at = len(c.rows)
		if err := c.fill(ctx, s.r, &s.pages); err != nil {
			return false, err
		}
	}
}

// rest is the tally with what still lies in books.
func (s *sim) rest() map[tallyKey]*sum {
	t := tally{sums: make(map[tallyKey]*sum, len(s.tally.sums)+len(s.shelf.books))}
	sums := make([]sum, 0, len(s.tally.sums))
	for k, v := range s.tally.sums {
		sums = append(sums, *v)
		t.sums[k] = &sums[len(sums)-1]
	}
	saved := s.tally
	s.tally = t
	for _, b := range s.shelf.books {
		for i := range b.live() {
			if l := &b.live()[i]; l.tainted() {
				s.put(atHolding, b.owner, b.asset, "", l)
			}
		}
	}
	if s.utxo != nil {
		s.utxo.rest()
	}
	t, s.tally = s.tally, saved
	return t.sums
}

// balance checks definition 8: for each theft and stolen asset, what was
// stolen is what ended somewhere, to the last unit. With Poison amounts are
// compared, and what mixing turned is added.
func (s *sim) balance(all map[tallyKey]*sum) error {
	have := make([]chain.Amount, len(s.classes))
	want := make([]chain.Amount, len(s.classes))
	for c := range s.classes {
		want[c] = s.classes[c].stolen
	}
	for k, v := range all {
		switch {
		case k.place == atTurned:
			want[k.class] = want[k.class].MustAdd(v.amount)
		case s.poison:
			have[k.class] = have[k.class].MustAdd(v.amount)
		default:
			have[k.class] = have[k.class].MustAdd(v.origin)
		}
	}
	for c := range s.classes {
		if have[c] != want[c] {
			return errs.New("trace", errs.Internal, s.thefts[s.classes[c].theft].id,
				"the sums do not agree: "+want[c].Base()+" base units were stolen and "+have[c].Base()+" are accounted for",
				"report this with the ledger's range; no result was written")
		}
	}
	return nil
}
