package chain

import (
	"strings"

	"bongsu/errs"
)

// ID names a chain by CAIP-2: "eip155:1". The zero is no chain.
type ID string

// The chains that bongsu knows by name.
const (
	Ethereum       ID = "eip155:1"
	Bitcoin        ID = "bip122:000000000019d6689c085ae165831e93"
	BitcoinTest    ID = "bip122:000000000933ea01ad0ee984209779ba"
	BitcoinRegtest ID = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328"
	BitcoinSimnet  ID = "bip122:683e86bd5c6d110d91b94b97137ba6bf"
	Tron           ID = "tron:0x2b6653dc"
	Solana         ID = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
)

// Namespace is the part before the colon: "eip155".
func (c ID) Namespace() string {
	ns, _, _ := strings.Cut(string(c), ":")
	return ns
}

// EVM says whether accounts of this chain are 20-byte EVM addresses.
func (c ID) EVM() bool { return strings.HasPrefix(string(c), "eip155:") }

// UTXO says whether the chain moves outputs rather than balances.
func (c ID) UTXO() bool { return strings.HasPrefix(string(c), "bip122:") }

// Native is the asset that pays the chain's fees, or "" when it is not known.
func (c ID) Native() Asset {
	switch {
	case c.EVM():
		switch c {
		case "eip155:56":
			return Asset(c + "/slip44:714")
		case "eip155:137":
			return Asset(c + "/slip44:966")
		}
		return Asset(c + "/slip44:60")
	case c.UTXO():
		if c == Bitcoin {
			return Asset(c + "/slip44:0")
		}
		return Asset(c + "/slip44:1")
	case c == Tron:
		return Asset(c + "/slip44:195")
	case c == Solana:
		return Asset(c + "/slip44:501")
	}
	return ""
}

var shortNames = map[string]ID{
	"ethereum": Ethereum, "eth": Ethereum, "bitcoin": Bitcoin, "btc": Bitcoin,
	"tron": Tron, "trx": Tron, "solana": Solana, "sol": Solana,
	"bsc": "eip155:56", "polygon": "eip155:137", "arbitrum": "eip155:42161",
	"optimism": "eip155:10", "base": "eip155:8453", "mantle": "eip155:5000",
	"bitcoin-testnet": BitcoinTest, "bitcoin-regtest": BitcoinRegtest, "bitcoin-simnet": BitcoinSimnet,
}

// ParseID reads a CAIP-2 chain id, or one of the usual names ("ethereum").
// A chain of another namespace than eip155, bip122, tron and solana, or a
// bip122 chain whose address prefixes are not known here, is refused.
func ParseID(s string) (ID, error) {
	if id, ok := shortNames[strings.ToLower(s)]; ok {
		return id, nil
	}
	if known(ID(s)) {
		return ID(s), nil
	}
	return "", errs.New("chain", errs.Invalid, clip(s), "not a chain that bongsu knows",
		"write a CAIP-2 id such as eip155:1, or a name such as ethereum or bitcoin")
}

// known says whether a chain's addresses can be read here. A reference of
// CAIP-2 has at most 32 characters.
func known(id ID) bool {
	switch id {
	case Ethereum, Bitcoin, Tron, Solana:
		return true
	}
	if ref, ok := strings.CutPrefix(string(id), "eip155:"); ok {
		return ref != "" && len(ref) <= 32 && decimalRef(ref)
	}
	return utxoParams[id].hrp != ""
}

func decimalRef(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s[0] != '0' || s == "0"
}

// params are the address prefixes of a bip122 chain (BIP 13, BIP 173).
type params struct {
	hrp         string
	p2pkh, p2sh byte
	symbol      string
}

var utxoParams = map[ID]params{
	Bitcoin:        {hrp: "bc", p2pkh: 0x00, p2sh: 0x05, symbol: "BTC"},
	BitcoinTest:    {hrp: "tb", p2pkh: 0x6f, p2sh: 0xc4, symbol: "tBTC"},
	BitcoinRegtest: {hrp: "bcrt", p2pkh: 0x6f, p2sh: 0xc4, symbol: "rBTC"},
	BitcoinSimnet:  {hrp: "sb", p2pkh: 0x3f, p2sh: 0x7b, symbol: "sBTC"},
}

// clip bounds foreign text that a message repeats; no identifier is longer.
func clip(s string) string {
	const most = 160
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:most], "\uFFFD") + "..."
}
