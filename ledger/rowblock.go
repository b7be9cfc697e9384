package ledger

import (
	"encoding/binary"
	"math/bits"

	"bongsu/chain"
)

// The rows of a segment stand in chain order in blocks of blockRows, every
// column of a block packed to its own widths, so that any row is reached
// without reading the others. FORMAT.md draws the block.
const (
	blockRows      = tierRows
	rowColumns     = 8
	rowBlockHeader = 1 + 1 + 1 + 5 + 4 + rowColumns*tierHeader + 1 + tierHeader + 1 + tierHeader
)

// The columns of a row block.
const (
	colTx = iota // beyond the block's first transaction; steps in a bitmap instead where they are 0 or 1
	colFrom
	colTo
	colAsset
	colOrdinal // above the block's smallest, one more than it is; none is 0
	colRow
	colNth
	colKind // above the block's smallest
)

const flagSteps = 1 // colTx is a bitmap: the row begins the next transaction

// segmentRow is a row with its transaction's number in the segment.
type segmentRow struct {
	tx uint32
	movement
}

// rowEncoder packs blocks of rows.
type rowEncoder struct {
	common *commonAmounts
	cols   [rowColumns][]uint64
	b      []byte
}

// encode packs up to blockRows rows; the result is valid until the next call.
func (e *rowEncoder) encode(rows []segmentRow) []byte {
	n := len(rows)
	for c := range e.cols {
		e.cols[c] = e.cols[c][:0]
	}
	ordMin, kindMin := uint32(1<<32-1), uint8(255)
	for i := range rows {
		ordMin, kindMin = min(ordMin, rows[i].ordinal+1), min(kindMin, uint8(rows[i].kind))
	}
	flags := byte(flagSteps)
	for i := range rows {
		r := &rows[i]
		e.cols[colTx] = append(e.cols[colTx], uint64(r.tx-rows[0].tx))
		e.cols[colFrom] = append(e.cols[colFrom], uint64(r.from))
		e.cols[colTo] = append(e.cols[colTo], uint64(r.to))
		e.cols[colAsset] = append(e.cols[colAsset], uint64(r.asset))
		e.cols[colOrdinal] = append(e.cols[colOrdinal], uint64(r.ordinal+1-ordMin))
		e.cols[colRow] = append(e.cols[colRow], uint64(r.row))
		e.cols[colNth] = append(e.cols[colNth], uint64(r.nth))
		e.cols[colKind] = append(e.cols[colKind], uint64(uint8(r.kind)-kindMin))
		if i > 0 && r.tx-rows[i-1].tx > 1 {
			flags = 0
		}
	}
	b := append(e.b[:0], byte(n), flags, kindMin)
	b = append(b, byte(rows[0].tx), byte(rows[0].tx>>8), byte(rows[0].tx>>16), byte(rows[0].tx>>24), 0)
	b = binary.LittleEndian.AppendUint32(b, ordMin)
	var tiers [rowColumns]tier
	for c := range tiers {
		if c == colTx && flags&flagSteps != 0 {
			b = append(b, 0, 0, 0)
			continue
		}
		tiers[c] = planTier(e.cols[c])
		b = append(b, tiers[c].low, tiers[c].high, tiers[c].lows)
	}
	b = e.amounts(b, rows, func(b []byte) []byte {
		for c := range tiers {
			if c == colTx && flags&flagSteps != 0 {
				b = appendSteps(b, rows)
				continue
			}
			b = appendTier(b, tiers[c], e.cols[c])
		}
		return b
	})
	e.b = b
	return b
}

func appendSteps(b []byte, rows []segmentRow) []byte {
	start := len(b)
	b = append(b, make([]byte, tierBitmap)...)
	for i := 1; i < len(rows); i++ {
		if rows[i].tx != rows[i-1].tx {
			b[start+i>>3] |= 1 << (i & 7)
		}
	}
	return b
}

