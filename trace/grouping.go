package trace

import "slices"

// mostRuns is how many runs of like lots a haircut keeps in order. Where fewer
// come by turns, every amount is that of the lots in the order in which they
// came; each run more costs every spend a flow.
const mostRuns = 64

// grouping bounds the lots that a haircut draws on. Lots that come by turns (of
// two thefts, observed and inferred, of several hops under a bound on them)
// would each give a part to every later spend and be as many lots of its
// receiver, without an end. When they lie in too many runs they are put together
// by kind.
//
// Whether and how depends on the order of the lots alone, and not on which of
// them are final: a trace that goes on live does as one in a batch.
type grouping struct {
	hops bool // lots of different hops stay apart: a bound asks for them
	most int  // runs that stay as they are
}

// grouping is that of the request.
func (q *Request) grouping() grouping {
	g := grouping{hops: q.Bounds.MaxHops > 0, most: mostRuns}
	if q.runs > 0 {
		g.most = q.runs
	}
	return g
}

// lotKind is what a result or a bound tells lots of one book by.
type lotKind struct {
	class class
	hop   uint16
	rule  ruleCode
}

func (g grouping) kind(l *lot) lotKind {
	k := lotKind{class: l.class, rule: l.rule}
	if g.hops {
		k.hop = l.hop
	}
	return k
}

// runs counts the runs of neighbouring lots of one kind.
func (g grouping) runs(lots []lot) (n int) {
	for i := range lots {
		if i == 0 || g.kind(&lots[i]) != g.kind(&lots[i-1]) {
			n++
		}
	}
	return n
}

// group puts lots of one kind together when they lie in too many runs, in the
// order of the first of each kind and of the lots in it, and says whether it
// did.
func (g grouping) group(lots []lot) bool {
	if len(lots) <= g.most || g.runs(lots) <= g.most {
		return false
	}
	first := make(map[lotKind]int)
	for i := range lots {
		if k := g.kind(&lots[i]); first[k] == 0 {
			first[k] = 1 + len(first)
		}
	}
	slices.SortStableFunc(lots, func(l, m lot) int { return first[g.kind(&l)] - first[g.kind(&m)] })
	return true
}
