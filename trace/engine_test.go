package trace_test

import (
	"context"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace"
)

// The stored ledger and the model give one digest, for every method.
func TestOnTheEngine(t *testing.T) {
	theft, hop := wholeTheft(t), bybit(t, "hop1.csv")
	all := append(slices.Clone(theft), hop...)
	r := stored(t, facts(all[20:]), facts(all[:30])) // overlapping imports
	for _, m := range trace.Methods() {
		req := trace.Request{Method: m, Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}}
		got, want := follow(t, r, req), follow(t, reader(t, all), req)
		if got.Result.Digest != want.Result.Digest {
			t.Errorf("%s: %s on the engine, %s on the model", m, got.Result.Digest, want.Result.Digest)
		}
	}
}

// The stored ledger and the model give one digest on a UTXO chain too, forward
// and backward, with both fee rules, for every method.
func TestCoinsOnTheEngine(t *testing.T) {
	txs := chainOfCoins()
	want, got := coinReader(t, txs), stored(t, &ledger.Facts{UTXOs: txs[4:]}, &ledger.Facts{UTXOs: txs})
	stolen, deposit := paid(&txs[1], 0), paid(&txs[len(txs)-1], 1)
	for _, m := range trace.Methods() {
		for _, fees := range []trace.FeeRule{trace.FeesSink, trace.FeesCoinbase} {
			for _, back := range []bool{false, true} {
				req := trace.Request{Method: m, Fees: fees, Backward: back, Thefts: []trace.Theft{{ID: "x", Transfers: []chain.Transfer{stolen}}}}
				if back {
					req.Thefts[0].Transfers[0] = deposit
				}
				a, b := follow(t, got, req), follow(t, want, req)
				if a.Result.Digest != b.Result.Digest || len(a.Flows) != len(b.Flows) {
					t.Errorf("%s, fees %s, backward %v: the engine gives %+v, the model %+v", m, fees, back, a.Result, b.Result)
				}
				if len(a.Flows) < 3 {
					t.Errorf("%s, fees %s, backward %v: only %d flows", m, fees, back, len(a.Flows))
				}
				for _, h := range a.Result.Holdings {
					if h.Asset != chain.Bitcoin.Native() || h.Symbol != "BTC" {
						t.Errorf("an amount of no asset: %+v", h)
					}
				}
			}
		}
	}
}

// chainOfCoins is twelve blocks, each with a coinbase and a payment that splits
// the one before and joins the coinbase to it, and pays a fee.
func chainOfCoins() (txs []ledger.UTXOTx) {
	var last, mined ledger.OutPoint
	value := uint64(0)
	for n := range 12 {
		at := chain.Time(1+n) * 600_000
		tx := func(k byte, index uint32) ledger.UTXOTx {
			return ledger.UTXOTx{Chain: chain.Bitcoin, Tx: txID(byte(2*n) + k), Block: uint64(n), Index: index, Time: at}
		}
		coinbase := tx(1, 0)
		coinbase.Coinbase, coinbase.Inputs = true, []ledger.UTXOIn{{}}
		coinbase.Outputs = []ledger.UTXOOut{{Account: payee(10 + n%3), Value: chain.Units(53)}}
		txs = append(txs, coinbase)
		if n > 0 {
			pay := tx(2, 1)
			value += 50 // 53 in, and a fee of 3
			pay.Inputs = []ledger.UTXOIn{{Prev: mined}}
			if !last.Tx.IsZero() {
				pay.Inputs = append(pay.Inputs, ledger.UTXOIn{Prev: last})
			}
			keep := value / 3
			value -= keep
			pay.Outputs = []ledger.UTXOOut{{Account: payee(n % 5), Value: chain.Units(keep)}, {Account: payee(20), Value: chain.Units(value)}}
			last = ledger.OutPoint{Tx: pay.Tx, Index: 1}
			txs = append(txs, pay)
		}
		mined = ledger.OutPoint{Tx: coinbase.Tx}
	}
	return txs
}

// stored is a ledger of several imports.
func stored(t *testing.T, parts ...*ledger.Facts) ledger.Reader {
	t.Helper()
	ctx := context.Background()
	l, err := ledger.Open(ctx, t.TempDir(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for _, f := range parts {
		im, err := l.Begin(ctx, "part")
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Add(f); err != nil {
			t.Fatal(err)
		}
		if _, err := im.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}
