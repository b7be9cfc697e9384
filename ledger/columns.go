package ledger

import (
	"context"
	"encoding/binary"
	"math/bits"

	"bongsu/chain"
)

// Columns is a stretch of a chain's rows as columns: for reading everything,
// where Scan would cost more than what is in them. The slices are reused.
type Columns struct {
	From, To []uint64 // AccountRef
	Asset    []uint64 // AssetRef
	Place    []uint64 // the transaction's number in chain order inside its segment
	Amount   []chain.Amount
}

// Wanted says which columns a ScanColumns reads; the others are left empty.
type Wanted uint8

// The columns. Place comes with each.
const (
	WantFrom Wanted = 1 << iota
	WantTo
	WantAsset
	WantAmount
)

// ScanColumns calls yield with all rows of a chain that lie in segments, in
// chain order, from this snapshot. Rows that are still in the head, and those
// that a layer over the segments changes, are not looked at: it serves whole
// statistics and measurements, not tracing.
func ScanColumns(ctx context.Context, r Reader, id chain.ID, want Wanted, yield func(*Columns) error) (err error) {
	v, ok := r.(*view)
	if !ok {
		return nil
	}
	defer v.guard(&err)
	c := newColumnReader(want)
	for _, s := range v.below.byChain[RefOfChain(id)] {
		c.common = s.commonAmounts()
		for n := uint32(0); uint64(n) < s.Rows; n += columnRows {
			s.readOn(n)
			c.read(s, n, uint32(min(s.Rows, uint64(n)+columnRows)))
			if err := yield(&c.Columns); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnRows is how many rows ScanColumns hands over at once: what a core
// keeps near, and whole blocks.
const columnRows = 16 * blockRows

// columnReader reads columns of one segment after another.
type columnReader struct {
	Columns
	want   Wanted
	common []chain.Amount
	at     rowStarts
	memory [4][columnRows]uint64
	money  [columnRows]chain.Amount
}

func newColumnReader(want Wanted) *columnReader { return &columnReader{want: want} }

func (s *segment) commonAmounts() []chain.Amount {
	out := make([]chain.Amount, (len(s.common)-sheetSlack)/32)
	for i := range out {
		readCommon(s.common, uint64(i), &out[i])
	}
	return out
}

// read reads the rows [n, to), which begin at a block.
func (c *columnReader) read(s *segment, n, to uint32) {
	var b rowBlock
	rows := int(to - n)
	for done := 0; done < rows; done += blockRows {
		s.rowBlock(n+uint32(done), &b)
		end := min(done+blockRows, rows)
		if b.rows() != end-done {
			panic(damage("a block of rows has too many or too few"))
		}
		b.transactions(c.memory[0][done:end])
		if c.want != 0 {
			b.starts(&c.at)
		}
		for i, w := range [...]Wanted{WantFrom, WantTo, WantAsset} {
			if c.want&w != 0 {
				b.column(i, &c.at, c.memory[i+1][done:end])
			}
		}
		if c.want&WantAmount != 0 {
			b.amounts(&c.at, c.money[done:end], c.common)
		}
	}
	c.Place = c.memory[0][:rows]
	for i, w := range [...]Wanted{WantFrom, WantTo, WantAsset} {
		*[...]*[]uint64{&c.From, &c.To, &c.Asset}[i] = c.memory[i+1][:wanted(c.want&w, rows)]
	}
	c.Amount = c.money[:wanted(c.want&WantAmount, rows)]
}

func wanted(w Wanted, n int) int {
	if w == 0 {
		return 0
	}
	return n
}

// rowStarts is where each record of a block begins, and where the last ends,
// in bits.
type rowStarts [blockRows + 1]uint32

// lanes has the bits of its index in eight bytes, a byte each.
var lanes = func() (t [256]uint64) {
	for i := range t {
		for bit := range 8 {
			t[i] |= uint64(i>>bit&1) << (8 * bit)
		}
	}
	return t
}()

// starts finds where the records begin. How long a record is depends on five
// bits: a table of 32 lengths is added up, eight rows' bits at a time.
func (r *rowBlock) starts(out *rowStarts) {
	bitmaps := [5]uint64{r.bitmap(bitFrom), r.bitmap(bitTo), r.bitmap(bitAsset), r.bitmap(bitRare), r.bitmap(bitHigh)}
	length := r.lengths()
	at := uint32(rowHeader * 8)
	for i := 0; i < blockRows; i += 8 {
		which := widths(&bitmaps, i)
		for k := range out[i : i+8] {
			out[i+k] = at
			at += length[which&31]
			which >>= 8
		}
	}
	out[blockRows] = at
}

// widths has a byte for each of eight rows from i on, with a bit from each
// bitmap.
func widths(bitmaps *[5]uint64, i int) uint64 {
	return lanes[bitmaps[0]>>i&255] | lanes[bitmaps[1]>>i&255]<<1 | lanes[bitmaps[2]>>i&255]<<2 |
		lanes[bitmaps[3]>>i&255]<<3 | lanes[bitmaps[4]>>i&255]<<4
}

// lengths are the lengths of records by their bits: from, to and asset wide,
// amount rare, amount wide.
func (r *rowBlock) lengths() (out [32]uint32) {
	out[0] = uint32(binary.LittleEndian.Uint16(r.h[hdrStride:]))
	for i, d := range [3]int{r.wider(hdrFrom), r.wider(hdrTo), r.wider(hdrAsset)} {
		for k := range 1 << i {
			out[1<<i+k] = out[k] + uint32(d)
		}
	}
	rare, index, mantissa := uint32(r.rareBeyond()), uint32(r.wider(hdrCommon)), uint32(2*r.wider(hdrMantissa))
	for k := range 8 {
		out[8+k], out[16+k], out[24+k] = out[k]+rare, out[k]+index, out[k]+rare+mantissa
	}
	return out
}

// column reads from, to or asset of the block's rows.
func (r *rowBlock) column(col int, at *rowStarts, out []uint64) {
	switch col {
	case colFrom:
		r.field(hdrFrom, bitFrom, at, out)
	case colTo:
		f := rowStarts{}
		r.behind(hdrFrom, bitFrom, at, &f)
		r.field(hdrTo, bitTo, &f, out)
	case colAsset:
		f, t := rowStarts{}, rowStarts{}
		r.behind(hdrFrom, bitFrom, at, &f)
		r.behind(hdrTo, bitTo, &f, &t)
		r.field(hdrAsset, bitAsset, &t, out)
	}
}

// sideColumns reads from, to and asset of the block's rows, by one load a row
// where all three fit one.
func (r *rowBlock) sideColumns(at *rowStarts, from, to, asset []uint64) {
	if int(r.h[hdrFrom+1])+int(r.h[hdrTo+1])+int(r.h[hdrAsset+1]) > oneLoad {
		r.column(colFrom, at, from)
		r.column(colTo, at, to)
		r.column(colAsset, at, asset)
		return
	}
	b := r.b
	f, t, a := r.bitmap(bitFrom), r.bitmap(bitTo), r.bitmap(bitAsset)
	widths := [6]uint8{r.h[hdrFrom], r.h[hdrFrom+1], r.h[hdrTo], r.h[hdrTo+1], r.h[hdrAsset], r.h[hdrAsset+1]}
	to, asset = to[:len(from)], asset[:len(from)]
	for i, k := range at[:len(from)] {
		v := binary.LittleEndian.Uint64(b[k>>3:]) >> (k & 7)
		w := widths[f&1] & 63
		from[i] = v & (1<<w - 1)
		v >>= w
		w = widths[2+(t&1)] & 63
		to[i] = v & (1<<w - 1)
		v >>= w
		asset[i] = v & (1<<(widths[4+(a&1)]&63) - 1)
		f, t, a = f>>1, t>>1, a>>1
	}
}

// oneLoad is how many bits a load of eight bytes has from any bit of the first.
const oneLoad = 57

// behind is where a field of two widths ends that begins at at.
func (r *rowBlock) behind(field, bitmap int, at, out *rowStarts) {
	wide, narrow, more := r.bitmap(bitmap), uint32(r.h[field]), uint32(r.wider(field))
	for i := range out[:blockRows] {
		out[i] = at[i] + narrow + -uint32(wide&1)&more
		wide >>= 1
	}
}

// field reads a field of two widths that begins at at.
func (r *rowBlock) field(field, bitmap int, at *rowStarts, out []uint64) {
	b, wide := r.b, r.bitmap(bitmap)
	narrow := uint64(1)<<(r.h[field]&63) - 1
	more := (uint64(1)<<(r.h[field+1]&63) - 1) ^ narrow // bits that only a wide one has
	for i, k := range at[:len(out)] {
		out[i] = binary.LittleEndian.Uint64(b[k>>3:]) >> (k & 7) & (narrow | -(wide&1)&more)
		wide >>= 1
	}
}

// transactions are the numbers of the rows' transactions.
func (r *rowBlock) transactions(out []uint64) {
	tx := uint64(r.firstTx())
	if r.h[hdrTx] != 0 {
		for i := range out {
			out[i] = uint64(r.tx(i))
		}
		return
	}
	bitmap := r.bitmap(bitTx)
	for i := range out {
		tx += bitmap & 1
		out[i] = tx
		bitmap >>= 1
	}
}

// amounts are all amounts of the block: first the common ones of one width,
// then those of the other, then the rare ones, so that no branch depends on a
// row.
func (r *rowBlock) amounts(at *rowStarts, out []chain.Amount, common []chain.Amount) {
	all := uint64(1)<<(uint(len(out))&63) - 1
	if len(out) == blockRows {
		all = ^uint64(0)
	}
	rare, high := r.bitmap(bitRare)&all, r.bitmap(bitHigh)
	for wide, rows := range [2]uint64{all &^ rare &^ high, all &^ rare & high} {
		w := uint32(r.h[hdrCommon+wide])
		mask := uint64(1)<<(w&63) - 1
		for ; rows != 0; rows &= rows - 1 {
			i := bits.TrailingZeros64(rows)
			k := at[i+1] - w
			out[i] = common[binary.LittleEndian.Uint64(r.b[k>>3:])>>(k&7)&mask]
		}
	}
	for wide, rows := range [2]uint64{rare &^ high, rare & high} {
		w := 2 * uint32(r.h[hdrMantissa+wide])
		switch {
		case w <= 56:
			r.rareWord(at, out, rows, w)
		case w <= 120:
			r.rarePair(at, out, rows, w)
		default:
			for ; rows != 0; rows &= rows - 1 {
				i := bits.TrailingZeros64(rows)
				r.amountAt(i, int(at[i+1]-w)-int(r.h[hdrExponent]), nil, &out[i])
			}
		}
	}
}

// rareWord reads rare amounts whose mantissas have at most 56 bits.
func (r *rowBlock) rareWord(at *rowStarts, out []chain.Amount, rows uint64, w uint32) {
	b, e := r.b, uint32(r.h[hdrExponent])
	mask, exponents := uint64(1)<<(w&63)-1, uint64(1)<<(e&63)-1
	for ; rows != 0; rows &= rows - 1 {
		i := bits.TrailingZeros64(rows)
		k := at[i+1] - w
		m := binary.LittleEndian.Uint64(b[k>>3:]) >> (k & 7) & mask
		if e == 0 {
			out[i].SetWords(m, 0, 0, 0)
			continue
		}
		k -= e
		x := binary.LittleEndian.Uint64(b[k>>3:]) >> (k & 7) & exponents
		if x >= uint64(len(smallPowersOfTen)) {
			out[i] = join(chain.Units(m), x)
			continue
		}
		hi, lo := bits.Mul64(m, smallPowersOfTen[x])
		out[i].SetWords(lo, hi, 0, 0)
	}
}

// rarePair reads rare amounts whose mantissas have at most 120 bits.
func (r *rowBlock) rarePair(at *rowStarts, out []chain.Amount, rows uint64, w uint32) {
	b, e := r.b, uint32(r.h[hdrExponent])
	exponents := uint64(1)<<(e&63) - 1
	low, high := ^uint64(0), uint64(0)
	if w < 64 {
		low = 1<<w - 1
	} else {
		high = 1<<(w-64) - 1
	}
	for ; rows != 0; rows &= rows - 1 {
		i := bits.TrailingZeros64(rows)
		k := at[i+1] - w
		next := binary.LittleEndian.Uint64(b[k>>3+8:])
		lo := (binary.LittleEndian.Uint64(b[k>>3:])>>(k&7) | next<<1<<(63-k&7)) & low
		hi := next >> (k & 7) & high
		out[i].SetWords(lo, hi, 0, 0)
		if e != 0 {
			k -= e
			if x := binary.LittleEndian.Uint64(b[k>>3:]) >> (k & 7) & exponents; x != 0 {
				out[i] = join(out[i], x)
			}
		}
	}
}
