package stix

import (
	"bongsu/chain"
	"bongsu/errs"
)

// Amount is an amount in JSON: whole units for people, base units for exactness.
// The zero is "none given" and is left out of objects.
type Amount struct {
	Asset  chain.Asset `json:"asset"`  // CAIP-19
	Symbol string      `json:"symbol"` // "ETH"
	Amount string      `json:"amount"` // decimal in whole units, no trailing zeros
	Base   string      `json:"base"`   // integer in base units
}

// NewAmount writes an amount of a known asset.
func NewAmount(info chain.AssetInfo, a chain.Amount) Amount {
	return Amount{Asset: info.Asset, Symbol: info.Symbol, Amount: a.Decimal(info.Decimals), Base: a.Base()}
}

// Exact is the amount in base units.
func (a Amount) Exact() (chain.Amount, error) {
	if a.Base == "" {
		return chain.Amount{}, errs.New("amount", errs.Invalid, string(a.Asset), "no amount in base units", "give base")
	}
	return chain.ParseBase(a.Base)
}
