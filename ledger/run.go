package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"io"
	"math/bits"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// A run is a part of a large import, sorted by block and written aside, so
// that an import of any size needs the memory of one. Accounts and assets have
// numbers of the run's own in it.

// runRows is how many movements or transactions a run gathers.
const runRows = 1 << 21

// accountTable numbers accounts in the order in which they come. EVM addresses
// go through an open-addressed table, all others through a map.
type accountTable struct {
	slots  []uint32 // number + 1
	keys   [][20]byte
	counts []uint32
	seed   [2]uint64
	others map[chain.Account]uint32
	list   []chain.Account // of others; their numbers have otherBit
}

const otherBit = 1 << 31

func newAccountTable() *accountTable {
	s := maphash.MakeSeed()
	return &accountTable{
		slots: make([]uint32, 1<<12), others: map[chain.Account]uint32{},
		seed: [2]uint64{maphash.Comparable(s, 1), maphash.Comparable(s, 2)},
	}
}

func (t *accountTable) hash(k *[20]byte) uint64 {
	a, b, c := binary.LittleEndian.Uint64(k[:]), binary.LittleEndian.Uint64(k[8:]), binary.LittleEndian.Uint32(k[16:])
	hi, lo := bits.Mul64(a^t.seed[0], b^t.seed[1]^uint64(c)<<21)
	return (hi ^ lo ^ uint64(c)) * 0x9e3779b97f4a7c15
}

// evm numbers an address; the zero address is an account like any other.
func (t *accountTable) evm(k *[20]byte) uint32 {
	mask := uint64(len(t.slots) - 1)
	i := t.hash(k) >> 20 & mask
	for {
		n := t.slots[i]
		if n == 0 {
			break
		}
		if t.keys[n-1] == *k {
			t.counts[n-1]++
			return n - 1
		}
		i = (i + 1) & mask
	}
	t.keys, t.counts = append(t.keys, *k), append(t.counts, 1)
	n := uint32(len(t.keys))
	t.slots[i] = n
	if len(t.keys)*2 > len(t.slots) {
		t.grow()
	}
	return n - 1
}

func (t *accountTable) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for n := range t.keys {
		i := t.hash(&t.keys[n]) >> 20 & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = uint32(n + 1)
	}
}

// other numbers any account.
func (t *accountTable) other(a chain.Account) uint32 {
	n, ok := t.others[a]
	if !ok {
		n = uint32(len(t.list))
		t.list = append(t.list, a)
		t.others[a] = n
	}
	return n | otherBit
}

// runBuffer gathers the placed facts of one chain.
type runBuffer struct {
	id       chain.ID
	accounts *accountTable
	assets   map[chain.Asset]AssetRef // numbers of the run's own, from 1
	names    []chain.Asset
	byToken  map[[20]byte]AssetRef
	last     struct {
		token [20]byte
		ref   AssetRef
	}
	txs    []runTx
	rows   []runRow
	blocks []BlockFact
}

type runTx struct {
	id     chain.TxID
	block  uint64
	time   chain.Time
	index  uint32
	status TxStatus
}

type runRow struct {
	tx uint32
	movement
}

func newRunBuffer(id chain.ID) *runBuffer {
	return &runBuffer{id: id, accounts: newAccountTable(), assets: map[chain.Asset]AssetRef{}, byToken: map[[20]byte]AssetRef{}}
}

// reset empties a buffer that was written, and keeps its memory.
func (r *runBuffer) reset(id chain.ID) {
	r.id = id
	t := r.accounts
	clear(t.slots)
	t.keys, t.counts, t.list = t.keys[:0], t.counts[:0], t.list[:0]
	clear(t.others)
	clear(r.assets)
	clear(r.byToken)
	r.names, r.last.ref = nil, 0
	r.txs, r.rows, r.blocks = r.txs[:0], r.rows[:0], r.blocks[:0]
}

func (r *runBuffer) full() bool {
	return len(r.rows) >= runRows || len(r.txs) >= runRows || len(r.blocks) >= runRows
}

// account numbers from 1; 0 is no account.
func (r *runBuffer) account(a chain.Account) AccountRef {
	if a.IsZero() {
		return 0
	}
	if a.Form() == chain.FormEVM && a.Chain() == r.id {
		var raw [64]byte
		return AccountRef(r.accounts.evm((*[20]byte)(a.AppendRaw(raw[:0])))) + 1
	}
	return AccountRef(r.accounts.other(a)) + 1
}

