package trace_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/ledger/model"
	"bongsu/trace"

	"pgregory.net/rapid"
)

func payee(n int) chain.Account {
	a, _ := chain.NewAccount(chain.Bitcoin, chain.FormP2PKH, append(make([]byte, 19), byte(n+1)))
	return a
}

// genCoins draws a UTXO chain: coinbases that claim their fees or less, joins,
// splits, data outputs, fees, outputs that nobody spends, and now and then an
// input that the ledger lacks.
func genCoins(t *rapid.T) []ledger.UTXOTx {
	type coin struct {
		at    ledger.OutPoint
		value uint64
	}
	var coins []coin
	var out []ledger.UTXOTx
	id := func() chain.TxID {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d", len(out)))
		x, _ := chain.NewTxID(sum[:])
		return x
	}
	pay := func(tx *ledger.UTXOTx, left uint64, spend bool) uint64 {
		for i := range rapid.IntRange(1, 3).Draw(t, "outputs") {
			v := rapid.Uint64Range(0, left).Draw(t, "value")
			if i == 0 && !spend {
				v = left
			}
			left -= v
			o := ledger.UTXOOut{Account: payee(rapid.IntRange(0, 5).Draw(t, "to")), Value: chain.Units(v)}
			if spend && rapid.IntRange(0, 9).Draw(t, "data") == 0 {
				o = ledger.UTXOOut{Value: chain.Units(v), Data: []byte("x")}
			} else if v > 0 {
				coins = append(coins, coin{ledger.OutPoint{Tx: tx.Tx, Index: uint32(i)}, v})
			}
			tx.Outputs = append(tx.Outputs, o)
		}
		return left
	}
	for block := range uint64(rapid.IntRange(2, 7).Draw(t, "blocks")) {
		first := len(out)
		out = append(out, ledger.UTXOTx{Chain: chain.Bitcoin, Tx: id(), Block: block, Time: chain.Time(1+block) * 600_000, Coinbase: true, Inputs: []ledger.UTXOIn{{}}})
		var fees uint64
		for range rapid.IntRange(0, 3).Draw(t, "transactions") {
			tx := ledger.UTXOTx{Chain: chain.Bitcoin, Tx: id(), Block: block, Index: uint32(len(out) - first), Time: chain.Time(1+block) * 600_000}
			var in uint64
			for range rapid.IntRange(1, 3).Draw(t, "inputs") {
				if len(coins) == 0 {
					break
				}
				k := rapid.IntRange(0, len(coins)-1).Draw(t, "coin")
				tx.Inputs, in = append(tx.Inputs, ledger.UTXOIn{Prev: coins[k].at}), in+coins[k].value
				coins = slices.Delete(coins, k, k+1)
			}
			if len(tx.Inputs) == 0 {
				continue
			}
			if rapid.IntRange(0, 7).Draw(t, "unknown") == 0 {
				other := sha256.Sum256(fmt.Appendf(nil, "lost %d", len(out)))
				prev, _ := chain.NewTxID(other[:])
				tx.Inputs = slices.Insert(tx.Inputs, rapid.IntRange(0, len(tx.Inputs)).Draw(t, "where"), ledger.UTXOIn{Prev: ledger.OutPoint{Tx: prev}})
				in += rapid.Uint64Range(0, 9).Draw(t, "lost")
			}
			out = append(out, tx)
			fees += pay(&out[len(out)-1], in, true)
		}
		minted := uint64(rapid.IntRange(0, 20).Draw(t, "subsidy"))
		if rapid.IntRange(0, 4).Draw(t, "claims") > 0 {
			minted += fees
		}
		pay(&out[first], minted, false)
	}
	return out
}

