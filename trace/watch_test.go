package trace_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
	"bongsu/trace"

	"pgregory.net/rapid"
)

// node is a chain that grows by blocks and may fall back.
type node struct {
	m     model.Model
	fork  int
	block uint64
}

func (n *node) hash(b uint64) ledger.Hash {
	return sha256.Sum256(fmt.Appendf(nil, "%d/%d", n.fork, b))
}

func (n *node) add(transfers []chain.Transfer) {
	n.block++
	for i := range transfers {
		tr := &transfers[i]
		tr.Block, tr.Time = n.block, chain.Time(n.block*12_000)
		sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d.%d", n.fork, tr.Block, tr.Index))
		tr.Tx, _ = chain.NewTxID(sum[:])
	}
	n.m.ApplyBlock(ledger.LiveBlock{
		Block: ledger.BlockFact{Chain: chain.Ethereum, Number: n.block, Hash: n.hash(n.block), Parent: n.hash(n.block - 1), Time: chain.Time(n.block * 12_000), HasTime: true},
		Facts: ledger.Facts{Transfers: transfers}, What: ledger.CoverAll,
	})
}

func (n *node) reader(t rapid.TB) ledger.Reader {
	r, err := n.m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// everyone is a block that names every account, so that the model, which
// numbers accounts by name, gives each the same reference in every Reader.
func everyone() (out []chain.Transfer) {
	for i := range people {
		out = append(out, chain.Transfer{
			Chain: chain.Ethereum, Index: uint32(i), Kind: chain.KindInternal, From: person(i), To: person(40), Asset: chain.Ethereum.Native(),
		})
	}
	for _, a := range []chain.Asset{weth.Coin(), weth.Token()} { // and both assets, too
		out = append(out, chain.Transfer{
			Chain: chain.Ethereum, Index: people, Kind: chain.KindToken, From: person(40), To: weth.Contract, Asset: a,
		})
	}
	return out
}

// anyone is one of the people, or the contract that wraps coin.
func anyone(t *rapid.T, which string) chain.Account {
	if n := rapid.IntRange(0, people+1).Draw(t, which); n < people {
		return person(n)
	}
	return weth.Contract
}

func genBlock(t *rapid.T) (out []chain.Transfer) {
	for i := range rapid.IntRange(0, 4).Draw(t, "in block") {
		tr := chain.Transfer{
			Chain: chain.Ethereum, Index: uint32(i / 2), Kind: chain.KindInternal, Ordinal: uint32(i), From: anyone(t, "from"), To: anyone(t, "to"),
			Asset: rapid.SampledFrom([]chain.Asset{weth.Coin(), weth.Coin(), weth.Token()}).Draw(t, "asset"), Amount: chain.Units(uint64(rapid.IntRange(0, 12).Draw(t, "amount"))),
		}
		if rapid.IntRange(0, 7).Draw(t, "fee") == 0 {
			tr.Kind, tr.To = chain.KindFee, chain.Account{}
		}
		out = append(out, tr)
		out[i].Nth = uint32(i) // of its own each: no two are the same movement
	}
	return out
}

// A watched trace, block by block, through finality and reorganisations, is
// the batch trace of the same ledger.
func TestWatchIsBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n node
		theft := []chain.Transfer{{
			Chain: chain.Ethereum, Kind: chain.KindNative, Ordinal: 0, From: person(40), To: person(0), Asset: chain.Ethereum.Native(), Amount: chain.Units(30),
		}, {
			Chain: chain.Ethereum, Kind: chain.KindNative, Ordinal: 1, From: person(40), To: person(1), Asset: chain.Ethereum.Native(), Amount: chain.Units(20),
		}}
		n.add(everyone())
		n.add(genBlock(t))
		n.add(theft)
		n.m.Finalize(chain.Ethereum, n.block)
		final := n.block
		req := trace.Request{
			Method: rapid.SampledFrom(trace.Methods()).Draw(t, "method"), Thefts: []trace.Theft{{ID: "x", Transfers: theft[:1]}, {ID: "y", Transfers: theft[1:]}},
			Bounds: trace.Bounds{MaxHops: rapid.SampledFrom([]int{0, 0, 4}).Draw(t, "hops")},
		}.InRuns(rapid.SampledFrom([]int{1, 2, 64}).Draw(t, "runs"))
		ctx := context.Background()
		w, err := trace.NewWatch(ctx, n.reader(t), nil, req)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				if n.block > final {
					n.block = final + uint64(rapid.IntRange(0, int(n.block-final)-1).Draw(t, "back to"))
					n.m.Rollback(chain.Ethereum, n.block)
					n.fork++
				}
			case 1:
				final = n.block
				n.m.Finalize(chain.Ethereum, final)
			default:
				for range rapid.IntRange(1, 2).Draw(t, "blocks") {
					n.add(genBlock(t))
				}
			}
			r := n.reader(t)
			if _, err := w.Advance(ctx, r); err != nil {
				t.Fatal(err)
			}
			want, err := trace.Follow(ctx, r, nil, req)
			if err != nil {
				t.Fatal(err)
			}
			if w.Run().Result.Digest != want.Result.Digest {
				t.Fatalf("%s: live and batch differ:\n%+v\n%+v", req.Method, w.Run().Result, want.Result)
			}
		}
	})
}

