package trace_test

import (
	"encoding/binary"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace"
)

// byTurns is two thefts that reach a hub by turns, over one hop and over two,
// and the hub's spends between them, to one account.
func byTurns(rounds int) (all []chain.Transfer, thefts []trace.Theft) {
	move := func(from, to chain.Account, amount uint64) chain.Transfer {
		n := uint64(len(all))
		var tx [32]byte
		binary.BigEndian.PutUint64(tx[:], n+1)
		x := chain.Transfer{
			Chain: chain.Ethereum, Block: 10 + n, Time: chain.Time(10+n) * 12_000, Kind: chain.KindNative,
			From: from, To: to, Asset: chain.Ethereum.Native(), Amount: chain.Units(amount),
		}
		x.Tx, _ = chain.NewTxID(tx[:])
		all = append(all, x)
		return x
	}
	victim, hub, end := person(40), person(0), person(1)
	thefts = []trace.Theft{{ID: "x"}, {ID: "y"}}
	for i := range rounds {
		thief := person(2 + i%2)
		t := &thefts[i%2]
		t.Transfers = append(t.Transfers, move(victim, thief, 1000))
		if i%4 < 2 {
			move(thief, hub, 1000)
		} else {
			move(thief, person(4), 1000)
			move(person(4), hub, 1000)
		}
		move(hub, end, 500)
	}
	return all, thefts
}

// However often kinds of taint come by turns, a haircut book holds few lots, a
// spend is few flows, and every unit is accounted for.
func TestHaircutBooksStaySmall(t *testing.T) {
	const rounds, most = 400, 4
	all, thefts := byTurns(rounds)
	r := reader(t, all)
	for name, bounds := range map[string]trace.Bounds{"thefts": {}, "hops": {MaxHops: 9}} {
		req := trace.Request{Method: trace.Haircut, Thefts: thefts, Bounds: bounds}
		run := follow(t, r, req.InRuns(most))
		kinds := 2 // thefts
		if bounds.MaxHops > 0 {
			kinds *= 2
		}
		perSpend, perBook := map[string]int{}, map[chain.Account]int{}
		for _, f := range run.Flows {
			perSpend[f.Tx]++
		}
		for tx, n := range perSpend {
			if n > most+kinds {
				t.Fatalf("%s: %d flows of transaction %s", name, n, tx)
			}
		}
		for _, l := range run.Lots {
			perBook[l.Account]++
		}
		for who, n := range perBook {
			if n > 2*(most+kinds) { // what two arrivals bring
				t.Errorf("%s: %d lots of %s", name, n, who)
			}
		}
		for theft, want := range map[string]uint64{"x": rounds / 2 * 1000, "y": rounds / 2 * 1000} {
			var sum chain.Amount
			for _, h := range run.Result.Holdings {
				if h.Theft == theft {
					sum = sum.MustAdd(h.Base)
				}
			}
			if sum != chain.Units(want) {
				t.Errorf("%s: %s of theft %s is accounted for", name, sum.Base(), theft)
			}
		}
		if kept := follow(t, r, req.InRuns(1<<20)); len(kept.Flows) < 4*len(run.Flows) {
			t.Errorf("%s: %d flows, %d with lots in order: the history shows nothing", name, len(run.Flows), len(kept.Flows))
		}
	}
}

// On a UTXO chain outputs that are split and joined again and again hold no more
// lots than there are kinds, for each payer.
func TestHaircutOutputsStaySmall(t *testing.T) {
	const rounds, most = 12, 2
	value := func(n uint64) chain.Amount { return chain.Units(n * 1_000_003) }
	tx := func(n int, ins []ledger.OutPoint, outs ...uint64) ledger.UTXOTx {
		u := ledger.UTXOTx{Chain: chain.Bitcoin, Tx: txID(byte(n)), Block: uint64(n), Index: 1, Time: chain.Time(1+n) * 600_000}
		for _, p := range ins {
			u.Inputs = append(u.Inputs, ledger.UTXOIn{Prev: p})
		}
		if u.Coinbase = len(ins) == 0; u.Coinbase {
			u.Inputs = []ledger.UTXOIn{{}}
		}
		for i, v := range outs {
			u.Outputs = append(u.Outputs, ledger.UTXOOut{Account: payee(i), Value: value(v)})
		}
		return u
	}
	point := func(n, i int) ledger.OutPoint { return ledger.OutPoint{Tx: txID(byte(n)), Index: uint32(i)} }
	txs := []ledger.UTXOTx{tx(1, nil, 1<<20), tx(2, nil, 1<<20)}
	a, b := point(1, 0), point(2, 0)
	for n := 3; n < 3+rounds; n++ { // each turn doubles the runs of lots
		txs = append(txs, tx(n, []ledger.OutPoint{a, b}, 1<<20, 1<<20))
		a, b = point(n, 0), point(n, 1)
	}
	req := trace.Request{Method: trace.Haircut, Thefts: []trace.Theft{
		{ID: "x", Transfers: []chain.Transfer{paid(&txs[0], 0)}}, {ID: "y", Transfers: []chain.Transfer{paid(&txs[1], 0)}},
	}}
	r := coinReader(t, txs)
	if run := follow(t, r, req.InRuns(most)); len(run.Lots) > 2*2*2 {
		t.Errorf("%d lots in two outputs", len(run.Lots))
	}
	if run := follow(t, r, req.InRuns(1<<20)); len(run.Lots) < 1<<(rounds-2) {
		t.Errorf("%d lots in order: the history shows nothing", len(run.Lots))
	}
}
