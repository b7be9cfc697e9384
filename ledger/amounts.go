package ledger

import (
	"encoding/binary"
	"hash/maphash"
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
	list []chain.Amount
	slot []uint32 // by hash: an index plus one, 0 is empty
	seed [2]uint64
	seen [1 << 14]uint64 // hashes of amounts seen once lately, by their first bits
}

func newCommonAmounts() *commonAmounts {
	s := maphash.MakeSeed()
	return &commonAmounts{slot: make([]uint32, 1<<10), seed: [2]uint64{maphash.Comparable(s, 1), maphash.Comparable(s, 2)}}
}

// hash is another in every process: nobody can choose amounts that collide.
func (c *commonAmounts) hash(w [4]uint64) uint64 {
	hi, lo := bits.Mul64(w[0]^w[2]*31^c.seed[0], w[1]^w[3]*31^c.seed[1])
	return hi ^ lo
}

// find gives the amount's index, and whether it has one.
func (c *commonAmounts) find(a chain.Amount) (uint32, bool) {
	w := a.Words()
	at, ok := c.probe(a, c.hash(w))
	if ok {
		return c.slot[at] - 1, true
	}
	h := (w[0] ^ w[1]*31 ^ w[2]*37 ^ w[3]*41) * 0x9e3779b97f4a7c15 // the same everywhere: so are a segment's bytes
	if seen := &c.seen[h>>50]; *seen != h {
		*seen = h
		return 0, false
	}
	if len(c.list) == maxCommon {
		return 0, false
	}
	c.list = append(c.list, a)
	c.slot[at] = uint32(len(c.list))
	if 4*len(c.list) > len(c.slot) {
		c.grow()
	}
	return uint32(len(c.list)) - 1, true
}

// probe is the amount's slot, or the empty one that would be its.
func (c *commonAmounts) probe(a chain.Amount, h uint64) (at uint64, ok bool) {
	mask := uint64(len(c.slot) - 1)
	for at = h & mask; c.slot[at] != 0; at = (at + 1) & mask {
		if c.list[c.slot[at]-1] == a {
			return at, true
		}
	}
	return at, false
}

func (c *commonAmounts) grow() {
	c.slot = make([]uint32, 4*len(c.slot))
	for i, a := range c.list {
		at, _ := c.probe(a, c.hash(a.Words()))
		c.slot[at] = uint32(i) + 1
	}
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
