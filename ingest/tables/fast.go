package tables

import (
	"encoding/binary"

	"bongsu/chain"
)

// fastTransfers reads the lines of token_transfers.csv whose columns stand in
// ethereum-etl's own order and whose text is as that program writes it: lower
// case, no quotes, no spaces. It takes a third of the general reader's time, and
// this table is by far the largest. Whatever is not exactly so is left to the
// general reader, which also says what is wrong with it.
type fastTransfers struct{ e *etl }

// fastColumns is the order in which fastTransfers reads.
var fastColumns = []string{"token_address", "from_address", "to_address", "value", "transaction_hash", "log_index", "block_number"}

// The places of the columns of fixed width.
const (
	fastFrom  = 43
	fastTo    = 86
	fastValue = 129
)

// line states the transfer of a line. It reports false, and has stated nothing,
// when the general reader has to look.
func (f *fastTransfers) line(b []byte) (bool, error) {
	if len(b) < fastValue+2+66+4 || b[fastFrom-1] != ',' || b[fastTo-1] != ',' || b[fastValue-1] != ',' {
		return false, nil
	}
	rest := b[fastValue:]
	n := 0
	for n < len(rest) && rest[n] != ',' {
		n++
	}
	if n+1+66+1 >= len(rest) || rest[n+1+66] != ',' {
		return false, nil
	}
	t := f.e.out.NextToken()
	var ok bool
	if t.Amount, ok = chain.AmountFromDigits(rest[:n]); !ok {
		return false, nil
	}
	if !fastAddress(&t.Contract, b) || !fastAddress(&t.From, b[fastFrom:]) || !fastAddress(&t.To, b[fastTo:]) || !fastHash(&t.Tx, rest[n+1:]) {
		return false, nil
	}
	log, rest, ok := fastNumber(rest[n+1+66+1:], ',')
	if !ok || log >= uint64(chain.NoOrdinal) {
		return false, nil
	}
	block, rest, ok := fastNumber(rest, 0)
	if !ok || len(rest) != 0 || t.Tx == [32]byte{} {
		return false, nil
	}
	f.e.blocks.saw(block)
	t.Block, t.Time, t.Index, t.Ordinal = block, f.e.times.of(block), chain.NoIndex, uint32(log)
	return true, f.e.out.KeepToken(f.e.id)
}

// fastNumber reads up to eighteen digits, up to an end byte or the end of b.
func fastNumber(b []byte, end byte) (v uint64, rest []byte, ok bool) {
	for i, c := range b {
		if c == end && end != 0 {
			return v, b[i+1:], i > 0 && i <= 18
		}
		if c < '0' || c > '9' {
			return 0, nil, false
		}
		v = v*10 + uint64(c-'0')
	}
	return v, nil, end == 0 && len(b) > 0 && len(b) <= 18
}

// fastAddress decodes 0x and forty lower-case hexadecimal digits.
func fastAddress(dst *[20]byte, src []byte) bool {
	src = src[:42]
	bad := uint64(src[0]^'0') | uint64(src[1]^'x')
	for i := range 5 {
		v, wrong := fastHex(binary.LittleEndian.Uint64(src[2+8*i:]))
		binary.LittleEndian.PutUint32(dst[4*i:], v)
		bad |= wrong
	}
	return bad == 0
}

// fastHash decodes 0x and 64 lower-case hexadecimal digits.
func fastHash(dst *[32]byte, src []byte) bool {
	src = src[:66]
	bad := uint64(src[0]^'0') | uint64(src[1]^'x')
	for i := range 8 {
		v, wrong := fastHex(binary.LittleEndian.Uint64(src[2+8*i:]))
		binary.LittleEndian.PutUint32(dst[4*i:], v)
		bad |= wrong
	}
	return bad == 0
}

// fastHex decodes eight lower-case hexadecimal digits at a time; bad is zero
// when they all are. Of the digits' bytes, letters alone have the bit 0x40, and
// their low halves count from 1.
func fastHex(v uint64) (out uint32, bad uint64) {
	const ones = 0x0101010101010101
	letter := v >> 6 & ones
	digit := v&(0x0f*ones) + 9*letter
	bad = v&(0xf0*ones) ^ (0x30*ones + 0x30*letter) | ((digit+6*ones)>>4&ones ^ letter) | digit&(0xf0*ones)
	digit = (digit<<4 | digit>>8) & 0x00ff00ff00ff00ff
	digit = (digit | digit>>8) & 0x0000ffff0000ffff
	return uint32(digit | digit>>16), bad
}
