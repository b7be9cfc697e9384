package trace_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace"
	"bongsu/trace/links"
)

// coinMove is a movement of ether or, with token, of WETH, in a transaction of
// its own.
func coinMove(block uint64, from, to chain.Account, amount uint64, token bool) chain.Transfer {
	x := chain.Transfer{
		Chain: chain.Ethereum, Time: chain.Time(block * 12_000), Block: block, Tx: txID(byte(block)), Kind: chain.KindInternal,
		Ordinal: 1, From: from, To: to, Asset: weth.Coin(), Amount: chain.Units(amount),
	}
	if token {
		x.Kind, x.Asset = chain.KindToken, weth.Token()
	}
	return x
}

// On the stored ledger, whose references are lasting: a watched theft goes on
// through wraps, though the ledger holds none of the token until it is sent,
// and a reorganisation takes them back.
func TestWatchWraps(t *testing.T) {
	ctx := context.Background()
	l, err := ledger.Open(ctx, t.TempDir(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hash := func(n uint64, fork byte) ledger.Hash { return ledger.Hash{byte(n), fork} }
	fork := byte(0)
	add := func(moves ...chain.Transfer) ledger.Reader {
		t.Helper()
		n := moves[0].Block
		if _, err := l.ApplyBlock(ctx, ledger.LiveBlock{
			Block: ledger.BlockFact{Chain: chain.Ethereum, Number: n, Hash: hash(n, fork), Parent: hash(n-1, 0), Time: chain.Time(n * 12_000), HasTime: true},
			Facts: ledger.Facts{Transfers: moves}, What: ledger.CoverAll,
		}); err != nil {
			t.Fatal(err)
		}
		r, err := l.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	theft := []chain.Transfer{coinMove(1, person(9), person(1), 100, false)}
	req := trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: theft}}}
	w, err := trace.NewWatch(ctx, add(theft...), nil, req)
	if err != nil {
		t.Fatal(err)
	}
	advance := func(r ledger.Reader, want map[chain.Asset]string, version int) {
		t.Helper()
		if _, err := w.Advance(ctx, r); err != nil {
			t.Fatal(err)
		}
		got := map[chain.Asset]string{}
		for _, h := range w.Run().Result.Holdings {
			got[h.Asset] += h.Account.String()[9:13] + " " + h.Amount.Amount + h.Symbol + " "
			if h.Basis != trace.Observed || h.Origin.Symbol != "ETH" {
				t.Errorf("%+v", h)
			}
		}
		batch, err := trace.Follow(ctx, r, nil, req)
		if err != nil {
			t.Fatal(err)
		}
		if w.Run().Result.Digest != batch.Result.Digest {
			t.Errorf("live %+v\nbatch %+v", w.Run().Result, batch.Result)
		}
		for a, s := range want {
			if got[a] != s {
				t.Errorf("%s: %q, want %q", a, got[a], s)
			}
		}
		if links := len(w.Run().Result.Links); len(got) != len(want) || w.Run().Version != version || links != version-trace.RunVersion {
			t.Errorf("%v, want %v; version %d, %d links", got, want, w.Run().Version, links)
		}
	}
	coin, token := weth.Coin(), weth.Token()
	advance(add(coinMove(2, person(1), weth.Contract, 60, false)), map[chain.Asset]string{
		coin: "0xaa 0.00000000000000004ETH ", token: "0xaa 0.00000000000000006WETH ",
	}, trace.RunVersionLinks)
	advance(add(coinMove(3, weth.Contract, person(1), 10, false)), map[chain.Asset]string{
		coin: "0xaa 0.00000000000000005ETH ", token: "0xaa 0.00000000000000005WETH ",
	}, trace.RunVersionLinks)
	advance(add(coinMove(4, person(1), person(2), 50, true)), map[chain.Asset]string{
		coin: "0xaa 0.00000000000000005ETH ", token: "0xaa 0.00000000000000005WETH ",
	}, trace.RunVersionLinks)
	if err := l.Rollback(ctx, chain.Ethereum, 1); err != nil {
		t.Fatal(err)
	}
	fork = 1
	advance(add(coinMove(2, person(3), person(4), 1, false)), map[chain.Asset]string{coin: "0xaa 0.0000000000000001ETH "}, trace.RunVersion)
}

// A run that met a wrap is written as the version that says so, says by which
// rule and at which contract, and is replayed to the same bytes.
func TestWrapIsRecorded(t *testing.T) {
	ts := []chain.Transfer{
		coinMove(1, person(9), person(1), 100, false), coinMove(2, person(1), weth.Contract, 60, false), coinMove(3, person(1), person(2), 20, true),
	}
	r := stored(t, facts(ts))
	run := follow(t, r, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}}})
	if run.Version != trace.RunVersionLinks || len(run.Result.Links) != 1 || run.Result.Links[0] != links.Digest() {
		t.Errorf("version %d, links %v", run.Version, run.Result.Links)
	}
	f := run.Flows[1]
	if f.Link != trace.LinkWrap || f.Via != weth.Contract || f.From != person(1) || f.To != person(1) || f.Asset != weth.Token() || f.Hop != 0 || f.Rule != trace.RuleNone {
		t.Errorf("%+v", f)
	}
	raw, err := run.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := trace.Replay(context.Background(), r, nil, raw)
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("replayed: %v\n%s\n%s", err, raw, again)
	}
	way, err := run.Way(chain.Account{}, person(2), trace.Shortest)
	if err != nil || len(way.Steps) != 3 || way.Steps[1].Link != trace.LinkWrap {
		t.Errorf("%+v %v", way, err)
	}
	if e := run.Timeline(); len(e) != 3 || e[1].Link != trace.LinkWrap || e[1].Via != weth.Contract || e[1].Symbol != "WETH" || e[1].Origin.Symbol != "ETH" {
		t.Errorf("%+v", e)
	}
}

