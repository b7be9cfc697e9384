package ledger

import (
	"cmp"
	"context"
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"bongsu/chain"

	"pgregory.net/rapid"
)

// idSegment writes a segment of one block whose transactions have these ids.
func idSegment(t *rapid.T, dir string, number uint64, ids []chain.TxID) *segment {
	w, err := newSegmentWriter(lazyDisk{}, dir, number, chain.Ethereum)
	if err != nil {
		t.Fatal(err)
	}
	b := mergedBlock{state: blockState{number: number}}
	for _, id := range ids {
		b.txs = append(b.txs, mergedTx{id: id, index: chain.NoIndex})
	}
	if err := w.add(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := w.finish(); err != nil {
		t.Fatal(err)
	}
	s, err := openSegment(dir, number)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drawIDs draws ids of few beginnings, so that buckets are small and big.
func drawIDs(t *rapid.T, name string, pool []chain.TxID) []chain.TxID {
	n := rapid.SampledFrom([]int{1, 2, 7, 40, 300, 3000}).Draw(t, name)
	random := rapid.Uint64().Draw(t, name+" seed")
	out := make([]chain.TxID, n)
	for i := range out {
		random = random*6364136223846793005 + 1442695040888963407
		if random>>60 == 0 && len(pool) > 0 {
			out[i] = pool[random>>32%uint64(len(pool))]
			continue
		}
		raw := make([]byte, 32)
		binary.BigEndian.PutUint64(raw, random&(random<<7|1<<62))
		if random>>59&3 == 0 {
			binary.BigEndian.PutUint64(raw, 0x1234<<48) // alike
		}
		binary.BigEndian.PutUint64(raw[24:], random>>20)
		out[i], _ = chain.NewTxID(raw)
	}
	return out
}

// TestTwins finds what two segments share, and what one has twice, in every
// way.
func TestTwins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "twins")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		mine := drawIDs(t, "mine", nil)
		others := drawIDs(t, "others", mine)
		s, o := idSegment(t, dir, 1, mine), idSegment(t, dir, 2, others)
		places := map[chain.TxID][]uint32{}
		for m, id := range others {
			places[id] = append(places[id], uint32(m))
		}
		var want, within []twin
		for n, id := range mine {
			for _, m := range places[id] {
				want = append(want, twin{uint32(n), m})
			}
		}
		clear(places)
		for n, id := range mine {
			for _, m := range places[id] {
				within = append(within, twin{uint32(n), m})
			}
			places[id] = append(places[id], uint32(n))
		}
		for name, find := range map[string]finder{"twins": s.twins, "join": s.join, "lookUp": s.lookUp} {
			checkTwins(t, name, find, o, want)
			checkTwins(t, name+" of itself", higher(find), s, within)
		}
	})
}

type finder func(ctx context.Context, o *segment, use func(n, m uint32)) error

// higher gives the higher number of two first.
func higher(find finder) finder {
	return func(ctx context.Context, o *segment, use func(n, m uint32)) error {
		return find(ctx, o, func(n, m uint32) { use(max(n, m), min(n, m)) })
	}
}

func checkTwins(t *rapid.T, what string, find finder, o *segment, want []twin) {
	var got []twin
	if err := find(context.Background(), o, func(n, m uint32) { got = append(got, twin{n, m}) }); err != nil {
		t.Fatal(err)
	}
	want = slices.Clone(want)
	order := func(a, b twin) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.m, b.m)) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		t.Fatalf("%s: %d twins, want %d", what, len(got), len(want))
	}
}
