package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
)

// TestParts: sources that show a part of a transaction, without positions, do
// not change the order that the one with all of it tells, in whatever order and
// by whatever way they come.
func TestParts(t *testing.T) {
	for _, size := range []int{3, 12} {
		whole := make([]chain.Transfer, size)
		var want []string
		for i := range whole {
			whole[i] = chain.Transfer{
				Chain: chain.Ethereum, Block: 100, Time: 1_600_000_000_000, Tx: chain.Hash32([32]byte{7}), Kind: chain.KindInternal,
				From: chain.EVM(chain.Ethereum, [20]byte{1}), To: chain.EVM(chain.Ethereum, [20]byte{byte(99 - i)}), // by content the last is first
				Asset: chain.Ethereum.Native(), Amount: chain.Units(uint64(size - i)), Ordinal: chain.NoOrdinal,
			}
			want = append(want, fmt.Sprintf("internal %d", size-i))
		}
		source := func(rows ...int) *ledger.Facts {
			var f ledger.Facts
			for rank, i := range rows {
				m := whole[i]
				m.Row = uint32(rank)
				f.Transfers = append(f.Transfers, m)
			}
			return &f
		}
		all := make([]int, size)
		for i := range all {
			all[i] = i
		}
		sources := []*ledger.Facts{source(all...), source(size - 1), source(1, size-1)}
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
			for _, at := range []int{1, 3} { // sources in an import
				for _, bulk := range []int{0, 1} {
					l := open(t, t.TempDir(), ledger.Small(bulk, bulk))
					for part := range slices.Chunk(order, at) {
						var of []*ledger.Facts
						for _, i := range part {
							of = append(of, sources[i])
						}
						put(t, l, of...)
					}
					if got := rowsOf(t, l, chain.Ethereum); !slices.Equal(got, want) {
						t.Errorf("%d rows, order %v, %d at a time, bulk %d: %q", size, order, at, bulk, got)
					}
					if err := l.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
