package ledger

import (
	"encoding/binary"
	"sync/atomic"
	"testing"

	"bongsu/chain"

	"github.com/holiman/uint256"
	"pgregory.net/rapid"
)

// slowBits reads width bits from bit at on, one by one: what the format says,
// without a thought of speed.
func slowBits(b []byte, at, width int) *uint256.Int {
	v := uint256.NewInt(0)
	for i := width - 1; i >= 0; i-- {
		v.Lsh(v, 1)
		v.Or(v, uint256.NewInt(uint64(b[(at+i)/8]>>((at+i)%8)&1)))
	}
	return v
}

// slowRow reads row i of a block by the drawing in FORMAT.md.
func slowRow(b, common []byte, i int) (w segmentRow) {
	bit := func(at, i int) int { return int(b[at+i/8] >> (i % 8) & 1) }
	fields := []struct{ bitmap, narrow int }{{40, 10}, {48, 12}, {56, 14}}
	amount := func(i int) (exponent, width int) {
		if bit(64, i) == 0 {
			return 0, int(b[16+bit(72, i)])
		}
		return int(b[18]), 2 * int(b[19+bit(72, i)])
	}
	at := 80 * 8
	for k := range i {
		for _, f := range fields {
			at += int(b[f.narrow+bit(f.bitmap, k)])
		}
		for _, n := range b[4:10] {
			at += int(n)
		}
		e, m := amount(k)
		at += e + m
	}
	next := func(width int) uint64 {
		v := slowBits(b, at, width)
		at += width
		return v.Uint64()
	}
	sides := [3]uint64{}
	for k, f := range fields {
		sides[k] = next(int(b[f.narrow+bit(f.bitmap, i)]))
	}
	w.from, w.to, w.asset = AccountRef(sides[0]), AccountRef(sides[1]), AssetRef(sides[2])
	w.ordinal = uint32(next(int(b[4]))) + binary.LittleEndian.Uint32(b[28:]) - 1
	w.place = uint32(next(int(b[5]))) + binary.LittleEndian.Uint32(b[20:])>>8
	w.tx = uint32(next(int(b[6]))) + binary.LittleEndian.Uint32(b[24:])
	for k := 0; k <= i && b[6] == 0; k++ {
		w.tx += uint32(bit(32, k))
	}
	w.row, w.nth, w.kind = uint32(next(int(b[7]))), uint32(next(int(b[8]))), chain.Kind(uint8(next(int(b[9])))+b[1])
	e, m := amount(i)
	if bit(64, i) == 0 {
		n := next(m)
		var be [32]byte
		for k := range be {
			be[31-k] = common[32*int(n)+k]
		}
		w.amount, _ = chain.AmountFromBytes(be[:])
		return w
	}
	x := next(e)
	v := slowBits(b, at, m)
	for range min(x, maxExponent) {
		v.Mul(v, uint256.NewInt(10))
	}
	w.amount = chain.FromWords([4]uint64(*v))
	return w
}

// hostile runs what reads bytes that nobody wrote, and says whether it found
// them to make no sense; any other fault stays one.
func hostile(do func()) (err error) {
	defer func() { caught(recover(), &err) }()
	do()
	return nil
}

// sane says whether a block is one that the encoder could have written as far
// as its stride and widths go: others read as something, but the two ways of
// reading need not agree on what.
func sane(b []byte) bool {
	stride := 0
	for _, at := range []int{4, 5, 6, 7, 8, 9, 10, 12, 14, 16} {
		stride += int(b[at])
	}
	for _, n := range b[4:19] {
		if n > 56 {
			return false
		}
	}
	return int(b[0]&^flagTies) == blockRows && stride == int(binary.LittleEndian.Uint16(b[2:])) && max(b[19], b[20]) <= 128 && b[3] < 2
}