// amounts writes the amounts' part of the header, then the other columns, then
// the amounts' columns.
func (e *rowEncoder) amounts(b []byte, rows []segmentRow, columns func([]byte) []byte) []byte {
	var isCommon [tierBitmap]byte
	var common []uint64
	var rare []chain.Amount
	var exps []uint64
	for i := range rows {
		if n, ok := e.common.find(rows[i].amount); ok {
			isCommon[i>>3] |= 1 << (i & 7)
			common = append(common, uint64(n))
			continue
		}
		m, x := split(rows[i].amount)
		rare, exps = append(rare, m), append(exps, x)
	}
	ct, wt, expWidth := planTier(common), planWide(rare), 0
	for _, x := range exps {
		expWidth = max(expWidth, bits.Len64(x))
	}
	b = append(b, byte(len(common)), ct.low, ct.high, ct.lows, byte(expWidth), wt.low, wt.high, wt.lows)
	b = columns(b)
	if len(common) > 0 && len(rare) > 0 {
		b = append(b, isCommon[:]...)
	}
	b = appendTier(b, ct, common)
	b = appendTier(b, tier{low: uint8(expWidth), lows: uint8(len(exps))}, exps)
	return appendWide(b, wt, rare)
}

// rowBlock is a block's header, read, and where its columns begin.
type rowBlock struct {
	b       []byte // the block and all behind it
	n       int
	steps   bool
	kindMin uint8
	tx0     uint32
	ordMin  uint32
	cols    [rowColumns]tier
	at      [rowColumns + 1]int // column c begins at b[at[c]:]; the amounts after the last
}

// parse reads the header at the start of b.
func (r *rowBlock) parse(b []byte) {
	r.b, r.n, r.steps, r.kindMin = b, int(b[0]), b[1]&flagSteps != 0, b[2]
	r.tx0 = binary.LittleEndian.Uint32(b[3:])
	r.ordMin = binary.LittleEndian.Uint32(b[8:])
	at := rowBlockHeader
	h := b[12 : 12+rowColumns*tierHeader]
	for c := range r.cols {
		t := tier{h[3*c], h[3*c+1], h[3*c+2]}
		r.cols[c], r.at[c] = t, at
		if c == colTx && r.steps {
			at += tierBitmap
			continue
		}
		at += t.size(r.n)
	}
	r.at[rowColumns] = at
}

// tx is the segment's number of the transaction of row i.
func (r *rowBlock) tx(i int) uint32 {
	if r.steps {
		return r.tx0 + uint32(rank(r.b[r.at[colTx]:], i+1))
	}
	return r.tx0 + uint32(r.get(colTx, i))
}

func (r *rowBlock) get(c, i int) uint64 { return r.cols[c].at(r.b[r.at[c]:], i) }

// row reads row i whole.
func (r *rowBlock) row(i int, common []byte, w *segmentRow) {
	w.tx = r.tx(i)
	w.from, w.to, w.asset = AccountRef(r.get(colFrom, i)), AccountRef(r.get(colTo, i)), AssetRef(r.get(colAsset, i))
	w.ordinal = uint32(r.get(colOrdinal, i)) + r.ordMin - 1
	w.row, w.nth, w.kind = uint32(r.get(colRow, i)), uint32(r.get(colNth, i)), chain.Kind(uint8(r.get(colKind, i))+r.kindMin)
	w.amount = r.amount(i, common)
}

// amount is the amount of row i; common is the segment's list of them, 32
// bytes each.
func (r *rowBlock) amount(i int, common []byte) chain.Amount {
	const head = 12 + rowColumns*tierHeader
	h, at := r.b[head:head+8], r.at[rowColumns]
	commons := int(h[0])
	ct := tier{h[1], h[2], h[3]}
	n, isCommon := i, commons > 0
	if commons > 0 && commons < r.n {
		bitmap := r.b[at:]
		at += tierBitmap
		n = rank(bitmap, i)
		if isCommon = bitmap[i>>3]>>(i&7)&1 == 1; !isCommon {
			n = i - n
		}
	}
	if isCommon {
		return commonAt(common, ct.at(r.b[at:], n))
	}
	at += ct.size(commons)
	et, wt := tier{low: h[4]}, tier{h[5], h[6], h[7]}
	x := et.at(r.b[at:], n)
	return join(wt.wideAt(r.b[at+et.size(r.n-commons):], n), x)
}

func commonAt(common []byte, i uint64) chain.Amount {
	b := common[32*i : 32*i+32]
	return chain.FromWords([4]uint64{
		binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]),
		binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:]),
	})
}