// What an account held of the token is read in pages, of its coin and of its
// token, however unlike the two are.
func TestWrappedBalanceIsPaged(t *testing.T) {
	var ts []chain.Transfer
	for i := range uint64(5000) { // coin in and out, now and then a wrap or an unwrap, seldom the token
		switch x := coinMove(10+i, person(3), person(1), 2, false); {
		case i%5 == 1:
			x.From, x.To, x.Amount = person(1), weth.Contract, chain.Units(4)
			ts = append(ts, x)
		case i%5 == 3:
			x.From, x.Amount = weth.Contract, chain.Units(1)
			ts = append(ts, x)
		case i%1000 == 500:
			ts = append(ts, coinMove(10+i, person(4), person(1), 7, true))
		default:
			ts = append(ts, x)
		}
	}
	for i := range ts {
		ts[i].Tx, _ = chain.NewTxID(append(make([]byte, 28), 1, 0, byte(i>>8), byte(i)))
	}
	// 1000 wraps of 4, 1000 unwraps of 1 and 5 arrivals of 7 are 3035 of its own.
	theft := coinMove(6000, person(9), person(1), 100, true)
	theft.Tx = txID(1)
	spend := coinMove(6001, person(1), person(2), 3036, true)
	spend.Tx = txID(2)
	r := stored(t, facts(append(ts, theft, spend)))
	run := follow(t, r, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: []chain.Transfer{theft}}}})
	if h := run.Result.Holdings; len(h) != 2 || h[0].Base != chain.Units(99) || h[1].Base != chain.Units(1) || len(run.Result.Incomplete) != 0 {
		t.Errorf("%+v", run.Result)
	}
}

// Where the ledger kept the contract's own events, their places say what came
// before an unwrap, and nothing is inferred: a token that came after it stays.
func TestUnwrapByItsEvent(t *testing.T) {
	router, tx := person(5), txID(200)
	ts := []chain.Transfer{
		coinMove(1, person(9), person(1), 100, true), coinMove(2, person(1), router, 10, true), coinMove(2, person(1), router, 7, true),
		coinMove(2, weth.Contract, router, 10, false), coinMove(2, router, person(2), 10, false),
	}
	for i := range ts[1:] {
		ts[1+i].Tx = tx
	}
	ts[1].Ordinal, ts[2].Ordinal, ts[3].Ordinal, ts[4].Ordinal = 3, 6, 2, 4
	event := func(index uint32, topic [32]byte) ledger.NoteFact {
		account, wad := ledger.Hash{}, chain.Units(10).Bytes32()
		copy(account[12:], router.AppendRaw(nil))
		return ledger.NoteFact{Chain: chain.Ethereum, Tx: tx, Log: &ledger.Log{Index: index, Address: weth.Contract, Topics: []ledger.Hash{topic, account}, Data: wad[:]}}
	}
	for _, c := range []struct {
		notes []ledger.NoteFact
		rule  trace.Rule
		left  uint64
	}{
		{nil, trace.RuleWithin, 7},
		{[]ledger.NoteFact{event(5, links.Withdrawal)}, trace.RuleNone, 7},
		{[]ledger.NoteFact{event(7, links.Withdrawal)}, trace.RuleNone, 7},
		{[]ledger.NoteFact{event(5, links.Deposit)}, trace.RuleWithin, 7},
		{[]ledger.NoteFact{event(1, links.Withdrawal)}, trace.RuleNone, 17}, // it was the router's own
	} {
		r := stored(t, &ledger.Facts{Transfers: ts, Notes: c.notes})
		run := follow(t, r, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}}})
		left, out := chain.Amount{}, trace.RuleNone
		for _, h := range run.Result.Holdings {
			switch h.Account {
			case router:
				left = h.Base
			case person(2):
				out = h.Rule
			}
		}
		if left != chain.Units(c.left) || out != c.rule {
			t.Errorf("%+v: %s left with the router, and the rule %q", c.notes, left.Base(), out)
		}
	}
}

// What an account wraps was there already: it is valued as it came, once. A way
// by a wrap is no longer than one without.
func TestLinksAreNoArrivals(t *testing.T) {
	a, b := person(1), person(2)
	theft := []chain.Transfer{coinMove(1, person(9), a, 10, false)}
	run := follow(t, reader(t, append(theft,
		coinMove(2, a, weth.Contract, 6, false), coinMove(3, a, b, 5, true), coinMove(4, a, person(3), 4, false), coinMove(5, person(3), b, 4, false),
	)), trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: theft}}})
	var got []string
	for _, v := range run.Values(new(trace.Prices)) {
		got = append(got, v.Account.String()+" "+v.Base.Base()+" "+v.Symbol)
	}
	want := []string{a.String() + " 10 ETH", b.String() + " 5 WETH", person(3).String() + " 4 ETH", b.String() + " 4 ETH"}
	if !slices.Equal(got, want) {
		t.Errorf("valued: %q, want %q", got, want)
	}
	way, err := run.Way(chain.Account{}, b, trace.Shortest)
	if err != nil || len(way.Steps) != 3 || way.Steps[1].Link != trace.LinkWrap {
		t.Errorf("the two transfers by way of the wrap are the shortest: %+v, %v", way, err)
	}
}
