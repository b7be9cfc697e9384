package trace_test

import (
	"context"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/trace"
)

// A theft's transfer is the row that agrees in everything: one from an account
// that the ledger does not know is not the mint that agrees in all the rest, and
// a row is named once.
func TestTheftIsResolvedByName(t *testing.T) {
	mint := chain.Transfer{
		Chain: chain.Ethereum, Tx: txID(1), Block: 7, Index: 0, Ordinal: 0, Time: 1000, Kind: chain.KindToken,
		To: person(1), Asset: chain.Token(person(9)), Amount: chain.Units(5),
	}
	paid, twin := mint, mint
	paid.Tx, paid.Block, paid.Time, paid.From = txID(2), 8, 2000, person(2)
	twin = paid
	twin.Ordinal, twin.Nth = 1, 1
	r := stored(t, facts([]chain.Transfer{mint, paid, twin}))
	stranger := mint
	stranger.From = person(3)
	untold := paid
	untold.Tx = chain.TxID{} // found by its time
	for name, c := range map[string]struct {
		theft []chain.Transfer
		kind  errs.Kind
	}{
		"the mint":              {[]chain.Transfer{mint}, 0},
		"from nobody we know":   {[]chain.Transfer{stranger}, errs.NotExist},
		"both of two alike":     {[]chain.Transfer{paid, paid}, 0},
		"three of two alike":    {[]chain.Transfer{paid, mint, paid, paid}, errs.Invalid},
		"without a transaction": {[]chain.Transfer{untold, untold}, 0},
	} {
		run, err := trace.Follow(context.Background(), r, nil, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: c.theft}}})
		switch {
		case err != nil && errs.Is(err) != c.kind, err == nil && c.kind != 0:
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		case err == nil && run.Result.Transfers != len(c.theft):
			t.Errorf("%s: %d transfers followed, want %d", name, run.Result.Transfers, len(c.theft))
		}
	}
}

// Of two transfers that are alike each of two thefts gets the one that it names.
func TestAlikeTransfersAreToldApart(t *testing.T) {
	first := chain.Transfer{
		Chain: chain.Ethereum, Tx: txID(1), Block: 7, Index: 0, Ordinal: 3, Time: 1000, Kind: chain.KindToken,
		From: person(1), To: person(2), Asset: chain.Token(person(9)), Amount: chain.Units(5),
	}
	second := first
	second.Ordinal, second.Nth = 4, 1
	r := stored(t, facts([]chain.Transfer{first, second}))
	run, err := trace.Follow(context.Background(), r, nil, trace.Request{Thefts: []trace.Theft{
		{ID: "x", Transfers: []chain.Transfer{second}}, {ID: "y", Transfers: []chain.Transfer{first}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Result.Collided) != 0 || len(run.Result.Holdings) != 2 || *run.Flows[0].Ordinal != 3 || run.Flows[0].Theft != "y" {
		t.Fatalf("two thefts of two transfers: %+v", run.Result)
	}
}
