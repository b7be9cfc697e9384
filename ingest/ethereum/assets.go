package ethereum

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"bongsu/chain"
	"bongsu/ingest/jsonrpc"
	"bongsu/ledger"
)

// maxSymbol is how long a symbol may be; a token's author chooses it freely.
const maxSymbol = 32

// maxDecimals is what a contract may plausibly say: 10^77 is the largest power
// of ten below 2^256.
const maxDecimals = 77

// assets asks the contracts of tokens that are new here for their decimals and
// symbol. A contract that does not answer is no error: its transfers are exact
// in base units, and its decimals stay unknown.
//
// A block that was fetched may be thrown away (of a branch that lost, or because
// the node went away before its neighbour came), so an answer goes with every
// block until the ledger holds it.
func (n *Node) assets(ctx context.Context, f *ledger.Facts) (out []chain.AssetInfo, err error) {
	var known func(chain.Asset) bool
	stated := map[chain.Asset]bool{}
	for i := range f.Transfers {
		t := &f.Transfers[i]
		if t.Kind != chain.KindToken || stated[t.Asset] {
			continue
		}
		stated[t.Asset] = true
		if known == nil {
			if known, err = n.held(ctx); err != nil {
				return nil, err
			}
		}
		if known(t.Asset) {
			continue
		}
		contract := address(t.Asset.Contract().Raw())
		info, asked := n.askedBefore(contract)
		if !asked {
			info = n.ask(ctx, contract, t.Asset)
		}
		if info != nil {
			out = append(out, *info)
		}
	}
	return out, nil
}

// askedBefore says whether a contract was asked, or is being asked, and what it
// answered; nil is nothing that can be used. One that was not counts as asked
// from here on.
func (n *Node) askedBefore(a address) (*chain.AssetInfo, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if info, ok := n.tokens[a]; ok {
		return info, true
	}
	if len(n.tokens) >= maxTokens {
		clear(n.tokens)
	}
	n.tokens[a] = nil
	return nil, false
}

func (n *Node) forget(a address) {
	n.mu.Lock()
	delete(n.tokens, a)
	n.mu.Unlock()
}

// Selectors of ERC-20's decimals() and symbol().
var (
	selDecimals = data{0x31, 0x3c, 0xe5, 0x67}
	selSymbol   = data{0x95, 0xd8, 0x9b, 0x41}
)

// ask asks a contract and remembers the answer.
func (n *Node) ask(ctx context.Context, a address, asset chain.Asset) *chain.AssetInfo {
	decimals, err := n.view(ctx, a, selDecimals)
	var refused *jsonrpc.Error
	if err != nil && !errors.As(err, &refused) {
		n.forget(a) // the node did not answer: ask again at the next transfer
	}
	if err != nil || len(decimals) != 32 {
		return nil
	}
	value, _ := chain.AmountFromBytes(decimals)
	d, ok := value.Uint64()
	if !ok || d > maxDecimals {
		return nil
	}
	symbol, err := n.view(ctx, a, selSymbol)
	if err != nil {
		symbol = nil
	}
	info := &chain.AssetInfo{Asset: asset, Symbol: symbolText(symbol), Decimals: uint8(d), Source: "the contract's own word"}
	n.mu.Lock()
	n.tokens[a] = info
	n.mu.Unlock()
	return info
}

func (n *Node) view(ctx context.Context, to address, input data) (data, error) {
	var out data
	err := n.rpc.Call(ctx, &out, "eth_call", map[string]any{"to": to, "input": input}, "latest")
	return out, err
}

// symbolText reads an ABI string, or the bytes32 of old contracts. What is not
// printable text becomes "": a symbol is only ever shown.
func symbolText(b data) string {
	switch {
	case len(b) == 32:
		b = trimRight(b)
	case len(b) >= 64:
		size, _ := chain.AmountFromBytes(b[32:64])
		n, ok := size.Uint64()
		if !ok || n > uint64(len(b)-64) {
			return ""
		}
		b = b[64 : 64+n]
	}
	s := strings.TrimSpace(string(b))
	if len(s) > maxSymbol || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return ""
	}
	return s
}

func trimRight(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}
