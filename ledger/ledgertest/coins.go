package ledgertest

import (
	"bongsu/chain"
	"bongsu/ledger"

	"pgregory.net/rapid"
)

// DrawCoins is Draw for a UTXO chain: transactions of a few blocks that spend
// one another's outputs, and sources that each know a part of them. Sometimes
// an output is spent twice, or spent by what came before it, as no chain does:
// the answers must not depend on who said it first.
func DrawCoins(t *rapid.T) World {
	w := World{Chain: chain.Bitcoin}
	txs := drawCoinTxs(t)
	astray := drawAstray(t)
	for range rapid.IntRange(1, 4).Draw(t, "sources") {
		w.Facts = append(w.Facts, drawCoinSource(t, txs, astray))
	}
	return w
}

func coinAccount(n int) chain.Account {
	a, _ := chain.NewAccount(chain.Bitcoin, []chain.Form{chain.FormP2PKH, chain.FormScript}[n%2], append(make([]byte, 19+12*(n%2)), byte(n)))
	return a
}

func drawCoinTxs(t *rapid.T) (out []ledger.UTXOTx) {
	n := rapid.IntRange(1, 14).Draw(t, "txs")
	id := func(i int) chain.TxID {
		raw := make([]byte, 32)
		raw[0], raw[31] = byte(i*91), byte(i)
		x, _ := chain.NewTxID(raw)
		return x
	}
	block, index := uint64(3), uint32(0)
	for i := range n {
		if index > 0 && rapid.IntRange(0, 2).Draw(t, "next block") == 0 {
			block, index = block+1, 0
		}
		u := ledger.UTXOTx{Chain: chain.Bitcoin, Tx: id(i), Block: block, Index: index, Time: blockTime(block), Coinbase: index == 0}
		if u.Coinbase {
			u.Inputs = []ledger.UTXOIn{{}}
		} else {
			for range rapid.IntRange(0, 3).Draw(t, "inputs") {
				u.Inputs = append(u.Inputs, ledger.UTXOIn{Prev: ledger.OutPoint{
					Tx: id(rapid.IntRange(0, n).Draw(t, "spent")), Index: uint32(rapid.IntRange(0, 3).Draw(t, "output")),
				}})
			}
		}
		for k := range rapid.IntRange(1, 4).Draw(t, "outputs") {
			o := ledger.UTXOOut{Account: coinAccount(rapid.IntRange(1, 4).Draw(t, "to")), Value: chain.Units(uint64(rapid.IntRange(0, 3).Draw(t, "value")) * 1e9)}
			if k == 3 {
				o = ledger.UTXOOut{Data: []byte{byte(i), 7}}
			}
			u.Outputs = append(u.Outputs, o)
		}
		out = append(out, u)
		index++
	}
	return out
}

func drawCoinSource(t *rapid.T, txs []ledger.UTXOTx, astray bool) (f ledger.Facts) {
	knows := rapid.Bool().Draw(t, "knows inputs")
	indices := rapid.IntRange(0, 3).Draw(t, "knows indices") > 0
	blocks := rapid.IntRange(0, 3).Draw(t, "knows blocks") > 0 || astray
	for _, u := range txs {
		u.Block = stray(t, astray, u.Block)
		u.Time = blockTime(u.Block)
		switch rapid.IntRange(0, 7).Draw(t, "what") {
		case 0:
			continue
		case 1:
			f.Txs = append(f.Txs, ledger.TxFact{Chain: u.Chain, Tx: u.Tx, Block: u.Block, Index: u.Index})
			continue
		case 2:
			f.Blocks = append(f.Blocks, ledger.BlockFact{Chain: u.Chain, Number: u.Block, Hash: ledger.Hash{byte(u.Block), 1}, Time: u.Time, HasTime: true})
		}
		u.Inputs = append([]ledger.UTXOIn(nil), u.Inputs...)
		for i := range u.Inputs {
			if in := &u.Inputs[i]; knows && !u.Coinbase {
				in.Known, in.Account, in.Value = true, coinAccount(rapid.IntRange(1, 6).Draw(t, "stated")), chain.Units(uint64(i))
			}
		}
		if rapid.IntRange(0, 15).Draw(t, "contradicts") == 0 {
			u.Outputs = append([]ledger.UTXOOut{{Account: coinAccount(7), Value: chain.Units(5)}}, u.Outputs[1:]...)
		}
		if !indices {
			u.Index = chain.NoIndex
		}
		if !blocks {
			u.Block = chain.NoBlock
		}
		f.UTXOs = append(f.UTXOs, u)
	}
	return f
}
