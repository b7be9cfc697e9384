package books

import (
	"slices"
	"strings"

	"bongsu/api"
	"bongsu/chain"
	"bongsu/stix"
)

func (c *Cases) movement(m *stix.TheftTransfer) api.Movement {
	out := api.Movement{
		Chain: string(m.Chain), Tx: m.Tx, Time: m.Time.Std(), From: m.From.String(), To: m.To.String(), Kind: m.Kind,
		Amount: api.Amount{Asset: m.Asset, Amount: m.Amount, Base: m.Amount},
	}
	if m.Block != nil {
		out.Block = *m.Block
	}
	if info, ok := c.cfg.Assets.Info(m.Asset); ok {
		if base, err := chain.ParseBase(m.Amount); err == nil {
			out.Amount = api.Amount(stix.NewAmount(info, base))
		}
	}
	return out
}

// totals sums amounts by asset.
type totals map[chain.Asset]total

type total struct {
	sum  chain.Amount
	like stix.Amount // one of those summed, for its symbol and decimals
}

func (t totals) add(a stix.Amount) {
	base, err := a.Exact()
	if err != nil {
		return // checked when the statement was read
	}
	old := t[a.Asset]
	sum, ok := old.sum.Add(base)
	if !ok {
		return // beyond 2^256: no supply reaches it
	}
	t[a.Asset] = total{sum, a}
}

func (t totals) list(assets *chain.Registry) []api.Amount {
	out := []api.Amount{}
	for asset, v := range t {
		info, ok := assets.Info(asset)
		if !ok {
			info = chain.AssetInfo{Asset: asset, Symbol: v.like.Symbol, Decimals: decimalsOf(v.like)}
		}
		out = append(out, api.Amount(stix.NewAmount(info, v.sum)))
	}
	slices.SortFunc(out, func(a, b api.Amount) int { return strings.Compare(string(a.Asset), string(b.Asset)) })
	return out
}

// decimalsOf finds an asset's decimals from an amount that its author wrote
// both ways.
func decimalsOf(a stix.Amount) uint8 {
	for d := range uint8(40) {
		if v, err := chain.ParseDecimal(a.Amount, d); err == nil && v.Base() == a.Base && !v.IsZero() {
			return d
		}
	}
	return 0
}