func (r *runBuffer) asset(a chain.Asset) AssetRef {
	n, ok := r.assets[a]
	if !ok {
		r.names = append(r.names, a)
		n = AssetRef(len(r.names))
		r.assets[a] = n
	}
	return n
}

func (r *runBuffer) token(contract *[20]byte) AssetRef {
	if r.last.ref != 0 && r.last.token == *contract {
		return r.last.ref
	}
	n, ok := r.byToken[*contract]
	if !ok {
		n = r.asset(chain.Token(chain.EVM(r.id, *contract)))
		r.byToken[*contract] = n
	}
	r.last.token, r.last.ref = *contract, n
	return n
}

// tx numbers a transaction; the one added last is looked at first, the others
// that are the same meet when the run is sorted.
func (r *runBuffer) tx(id chain.TxID, block uint64, index uint32, at chain.Time, status TxStatus) uint32 {
	if n := len(r.txs); n > 0 && r.txs[n-1].id == id {
		t := &r.txs[n-1]
		t.block, t.index, t.status = min(t.block, block), min(t.index, index), max(t.status, status)
		if at != 0 && (t.time == 0 || at < t.time) {
			t.time = at
		}
		return uint32(n - 1)
	}
	r.txs = append(r.txs, runTx{id, block, at, index, status})
	return uint32(len(r.txs) - 1)
}

func (r *runBuffer) transfer(t *chain.Transfer) {
	m := movement{
		from: r.account(t.From), to: r.account(t.To), asset: r.asset(t.Asset),
		nth: t.Nth, ordinal: t.Ordinal, row: t.Row, kind: t.Kind, amount: t.Amount,
	}
	if t.Kind == chain.KindNative || t.Kind == chain.KindFee {
		m.nth = 0 // one for each transaction
	}
	r.add(r.tx(t.Tx, t.Block, t.Index, t.Time, StatusUnknown), m)
}

func (r *runBuffer) add(tx uint32, m movement) {
	if m.ordinal != chain.NoOrdinal {
		m.row = 0 // the row only orders what has no ordinal
	}
	r.rows = append(r.rows, runRow{tx, m})
}

// runInfo is kept of a run that lies on disk.
type runInfo struct {
	Name     string        `json:"name"`
	Chain    chain.ID      `json:"chain"`
	From     uint64        `json:"from"`
	To       uint64        `json:"to"`
	Rows     uint64        `json:"rows"`
	Assets   []chain.Asset `json:"assets"`
	Accounts int           `json:"accounts"`
	AtBlocks int64         `json:"at_blocks"` // where blocks begin; accounts come first
	Bytes    int64         `json:"bytes"`
}

// write sorts the buffer and writes it: the accounts in ascending order with
// how often each occurs, then the blocks.
func (r *runBuffer) write(f file, name string) (runInfo, error) {
	info := runInfo{Name: name, Chain: r.id, Rows: uint64(len(r.rows)), Assets: r.names, From: chain.NoBlock}
	w := &runWriter{f: f, e: encoder{b: make([]byte, 0, 1<<20)}}
	place := r.writeAccounts(w)
	info.Accounts = len(place[0]) + len(place[1])
	info.AtBlocks = w.at()
	renumber := func(a AccountRef) AccountRef {
		switch {
		case a == 0:
			return 0
		case (a-1)&otherBit != 0:
			return AccountRef(place[1][(a-1)&^otherBit]) + 1
		}
		return AccountRef(place[0][a-1]) + 1
	}
	for i := range r.rows {
		r.rows[i].from, r.rows[i].to = renumber(r.rows[i].from), renumber(r.rows[i].to)
	}
	r.writeBlocks(w, &info)
	info.Bytes = w.at()
	w.flush()
	return info, w.err
}

type runWriter struct {
	f       file
	e       encoder
	flushed int64
	err     error
}

func (w *runWriter) at() int64 { return w.flushed + int64(len(w.e.b)) }

func (w *runWriter) spill() {
	if len(w.e.b) > 1<<20-1<<12 {
		w.flush()
	}
}

func (w *runWriter) flush() {
	if w.err == nil {
		_, w.err = w.f.WriteAt(w.e.b, w.flushed)
	}
	w.flushed += int64(len(w.e.b))
	w.e.b = w.e.b[:0]
}

