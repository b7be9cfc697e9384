package ledger

import (
	"maps"
	"slices"

	"bongsu/chain"
)

// batch gathers what one commit changes.
type batch struct {
	h      *head
	txs    txTable
	blocks map[ChainRef]map[uint64]*blockState
	masks  []segmentTx
	live   *BlockFact // whose contents are being added; nil: it is no live block
	hides  bool       // something of it was in a layer
	last   struct {   // block named last
		chain ChainRef
		state *blockState
	}
	stats Stats
	err   error
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
	m := newMovement(t, nm.account(t.From), nm.account(t.To), nm.asset(t.Asset))
	s := b.tx(nameOf(t, m))
	index, block := s.index, s.block
	b.place(s, t.Block, t.Index, t.Time)
	switch s.move(*m) {
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

// newMovement is a transfer between accounts with these references.
func newMovement(t *chain.Transfer, from, to AccountRef, asset AssetRef) *movement {
	m := &movement{from: from, to: to, asset: asset, nth: t.Nth, ordinal: t.Ordinal, row: t.Row, kind: t.Kind, amount: t.Amount}
	if !t.Tx.IsZero() && (t.Kind == chain.KindNative || t.Kind == chain.KindFee) {
		m.nth = 0 // one for each transaction
	}
	return m
}

// nameOf is the name of the transaction of a transfer, which is m.
func nameOf(t *chain.Transfer, m *movement) txName {
	name := txName{chain: RefOfChain(t.Chain), id: t.Tx}
	if t.Tx.IsZero() {
		name.alone = &aloneName{*m, t.Time}
		name.alone.ordinal, name.alone.row = 0, 0
	}
	return name
}

// tx is the state of a transaction that this commit may change.
func (b *batch) tx(name txName) *txState {
	if s := b.txs.get(&name); s != nil {
		return s
	}
	s := b.h.find(name)
	switch {
	case s != nil:
		s, b.hides = s.clone(), true
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
	b.txs.put(s)
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
		if old := b.h.blockAbove(id, number); old != nil {
			*s, b.hides = *old, true
		} else if old, ok := b.h.below.block(id, number); ok {
			*s = old
		} else {
			b.stats.Blocks++
		}
		m[number] = s
	}
	return s
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

// finish puts the commit's transactions into a new layer, or among the loose.
func (b *batch) finish() error {
	if b.err != nil {
		return b.err
	}
	h := b.h
	var placed []layerTx
	for s := range b.txs.all {
		name := &s.name
		if s.block != chain.NoBlock {
			b.block(name.chain, s.block).addRowTime(s.time)
		}
		if s.block == chain.NoBlock || name.id.IsZero() {
			h.loose.put(s)
			h.stale = true
			h.looseTurn++
			continue
		}
		if h.loose.remove(name) {
			h.stale = true
			h.looseTurn++
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
		l := buildLayer(placed, blocks, b.masks, h.names)
		l.hides = b.hides
		h.layers = append(slices.Clip(h.layers), l)
		h.squash()
	}
	return nil
}
