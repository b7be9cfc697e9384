package ledger

import (
	"math/rand/v2"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/figures"
)

// sampleBlocks packs rows in the shape of token transfers.
func sampleBlocks(n int) (blocks [][]byte, common []byte) {
	rng := rand.New(rand.NewPCG(1, 2))
	e := &rowEncoder{common: newCommonAmounts()}
	account := func() AccountRef {
		if rng.IntN(2) == 0 {
			return AccountRef(1 + rng.IntN(1<<rng.IntN(20)))
		}
		return AccountRef(1 + rng.IntN(1<<20))
	}
	tx, place := uint32(0), uint32(0)
	rows := make([]segmentRow, blockRows)
	for range n {
		for i := range rows {
			tx += uint32(rng.IntN(2))
			if rng.IntN(150) == 0 {
				place++
			}
			amount := chain.Units(rng.Uint64() >> rng.IntN(40))
			switch rng.IntN(4) {
			case 0:
				amount = chain.Units(uint64(1+rng.IntN(500)) * 1e15)
			case 1:
				amount = chain.FromWords([4]uint64{rng.Uint64(), uint64(rng.IntN(1 << 12))})
			}
			rows[i] = segmentRow{tx, place, movement{
				from: account(), to: account(), asset: AssetRef(1 + rng.IntN(1<<rng.IntN(11))), ordinal: uint32(rng.IntN(400)), kind: chain.KindToken, amount: amount,
			}}
		}
		blocks = append(blocks, append(append([]byte(nil), e.encode(rows)...), make([]byte, 64)...))
	}
	for _, a := range e.common.list {
		common = appendAmount(common, a)
	}
	return blocks, append(common, make([]byte, sheetSlack)...)
}

// TestColumnsAreRows reads blocks by columns, row by row and bit by bit.
func TestColumnsAreRows(t *testing.T) {
	blocks, common := sampleBlocks(200)
	list := (&segment{common: common}).commonAmounts()
	for _, packed := range blocks {
		var b rowBlock
		var at rowStarts
		b.parse(packed)
		b.starts(&at)
		var cols [4][blockRows]uint64
		var amounts [blockRows]chain.Amount
		b.transactions(cols[3][:])
		for c := range 3 {
			b.column(c, &at, cols[c][:])
		}
		b.amounts(&at, amounts[:], list)
		for i := range b.rows() {
			var w segmentRow
			b.row(i, common, &w)
			if slow := slowRow(packed, common, i); slow != w {
				t.Fatalf("row %d: %+v, bit by bit %+v", i, w, slow)
			}
			got := segmentRow{tx: uint32(cols[3][i]), movement: movement{
				from: AccountRef(cols[colFrom][i]), to: AccountRef(cols[colTo][i]), asset: AssetRef(cols[colAsset][i]), amount: amounts[i],
			}}
			want := segmentRow{tx: w.tx, movement: movement{from: w.from, to: w.to, asset: w.asset, amount: w.amount}}
			if got != want || int(at[i]) != b.at(i) {
				t.Fatalf("row %d: by columns %+v, by itself %+v", i, got, want)
			}
		}
	}
}

// The sides of picked rows are those of the rows read one by one.
func TestPickedSides(t *testing.T) {
	blocks, common := sampleBlocks(200)
	var s sideReader
	for _, packed := range blocks {
		var b rowBlock
		b.parse(packed)
		s.open(&b)
		var rows [blockRows]segmentRow
		for i := range b.rows() {
			b.row(i, common, &rows[i])
		}
		for _, assets := range [][]AssetRef{nil, {}, {rows[0].asset}, {rows[b.rows()/2].asset, rows[b.rows()-1].asset, 1 << 20}} {
			for _, to := range []int{b.rows(), b.rows() / 2} {
				picked, set := s.pick(&b, setOf(assets), to), setOf(assets)
				for i := range to {
					w := &rows[i]
					if assets != nil && !slices.Contains(assets, w.asset) {
						continue
					}
					if len(picked) == 0 || int(picked[0]) != i {
						t.Fatalf("row %d of assets %v (%v) is not picked: %v", i, assets, set, picked)
					}
					sides, from, end := s.sides(&b, picked[0])
					if _, _, _, at := b.sidesOf(i, b.at(i)); sides != (Sides{w.from, w.to, w.asset}) || int(from) != b.at(i) || int(end) != at {
						t.Fatalf("row %d: %+v in bits %d to %d, by itself %+v up to bit %d", i, sides, from, end, w, at)
					}
					picked = picked[1:]
				}
				if len(picked) > 0 {
					t.Fatalf("of assets %v also %v are picked", assets, picked)
				}
			}
		}
	}
}

func BenchmarkColumns(b *testing.B) {
	blocks, common := sampleBlocks(256)
	list := (&segment{common: common}).commonAmounts()
	var at rowStarts
	var out [blockRows]uint64
	var amounts [blockRows]chain.Amount
	each := func(name string, do func(r *rowBlock)) {
		b.Run(name, func(b *testing.B) {
			var r rowBlock
			start := figures.ProcessorTime()
			for i := 0; i < b.N; i++ {
				r.parse(blocks[i%len(blocks)])
				do(&r)
			}
			b.ReportMetric(float64((figures.ProcessorTime()-start).Nanoseconds())/float64(b.N)/blockRows, "cpu-ns/row")
		})
	}
	each("starts", func(r *rowBlock) { r.starts(&at) })
	each("from", func(r *rowBlock) { r.starts(&at); r.column(colFrom, &at, out[:]) })
	each("asset", func(r *rowBlock) { r.starts(&at); r.column(colAsset, &at, out[:]) })
	var sides sideReader
	few := setOf([]AssetRef{1, 2, 3})
	each("pick", func(r *rowBlock) { sides.open(r); sides.pick(r, few, r.rows()) })
	each("amounts", func(r *rowBlock) { r.starts(&at); r.amounts(&at, amounts[:], list) })
	each("transactions", func(r *rowBlock) { r.transactions(out[:]) })
	var row Row
	each("at", func(r *rowBlock) {
		for i := range blockRows {
			at[i] = uint32(r.at(i))
		}
	})
	each("sides", func(r *rowBlock) {
		for i := range blockRows {
			row.From, row.To, row.Asset, _ = r.sidesOf(i, 700+70*i)
		}
	})
	each("fill", func(r *rowBlock) {
		for i := range blockRows {
			at := r.at(i)
			var end int
			row.From, row.To, row.Asset, end = r.sidesOf(i, at)
			r.amountAt(i, end+r.amountOffset(), common, &row.Amount)
		}
	})
}
