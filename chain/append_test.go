package chain_test

import (
	"math/rand/v2"
	"testing"

	"bongsu/chain"
)

// What is appended is what the text functions give, at every limb's edge.
func TestAppended(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
	amounts := []chain.Amount{{}, chain.Units(1), chain.Units(1<<64 - 1), chain.Units(9_999_999_999_999_999_999), chain.Units(10_000_000_000_000_000_000)}
	for limb := range 4 {
		var one, all [4]uint64
		one[limb] = 1
		for i := range limb + 1 {
			all[i] = 1<<64 - 1
		}
		a, b := chain.FromWords(one), chain.FromWords(all)
		amounts = append(amounts, a, b, b.MustSub(chain.Units(1)))
	}
	power := chain.Units(1)
	for ok := true; ok; {
		amounts = append(amounts, power, power.MustSub(chain.Units(1)), power.MustAdd(chain.Units(1)))
		power, ok = power.MulDiv(chain.Units(10), chain.Units(1))
	}
	for range 2000 {
		var w [4]uint64
		for i := range rng.IntN(5) {
			w[i] = rng.Uint64() >> rng.IntN(64)
		}
		amounts = append(amounts, chain.FromWords(w))
	}
	for _, a := range amounts {
		same("amount", string(a.AppendBase([]byte("x"))), "x"+a.Base())
	}
	ids := []chain.ID{chain.Ethereum, chain.Bitcoin, chain.Tron, chain.Solana, "eip155:8453"}
	for i := range 500 {
		var raw [64]byte
		for k := range raw {
			raw[k] = byte(rng.Uint32())
		}
		id := ids[i%len(ids)]
		tx, _ := chain.NewTxID(raw[:32+32*(i%2)])
		same("transaction", string(tx.AppendTo([]byte("x"), id)), "x"+tx.Text(id))
		for form := chain.FormNone; form <= chain.FormSolana; form++ {
			n := 20
			if form == chain.FormScript || form == chain.FormSolana {
				n = 32
			}
			a, _ := chain.NewAccount(id, form, raw[:n])
			b, err := a.AppendText([]byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			same("account", string(b), "x"+a.String())
		}
		at := chain.Time(rng.Int64N(4_000_000_000_000))
		if i%2 == 0 {
			at -= at % 1000
		}
		b, err := at.AppendText([]byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		same("time", string(b), "x"+at.String())
	}
	none := chain.TxID{}
	same("no transaction", string(none.AppendTo(nil, chain.Ethereum)), "")
}
