package ledger

import (
	"encoding/binary"
	"math/bits"
	"path/filepath"

	"bongsu/chain"
)

// maxSegmentRows is where a segment ends and the next begins (at a block's
// end). What making its index holds of each row does not grow with it
// (postplan.go); of each transaction it holds some 12 bytes.
const maxSegmentRows = 1 << 24

// segmentWriter writes one segment from blocks in ascending order.
type segmentWriter struct {
	disk       disk
	dir        string
	info       segmentInfo
	rows, txs  *sheetWriter
	rowEnc     rowEncoder
	txEnc      txEncoder
	rowBuf     []segmentRow
	full128    chan []segmentRow // blocks of rows to pack
	empty128   chan []segmentRow // their memory, to be used again
	packed     chan struct{}
	txBuf      []segmentTxn
	idPrefixes longTable[uint32] // the first four bytes of every transaction's id
	rowAt      startsWriter
	txAt       startsWriter
	blocks     []byte
	hashes     []byte
	extraAt    []byte
	extras     []byte
	accounts   accountSet  // that rows name
	asset      AssetRef    // highest
	coins      *coinWriter // nil before the first transaction with inputs and outputs
}

func newSegmentWriter(d disk, dir string, number uint64, id chain.ID) (*segmentWriter, error) {
	w := &segmentWriter{disk: d, dir: dir, info: segmentInfo{Number: number, Chain: id}, idPrefixes: newLongTable[uint32]()}
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
		w.rowAt.add(uint64(w.rows.at()-w.rows.start), 0)
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
	return w.info.Rows >= maxSegmentRows || w.info.Txs >= maxSegmentRows || w.info.Blocks >= maxSegmentRows || len(w.extras) >= 256<<20 ||
		w.coins != nil && w.coins.full()
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
		w.idPrefixes.add(uint32(txPrefix(t.id) >> 32))
		if len(w.txBuf) == blockTxs {
			w.flushTxs()
		}
		for j := range t.moves {
			if t.status == StatusFailed && t.moves[j].kind != chain.KindFee {
				continue
			}
			w.row(n, place, &t.moves[j], b.state.timed)
		}
		if t.coins != nil || w.coins != nil {
			if err := w.coin(place, n, t.coins); err != nil {
				return err
			}
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

// coin appends the inputs and outputs of transaction n.
func (w *segmentWriter) coin(place, n uint32, t *coinTx) error {
	if w.coins == nil {
		c, err := newCoinWriter(w.disk, w.dir, w.info.Number)
		if err != nil {
			return err
		}
		for range n {
			if err := c.add(place, nil); err != nil {
				return err
			}
		}
		w.coins = c
	}
	return w.coins.add(place, t)
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
	w.blocks = binary.LittleEndian.AppendUint32(w.blocks, uint32(w.info.Txs))
	w.blocks = binary.LittleEndian.AppendUint32(w.blocks, uint32(w.info.Rows))
	if s.hash != (Hash{}) || s.parent != (Hash{}) {
		w.hashes = binary.LittleEndian.AppendUint32(w.hashes, place)
		w.hashes = append(append(w.hashes, s.hash[:]...), s.parent[:]...)
	}
}

func (w *segmentWriter) row(tx, place uint32, m *movement, timed bool) {
	w.info.Rows++
	if !timed {
		w.info.Untimed++
	}
	w.accounts.add(m.from)
	w.accounts.add(m.to)
	w.asset = max(w.asset, m.asset)
	w.rowBuf = append(w.rowBuf, segmentRow{tx, place, *m})
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
		b := w.txEnc.encode(w.txBuf)
		w.txAt.add(uint64(w.txs.at()-w.txs.start), int(b[txIndex]))
		w.txs.write(b)
		w.txBuf = w.txBuf[:0]
	}
}

// finish writes the rest and the index, which is made from rows and
// transactions while they are synced. The folder is the caller's to sync.
func (w *segmentWriter) finish() (segmentInfo, error) {
	defer w.idPrefixes.free()
	w.flushRows()
	close(w.full128)
	<-w.packed
	w.flushTxs()
	w.rowAt.write(w.rows, "at")
	w.txAt.write(w.txs, "at")
	w.info.FirstAccount = w.accounts.first()
	w.info.AssetBits = uint(bits.Len32(uint32(w.asset)))
	w.info.TxShift = txShift(w.info.Txs)
	w.info.HashBytes = int64(w.info.Txs) * int64(idLen(w.info.Chain))
	if w.coins != nil {
		w.info.Coins, w.info.Inputs, w.info.Outputs = w.coins.info.Held, w.coins.info.Inputs, w.coins.info.Outputs
	}
	size1, err := w.rows.seal(&w.info)
	size2, err2 := w.txs.seal(&w.info)
	synced := make(chan error, 1)
	go func() { synced <- cmpErr(w.rows.sync(), w.txs.sync()) }()
	if err = cmpErr(err, err2); err == nil {
		var size3 int64
		size3, err = w.index()
		w.info.Bytes = size1 + size2 + size3
	}
	if err == nil && w.coins != nil {
		var size int64
		size, err = w.coins.finishIn(w.dir, w.info.Number)
		w.info.Bytes += size
	}
	err = cmpErr(err, <-synced)
	return w.info, err
}
