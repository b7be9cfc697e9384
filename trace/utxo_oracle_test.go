package trace_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace"

	"pgregory.net/rapid"
)

// The oracle of UTXO chains: every unit of every output is a thing of its own
// and is poured by the definitions, one by one. It shares nothing with the
// simulation: no lots, no streams, no heap of transactions.
type coinOracle struct {
	method trace.Method
	fees   trace.FeeRule
	runs   int // of like units that haircut keeps in order
	thefts []trace.Theft
	outs   map[ledger.OutPoint][]unit
	pool   map[uint64][]unit // by block, what a coinbase collects
	ends   map[string]uint64 // fees, adjustments, collided
}

func cleanUnits(n uint64) []unit { return make([]unit, n) }

func (o *coinOracle) run(txs []ledger.UTXOTx) map[string]uint64 {
	o.outs, o.pool, o.ends = map[ledger.OutPoint][]unit{}, map[uint64][]unit{}, map[string]uint64{}
	txs = slices.Clone(txs)
	slices.SortFunc(txs, func(a, b ledger.UTXOTx) int {
		c := cmp.Compare(a.Block, b.Block)
		if c == 0 && o.fees == trace.FeesCoinbase && a.Coinbase != b.Coinbase {
			return map[bool]int{true: 1, false: -1}[a.Coinbase]
		}
		return cmp.Or(c, cmp.Compare(a.Index, b.Index))
	})
	accounts := map[ledger.OutPoint]chain.Account{}
	for i := range txs {
		o.step(&txs[i])
		for k := range txs[i].Outputs {
			accounts[ledger.OutPoint{Tx: txs[i].Tx, Index: uint32(k)}] = txs[i].Outputs[k].Account
		}
	}
	for at, units := range o.outs {
		o.end("holding "+accounts[at].String(), units)
	}
	return o.ends
}

func (o *coinOracle) end(where string, units []unit) {
	for _, u := range units {
		if u.theft != "" {
			o.ends[fmt.Sprint(where, " ", u.theft, " ", u.rule != trace.RuleNone)]++
		}
	}
}

func (o *coinOracle) step(tx *ledger.UTXOTx) {
	var in []unit
	var spent uint64
	values := make([]int, len(tx.Outputs))
	for i := range tx.Outputs {
		v, _ := tx.Outputs[i].Value.Uint64()
		values[i], spent = int(v), spent+v
	}
	short := false
	switch {
	case tx.Coinbase && o.fees == trace.FeesCoinbase:
		paid := o.pool[tx.Block]
		in = append(cleanUnits(spent-min(spent, uint64(len(paid)))), paid...)
	case tx.Coinbase:
		in = cleanUnits(spent)
	default:
		for _, x := range tx.Inputs {
			units, known := o.outs[x.Prev]
			short = short || !known
			in = append(in, units...)
			delete(o.outs, x.Prev)
		}
	}
	missing := spent - min(spent, uint64(len(in)))
	outs, fee := o.pourUnits(in, cleanUnits(missing), values, len(in)+int(missing)-int(spent))
	for _, units := range append(slices.Clone(outs), fee) {
		for i := range units {
			if u := &units[i]; u.theft != "" && short {
				u.rule = trace.RuleKnownFirst
			}
		}
	}
	for i := range outs {
		o.pay(tx, i, outs[i])
	}
	switch {
	case tx.Coinbase:
		o.end("adjustment", fee)
	case o.fees != trace.FeesCoinbase:
		o.end("fee", fee)
	case !short || slices.ContainsFunc(fee, func(u unit) bool { return u.theft != "" }):
		o.pool[tx.Block] = append(o.pool[tx.Block], fee...) // what nobody knows is no fee
	}
}

func (o *coinOracle) pay(tx *ledger.UTXOTx, i int, units []unit) {
	for _, th := range o.thefts {
		for _, s := range th.Transfers {
			if s.Tx != tx.Tx || s.Ordinal != uint32(i) {
				continue
			}
			for k := range units {
				if units[k].theft != "" {
					o.ends["collided "+th.ID]++
				} else {
					units[k] = unit{theft: th.ID}
				}
			}
		}
	}
	if tx.Outputs[i].Account.IsZero() {
		o.end("adjustment", units)
		units = cleanUnits(uint64(len(units)))
	}
	o.outs[ledger.OutPoint{Tx: tx.Tx, Index: uint32(i)}] = units
}

