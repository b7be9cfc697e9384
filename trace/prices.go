package trace

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// Prices is what one whole unit of an asset was worth on a day (UTC), in a
// currency, and who says so. The zero knows none.
type Prices struct{ by map[priceKey]price }

type priceKey struct {
	asset    chain.Asset
	currency string
	day      string
}

type price struct {
	amount chain.Amount // in units of 10^-priceDecimals
	source string
}

// Limits and forms of prices.
const (
	MaxPrices     = 1_000_000 // in all
	priceDecimals = 18        // that a price may have
	dayForm       = "2006-01-02"
)

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// priceColumns is the header of a file of prices.
var priceColumns = []string{"day", "asset", "currency", "price", "source"}

// Add notes a price: decimal text per whole unit on a day ("2025-02-21"), in a
// currency ("USD", "EUR"), by a source. Two prices for one day that differ give
// errs.Conflict: which of them to use is not ours to say.
func (p *Prices) Add(asset chain.Asset, currency, day, text, source string) error {
	bad := func(where, why, hint string) error { return errs.New("prices", errs.Invalid, where, why, hint) }
	if _, err := chain.ParseTime(day + " 00:00:00"); err != nil || len(day) != len(dayForm) {
		return bad(day, "not a day", "write it as 2025-02-21")
	}
	if !currencyForm.MatchString(currency) {
		return bad(currency, "not a currency", "write its ISO 4217 code: USD, EUR")
	}
	if source == "" {
		return bad(day, "a price without a source", "name who published it")
	}
	amount, err := chain.ParseDecimal(text, priceDecimals)
	if err != nil {
		return errs.Wrap("prices", day, err)
	}
	k := priceKey{asset, currency, day}
	if old, ok := p.by[k]; ok && old.amount != amount {
		return errs.New("prices", errs.Conflict, day+" "+string(asset),
			"two prices in "+currency+": "+old.amount.Decimal(priceDecimals)+" ("+old.source+") and "+amount.Decimal(priceDecimals)+" ("+source+")", "keep one of them")
	} else if ok {
		return nil
	}
	if len(p.by) >= MaxPrices {
		return errs.New("prices", errs.Limit, day, "more than a million prices", "give those of the days that matter")
	}
	if p.by == nil {
		p.by = map[priceKey]price{}
	}
	p.by[k] = price{amount, source}
	return nil
}

// Read notes the prices of a CSV file (FORMAT.md): a header with day, asset,
// currency, price and source in any order, then a row for each price. An asset
// is named by CAIP-19, or by the symbol of an asset that bongsu itself knows:
// symbols that imports brought in are anyone's to choose. A row that cannot be
// read refuses the file. Files of daily quotes (quotes.go) are read as well.
func (p *Prices) Read(r io.Reader, name string) error {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = in.Discard(3) // it was just seen
	}
	c := csv.NewReader(in)
	c.FieldsPerRecord = -1
	head, err := c.Read()
	if err != nil {
		return errs.New("prices", errs.Invalid, name, "no header", "start the file with: "+strings.Join(priceColumns, ","))
	}
	known := chain.NewRegistry()
	if quotesHeader(head) {
		return p.readQuotes(c, known, head, name)
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.ToLower(strings.TrimSpace(h))] = i
	}
	for _, need := range priceColumns {
		if _, ok := at[need]; !ok {
			return errs.New("prices", errs.Invalid, name, "the header lacks the column "+need, "start the file with: "+strings.Join(priceColumns, ","))
		}
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := c.FieldPos(0)
		if err == nil {
			get := func(column string) string {
				if i := at[column]; i < len(row) {
					return strings.TrimSpace(row[i])
				}
				return ""
			}
			err = p.row(known, get)
		}
		if err != nil {
			return errs.Wrap("prices", name+":"+strconv.Itoa(line), err)
		}
	}
}

func (p *Prices) row(known *chain.Registry, get func(string) string) error {
	assets, err := priced(known, get("asset"))
	for _, a := range assets {
		if err = p.Add(a, get("currency"), get("day"), get("price"), get("source")); err != nil {
			return err
		}
	}
	return err
}

// priced is the assets that a price is of: a symbol may be that of the same
// coin on several chains.
func priced(known *chain.Registry, text string) (out []chain.Asset, err error) {
	if strings.Contains(text, "/") {
		a, err := chain.ParseAsset(text)
		return []chain.Asset{a}, err
	}
	for _, info := range known.All() {
		if info.Symbol == text {
			out = append(out, info.Asset)
		}
	}
	if len(out) == 0 {
		return nil, errs.New("prices", errs.Invalid, text, "no asset that is known by this symbol", "write its CAIP-19 name")
	}
	return out, nil
}
