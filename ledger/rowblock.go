package ledger

import (
	"encoding/binary"
	"math/bits"

	"bongsu/chain"
)

// The rows of a segment stand in chain order in blocks of blockRows. A block
// is a header, which gives the width of every field, and one record a row. A
// field with two widths has a bitmap in the header, bit i of which says that
// row i has the wider one; where a record begins is then a matter of counting
// bits, so that any row is reached by reading the header and the record and
// nothing else. FORMAT.md draws the block.
const (
	blockRows = 64 // a bitmap is one word

	rowHeader  = rowBitmaps + 6*8
	rowBitmaps = 32
)

// Offsets in the header; widths are in bits.
const (
	hdrRows     = iota // rows, and flagTies
	hdrKindMin         // the smallest kind; the records hold what is beyond it
	hdrStride          // two bytes: bits of a record all of whose fields are narrow
	_                  //
	hdrOrdinal         // of: ordinal + 1, less hdrOrdinalMin
	hdrPlace           // of: place of the row's block, less hdrPlaceMin
	hdrTx              // of: transaction, less hdrTxMin; 0 when bitTx tells it
	hdrRow             //
	hdrNth             //
	hdrKind            //
	hdrFrom            // narrow and wide
	_                  //
	hdrTo              // narrow and wide
	_                  //
	hdrAsset           // narrow and wide
	_                  //
	hdrCommon          // of an index into the common amounts, narrow and wide
	_                  //
	hdrExponent        // of a rare amount's power of ten
	hdrMantissa        // of a rare amount's mantissa, narrow and wide, in units of two bits
)

const (
	hdrTxMin      = 24
	hdrOrdinalMin = 28
	hdrPlaceMin   = 20 // its upper three bytes: a segment has at most 2^24 blocks

	flagTies = 0x80 // some row has the place of the row before it: ranks must be counted
)

// The bitmaps.
const (
	bitTx    = rowBitmaps + 8*iota // the row begins the next transaction
	bitFrom                        // wide
	bitTo                          // wide
	bitAsset                       // wide
	bitRare                        // the amount is not an index into the common ones
	bitHigh                        // the amount's index or mantissa is wide
)

// The columns that can be read for a whole block, in the order of a record's
// fields.
const (
	colFrom = iota
	colTo
	colAsset
)

// segmentRow is a row with its transaction's number in the segment and its
// block's place.
type segmentRow struct {
	tx, place uint32
	movement
}

// rowBlock is a block of rows. Whatever its bytes are, reading it gives values
// or panics with an index out of range, which caught turns into an error.
type rowBlock struct {
	h *[rowHeader]byte
	b []byte // the block and all behind it
}

// parse takes the block at the start of b.
func (r *rowBlock) parse(b []byte) { r.h, r.b = (*[rowHeader]byte)(b[:rowHeader]), b }

func (r *rowBlock) rows() int            { return int(r.h[hdrRows] &^ flagTies) }
func (r *rowBlock) ties() bool           { return r.h[hdrRows]&flagTies != 0 }
func (r *rowBlock) bitmap(at int) uint64 { return binary.LittleEndian.Uint64(r.h[at : at+8]) }
func (r *rowBlock) word(at int) uint32   { return binary.LittleEndian.Uint32(r.h[at : at+4]) }

// wider is by how much the wide form of a field is wider than the narrow one.
func (r *rowBlock) wider(at int) int { return int(r.h[at+1]) - int(r.h[at]) }

// at is where the record of row i begins, in bits.
func (r *rowBlock) at(i int) int {
	below := uint64(1)<<(uint(i)&63) - 1
	rare, high := r.bitmap(bitRare)&below, r.bitmap(bitHigh)&below
	rares, wide := bits.OnesCount64(rare), bits.OnesCount64(rare&high)
	return rowHeader*8 + i*int(binary.LittleEndian.Uint16(r.h[hdrStride:])) +
		bits.OnesCount64(r.bitmap(bitFrom)&below)*r.wider(hdrFrom) +
		bits.OnesCount64(r.bitmap(bitTo)&below)*r.wider(hdrTo) +
		bits.OnesCount64(r.bitmap(bitAsset)&below)*r.wider(hdrAsset) +
		bits.OnesCount64(high&^rare)*r.wider(hdrCommon) +
		rares*r.rareBeyond() + wide*2*r.wider(hdrMantissa)
}

// rareBeyond is by how much a narrow rare amount is longer than a narrow
// common one.
func (r *rowBlock) rareBeyond() int {
	return int(r.h[hdrExponent]) + 2*int(r.h[hdrMantissa]) - int(r.h[hdrCommon])
}

