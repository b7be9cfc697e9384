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

// append19 appends v, which is below 10^19, with its leading zeros: three
// digits, then twice eight, none of which waits for another.
func append19(b []byte, v uint64) []byte {
	const ten8 = 100_000_000
	n := len(b)
	b = append(b, "0000000000000000000"...)
	d := b[n : n+19]
	top, low := v/ten8, v%ten8
	top, mid := top/ten8, top%ten8
	d[0] += byte(top / 100)
	d[1] += byte(top / 10 % 10)
	d[2] += byte(top % 10)
	binary.LittleEndian.PutUint64(d[3:], digits8(mid))
	binary.LittleEndian.PutUint64(d[11:], digits8(low))
	return b
}

// digits8 is the eight digits of v < 10^8 as text, the first in the lowest
// byte: v is split in halves, these in pairs, and these in digits, all lanes at
// once (division by 100 and by 10 as multiplication, exact for four and for two
// digits).
func digits8(v uint64) uint64 {
	x := v/10_000 | v%10_000<<32
	hundreds := x * 10_486 >> 20 & 0x0000007f_0000007f
	x = hundreds | (x-hundreds*100)<<16
	tens := x * 103 >> 10 & 0x000f000f_000f000f
	return tens + (x-tens*10)<<8 + 0x30303030_30303030
}

// AppendHex appends v in lower-case hexadecimal.
func AppendHex(b, v []byte) []byte {
	b = slices.Grow(b, 2*len(v))
	n := len(b)
	b = b[:n+2*len(v)]
	text := b[n:]
	for len(v) >= 8 && len(text) >= 16 {
		x := binary.BigEndian.Uint64(v)
		binary.BigEndian.PutUint64(text, spread(uint32(x>>32)))
		binary.BigEndian.PutUint64(text[8:], spread(uint32(x)))
		v, text = v[8:], text[16:]
	}
	if len(v) >= 4 && len(text) >= 8 {
		binary.BigEndian.PutUint64(text, spread(binary.BigEndian.Uint32(v)))
		v, text = v[4:], text[8:]
	}
	const digits = "0123456789abcdef"
	for i, c := range v {
		text[2*i], text[2*i+1] = digits[c>>4], digits[c&15]
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
