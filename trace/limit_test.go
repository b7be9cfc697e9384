package trace_test

import (
	"context"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
	"bongsu/trace"
)

// passedOn is a theft of person 0 that goes from hand to hand, n transfers with
// the theft's own.
func passedOn(n int) []chain.Transfer {
	out := make([]chain.Transfer, n)
	from := person(40)
	for i := range out {
		to := person(i % people)
		out[i] = chain.Transfer{
			Chain: chain.Ethereum, Block: uint64(10 + i), Time: chain.Time(10+i) * 12_000, Kind: chain.KindNative, Tx: txID(byte(i)),
			From: from, To: to, Asset: chain.Ethereum.Native(), Amount: chain.Units(30),
		}
		from = to
	}
	return out
}

// limited says whether an error is that of a run with too many flows, and tells
// a person what to do.
func limited(err error) bool {
	return errs.Is(err) == errs.Limit && strings.Contains(err.Error(), "flows") && strings.Contains(errs.Hint(err), "--max-hops")
}

// A run holds as many flows as it may and no more: of all its simulations,
// whatever the method, on either kind of chain, forward and backward.
func TestFlowsAreBounded(t *testing.T) {
	ctx := context.Background()
	ts := passedOn(12)
	coins := chainOfCoins()
	account, utxo := reader(t, ts), coinReader(t, coins)
	for _, m := range trace.Methods() {
		for name, c := range map[string]struct {
			r   ledger.Reader
			req trace.Request
		}{
			"accounts":  {account, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}}}},
			"two":       {account, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}, {ID: "y", Transfers: ts[6:7]}}}},
			"back":      {account, trace.Request{Backward: true, Thefts: []trace.Theft{{ID: "x", Transfers: ts[11:]}}}},
			"coins":     {utxo, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: []chain.Transfer{paid(&coins[1], 0)}}}}},
			"coinsBack": {utxo, trace.Request{Backward: true, Thefts: []trace.Theft{{ID: "x", Transfers: []chain.Transfer{paid(&coins[len(coins)-1], 1)}}}}},
		} {
			c.req.Method = m
			n := len(follow(t, c.r, c.req).Flows)
			if n < 3 {
				t.Fatalf("%s by %s: only %d flows", name, m, n)
			}
			if !c.req.Backward { // the traces forward hold more
				if run, err := trace.Follow(ctx, c.r, nil, c.req.AtMost(n)); err != nil || len(run.Flows) != n {
					t.Errorf("%s by %s: %d flows may be held: %v", name, m, n, err)
				}
			}
			if run, err := trace.Follow(ctx, c.r, nil, c.req.AtMost(n-1)); run != nil || !limited(err) {
				t.Errorf("%s by %s: one flow too many: %v", name, m, err)
			}
		}
	}
}

// A watched theft that reaches the limit says so, and what it knew stays.
func TestWatchIsBounded(t *testing.T) {
	ctx := context.Background()
	var n node
	ts := passedOn(4)
	n.add(everyone())
	n.add(ts[:1])
	w, err := trace.NewWatch(ctx, n.reader(t), nil, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}}}.AtMost(3))
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 3; i++ {
		n.add(ts[i : i+1])
		if _, err := w.Advance(ctx, n.reader(t)); err != nil || len(w.Run().Flows) != 1+i {
			t.Fatalf("block %d: %d flows, %v", i, len(w.Run().Flows), err)
		}
	}
	n.add(ts[3:])
	if _, err := w.Advance(ctx, n.reader(t)); !limited(err) || len(w.Run().Flows) != 3 {
		t.Errorf("%d flows, %v", len(w.Run().Flows), err)
	}
}

// What an import brings at once may be too much to hold: then a watched theft
// starts over, and comes to the same.
func TestWatchOfALargeImport(t *testing.T) {
	ctx := context.Background()
	var n node
	ts := passedOn(2)
	n.add(everyone())
	n.add(ts[:1])
	req := trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}}}
	w, err := trace.NewWatch(ctx, n.reader(t), nil, req.AtMost(3))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		block []chain.Transfer
		anew  bool
	}{{ts[1:], false}, {everyone(), true}} {
		n.add(c.block)
		started, err := w.Advance(ctx, n.reader(t))
		if err != nil || started != c.anew {
			t.Fatalf("started over: %v, %v", started, err)
		}
		if want := follow(t, n.reader(t), req); w.Run().Result.Digest != want.Result.Digest {
			t.Fatalf("%s, want %s", w.Run().Result.Digest, want.Result.Digest)
		}
	}
}
