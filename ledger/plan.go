package ledger

import "slices"

// The policy of merging. What is final gathers in the head and moves into
// segments when there is enough of it; what comes is merged with neighbours
// that are not much larger, so that the number of segments stays logarithmic
// and a row is written again once for each such growth; and a large segment is
// not written again for a few rows that fall into its range: those wait in the
// head until they are many, or the head has no room.
type policy struct {
	settle  int    // how much moves at least: rows, transactions, inputs and outputs
	full    int    // how much of it in the head has everything move
	overlap uint64 // a segment is written again for one row in so many of its own
	growth  uint64 // a neighbour is merged when it has at most so many times the rows that come
}

func (o *Options) policy() policy {
	p := policy{settle: 1 << 16, full: 1 << 18, overlap: 16, growth: 4}
	if o.settleAt > 0 {
		p.settle, p.full = o.settleAt, 4*o.settleAt
	}
	return p
}

// finalRows is how much the head holds that is final.
type finalRows struct {
	within map[*segment]int // in the range of a segment
	beside int              // outside of all
	all    int
}

// finalRows counts it by block: one of which a live block that is not final
// states something counts as not final.
func (h *head) finalRows() map[ChainRef]*finalRows {
	out := map[ChainRef]*finalRows{}
	for _, l := range h.layers {
		for i := range l.weights {
			w := &l.weights[i]
			if c := h.live[w.chain]; c != nil && max(w.at, w.live) >= c.cut() {
				continue
			}
			g := out[w.chain]
			if g == nil {
				g = &finalRows{within: map[*segment]int{}}
				out[w.chain] = g
			}
			g.all += w.n
			if s := h.below.segmentOf(w.chain, w.at); s != nil {
				g.within[s] += w.n
			} else {
				g.beside += w.n
			}
		}
	}
	return out
}

// worth says whether a segment should be written again for n rows.
func (p *policy) worth(s *segment, n int) bool { return uint64(n)*p.overlap >= s.weight() }

// weight is how much a segment holds: rows, transactions, inputs and outputs.
func (s *segmentInfo) weight() uint64 { return s.Rows + s.Txs + s.Inputs + s.Outputs }

// staying are the segments whose ranges the head's rows do not leave, because
// they are few.
func (h *head) staying(p policy) map[ChainRef][]*segment {
	out := map[ChainRef][]*segment{}
	all := h.finalRows()
	total := 0
	for _, g := range all {
		total += g.all
	}
	for id, list := range h.below.byChain {
		for _, s := range list {
			n := 0
			if g := all[id]; g != nil {
				n = g.within[s]
			}
			if total < p.full && !p.worth(s, n) {
				out[id] = append(out[id], s)
			}
		}
	}
	return out
}

// due says whether enough can move out of the head.
func (h *head) due(p policy) bool {
	moving, total := 0, 0
	for _, g := range h.finalRows() {
		moving += g.beside
		total += g.all
		for s, n := range g.within {
			if p.worth(s, n) {
				moving += n
			}
		}
	}
	return moving >= p.settle || total >= p.full
}

// plan is how what comes lies among the segments of a chain.
type plan struct {
	list   []*segment // by block
	take   []bool     // segments to be merged
	within []uint64   // rows that come into each
	beside []uint64   // rows that come between: before each, and after the last
	growth uint64
}

func newPlan(list []*segment, p policy) *plan {
	return &plan{list: list, take: make([]bool, len(list)), within: make([]uint64, len(list)), beside: make([]uint64, len(list)+1), growth: p.growth}
}

// block notes a block that comes from the head, and gives its rows.
func (p *plan) block(b *mergedBlock) (rows uint64) {
	weight := uint64(0)
	for i := range b.txs {
		rows += uint64(len(b.txs[i].moves))
		weight += 1 + uint64(len(b.txs[i].moves)+b.txs[i].coins.size())
	}
	p.between(b.state.number, b.state.number, weight)
	return rows
}

func (p *plan) run(r *runInfo) {
	if r.From <= r.To {
		p.between(r.From, r.To, r.Rows)
	}
}

// between notes rows that lie anywhere from one block to another.
func (p *plan) between(from, to, rows uint64) {
	i := slices.IndexFunc(p.list, func(s *segment) bool { return s.To >= from })
	if i < 0 {
		i = len(p.list)
	}
	end := i
	for end < len(p.list) && p.list[end].From <= to {
		end++
	}
	share := rows/uint64(2*(end-i)+1) + 1
	for k := i; k < end; k++ {
		p.take[k] = true
		p.within[k] += share
		if p.list[k].From > from {
			p.beside[k] += share
		}
	}
	if end == i || p.list[end-1].To < to {
		p.beside[end] += share
	}
}

// decide says which segments stay as they are and which are merged.
func (p *plan) decide() (kept, merged []*segment) {
	for again := true; again; {
		again = false
		for i, s := range p.list {
			if n := p.coming(i); !p.take[i] && n > 0 && s.weight() < maxSegmentRows/2 && s.weight() <= p.growth*n && s.weight()+n <= maxSegmentRows {
				p.take[i], again = true, true
			}
		}
	}
	for i, s := range p.list {
		if p.take[i] {
			merged = append(merged, s)
		} else {
			kept = append(kept, s)
		}
	}
	return kept, merged
}

// coming is how many rows are to be written beside segment i, up to the next
// segments that stay.
func (p *plan) coming(i int) uint64 {
	n := p.beside[i] + p.beside[i+1]
	for k := i - 1; k >= 0 && p.take[k]; k-- {
		n += p.list[k].weight() + p.within[k] + p.beside[k]
	}
	for k := i + 1; k < len(p.list) && p.take[k]; k++ {
		n += p.list[k].weight() + p.within[k] + p.beside[k+1]
	}
	return n
}
