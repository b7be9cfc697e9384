package books

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/stix"
	"bongsu/trace"
)

// Picture is the material of a theft's money graph, in chain's own values; the
// graph's layout is made of it elsewhere. Field for field it is what
// web/graph.Input takes.
type Picture struct {
	Sources  []chain.Account // where the stolen transfers left from
	Accounts []PictureAccount
	Flows    []PictureFlow
	Assets   *chain.Registry
}

// PictureAccount is what is known of one account in a theft. Kind is one of
// passed, holding, exchange, mixer, bridge, unfollowed, incomplete, aside.
type PictureAccount struct {
	Account     chain.Account
	Kind        string
	Label       string
	LabelSource string
	Amounts     []chain.Money
	Origin      []chain.Money
	Since       chain.Time
}

// PictureFlow is one tainted movement.
type PictureFlow struct {
	From, To chain.Account
	Money    chain.Money
	Tx       string
	Time     chain.Time
	Inferred bool
	Rule     string
}

// Picture is what there is to draw of a theft: its trace here, or else its own
// transfers and the findings that were shared. errs.NotExist: no such theft.
func (c *Cases) Picture(ctx context.Context, id string) (*Picture, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.find(ctx, id)
	if err != nil {
		return nil, err
	}
	p := &Picture{Assets: c.cfg.Assets}
	for _, m := range t.told.Transfers {
		if !m.From.IsZero() && !slices.Contains(p.Sources, m.From) {
			p.Sources = append(p.Sources, m.From)
		}
	}
	r, err := c.run(id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		c.pictureOfFindings(p, id, t)
		return p, nil
	}
	p.Assets = withAssets(r)
	set, err := c.labelSet(r)
	if err != nil {
		return nil, err
	}
	pictureOfRun(p, id, r)
	for i := range p.Accounts {
		a := &p.Accounts[i]
		if l, ok := set.Deciding(a.Account); ok && a.Label == "" {
			a.Label, a.LabelSource = l.Label, l.Source
		}
	}
	return p, nil
}

// withAssets is a registry of the built-in assets and the run's.
func withAssets(r *trace.Run) *chain.Registry {
	reg := chain.NewRegistry()
	for _, a := range r.Assets {
		if a.Known {
			// A run that disagrees with the built-in list about an asset's
			// decimals cannot have been made by this release; the list stays.
			_ = reg.Add(chain.AssetInfo{Asset: a.Asset, Symbol: a.Symbol, Decimals: a.Decimals, Source: "trace"})
		}
	}
	return reg
}

func pictureOfRun(p *Picture, id string, r *trace.Run) {
	res := &r.Result
	for i := range r.Flows {
		f := &r.Flows[i]
		if f.Theft != id {
			continue
		}
		p.Flows = append(p.Flows, PictureFlow{
			From: f.From, To: f.To, Money: chain.Money{Asset: f.Asset, Amount: f.Amount}, Tx: f.Tx, Time: f.Time,
			Inferred: f.Basis == trace.Inferred, Rule: string(f.Rule),
		})
	}
	add := func(theft string, a PictureAccount) {
		if theft == id {
			p.Accounts = append(p.Accounts, a)
		}
	}
	for i := range res.Holdings {
		h := &res.Holdings[i]
		add(h.Theft, PictureAccount{Account: h.Account, Kind: "holding", Amounts: money(&h.Amount), Origin: money(h.Origin), Since: h.Since})
	}
	for i := range res.Exits {
		e := &res.Exits[i]
		add(e.Theft, PictureAccount{Account: e.Account, Kind: exitKind(e.Category), Label: e.Label, LabelSource: e.Source, Amounts: money(&e.Amount), Origin: money(e.Origin), Since: e.First})
	}
	for i := range res.Unfollowed {
		u := &res.Unfollowed[i]
		add(u.Theft, PictureAccount{Account: u.Account, Kind: "unfollowed", Amounts: money(&u.Amount), Origin: money(u.Origin), Since: u.Since})
	}
	touched := map[chain.Account]bool{}
	for i := range p.Flows {
		touched[p.Flows[i].From], touched[p.Flows[i].To] = true, true
	}
	for i := range res.Incomplete {
		if a := res.Incomplete[i].Account; touched[a] { // incomplete spends belong to no theft
			add(id, PictureAccount{Account: a, Kind: "incomplete"})
		}
	}
	p.addPassed()
}

// addPassed adds the accounts that only flows name, in their order, so that
// the list is the same each time.
func (p *Picture) addPassed() {
	named := map[chain.Account]bool{}
	for i := range p.Accounts {
		named[p.Accounts[i].Account] = true
	}
	for i := range p.Flows {
		for _, a := range []chain.Account{p.Flows[i].From, p.Flows[i].To} {
			if !a.IsZero() && !named[a] && !slices.Contains(p.Sources, a) {
				named[a] = true
				p.Accounts = append(p.Accounts, PictureAccount{Account: a, Kind: "passed"})
			}
		}
	}
}

func exitKind(category string) string {
	switch category {
	case "mixing_service":
		return "mixer"
	case "bridge":
		return "bridge"
	}
	return "exchange"
}

func money(a *trace.Amount) []chain.Money {
	if a == nil {
		return nil
	}
	return []chain.Money{{Asset: a.Asset, Amount: a.Base}}
}

// pictureOfFindings draws a theft that was traced elsewhere: who holds what,
// without the way there.
func (c *Cases) pictureOfFindings(p *Picture, id string, t *theft) {
	for _, m := range t.told.Transfers {
		if base, err := chain.ParseBase(m.Amount); err == nil {
			p.Flows = append(p.Flows, PictureFlow{From: m.From, To: m.To, Money: chain.Money{Asset: m.Asset, Amount: base}, Tx: m.Tx, Time: m.Time})
		}
	}
	fs := c.findings[id]
	if fs == nil {
		return
	}
	for _, f := range fs.live {
		a := PictureAccount{Account: f.Account, Kind: string(f.Place), Label: f.Label, LabelSource: f.Source, Since: chain.TimeOf(f.Since)}
		switch f.Place {
		case stix.Exit:
			a.Kind = exitKind(f.Category)
		case stix.Incomplete, stix.Passed:
			p.Accounts = append(p.Accounts, a)
			continue
		}
		a.Amounts, a.Origin = exact(f.Amount), exact(f.Origin)
		p.Accounts = append(p.Accounts, a)
	}
	slices.SortFunc(p.Accounts, func(x, y PictureAccount) int { return x.Account.Compare(y.Account) })
}

func exact(a stix.Amount) []chain.Money {
	base, err := a.Exact()
	if err != nil || a.Asset == "" {
		return nil
	}
	return []chain.Money{{Asset: a.Asset, Amount: base}}
}
