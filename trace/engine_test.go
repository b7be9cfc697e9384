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
	ctx := context.Background()
	l, err := ledger.Open(ctx, t.TempDir(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, part := range [][]chain.Transfer{all[20:], all[:30]} { // overlapping imports
		im, err := l.Begin(ctx, "part")
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Add(facts(part)); err != nil {
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
	defer r.Close()
	for _, m := range trace.Methods() {
		req := trace.Request{Method: m, Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}}
		got, want := follow(t, r, req), follow(t, reader(t, all), req)
		if got.Result.Digest != want.Result.Digest {
			t.Errorf("%s: %s on the engine, %s on the model", m, got.Result.Digest, want.Result.Digest)
		}
	}
}
