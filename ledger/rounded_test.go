package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
)

// TestRounded: a fee and a value that another source states more exactly count
// once, in whatever order and by whatever way they come, on EVM chains alone.
func TestRounded(t *testing.T) {
	ctx := context.Background()
	account := func(n byte) chain.Account { return chain.EVM(chain.Ethereum, [20]byte{n}) }
	amounts := []string{"357858648997469", "357858648997470", "357858648997000", "357858648998000", "400000000000000", "357858648996000"}
	row := func(id chain.ID, kind chain.Kind, amount string) chain.Transfer {
		a, err := chain.ParseBase(amount)
		if err != nil {
			t.Fatal(err)
		}
		tr := chain.Transfer{
			Chain: id, Block: 100, Time: 1_600_000_000_000, Tx: chain.Hash32([32]byte{7}), Kind: kind,
			From: account(1).On(id), Asset: id.Native(), Amount: a,
		}
		if kind == chain.KindNative {
			tr.To = account(2).On(id)
		}
		return tr
	}
	want := []string{"fee 357858648996000", "fee 357858648997469", "native 357858648996000", "native 357858648997469"}
	orders := [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {2, 4, 0, 5, 3, 1}, {3, 0, 2, 1, 5, 4}}
	n := 0
	for _, order := range orders {
		for _, at := range []int{1, 2, 6} { // rows of an import
			for _, bulk := range []bool{false, true} {
				n++
				o := ledger.Options{}
				if bulk {
					ledger.SmallSegments(&o, 1, 1)
				}
				l, err := ledger.Open(ctx, filepath.Join(t.TempDir(), fmt.Sprint(n)), o)
				if err != nil {
					t.Fatal(err)
				}
				for part := range slices.Chunk(order, at) {
					var f ledger.Facts
					for _, i := range part {
						f.Transfers = append(f.Transfers, row(chain.Ethereum, chain.KindFee, amounts[i]), row(chain.Ethereum, chain.KindNative, amounts[i]))
					}
					im, err := l.Begin(ctx, fmt.Sprint(part))
					if err == nil {
						err = im.Add(&f)
					}
					if err != nil {
						t.Fatal(err)
					}
					if _, err := im.Commit(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if got := rowsOf(t, l, chain.Ethereum); !slices.Equal(got, want) {
					t.Errorf("order %v, %d at a time, bulk %v: %q", order, at, bulk, got)
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestFeesOfOtherChains: a transaction of Tron may pay two fees, one of which
// looks like the other rounded.
func TestFeesOfOtherChains(t *testing.T) {
	ctx := context.Background()
	payer, err := chain.ParseAccount("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", chain.Tron)
	if err != nil {
		t.Fatal(err)
	}
	var f ledger.Facts
	for _, units := range []uint64{1_000_000, 1_345_000} {
		f.Transfers = append(f.Transfers, chain.Transfer{
			Chain: chain.Tron, Block: 100, Time: 1_600_000_000_000, Tx: chain.Hash32([32]byte{7}), Kind: chain.KindFee,
			From: payer, Asset: chain.Tron.Native(), Amount: chain.Units(units),
		})
	}
	for _, bulk := range []bool{false, true} {
		o := ledger.Options{}
		if bulk {
			ledger.SmallSegments(&o, 1, 1)
		}
		l, err := ledger.Open(ctx, t.TempDir(), o)
		if err != nil {
			t.Fatal(err)
		}
		im, err := l.Begin(ctx, "test")
		if err == nil {
			err = im.Add(&f)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := im.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if got, want := rowsOf(t, l, chain.Tron), []string{"fee 1000000", "fee 1345000"}; !slices.Equal(got, want) {
			t.Errorf("bulk %v: %q", bulk, got)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// rowsOf is what the rows move, in their order.
func rowsOf(t *testing.T, l *ledger.Ledger, id chain.ID) (out []string) {
	t.Helper()
	ctx := context.Background()
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = r.Scan(ctx, id, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		list, err := ledger.Expand(ctx, r, rows)
		for _, x := range list {
			out = append(out, fmt.Sprintf("%s %s", x.Kind, x.Amount.Base()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
