package trace

import (
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// Measure is what makes one path better than another.
type Measure string

// The measures.
const (
	Shortest Measure = "shortest" // the fewest transfers, links aside; among equals the widest
	Widest   Measure = "widest"   // the largest stolen amount that all its transfers carried; among equals the shortest
)

// Way is the best way that stolen money took from one account to another.
type Way struct {
	By    Measure       `json:"by"`
	From  chain.Account `json:"from,omitzero"` // the zero: the theft itself
	To    chain.Account `json:"to"`
	Basis Basis         `json:"basis"`
	Width *Amount       `json:"width,omitempty"` // stolen money that all its transfers carried, in the stolen asset; nil with Poison
	Steps []WayStep     `json:"steps"`           // in order; never empty
}

// WayStep is one transfer of a Way.
type WayStep struct {
	Flow  int           `json:"flow"` // index into the run's flows
	Theft string        `json:"theft"`
	Time  chain.Time    `json:"time,omitzero"`
	Block uint64        `json:"block"`
	Tx    string        `json:"tx"`
	From  chain.Account `json:"from,omitzero"`
	To    chain.Account `json:"to,omitzero"`
	Amount
	Total Amount `json:"total"` // the whole transfer
	Basis Basis  `json:"basis"`
	Rule  Rule   `json:"rule,omitempty"`
	Link  Link   `json:"link,omitempty"` // From turned it into this asset
}

// Way describes the Path between two accounts; errs.NotExist when there is
// none.
func (r *Run) Way(from, to chain.Account, by Measure) (Way, error) {
	path := r.Path(from, to, by)
	if len(path) == 0 {
		start := "the theft"
		if !from.IsZero() {
			start = from.String()
		}
		return Way{}, errs.New("trace", errs.NotExist, to.String(), "no stolen money of this trace went there from "+start, "look at the trace's holdings, exits and unfollowed")
	}
	w := Way{By: by, From: from, To: to, Basis: Observed, Steps: []WayStep{}}
	width := r.width(path[0])
	for _, i := range path {
		f := &r.Flows[i]
		width = width.Min(r.width(i))
		if f.Basis == Inferred {
			w.Basis = Inferred
		}
		w.Steps = append(w.Steps, WayStep{
			Flow: i, Theft: f.Theft, Time: f.Time, Block: f.Block, Tx: f.Tx, From: f.From, To: f.To,
			Amount: r.Amount(f.Asset, f.Amount), Total: r.Amount(f.Asset, f.Total), Basis: f.Basis, Rule: f.Rule, Link: f.Link,
		})
	}
	if r.Result.Method != Poison {
		a := r.Amount(r.Flows[path[0]].OriginAsset, width)
		w.Width = &a
	}
	return w, nil
}

// width is how much stolen money a flow carried.
func (r *Run) width(i int) chain.Amount {
	if r.Result.Method == Poison {
		return r.Flows[i].Amount
	}
	return r.Flows[i].Origin
}

// Path is the best way that stolen money took from one account to another, as
// indexes into Flows in order, and nil when there is none. The zero from is the
// theft itself. Every transfer of a path drew on a lot that the one before it
// brought; amounts of different assets are compared by their origin.
func (r *Run) Path(from, to chain.Account, by Measure) []int {
	least := chain.Amount{}
	if by == Widest {
		least = r.widest(from, to)
	}
	return r.shortest(from, to, least)
}

// starts says whether a path from an account may begin with a flow.
func (f *Flow) starts(from chain.Account) bool {
	if from.IsZero() {
		return len(f.Parents) == 0
	}
	return f.From == from
}

// transfers is how many transfers between accounts a flow is: a link is none.
func (f *Flow) transfers() int {
	if f.Link != LinkNone {
		return 0
	}
	return 1
}

// widest is the width of the widest path.
func (r *Run) widest(from, to chain.Account) (most chain.Amount) {
	best := make([]chain.Amount, len(r.Flows)) // zero: not reached
	for i := range r.Flows {
		f := &r.Flows[i]
		if f.starts(from) {
			best[i] = r.width(i)
		}
		for _, p := range f.Parents {
			best[i] = highest(best[i], best[p].Min(r.width(i)))
		}
		if f.To == to {
			most = highest(most, best[i])
		}
	}
	return most
}

// reached is the best way to one flow.
type reached struct {
	hops  int // one more than the transfers so far, links not counted; 0 is not reached
	width chain.Amount
	from  int // the flow before, -1 for the first
}

func (a reached) better(b reached) bool {
	if a.hops == 0 || b.hops == 0 {
		return a.hops > b.hops
	}
	return a.hops < b.hops || a.hops == b.hops && b.width.Less(a.width)
}

// shortest is the shortest path over flows that carry at least as much.
func (r *Run) shortest(from, to chain.Account, least chain.Amount) []int {
	best, end := make([]reached, len(r.Flows)), -1
	for i := range r.Flows {
		f, width := &r.Flows[i], r.width(i)
		if width.Less(least) {
			continue
		}
		if f.starts(from) {
			best[i] = reached{1 + f.transfers(), width, -1}
		}
		for _, p := range f.Parents {
			if b := best[p]; b.hops > 0 {
				if c := (reached{b.hops + f.transfers(), width.Min(b.width), p}); c.better(best[i]) {
					best[i] = c
				}
			}
		}
		if f.To == to && best[i].hops > 0 && (end < 0 || best[i].better(best[end])) {
			end = i
		}
	}
	var out []int
	for i := end; i >= 0; i = best[i].from {
		out = append(out, i)
	}
	slices.Reverse(out)
	return out
}
