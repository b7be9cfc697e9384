package ledger

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"path/filepath"
	"slices"

	"bongsu/chain"
)

// mergedTx is a transaction in its final form: movements in chain order.
type mergedTx struct {
	id     chain.TxID
	index  uint32
	status TxStatus
	moves  []movement
	notes  []NoteFact
}

// mergedBlock is a block with everything in it, transactions in chain order.
type mergedBlock struct {
	state blockState
	txs   []mergedTx
}

// maxSegmentRows is where a segment ends and the next begins (at a block's
// end): building one holds 16 bytes for each of its rows in memory.
const maxSegmentRows = 1 << 24

// segmentWriter writes one segment from blocks in ascending order.
type segmentWriter struct {
	disk      disk
	dir       string
	info      segmentInfo
	rows, txs *sheetWriter
	rowEnc    rowEncoder
	txEnc     txEncoder
	rowBuf    []segmentRow
	full128   chan []segmentRow // blocks of rows to pack
	empty128  chan []segmentRow // their memory, to be used again
	packed    chan struct{}
	txBuf     []segmentTxn
	rowAt     []uint64
	txAt      []uint64
	blocks    []byte
	hashes    []byte
	extraAt   []byte
	extras    []byte
	accounts  [2]AccountRef // lowest and highest
	asset     AssetRef      // highest
}

// placeSorter sorts a transaction's movements; names settles ties.
type placeSorter struct{ names *names }

func (p placeSorter) sort(moves []movement) {
	if len(moves) < 2 {
		return
	}
	slices.SortFunc(moves, func(a, b movement) int {
		if c := cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.ordinal, b.ordinal), cmp.Compare(a.row, b.row)); c != 0 {
			return c
		}
		return compareContent(&a, &b, p.names)
	})
}

func newSegmentWriter(d disk, dir string, number uint64, id chain.ID) (*segmentWriter, error) {
	w := &segmentWriter{disk: d, dir: dir, info: segmentInfo{Number: number, Chain: id}}
	w.accounts[0] = 1<<63 - 1
	w.rowEnc.common = newCommonAmounts()
	var err error
	if w.rows, err = w.sheet("rows"); err != nil {
		return nil, err
	}
	w.rows.begin("rows")
	if w.txs, err = w.sheet("txs"); err != nil {
		w.rows.abandon()
		return nil, err
	}
	w.txs.begin("txs")
	w.full128, w.empty128, w.packed = make(chan []segmentRow, packAhead), make(chan []segmentRow, packAhead+2), make(chan struct{})
	for range packAhead + 1 {
		w.empty128 <- make([]segmentRow, 0, blockRows)
	}
	w.rowBuf = make([]segmentRow, 0, blockRows)
	go w.pack()
	return w, nil
}

// packAhead is how many blocks of rows may wait to be packed.
const packAhead = 16

// pack packs and writes blocks of rows while the next are merged. It owns
// rows, rowEnc and rowAt until it closes packed.
func (w *segmentWriter) pack() {
	defer close(w.packed)
	for rows := range w.full128 {
		w.rowAt = append(w.rowAt, uint64(w.rows.at()-w.rows.start))
		w.rows.write(w.rowEnc.encode(rows))
		w.empty128 <- rows[:0]
	}
}

func (w *segmentWriter) sheet(part string) (*sheetWriter, error) {
	name := segmentFile(w.info.Number, part)
	return newSheet(w.disk, filepath.Join(w.dir, name), name)
}

// full says that the segment should end here.
func (w *segmentWriter) full() bool {
	return w.info.Rows >= maxSegmentRows || w.info.Txs >= maxSegmentRows || w.info.Blocks >= maxSegmentRows || len(w.extras) >= 256<<20
}

// add appends a block.
func (w *segmentWriter) add(b *mergedBlock) error {
	place := uint32(w.info.Blocks)
	if w.info.Blocks == 0 {
		w.info.From = b.state.number
	}
	w.info.To = b.state.number
	w.info.Blocks++
	w.block(place, &b.state)
	for i := range b.txs {
		t := &b.txs[i]
		n := uint32(w.info.Txs)
		w.info.Txs++
		w.txBuf = append(w.txBuf, segmentTxn{place, t.index, t.status, t.id})
		if len(w.txBuf) == blockRows {
			w.flushTxs()
		}
		for j := range t.moves {
			if t.status == StatusFailed && t.moves[j].kind != chain.KindFee {
				continue
			}
			w.row(n, &t.moves[j], b.state.timed)
		}
		if len(t.notes) > 0 {
			w.extraAt = binary.LittleEndian.AppendUint32(w.extraAt, n)
			w.extraAt = binary.LittleEndian.AppendUint64(w.extraAt, uint64(len(w.extras)))
			e := &encoder{b: w.extras}
			e.uint(uint64(len(t.notes)))
			for k := range t.notes {
				encodeNote(e, &t.notes[k])
			}
			w.extras = e.b
		}
	}
	return w.txs.err
}

