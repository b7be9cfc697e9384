package ledger

import (
	"context"

	"bongsu/chain"
)

// Columns is a stretch of a chain's rows as columns: for reading everything,
// where Rows would cost more than what is in them. The slices are reused.
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
	c := newColumns()
	for _, s := range v.below.byChain[RefOfChain(id)] {
		var b rowBlock
		common := s.commonAmounts()
		for n := uint32(0); uint64(n) < s.Rows; n += blockRows {
			s.rowBlock(n, &b)
			c.read(&b, want, common)
			if err := yield(c); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func newColumns() *Columns {
	return &Columns{
		From: make([]uint64, blockRows), To: make([]uint64, blockRows), Asset: make([]uint64, blockRows),
		Place: make([]uint64, blockRows), Amount: make([]chain.Amount, blockRows),
	}
}

func (s *segment) commonAmounts() []chain.Amount {
	out := make([]chain.Amount, (len(s.common)-sheetSlack)/32)
	for i := range out {
		out[i] = commonAt(s.common, uint64(i))
	}
	return out
}

func (c *Columns) read(b *rowBlock, want Wanted, common []chain.Amount) {
	n := b.n
	c.Place = c.Place[:n]
	b.places(c.Place)
	for _, col := range [3]struct {
		want Wanted
		col  int
		to   *[]uint64
	}{{WantFrom, colFrom, &c.From}, {WantTo, colTo, &c.To}, {WantAsset, colAsset, &c.Asset}} {
		*col.to = (*col.to)[:0]
		if want&col.want != 0 {
			*col.to = (*col.to)[:n]
			b.cols[col.col].all(b.b[b.at[col.col]:], *col.to)
		}
	}
	c.Amount = c.Amount[:0]
	if want&WantAmount != 0 {
		c.Amount = c.Amount[:n]
		b.amounts(c.Amount, common)
	}
}

// places are the transactions' numbers.
func (r *rowBlock) places(out []uint64) {
	if !r.steps {
		r.cols[colTx].all(r.b[r.at[colTx]:], out)
		for i := range out {
			out[i] += uint64(r.tx0)
		}
		return
	}
	bitmap, tx := r.b[r.at[colTx]:], uint64(r.tx0)
	for i := range out {
		tx += uint64(bitmap[i>>3] >> (i & 7) & 1)
		out[i] = tx
	}
}

// amounts are all amounts of the block.
func (r *rowBlock) amounts(out []chain.Amount, common []chain.Amount) {
	const head = 12 + rowColumns*tierHeader
	h, at := r.b[head:head+8], r.at[rowColumns]
	commons := int(h[0])
	ct := tier{h[1], h[2], h[3]}
	var index [blockRows]uint64
	mixed := commons > 0 && commons < r.n
	bitmap := r.b[at:]
	if mixed {
		at += tierBitmap
	}
	ct.all(r.b[at:], index[:commons])
	if commons == r.n {
		for i := range out {
			out[i] = common[index[i]]
		}
		return
	}
	at += ct.size(commons)
	et, wt := tier{low: h[4]}, tier{h[5], h[6], h[7]}
	var exps [blockRows]uint64
	et.all(r.b[at:], exps[:r.n-commons])
	rare := r.b[at+et.size(r.n-commons):]
	k, m := 0, 0
	for i := range out {
		if mixed && bitmap[i>>3]>>(i&7)&1 == 1 {
			out[i] = common[index[k]]
			k++
			continue
		}
		out[i] = join(wt.wideAt(rare, m), exps[m])
		m++
	}
}
