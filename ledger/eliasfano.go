package ledger

import (
	"encoding/binary"
	"math/bits"
)

// A stretch is up to stretchRows ascending numbers in Elias and Fano's code (Elias,
// Efficient Storage and Retrieval by Content and Address of Static Files, JACM
// 1974): five bits that give k, k low bits of each number, then for each
// number as many zeros as its high part is beyond that of the one before, and
// a one. Any number of a stretch is read without the others. Numbers are written
// as what they are beyond a base.
const stretchRows = 64

// putStretch writes ascending numbers, all of them above base; base is -1 where
// there is no number before.
func (w *bitWriter) putStretch(numbers []uint32, base int64) {
	beyond := func(i int) uint64 { return uint64(int64(numbers[i]) - base - 1) }
	n := len(numbers)
	k := uint(max(0, bits.Len64(beyond(n-1)/uint64(n))-1))
	w.put(uint64(k), 5)
	for i := range numbers {
		w.put(beyond(i)&(1<<k-1), k)
	}
	high := uint64(0)
	for i := range numbers {
		h := beyond(i) >> k
		for ; h-high >= 32; high += 32 {
			w.put(0, 32)
		}
		w.put(1<<(h-high), uint(h-high)+1)
		high = h
	}
}

// readStretch reads n numbers from bit at on.
func readStretch(b []byte, at int, base uint32, out []uint32) {
	n := len(out)
	k := uint(getBits(b, at, 5))
	low := at + 5
	first := low + n*int(k) // of the high parts
	for i, bit := 0, first; i < n; bit += 56 {
		for word := getBits(b, bit, 56); word != 0 && i < n; word &= word - 1 {
			high := uint32(bit - first + bits.TrailingZeros64(word) - i)
			out[i] = base + 1 + (high<<k | uint32(getBits(b, low, k)))
			low += int(k)
			i++
		}
	}
}

// stretchAt reads the i-th of n numbers from bit at on.
func stretchAt(b []byte, at, n, i int, base uint32) uint32 {
	k := uint(getBits(b, at, 5))
	low := at + 5
	first := low + n*int(k)
	for bit, left := first, i; ; bit += 56 {
		word := getBits(b, bit, 56)
		if c := bits.OnesCount64(word); left >= c {
			left -= c
			continue
		}
		for ; left > 0; left-- {
			word &= word - 1
		}
		high := uint32(bit - first + bits.TrailingZeros64(word) - i)
		return base + 1 + (high<<k | uint32(getBits(b, low+i*int(k), k)))
	}
}

// getWord reads a byte-aligned 32-bit word, for tables of them.
func getWord(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
