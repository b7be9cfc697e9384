package ledger

import (
	"cmp"
	"encoding/binary"
	"slices"

	"bongsu/chain"
)

// layer holds some transactions and blocks in memory, in chain order. Layers
// lie over one another and over the segments: a transaction or a block in a
// layer stands for all of it, and hides what lies below. Nothing in a layer
// changes once it is built, so readers need no lock.
type layer struct {
	txs      []layerTx // by chain, block, index
	index    layerIndex
	rows     []layerRow             // chain, then chain order
	txRows   []int32                // of each transaction, as indices into rows
	txRowAt  []int32                // where those of each transaction begin in txRows, and their end
	accounts map[AccountRef][]int32 // ascending indices into rows
	blocks   map[ChainRef][]blockState
	spends   []layerSpend // by spent output
	outputs  map[AccountRef][]layerOutput
	weights  []blockWeight // by chain and block
	masks    []segmentTx   // transactions of segments that this layer stands for
	hides    bool          // a layer below may hold something of what it holds
}

// blockWeight is how much of a block a layer holds: rows, transactions, inputs
// and outputs.
type blockWeight struct {
	chain ChainRef
	at    uint64
	live  uint64 // the highest live block that states one of the transactions
	n     int
}

type layerTx struct {
	*txState
	at       uint64 // its block, or the one inferred
	inferred bool
	when     chain.Time // orders loose ones inside a block; placed ones of one block have one time
}

// position is its index in the block; none in a block that was inferred.
func (t *layerTx) position() uint32 {
	if t.inferred {
		return chain.NoIndex
	}
	return t.index
}

type layerRow struct {
	tx, move int32
	rank     uint32
}

type layerOutput struct {
	tx     int32
	output uint32
}

// segmentTx names a transaction of a segment.
type segmentTx struct {
	segment uint64
	tx      uint32
}

// buildLayer puts transactions and blocks into a layer. nm resolves names
// where two rows tie in everything else.
func buildLayer(txs []layerTx, blocks []chainBlock, masks []segmentTx, nm *names) *layer {
	slices.SortStableFunc(txs, compareTxPlaces)
	l := &layer{
		txs: txs, index: newLayerIndex(txs), accounts: map[AccountRef][]int32{}, blocks: map[ChainRef][]blockState{}, masks: masks,
	}
	for i := range txs {
		for m := range txs[i].moves {
			if txs[i].status == StatusFailed && txs[i].moves[m].kind != chain.KindFee {
				l.touch(&txs[i].moves[m])
				continue
			}
			l.rows = append(l.rows, layerRow{tx: int32(i), move: int32(m)})
		}
		l.indexCoins(int32(i))
		l.weigh(&txs[i])
	}
	slices.SortFunc(l.rows, func(a, b layerRow) int { return l.compareRows(a, b, nm) })
	l.indexRows()
	l.sortSpends()
	for _, b := range blocks {
		l.blocks[b.chain] = append(l.blocks[b.chain], b.blockState)
	}
	for _, list := range l.blocks {
		slices.SortFunc(list, func(a, b blockState) int { return cmp.Compare(a.number, b.number) })
	}
	return l
}

// weigh counts the next transaction.
func (l *layer) weigh(t *layerTx) {
	last := len(l.weights) - 1
	if last < 0 || l.weights[last].chain != t.name.chain || l.weights[last].at != t.at {
		l.weights = append(l.weights, blockWeight{chain: t.name.chain, at: t.at})
		last++
	}
	w := &l.weights[last]
	w.live, w.n = max(w.live, t.live), w.n+1+len(t.moves)+t.coins.size()
}

// touch notes that the layer says something of both accounts, if only that a
// row of a segment does not count.
func (l *layer) touch(m *movement) {
	for _, a := range [2]AccountRef{m.from, m.to} {
		if _, ok := l.accounts[a]; !ok {
			l.accounts[a] = nil
		}
	}
}

type chainBlock struct {
	chain ChainRef
	blockState
}

// rowsOf are the rows of a transaction, as indices into rows.
func (l *layer) rowsOf(tx int32) []int32 { return l.txRows[l.txRowAt[tx]:l.txRowAt[tx+1]] }