// FuzzRowBlock reads hostile blocks: never a fault that is not taken for
// damage; and where the header is sound, the same rows as bit by bit, both row
// by row and by column.
func FuzzRowBlock(f *testing.F) {
	blocks, common := sampleBlocks(4)
	for _, b := range blocks {
		f.Add(b)
	}
	list := (&segment{common: common}).commonAmounts()
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < rowHeader {
			return
		}
		var r rowBlock
		r.parse(b)
		var at rowStarts
		var from [blockRows]uint64
		var amounts [blockRows]chain.Amount
		byColumn := hostile(func() {
			r.starts(&at)
			r.column(colFrom, &at, from[:])
			r.amounts(&at, amounts[:], list)
		})
		for i := range blockRows {
			var got, want segmentRow
			fast := hostile(func() { r.row(i, common, &got) })
			if !sane(b) || fast != nil {
				continue
			}
			if slow := hostile(func() { want = slowRow(b, common, i) }); slow != nil {
				continue // fast reads 8 bytes at a time, and may know less of the end than slow
			}
			if got != want {
				t.Fatalf("row %d: %+v, bit by bit %+v", i, got, want)
			}
			if byColumn == nil && (AccountRef(from[i]) != want.from || amounts[i] != want.amount) {
				t.Fatalf("row %d by columns: %d %s, bit by bit %+v", i, from[i], amounts[i].Base(), want)
			}
		}
	})
}

// goodPages are the marks of n bytes whose pages are all taken for good: the
// checksums are those of bytes that nobody wrote.
func goodPages(n int) []atomic.Uint32 {
	good := make([]atomic.Uint32, n>>sheetPageBits/32+1)
	for i := range good {
		good[i].Store(1<<32 - 1)
	}
	return good
}

// FuzzDirectory finds lists by hostile lines.
func FuzzDirectory(f *testing.F) {
	line := make([]byte, dirLine)
	line[4], line[8], line[9] = 7, 20, 8
	f.Add(line, line, []byte{1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, bitmap, lengths, lists []byte) {
		slack := make([]byte, sheetSlack)
		d := directory{bitmap: append(bitmap, slack...), lengths: append(lengths, slack...), lists: append(lists, slack...)}
		d.pages.good, d.listPages.good = goodPages(len(lengths)), goodPages(len(lists))
		for a := range AccountRef(3 * dirBitmap) {
			hostile(func() { //nolint:errcheck // damage is a good answer, too
				if n, ok := d.place(a); ok {
					at, _ := d.list(n)
					d.open(at)
				}
			})
		}
	})
}

// FuzzPostings opens hostile postings and everything they lead to.
func FuzzPostings(f *testing.F) {
	f.Add([]byte{0x1e, 0, 3, 9}, []byte{1, 2, 3, 4}, []byte{5}, []byte{1}, uint8(4))
	f.Add([]byte{0xff, 0xff, 0, 0, 0, 0, 0xff, 7, 9, 255, 255, 255, 255, 255, 255}, make([]byte, 64), make([]byte, 64), make([]byte, 64), uint8(11))
	f.Fuzz(func(t *testing.T, postings, marks, skips, balances []byte, assetBits uint8) {
		slack := make([]byte, sheetSlack)
		s := &segment{
			segmentInfo: segmentInfo{Rows: 1000, AssetBits: uint(assetBits % 33)},
			dir:         directory{lists: append(postings, slack...)}, marks: append(marks, slack...), skips: append(skips, slack...), balances: append(balances, slack...),
		}
		s.dir.listPages.good = goodPages(len(postings))
		for _, reverse := range []bool{false, true} {
			for asset := range AssetRef(3) {
				hostile(func() { //nolint:errcheck // damage is a good answer, too
					var w bookWalk
					w.start(s.openBooks(0), asset, 0, 1000, reverse)
					for range 100 {
						if len(w.take(nil, 50)) == 0 {
							break
						}
					}
					if b, ok := w.a.of(asset); ok && b.form == bigPlaces {
						b.before(b.chunks())
					}
				})
			}
		}
	})
}

func TestStretches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, stretchRows).Draw(t, "n")
		base := rapid.Int64Range(-1, 1<<30).Draw(t, "base")
		numbers, at := make([]uint32, n), base
		for i := range numbers {
			at += 1 + rapid.Int64Range(0, 1<<rapid.IntRange(0, 22).Draw(t, "bits")).Draw(t, "gap")
			numbers[i] = uint32(at)
		}
		var w bitWriter
		w.put(1, uint(rapid.IntRange(1, 20).Draw(t, "offset")))
		start := w.bitLen()
		w.putStretch(numbers, base)
		w.align()
		b := append(w.b, make([]byte, sheetSlack)...)
		all := make([]uint32, n)
		readStretch(b, start, uint32(base), all)
		for i, want := range numbers {
			if one := stretchAt(b, start, n, i, uint32(base)); all[i] != want || one != want {
				t.Fatalf("number %d: %d with the others, %d alone, want %d", i, all[i], one, want)
			}
		}
	})
}
