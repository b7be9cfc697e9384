package explain

import (
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/trace"
)

// Confidence of a link by its rule.
func Confidence(rule trace.Rule) int {
	switch rule {
	case trace.RuleNone:
		return 100
	case trace.RulePosition:
		return 70 // the transfer is on the ledger, its place among others is not
	case trace.RuleOrder:
		return 50 // one of two orders
	case trace.RuleWithin:
		return 70 // an account cannot unwrap what it does not have; whether it had enough before is not asked
	}
	return 40 // known-first: which money was spent is not on the ledger
}

// Step is one transfer on the way from the theft to the account.
type Step struct {
	N          int           `json:"n"` // from 1
	Hop        int           `json:"hop"`
	Time       chain.Time    `json:"time"`
	Block      uint64        `json:"block"`
	Tx         string        `json:"tx"`
	From       chain.Account `json:"from,omitzero"`
	To         chain.Account `json:"to"`
	Stolen     trace.Amount  `json:"stolen"`          // the stolen part of the transfer
	Total      trace.Amount  `json:"total"`           // the whole transfer
	Drawn      []int         `json:"drawn,omitempty"` // the steps whose lots it drew on
	Basis      trace.Basis   `json:"basis"`
	Rule       trace.Rule    `json:"rule,omitempty"`
	NewRule    bool          `json:"inferred_here"`  // by a rule of the step's own, weaker than those before it
	Link       trace.Link    `json:"link,omitempty"` // the rule by which From turned what it had into another asset, at Via
	Via        chain.Account `json:"via,omitzero"`
	Confidence int           `json:"confidence"` // the lowest on the way so far
}

// Explanation is how stolen money came to lie on, end at or pass an account.
type Explanation struct {
	Theft   string             `json:"theft"`
	Title   string             `json:"title"`
	Account chain.Account      `json:"account"`
	Method  trace.Method       `json:"method"`
	Rests   []trace.Amount     `json:"rests"` // what lies there now; empty when it passed through; backward: what came from there
	Exits   []trace.Exit       `json:"exits,omitempty"`
	Stopped []trace.Unfollowed `json:"unfollowed,omitempty"`
	Lacking []trace.Incomplete `json:"incomplete,omitempty"`
	Steps   []Step             `json:"steps"` // in chain order
	Digest  string             `json:"digest"`

	Backward bool `json:"backward,omitempty"` // of a backward trace: the way from the account to the deposit
}

// Of explains what a run found on an account. theft may be empty when the run
// has one theft only. An account that no stolen money reached gives
// errs.NotExist.
func Of(run *trace.Run, theft string, account chain.Account) (*Explanation, error) {
	ids := thefts(run)
	if theft == "" && len(ids) == 1 {
		theft = ids[0]
	}
	if !slices.Contains(ids, theft) {
		return nil, errs.New("explain", errs.NotExist, theft, "the trace does not follow this theft", "name one that it follows")
	}
	x := &Explanation{Theft: theft, Account: account, Method: run.Result.Method, Digest: run.Result.Digest, Rests: []trace.Amount{}, Backward: run.Request.Backward}
	for _, t := range run.Request.Thefts {
		if t.ID == theft {
			x.Title = t.Title
		}
	}
	x.found(run)
	p := provenanceOf(run)
	if x.Backward {
		if x.origins(p); len(x.Steps) == 0 {
			return nil, errs.New("explain", errs.NotExist, account.String(), "nothing of this deposit is known to come from the account", "look at the trace's places: where going back stopped")
		}
		return x, nil
	}
	ends := x.ends(p)
	if len(ends) == 0 {
		return nil, errs.New("explain", errs.NotExist, account.String(), "no stolen money of this theft reached the account", "look at the trace's holdings")
	}
	x.number(p, p.behind(ends))
	x.lacks(run)
	return x, nil
}

func thefts(run *trace.Run) (out []string) {
	for _, t := range run.Request.Thefts {
		out = append(out, t.ID)
	}
	for _, s := range run.Request.Sources {
		out = append(out, s.Account.String())
	}
	return out
}

// ends are the flows that explain the account's finding: those of the lots that
// lie there; all that reached it where some did not stay, or was not followed.
func (x *Explanation) ends(p *provenance) (ends []int) {
	run := p.run
	for _, l := range run.Lots {
		if l.Account == x.Account && l.Theft == x.Theft {
			ends = append(ends, p.lot(l.Flow)...)
		}
	}
	if len(ends) == 0 || len(x.Stopped) > 0 {
		ends = nil
		for i := range run.Flows {
			if f := &run.Flows[i]; f.To == x.Account && f.Theft == x.Theft {
				ends = append(ends, i)
			}
		}
	}
	return ends
}

// found is what the result says of the account.
func (x *Explanation) found(run *trace.Run) {
	for _, h := range run.Result.Holdings { // by account, then asset
		switch n := len(x.Rests); {
		case h.Account != x.Account || h.Theft != x.Theft:
		case n > 0 && x.Rests[n-1].Asset == h.Asset:
			x.Rests[n-1] = run.Amount(h.Asset, x.Rests[n-1].Base.MustAdd(h.Base))
		default:
			x.Rests = append(x.Rests, h.Amount)
		}
	}
	for _, e := range run.Result.Exits {
		if e.Account == x.Account && e.Theft == x.Theft {
			x.Exits = append(x.Exits, e)
		}
	}
	for _, u := range run.Result.Unfollowed {
		if u.Account == x.Account && u.Theft == x.Theft {
			x.Stopped = append(x.Stopped, u)
		}
	}
	if x.Backward {
		x.Lacking = run.Result.Incomplete
	}
}

// lacks names what the ledger lacks of the account, and of those on the way
// whose spends went beyond what it knows.
func (x *Explanation) lacks(run *trace.Run) {
	for _, i := range run.Result.Incomplete {
		if i.Account == x.Account || slices.ContainsFunc(x.Steps, func(s Step) bool {
			return s.From == i.Account && s.Total.Asset == i.Missing.Asset && s.Rule == trace.RuleKnownFirst
		}) {
			x.Lacking = append(x.Lacking, i)
		}
	}
}

// origins lists the way from a place where going back stopped to the deposit:
// the transfers that left it, and what drew on them.
func (x *Explanation) origins(p *provenance) {
	x.number(p, p.ahead(func(f *trace.Flow) bool {
		return f.Theft == x.Theft && len(f.Parents) == 0 && (f.From == x.Account || f.From.IsZero() && f.To == x.Account)
	}))
}

// number writes flows down as steps.
func (x *Explanation) number(p *provenance, order []int) {
	run := p.run
	number := map[int]int{}
	for n, i := range order {
		number[i] = n + 1
		f := &run.Flows[i]
		s := Step{
			N: n + 1, Hop: f.Hop, Time: f.Time, Block: f.Block, Tx: f.Tx, From: f.From, To: f.To,
			Stolen: run.Amount(f.Asset, f.Amount), Total: run.Amount(f.Asset, f.Total), Basis: f.Basis, Rule: f.Rule,
			Link: f.Link, Via: f.Via, Confidence: Confidence(f.Rule), NewRule: f.Rule != trace.RuleNone,
		}
		for _, by := range p.drawn(i) {
			if number[by] == 0 {
				continue // of another origin
			}
			s.Drawn = append(s.Drawn, number[by])
			s.NewRule = s.NewRule && run.Flows[by].Rule != f.Rule
		}
		x.Steps = append(x.Steps, s)
	}
}
