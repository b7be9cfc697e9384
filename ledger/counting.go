package ledger

import (
	"context"
	"slices"

	"bongsu/chain"
)

func (v *view) Coverage(_ context.Context, id chain.ID) (_ Coverage, err error) {
	defer v.guard(&err)
	if err := checkChain(id); err != nil {
		return Coverage{}, err
	}
	v.counted.mu.Lock()
	defer v.counted.mu.Unlock()
	c, ok := v.counted.m[id]
	if !ok {
		c = v.count(id)
		v.counted.m[id] = c
	}
	c.Ranges, c.Gaps = slices.Clone(c.Ranges), slices.Clone(c.Gaps)
	return c, nil
}

// count adds up what is in the layers and the segments' own counts.
func (v *view) count(id chain.ID) Coverage {
	ref := RefOfChain(id)
	c := counting{Coverage: Coverage{Chain: id}}
	v.below.count(v, ref, &c)
	for i, l := range v.layers {
		for _, b := range l.blocks[ref] {
			c.block(b.number)
			if b.timed && !v.overridden(ref, b.number, i) {
				c.time(b.time)
			}
		}
		for n := range l.txs {
			t := &l.txs[n]
			if t.name.chain == ref && !v.hidden(i, &t.name) {
				v.countTx(i, int32(n), &c)
			}
		}
	}
	for _, claim := range v.claims[ref] {
		c.block(claim.From)
		c.block(claim.To)
	}
	if l := v.live[ref]; l != nil {
		c.Final = l.final
	}
	return c.finish(v.claims[ref])
}

// overridden says whether a layer over the i-th holds the block.
func (v *view) overridden(id ChainRef, number uint64, i int) bool {
	for _, l := range v.layers[i+1:] {
		if l.block(id, number) != nil {
			return true
		}
	}
	return false
}

func (v *view) countTx(layer int, n int32, c *counting) {
	l := v.layers[layer]
	t := &l.txs[n]
	if !t.name.id.IsZero() {
		c.Txs++
	}
	if len(t.notes) > 0 {
		c.Noted++
	}
	rows := uint64(len(l.rowsOf(n)))
	c.Rows += rows
	if t.inferred {
		c.Unplaced += rows
		c.time(t.time)
		return
	}
	if _, own := v.times(t.name.chain, t.at); !own {
		c.Untimed += rows
	}
}

// counting gathers a Coverage.
type counting struct {
	Coverage
	any, timed bool
}

func (c *counting) block(n uint64) {
	if !c.any || n < c.FirstBlock {
		c.FirstBlock = n
	}
	c.LastBlock, c.any = max(c.LastBlock, n), true
}

func (c *counting) time(t chain.Time) {
	if t == 0 {
		return
	}
	if !c.timed || t < c.FirstTime {
		c.FirstTime = t
	}
	c.LastTime, c.timed = max(c.LastTime, t), true
}

func (c *counting) finish(claims []Claim) Coverage {
	if !c.any {
		c.Empty = c.Rows == 0 && c.Txs == 0
		return c.Coverage
	}
	c.Ranges = cutRanges(claims, c.FirstBlock, c.LastBlock)
	for _, r := range c.Ranges {
		if r.What == 0 {
			c.Gaps = append(c.Gaps, r)
		}
	}
	return c.Coverage
}