func cmpErr(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *segmentWriter) block(place uint32, s *blockState) {
	w.blocks = binary.LittleEndian.AppendUint64(w.blocks, s.number)
	t := uint64(w.info.Carry) << 2 // an untimed block has the time before it, unmarked
	if s.timed {
		w.info.Carry = int64(s.time)
		t = uint64(s.time)<<2 | 1
		if s.header {
			t |= 2
		}
		if w.info.FirstTime == 0 || int64(s.time) < w.info.FirstTime {
			w.info.FirstTime = int64(s.time)
		}
		w.info.LastTime = max(w.info.LastTime, int64(s.time))
	}
	w.blocks = binary.LittleEndian.AppendUint64(w.blocks, t)
	if s.hash != (Hash{}) || s.parent != (Hash{}) {
		w.hashes = binary.LittleEndian.AppendUint32(w.hashes, place)
		w.hashes = append(append(w.hashes, s.hash[:]...), s.parent[:]...)
	}
}

func (w *segmentWriter) row(tx uint32, m *movement, timed bool) {
	w.info.Rows++
	if !timed {
		w.info.Untimed++
	}
	for _, a := range [2]AccountRef{m.from, m.to} {
		if a != 0 {
			w.accounts[0], w.accounts[1] = min(w.accounts[0], a), max(w.accounts[1], a)
		}
	}
	w.asset = max(w.asset, m.asset)
	w.rowBuf = append(w.rowBuf, segmentRow{tx, *m})
	if len(w.rowBuf) == blockRows {
		w.flushRows()
	}
}

func (w *segmentWriter) flushRows() {
	if len(w.rowBuf) > 0 {
		w.full128 <- w.rowBuf
		w.rowBuf = <-w.empty128
	}
}

func (w *segmentWriter) flushTxs() {
	if len(w.txBuf) > 0 {
		w.txAt = append(w.txAt, uint64(w.txs.at()-w.txs.start))
		w.txs.write(w.txEnc.encode(w.txBuf))
		w.txBuf = w.txBuf[:0]
	}
}

func writeUint64s(w *sheetWriter, section string, list []uint64) {
	w.begin(section)
	var b [8]byte
	for _, v := range list {
		binary.LittleEndian.PutUint64(b[:], v)
		w.write(b[:])
	}
}

func writeUint32s(w *sheetWriter, section string, list []uint32) {
	w.begin(section)
	var b [4]byte
	for _, v := range list {
		binary.LittleEndian.PutUint32(b[:], v)
		w.write(b[:])
	}
}

// finish writes the rest and the index. The folder is the caller's to sync.
func (w *segmentWriter) finish() (segmentInfo, error) {
	w.flushRows()
	close(w.full128)
	<-w.packed
	w.flushTxs()
	writeUint64s(w.rows, "at", w.rowAt)
	writeUint64s(w.txs, "at", w.txAt)
	if w.accounts[1] > 0 {
		w.info.FirstAccount = uint64(w.accounts[0]) &^ 63
	}
	w.info.AssetBits = uint(bits.Len32(uint32(w.asset)))
	w.info.TxShift = txShift(w.info.Txs)
	w.info.HashBytes = int64(w.info.Txs) * int64(idLen(w.info.Chain))
	size1, err := w.rows.close(&w.info)
	size2, err2 := w.txs.close(&w.info)
	if err = cmpErr(err, err2); err != nil {
		return w.info, err
	}
	size3, err := w.index()
	w.info.Bytes = size1 + size2 + size3
	return w.info, err
}

// txShift makes buckets of about four transactions.
func txShift(n uint64) uint { return uint(64 - max(0, bits.Len64(n)-3)) }

// index writes the third sheet from the first two.
func (w *segmentWriter) index() (int64, error) {
	s := &segment{segmentInfo: w.info, number: w.info.Number}
	var err error
	var about segmentInfo
	for part, to := range map[string]**sheet{"rows": &s.rows, "txs": &s.txs} {
		name := segmentFile(w.info.Number, part)
		if *to, err = openSheet(filepath.Join(w.dir, name), name, &about); err != nil {
			return 0, err
		}
	}
	s.attachRows()
	x, err := w.sheet("idx")
	if err != nil {
		return 0, err
	}
	x.begin("blocks")
	x.write(w.blocks)
	x.begin("hashes")
	x.write(w.hashes)
	x.begin("extraat")
	x.write(w.extraAt)
	x.begin("extras")
	x.write(w.extras)
	x.begin("common")
	for _, a := range w.rowEnc.common.list {
		s.common = appendAmount(s.common, a)
	}
	x.write(s.common)
	writeTxLookup(x, s)
	(&postingWriter{s: s, x: x}).write(uint64(w.accounts[1]))
	w.info.Accounts = s.Accounts
	return x.close(&w.info)
}

