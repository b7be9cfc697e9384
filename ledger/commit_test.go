package ledger_test

import (
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/ledgertest"
	"bongsu/ledger/model"
)

// TestCommitThatFails has the disk refuse one step of a block's commit and then
// work again: who committed sees what the log holds, like everybody else, and
// goes on.
func TestCommitThatFails(t *testing.T) {
	for n := int64(1); ; n++ {
		var opt ledger.Options
		left := ledger.CrashAfter(&opt, 1<<40)
		dir := t.TempDir()
		l := open(t, dir, opt)
		defer l.Close()
		var m model.Model
		first, second := applies(500, 0, 3), applies(501, 0, 9)
		if err := first.do(l); err != nil {
			t.Fatal(err)
		}
		first.model(&m)
		left.Store(n)
		failed := second.do(l)
		left.Store(1 << 40)
		anew := open(t, dir, ledger.Options{ReadOnly: true})
		defer anew.Close()
		if got, want := ledgertest.Dump(t, reader(t, l)), ledgertest.Dump(t, reader(t, anew)); got != want {
			t.Fatalf("after step %d failed it sees\n%s\nand others\n%s", n, got, want)
		}
		// The block's accounts got no reference, or the one that the log gives them.
		last := imports("others", facts(30, 40), false)
		if err := last.do(l); err != nil {
			t.Fatal(err)
		}
		last.model(&m)
		if err := second.do(l); err != nil {
			t.Fatal(err)
		}
		second.model(&m)
		sameAs(t, reader(t, l), &m)
		sameAs(t, reader(t, anew), &m)
		var accounts []chain.Account
		for k := range 23 {
			accounts = append(accounts, transferOf(k).To)
		}
		got, err := reader(t, l).AccountRefs(ctx, accounts)
		want, werr := reader(t, anew).AccountRefs(ctx, accounts)
		if err != nil || werr != nil || !slices.Equal(got, want) {
			t.Fatalf("references %v and %v (%v, %v)", got, want, err, werr)
		}
		if failed == nil {
			if n < 4 { // record, sync, slot, sync
				t.Fatalf("the commit took %d steps", n)
			}
			return
		}
	}
}
