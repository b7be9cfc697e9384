package links

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"bongsu/chain"
)

// Wrapped is a contract that issues a token for its chain's own coin, one base
// unit for one, as WETH9 does: coin sent to it is the sender's deposit of as
// much of the token, and coin that it sends is the receiver's withdrawal of as
// much. No other movement of coin touches it but coin forced on it (by a
// contract that destroys itself, by a block's reward), which it does not count.
type Wrapped struct {
	Contract chain.Account
	Symbol   string
	Decimals uint8  // those of the coin
	Source   string // where the contract and its address are written down
}

// Coin is the chain's own coin, Token what the contract issues for it.
func (w *Wrapped) Coin() chain.Asset  { return w.Contract.Chain().Native() }
func (w *Wrapped) Token() chain.Asset { return chain.Token(w.Contract) }

// opStack is where every chain of the OP Stack has its wrapped coin from its
// first block on.
const (
	opStack       = "0x4200000000000000000000000000000000000006"
	opStackSource = "OP Stack specification, predeploys: WETH9 at 0x42...06"
)

// wrapped is the list, by chain. A contract is left out where its code has a
// way for one account's coin to become another's token (Arbitrum's WETH:
// depositTo, withdrawTo), or where we have not seen its code.
var wrapped = sync.OnceValue(func() []Wrapped {
	rows := []struct {
		chain                    chain.ID
		contract, symbol, source string
	}{
		{"eip155:1", "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH", "contract WETH9, verified at its address"},
		{"eip155:10", opStack, "WETH", opStackSource},
		{"eip155:56", "0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c", "WBNB", "contract WBNB (WETH9 renamed), verified at its address"},
		{"eip155:100", "0xe91d153e0b41518a2ce8dd3d7944fa863463a97d", "WXDAI", "contract WXDAI (WETH9 renamed), verified at its address"},
		{"eip155:130", opStack, "WETH", opStackSource},
		{"eip155:137", "0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270", "WPOL", "contract WMATIC (WETH9 renamed), verified at its address"},
		{"eip155:8453", opStack, "WETH", opStackSource},
		{"eip155:43114", "0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7", "WAVAX", "contract WAVAX (WETH9 renamed), verified at its address"},
	}
	out := make([]Wrapped, len(rows))
	for i, r := range rows {
		contract, err := chain.ParseAccount(r.contract, r.chain)
		if err != nil {
			panic("links: " + err.Error()) // the list is part of the program; a test reads it
		}
		out[i] = Wrapped{contract, r.symbol, 18, r.source}
	}
	return out
})

// AllWrapped lists the contracts, by chain. Read it only.
func AllWrapped() []Wrapped { return wrapped() }

// digest is over the list as JSON, an array an entry.
var digest = sync.OnceValue(func() string {
	type entry = [4]any
	rows := []entry{}
	for _, w := range wrapped() {
		rows = append(rows, entry{w.Contract.String(), w.Symbol, w.Decimals, w.Source})
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		panic("links: " + err.Error()) // text and numbers alone
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
})

// Digest is the SHA-256 of the list.
func Digest() string { return digest() }
