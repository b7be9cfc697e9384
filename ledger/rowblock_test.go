package ledger

import (
	"testing"

	"bongsu/chain"

	"pgregory.net/rapid"
)

func drawAmount(t *rapid.T) chain.Amount {
	switch rapid.IntRange(0, 3).Draw(t, "shape") {
	case 0:
		return chain.Units(rapid.Uint64Range(0, 5).Draw(t, "small"))
	case 1:
		a, _ := chain.Units(rapid.Uint64().Draw(t, "m")).MulDiv(powersOfTen[rapid.IntRange(0, 38).Draw(t, "e")], chain.Units(1))
		return a
	}
	var w [4]uint64
	for i := range rapid.IntRange(1, 4).Draw(t, "limbs") {
		w[i] = rapid.Uint64().Draw(t, "limb")
	}
	return chain.FromWords(w)
}

func TestRowBlockRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &rowEncoder{common: newCommonAmounts()}
		var blocks [][]segmentRow
		var packed [][]byte
		for range rapid.IntRange(1, 3).Draw(t, "blocks") {
			rows := make([]segmentRow, rapid.IntRange(1, blockRows).Draw(t, "rows"))
			tx, place := rapid.Uint32Range(0, 1<<30).Draw(t, "tx"), rapid.Uint32Range(0, 1<<23).Draw(t, "place")
			wide := rapid.Uint64Range(1, 1<<39).Draw(t, "accounts")
			for i := range rows {
				tx += rapid.SampledFrom([]uint32{0, 0, 1, 1, 1, 2, 700}).Draw(t, "step")
				place += rapid.SampledFrom([]uint32{0, 0, 0, 1, 90}).Draw(t, "block")
				rows[i] = segmentRow{tx, place, movement{
					from: AccountRef(rapid.Uint64Range(0, wide).Draw(t, "from")), to: AccountRef(rapid.Uint64Range(0, 9).Draw(t, "to")),
					asset: AssetRef(rapid.Uint32Range(0, 900).Draw(t, "asset")), nth: rapid.Uint32Range(0, 2).Draw(t, "nth"),
					ordinal: rapid.Uint32().Draw(t, "ordinal"), row: rapid.Uint32Range(0, 3).Draw(t, "row"),
					kind: chain.Kind(rapid.IntRange(1, 5).Draw(t, "kind")), amount: drawAmount(t),
				}}
			}
			blocks = append(blocks, rows)
			packed = append(packed, append(append([]byte(nil), e.encode(rows)...), make([]byte, 64)...))
		}
		var common []byte
		for _, a := range e.common.list {
			common = appendAmount(common, a)
		}
		for k, rows := range blocks {
			var b rowBlock
			b.parse(packed[k])
			for i := range rows {
				var got segmentRow
				b.row(i, common, &got)
				if got != rows[i] {
					t.Fatalf("block %d row %d: got %+v, want %+v", k, i, got, rows[i])
				}
			}
		}
	})
}

func TestBitCodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w bitWriter
		k := uint(rapid.IntRange(0, 31).Draw(t, "k"))
		gammas := rapid.SliceOfN(rapid.Uint64Range(1, 1<<27), 1, 50).Draw(t, "gammas")
		rices := rapid.SliceOfN(rapid.Uint64Range(0, 1<<32), 1, 50).Draw(t, "rices")
		for _, v := range gammas {
			w.gamma(v)
		}
		for _, v := range rices {
			w.rice(v, k)
		}
		w.align()
		r := bitReader{b: append(w.b, make([]byte, 16)...)}
		for _, v := range gammas {
			if got := r.gamma(); got != v {
				t.Fatalf("gamma: got %d, want %d", got, v)
			}
		}
		for _, v := range rices {
			if got := r.rice(k); got != v {
				t.Fatalf("rice(%d): got %d, want %d", k, got, v)
			}
		}
		values := rapid.SliceOfN(rapid.Uint64Range(0, 1<<rapid.IntRange(0, 40).Draw(t, "bits")), 1, tierRows).Draw(t, "values")
		values = append(values[:len(values)-1:len(values)-1], values[0]>>20)
		p := planTier(values)
		col := append(appendTier(nil, p, values), make([]byte, 16)...)
		if len(col) != p.size(len(values))+16 {
			t.Fatalf("size %d, column %d", p.size(len(values)), len(col)-16)
		}
		for i, v := range values {
			if got := p.at(col, i); got != v {
				t.Fatalf("tier %+v: %d is %d, want %d", p, i, got, v)
			}
		}
	})
}
