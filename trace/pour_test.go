package trace

import (
	"slices"
	"testing"

	"bongsu/chain"

	"pgregory.net/rapid"
)

// Whatever comes in goes out, to the last unit, in value and in origin, and no
// output holds more taint than it is worth.
func TestPourConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pouring
		var in chain.Amount
		for range rapid.IntRange(1, 4).Draw(t, "inputs") {
			var lots []lot
			for range rapid.IntRange(0, 3).Draw(t, "lots") {
				l := lot{amount: chain.Units(rapid.Uint64Range(0, 40).Draw(t, "amount")), class: class(rapid.IntRange(0, 2).Draw(t, "class")), flow: -1}
				if l.tainted() && !l.amount.IsZero() {
					l.setOrigin(chain.Units(rapid.Uint64Range(0, 60).Draw(t, "origin")))
				}
				lots = append(lots, l)
			}
			p.in = append(p.in, lots)
			in = in.MustAdd(sumOf(lots))
		}
		left := in
		for range rapid.IntRange(1, 5).Draw(t, "outputs") {
			a := chain.Units(rapid.Uint64Range(0, 60).Draw(t, "value")).Min(left)
			left = left.MustSub(a)
			p.outs = append(p.outs, a)
		}
		p.fee = left
		for _, m := range []Method{FIFO, LIFO, Haircut, TIHO} {
			q := pouring{outs: p.outs, fee: p.fee, grouping: grouping{most: rapid.SampledFrom([]int{1, 3, mostRuns}).Draw(t, "runs")}}
			for _, lots := range p.in {
				q.in = append(q.in, slices.Clone(lots))
			}
			r := q.pour(m)
			checkPoured(t, m, &p, r)
		}
	})
}

func checkPoured(t *rapid.T, m Method, p *pouring, r poured) {
	type sums struct{ amount, origin chain.Amount }
	tally := func(all ...[]lot) map[class]sums {
		out := map[class]sums{}
		for _, lots := range all {
			for _, l := range lots {
				s := out[l.class]
				out[l.class] = sums{s.amount.MustAdd(l.amount), s.origin.MustAdd(l.origin())}
			}
		}
		return out
	}
	for i, a := range p.outs {
		if sumOf(r.outs[i]) != a {
			t.Fatalf("%s: output %d of %s got %s", m, i, a.Base(), sumOf(r.outs[i]).Base())
		}
	}
	if sumOf(r.fee) != p.fee {
		t.Fatalf("%s: fee of %s got %s", m, p.fee.Base(), sumOf(r.fee).Base())
	}
	in, out := tally(p.in...), tally(append(slices.Clone(r.outs), r.fee)...)
	for c, want := range in {
		if out[c] != want {
			t.Fatalf("%s: class %d: %+v in, %+v out", m, c, want, out[c])
		}
	}
}
