package ledger

import (
	"encoding/binary"
	"math/bits"

	"bongsu/chain"
)

// rowEncoder packs blocks of rows, which must come in the segment's order.
type rowEncoder struct {
	common *commonAmounts
	b      []byte
	last   segmentRow // of the block before
	any    bool       // there was one

	index    [blockRows]uint32 // of a common amount
	mantissa [blockRows]chain.Amount
	exponent [blockRows]uint8
	rare     uint64 // bit i: row i has mantissa and exponent
}

// bitLens counts at most 255 values by how many bits (or units of them) they
// need.
type bitLens struct {
	at  [129]uint8
	n   int
	top int
}

func (l *bitLens) add(v uint64) { l.addLen(bits.Len64(v)) }

func (l *bitLens) addLen(n int) {
	l.at[n]++
	l.n++
	l.top = max(l.top, n)
}

// widths are the two widths that take the fewest bits, when having two costs
// extra bits; they are the same where one is better.
func (l *bitLens) widths(extra int) (narrow, wide uint8) {
	narrow, wide = uint8(l.top), uint8(l.top)
	cost, narrows := l.top*l.n, 0
	for low := range l.top {
		narrows += int(l.at[low])
		if c := extra + narrows*low + (l.n-narrows)*l.top; c < cost && narrows > 0 {
			narrow, cost = uint8(low), c
		}
	}
	return narrow, wide
}

// encode packs up to blockRows rows; the result is valid until the next call.
func (e *rowEncoder) encode(rows []segmentRow) []byte {
	e.amounts(rows)
	var h [rowHeader]byte
	e.plan(&h, rows)
	w := bitWriter{b: append(e.b[:0], h[:]...)}
	for i := range rows {
		e.record(&w, &h, i, &rows[i], &rows[0])
	}
	w.align()
	e.last, e.any = rows[len(rows)-1], true
	e.b = w.b
	return e.b
}

// amounts finds out how each amount is written.
func (e *rowEncoder) amounts(rows []segmentRow) {
	e.rare = 0
	for i := range rows {
		if n, ok := e.common.find(rows[i].amount); ok {
			e.index[i] = n
			continue
		}
		e.rare |= 1 << i
		m, x := split(rows[i].amount)
		e.mantissa[i], e.exponent[i] = m, uint8(x)
	}
}

// plan writes the header.
func (e *rowEncoder) plan(h *[rowHeader]byte, rows []segmentRow) {
	var from, to, asset bitLens
	kindMin, ordMin := uint8(255), uint32(1<<32-1)
	var ordMax, row, nth uint32
	var kindMax uint8
	first, last := &rows[0], &rows[len(rows)-1]
	h[hdrRows] = byte(len(rows))
	steps := true
	prev, any := &e.last, e.any
	for i := range rows {
		r := &rows[i]
		from.add(uint64(r.from))
		to.add(uint64(r.to))
		asset.add(uint64(r.asset))
		ordMin, ordMax = min(ordMin, r.ordinal+1), max(ordMax, r.ordinal+1)
		kindMin, kindMax = min(kindMin, uint8(r.kind)), max(kindMax, uint8(r.kind))
		row, nth = max(row, r.row), max(nth, r.nth)
		if any && prev.tx == r.tx && prev.ordinal == r.ordinal && prev.row == r.row && prev.kind == r.kind {
			h[hdrRows] |= flagTies
		}
		if i > 0 {
			steps = steps && r.tx-prev.tx <= 1
		}
		prev, any = r, true
	}
	h[hdrKindMin], h[hdrKind] = kindMin, width(kindMax-kindMin)
	h[hdrOrdinal], h[hdrRow], h[hdrNth] = width(ordMax-ordMin), width(row), width(nth)
	h[hdrPlace] = width(last.place - first.place)
	if !steps {
		h[hdrTx] = width(last.tx - first.tx)
	}
	binary.LittleEndian.PutUint32(h[hdrTxMin:], first.tx)
	binary.LittleEndian.PutUint32(h[hdrOrdinalMin:], ordMin)
	h[hdrPlaceMin+1], h[hdrPlaceMin+2], h[hdrPlaceMin+3] = byte(first.place), byte(first.place>>8), byte(first.place>>16)
	h[hdrFrom], h[hdrFrom+1] = from.widths(0)
	h[hdrTo], h[hdrTo+1] = to.widths(0)
	h[hdrAsset], h[hdrAsset+1] = asset.widths(0)
	e.planAmounts(h, len(rows))
	e.bitmaps(h, rows)
	stride := 0
	for _, at := range [...]int{hdrOrdinal, hdrPlace, hdrTx, hdrRow, hdrNth, hdrKind, hdrFrom, hdrTo, hdrAsset, hdrCommon} {
		stride += int(h[at])
	}
	binary.LittleEndian.PutUint16(h[hdrStride:], uint16(stride))
}

