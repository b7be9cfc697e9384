package ledger

import (
	"maps"

	"bongsu/chain"
)

// head is what the head log says, merged: layers in memory over the segments.
// Its owner (Ledger.mu) serialises apply; views take slices of it that never
// change afterwards.
type head struct {
	names     *names
	below     *segments
	layers    []*layer // lowest first
	fence     int      // those below are not merged with those from here on
	loose     txTable
	looseTurn int    // how often loose changed
	looseTop  *layer // the loose ones where they stand now
	stale     bool   // looseTop must be built anew
	lastTime  chain.Time
	claims    map[ChainRef][]Claim
	registry  *chain.Registry
	live      map[ChainRef]*liveChain
	beside    bool // large layers are merged by a goroutine beside: see squashBeside
}

func newHead(nm *names, below *segments) *head {
	return &head{
		names: nm, below: below, looseTop: buildLayer(nil, nil, nil, nm),
		claims: maps.Clone(below.claims), registry: below.registry, live: maps.Clone(below.live),
	}
}

// apply merges a commit. dead says which live records a later rollback took
// back; those only name accounts.
func (h *head) apply(r *record, dead bool) (Stats, error) {
	switch r.kind {
	case recordFinal:
		h.finalize(RefOfChain(r.chain), r.number)
		return Stats{}, nil
	case recordRollback:
		return Stats{}, nil // the records it takes back were applied as dead
	}
	before := h.names.count()
	b := &batch{h: h, blocks: map[ChainRef]map[uint64]*blockState{}}
	if dead {
		b.nameOnly(r.facts)
		return Stats{}, nil
	}
	if r.kind == recordLive {
		b.live = &r.block
	}
	b.add(r.facts)
	if r.kind == recordLive {
		b.header(&r.block)
		b.claim(Claim{r.block.Chain, r.block.Number, r.block.Number, r.what})
		h.extend(&r.block)
	}
	if err := b.finish(); err != nil {
		return Stats{}, err
	}
	b.stats.Accounts = h.names.count() - before
	return b.stats, nil
}

func (h *head) find(name txName) *txState {
	if s := h.loose.get(&name); s != nil {
		return s
	}
	if name.id.IsZero() {
		return nil
	}
	for i := len(h.layers) - 1; i >= 0; i-- {
		if n, ok := h.layers[i].named(&name); ok {
			return h.layers[i].txs[n].txState
		}
	}
	return nil
}

// block is what is known of a block in all layers and segments.
func (h *head) block(id ChainRef, number uint64) (blockState, bool) {
	if s := h.blockAbove(id, number); s != nil {
		return *s, true
	}
	return h.below.block(id, number)
}

// blockAbove is what layers know of a block; nil when it is in none.
func (h *head) blockAbove(id ChainRef, number uint64) *blockState {
	for i := len(h.layers) - 1; i >= 0; i-- {
		if s := h.layers[i].block(id, number); s != nil {
			return s
		}
	}
	return nil
}