// pourUnits shares units out: known ones first, those that are missing last.
func (o *coinOracle) pourUnits(in, missing []unit, values []int, fee int) (outs [][]unit, rest []unit) {
	outs = make([][]unit, len(values))
	take := func(from *[]unit, n int) []unit {
		out := slices.Clone((*from)[:n])
		*from = (*from)[n:]
		return out
	}
	var taint, clean []unit
	for _, u := range append(slices.Clone(in), missing...) {
		if u.theft != "" {
			taint = append(taint, u)
		} else {
			clean = append(clean, u)
		}
	}
	whole, all := len(taint), len(taint)+len(clean)
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	switch m := o.method; m {
	case trace.FIFO, trace.LIFO:
		line := slices.Clone(in)
		if m == trace.LIFO {
			slices.Reverse(line)
			slices.Reverse(order)
		}
		line = append(line, missing...)
		for _, i := range order {
			outs[i] = take(&line, values[i])
		}
		return outs, take(&line, fee)
	case trace.TIHO:
		if all > 0 {
			rest = take(&taint, fee*whole/all)
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(values[j], values[i]) })
		for _, i := range order {
			outs[i] = take(&taint, min(len(taint), values[i]))
		}
		for _, i := range order {
			outs[i] = append(outs[i], take(&clean, values[i]-len(outs[i]))...)
		}
		return outs, append(append(rest, taint...), clean...)
	}
	taint = grouped(taint, o.runs, false)
	running, before := 0, 0
	share := func(n int) []unit { // haircut
		if running += n; all == 0 {
			return nil
		}
		t := running*whole/all - before
		before += t
		var out, keep []unit
		for k, u := range taint {
			if t*(k+1)/len(taint) > len(out) {
				out = append(out, u)
			} else {
				keep = append(keep, u)
			}
		}
		taint = keep
		return append(out, take(&clean, n-t)...)
	}
	for i, v := range values {
		outs[i] = share(v)
	}
	return outs, share(fee)
}

// Every method but poison, which carries no origins, against the oracle, unit by
// unit, with both fee rules and several thefts.
func TestCoinsAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		txs := genCoins(t)
		o := coinOracle{
			method: rapid.SampledFrom([]trace.Method{trace.FIFO, trace.LIFO, trace.Haircut, trace.TIHO}).Draw(t, "method"),
			fees:   rapid.SampledFrom([]trace.FeeRule{trace.FeesSink, trace.FeesCoinbase}).Draw(t, "fees"),
			runs:   rapid.SampledFrom([]int{1, 2, 3, 64}).Draw(t, "runs"),
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "thefts") {
			if s, ok := genOutput(t, txs, "stolen"); ok {
				o.thefts = append(o.thefts, trace.Theft{ID: fmt.Sprintf("t%d", i), Transfers: []chain.Transfer{s}})
			}
		}
		if len(o.thefts) == 0 {
			return
		}
		run, err := trace.Follow(context.Background(), coinReader(t, txs), nil, trace.Request{Method: o.method, Fees: o.fees, Thefts: o.thefts}.InRuns(o.runs))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]uint64{}
		add := func(where string, a trace.Amount) {
			n, _ := a.Base.Uint64()
			got[where] += n
		}
		res := &run.Result
		for _, x := range res.Holdings {
			add(fmt.Sprint("holding ", x.Account, " ", x.Theft, " ", x.Basis == trace.Inferred), x.Amount)
		}
		for _, x := range res.Fees {
			add(fmt.Sprint("fee ", x.Theft, " ", x.Basis == trace.Inferred), x.Amount)
		}
		for _, x := range res.Adjustments {
			add(fmt.Sprint("adjustment ", x.Theft, " ", x.Basis == trace.Inferred), x.Amount)
		}
		for _, x := range res.Collided {
			add("collided "+x.Theft, x.Amount)
		}
		if want := o.run(txs); !maps.Equal(got, want) {
			t.Fatalf("%s, fees %s:\n got %v\nwant %v", o.method, o.fees, got, want)
		}
	})
}
