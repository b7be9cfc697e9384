package trace_test

import (
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/trace"

	"pgregory.net/rapid"
)

// Every path there is, one by one: a path is flows of which each drew on a lot
// that the one before it brought.
func paths(run *trace.Run, from, to chain.Account, found func(path []int)) {
	next := make([][]int, len(run.Flows))
	for i, f := range run.Flows {
		for _, p := range f.Parents {
			next[p] = append(next[p], i)
		}
	}
	var walk func(path []int)
	walk = func(path []int) {
		last := path[len(path)-1]
		if run.Flows[last].To == to {
			found(path)
		}
		for _, i := range next[last] {
			walk(append(path[:len(path):len(path)], i))
		}
	}
	for i, f := range run.Flows {
		if from.IsZero() && len(f.Parents) == 0 || !from.IsZero() && f.From == from {
			walk([]int{i})
		}
	}
}

// The shortest and the widest path are those of all paths, and ties fall as
// they should.
func TestPathsAreTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		if len(h.thefts) == 0 {
			return
		}
		run := followed(t, h, trace.Request{Method: rapid.SampledFrom(trace.Methods()).Draw(t, "method")})
		if len(run.Flows) > 25 {
			return // too many paths to list
		}
		from, to := chain.Account{}, person(rapid.IntRange(0, people-1).Draw(t, "to"))
		if rapid.Bool().Draw(t, "between") {
			from = person(rapid.IntRange(0, people-1).Draw(t, "from"))
		}
		width := func(path []int) (w chain.Amount) {
			for n, i := range path {
				v := run.Flows[i].Origin
				if run.Result.Method == trace.Poison {
					v = run.Flows[i].Amount
				}
				if n == 0 || v.Less(w) {
					w = v
				}
			}
			return w
		}
		hops := func(path []int) (n int) {
			for _, i := range path {
				if run.Flows[i].Link == trace.LinkNone {
					n++
				}
			}
			return n
		}
		var short, wide []int
		paths(run, from, to, func(p []int) {
			if short == nil || hops(p) < hops(short) || hops(p) == hops(short) && width(short).Less(width(p)) {
				short = slices.Clone(p)
			}
			if c := width(p).Cmp(width(wide)); wide == nil || c > 0 || c == 0 && hops(p) < hops(wide) {
				wide = slices.Clone(p)
			}
		})
		for by, want := range map[trace.Measure][]int{trace.Shortest: short, trace.Widest: wide} {
			got := run.Path(from, to, by)
			if (got == nil) != (want == nil) || hops(got) != hops(want) || width(got) != width(want) {
				t.Fatalf("%s from %s to %s: %v, want one like %v", by, from, to, got, want)
			}
			way, err := run.Way(from, to, by)
			if len(want) == 0 {
				if errs.Is(err) != errs.NotExist {
					t.Fatalf("no path: %v", err)
				}
				continue
			}
			if err != nil || len(way.Steps) != len(got) || way.Steps[len(got)-1].To != to {
				t.Fatalf("%+v %v", way, err)
			}
		}
	})
}
