package ledger

import (
	"testing"

	"bongsu/chain"
)

// aloneFacts are rewards, which have no transaction.
func aloneFacts(n int) *Facts {
	f := &Facts{}
	for i := range n {
		f.Transfers = append(f.Transfers, chain.Transfer{
			Chain: chain.Ethereum, Time: chain.Time(1740148187000 + 12000*i), Block: uint64(100 + i), Index: chain.NoIndex, Kind: chain.KindAdjustment,
			Ordinal: chain.NoOrdinal, To: chain.EVM(chain.Ethereum, [20]byte{3}), Asset: chain.Ethereum.Native(), Amount: chain.Units(5),
		})
	}
	return f
}

// TestLooseAgain: what has no place, imported again, makes the head log no longer,
// counts as known, and takes no room beside the rows that a ledger may keep.
func TestLooseAgain(t *testing.T) {
	for name, c := range map[string]struct{ bulk, placed int }{"small": {0, 0}, "in pieces": {10, 0}, "beside runs": {10, 30}} {
		t.Run(name, func(t *testing.T) {
			l, err := Open(t.Context(), t.TempDir(), Options{bulkAt: c.bulk, looseMost: 61})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close() //nolint:errcheck // what it holds is looked at before
			put := func() Stats {
				im, err := l.Begin(t.Context(), "test")
				if err != nil {
					t.Fatal(err)
				}
				placed := looseFacts(1001, 1000+c.placed)
				for i := range placed.Transfers {
					placed.Transfers[i].Block = 7
				}
				loose := looseFacts(1, 40)
				for _, r := range loose.Transfers {
					loose.Txs = append(loose.Txs, TxFact{Chain: r.Chain, Tx: r.Tx, Block: chain.NoBlock, Index: chain.NoIndex, Status: StatusSucceeded})
					loose.Notes = append(loose.Notes, NoteFact{Chain: r.Chain, Tx: r.Tx, Call: &Call{From: r.From, To: r.To, Input: []byte{1, 2, 3, 4}}})
				}
				for _, f := range []*Facts{placed, loose, aloneFacts(20)} {
					if err := im.Add(f); err != nil {
						t.Fatal(err)
					}
				}
				stats, err := im.Commit(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return stats
			}
			put()
			end := l.log.end
			for range 3 {
				if stats := put(); stats.Added+stats.Improved+stats.Txs != 0 || stats.AlreadyThere != uint64(60+c.placed) {
					t.Errorf("again: %+v", stats)
				}
				if l.log.end != end {
					t.Errorf("the head log has %d bytes, before %d", l.log.end, end)
				}
			}
			r, err := l.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close() //nolint:errcheck // nothing was written
			if cov, err := r.Coverage(t.Context(), chain.Ethereum); err != nil || cov.Rows != uint64(60+c.placed) || cov.Unplaced != 40 {
				t.Errorf("%+v, %v", cov, err)
			}
		})
	}
}

// TestLooseImproved: what says more than the head has is kept, and what only a
// block says that is taken back later.
func TestLooseImproved(t *testing.T) {
	l, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // what it holds is looked at before
	put := func(f *Facts) Stats {
		im, err := l.Begin(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Add(f); err != nil {
			t.Fatal(err)
		}
		stats, err := im.Commit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return stats
	}
	one, better := looseFacts(1, 1), looseFacts(1, 1)
	better.Transfers[0].Ordinal, better.Transfers[0].Time = 4, better.Transfers[0].Time-1000
	put(one)
	if stats := put(better); stats.Improved != 1 {
		t.Errorf("improved: %+v", stats)
	}
	live := looseFacts(2, 2)
	live.Transfers[0].Block = 9
	if _, err := l.ApplyBlock(t.Context(), LiveBlock{
		Block: BlockFact{Chain: chain.Ethereum, Number: 9, Hash: Hash{9}, Parent: Hash{8}, Time: 1740148187000, HasTime: true}, Facts: *live,
	}); err != nil {
		t.Fatal(err)
	}
	put(looseFacts(2, 2)) // what the block says, from a source that does not name it
	if err := l.Rollback(t.Context(), chain.Ethereum, 8); err != nil {
		t.Fatal(err)
	}
	r, err := l.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // nothing was written
	if cov, err := r.Coverage(t.Context(), chain.Ethereum); err != nil || cov.Rows != 2 || cov.Unplaced != 2 {
		t.Errorf("%+v, %v", cov, err)
	}
}
