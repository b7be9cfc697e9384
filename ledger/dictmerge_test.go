package ledger_test

import (
	"path/filepath"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
)

// TestDictionaryFilesAreMerged names new accounts, of several forms, in many
// commits: their files stay few, and references stay what they were.
func TestDictionaryFilesAreMerged(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(40, 4)
	l := open(t, dir, opt)
	defer l.Close()
	account := func(n int) chain.Account {
		raw := [20]byte{byte(n * 77), byte(n), byte(n >> 8), 5}
		if n%5 == 0 {
			a, ok := chain.NewAccount(chain.Tron, chain.FormTron, raw[:])
			if !ok {
				t.Fatal("not an account")
			}
			return a
		}
		return chain.EVM(chain.Ethereum, raw)
	}
	refs := map[chain.Account]ledger.AccountRef{}
	const commits, each = 60, 6
	for n := range commits {
		f := &ledger.Facts{}
		rows := each
		if n%10 == 9 {
			rows = 10 * each // a large import, whose accounts stand in order of reference
		}
		for k := range rows {
			x := transferOf(n*100 + k)
			x.From, x.To = account(n*each+k), account(n*each+k+1)
			if x.From.Chain() != x.Chain {
				x.To = x.From
				x.Chain, x.Asset, x.Kind = chain.Tron, chain.Tron.Native(), chain.KindNative
			} else if x.To.Chain() != x.Chain {
				x.To = x.From
			}
			f.Transfers = append(f.Transfers, x)
		}
		if err := try(l, f, false); err != nil {
			t.Fatal(err)
		}
		r := reader(t, l)
		for i := range f.Transfers {
			for _, a := range [2]chain.Account{f.Transfers[i].From, f.Transfers[i].To} {
				got, err := r.AccountRefs(ctx, []chain.Account{a})
				if err != nil || got[0] == 0 || refs[a] != 0 && refs[a] != got[0] {
					t.Fatalf("commit %d: %s has reference %d, had %d (%v)", n, a, got[0], refs[a], err)
				}
				refs[a] = got[0]
			}
		}
	}
	if n, _ := filepath.Glob(filepath.Join(dir, "accounts-*.dict")); len(n) < 1 || len(n) > 6 {
		t.Fatalf("%d dictionary files after %d commits", len(n), commits)
	}
	again := open(t, dir, opt)
	defer again.Close()
	r := reader(t, again)
	for a, ref := range refs {
		names, err := r.Accounts(ctx, []ledger.AccountRef{ref})
		if err != nil || names[0] != a {
			t.Fatalf("reference %d is %v, was %v (%v)", ref, names, a, err)
		}
	}
}
