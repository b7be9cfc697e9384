package explain

import (
	"slices"

	"bongsu/chain"
	"bongsu/trace"
)

// provenance tells which transfers brought the lots that a transfer drew on.
// Haircut keeps neighbouring lots of one kind in a book as one, which names the
// oldest of the transfers behind it. Every spend draws on all of them, so what
// came to the book between the oldest and the spend is behind it, too.
type provenance struct {
	run  *trace.Run
	came map[lotKind][]int // with haircut: flows by the lots that they became, in order
}

// lotKind is what lots of one book have in common that haircut keeps as one.
type lotKind struct {
	account       chain.Account
	asset, origin chain.Asset
	theft         string
	rule          trace.Rule
}

func provenanceOf(run *trace.Run) *provenance {
	p := &provenance{run: run}
	if run.Result.Method != trace.Haircut {
		return p
	}
	p.came = map[lotKind][]int{}
	for i := range run.Flows {
		if f := &run.Flows[i]; !f.To.IsZero() && !f.To.Chain().UTXO() { // where each output is a book of its own
			p.came[kindOf(f)] = append(p.came[kindOf(f)], i)
		}
	}
	return p
}

func kindOf(f *trace.Flow) lotKind { return lotKind{f.To, f.Asset, f.OriginAsset, f.Theft, f.Rule} }

// mostDrawn is how many transfers a step names of those that one lot came by; of
// more it names the oldest alone. Steps are written for all of them.
const mostDrawn = 1000

// drawn are the flows behind a flow, in order.
func (p *provenance) drawn(flow int) []int {
	parents := p.run.Flows[flow].Parents
	if p.came == nil {
		return parents
	}
	out := slices.Clone(parents)
	for _, i := range parents {
		if came := p.kept(i, flow); len(came) <= mostDrawn {
			out = append(out, came...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// kept are the flows that may be one lot with what a flow brought, itself and
// those up to another flow.
func (p *provenance) kept(flow, before int) []int {
	came := p.came[kindOf(&p.run.Flows[flow])]
	from, _ := slices.BinarySearch(came, flow)
	to, _ := slices.BinarySearch(came, before)
	return came[from:to]
}

// lot are the flows that brought a lot which still lies where a flow brought it.
func (p *provenance) lot(flow int) []int {
	if p.came == nil {
		return []int{flow}
	}
	if kept := p.kept(flow, len(p.run.Flows)); len(kept) > 0 {
		return kept
	}
	return []int{flow} // of a UTXO chain
}

// behind are all flows behind some, these included, in order.
func (p *provenance) behind(ends []int) (all []int) {
	need := make([]bool, len(p.run.Flows))
	mark := func(flows []int) {
		for _, i := range flows {
			need[i] = true
		}
	}
	mark(ends)
	marked := map[lotKind]int{} // from this flow on, as far as those that remain can ask
	for i := len(need) - 1; i >= 0; i-- {
		if !need[i] {
			continue
		}
		all = append(all, i)
		parents := p.run.Flows[i].Parents
		mark(parents)
		for _, by := range parents {
			if p.came == nil {
				break
			}
			k, to := kindOf(&p.run.Flows[by]), i
			if m, ok := marked[k]; ok {
				to = min(to, m)
			}
			if by < to {
				mark(p.kept(by, to))
				marked[k] = by
			}
		}
	}
	slices.Reverse(all)
	return all
}

// ahead are all flows that rest on some that begin a way, these included, in
// order.
func (p *provenance) ahead(begins func(*trace.Flow) bool) (all []int) {
	need := make([]bool, len(p.run.Flows))
	last := map[lotKind]int{} // the latest flow that rests on them
	for i := range p.run.Flows {
		f := &p.run.Flows[i]
		need[i] = begins(f)
		for _, by := range f.Parents {
			need[i] = need[i] || need[by]
			if k := kindOf(&p.run.Flows[by]); p.came[k] != nil {
				at, ok := last[k]
				need[i] = need[i] || ok && at >= by
			}
		}
		if need[i] {
			all = append(all, i)
			last[kindOf(f)] = i
		}
	}
	return all
}
