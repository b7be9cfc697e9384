package ledger

import (
	"encoding/binary"
	"math/bits"
)

// putBits sets width bits of b, from bit at on, to v, lowest bit first. b is
// zero there and has 8 bytes beyond.
func putBits(b []byte, at int, width uint, v uint64) {
	for width > 0 {
		i, off := at>>3, uint(at&7)
		n := min(width, 57) // what fits beside off in 64 bits
		word := binary.LittleEndian.Uint64(b[i:])
		word |= (v & (1<<n - 1)) << off
		binary.LittleEndian.PutUint64(b[i:], word)
		v, at, width = v>>n, at+int(n), width-n
	}
}

// getBits reads width <= 56 bits.
func getBits(b []byte, at int, width uint) uint64 {
	return binary.LittleEndian.Uint64(b[at>>3:]) >> uint(at&7) & (1<<width - 1)
}

// bitWriter appends bits, lowest first. The bits of word beyond n are zero.
type bitWriter struct {
	b    []byte
	word uint64
	n    uint
}

// put writes the lowest width <= 64 bits of v, which has no others.
func (w *bitWriter) put(v uint64, width uint) {
	w.word |= v << w.n
	w.n += width
	if w.n >= 64 {
		w.b = binary.LittleEndian.AppendUint64(w.b, w.word)
		w.n -= 64
		w.word = v >> (width - w.n) // a shift by 64 leaves nothing
	}
}

func (w *bitWriter) bitLen() int { return len(w.b)*8 + int(w.n) }

// align goes on to the next byte and writes out what is held back.
func (w *bitWriter) align() {
	for i := uint(0); i < w.n; i += 8 {
		w.b = append(w.b, byte(w.word>>i))
	}
	w.word, w.n = 0, 0
}

func (w *bitWriter) reset() { w.b, w.word, w.n = w.b[:0], 0, 0 }

// putBits appends what another has written, and aligns that one.
func (w *bitWriter) putBits(o *bitWriter) {
	n := o.bitLen()
	o.align()
	i := 0
	for ; n >= 64; i, n = i+8, n-64 {
		w.put(binary.LittleEndian.Uint64(o.b[i:]), 64)
	}
	for ; n > 0; i, n = i+1, n-8 {
		w.put(uint64(o.b[i]), uint(min(8, n)))
	}
}

// gamma writes v >= 1 in Elias gamma code.
func (w *bitWriter) gamma(v uint64) {
	n := uint(bits.Len64(v))
	w.put(0, n-1)
	w.put(1, 1)
	w.put(v&(1<<(n-1)-1), n-1)
}

// maxUnary bounds the unary part of a Rice code; beyond it the value follows
// in 40 bits.
const maxUnary = 31

// rice writes v with k bits of remainder.
func (w *bitWriter) rice(v uint64, k uint) {
	q := v >> k
	if q >= maxUnary {
		w.put(1<<maxUnary-1, maxUnary)
		w.put(v, 40)
		return
	}
	w.put(1<<q-1, uint(q)+1) // q ones, then a zero
	w.put(v&(1<<k-1), k)
}

// bitReader reads what bitWriter wrote; b has 8 bytes beyond the last bit.
type bitReader struct {
	b  []byte
	at int
}

func (r *bitReader) get(width uint) uint64 {
	v := getBits(r.b, r.at, width)
	r.at += int(width)
	return v
}

func (r *bitReader) gamma() uint64 {
	word := binary.LittleEndian.Uint64(r.b[r.at>>3:]) >> uint(r.at&7)
	n := uint(bits.TrailingZeros64(word))
	r.at += int(n) + 1
	return 1<<n | r.get(n)
}

func (r *bitReader) rice(k uint) uint64 {
	word := binary.LittleEndian.Uint64(r.b[r.at>>3:]) >> uint(r.at&7)
	q := uint(bits.TrailingZeros64(^word))
	if q >= maxUnary {
		r.at += maxUnary
		return r.get(40)
	}
	if q+1+k <= 56 {
		r.at += int(q + 1 + k)
		return uint64(q)<<k | word>>(q+1)&(1<<k-1)
	}
	r.at += int(q) + 1
	return uint64(q)<<k | r.get(k)
}

// riceParameter is a good k for n values that sum to total.
func riceParameter(n, total uint64) uint {
	if n == 0 || total/n == 0 {
		return 0
	}
	return min(uint(bits.Len64(total/n))-1, 31)
}

// A tier is a column of at most tierRows values in two widths: those that fit
// in low bits, and the rest; a bitmap says which is which, unless all are low.
// On disk: low, high and the number of low ones, a byte each, in a header;
// then the bitmap of 8 bytes if high > 0, the low values, the high values, to
// the next byte.
type tier struct {
	low, high, lows uint8
}

const (
	tierRows   = 64
	tierHeader = 3
	tierBitmap = tierRows / 8
)

// planTier chooses the widths for values.
func planTier(values []uint64) tier {
	var l bitLens
	for _, v := range values {
		l.add(v)
	}
	low, high := l.widths(tierRows)
	if low == high {
		return tier{low: low, lows: uint8(len(values))}
	}
	t := tier{low: low, high: high}
	for _, n := range l.at[:low+1] {
		t.lows += n
	}
	return t
}

// size is the column's bytes for n values.
func (t tier) size(n int) int {
	if t.high == 0 {
		return (n*int(t.low) + 7) / 8
	}
	return tierBitmap + (int(t.lows)*int(t.low)+(n-int(t.lows))*int(t.high)+7)/8
}

// appendTier appends the column.
func appendTier(b []byte, t tier, values []uint64) []byte {
	start := len(b)
	size := t.size(len(values))
	b = append(b, make([]byte, size+16)...)
	data := b[start:]
	if t.high == 0 {
		for i, v := range values {
			putBits(data, i*int(t.low), uint(t.low), v)
		}
		return b[:start+size]
	}
	low, high := tierBitmap*8, tierBitmap*8+int(t.lows)*int(t.low)
	for i, v := range values {
		if bits.Len64(v) <= int(t.low) {
			putBits(data, low, uint(t.low), v)
			low += int(t.low)
			continue
		}
		data[i>>3] |= 1 << (i & 7)
		putBits(data, high, uint(t.high), v)
		high += int(t.high)
	}
	return b[:start+size]
}

// at is the i-th value of a column that begins at b. Widths are at most 56.
func (t tier) at(b []byte, i int) uint64 {
	if t.high == 0 {
		return getBits(b, i*int(t.low), uint(t.low))
	}
	bitmap := binary.LittleEndian.Uint64(b)
	n := bits.OnesCount64(bitmap & (1<<(uint(i)&63) - 1))
	if bitmap>>(uint(i)&63)&1 == 0 {
		return getBits(b[tierBitmap:], (i-n)*int(t.low), uint(t.low))
	}
	return getBits(b[tierBitmap:], int(t.lows)*int(t.low)+n*int(t.high), uint(t.high))
}