func coinReader(t rapid.TB, txs []ledger.UTXOTx) ledger.Reader {
	var m model.Model
	if err := m.Add(&ledger.Facts{UTXOs: txs}); err != nil {
		t.Fatal(err)
	}
	r, err := m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// paid is the transfer of one output.
func paid(tx *ledger.UTXOTx, i int) chain.Transfer {
	return chain.Transfer{
		Chain: tx.Chain, Time: tx.Time, Block: tx.Block, Index: tx.Index, Tx: tx.Tx, Kind: chain.KindNative, Ordinal: uint32(i),
		To: tx.Outputs[i].Account, Asset: tx.Chain.Native(), Amount: tx.Outputs[i].Value,
	}
}

func genOutput(t *rapid.T, txs []ledger.UTXOTx, what string) (chain.Transfer, bool) {
	tx := &txs[rapid.IntRange(0, len(txs)-1).Draw(t, what)]
	i := rapid.IntRange(0, len(tx.Outputs)-1).Draw(t, what+" output")
	return paid(tx, i), !tx.Outputs[i].Value.IsZero() && !tx.Outputs[i].Account.IsZero()
}

// Whatever the history, the method, the fee rule and the bounds: what was
// stolen is what is accounted for, on a UTXO chain too.
func TestCoinsConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		txs := genCoins(t)
		var thefts []trace.Theft
		for i := range rapid.IntRange(1, 3).Draw(t, "thefts") {
			if s, ok := genOutput(t, txs, "stolen"); ok {
				thefts = append(thefts, trace.Theft{ID: fmt.Sprintf("t%d", i), Transfers: []chain.Transfer{s}})
			}
		}
		if len(thefts) == 0 {
			return
		}
		set := labels.NewSet([]labels.Label{{Account: payee(0), Label: "E", Category: "exchange", Source: "s", Score: 50}})
		req := trace.Request{
			Thefts: thefts, Method: rapid.SampledFrom(trace.Methods()).Draw(t, "method"), ObservedOnly: rapid.Bool().Draw(t, "observed"),
			Fees: rapid.SampledFrom([]trace.FeeRule{trace.FeesSink, trace.FeesCoinbase}).Draw(t, "fees"),
			Bounds: trace.Bounds{
				MaxHops: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "hops"), Until: chain.Time(rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "until")) * 600_000,
				MaxDegree: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "degree"),
			},
		}
		if rapid.Bool().Draw(t, "floor") {
			req.Bounds.MinAmount = []chain.Money{{Asset: chain.Bitcoin.Native(), Amount: chain.Units(4)}}
		}
		if rapid.IntRange(0, 2).Draw(t, "by source") == 0 {
			req.Thefts = nil
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 1, 2, rapid.ID[int]).Draw(t, "sources") {
				req.Sources = append(req.Sources, trace.Source{Account: payee(n), Since: chain.Time(rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "since")) * 600_000})
			}
		}
		run, err := trace.Follow(context.Background(), coinReader(t, txs), set, req)
		if req.Sources != nil && errs.Is(err) == errs.NotExist {
			return // the chain never paid that account
		}
		if err != nil {
			t.Fatal(err)
		}
		checkSums(t, run)
		for i, f := range run.Flows {
			if f.Total.Less(f.Amount) {
				t.Fatalf("flow %d carries more than it moves: %+v", i, f)
			}
			for _, p := range f.Parents {
				if p >= i || run.Flows[p].Theft != f.Theft {
					t.Fatalf("flow %d cannot come from flow %d", i, p)
				}
			}
		}
	})
}

// carriedInto is what tracing one output forward carries into another.
func carriedInto(t *rapid.T, r ledger.Reader, set *labels.Set, s, d chain.Transfer, req trace.Request) (sum chain.Amount) {
	req.Thefts = []trace.Theft{{ID: "s", Transfers: []chain.Transfer{s}}}
	run, err := trace.Follow(context.Background(), r, set, req)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range run.Flows {
		if f.Tx == d.Tx.Text(d.Chain) && f.Ordinal != nil && *f.Ordinal == d.Ordinal && f.Kind == "native" {
			sum = sum.MustAdd(f.Amount)
		}
	}
	return sum
}

// explained is what a backward result says a deposit consists of.
func explained(run *trace.Run) (places, missing chain.Amount) {
	for _, x := range run.Result.Holdings {
		places = places.MustAdd(x.Base)
	}
	for _, x := range run.Result.Exits {
		places = places.MustAdd(x.Base)
	}
	for _, x := range run.Result.Unfollowed {
		places = places.MustAdd(x.Base)
	}
	for _, x := range run.Result.Incomplete {
		missing = missing.MustAdd(x.Missing.Base)
	}
	return places, missing
}

