package model_test

import (
	"context"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

func TestMergesTwoSources(t *testing.T) {
	a := chain.EVM(chain.Ethereum, [20]byte{1})
	b := chain.EVM(chain.Ethereum, [20]byte{2})
	id, _ := chain.NewTxID(make([]byte, 32))
	base := chain.Transfer{
		Chain: chain.Ethereum, Time: 1000, Block: chain.NoBlock, Index: chain.NoIndex, Tx: id, Kind: chain.KindToken,
		Ordinal: chain.NoOrdinal, From: a, To: b, Asset: chain.Token(b), Amount: chain.Units(7),
	}
	placed := base
	placed.Time, placed.Block, placed.Index, placed.Ordinal = 0, 12, 3, 9
	r, err := model.Of(base, placed)
	if err != nil {
		t.Fatal(err)
	}
	refs, _ := r.AccountRefs(context.Background(), []chain.Account{a, b})
	var p ledger.Pages
	if err := r.Activity(context.Background(), []ledger.Query{{Account: refs[0]}, {Account: refs[1], Direction: ledger.Out}}, &p); err != nil {
		t.Fatal(err)
	}
	rows, _ := p.Page(0)
	if len(rows) != 1 || rows[0].Block != 12 || rows[0].Index != 3 || rows[0].Ordinal != 9 || rows[0].Stated != 1000 || rows[0].TimeUnknown {
		t.Fatalf("merged row: %+v", rows)
	}
	if rows, _ := p.Page(1); len(rows) != 0 {
		t.Fatalf("rows out of the receiver: %+v", rows)
	}
}