// writeAccounts gives the places of both kinds of accounts in the sorted list.
func (r *runBuffer) writeAccounts(w *runWriter) (place [2][]uint32) {
	t := r.accounts
	evm := sortKeys(t.keys)
	others := make([]uint32, len(t.list))
	for i := range others {
		others[i] = uint32(i)
	}
	slices.SortFunc(others, func(a, b uint32) int {
		x, y := t.list[a], t.list[b]
		return cmp.Or(cmp.Compare(x.Chain(), y.Chain()), compareRaw(byte(x.Form()), byte(y.Form()), x.Raw(), y.Raw()))
	})
	place[0], place[1] = make([]uint32, len(evm)), make([]uint32, len(others))
	n := uint32(0)
	for _, i := range evm { // FormEVM is the lowest form
		place[0][i] = n
		n++
		w.e.byte(byte(chain.FormEVM))
		w.e.byte(20)
		w.e.b = append(w.e.b, t.keys[i][:]...)
		w.e.uint(uint64(t.counts[i]))
		w.spill()
	}
	for _, i := range others {
		place[1][i] = n
		n++
		raw := t.list[i].Raw()
		w.e.byte(byte(t.list[i].Form()))
		w.e.byte(byte(len(raw)))
		w.e.b = append(w.e.b, raw...)
		w.e.uint(1)
		w.spill()
	}
	return place
}

