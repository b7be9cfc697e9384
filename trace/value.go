package trace

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// Prices is what one whole unit of an asset was worth on a day (UTC), in a
// currency. Values stand beside amounts and never instead of them; nothing in
// a result rests on them.
type Prices struct{ by map[priceKey]chain.Amount }

type priceKey struct {
	asset    chain.Asset
	currency string
	day      string
}

// Scale of prices, and of values: a price has up to 12 decimals, a value is in
// hundredths.
const (
	priceDecimals = 12
	valueDecimals = 2
)

// Add notes a price: decimal text per whole unit on a day ("2025-02-21"), in a
// currency ("USD", "EUR").
func (p *Prices) Add(asset chain.Asset, currency, day, price string) error {
	if len(day) != len("2006-01-02") {
		return errs.New("prices", errs.Invalid, day, "not a day", "write it as 2025-02-21")
	}
	if _, err := chain.ParseTime(day + " 00:00:00"); err != nil {
		return err
	}
	// Published prices carry more digits than they mean.
	if whole, frac, ok := strings.Cut(price, "."); ok && len(frac) > priceDecimals {
		price = whole + "." + frac[:priceDecimals]
	}
	a, err := chain.ParseDecimal(price, priceDecimals)
	if err != nil {
		return errs.Wrap("prices", day, err)
	}
	if p.by == nil {
		p.by = map[priceKey]chain.Amount{}
	}
	p.by[priceKey{asset, currency, day}] = a
	return nil
}

// Read notes the prices of a CSV of quotes: the first column is the day, the
// column Close the price; rows that start with no day are headers.
func (p *Prices) Read(r io.Reader, asset chain.Asset, currency string) error {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	at := -1
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errs.Wrap("prices", string(asset), err)
		}
		for i, f := range row {
			if at < 0 && strings.EqualFold(f, "close") {
				at = i
			}
		}
		if _, err := chain.ParseTime(row[0] + " 00:00:00"); err != nil {
			continue
		}
		if at < 0 || at >= len(row) {
			return errs.New("prices", errs.Invalid, row[0], "no column Close", "give daily quotes with a header")
		}
		if row[at] == "" {
			continue
		}
		if err := p.Add(asset, currency, row[0], row[at]); err != nil {
			return err
		}
	}
}

// Value is what an amount was worth on the day of a time, in hundredths of the
// currency as decimal text, rounded half-even; false when no price is known.
func (p *Prices) Value(a Asset, base chain.Amount, at chain.Time, currency string) (string, bool) {
	price, ok := p.by[priceKey{a.Asset, currency, at.Std().Format("2006-01-02")}]
	if !ok || !a.Known {
		return "", false
	}
	unit := chain.Units(1)
	for range int(a.Decimals) + priceDecimals - valueDecimals {
		if unit, ok = unit.MulDiv(chain.Units(10), chain.Units(1)); !ok {
			return "", false
		}
	}
	q, ok := base.MulDiv(price, unit)
	if !ok {
		return "", false
	}
	if roundUp(base, price, unit, q) {
		q = q.MustAdd(chain.Units(1))
	}
	return q.Decimal(valueDecimals), true
}

// roundUp says whether base*price/unit, whose floor is q, rounds half-even to
// q+1. Doubling base tells on which side of the half the rest lies.
func roundUp(base, price, unit, q chain.Amount) bool {
	twice, ok := base.Add(base)
	if !ok {
		return false
	}
	d, ok := twice.MulDiv(price, unit) // floor of twice the value
	if !ok {
		return false
	}
	even := q.MustAdd(q)
	if d == even {
		return false // below the half
	}
	// At or above the half: exactly the half when twice the value is whole.
	up, ok := twice.MulDiv(price, d)
	exact := ok && up == unit
	if exact {
		if back, ok := d.MulDiv(unit, price); !ok || back != twice {
			exact = false
		}
	}
	odd := q.Words()[0]&1 == 1
	return !exact || odd
}

// Valued is a holding's or an exit's worth on the days on which it arrived.
type Valued struct {
	Account chain.Account `json:"account"`
	Theft   string        `json:"theft"`
	Asset   chain.Asset   `json:"asset"`
	Day     string        `json:"day"`
	Amount  Amount        `json:"amount"`
	USD     string        `json:"usd,omitempty"` // "" when no price is known
	EUR     string        `json:"eur,omitempty"`
}

// Values lists what the stolen money that reached each account was worth on the
// day of its transfer, in order of the flows, one line for an account, theft,
// asset and day.
func (r *Run) Values(p *Prices) []Valued {
	type key struct {
		account chain.Account
		theft   string
		asset   chain.Asset
		day     string
	}
	at := map[key]int{}
	out := []Valued{}
	sums := []chain.Amount{}
	times := []chain.Time{}
	for i := range r.Flows {
		f := &r.Flows[i]
		if f.To.IsZero() {
			continue
		}
		k := key{f.To, f.Theft, f.Asset, f.Time.Std().Format("2006-01-02")}
		n, ok := at[k]
		if !ok {
			n = len(out)
			at[k] = n
			out, sums, times = append(out, Valued{Account: f.To, Theft: f.Theft, Asset: f.Asset, Day: k.day}), append(sums, chain.Amount{}), append(times, f.Time)
		}
		if s, fits := sums[n].Add(f.Amount); fits {
			sums[n] = s
		}
	}
	known := map[chain.Asset]Asset{}
	for _, a := range r.Assets {
		known[a.Asset] = a
	}
	for i := range out {
		v := &out[i]
		v.Amount = r.Amount(v.Asset, sums[i])
		v.USD, _ = p.Value(known[v.Asset], sums[i], times[i], "USD")
		v.EUR, _ = p.Value(known[v.Asset], sums[i], times[i], "EUR")
	}
	return out
}
