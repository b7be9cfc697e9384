package ledger

import (
	"encoding/binary"
	"math/bits"

	"bongsu/chain"
)

// The transactions of a segment stand in chain order in blocks of blockTxs: a
// header, then a record of index and id for each, all of one length, then the
// columns that reading a row does not need. The length of an index stands
// beside where the block begins (starts), so that a row's transaction
// is reached without reading the header. FORMAT.md draws the block.
const (
	blockTxs = 64
	txHeader = 16
	maxIndex = 4 // bytes
	txRows   = 0 // header: how many
	txIndex  = 1 // bytes of one more than the index; none is 0
	txPlace  = 2 // bits of a place beyond the first; 0 when the bitmap tells it
	txStatus = 3 // bits
	txPlace0 = 4 // the first's place in the table of blocks
	txBitmap = 8 // the transaction begins the next place
)

// txEncoder packs blocks of transactions.
type txEncoder struct{ b []byte }

type segmentTxn struct {
	block  uint32 // place in the segment's table of blocks
	index  uint32
	status TxStatus
	id     chain.TxID
}

// encode packs up to blockTxs transactions; the result is valid until the next
// call. The length of an index is the second byte.
func (e *txEncoder) encode(txs []segmentTxn) []byte {
	var h [txHeader]byte
	steps, status, index := true, uint8(0), uint32(0)
	var bitmap uint64
	for i := range txs {
		t := &txs[i]
		status, index = max(status, uint8(t.status)), max(index, t.index+1)
		if i > 0 && t.block != txs[i-1].block {
			bitmap |= 1 << i
			steps = steps && t.block-txs[i-1].block == 1
		}
	}
	h[txRows], h[txIndex], h[txStatus] = byte(len(txs)), (width(index)+7)/8, width(status)
	binary.LittleEndian.PutUint32(h[txPlace0:], txs[0].block)
	if steps {
		binary.LittleEndian.PutUint64(h[txBitmap:], bitmap)
	} else {
		h[txPlace] = width(txs[len(txs)-1].block - txs[0].block)
	}
	b := append(e.b[:0], h[:]...)
	for i := range txs {
		for k := range h[txIndex] {
			b = append(b, byte((txs[i].index+1)>>(8*k)))
		}
		b = txs[i].id.AppendRaw(b)
	}
	w := bitWriter{b: b}
	for i := range txs {
		if h[txPlace] > 0 {
			w.put(uint64(txs[i].block-txs[0].block), uint(h[txPlace]))
		}
	}
	for i := range txs {
		w.put(uint64(txs[i].status), uint(h[txStatus]))
	}
	w.align()
	e.b = w.b
	return e.b
}

// txBlock opens the block of transaction n, and says how long an index is in
// it and how long a record.
func (s *segment) txBlock(n uint32) (b []byte, index, record int) {
	at, index := s.txAt.at(n / blockTxs)
	if s.txPages.fresh(at) {
		s.txPages.verify(at)
	}
	return s.txData[at:], index, index + s.idLen
}

// txn reads transaction n; id false leaves the id out.
func (s *segment) txn(n uint32, t *segmentTxn, id bool) {
	b, index, record := s.txBlock(n)
	i, count := int(n%blockTxs), int(b[txRows])
	t.block = binary.LittleEndian.Uint32(b[txPlace0:])
	at := 8 * (txHeader + count*record)
	if w := uint(b[txPlace]); w > 0 {
		t.block += uint32(getBits(b, at+i*int(w), w))
		at += count * int(w)
	} else {
		t.block += uint32(bits.OnesCount64(binary.LittleEndian.Uint64(b[txBitmap:]) & (2<<i - 1)))
	}
	w := uint(b[txStatus])
	t.status = TxStatus(getBits(b, at+i*int(w), w))
	b = b[txHeader+i*record:]
	t.index = indexOf(b, index)
	if id {
		t.id, _ = chain.NewTxID(b[index:record])
	}
}

// indexOf reads an index of n bytes.
func indexOf(b []byte, n int) uint32 {
	return uint32(binary.LittleEndian.Uint64(b)&(1<<(8*uint(n)&63)-1)) - 1
}

// idBytes is the id of transaction n.
func (s *segment) idBytes(n uint32) []byte {
	b, index, record := s.txBlock(n)
	b = b[txHeader+int(n%blockTxs)*record:]
	return b[index:record]
}