// Backward is forward's dual on UTXO chains (definition 12): what a place where
// going back stops contributes to a deposit is what tracing its outputs one by
// one carries into it. The fee rule coinbase has one more kind of place, the
// subsidy, which is no output.
func TestCoinDuality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		txs := genCoins(t)
		d, ok := genOutput(t, txs, "deposit")
		if !ok {
			return
		}
		r := coinReader(t, txs)
		req := trace.Request{
			Method: rapid.SampledFrom(trace.Methods()).Draw(t, "method"),
			Fees:   rapid.SampledFrom([]trace.FeeRule{trace.FeesSink, trace.FeesCoinbase}).Draw(t, "fees"),
		}
		back := req
		back.Backward, back.Thefts = true, []trace.Theft{{ID: "d", Transfers: []chain.Transfer{d}}}
		run, err := trace.Follow(context.Background(), r, nil, back)
		if err != nil {
			t.Fatal(err)
		}
		places, missing := explained(run)
		additive := req.Method == trace.FIFO || req.Method == trace.LIFO || req.Method == trace.Haircut
		if additive && places.MustAdd(missing) != d.Amount {
			t.Fatalf("%s: a deposit of %s is explained by %s and lacks %s", req.Method, d.Amount.Base(), places.Base(), missing.Base())
		}
		if req.Fees == trace.FeesCoinbase {
			return
		}
		// Going back stops at coinbases alone here: each coinbase's output, alone.
		var sum chain.Amount
		want := map[chain.Account]chain.Amount{}
		for i := range txs {
			for k := range txs[i].Outputs {
				if txs[i].Coinbase && !txs[i].Outputs[k].Value.IsZero() {
					x := carriedInto(t, r, nil, paid(&txs[i], k), d, req)
					want[txs[i].Outputs[k].Account] = want[txs[i].Outputs[k].Account].MustAdd(x)
					sum = sum.MustAdd(x)
				}
			}
		}
		for _, h := range run.Result.Holdings {
			if additive && d.Amount.Less(sum) { // haircut's roundings, trimmed
				if want[h.Account].Less(h.Base) {
					t.Fatalf("%s: %s contributed %s backward and %s forward", req.Method, h.Account, h.Base.Base(), want[h.Account].Base())
				}
				continue
			}
			want[h.Account] = want[h.Account].MustSub(h.Base)
		}
		if additive && d.Amount.Less(sum) {
			return
		}
		for a, left := range want {
			if !left.IsZero() {
				t.Fatalf("%s: %s contributes %s more forward than backward: %+v", req.Method, a, left.Base(), run.Result)
			}
		}
	})
}

// With services and bounds in between nothing disappears from the sum either.
func TestCoinsBackwardConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		txs := genCoins(t)
		d, ok := genOutput(t, txs, "deposit")
		if !ok {
			return
		}
		set := labels.NewSet([]labels.Label{{Account: payee(0), Label: "E", Category: "exchange", Source: "s", Score: 50}})
		req := trace.Request{
			Backward: true, Thefts: []trace.Theft{{ID: "d", Transfers: []chain.Transfer{d}}}, ObservedOnly: rapid.Bool().Draw(t, "observed"),
			Method: rapid.SampledFrom([]trace.Method{trace.FIFO, trace.LIFO, trace.Haircut}).Draw(t, "method"),
			Fees:   rapid.SampledFrom([]trace.FeeRule{trace.FeesSink, trace.FeesCoinbase}).Draw(t, "fees"),
			Bounds: trace.Bounds{MaxHops: rapid.IntRange(0, 3).Draw(t, "hops")},
		}
		if rapid.Bool().Draw(t, "floor") {
			req.Bounds.MinAmount = []chain.Money{{Asset: chain.Bitcoin.Native(), Amount: chain.Units(3)}}
		}
		run, err := trace.Follow(context.Background(), coinReader(t, txs), set, req)
		if err != nil {
			t.Fatal(err)
		}
		places, missing := explained(run)
		if places.MustAdd(missing) != d.Amount {
			t.Fatalf("%s: a deposit of %s is explained by %s and lacks %s: %+v", req.Method, d.Amount.Base(), places.Base(), missing.Base(), run.Result)
		}
		for i, f := range run.Flows {
			for _, p := range f.Parents {
				if p >= i {
					t.Fatalf("flow %d comes from a later one, %d", i, p)
				}
			}
		}
		if err := run.Result.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}

// A bound in time makes no sense where the deposit is the end.
func TestBackwardRefuses(t *testing.T) {
	txs := []ledger.UTXOTx{{Chain: chain.Bitcoin, Tx: txID(1), Block: 1, Time: 600_000, Coinbase: true, Inputs: []ledger.UTXOIn{{}}, Outputs: []ledger.UTXOOut{{Account: payee(1), Value: chain.Units(5)}}}}
	_, err := trace.Follow(context.Background(), coinReader(t, txs), nil, trace.Request{
		Backward: true, Thefts: []trace.Theft{{ID: "d", Transfers: []chain.Transfer{paid(&txs[0], 0)}}}, Bounds: trace.Bounds{Until: 1},
	})
	if errs.Is(err) != errs.Usage {
		t.Fatalf("%v", err)
	}
}

func txID(n byte) chain.TxID { x, _ := chain.NewTxID(append(make([]byte, 31), n)); return x }
