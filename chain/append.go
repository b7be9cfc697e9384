package chain

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"time"
)

// What writes many rows appends its texts to one buffer: the functions here
// give the same bytes as Amount.Base, Account.String, TxID.Text and
// Time.String, without a string each.

const ten19 = 10_000_000_000_000_000_000 // the largest power of ten in 64 bits

// AppendBase appends the integer text in base units.
func (a Amount) AppendBase(b []byte) []byte {
	if a.u.IsUint64() {
		return strconv.AppendUint(b, a.u[0], 10)
	}
	w, top := a.u, 3
	var parts [5]uint64 // of 19 digits, lowest first: 5*19 > 78
	n := 0
	for ; top > 0 || w[0] >= ten19; n++ {
		for top > 0 && w[top] == 0 {
			top--
		}
		if top == 0 && w[0] < ten19 {
			break
		}
		rem := uint64(0)
		for i := top; i >= 0; i-- {
			w[i], rem = bits.Div64(rem, w[i], ten19)
		}
		parts[n] = rem
	}
	b = strconv.AppendUint(b, w[0], 10)
	for n--; n >= 0; n-- {
		b = append19(b, parts[n])
	}
	return b
}

// append19 appends v, which is below 10^19, with its leading zeros.
func append19(b []byte, v uint64) []byte {
	var d [19]byte
	for i := 17; i >= 1; i -= 2 {
		p := v % 100
		v /= 100
		d[i], d[i+1] = '0'+byte(p/10), '0'+byte(p%10)
	}
	d[0] = '0' + byte(v)
	return append(b, d[:]...)
}

// AppendHex appends v in lower-case hexadecimal.
func AppendHex(b, v []byte) []byte {
	n := len(v) &^ 3
	b = slices.Grow(b, 2*len(v))
	text := b[len(b) : len(b)+2*n]
	b = b[:len(b)+2*n]
	for ; len(v) >= 4 && len(text) >= 8; v, text = v[4:], text[8:] {
		binary.BigEndian.PutUint64(text, spread(binary.BigEndian.Uint32(v)))
	}
	const digits = "0123456789abcdef"
	for _, c := range v {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// spread is the eight hexadecimal digits of v as text, the first in the
// highest byte: each digit gets a byte, then '0', and 39 more from ten on.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	letters := (x + 0x0606060606060606) >> 4 & 0x0101010101010101
	return x + 0x3030303030303030 + letters*('a'-'0'-10)
}

// AppendText appends the CAIP-10 text, nothing for the zero. It never fails.
func (a Account) AppendText(b []byte) ([]byte, error) {
	if a.form != FormEVM {
		return append(b, a.String()...), nil
	}
	b = append(append(b, a.chain...), ":0x"...)
	return AppendHex(b, a.raw[:a.n]), nil
}

// AppendTo appends the id's text on a chain, as Text writes it.
func (t TxID) AppendTo(b []byte, id ID) []byte {
	if t.n != 32 {
		return append(b, t.Text(id)...)
	}
	if id.EVM() {
		b = append(b, "0x"...)
	}
	return AppendHex(b, t.b[:32])
}

// AppendText appends RFC 3339 in UTC. It never fails.
func (t Time) AppendText(b []byte) ([]byte, error) {
	if t == 0 {
		return b, nil
	}
	if t%1000 == 0 {
		return t.Std().AppendFormat(b, time.RFC3339), nil
	}
	return t.Std().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00"), nil
}
