package ledger

import (
	"cmp"
	"slices"

	"bongsu/chain"
)

// blockSource gives blocks in ascending order, each at most once. What it
// gives is valid until advance.
type blockSource interface {
	head() (*mergedBlock, bool)
	advance() error
}

// inOrder is a source whose blocks hold each transaction and each movement once
// and in chain order, or as soon as inOrder is called.
type inOrder interface {
	inOrder(b *mergedBlock, sorter placeSorter)
}

func (*segmentSource) inOrder(*mergedBlock, placeSorter) {}

// inOrder orders the movements of a run's block that agree in their place.
func (*lazyRun) inOrder(b *mergedBlock, sorter placeSorter) {
	for i := range b.txs {
		sorter.sort(b.txs[i].moves)
	}
}

// segmentSource reads a segment back, block by block.
type segmentSource struct {
	s       *segment
	block   uint32
	tx, row uint32
	next    mergedBlock
	more    bool
	ids     segmentTxn
	w       segmentRow
	rows    rowBlock
	parsed  uint32 // the block of rows that is parsed, plus one
}

func (r *segmentSource) head() (*mergedBlock, bool) { return &r.next, r.more }

func (r *segmentSource) advance() (err error) {
	defer func() { caught(recover(), &err) }()
	if r.more = r.block < uint32(r.s.blockCount); !r.more {
		return nil
	}
	r.next.state = r.s.fullBlock(r.block)
	r.next.txs = r.next.txs[:0]
	for uint64(r.tx) < r.s.Txs {
		if r.s.txn(r.tx, &r.ids, true); r.ids.block != r.block {
			break
		}
		notes, err := r.s.notes(r.tx)
		if err != nil {
			return err
		}
		t := r.next.grow()
		t.id, t.index, t.status, t.notes, t.moves = r.ids.id, r.ids.index, r.ids.status, notes, t.moves[:0]
		for uint64(r.row) < r.s.Rows && r.read() == r.tx {
			r.rows.row(int(r.row%blockRows), r.s.common, &r.w)
			t.moves = append(t.moves, r.w.movement)
			r.row++
		}
		t.readCoins(r.s, r.tx)
		r.tx++
	}
	r.block++
	return nil
}

// read parses the block of the next row and gives the row's transaction.
func (r *segmentSource) read() uint32 {
	if at := r.row/blockRows + 1; at != r.parsed {
		r.s.readOn(r.row)
		r.s.rowBlock(r.row, &r.rows)
		r.parsed = at
	}
	return r.rows.tx(int(r.row % blockRows))
}

// grow adds a transaction, whose movements' memory is used again.
func (b *mergedBlock) grow() *mergedTx {
	if cap(b.txs) > len(b.txs) {
		b.txs = b.txs[:len(b.txs)+1]
	} else {
		b.txs = append(b.txs, mergedTx{})
	}
	return &b.txs[len(b.txs)-1]
}

// listSource gives blocks that lie in memory.
type listSource struct{ blocks []mergedBlock }

func (l *listSource) head() (*mergedBlock, bool) {
	if len(l.blocks) == 0 {
		return nil, false
	}
	return &l.blocks[0], true
}

func (l *listSource) advance() error {
	l.blocks = l.blocks[1:]
	return nil
}

// headBlocks are the placed transactions and the blocks of one chain that
// layers hold and that move.
func headBlocks(layers []*layer, id ChainRef, moves func(block uint64) bool, movesTx func(*txState) bool) *listSource {
	blocks := map[uint64]*mergedBlock{}
	hidden := func(i int, has func(*layer) bool) bool { return slices.ContainsFunc(layers[i+1:], has) }
	for i, l := range layers {
		for _, s := range l.blocks[id] {
			if moves(s.number) && !hidden(i, func(u *layer) bool { return u.block(id, s.number) != nil }) {
				blocks[s.number] = &mergedBlock{state: s}
			}
		}
	}
	for i, l := range layers {
		for n := range l.txs {
			t := &l.txs[n]
			if t.name.chain != id || !movesTx(t.txState) ||
				hidden(i, func(u *layer) bool { return u.holds(&t.name) }) {
				continue
			}
			b := blocks[t.at]
			if b == nil { // the block moved before; a live one that named the transaction kept that here
				b = &mergedBlock{state: blockState{number: t.at}}
				blocks[t.at] = b
			}
			b.txs = append(b.txs, mergedTx{id: t.name.id, index: t.index, status: t.status, moves: slices.Clone(t.moves), notes: t.notes, coins: t.coins})
		}
	}
	out := &listSource{}
	for _, b := range blocks {
		out.blocks = append(out.blocks, *b)
	}
	slices.SortFunc(out.blocks, func(a, b mergedBlock) int { return cmp.Compare(a.state.number, b.state.number) })
	return out
}

// queued is a source by the number of the block that it gives next.
type queued struct {
	number uint64
	place  int // among the sources: of equal blocks the first source's comes first
	source blockSource
}

