package labels

import (
	"strings"

	"bongsu/chain"
)

// chainOf says on which chain a tag's address lies: by its network, else by
// its currency; a token's currency leaves it to the form of the address. ok is
// false for a currency or network whose chain bongsu does not follow.
func chainOf(currency, network, address string) (id chain.ID, ok bool) {
	name := network
	if name == "" {
		name = currency
	}
	evm := strings.HasPrefix(strings.ToLower(address), "0x")
	switch strings.ToUpper(name) {
	case "ETH", "ETHEREUM":
		return chain.Ethereum, true
	case "BTC", "XBT", "BITCOIN":
		return chain.Bitcoin, true
	case "TRX", "TRON":
		return chain.Tron, true
	case "SOL", "SOLANA":
		return chain.Solana, true
	case "BEP20", "BSC", "BNB":
		return "eip155:56", evm
	case "MATIC", "POL", "POLYGON":
		return "eip155:137", evm
	case "ARB", "ARBITRUM":
		return "eip155:42161", evm
	case "OP", "OPTIMISM":
		return "eip155:10", evm
	case "BASE":
		return "eip155:8453", evm
	case "AVAX", "AVALANCHE":
		return "eip155:43114", evm
	case "ETC":
		return "eip155:61", evm
	case "USDT", "USDC", "USDD", "TUSD":
		if strings.HasPrefix(address, "T") {
			return chain.Tron, true
		}
		return chain.Ethereum, evm
	case "DAI", "WETH", "WBTC", "STETH", "LINK", "UNI", "BUSD", "PAX", "HUSD", "SHIB":
		return chain.Ethereum, evm
	}
	if strings.Contains(name, ":") {
		id, err := chain.ParseID(name)
		return id, err == nil
	}
	return "", false
}

// TagPackChain is a chain's currency and network as TagPacks write them; the
// network of a chain that GraphSense has no name for is its CAIP-2 id.
func TagPackChain(id chain.ID) (currency, network string) {
	switch id {
	case chain.Ethereum:
		return "ETH", "ETH"
	case chain.Bitcoin:
		return "BTC", "BTC"
	case chain.Tron:
		return "TRX", "TRX"
	case chain.Solana:
		return "SOL", "SOL"
	case "eip155:56":
		return "BNB", "BSC"
	case "eip155:137":
		return "MATIC", "MATIC"
	case "eip155:42161":
		return "ETH", "ARB"
	case "eip155:10":
		return "ETH", "OP"
	}
	if id.UTXO() {
		return "BTC", string(id)
	}
	return "ETH", string(id)
}
