package ledger_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
)

// TestCheckNamesTheAccounts flips bytes of dictionaries: what is said to be hurt
// are the accounts that lie there, and the segments and blocks of their rows.
func TestCheckNamesTheAccounts(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, ledger.Small(10, 0))
	put := func(accounts, from int) {
		f := &ledger.Facts{}
		for n := range accounts {
			x := transferOf(n)
			x.Block, x.Tx = uint64(from+n/10), chain.Hash32([32]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(from >> 8)})
			x.From = chain.EVM(chain.Ethereum, [20]byte{byte(n * 7), byte(n >> 8), byte(n >> 16), byte(from >> 8)})
			x.To = x.From
			f.Transfers = append(f.Transfers, x)
		}
		if err := try(l, f, false); err != nil {
			t.Fatal(err)
		}
	}
	put(60_000, 1000)
	put(9_000, 50_000)
	l.Close()
	dicts, err := filepath.Glob(filepath.Join(dir, "*.dict"))
	if err != nil || len(dicts) != 2 {
		t.Fatalf("%q %v", dicts, err)
	}
	some := regexp.MustCompile(`^bytes \d+ to \d+ are not what was written \(\d+ of \d+ accounts of eip155:1( behind 0x[0-9a-f]{40})?( before 0x[0-9a-f]{40})?\)$`)
	for i, name := range dicts {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{20, len(data) / 2, len(data) / 4 * 3} {
			flip(t, name, data, at)
			rep, err := ledger.Check(ctx, dir)
			flip(t, name, data, at)
			if err != nil || len(rep.Damages) != 1 {
				t.Fatalf("byte %d of %s: %+v (%v)", at, name, rep.Damages, err)
			}
			d := rep.Damages[0]
			from, to := uint64(1000), uint64(6999)
			if i == 1 {
				from, to = 50_000, 50_899
			}
			if !some.MatchString(d.What) || d.Chain != chain.Ethereum || len(d.Segments) != 1 || d.From != from || d.To != to {
				t.Errorf("byte %d of %s: %+v", at, name, d)
			}
			if at > 1<<16 == !strings.Contains(d.What, "behind 0x") {
				t.Errorf("byte %d of %s: %s", at, name, d.What)
			}
		}
		// Without its end nothing tells which accounts it names.
		if err := os.WriteFile(name, data[:len(data)-1], 0o600); err != nil {
			t.Fatal(err)
		}
		rep, err := ledger.Check(ctx, dir)
		flip(t, name, data)
		if err != nil || len(rep.Damages) != 1 {
			t.Fatalf("%+v (%v)", rep.Damages, err)
		}
		if d := rep.Damages[0]; !strings.Contains(d.What, "none of its accounts has a name") || len(d.Segments) != 2 || d.From != 1000 || d.To != 50_899 || !slices.IsSorted(d.Segments) {
			t.Errorf("%+v", d)
		}
	}
	if rep, err := ledger.Check(ctx, dir); err != nil || len(rep.Damages) > 0 {
		t.Fatalf("put right again: %v %+v", err, rep.Damages)
	}
}