// mergeBlocks gives the blocks of all sources, each once, merged.
func mergeBlocks(sources []blockSource, sorter placeSorter, emit func(*mergedBlock) error) error {
	queue := heap[queued]{less: func(a, b *queued) bool {
		return a.number < b.number || a.number == b.number && a.place < b.place
	}}
	put := func(q queued) {
		if b, ok := q.source.head(); ok {
			q.number = b.state.number
			queue.push(q)
		}
	}
	for i, s := range sources {
		if _, ok := s.(*listSource); !ok {
			if err := s.advance(); err != nil {
				return err
			}
		}
		put(queued{place: i, source: s})
	}
	var out mergedBlock
	var same []queued
	for len(queue.list) > 0 {
		same = same[:0]
		for len(queue.list) > 0 && (len(same) == 0 || queue.list[0].number == same[0].number) {
			same = append(same, queue.pop())
		}
		for _, q := range same {
			if z, ok := q.source.(loader); ok {
				if err := z.load(); err != nil {
					return err
				}
			}
		}
		b, _ := same[0].source.head()
		if alone, ok := same[0].source.(inOrder); ok && len(same) == 1 {
			alone.inOrder(b, sorter)
		} else {
			combine(&out, same, sorter)
			b = &out
		}
		if err := emit(b); err != nil {
			return err
		}
		for _, q := range same {
			if err := q.source.advance(); err != nil {
				return err
			}
			put(q)
		}
	}
	return nil
}

// combine merges what several sources hold of one block.
func combine(out *mergedBlock, sources []queued, sorter placeSorter) {
	out.txs = out.txs[:0]
	for i, s := range sources {
		b, _ := s.source.head()
		if i == 0 {
			out.state = b.state
		} else {
			out.state.merge(&b.state)
		}
		out.txs = append(out.txs, b.txs...)
	}
	slices.SortStableFunc(out.txs, func(a, b mergedTx) int { return a.id.Compare(b.id) })
	n := 0
	for i := range out.txs {
		if n > 0 && out.txs[n-1].id == out.txs[i].id {
			out.txs[n-1].merge(&out.txs[i])
			out.txs[n-1].coins = mergeCoins(out.txs[n-1].coins, out.txs[i].coins, sorter.names)
			continue
		}
		out.txs[n] = out.txs[i]
		n++
	}
	out.txs = out.txs[:n]
	for i := range out.txs {
		t := &out.txs[i]
		t.moves = exact(mergeMoves(t.moves), sorter.names)
		sorter.sort(t.moves)
	}
	slices.SortStableFunc(out.txs, func(a, b mergedTx) int { return cmp.Compare(a.index, b.index) })
}

func (b *blockState) merge(o *blockState) {
	if o.hash != (Hash{}) {
		b.hash = o.hash
	}
	if o.parent != (Hash{}) {
		b.parent = o.parent
	}
	switch {
	case !o.timed || b.header && !o.header:
	case !b.timed || o.header && !b.header || o.time < b.time:
		b.time, b.timed, b.header = o.time, true, o.header
	}
}

// merge adds what another source knows of the same transaction.
func (t *mergedTx) merge(o *mergedTx) {
	t.index, t.status = min(t.index, o.index), max(t.status, o.status)
	t.moves = append(slices.Clip(t.moves), o.moves...)
	if len(o.notes) > 0 {
		notes := slices.Concat(t.notes, o.notes)
		slices.SortFunc(notes, compareNotes)
		t.notes = slices.CompactFunc(notes, func(a, b NoteFact) bool { return compareNotes(a, b) == 0 })
	}
}

// mergeMoves leaves each movement once, with the best evidence of its place.
func mergeMoves(moves []movement) []movement {
	if len(moves) < 2 {
		return moves
	}
	slices.SortFunc(moves, func(a, b movement) int {
		return cmp.Or(a.compareIdentity(&b), comparePlaces(a.ordinal, a.row, b.ordinal, b.row))
	})
	return slices.CompactFunc(moves, func(a, b movement) bool { return a.compareIdentity(&b) == 0 })
}

// mergedTx is a transaction in its final form: movements in chain order.
type mergedTx struct {
	id     chain.TxID
	index  uint32
	status TxStatus
	moves  []movement
	notes  []NoteFact
	coins  *coinTx // nil: none
}

// mergedBlock is a block with everything in it, transactions in chain order.
type mergedBlock struct {
	state blockState
	txs   []mergedTx
}

// placeSorter sorts a transaction's movements; names settles ties.
type placeSorter struct{ names *names }

func (p placeSorter) sort(moves []movement) {
	if placed(moves) {
		return
	}
	slices.SortFunc(moves, func(a, b movement) int {
		if c := cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.ordinal, b.ordinal), cmp.Compare(a.row, b.row)); c != 0 {
			return c
		}
		return compareContent(&a, &b, p.names)
	})
}

// placed says whether movements stand in order and none at another's place.
func placed(moves []movement) bool {
	for i := 1; i < len(moves); i++ {
		a, b := &moves[i-1], &moves[i]
		switch {
		case a.kind != b.kind:
			if a.kind > b.kind {
				return false
			}
		case a.ordinal != b.ordinal:
			if a.ordinal > b.ordinal {
				return false
			}
		case a.row >= b.row:
			return false
		}
	}
	return true
}
