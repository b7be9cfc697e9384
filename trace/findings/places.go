package findings

import (
	"cmp"
	"slices"
	"time"

	"bongsu/chain"
	"bongsu/stix"
	"bongsu/trace"
)

// All lists a run's findings, by theft, account, asset and place, without
// author and time. Where a result tells more apart than a finding does (an
// observed and an inferred holding of one asset on one account), the finding
// states the better known part: final and observed, else provisional and
// observed, else inferred.
func All(run *trace.Run) []stix.Finding {
	g := gathering{byKey: map[findingKey]*entry{}, run: run}
	res := &run.Result
	for _, h := range res.Holdings {
		g.add(stix.Finding{
			Theft: h.Theft, Place: stix.Holding, Account: h.Account, Basis: string(h.Basis), Rule: string(h.Rule),
			Provisional: h.Provisional, Since: std(h.Since),
		}, h.Amount, h.Origin)
	}
	for _, x := range res.Exits {
		g.add(stix.Finding{
			Theft: x.Theft, Place: stix.Exit, Account: x.Account, Basis: string(x.Basis), Rule: string(x.Rule), Provisional: x.Provisional,
			Since: std(x.First), First: std(x.First), Last: std(x.Last), Label: x.Label, Category: x.Category, Source: x.Source,
		}, x.Amount, x.Origin)
	}
	for _, u := range res.Unfollowed {
		g.add(stix.Finding{
			Theft: u.Theft, Place: stix.Unfollowed, Account: u.Account, Basis: string(u.Basis), Rule: string(u.Rule),
			Provisional: u.Provisional, Since: std(u.Since), Reason: string(u.Reason),
		}, u.Amount, u.Origin)
	}
	arrivals := arrivalsOf(run)
	g.incomplete(res, arrivals)
	g.passed(arrivals)
	return g.list()
}

func std(t chain.Time) time.Time { return t.Std() }

type findingKey struct {
	theft   string
	account chain.Account
	asset   chain.Asset
	place   stix.Place
}

// entry is the best known group of rows of one finding.
type entry struct {
	f      stix.Finding
	rank   int
	amount trace.Amount
	origin *trace.Amount
}

type gathering struct {
	byKey map[findingKey]*entry
	run   *trace.Run
}

// rank orders what is known: higher is better.
func rank(f *stix.Finding) int {
	switch {
	case f.Basis == stix.Observed && !f.Provisional:
		return 2
	case f.Basis == stix.Observed:
		return 1
	}
	return 0
}

func (g *gathering) add(f stix.Finding, a trace.Amount, o *trace.Amount) {
	f.Trace = g.run.Result.Digest
	k := findingKey{f.Theft, f.Account, a.Asset, f.Place}
	e := g.byKey[k]
	switch r := rank(&f); {
	case e == nil || r > e.rank:
		if o != nil {
			c := *o
			o = &c
		}
		g.byKey[k] = &entry{f: f, rank: r, amount: a, origin: o}
	case r == e.rank:
		e.join(g.run, &f, a, o)
	}
}

// join adds a row of the same rank. Origins of several stolen assets cannot be
// summed: the first by name stays.
func (e *entry) join(run *trace.Run, f *stix.Finding, a trace.Amount, o *trace.Amount) {
	e.amount = plus(run, e.amount, a)
	switch {
	case o == nil || e.origin == nil:
	case o.Asset == e.origin.Asset:
		sum := plus(run, *e.origin, *o)
		e.origin = &sum
	case o.Asset < e.origin.Asset:
		c := *o
		e.origin = &c
	}
	if f.Since.Before(e.f.Since) {
		e.f.Since = f.Since
	}
	if f.First.Before(e.f.First) {
		e.f.First = f.First
	}
	if f.Last.After(e.f.Last) {
		e.f.Last = f.Last
	}
	e.f.Provisional = e.f.Provisional || f.Provisional
}

func (g *gathering) list() []stix.Finding {
	out := make([]stix.Finding, 0, len(g.byKey))
	for _, e := range g.byKey {
		f := e.f
		f.Amount, f.Origin = amount(e.amount), origin(e.origin)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b stix.Finding) int {
		return cmp.Or(cmp.Compare(a.Theft, b.Theft), a.Account.Compare(b.Account), cmp.Compare(a.Amount.Asset, b.Amount.Asset), cmp.Compare(a.Place, b.Place))
	})
	return out
}

// arrival is what of a theft's taint came to an account in one asset.
type arrival struct {
	theft       string
	account     chain.Account
	asset       chain.Asset
	amount      chain.Amount
	first, last chain.Time
	basis       trace.Basis
	rule        trace.Rule
}

// arrivalsOf sums the flows by where they went, in order of first arrival.
func arrivalsOf(run *trace.Run) []*arrival {
	type key struct {
		theft   string
		account chain.Account
		asset   chain.Asset
	}
	by := map[key]*arrival{}
	var out []*arrival
	for i := range run.Flows {
		f := &run.Flows[i]
		if f.To.IsZero() {
			continue
		}
		k := key{f.Theft, f.To, f.Asset}
		a := by[k]
		if a == nil {
			a = &arrival{theft: f.Theft, account: f.To, asset: f.Asset, first: f.Time, basis: f.Basis, rule: f.Rule}
			by[k], out = a, append(out, a)
		}
		a.amount, _ = a.amount.Add(f.Amount) // what circulates may pass often; a sum beyond 2^256 is cut
		a.last = max(a.last, f.Time)
		if f.Basis == trace.Observed {
			a.basis, a.rule = trace.Observed, trace.RuleNone
		}
	}
	return out
}

// incomplete says for every theft whose money reached the book that it spent
// more than the ledger knows. Nothing of that is proven: it is inferred.
func (g *gathering) incomplete(res *trace.Result, arrivals []*arrival) {
	for _, x := range res.Incomplete {
		for _, a := range arrivals {
			if a.account == x.Account && a.asset == x.Missing.Asset {
				g.add(stix.Finding{
					Theft: a.theft, Place: stix.Incomplete, Account: x.Account, Basis: stix.Inferred, Rule: string(trace.RuleKnownFirst),
					Since: std(a.first), First: std(a.first), Last: std(a.last),
				}, x.Missing, nil)
			}
		}
	}
}

// passed names accounts that stolen money went through and left.
func (g *gathering) passed(arrivals []*arrival) {
	for _, a := range arrivals {
		k := findingKey{theft: a.theft, account: a.account, asset: a.asset}
		rests := false
		for _, p := range []stix.Place{stix.Holding, stix.Exit, stix.Unfollowed} {
			k.place = p
			rests = rests || g.byKey[k] != nil
		}
		if rests {
			continue
		}
		g.add(stix.Finding{
			Theft: a.theft, Place: stix.Passed, Account: a.account, Basis: string(a.basis), Rule: string(a.rule),
			Since: std(a.first), First: std(a.first), Last: std(a.last),
		}, g.run.Amount(a.asset, a.amount), nil)
	}
}
