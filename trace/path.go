package trace

import (
	"slices"

	"bongsu/chain"
)

// Measure is what makes one path better than another.
type Measure uint8

// The measures.
const (
	Shortest Measure = iota // the fewest transfers; among equals the widest
	Widest                  // the largest stolen amount that all its transfers carried; among equals the shortest
)

// reached is the best way to one flow.
type reached struct {
	hops  int // transfers so far; 0 is not reached
	width chain.Amount
	from  int // the flow before, -1 for the first
}

func (a reached) better(b reached, by Measure) bool {
	switch {
	case b.hops == 0:
		return a.hops > 0
	case a.hops == 0:
		return false
	}
	w := a.width.Cmp(b.width)
	if by == Widest {
		return w > 0 || w == 0 && a.hops < b.hops
	}
	return a.hops < b.hops || a.hops == b.hops && w > 0
}

// Path is the best way that stolen money took from one account to another, as
// indexes into Flows in order, and nil when there is none. The zero from is the
// theft itself. Every transfer of a path drew on a lot that the one before it
// brought; amounts of different assets are compared by their origin.
func (r *Run) Path(from, to chain.Account, by Measure) []int {
	best, end := make([]reached, len(r.Flows)), -1
	for i := range r.Flows {
		f := &r.Flows[i]
		width := f.Origin
		if r.Result.Method == Poison {
			width = f.Amount
		}
		if from.IsZero() && len(f.Parents) == 0 || !from.IsZero() && f.From == from {
			best[i] = reached{1, width, -1}
		}
		for _, p := range f.Parents {
			if b := best[p]; b.hops > 0 {
				if c := (reached{b.hops + 1, width.Min(b.width), p}); c.better(best[i], by) {
					best[i] = c
				}
			}
		}
		if f.To == to && best[i].hops > 0 && (end < 0 || best[i].better(best[end], by)) {
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
