package chain

import (
	"sort"
	"strings"

	"bongsu/errs"
)

// Asset names an asset by CAIP-19, contracts in their chain's canonical
// spelling: "eip155:1/erc20:0xae7a...". The zero is no asset.
type Asset string

// Chain is the chain the asset lives on.
func (a Asset) Chain() ID {
	id, _, _ := strings.Cut(string(a), "/")
	return ID(id)
}

// Contract is the token contract's account, or the zero for a native asset.
func (a Asset) Contract() Account {
	id, rest, _ := strings.Cut(string(a), "/")
	kind, ref, _ := strings.Cut(rest, ":")
	switch kind {
	case "erc20", "trc20", "token":
		acct, _ := parseOn(ID(id), ref)
		return acct
	}
	return Account{}
}

// Token is the fungible token of a contract account.
func Token(contract Account) Asset {
	switch contract.form {
	case FormEVM:
		return Asset(string(contract.chain) + "/erc20:" + contract.Address())
	case FormTron:
		return Asset(string(contract.chain) + "/trc20:" + contract.Address())
	case FormSolana:
		return Asset(string(contract.chain) + "/token:" + contract.Address())
	}
	return ""
}

// ParseAsset reads CAIP-19 text and brings the contract into its canonical
// spelling. Native assets and fungible tokens only.
func ParseAsset(s string) (Asset, error) {
	bad := func(why string) (Asset, error) {
		return "", errs.New("asset", errs.Invalid, clip(s), why, "write CAIP-19 such as eip155:1/slip44:60 or eip155:1/erc20:0x...")
	}
	left, rest, ok := strings.Cut(s, "/")
	if !ok || len(s) > 200 {
		return bad("not a CAIP-19 asset")
	}
	id, err := ParseID(left)
	if err != nil {
		return "", err
	}
	kind, ref, ok := strings.Cut(rest, ":")
	if !ok || ref == "" {
		return bad("not a CAIP-19 asset")
	}
	switch kind {
	case "slip44":
		if a := Asset(string(id) + "/" + rest); a == id.Native() {
			return a, nil
		}
		return bad("not the native asset of " + string(id) + ", which is " + string(id.Native()))
	case "erc20", "trc20", "token":
		acct, err := parseOn(id, ref)
		if err != nil {
			return "", err
		}
		if a := Token(acct); a != "" && strings.HasPrefix(string(a), string(id)+"/"+kind+":") {
			return a, nil
		}
	}
	return bad("asset namespace " + kind + " is not one that can be followed on " + string(id))
}

// AssetInfo is what is known of an asset, and from where.
type AssetInfo struct {
	Asset    Asset
	Symbol   string
	Decimals uint8
	Source   string // who says so: "built in", a file, a node's URL
}

// Registry knows assets' symbols and decimals. It is a value holder without
// locks: build it, then only read it, or guard it. The zero is empty.
type Registry struct {
	byAsset map[Asset]AssetInfo
	bySym   map[string][]Asset // chain + "/" + symbol, several where contracts share a symbol
}

// NewRegistry returns a registry with the assets built into bongsu.
func NewRegistry() *Registry {
	r := &Registry{}
	for _, a := range builtin() {
		r.Add(a) //nolint:errcheck // the built-in list has no conflicts; a test holds that
	}
	return r
}

// Add registers an asset. The same asset with other decimals is a conflict and
// changes nothing; the same again is no error.
func (r *Registry) Add(info AssetInfo) error {
	if r.byAsset == nil {
		r.byAsset, r.bySym = map[Asset]AssetInfo{}, map[string][]Asset{}
	}
	if old, ok := r.byAsset[info.Asset]; ok {
		if old.Decimals != info.Decimals {
			return errs.New("asset", errs.Conflict, string(info.Asset),
				"two sources disagree about its decimals: "+old.Source+" and "+info.Source, "check the contract, then keep one")
		}
		return nil
	}
	r.byAsset[info.Asset] = info
	if info.Symbol == "" {
		return nil
	}
	k := string(info.Asset.Chain()) + "/" + info.Symbol
	r.bySym[k] = append(r.bySym[k], info.Asset)
	return nil
}

// Info returns what is known of an asset.
func (r *Registry) Info(a Asset) (AssetInfo, bool) {
	i, ok := r.byAsset[a]
	return i, ok
}

// BySymbol finds the asset of a symbol on a chain. It reports false when there
// is none or more than one: a symbol alone never tells a look-alike apart.
func (r *Registry) BySymbol(id ID, symbol string) (AssetInfo, bool) {
	found := r.bySym[string(id)+"/"+symbol]
	if len(found) != 1 {
		return AssetInfo{}, false
	}
	return r.byAsset[found[0]], true
}

// All lists the registered assets in order of their names.
func (r *Registry) All() []AssetInfo {
	out := make([]AssetInfo, 0, len(r.byAsset))
	for _, i := range r.byAsset {
		out = append(out, i)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Asset < out[j].Asset })
	return out
}

// coins are what the EVM chains pay fees in, by symbol; an EVM counts it in
// units of 10^-18. Of a chain that is not here a source has to state it.
var coins = map[string][]ID{
	"ETH": {
		"eip155:10", "eip155:42161", "eip155:8453", "eip155:1337", "eip155:31337", // Optimism, Arbitrum, Base, development chains
		"eip155:130", "eip155:324", "eip155:1101", "eip155:17000", "eip155:59144", "eip155:81457", "eip155:534352", "eip155:11155111", // Unichain, zkSync, Polygon zkEVM, Holesky, Linea, Blast, Scroll, Sepolia
	},
	"BNB": {"eip155:56", "eip155:204"}, "POL": {"eip155:137"}, "MNT": {"eip155:5000"}, "ETC": {"eip155:61"}, "AVAX": {"eip155:43114"},
	"xDAI": {"eip155:100"}, "FTM": {"eip155:250"}, "S": {"eip155:146"}, "CELO": {"eip155:42220"}, "RON": {"eip155:2020"}, "CRO": {"eip155:25"},
	"GLMR": {"eip155:1284"}, "METIS": {"eip155:1088"}, "ONE": {"eip155:1666600000"}, "BERA": {"eip155:80094"},
}

func builtin() []AssetInfo {
	const src = "built in"
	out := []AssetInfo{
		{Ethereum.Native(), "ETH", 18, src},
		{Tron.Native(), "TRX", 6, src},
		{Solana.Native(), "SOL", 9, src},
		{"tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "USDT", 6, src},
	}
	for id, p := range utxoParams {
		out = append(out, AssetInfo{id.Native(), p.symbol, 8, src})
	}
	for symbol, ids := range coins {
		for _, id := range ids {
			out = append(out, AssetInfo{id.Native(), symbol, 18, src})
		}
	}
	for _, t := range []struct {
		contract, symbol string
		decimals         uint8
	}{
		{"0xae7ab96520de3a18e5e111b5eaab095312d7fe84", "stETH", 18},
		{"0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa", "mETH", 18},
		{"0xe6829d9a7ee3040e1276fa75293bde931859e8fa", "cmETH", 18},
		{"0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH", 18},
		{"0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT", 6},
		{"0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC", 6},
		{"0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", 18},
		{"0x2260fac5e5542a773aa44fbcfedf7c193bc2c599", "WBTC", 8},
	} {
		out = append(out, AssetInfo{Asset(string(Ethereum) + "/erc20:" + t.contract), t.symbol, t.decimals, src})
	}
	return out
}
