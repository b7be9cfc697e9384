package chain

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"bongsu/errs"

	"github.com/holiman/uint256"
)

// Amount is a number of base units of one asset, from 0 to 2^256-1. It is
// exact, comparable and never negative; the zero is nothing.
type Amount struct{ u uint256.Int }

// Units is the amount of n base units.
func Units(n uint64) Amount { return Amount{*uint256.NewInt(n)} }

// AmountFromBytes reads a big-endian integer of at most 32 bytes.
func AmountFromBytes(b []byte) (Amount, bool) {
	if len(b) > 32 {
		return Amount{}, false
	}
	var a Amount
	a.u.SetBytes(b)
	return a, true
}

// Bytes32 is the big-endian form.
func (a Amount) Bytes32() [32]byte { return a.u.Bytes32() }

// Uint64 is the amount and whether it fits.
func (a Amount) Uint64() (uint64, bool) { return a.u.Uint64(), a.u.IsUint64() }

// Words are the four 64-bit limbs, lowest first.
func (a Amount) Words() [4]uint64 { return [4]uint64(a.u) }

// FromWords is the inverse of Words.
func FromWords(w [4]uint64) Amount { return Amount{uint256.Int(w)} }

// SetWords makes a what FromWords gives, in place: for reading millions of
// amounts into memory that is there, where a value on the way costs more than
// the reading.
func (a *Amount) SetWords(w0, w1, w2, w3 uint64) {
	a.u[0], a.u[1], a.u[2], a.u[3] = w0, w1, w2, w3
}

// BitLen is the number of bits needed.
func (a Amount) BitLen() int { return a.u.BitLen() }

// IsZero says whether the amount is nothing.
func (a Amount) IsZero() bool { return a.u.IsZero() }

// Cmp is -1, 0 or 1.
func (a Amount) Cmp(b Amount) int { return a.u.Cmp(&b.u) }

// Less says a < b.
func (a Amount) Less(b Amount) bool { return a.u.Lt(&b.u) }

// Min is the smaller of two.
func (a Amount) Min(b Amount) Amount {
	if b.Less(a) {
		return b
	}
	return a
}

// Add is a+b, and whether it fits.
func (a Amount) Add(b Amount) (Amount, bool) {
	var r Amount
	_, over := r.u.AddOverflow(&a.u, &b.u)
	return r, !over
}

// Sub is a-b, and whether it is not negative.
func (a Amount) Sub(b Amount) (Amount, bool) {
	var r Amount
	_, under := r.u.SubOverflow(&a.u, &b.u)
	return r, !under
}

// MustAdd adds amounts whose sum cannot exceed an asset's supply; an overflow
// is a programmer's mistake and panics.
func (a Amount) MustAdd(b Amount) Amount {
	r, ok := a.Add(b)
	if !ok {
		panic("chain: amount overflow")
	}
	return r
}

// MustSub subtracts where the caller knows b <= a.
func (a Amount) MustSub(b Amount) Amount {
	r, ok := a.Sub(b)
	if !ok {
		panic("chain: negative amount")
	}
	return r
}

// MulDiv is floor(a*m/d) with a 512-bit product, and whether it fits. d zero
// does not fit.
func (a Amount) MulDiv(m, d Amount) (Amount, bool) {
	if d.IsZero() {
		return Amount{}, false
	}
	var r Amount
	_, over := r.u.MulDivOverflow(&a.u, &m.u, &d.u)
	return r, !over
}

// Base is the integer text in base units.
func (a Amount) Base() string { return a.u.Dec() }

