package ledger

import (
	"cmp"
	"encoding/binary"
	"slices"

	"bongsu/chain"
)

// write sorts the buffer and writes it: the accounts that this run met first,
// then the blocks. Its assets are kept with what describes it.
func (r *runBuffer) write(f file, name string, met accountStretch, assets []chain.Asset) (runInfo, error) {
	info := runInfo{
		Name: name, Chain: r.id, Epoch: r.accounts.epoch, First: met.first, New: met.count,
		Rows: uint64(len(r.rows)), Assets: assets, From: chain.NoBlock,
	}
	w := &runWriter{f: f, b: make([]byte, 0, runBuf), counts: r.accounts.counts}
	w.counts.reserve(int(met.first) + met.count)
	w.counts.addRows(r.rows)
	w.accounts(met)
	info.AtBlocks = w.at()
	r.writeBlocks(w, &info)
	info.Bytes = w.at()
	w.flush()
	return info, w.err
}

// runWriter writes a file from its beginning to its end.
type runWriter struct {
	f       file
	b       []byte
	flushed int64
	counts  *occurrences // of a run
	err     error
}

const runBuf = 1 << 20

func (w *runWriter) at() int64 { return w.flushed + int64(len(w.b)) }

// spill makes room for an element.
func (w *runWriter) spill() {
	if len(w.b) > runBuf-runElement {
		w.flush()
	}
}

func (w *runWriter) flush() {
	if w.err == nil {
		_, w.err = w.f.WriteAt(w.b, w.flushed)
	}
	w.flushed += int64(len(w.b))
	w.b = w.b[:0]
}

// accounts writes a stretch in order of number: form, length, bytes.
func (w *runWriter) accounts(met accountStretch) {
	others := met.others
	for i := range met.count {
		w.spill()
		if len(others) > 0 && others[0].number == met.first+uint32(i) {
			a := others[0].account
			others = others[1:]
			w.b = append(w.b, byte(a.Form()), 0)
			at := len(w.b)
			w.b = a.AppendRaw(w.b)
			w.b[at-1] = byte(len(w.b) - at)
			continue
		}
		w.b = append(append(w.b, byte(chain.FormEVM), 20), met.keys.at(int(met.first) + i)[:]...)
	}
}

// inOrder is the transactions by block; those of a block stay as they came.
func (r *runBuffer) inOrder() []uint32 {
	order := r.sorter.order[:0]
	for i := range r.txs {
		order = append(order, uint32(i))
	}
	byBlock := func(a, b runTx) int { return cmp.Compare(a.block, b.block) }
	if !slices.IsSortedFunc(r.txs, byBlock) {
		slices.SortStableFunc(order, func(a, b uint32) int { return byBlock(r.txs[a], r.txs[b]) })
	}
	r.sorter.order = order
	return order
}

// writeBlocks writes the blocks in order, each with its transactions, each of
// them once, in chain order, and their movements.
func (r *runBuffer) writeBlocks(w *runWriter, info *runInfo) {
	slices.SortStableFunc(r.blocks, func(a, b BlockFact) int { return cmp.Compare(a.Number, b.Number) })
	headers, txs := r.blocks, r.inOrder()
	for len(headers) > 0 || len(txs) > 0 {
		number := chain.NoBlock
		if len(headers) > 0 {
			number = headers[0].Number
		}
		if len(txs) > 0 {
			number = min(number, r.txs[txs[0]].block)
		}
		state := blockState{number: number}
		for len(headers) > 0 && headers[0].Number == number {
			state.addHeader(&headers[0])
			headers = headers[1:]
		}
		n := 0
		for n < len(txs) && r.txs[txs[n]].block == number {
			state.addRowTime(r.txs[txs[n]].time)
			n++
		}
		r.writeBlock(w, &state, txs[:n])
		txs = txs[n:]
		info.From, info.To = min(info.From, number), max(info.To, number)
	}
}

// Flags of a block of a run, and of a movement.
const (
	runTimed  = 1
	runHeader = 2
	runHashes = 4

	runWords = 7 // how many words the amount has
	runPlace = 8 // nth and row follow, in as many bytes

	runMovement = 18 // bytes of what every movement has
)

func (r *runBuffer) writeBlock(w *runWriter, s *blockState, txs []uint32) {
	flags := byte(0)
	if s.timed {
		flags |= runTimed
	}
	if s.header {
		flags |= runHeader
	}
	if s.hash != (Hash{}) || s.parent != (Hash{}) {
		flags |= runHashes
	}
	w.spill()
	w.b = append(binary.LittleEndian.AppendUint64(w.b, s.number), flags)
	if s.timed {
		w.b = binary.LittleEndian.AppendUint64(w.b, uint64(s.time))
	}
	if flags&runHashes != 0 {
		w.b = append(append(w.b, s.hash[:]...), s.parent[:]...)
	}
	list := r.sorter.transactions(r, txs)
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(list)))
	for i := range list {
		t := &list[i]
		w.spill()
		w.b = append(w.b, r.idOf(t.tx)...)
		extras, status := r.extrasOf(t), byte(t.status)
		if extras > 0 {
			status |= runExtra
		}
		w.b = append(binary.LittleEndian.AppendUint32(w.b, t.index), status)
		rows := r.sorter.movements(r, t)
		w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(rows)))
		for _, n := range rows {
			w.spill()
			w.b = r.rows[n].appendTo(w.b)
		}
		if extras > 0 {
			w.extras(r, t, extras)
		}
	}
}

func (m *runRow) appendTo(b []byte) []byte {
	words := m.amount.Words()
	n := 4
	for n > 0 && words[n-1] == 0 {
		n--
	}
	flags := byte(n)
	if m.nth != 0 || m.row != 0 {
		flags |= runPlace
	}
	b = append(b, byte(m.kind), flags)
	b = binary.LittleEndian.AppendUint32(b, m.from)
	b = binary.LittleEndian.AppendUint32(b, m.to)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.asset))
	b = binary.LittleEndian.AppendUint32(b, m.ordinal)
	if flags&runPlace != 0 {
		b = binary.LittleEndian.AppendUint32(b, m.nth)
		b = binary.LittleEndian.AppendUint32(b, m.row)
	}
	for _, v := range words[:n] {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}
