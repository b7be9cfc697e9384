package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

func p2pkh(n int) chain.Account {
	a, _ := chain.NewAccount(chain.Bitcoin, chain.FormP2PKH, append(make([]byte, 19), byte(n)))
	return a
}

func bitcoinTx(n int) chain.TxID {
	id, _ := chain.NewTxID(append([]byte{byte(n * 91)}, append(make([]byte, 30), byte(n))...))
	return id
}

// payments are transactions of which each spends an output of the one before
// and one of the one before that.
func payments() (out []ledger.UTXOTx) {
	for n := range 20 {
		u := ledger.UTXOTx{Chain: chain.Bitcoin, Tx: bitcoinTx(n), Block: uint64(n / 3), Index: uint32(n % 3), Time: chain.Time(1_000_000 + n/3), Coinbase: n == 0}
		if n == 0 {
			u.Inputs = []ledger.UTXOIn{{}}
		}
		for _, k := range []int{1, 2} {
			if n >= k {
				u.Inputs = append(u.Inputs, ledger.UTXOIn{Prev: ledger.OutPoint{Tx: bitcoinTx(n - k), Index: uint32(k - 1)}})
			}
		}
		for k := range 3 {
			u.Outputs = append(u.Outputs, ledger.UTXOOut{Account: p2pkh(n % (k + 3)), Value: chain.Units(uint64(100*n + k))})
		}
		u.Outputs = append(u.Outputs, ledger.UTXOOut{Data: []byte{byte(n)}})
		out = append(out, u)
	}
	return out
}

// TestOutputsKnowTheirSpenders imports payments in any order and in parts.
func TestOutputsKnowTheirSpenders(t *testing.T) {
	all := payments()
	var m model.Model
	m.Add(&ledger.Facts{UTXOs: all}) //nolint:errcheck // it has places
	want, err := m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 1))
		dir := t.TempDir()
		var opt ledger.Options
		ledger.SmallSegments(&opt, 2, 2)
		l := open(t, dir, opt)
		mixed := slices.Clone(all)
		rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		for _, part := range [][]ledger.UTXOTx{mixed[:7], mixed[5:13], mixed[13:]} {
			put(t, l, &ledger.Facts{UTXOs: part, Blocks: []ledger.BlockFact{{Chain: chain.Bitcoin, Number: part[0].Block, Hash: ledger.Hash{1}}}})
		}
		if got, want := utxoDump(t, reader(t, l)), utxoDump(t, want); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		l.Close()
		l = open(t, dir, ledger.Options{})
		if got, want := utxoDump(t, reader(t, l)), utxoDump(t, want); got != want {
			t.Errorf("opened again, got\n%s\nwant\n%s", got, want)
		}
		l.Close()
	}
}

func utxoDump(t *testing.T, r ledger.Reader) (out string) {
	t.Helper()
	var names []ledger.Tx
	var accounts []chain.Account
	for n := range 20 {
		names = append(names, ledger.Tx{Chain: chain.Bitcoin, ID: bitcoinTx(n)})
		accounts = append(accounts, p2pkh(n%6))
	}
	refs, err := r.TxRefs(ctx, names)
	if err != nil {
		t.Fatal(err)
	}
	txs, err := r.UTXOs(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range txs {
		out += fmt.Sprintf("%+v\n", u)
	}
	for n := range uint64(8) {
		in, err := r.BlockTxs(ctx, chain.Bitcoin, n)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := r.Txs(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf("block %d %v\n", n, ids)
	}
	who, err := r.AccountRefs(ctx, accounts)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range who {
		pages, err := r.OutputsOf(ctx, []ledger.Query{{Account: a, Limit: 4, Reverse: i%2 == 1}})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range pages[0].Outputs {
			out += fmt.Sprintf("%s %d %v %+v %s %+v %v\n", accounts[i], o.Key.Block, o.Key.Ordinal, o.Point, o.Value.Base(), o.Spender, pages[0].More)
		}
	}
	return out
}