func width[T uint8 | uint32](v T) uint8 { return uint8(bits.Len32(uint32(v))) }

func (e *rowEncoder) planAmounts(h *[rowHeader]byte, n int) {
	var common, mantissa bitLens
	exponent := uint8(0)
	for i := range n {
		if e.rare>>i&1 == 0 {
			common.add(uint64(e.index[i]))
			continue
		}
		exponent = max(exponent, e.exponent[i])
		mantissa.addLen(wideLen(e.mantissa[i]))
	}
	h[hdrCommon], h[hdrCommon+1] = common.widths(0)
	h[hdrExponent] = width(exponent)
	h[hdrMantissa], h[hdrMantissa+1] = mantissa.widths(0)
}

func (e *rowEncoder) bitmaps(h *[rowHeader]byte, rows []segmentRow) {
	var tx, from, to, asset, high uint64
	for i := range rows {
		r, bit := &rows[i], uint64(1)<<i
		if i > 0 && r.tx != rows[i-1].tx && h[hdrTx] == 0 {
			tx |= bit
		}
		if bits.Len64(uint64(r.from)) > int(h[hdrFrom]) {
			from |= bit
		}
		if bits.Len64(uint64(r.to)) > int(h[hdrTo]) {
			to |= bit
		}
		if bits.Len64(uint64(r.asset)) > int(h[hdrAsset]) {
			asset |= bit
		}
		if e.rare&bit != 0 {
			if wideLen(e.mantissa[i]) > int(h[hdrMantissa]) {
				high |= bit
			}
		} else if bits.Len32(e.index[i]) > int(h[hdrCommon]) {
			high |= bit
		}
	}
	for i, v := range [...]uint64{tx, from, to, asset, e.rare, high} {
		binary.LittleEndian.PutUint64(h[rowBitmaps+8*i:], v)
	}
}

// record writes row i.
func (e *rowEncoder) record(w *bitWriter, h *[rowHeader]byte, i int, r, first *segmentRow) {
	side := func(v uint64, field, bitmap int) {
		n := h[field]
		if binary.LittleEndian.Uint64(h[bitmap:])>>i&1 != 0 {
			n = h[field+1]
		}
		w.put(v, uint(n))
	}
	side(uint64(r.from), hdrFrom, bitFrom)
	side(uint64(r.to), hdrTo, bitTo)
	side(uint64(r.asset), hdrAsset, bitAsset)
	w.put(uint64(r.ordinal+1-binary.LittleEndian.Uint32(h[hdrOrdinalMin:])), uint(h[hdrOrdinal]))
	w.put(uint64(r.place-first.place), uint(h[hdrPlace]))
	if h[hdrTx] > 0 {
		w.put(uint64(r.tx-first.tx), uint(h[hdrTx]))
	}
	w.put(uint64(r.row), uint(h[hdrRow]))
	w.put(uint64(r.nth), uint(h[hdrNth]))
	w.put(uint64(uint8(r.kind)-h[hdrKindMin]), uint(h[hdrKind]))
	if e.rare>>i&1 == 0 {
		side(uint64(e.index[i]), hdrCommon, bitHigh)
		return
	}
	w.put(uint64(e.exponent[i]), uint(h[hdrExponent]))
	n := h[hdrMantissa]
	if binary.LittleEndian.Uint64(h[bitHigh:])>>i&1 != 0 {
		n = h[hdrMantissa+1]
	}
	w.putWide(e.mantissa[i], 2*uint(n))
}

// putWide writes the lowest width bits of an amount, which has no others.
func (w *bitWriter) putWide(a chain.Amount, width uint) {
	for _, v := range a.Words() {
		n := min(width, 64)
		w.put(v, n)
		width -= n
	}
}
