package ledger

import (
	"maps"
	"math"
	"slices"
)

// liveChain is the followed end of a chain. It is replaced, never changed.
type liveChain struct {
	blocks []BlockFact // ascending, not final ones and the last final one
	final  uint64
	known  bool // final is
}

// cut is the first block that is not final.
func (c *liveChain) cut() uint64 {
	for i := range c.blocks {
		if !c.known || c.blocks[i].Number > c.final {
			return c.blocks[i].Number
		}
	}
	return math.MaxUint64
}

func (h *head) extend(b *BlockFact) {
	id := RefOfChain(b.Chain)
	next := &liveChain{}
	if old := h.live[id]; old != nil {
		*next = *old
	}
	next.blocks = append(slices.Clip(next.blocks), *b)
	h.live = maps.Clone(h.live)
	h.live[id] = next
}

func (h *head) finalize(id ChainRef, number uint64) {
	next := &liveChain{}
	if old := h.live[id]; old != nil {
		*next = *old
	}
	if number > next.final || !next.known {
		next.final, next.known = number, true
	}
	// keep the last final block: the next one's parent is checked against it
	i := 0
	for i < len(next.blocks)-1 && next.blocks[i+1].Number <= next.final {
		i++
	}
	next.blocks = next.blocks[i:]
	h.live = maps.Clone(h.live)
	h.live[id] = next
}