// tx is the segment's number of the transaction of row i.
func (r *rowBlock) tx(i int) uint32 {
	if r.h[hdrTx] == 0 {
		return r.word(hdrTxMin) + uint32(bits.OnesCount64(r.bitmap(bitTx)&(2<<(uint(i)&63)-1)))
	}
	at := r.at(i) + r.sides(i) + int(r.h[hdrOrdinal]) + int(r.h[hdrPlace])
	return r.word(hdrTxMin) + uint32(getBits(r.b, at, uint(r.h[hdrTx])))
}

// firstTx is the transaction of the first row.
func (r *rowBlock) firstTx() uint32 { return r.word(hdrTxMin) }

// firstPlace is the place of the first row's block.
func (r *rowBlock) firstPlace() uint32 { return r.word(hdrPlaceMin) >> 8 }

// widthAt is the width of a field of two widths in row i.
func (r *rowBlock) widthAt(field, bitmap, i int) uint {
	w := r.h[field]
	if r.bitmap(bitmap)>>(uint(i)&63)&1 != 0 {
		w = r.h[field+1]
	}
	return uint(w)
}

// sides is how many bits from, to and asset of row i take.
func (r *rowBlock) sides(i int) int {
	return int(r.widthAt(hdrFrom, bitFrom, i) + r.widthAt(hdrTo, bitTo, i) + r.widthAt(hdrAsset, bitAsset, i))
}

// sidesOf reads from, to and asset of row i, whose record begins at bit at,
// and says where the fields behind begin.
func (r *rowBlock) sidesOf(i, at int) (from, to AccountRef, asset AssetRef, end int) {
	f, t, s := r.widthAt(hdrFrom, bitFrom, i), r.widthAt(hdrTo, bitTo, i), r.widthAt(hdrAsset, bitAsset, i)
	from = AccountRef(getBits(r.b, at, f))
	at += int(f)
	to = AccountRef(getBits(r.b, at, t))
	at += int(t)
	return from, to, AssetRef(getBits(r.b, at, s)), at + int(s)
}

// place is the place of the block of row i, whose record begins at bit at.
func (r *rowBlock) place(i, at int) uint32 {
	return r.firstPlace() + uint32(getBits(r.b, at+r.sides(i)+int(r.h[hdrOrdinal]), uint(r.h[hdrPlace])))
}

// row reads row i whole; common is the segment's list of amounts.
func (r *rowBlock) row(i int, common []byte, w *segmentRow) {
	w.tx = r.tx(i)
	var at int
	w.from, w.to, w.asset, at = r.sidesOf(i, r.at(i))
	next := func(width byte) uint32 {
		v := getBits(r.b, at, uint(width))
		at += int(width)
		return uint32(v)
	}
	h := r.h
	w.ordinal = next(h[hdrOrdinal]) + r.word(hdrOrdinalMin) - 1
	w.place = next(h[hdrPlace]) + r.firstPlace()
	at += int(h[hdrTx])
	w.row, w.nth = next(h[hdrRow]), next(h[hdrNth])
	w.kind = chain.Kind(uint8(next(h[hdrKind])) + h[hdrKindMin])
	r.amountAt(i, at, common, &w.amount)
}

// amountOffset is how many bits stand between asset and amount in a record.
func (r *rowBlock) amountOffset() int {
	h := r.h
	return int(h[hdrOrdinal]) + int(h[hdrPlace]) + int(h[hdrTx]) + int(h[hdrRow]) + int(h[hdrNth]) + int(h[hdrKind])
}

// amountAt writes the amount of row i, whose bits begin at at, to out; common
// is the segment's list of them, 32 bytes each.
func (r *rowBlock) amountAt(i, at int, common []byte, out *chain.Amount) {
	bit := uint(i) & 63
	wide := int(r.bitmap(bitHigh) >> bit & 1)
	if r.bitmap(bitRare)>>bit&1 == 0 {
		readCommon(common, getBits(r.b, at, uint(r.h[hdrCommon+wide])), out)
		return
	}
	e := uint(r.h[hdrExponent])
	x := getBits(r.b, at, e)
	readWide(r.b, at+int(e), 2*uint(r.h[hdrMantissa+wide]), out)
	if x != 0 {
		*out = join(*out, x)
	}
}

// readCommon writes the i-th of a list of amounts of 32 bytes to out.
func readCommon(list []byte, i uint64, out *chain.Amount) {
	b := list[32*i : 32*i+32]
	out.SetWords(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]),
		binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:]))
}