// writeTxLookup sorts the transactions by id into buckets.
func writeTxLookup(x *sheetWriter, s *segment) {
	n := uint32(s.Txs)
	buckets := make([]uint32, 1<<(64-s.TxShift)+1)
	prefix := func(i uint32) uint64 { return binary.BigEndian.Uint64(s.idBytes(i)) >> s.TxShift }
	for i := range n {
		buckets[prefix(i)+1]++
	}
	for i := 1; i < len(buckets); i++ {
		buckets[i] += buckets[i-1]
	}
	order := make([]uint32, n)
	next := slices.Clone(buckets)
	for i := range n {
		p := prefix(i)
		order[next[p]] = i
		next[p]++
	}
	writeUint32s(x, "txbuckets", buckets)
	writeUint32s(x, "txorder", order)
}

// postingWriter writes the accounts' part of the index: which rows touch whom.
type postingWriter struct {
	s *segment
	x *sheetWriter

	counts   []uint32 // by local account; then where its entries begin
	entries  []uint64 // asset << 32 | row, by account
	skips    []byte
	balances []byte
	deltas   bitWriter
	scratch  bitWriter
	block    rowBlock
	blockOf  uint32 // the block that is parsed, plus one
}

func (p *postingWriter) write(last uint64) {
	p.gather(last)
	dirs := p.x // postings stream first; the directory is small
	dirs.begin("postings")
	start := uint64(dirs.at())
	offsets := make([]uint64, 0, dirAccounts)
	var dirAt []uint64
	var dir []byte
	flush := func() {
		if len(offsets) == 0 {
			return
		}
		dirAt = append(dirAt, uint64(len(dir)))
		base := offsets[0]
		for i := range offsets {
			offsets[i] -= base
		}
		t := planTier(offsets)
		dir = binary.LittleEndian.AppendUint64(dir, base)
		dir = append(dir, t.low, t.high, t.lows)
		dir = appendTier(dir, t, offsets)
		offsets = offsets[:0]
	}
	n := 0
	for i := range uint64(len(p.s.bitmap)-sheetSlack) / 8 {
		for word := binary.LittleEndian.Uint64(p.s.bitmap[i*8:]); word != 0; word &= word - 1 {
			a := AccountRef(p.s.FirstAccount + i*64 + uint64(bits.TrailingZeros64(word)))
			offsets = append(offsets, uint64(dirs.at())-start)
			p.account(a, p.entries[p.counts[n]:p.counts[n+1]])
			if n++; len(offsets) == dirAccounts {
				flush()
			}
		}
	}
	flush()
	writeUint64s(p.x, "dirat", dirAt)
	p.x.begin("dir")
	p.x.write(dir)
	p.x.begin("skips")
	p.x.write(p.skips)
	p.x.begin("balances")
	p.x.write(p.balances)
}

// gather lists the entries of each account by counting sort over the rows.
func (p *postingWriter) gather(last uint64) {
	s := p.s
	var words []uint64
	if last > 0 {
		words = make([]uint64, (last-s.FirstAccount)/64+1)
	}
	each := func(use func(a AccountRef, asset, row uint32)) {
		var from, to, asset [blockRows]uint64
		var b rowBlock
		for n := uint32(0); uint64(n) < s.Rows; n += blockRows {
			s.rowBlock(n, &b)
			b.cols[colFrom].all(b.b[b.at[colFrom]:], from[:b.n])
			b.cols[colTo].all(b.b[b.at[colTo]:], to[:b.n])
			b.cols[colAsset].all(b.b[b.at[colAsset]:], asset[:b.n])
			for i := range b.n {
				if from[i] != 0 {
					use(AccountRef(from[i]), uint32(asset[i]), n+uint32(i))
				}
				if to[i] != 0 && to[i] != from[i] {
					use(AccountRef(to[i]), uint32(asset[i]), n+uint32(i))
				}
			}
		}
	}
	each(func(a AccountRef, _, _ uint32) {
		i := uint64(a) - s.FirstAccount
		words[i/64] |= 1 << (i % 64)
	})
	var ranks []uint32
	total := uint32(0)
	for i, w := range words {
		if i%8 == 0 {
			ranks = append(ranks, total)
		}
		total += uint32(bits.OnesCount64(w))
	}
	s.Accounts = uint64(total)
	writeUint64s(p.x, "bitmap", words)
	writeUint32s(p.x, "ranks", ranks)
	s.bitmap = append(uint64Bytes(words), make([]byte, sheetSlack)...)
	s.ranks = append(uint32Bytes(ranks), make([]byte, sheetSlack)...)
	p.counts = make([]uint32, total+2)
	each(func(a AccountRef, _, _ uint32) {
		n, _ := s.local(a)
		p.counts[n+2]++
	})
	for i := 2; i < len(p.counts); i++ {
		p.counts[i] += p.counts[i-1]
	}
	p.entries = make([]uint64, p.counts[len(p.counts)-1])
	each(func(a AccountRef, asset, row uint32) {
		n, _ := s.local(a)
		p.entries[p.counts[n+1]] = uint64(asset)<<32 | uint64(row)
		p.counts[n+1]++
	})
	p.counts = p.counts[:total+1]
}

