package ledger

import (
	"encoding/binary"
	"math/bits"

	"bongsu/chain"
)

// all writes the first values of a column into out, whose length says how
// many.
func (t tier) all(b []byte, out []uint64) {
	if t.high == 0 {
		w := int(t.low)
		for i := range out {
			out[i] = getBits(b, i*w, uint(w))
		}
		return
	}
	bitmap, data := binary.LittleEndian.Uint64(b), b[tierBitmap:]
	low, high := 0, int(t.lows)*int(t.low)
	for i := range out {
		if bitmap>>(uint(i)&63)&1 == 0 {
			out[i] = getBits(data, low, uint(t.low))
			low += int(t.low)
		} else {
			out[i] = getBits(data, high, uint(t.high))
			high += int(t.high)
		}
	}
}

// A column of values: a tier of powers of ten, and mantissas. These are a tier
// too, unless one takes more than maxMantissa bits: then all have the width of
// the longest.
const (
	valuesHeader = 1 + 1 + tierHeader // exponents' width, mantissas' (in units of two bits; 0: a tier), tier
	maxMantissa  = 56
)

// valueEncoder packs a column of values.
type valueEncoder struct {
	mantissas []chain.Amount
	small     []uint64
	exps      []uint64
}

// append gives the header and the column, appended to header and b.
func (e *valueEncoder) append(header, b []byte, values []chain.Amount) ([]byte, []byte) {
	e.mantissas, e.small, e.exps = e.mantissas[:0], e.small[:0], e.exps[:0]
	exp, longest := 0, 0
	for _, a := range values {
		m, x := split(a)
		e.mantissas, e.exps, e.small = append(e.mantissas, m), append(e.exps, x), append(e.small, m.Words()[0])
		exp, longest = max(exp, bits.Len64(x)), max(longest, m.BitLen())
	}
	exps := tier{low: uint8(exp), lows: uint8(len(values))}
	b = appendTier(b, exps, e.exps)
	if longest <= maxMantissa {
		t := planTier(e.small)
		return append(header, byte(exp), 0, t.low, t.high, t.lows), appendTier(b, t, e.small)
	}
	width := (longest + 1) / 2
	start := len(b)
	size := (2*width*len(values) + 7) / 8
	b = append(b, make([]byte, size+16)...)
	for i, m := range e.mantissas {
		at, left := i*2*width, uint(2*width)
		for _, w := range m.Words() {
			n := min(left, 64)
			putBits(b[start:], at, n, w)
			at, left = at+int(n), left-n
		}
	}
	return append(header, byte(exp), byte(width), 0, 0, 0), b[:start+size]
}

// valueAt is the i-th of n values; header and b are what append gave.
func valueAt(header, b []byte, n, i int) chain.Amount {
	exps := tier{low: header[0]}
	x := exps.at(b, i)
	b = b[exps.size(n):]
	if w := int(header[1]); w != 0 {
		var m chain.Amount
		readWide(b, i*2*w, uint(2*w), &m)
		return join(m, x)
	}
	return join(chain.Units(tier{header[2], header[3], header[4]}.at(b, i)), x)
}