func (l *layer) indexRows() {
	l.txRows, l.txRowAt = make([]int32, len(l.rows)), make([]int32, len(l.txs)+2)
	for i := range l.rows {
		l.txRowAt[l.rows[i].tx+2]++
	}
	for i := range l.txs {
		l.txRowAt[i+2] += l.txRowAt[i+1]
	}
	for i := range l.rows {
		r := &l.rows[i]
		if i > 0 && l.sameButRank(l.rows[i-1], *r) {
			r.rank = l.rows[i-1].rank + 1
		}
		at := &l.txRowAt[r.tx+1] // where the next goes; in the end, where they end
		l.txRows[*at] = int32(i)
		*at++
		m := &l.txs[r.tx].moves[r.move]
		if m.from != 0 {
			l.accounts[m.from] = append(l.accounts[m.from], int32(i))
		}
		if m.to != 0 && m.to != m.from {
			l.accounts[m.to] = append(l.accounts[m.to], int32(i))
		}
	}
}

// compareRows is chain.Transfer.Compare, chains first.
func (l *layer) compareRows(a, b layerRow, nm *names) int {
	x, y := &l.txs[a.tx], &l.txs[b.tx]
	p, q := &x.moves[a.move], &y.moves[b.move]
	if c := cmp.Or(cmp.Compare(x.name.chain, y.name.chain), cmp.Compare(x.at, y.at), cmp.Compare(x.position(), y.position())); c != 0 {
		return c
	}
	if x.position() == chain.NoIndex {
		if c := cmp.Compare(x.when, y.when); c != 0 {
			return c
		}
	}
	if c := cmp.Or(x.name.id.Compare(y.name.id), cmp.Compare(p.kind, q.kind), cmp.Compare(p.ordinal, q.ordinal), cmp.Compare(p.row, q.row)); c != 0 {
		return c
	}
	return compareContent(p, q, nm)
}

func compareContent(p, q *movement, nm *names) int {
	if p.from == q.from && p.to == q.to && p.asset == q.asset {
		return cmp.Or(p.amount.Cmp(q.amount), cmp.Compare(p.nth, q.nth))
	}
	who := nm.accountNames([]AccountRef{p.from, q.from, p.to, q.to})
	what := nm.assetNames([]AssetRef{p.asset, q.asset})
	return cmp.Or(who[0].Compare(who[1]), who[2].Compare(who[3]), cmp.Compare(what[0], what[1]),
		p.amount.Cmp(q.amount), cmp.Compare(p.nth, q.nth))
}

func (l *layer) sameButRank(a, b layerRow) bool {
	x, y := &l.txs[a.tx], &l.txs[b.tx]
	p, q := &x.moves[a.move], &y.moves[b.move]
	return x.name.chain == y.name.chain && x.at == y.at && x.position() == y.position() && x.when == y.when &&
		txPrefix(x.name.id) == txPrefix(y.name.id) && txNext(x.name.id) == txNext(y.name.id) && p.kind == q.kind && p.ordinal == q.ordinal && p.row == q.row
}

// txNext is the 8 bytes behind txPrefix.
func txNext(id chain.TxID) uint64 {
	var b [64]byte
	id.AppendRaw(b[:0])
	return binary.BigEndian.Uint64(b[8:])
}

func txPrefix(id chain.TxID) uint64 {
	var b [64]byte
	id.AppendRaw(b[:0])
	return binary.BigEndian.Uint64(b[:8])
}

// block finds a block of the layer.
func (l *layer) block(id ChainRef, number uint64) *blockState {
	list := l.blocks[id]
	i, ok := slices.BinarySearchFunc(list, number, func(b blockState, n uint64) int { return cmp.Compare(b.number, n) })
	if !ok {
		return nil
	}
	return &list[i]
}

// holds says whether the layer stands for a transaction.
func (l *layer) holds(name *txName) bool {
	if name.id.IsZero() {
		return false // alone: it is in the loose layer, over all others
	}
	_, ok := l.named(name)
	return ok
}

// mergeLayers is one layer that stands for several, lowest first; a higher one
// hides what lies below.
func mergeLayers(list []*layer, nm *names) *layer {
	var txs []layerTx
	var blocks []chainBlock
	var masks []segmentTx
	for i, l := range list {
		above := list[i+1:]
		for k := range l.txs {
			if !slices.ContainsFunc(above, func(u *layer) bool { return u.holds(&l.txs[k].name) }) {
				txs = append(txs, l.txs[k])
			}
		}
		for id, known := range l.blocks {
			for _, b := range known {
				if !slices.ContainsFunc(above, func(u *layer) bool { return u.block(id, b.number) != nil }) {
					blocks = append(blocks, chainBlock{id, b})
				}
			}
		}
		masks = append(masks, l.masks...)
	}
	merged := buildLayer(txs, blocks, masks, nm)
	merged.hides = slices.ContainsFunc(list, func(l *layer) bool { return l.hides })
	return merged
}
