package ledger

import (
	"encoding/binary"
	"math/bits"

	"bongsu/chain"

	"github.com/holiman/uint256"
)

// maxCommon bounds a segment's list of amounts that occur again and again.
const maxCommon = 1 << 16

// commonAmounts gives an index to amounts that occur a second time within
// reach: money moves in the same few round and priced amounts, and an index of
// some bits replaces up to 32 bytes.
type commonAmounts struct {
	list  []chain.Amount
	index map[chain.Amount]uint32
	seen  [1 << 14]chain.Amount // amounts seen once lately, by hash
}

func newCommonAmounts() *commonAmounts {
	return &commonAmounts{index: map[chain.Amount]uint32{}}
}

// find gives the amount's index, and whether it has one.
func (c *commonAmounts) find(a chain.Amount) (uint32, bool) {
	if i, ok := c.index[a]; ok {
		return i, true
	}
	w := a.Words()
	h := (w[0] ^ w[1]*31 ^ w[2]*37 ^ w[3]*41) * 0x9e3779b97f4a7c15 >> 50
	if c.seen[h] != a {
		c.seen[h] = a
		return 0, false
	}
	if len(c.list) == maxCommon {
		return 0, false
	}
	i := uint32(len(c.list))
	c.list = append(c.list, a)
	c.index[a] = i
	return i, true
}

// A rare amount is written as mantissa times ten to the exponent.
const maxExponent = 63

// minStrip is how many factors of ten an amount must have before it pays to
// write them as an exponent.
const minStrip = 6

var powersOfTen = func() (p [maxExponent + 1]chain.Amount) {
	p[0] = chain.Units(1)
	for i := 1; i <= maxExponent; i++ {
		p[i], _ = p[i-1].MulDiv(chain.Units(10), chain.Units(1))
	}
	return p
}()

// split takes the factors of ten out of an amount.
func split(a chain.Amount) (mantissa chain.Amount, exponent uint64) {
	w := a.Words()
	if a.IsZero() || twos(w) < minStrip {
		return a, 0 // divisible by 10^k only if by 2^k
	}
	if w[1]|w[2]|w[3] == 0 {
		v := w[0]
		for v%10 == 0 {
			v, exponent = v/10, exponent+1
		}
		return chain.Units(v), exponent
	}
	n, ten := uint256.Int(w), uint256.NewInt(10)
	for exponent < maxExponent {
		var q, r uint256.Int
		q.DivMod(&n, ten, &r)
		if !r.IsZero() {
			break
		}
		n, exponent = q, exponent+1
	}
	return chain.FromWords([4]uint64(n)), exponent
}

// smallPowersOfTen fit a word.
var smallPowersOfTen = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

func twos(w [4]uint64) int {
	n := 0
	for _, v := range w {
		if v != 0 {
			return n + bits.TrailingZeros64(v)
		}
		n += 64
	}
	return n
}

func join(mantissa chain.Amount, exponent uint64) chain.Amount {
	if exponent == 0 {
		return mantissa
	}
	if m, ok := mantissa.Uint64(); ok && exponent <= 19 {
		hi, lo := bits.Mul64(m, smallPowersOfTen[exponent])
		return chain.FromWords([4]uint64{lo, hi})
	}
	m, p := uint256.Int(mantissa.Words()), uint256.Int(powersOfTen[min(exponent, maxExponent)].Words())
	m.Mul(&m, &p)
	return chain.FromWords([4]uint64(m))
}

// wideLen is the width of a mantissa in units of two bits, because 256 does not
// fit a byte.
func wideLen(a chain.Amount) int { return (a.BitLen() + 1) / 2 }

// readWide writes an amount of width bits, at most 256, to out.
func readWide(b []byte, at int, width uint, out *chain.Amount) {
	if width <= 56 {
		out.SetWords(getBits(b, at, width), 0, 0, 0)
		return
	}
	if width <= 64 {
		out.SetWords(word(b, at)&(1<<width-1), 0, 0, 0)
		return
	}
	if width <= 120 {
		out.SetWords(word(b, at), getBits(b, at+64, width-64), 0, 0)
		return
	}
	var w [4]uint64
	i := 0
	for ; width > 64; i, at, width = i+1, at+64, width-64 {
		w[i] = word(b, at)
	}
	w[i] = word(b, at) & (1<<width - 1)
	out.SetWords(w[0], w[1], w[2], w[3])
}

// word is the 64 bits from bit at on.
func word(b []byte, at int) uint64 {
	off := uint(at & 7)
	b = b[at>>3:]
	return binary.LittleEndian.Uint64(b)>>off | uint64(b[8])<<(64-off)
}

func appendAmount(b []byte, a chain.Amount) []byte {
	for _, w := range a.Words() {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24), byte(w>>32), byte(w>>40), byte(w>>48), byte(w>>56))
	}
	return b
}