func uint64Bytes(list []uint64) (b []byte) {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func uint32Bytes(list []uint32) (b []byte) {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// account writes one account's list: all its rows together when they are few,
// else a book for each asset.
func (p *postingWriter) account(a AccountRef, entries []uint64) {
	w := &p.deltas
	w.b, w.word, w.n = w.b[:0], 0, 0
	if len(entries) <= bigBook {
		p.plain(entries)
		p.x.write(w.b)
		return
	}
	slices.Sort(entries)
	books := uint64(0)
	for i := range entries {
		if i == 0 || entries[i]>>32 != entries[i-1]>>32 {
			books++
		}
	}
	w.put(1, 1)
	w.gamma(books)
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n]>>32 == entries[0]>>32 {
			n++
		}
		p.book(a, entries[:n])
		entries = entries[n:]
	}
	w.align()
	p.x.write(w.b)
}

// plain writes a short list, whose rows are in order as they were gathered.
func (p *postingWriter) plain(entries []uint64) {
	w := &p.deltas
	w.put(0, 1)
	w.gamma(uint64(len(entries)))
	k := riceParameter(uint64(len(entries)), uint64(uint32(entries[len(entries)-1])))
	w.put(uint64(k), 5)
	prev := int64(-1)
	for _, e := range entries {
		row := int64(uint32(e))
		w.rice(uint64(row-prev-1), k)
		prev = row
	}
	w.align()
}

// book writes asset, count, the deltas' parameter and the deltas; for a big
// one, where its skips and the next book are.
func (p *postingWriter) book(a AccountRef, entries []uint64) {
	w := &p.deltas
	w.put(entries[0]>>32, p.s.AssetBits)
	w.gamma(uint64(len(entries)))
	last := uint64(uint32(entries[len(entries)-1]))
	k := riceParameter(uint64(len(entries)), last)
	w.put(uint64(k), 5)
	to := w
	if len(entries) > bigBook {
		w.put(uint64(len(p.skips)/skipEntry), 32)
		to = &p.scratch
		to.b, to.word, to.n = to.b[:0], 0, 0
	}
	prev := int64(-1)
	var run running
	for i, e := range entries {
		row := uint32(e)
		if len(entries) > bigBook && i > 0 && i%bigBook == 0 {
			p.skip(uint32(prev), to.bitLen(), run)
		}
		to.rice(uint64(int64(row)-prev-1), k)
		prev = int64(row)
		if len(entries) > bigBook {
			p.run(a, row, &run)
		}
	}
	if len(entries) > bigBook {
		n := to.bitLen()
		p.skip(uint32(prev), n, run)
		w.put(uint64(n), 40)
		to.align()
		for at := 0; at < n; at += 8 {
			w.put(uint64(to.b[at/8]), min(8, uint(n-at)))
		}
	}
}

func (p *postingWriter) skip(row uint32, bit int, run running) {
	p.skips = binary.LittleEndian.AppendUint32(p.skips, row)
	p.skips = binary.LittleEndian.AppendUint32(p.skips, uint32(bit))
	p.skips = binary.LittleEndian.AppendUint32(p.skips, uint32(len(p.balances)))
	p.balances = appendRunning(p.balances, run)
}

// run books one row into a running balance.
func (p *postingWriter) run(a AccountRef, row uint32, run *running) {
	if at := row/blockRows + 1; at != p.blockOf {
		p.s.rowBlock(row, &p.block)
		p.blockOf = at
	}
	run.row(&p.block, int(row%blockRows), a, 0, p.s.common)
}

// row books row i of a block, if it is of the asset (0: any); a transfer to
// oneself changes nothing.
func (r *running) row(b *rowBlock, i int, a AccountRef, asset AssetRef, common []byte) {
	if asset != 0 && AssetRef(b.get(colAsset, i)) != asset {
		return
	}
	from, to := AccountRef(b.get(colFrom, i)), AccountRef(b.get(colTo, i))
	switch {
	case from == to:
	case to == a:
		r.in(b.amount(i, common))
	default:
		r.out(b.amount(i, common))
	}
}