// A haircut that is watched for long holds few lots and few parents of flows:
// what is final by now is joined, as in a batch.
func TestWatchedHaircutStaysSmall(t *testing.T) {
	ctx := context.Background()
	var n node
	theft := passedOn(1)
	theft[0].Amount = chain.Units(1_000_000)
	n.add(everyone())
	n.add(theft)
	req := trace.Request{Method: trace.Haircut, Thefts: []trace.Theft{{ID: "x", Transfers: theft}}}
	w, err := trace.NewWatch(ctx, n.reader(t), nil, req)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 { // there and back: what comes each time is a lot of its own
		x := passedOn(1)[0]
		x.From, x.To, x.Amount = person(i%2), person(1-i%2), chain.Units(uint64(100_000-i))
		n.add([]chain.Transfer{x})
		n.m.Finalize(chain.Ethereum, n.block-2)
		if started, err := w.Advance(ctx, n.reader(t)); err != nil || started {
			t.Fatalf("started over: %v, %v", started, err)
		}
	}
	run, want := w.Run(), follow(t, n.reader(t), req)
	parents := 0
	for _, f := range run.Flows {
		parents = max(parents, len(f.Parents))
	}
	if len(run.Lots) > 8 || parents > 4 || run.Result.Digest != want.Result.Digest {
		t.Errorf("%d lots, %d parents of one flow, %s; a batch gives %d lots, %s", len(run.Lots), parents, run.Result.Digest, len(want.Lots), want.Result.Digest)
	}
}

// What a reorganisation takes back is undone, and what comes back in another
// block is told anew.
func TestWatchTakesBack(t *testing.T) {
	var n node
	theft := []chain.Transfer{{Chain: chain.Ethereum, Kind: chain.KindNative, From: person(40), To: person(0), Asset: chain.Ethereum.Native(), Amount: chain.Units(30)}}
	n.add(everyone())
	n.add(theft)
	n.m.Finalize(chain.Ethereum, n.block)
	ctx := context.Background()
	w, err := trace.NewWatch(ctx, n.reader(t), nil, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: theft}}})
	if err != nil {
		t.Fatal(err)
	}
	move := func() []chain.Transfer {
		return []chain.Transfer{{Chain: chain.Ethereum, Kind: chain.KindNative, From: person(0), To: person(1), Asset: chain.Ethereum.Native(), Amount: chain.Units(20)}}
	}
	advance := func(events int, anew bool) *trace.Run {
		t.Helper()
		started, err := w.Advance(ctx, n.reader(t))
		if got := w.Run().Timeline(); err != nil || started != anew || len(got) != 1+events {
			t.Fatalf("started %v, %+v, %v", started, got, err)
		}
		return w.Run()
	}
	n.add(move())
	if h := advance(1, false).Result.Holdings; len(h) != 2 || !h[1].Provisional || h[0].Provisional {
		t.Fatalf("the new holding is provisional, the old one final: %+v", h)
	}
	n.m.Rollback(chain.Ethereum, 2)
	n.fork, n.block = 1, 2
	n.add(nil)
	if h := advance(0, true).Result.Holdings; len(h) != 1 {
		t.Fatalf("taken back: %+v", h)
	}
	n.add(move())
	if e := advance(1, false).Timeline()[1]; e.Block != 4 || e.Kind != trace.EventMoved {
		t.Fatalf("came back: %+v", e)
	}
	n.m.Finalize(chain.Ethereum, 4)
	if h := advance(1, false).Result.Holdings; h[1].Provisional {
		t.Fatalf("final: %+v", h)
	}
}