// sortKeys orders addresses: by their first two bytes in one pass, then each
// of those few by the rest.
func sortKeys(keys [][20]byte) []uint32 {
	var starts [1<<16 + 1]uint32
	for i := range keys {
		starts[int(keys[i][0])<<8|int(keys[i][1])+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	order := make([]uint32, len(keys))
	next := starts
	for i := range keys {
		b := int(keys[i][0])<<8 | int(keys[i][1])
		order[next[b]] = uint32(i)
		next[b]++
	}
	for b := range 1 << 16 {
		if part := order[starts[b]:starts[b+1]]; len(part) > 1 {
			slices.SortFunc(part, func(x, y uint32) int { return bytes.Compare(keys[x][:], keys[y][:]) })
		}
	}
	return order
}

// writeBlocks writes the blocks in order, each with its transactions by id and
// their movements.
func (r *runBuffer) writeBlocks(w *runWriter, info *runInfo) {
	order := make([]uint32, len(r.txs))
	for i := range order {
		order[i] = uint32(i)
	}
	byPlace := func(a, b uint32) int {
		x, y := &r.txs[a], &r.txs[b]
		return cmp.Or(cmp.Compare(x.block, y.block), x.id.Compare(y.id), cmp.Compare(a, b))
	}
	if !slices.IsSortedFunc(order, byPlace) {
		sortByBlock(order, r.txs, byPlace)
	}
	starts := make([]uint32, len(r.txs)+1)
	for i := range r.rows {
		starts[r.rows[i].tx+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	rows := make([]uint32, len(r.rows))
	next := slices.Clone(starts)
	for i := range r.rows {
		rows[next[r.rows[i].tx]] = uint32(i)
		next[r.rows[i].tx]++
	}
	slices.SortStableFunc(r.blocks, func(a, b BlockFact) int { return cmp.Compare(a.Number, b.Number) })
	headers, txs := r.blocks, order
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
		r.writeBlock(w, &state, txs[:n], rows, starts)
		txs = txs[n:]
		info.From, info.To = min(info.From, number), max(info.To, number)
	}
}

// sortByBlock sorts transactions that already come nearly in order of block.
func sortByBlock(order []uint32, txs []runTx, byPlace func(a, b uint32) int) {
	if !slices.IsSortedFunc(order, func(a, b uint32) int { return cmp.Compare(txs[a].block, txs[b].block) }) {
		slices.SortFunc(order, byPlace)
		return
	}
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && txs[order[to]].block == txs[order[from]].block {
			to++
		}
		slices.SortFunc(order[from:to], byPlace)
		from = to
	}
}

const (
	runTimed  = 1
	runHeader = 2
	runHashes = 4
)

func (r *runBuffer) writeBlock(w *runWriter, s *blockState, txs, rows, starts []uint32) {
	e := &w.e
	e.uint(s.number)
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
	e.byte(flags)
	if s.timed {
		e.uint(uint64(s.time))
	}
	if flags&runHashes != 0 {
		e.hash(s.hash)
		e.hash(s.parent)
	}
	e.uint(uint64(len(txs)))
	for _, i := range txs {
		t := &r.txs[i]
		e.b = t.id.AppendRaw(e.b)
		e.index(t.index)
		e.byte(byte(t.status))
		list := rows[starts[i]:starts[i+1]]
		e.uint(uint64(len(list)))
		for _, n := range list {
			m := &r.rows[n].movement
			e.byte(byte(m.kind))
			e.index(m.ordinal)
			e.uint(uint64(m.row))
			e.uint(uint64(m.nth))
			e.uint(uint64(m.from))
			e.uint(uint64(m.to))
			e.uint(uint64(m.asset))
			e.amount(m.amount)
		}
		w.spill()
	}
}

// runReader reads a run's blocks; accounts are mapped to the ledger's.
type runReader struct {
	info     runInfo
	in       io.Reader
	buf      []byte // what was read and not yet used is buf[at:]
	at       int
	idLen    int
	accounts []uint64   // by the run's number less one
	assets   []AssetRef // likewise
	next     mergedBlock
	more     bool
	ended    bool
	err      error
}

// runWindow is how much of a run is in memory; an element is far smaller.
const (
	runWindow  = 1 << 19
	runElement = 256
)

func (r *runReader) fail(err error) {
	if r.err == nil {
		r.err = errs.Wrap("import", r.info.Name, err)
	}
	r.more = false
}

// fill makes runElement bytes ready, fewer only at the end of the run.
func (r *runReader) fill() {
	if len(r.buf)-r.at >= runElement || r.ended {
		return
	}
	rest := copy(r.buf[:cap(r.buf)], r.buf[r.at:])
	if cap(r.buf) == 0 {
		r.buf = make([]byte, 0, runWindow)
	}
	n, err := io.ReadFull(r.in, r.buf[rest:cap(r.buf)])
	r.buf, r.at = r.buf[:rest+n], 0
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		r.ended = true
	default:
		r.fail(err)
	}
}

func (r *runReader) uint() uint64 {
	v, n := binary.Uvarint(r.buf[r.at:])
	if n <= 0 {
		r.fail(io.ErrUnexpectedEOF)
		return 0
	}
	r.at += n
	return v
}

// take is the next n bytes, valid until fill.
func (r *runReader) take(n int) []byte {
	if len(r.buf)-r.at < n {
		r.fail(io.ErrUnexpectedEOF)
		return make([]byte, n)
	}
	r.at += n
	return r.buf[r.at-n : r.at]
}

// advance reads the next block into next.
func (r *runReader) advance() error {
	r.read()
	return r.err
}

func (r *runReader) read() {
	b := &r.next
	if r.fill(); r.at == len(r.buf) {
		r.more = false
		return
	}
	r.more = true
	b.state = blockState{number: r.uint()}
	flags := r.take(1)[0]
	b.state.timed, b.state.header = flags&runTimed != 0, flags&runHeader != 0
	if b.state.timed {
		b.state.time = chain.Time(r.uint())
	}
	if flags&runHashes != 0 {
		copy(b.state.hash[:], r.take(32))
		copy(b.state.parent[:], r.take(32))
	}
	n := r.uint()
	b.txs = b.txs[:0]
	for ; n > 0 && r.err == nil; n-- {
		r.tx(b.grow())
	}
}

func (r *runReader) tx(t *mergedTx) {
	r.fill()
	t.id, _ = chain.NewTxID(r.take(r.idLen))
	t.index = uint32(r.uint()) - 1
	t.status, t.notes = TxStatus(r.take(1)[0]), nil
	t.moves = t.moves[:0]
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		r.fill()
		t.moves = append(t.moves, movement{})
		m := &t.moves[len(t.moves)-1]
		m.kind = chain.Kind(r.take(1)[0])
		m.ordinal, m.row, m.nth = uint32(r.uint())-1, uint32(r.uint()), uint32(r.uint())
		m.from, m.to = r.account(r.uint()), r.account(r.uint())
		if a := r.uint(); a > 0 && a <= uint64(len(r.assets)) {
			m.asset = r.assets[a-1]
		}
		m.amount, _ = chain.AmountFromBytes(r.take(int(min(r.take(1)[0], 32))))
	}
}

func (r *runReader) account(n uint64) AccountRef {
	if n == 0 || n > uint64(len(r.accounts)) {
		return 0
	}
	return AccountRef(r.accounts[n-1])
}