// Decimal is the text in whole units, exact, without trailing zeros.
func (a Amount) Decimal(decimals uint8) string {
	s := a.u.Dec()
	d := int(decimals)
	if d == 0 {
		return s
	}
	if len(s) <= d {
		s = strings.Repeat("0", d-len(s)+1) + s
	}
	whole, frac := s[:len(s)-d], strings.TrimRight(s[len(s)-d:], "0")
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// ParseBase reads an integer text of base units.
func ParseBase(s string) (Amount, error) {
	var a Amount
	if s == "" || len(s) > 78 || !digits(s) || a.u.SetFromDecimal(s) != nil {
		return Amount{}, badAmount(s, "not a whole number below 2^256")
	}
	return a, nil
}

// ParseDecimal reads an exact decimal of whole units ("1345.5", "1e-05" and
// "2.5E3" too) and refuses what the asset's decimals cannot hold.
func ParseDecimal(s string, decimals uint8) (Amount, error) {
	mantissa, exp, err := splitExponent(s)
	if err != nil {
		return Amount{}, err
	}
	whole, frac, dotted := strings.Cut(mantissa, ".")
	if !digits(whole) || !digits(frac) || whole+frac == "" || (dotted && frac == "" && whole == "") || len(mantissa) > 200 {
		return Amount{}, badAmount(s, "not a decimal number")
	}
	shift := int(decimals) + exp - len(frac)
	text := strings.TrimLeft(whole+frac, "0")
	for shift < 0 && strings.HasSuffix(text, "0") {
		text, shift = text[:len(text)-1], shift+1
	}
	switch {
	case text == "":
		return Amount{}, nil
	case shift < 0:
		return Amount{}, badAmount(s, "has more decimals than the asset")
	case len(text)+shift > 78:
		return Amount{}, badAmount(s, "larger than 2^256-1 base units")
	}
	return ParseBase(text + strings.Repeat("0", shift))
}

func splitExponent(s string) (mantissa string, exp int, err error) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, nil
	}
	e := s[i+1:]
	neg := strings.HasPrefix(e, "-")
	if neg || strings.HasPrefix(e, "+") {
		e = e[1:]
	}
	if e == "" || !digits(e) {
		return "", 0, badAmount(s, "not a decimal number")
	}
	if e = strings.TrimLeft(e, "0"); len(e) > 3 {
		return "", 0, badAmount(s, "not a decimal number")
	}
	for _, c := range e {
		exp = exp*10 + int(c-'0')
	}
	if neg {
		exp = -exp
	}
	return s[:i], exp, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func badAmount(s, why string) error {
	return errs.New("amount", errs.Invalid, clip(s), why, "write an exact decimal in whole units, with a point and no separators")
}

// MarshalText writes base units.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.Base()), nil }

// UnmarshalText reads base units.
func (a *Amount) UnmarshalText(b []byte) error {
	v, err := ParseBase(string(b))
	if err == nil {
		*a = v
	}
	return err
}

// Money is an amount with its asset.
type Money struct {
	Asset  Asset
	Amount Amount
}

// IsRoundingOf says whether a is what is left of e when its last digits are
// rounded off, up or down: a ends in more zeros, and differs from e by less
// than one in its own last digit that is not zero. No amount is a rounding of
// itself, and zero is none of any. The relation is transitive: what a's last
// digit allows ends at numbers that a finer rounding can write too, so that no
// amount beyond them rounds to one within.
func (a Amount) IsRoundingOf(e Amount) bool {
	if a.IsZero() {
		return false
	}
	unit, coarser := trailing(a)
	if of, _ := trailing(e); !coarser || !of.Less(unit) {
		return false
	}
	low, high := a, e
	if high.Less(low) {
		low, high = high, low
	}
	gap, _ := high.Sub(low)
	return gap.Less(unit)
}

// trailing is the power of ten of the last digit that is not zero; ok is false
// when that is the very last.
func trailing(a Amount) (unit Amount, ok bool) {
	unit = Units(1)
	if a.IsZero() {
		return unit, false
	}
	ten := uint256.NewInt(10)
	var quotient, rest uint256.Int
	for v := a.u; ; v = quotient {
		if quotient.DivMod(&v, ten, &rest); !rest.IsZero() {
			return unit, unit != Units(1)
		}
		unit.u.Mul(&unit.u, ten)
	}
}

// AmountFromDigits reads decimal digits of base units, without allocating. It
// reports false for anything else, and for 2^256 and more.
func AmountFromDigits(b []byte) (Amount, bool) {
	if len(b) == 0 || len(b) > 78 {
		return Amount{}, false
	}
	var a Amount
	used := 1 // limbs of a
	for len(b) > 0 {
		var word, scale uint64 = 0, 1
		if len(b) >= 16 {
			high, ok := eightDigits(b)
			low, ok2 := eightDigits(b[8:])
			if !ok || !ok2 {
				return Amount{}, false
			}
			word, scale, b = high*1e8+low, 1e16, b[16:]
		} else {
			for _, c := range b {
				if c < '0' || c > '9' {
					return Amount{}, false
				}
				word, scale = word*10+uint64(c-'0'), scale*10
			}
			b = nil
		}
		for i := range used {
			hi, lo := bits.Mul64(a.u[i], scale)
			var c uint64
			a.u[i], c = bits.Add64(lo, word, 0)
			word = hi + c
		}
		if word == 0 {
			continue
		}
		if used == len(a.u) {
			return Amount{}, false
		}
		a.u[used] = word
		used++
	}
	return a, true
}

// eightDigits reads the first eight decimal digits of b at a time: neighbours
// are joined to pairs, pairs to fours, fours to the whole.
func eightDigits(b []byte) (uint64, bool) {
	const ones = 0x0101010101010101
	v := binary.LittleEndian.Uint64(b)
	if v&(0xf0*ones) != 0x30*ones || (v+0x06*ones)&(0xf0*ones) != 0x30*ones {
		return 0, false
	}
	v &= 0x0f * ones
	v = (v*10 + v>>8) & 0x00ff00ff00ff00ff
	v = (v*100 + v>>16) & 0x0000ffff0000ffff
	return (v*10000 + v>>32) & 0xffffffff, true
}
