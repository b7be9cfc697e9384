package trace

import (
	"math/big"
	"slices"

	"bongsu/chain"
)

// Valued is what the stolen money that reached an account on one day was worth
// on that day. It stands beside the amount and never instead of it; nothing in
// a result or in its digest rests on it.
type Valued struct {
	Account chain.Account `json:"account"`
	Theft   string        `json:"theft"`
	Day     string        `json:"day"` // UTC, "2025-02-21"
	Amount
	Values  []Value  `json:"values"`  // by currency
	Missing []string `json:"missing"` // currencies without a price of that day
}

// Value is an amount's worth by one price.
type Value struct {
	Currency string `json:"currency"`
	Value    string `json:"value"` // decimal text, to the hundredth, half-even
	Price    string `json:"price"` // of one whole unit, decimal text
	Source   string `json:"source"`
}

// valueDecimals is the scale of a value.
const valueDecimals = 2

// Value is what an amount was worth on the day of a time; false when no price
// of that very day is known, or the asset's decimals are not.
func (p *Prices) Value(a Asset, base chain.Amount, day, currency string) (Value, bool) {
	price, ok := p.by[priceKey{a.Asset, currency, day}]
	if !ok || !a.Known {
		return Value{}, false
	}
	v := Value{Currency: currency, Price: price.amount.Decimal(priceDecimals), Source: price.source}
	product := new(big.Int).Mul(bigOf(base), bigOf(price.amount))
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.Decimals)+priceDecimals-valueDecimals), nil)
	q, rest := new(big.Int).QuoRem(product, unit, new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(unit) {
	case 0:
		q.Add(q, big.NewInt(int64(q.Bit(0)))) // to the even one
	case 1:
		q.Add(q, big.NewInt(1))
	}
	sum, err := chain.ParseBase(q.String())
	if err != nil {
		return Value{}, false // worth more than any amount holds
	}
	v.Value = sum.Decimal(valueDecimals)
	return v, true
}

func bigOf(a chain.Amount) *big.Int {
	b := a.Bytes32()
	return new(big.Int).SetBytes(b[:])
}

// Values lists what the stolen money that reached each account was worth on the
// day of its transfer, in order of the flows, one line for an account, theft,
// asset and day. What goes back to fees is left out, and so is what was there
// already: change, and what a link turned into another asset.
func (r *Run) Values(p *Prices) []Valued {
	type key struct {
		account chain.Account
		theft   string
		asset   chain.Asset
		day     string
	}
	at, sums := map[key]int{}, []chain.Amount{}
	var keys []key
	for i := range r.Flows {
		f := &r.Flows[i]
		if f.To.IsZero() || f.To == f.From {
			continue
		}
		k := key{f.To, f.Theft, f.Asset, dayOf(f.Time)}
		n, ok := at[k]
		if !ok {
			n = len(keys)
			at[k] = n
			keys, sums = append(keys, k), append(sums, chain.Amount{})
		}
		if s, fits := sums[n].Add(f.Amount); fits {
			sums[n] = s
		}
	}
	known := map[chain.Asset]Asset{}
	for _, a := range r.Assets {
		known[a.Asset] = a
	}
	out := make([]Valued, len(keys))
	for i, k := range keys {
		v := Valued{Account: k.account, Theft: k.theft, Day: k.day, Amount: r.Amount(k.asset, sums[i]), Values: []Value{}, Missing: []string{}}
		for _, c := range p.currencies() {
			if x, ok := p.Value(known[k.asset], sums[i], k.day, c); ok {
				v.Values = append(v.Values, x)
			} else {
				v.Missing = append(v.Missing, c)
			}
		}
		out[i] = v
	}
	return out
}

// currencies are US dollars, euros, and all others that there are prices in.
func (p *Prices) currencies() []string {
	out := []string{"EUR", "USD"}
	for k := range p.by {
		if !slices.Contains(out, k.currency) {
			out = append(out, k.currency)
		}
	}
	slices.Sort(out)
	return out
}

// dayOf is a time's day in UTC; empty for an unknown time, which no price has.
func dayOf(t chain.Time) string {
	if t == 0 {
		return ""
	}
	return t.Std().Format(dayForm)
}