// Outputs of a UTXO chain are watched like books: an unspent one that finds its
// spender in a new block goes on.
func TestWatchUTXO(t *testing.T) {
	pay := func(n byte) chain.Account {
		a, _ := chain.NewAccount(chain.Bitcoin, chain.FormP2PKH, append(make([]byte, 19), n))
		return a
	}
	id := func(n byte) chain.TxID { x, _ := chain.NewTxID(append(make([]byte, 31), n)); return x }
	tx := func(n byte, block uint64, prev *ledger.OutPoint, outs ...ledger.UTXOOut) ledger.UTXOTx {
		u := ledger.UTXOTx{Chain: chain.Bitcoin, Tx: id(n), Block: block, Index: 1, Time: chain.Time(block * 600_000), Outputs: outs}
		if u.Coinbase = prev == nil; prev != nil {
			u.Inputs = []ledger.UTXOIn{{Prev: *prev}}
		} else {
			u.Inputs = []ledger.UTXOIn{{}}
		}
		return u
	}
	out := func(n byte, value uint64) ledger.UTXOOut {
		return ledger.UTXOOut{Account: pay(n), Value: chain.Units(value)}
	}
	blocks := []ledger.UTXOTx{
		tx(1, 1, nil, out(1, 50)),
		tx(2, 2, &ledger.OutPoint{Tx: id(1)}, out(2, 30), out(1, 20)),
		tx(3, 3, &ledger.OutPoint{Tx: id(2)}, out(3, 29)),
	}
	theft := []trace.Theft{{ID: "x", Transfers: []chain.Transfer{{
		Chain: chain.Bitcoin, Time: 600_000, Block: 1, Tx: id(1), Kind: chain.KindNative, Ordinal: 0, To: pay(1), Asset: chain.Bitcoin.Native(), Amount: chain.Units(50),
	}}}}
	source := []trace.Source{{Account: pay(1)}}
	for name, req := range map[string]trace.Request{"theft": {Thefts: theft}, "source": {Sources: source}} {
		t.Run(name, func(t *testing.T) { watchCoins(t, req, tx(9, 0, nil, out(1, 1), out(2, 1), out(3, 1)), blocks) })
	}
}

// watchCoins watches a chain block by block and holds each state against a
// trace of the whole.
func watchCoins(t *testing.T, req trace.Request, everybody ledger.UTXOTx, blocks []ledger.UTXOTx) {
	var m model.Model
	add := func(u ledger.UTXOTx) ledger.Reader {
		m.ApplyBlock(ledger.LiveBlock{
			Block: ledger.BlockFact{Chain: chain.Bitcoin, Number: u.Block, Hash: ledger.Hash{byte(u.Block)}, Time: u.Time, HasTime: true},
			Facts: ledger.Facts{UTXOs: []ledger.UTXOTx{u}}, What: ledger.CoverUTXO,
		})
		r, err := m.Reader()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	// One output that pays everybody, so that the model numbers accounts once.
	add(everybody)
	ctx := context.Background()
	w, err := trace.NewWatch(ctx, add(blocks[0]), nil, req)
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range blocks[1:] {
		r := add(u)
		before := len(w.Run().Timeline())
		started, err := w.Advance(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		is := w.Run()
		want, err := trace.Follow(ctx, r, nil, req)
		if err != nil {
			t.Fatal(err)
		}
		if started || is.Result.Digest != want.Result.Digest {
			t.Fatalf("block %d: started %v, %+v, want %+v", i+2, started, is.Result, want.Result)
		}
		if got := len(is.Timeline()) - before; req.Thefts != nil && got != len(u.Outputs) {
			t.Errorf("block %d: %d events", i+2, got)
		}
		for _, h := range is.Result.Holdings { // no block is known to be final yet
			if !h.Provisional {
				t.Errorf("block %d: final: %+v", i+2, h)
			}
		}
	}
}

// A token whose amounts exceed any supply is refused, whatever it does.
func TestHostileAmounts(t *testing.T) {
	huge := chain.FromWords([4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)})
	var ts []chain.Transfer
	for i := range 4 {
		sum := sha256.Sum256([]byte{byte(i)})
		tx, _ := chain.NewTxID(sum[:])
		ts = append(ts, chain.Transfer{
			Chain: chain.Ethereum, Time: chain.Time(i+1) * 12_000, Block: uint64(i + 1), Tx: tx, Kind: chain.KindToken, Ordinal: 1,
			From: person(10 + i), To: person(1), Asset: chain.Token(person(60)), Amount: huge,
		})
	}
	for _, m := range trace.Methods() {
		_, err := trace.Follow(context.Background(), reader(t, ts), nil, trace.Request{Method: m, Thefts: []trace.Theft{{ID: "x", Transfers: ts}}})
		if err == nil {
			t.Errorf("%s: no error", m)
		}
	}
}
