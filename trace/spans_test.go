package trace

import (
	"testing"

	"bongsu/chain"

	"pgregory.net/rapid"
)

// behind is pouring read the other way: the units of the inputs that it names
// for some units of the outputs are those that pouring puts there, and no
// others. Every unit is a lot of its own here.
func TestBehindIsPouringReadBackward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]Method{FIFO, LIFO}).Draw(t, "method")
		var p pouring
		var ins []chain.Amount
		var unit int32
		for range rapid.IntRange(1, 4).Draw(t, "inputs") {
			var lots []lot
			for range rapid.IntRange(0, 6).Draw(t, "value") {
				lots = append(lots, lot{amount: chain.Units(1), class: 1, flow: unit})
				unit++
			}
			p.in, ins = append(p.in, lots), append(ins, chain.Units(uint64(len(lots))))
		}
		p.missing = chain.Units(rapid.Uint64Range(0, 3).Draw(t, "missing"))
		left := sumAmounts(ins).MustAdd(p.missing)
		for range rapid.IntRange(1, 4).Draw(t, "outputs") {
			a := chain.Units(rapid.Uint64Range(0, 8).Draw(t, "out")).Min(left)
			left = left.MustSub(a)
			p.outs = append(p.outs, a)
		}
		p.fee = left
		want := make([]spans, len(p.outs)+1)
		for i, a := range append(p.outs[:len(p.outs):len(p.outs)], p.fee) {
			n, _ := a.Uint64()
			from := rapid.Uint64Range(0, n).Draw(t, "from")
			want[i].add(span{chain.Units(from), chain.Units(rapid.Uint64Range(from, n).Draw(t, "to"))})
		}
		got := map[int32]bool{}
		unit = 0
		for i, ss := range behind(m, ins, p.outs, want) {
			n, _ := ins[i].Uint64()
			for k := range n {
				got[unit] = covers(ss, k)
				unit++
			}
		}
		r := p.pour(m)
		for i, lots := range append(r.outs, r.fee) {
			var k uint64
			for _, l := range lots {
				n, _ := l.amount.Uint64()
				if l.tainted() && got[l.flow] != covers(want[i], k) {
					t.Fatalf("%s: unit %d is at %d of output %d, which is wanted: %v, and is named: %v", m, l.flow, k, i, covers(want[i], k), got[l.flow])
				}
				k += n
			}
		}
	})
}

func covers(ss spans, k uint64) bool {
	for _, s := range ss {
		if !chain.Units(k).Less(s.from) && chain.Units(k).Less(s.to) {
			return true
		}
	}
	return false
}
