package ledger

import (
	"path/filepath"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
)

// looseFacts are rows without a block, first to last, each of a transaction.
func looseFacts(first, last int) *Facts {
	f := &Facts{}
	for i := first; i <= last; i++ {
		f.Transfers = append(f.Transfers, chain.Transfer{
			Chain: chain.Ethereum, Time: 1740148187000, Block: chain.NoBlock, Index: chain.NoIndex, Tx: chain.Hash32([32]byte{byte(i), byte(i >> 8), 1}),
			Kind: chain.KindNative, Ordinal: chain.NoOrdinal, From: chain.EVM(chain.Ethereum, [20]byte{1}), To: chain.EVM(chain.Ethereum, [20]byte{2}),
			Asset: chain.Ethereum.Native(), Amount: chain.Units(uint64(i)),
		})
	}
	return f
}

// TestTooLoose: an import of more rows than a ledger keeps in memory is refused
// before it takes the memory, leaves nothing behind, and keeps no other out.
func TestTooLoose(t *testing.T) {
	for name, bulk := range map[string]int{"small": 0, "in runs": 10} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, err := Open(t.Context(), dir, Options{bulkAt: bulk, looseMost: 100})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close() //nolint:errcheck // what it holds is looked at before
			add := func(first, last int) error {
				im, err := l.Begin(t.Context(), "test")
				if err != nil {
					t.Fatal(err)
				}
				for i := first; i <= last; i += 20 {
					if err := im.Add(looseFacts(i, min(last, i+19))); err != nil {
						if aerr := im.Abort(); aerr != nil {
							t.Fatal(aerr)
						}
						return err
					}
				}
				_, err = im.Commit(t.Context())
				return err
			}
			for range 2 { // the same again takes no more
				if err := add(1, 60); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range []struct {
				first, last int
				why         string
			}{
				{1001, 1101, "it has more than 100 rows without a block or a transaction id"},
				{41, 101, "more than fit beside the 60 that the ledger has: it keeps 100"},
			} {
				err := add(c.first, c.last)
				if errs.Is(err) != errs.Limit || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), "give block and transaction") {
					t.Errorf("%d to %d: %v", c.first, c.last, err)
				}
			}
			if err := add(41, 100); err != nil {
				t.Fatal(err)
			}
			r, err := l.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close() //nolint:errcheck // nothing was written
			if cov, err := r.Coverage(t.Context(), chain.Ethereum); err != nil || cov.Rows != 100 {
				t.Errorf("%+v, %v", cov, err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "import-*")); left != nil {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// TestLooseSpill: rows without a place that an import writes aside count once, in
// its figures too, whether it has others or not, and what no checkpoint names is
// gone after an interruption.
func TestLooseSpill(t *testing.T) {
	for name, placed := range map[string]int{"alone": 0, "beside others": 30} {
		t.Run(name, func(t *testing.T) {
			l, err := Open(t.Context(), t.TempDir(), Options{bulkAt: 10})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close() //nolint:errcheck // what it holds is looked at before
			begin := func() *Import {
				im, err := l.Begin(t.Context(), "test")
				if err != nil {
					t.Fatal(err)
				}
				return im
			}
			add := func(im *Import, f *Facts) {
				if err := im.Add(f); err != nil {
					t.Fatal(err)
				}
			}
			others := looseFacts(1001, 1000+placed)
			for i := range others.Transfers {
				others.Transfers[i].Block = 7
			}
			all := func(im *Import) {
				add(im, others)
				for i := 1; i <= 40; i += 5 {
					add(im, looseFacts(i, i+4))
				}
			}
			im := begin()
			all(im)
			if err := im.Checkpoint([]byte("a")); err != nil {
				t.Fatal(err)
			}
			add(im, looseFacts(41, 60))
			if len(im.facts.Transfers) != 0 {
				t.Fatalf("%d rows are kept in memory", len(im.facts.Transfers))
			}
			if err := im.Suspend(); err != nil {
				t.Fatal(err)
			}
			if im = begin(); string(im.Cursor()) != "a" {
				t.Fatalf("cursor %q", im.Cursor())
			}
			add(im, looseFacts(61, 70))
			stats, err := im.Commit(t.Context())
			if want := uint64(placed + 50); err != nil || stats.Added != want || stats.Txs != want || stats.AlreadyThere != 0 {
				t.Fatalf("%+v, %v", stats, err)
			}
			im = begin()
			all(im)
			stats, err = im.Commit(t.Context())
			if want := uint64(placed + 40); err != nil || stats.AlreadyThere != want || stats.Added+stats.Txs != 0 {
				t.Fatalf("again: %+v, %v", stats, err)
			}
			r, err := l.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close() //nolint:errcheck // nothing was written
			if cov, err := r.Coverage(t.Context(), chain.Ethereum); err != nil || cov.Rows != uint64(placed+50) || cov.Unplaced != 50 {
				t.Errorf("%+v, %v", cov, err)
			}
		})
	}
}
