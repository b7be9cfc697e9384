package ledger

import (
	"maps"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// maxLoose bounds the transactions that have no block or no id: they are kept
// in memory, because where they stand depends on the whole ledger.
const maxLoose = 4 << 20

// head is what the head log says, merged: layers in memory over the segments.
// Its owner (Ledger.mu) serialises apply; views take slices of it that never
// change afterwards.
type head struct {
	names    *names
	below    *segments
	layers   []*layer // lowest first
	loose    map[txName]*txState
	looseTop *layer // the loose ones where they stand now
	stale    bool   // looseTop must be built anew
	lastTime chain.Time
	claims   map[ChainRef][]Claim
	registry *chain.Registry
	live     map[ChainRef]*liveChain
	beside   bool // large layers are merged by a goroutine beside: see squashBeside
}

// liveChain is the followed end of a chain. It is replaced, never changed.
type liveChain struct {
	blocks []BlockFact // ascending, not final ones and the last final one
	final  uint64
	known  bool // final is
}

func newHead(nm *names, below *segments) *head {
	return &head{
		names: nm, below: below, loose: map[txName]*txState{}, looseTop: buildLayer(nil, nil, nil, nm),
		claims: maps.Clone(below.claims), registry: below.registry, live: maps.Clone(below.live),
	}
}

// batch gathers what one commit changes.
type batch struct {
	h      *head
	txs    map[txName]*txState
	blocks map[ChainRef]map[uint64]*blockState
	masks  []segmentTx
	live   *BlockFact // whose contents are being added; nil: it is no live block
	last   struct {   // block named last
		chain ChainRef
		state *blockState
	}
	stats Stats
	err   error
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
	b := &batch{h: h, txs: map[txName]*txState{}, blocks: map[ChainRef]map[uint64]*blockState{}}
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

// nameOnly gives out the references that the facts would have.
func (b *batch) nameOnly(f *Facts) {
	for i := range f.Transfers {
		t := &f.Transfers[i]
		b.h.names.account(t.From)
		b.h.names.account(t.To)
		b.h.names.asset(t.Asset)
	}
	for i := range f.UTXOs {
		coinsOf(&f.UTXOs[i], b.h.names.account)
	}
}

func (b *batch) add(f *Facts) {
	for i := range f.Transfers {
		b.transfer(&f.Transfers[i])
	}
	for i := range f.Txs {
		t := &f.Txs[i]
		at := chain.Time(0)
		if t.HasTime {
			at = t.Time
		}
		s := b.tx(txName{chain: RefOfChain(t.Chain), id: t.Tx})
		b.place(s, t.Block, t.Index, at)
		s.status = max(s.status, t.Status)
	}
	for i := range f.Blocks {
		b.header(&f.Blocks[i])
	}
	for _, n := range f.Notes {
		s := b.tx(txName{chain: RefOfChain(n.Chain), id: n.Tx})
		b.place(s, n.place(), chain.NoIndex, 0)
		s.note(n.placed())
	}
	for i := range f.UTXOs {
		u := &f.UTXOs[i]
		s := b.tx(txName{chain: RefOfChain(u.Chain), id: u.Tx})
		b.place(s, u.Block, u.Index, u.Time)
		s.coins = mergeCoins(s.coins, coinsOf(u, b.h.names.account), b.h.names)
	}
	for _, c := range f.Claims {
		b.claim(c)
	}
	b.assets(f.Assets)
}

func (b *batch) transfer(t *chain.Transfer) {
	nm := b.h.names
	m := movement{
		from: nm.account(t.From), to: nm.account(t.To), asset: nm.asset(t.Asset),
		nth: t.Nth, ordinal: t.Ordinal, row: t.Row, kind: t.Kind, amount: t.Amount,
	}
	name := txName{chain: RefOfChain(t.Chain), id: t.Tx}
	if t.Tx.IsZero() {
		name.alone, name.time = m, t.Time
		name.alone.ordinal, name.alone.row = 0, 0
	} else if t.Kind == chain.KindNative || t.Kind == chain.KindFee {
		m.nth = 0 // one for each transaction
	}
	s := b.tx(name)
	index, block := s.index, s.block
	b.place(s, t.Block, t.Index, t.Time)
	switch s.move(m) {
	case added:
		if s.status == StatusFailed && m.kind != chain.KindFee {
			b.stats.AlreadyThere++ // it was left out, and is again
			return
		}
		b.stats.Added++
	case improved:
		b.stats.AlreadyThere++
		b.stats.Improved++
	case there:
		b.stats.AlreadyThere++
		if s.index != index || s.block != block {
			b.stats.Improved++
		}
	}
}

// tx is the state of a transaction that this commit may change.
func (b *batch) tx(name txName) *txState {
	if s := b.txs[name]; s != nil {
		return s
	}
	s := b.h.find(name)
	switch {
	case s != nil:
		s = s.clone()
	case name.id.IsZero():
		s = newState(name)
	default:
		if in, n, ok := b.h.below.findTx(name); ok {
			state, err := in.adopt(n)
			if err != nil && b.err == nil {
				b.err = err
			}
			s = state
			b.masks = append(b.masks, segmentTx{in.number, n})
		}
		if s == nil {
			s = newState(name)
			b.stats.Txs++
		}
	}
	if b.live != nil && RefOfChain(b.live.Chain) == name.chain {
		s.live = max(s.live, b.live.Number)
	}
	b.txs[name] = s
	return s
}

// place merges evidence of where a transaction stands. A block that a source
// names is known from then on, though another may put the transaction into a
// lower one, and a time beside it is the block's.
func (b *batch) place(s *txState, block uint64, index uint32, at chain.Time) {
	if block != chain.NoBlock {
		if l := &b.last; l.state == nil || l.state.number != block || l.chain != s.name.chain {
			l.chain, l.state = s.name.chain, b.block(s.name.chain, block)
		}
		b.last.state.addRowTime(at)
		at = 0
	}
	s.place(block, index, at)
}

func (h *head) find(name txName) *txState {
	if len(h.loose) > 0 {
		if s := h.loose[name]; s != nil {
			return s
		}
	}
	if name.id.IsZero() {
		return nil
	}
	for i := len(h.layers) - 1; i >= 0; i-- {
		if n, ok := h.layers[i].byName[name.key()]; ok {
			return h.layers[i].txs[n].txState
		}
	}
	return nil
}

func (b *batch) header(f *BlockFact) { b.block(RefOfChain(f.Chain), f.Number).addHeader(f) }

func (b *batch) block(id ChainRef, number uint64) *blockState {
	m := b.blocks[id]
	if m == nil {
		m = map[uint64]*blockState{}
		b.blocks[id] = m
	}
	s := m[number]
	if s == nil {
		s = &blockState{number: number}
		if old, ok := b.h.block(id, number); ok {
			*s = old
		} else {
			b.stats.Blocks++
		}
		m[number] = s
	}
	return s
}

// block is what is known of a block in all layers and segments.
func (h *head) block(id ChainRef, number uint64) (blockState, bool) {
	for i := len(h.layers) - 1; i >= 0; i-- {
		if s := h.layers[i].block(id, number); s != nil {
			return *s, true
		}
	}
	return h.below.block(id, number)
}

func (b *batch) claim(c Claim) {
	if c.What != 0 {
		id := RefOfChain(c.Chain)
		b.h.claims = maps.Clone(b.h.claims) // views hold the old one
		b.h.claims[id] = addClaim(b.h.claims[id], c)
	}
}

func (b *batch) assets(infos []chain.AssetInfo) {
	if len(infos) == 0 {
		return
	}
	next := &chain.Registry{}
	for _, a := range b.h.registry.All() {
		next.Add(a) //nolint:errcheck // taken from a registry without conflicts
	}
	for _, a := range infos {
		if err := next.Add(a); err != nil && b.err == nil {
			b.err = err
		}
	}
	b.h.registry = next
}

// checkLoose refuses facts that would leave too much in memory for good.
func (h *head) checkLoose(f *Facts) error {
	n := len(h.loose)
	for i := range f.Transfers {
		if t := &f.Transfers[i]; t.Block == chain.NoBlock || t.Tx.IsZero() {
			n++
		}
	}
	if n > maxLoose {
		return errs.New("import", errs.Limit, "", "more than four million rows without a block or a transaction id",
			"import the blocks and transactions they belong to, or give their block in the file")
	}
	return nil
}

// finish puts the commit's transactions into a new layer, or among the loose.
func (b *batch) finish() error {
	if b.err != nil {
		return b.err
	}
	h := b.h
	var placed []layerTx
	for name, s := range b.txs {
		if s.block != chain.NoBlock {
			b.block(name.chain, s.block).addRowTime(s.time)
		}
		if s.block == chain.NoBlock || name.id.IsZero() {
			h.loose[name] = s
			h.stale = true
			continue
		}
		if _, was := h.loose[name]; was {
			delete(h.loose, name)
			h.stale = true
		}
		placed = append(placed, layerTx{txState: s, at: s.block})
	}
	var blocks []chainBlock
	for id, m := range b.blocks {
		for _, s := range m {
			blocks = append(blocks, chainBlock{id, *s})
			if old, ok := h.block(id, s.number); s.timed && s.time <= h.lastTime || ok && old.timed && old.time <= h.lastTime {
				h.stale = true // a loose row may now stand elsewhere
			}
		}
	}
	if len(placed)+len(blocks) > 0 {
		h.layers = append(slices.Clip(h.layers), buildLayer(placed, blocks, b.masks, h.names))
		h.squash()
	}
	return nil
}

// settle gives the loose rows their places when something has moved them.
func (h *head) settle() {
	if !h.stale {
		return
	}
	h.stale, h.lastTime = false, 0
	v := &view{layers: h.layers, below: h.below}
	txs := make([]layerTx, 0, len(h.loose))
	for _, s := range h.loose {
		t := layerTx{txState: s, at: s.block, when: s.time}
		if s.block != chain.NoBlock {
			t.when, _ = v.times(s.name.chain, s.block)
		} else {
			t.at, t.inferred = h.latestBlock(s.name.chain, s.time), true
			h.lastTime = max(h.lastTime, s.time)
		}
		txs = append(txs, t)
	}
	slices.SortFunc(txs, func(a, b layerTx) int { return compareNames(&a.name, &b.name) })
	h.looseTop = buildLayer(txs, nil, nil, h.names)
}

func compareNames(a, b *txName) int {
	if c := a.id.Compare(b.id); c != 0 {
		return c
	}
	if a.time != b.time {
		return int(max(-1, min(1, a.time-b.time)))
	}
	return a.alone.compareIdentity(&b.alone)
}

// latestBlock is the highest block of a chain whose known time is not after t,
// or 0.
func (h *head) latestBlock(id ChainRef, t chain.Time) uint64 {
	best := h.below.latestBlock(id, t, func(n uint64) bool { return h.overridden(id, n, len(h.layers)) })
	for i, l := range h.layers {
		list := l.blocks[id]
		for j := len(list) - 1; j >= 0 && list[j].number > best; j-- {
			if list[j].timed && list[j].time <= t && !h.overriddenAbove(id, list[j].number, i) {
				best = list[j].number
				break
			}
		}
	}
	return best
}

func (h *head) overridden(id ChainRef, number uint64, n int) bool {
	return slices.ContainsFunc(h.layers[:n], func(l *layer) bool { return l.block(id, number) != nil })
}

func (h *head) overriddenAbove(id ChainRef, number uint64, i int) bool {
	return slices.ContainsFunc(h.layers[i+1:], func(l *layer) bool { return l.block(id, number) != nil })
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
