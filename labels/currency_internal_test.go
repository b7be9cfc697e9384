package labels

import (
	"testing"

	"bongsu/chain"
)

// What a pack names a chain, a pack is read back as.
func TestTagPackChain(t *testing.T) {
	for _, id := range []chain.ID{chain.Ethereum, chain.Bitcoin, chain.Tron, chain.Solana, "eip155:56", "eip155:137", "eip155:42161", "eip155:10", "eip155:100", chain.BitcoinRegtest} {
		currency, network := TagPackChain(id)
		if got, ok := chainOf(currency, network, "0x36ed3c0213565530c35115d93a80f9c04d94e4cb"); !ok || got != id {
			t.Errorf("%s is written as %s on %s and read as %s", id, currency, network, got)
		}
	}
}
