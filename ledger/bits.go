package ledger

import (
	"encoding/binary"
	"math/bits"
)

// tierRows is how many values a column holds at most.
const tierRows = 128

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

// bitWriter appends bits, lowest first.
type bitWriter struct {
	b    []byte
	word uint64
	n    uint
}

func (w *bitWriter) put(v uint64, width uint) { // width <= 56
	w.word |= v << w.n
	w.n += width
	for w.n >= 8 {
		w.b = append(w.b, byte(w.word))
		w.word >>= 8
		w.n -= 8
	}
}

func (w *bitWriter) bitLen() int { return len(w.b)*8 + int(w.n) }

func (w *bitWriter) align() {
	if w.n > 0 {
		w.b = append(w.b, byte(w.word))
		w.word, w.n = 0, 0
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
// On disk: low, high and the number of low ones, a byte each, in the block's
// header; then the bitmap of 16 bytes if high > 0, the low values, the high
// values, to the next byte.
type tier struct {
	low, high, lows uint8
}

const (
	tierHeader = 3
	tierBitmap = tierRows / 8
)

// planTier chooses the widths for values.
func planTier(values []uint64) tier {
	var at [65]int // how many values need so many bits
	for _, v := range values {
		at[bits.Len64(v)]++
	}
	return planWidths(at[:], len(values))
}

// planWidths chooses the widths for n values of which at[w] need w bits.
func planWidths(at []int, n int) tier {
	top := 0
	for w, c := range at {
		if c > 0 {
			top = w
		}
	}
	best := tier{low: uint8(top), lows: uint8(n)}
	cost := top * n
	lows := 0
	for low := range top {
		lows += at[low]
		if c := tierBitmap*8 + lows*low + (n-lows)*top; c < cost && lows > 0 {
			best, cost = tier{uint8(low), uint8(top), uint8(lows)}, c
		}
	}
	return best
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
	n := rank(b, i)
	if b[i>>3]>>(i&7)&1 == 0 {
		return getBits(b[tierBitmap:], (i-n)*int(t.low), uint(t.low))
	}
	return getBits(b[tierBitmap:], int(t.lows)*int(t.low)+n*int(t.high), uint(t.high))
}

// rank counts the bits set before bit i of a 128-bit bitmap.
func rank(b []byte, i int) int {
	lo := binary.LittleEndian.Uint64(b)
	if i < 64 {
		return bits.OnesCount64(lo & (1<<i - 1))
	}
	return bits.OnesCount64(lo) + bits.OnesCount64(binary.LittleEndian.Uint64(b[8:])&(1<<(i-64)-1))
}

// all writes the whole column into out, whose length says how many there are.
func (t tier) all(b []byte, out []uint64) {
	if t.high == 0 {
		w := uint(t.low)
		if w == 0 {
			clear(out)
			return
		}
		mask, at := uint64(1)<<w-1, uint(0)
		for i := range out {
			out[i] = binary.LittleEndian.Uint64(b[at>>3:]) >> (at & 7) & mask
			at += w
		}
		return
	}
	data := b[tierBitmap:]
	low, high := uint(0), uint(t.lows)*uint(t.low)
	lm, hm := uint64(1)<<t.low-1, uint64(1)<<t.high-1
	for i := range out {
		if b[i>>3]>>(i&7)&1 == 0 {
			out[i] = binary.LittleEndian.Uint64(data[low>>3:]) >> (low & 7) & lm
			low += uint(t.low)
		} else {
			out[i] = binary.LittleEndian.Uint64(data[high>>3:]) >> (high & 7) & hm
			high += uint(t.high)
		}
	}
}
