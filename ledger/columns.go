package ledger

import (
	"context"
	"encoding/binary"

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
		out[i] = commonAt(s.common, uint64(i))
	}
	return out
}

// read reads the rows [n, to), which begin at a block.
func (c *columnReader) read(s *segment, n, to uint32) {
	var b rowBlock
	rows := int(to - n)
	for done := 0; done < rows; done += blockRows {
		s.rowBlock(n+uint32(done), &b)
		end := done + min(b.rows(), rows-done)
		b.transactions(&c.at, c.memory[0][done:end])
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

// starts finds where the records begin.
func (r *rowBlock) starts(out *rowStarts) {
	from, to, asset, rare, high := r.bitmap(bitFrom), r.bitmap(bitTo), r.bitmap(bitAsset), r.bitmap(bitRare), r.bitmap(bitHigh)
	stride := uint32(binary.LittleEndian.Uint16(r.h[hdrStride:]))
	df, dt, ds := uint32(r.wider(hdrFrom)), uint32(r.wider(hdrTo)), uint32(r.wider(hdrAsset))
	// What an amount takes beyond a narrow common one, by rare and high.
	beyond := uint32(r.rareBeyond())
	dc, dr := uint32(r.wider(hdrCommon)), beyond
	dh := uint32(2*r.wider(hdrMantissa)) - dc // when both are set
	at := uint32(rowHeader * 8)
	n := r.rows()
	both := rare & high
	for i := range out[:n] {
		out[i] = at
		at += stride + -uint32(from&1)&df + -uint32(to&1)&dt + -uint32(asset&1)&ds +
			-uint32(rare&1)&dr + -uint32(high&1)&dc + -uint32(both&1)&dh
		from, to, asset, rare, high, both = from>>1, to>>1, asset>>1, rare>>1, high>>1, both>>1
	}
	out[n] = at
}

// column reads from, to or asset of the block's rows.
func (r *rowBlock) column(col int, at *rowStarts, out []uint64) {
	fields := [3]struct{ bitmap, hdr int }{{bitFrom, hdrFrom}, {bitTo, hdrTo}, {bitAsset, hdrAsset}}
	b, n := r.b, uint32(0) // of what stands before, when narrow
	var before [2]uint64   // bitmaps of what stands before
	var wider [2]uint32
	for c := range col {
		n += uint32(r.h[fields[c].hdr])
		before[c], wider[c] = r.bitmap(fields[c].bitmap), uint32(r.wider(fields[c].hdr))
	}
	f := fields[col]
	bitmap := r.bitmap(f.bitmap)
	narrow := uint64(1)<<(r.h[f.hdr]&63) - 1
	more := uint64(1)<<(r.h[f.hdr+1]&63) - 1 ^ narrow // bits that only a wide one has
	x, y := before[0], before[1]
	for i, start := range at[:len(out)] {
		k := start + n + -uint32(x&1)&wider[0] + -uint32(y&1)&wider[1]
		out[i] = binary.LittleEndian.Uint64(b[k>>3:]) >> (k & 7) & (narrow | -(bitmap&1)&more)
		x, y, bitmap = x>>1, y>>1, bitmap>>1
	}
}

// transactions are the numbers of the rows' transactions.
func (r *rowBlock) transactions(at *rowStarts, out []uint64) {
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

// amounts are all amounts of the block.
func (r *rowBlock) amounts(at *rowStarts, out []chain.Amount, common []chain.Amount) {
	rare, high := r.bitmap(bitRare), r.bitmap(bitHigh)
	var index, mantissa [2]uint32
	for i := range 2 {
		index[i], mantissa[i] = uint32(r.h[hdrCommon+i]), 2*uint32(r.h[hdrMantissa+i])
	}
	e := uint32(r.h[hdrExponent])
	b := r.b
	for i := range out {
		end, h := at[i+1], high&1
		if rare&1 == 0 {
			w := index[h]
			k := end - w
			out[i] = common[binary.LittleEndian.Uint64(b[k>>3:])>>(k&7)&(1<<(w&63)-1)]
		} else {
			w := mantissa[h]
			m := getWide(b, int(end-w), uint(w))
			if e != 0 {
				k := end - w - e
				if x := binary.LittleEndian.Uint64(b[k>>3:]) >> (k & 7) & (1<<(e&63) - 1); x != 0 {
					m = join(m, x)
				}
			}
			out[i] = m
		}
		rare, high = rare>>1, high>>1
	}
}
