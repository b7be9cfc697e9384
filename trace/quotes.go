package trace

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// A file of daily quotes, as yfinance writes them, starts with three lines:
//
//	Price,Adj Close,Close,High,Low,Open,Volume
//	Ticker,Eth-Usd,Eth-Usd,Eth-Usd,Eth-Usd,Eth-Usd,Eth-Usd
//	Date,,,,,,
//
// then a day a row. Its prices are the closing ones of a column's ticker: the
// coin's symbol and the currency.

// quotesHeader says whether a header is that of a file of quotes.
func quotesHeader(head []string) bool {
	return len(head) > 1 && head[0] == "Price" && slices.Contains(head, "Close")
}

// readQuotes notes the closing prices of a file of quotes whose first line is
// read. A row without a closing price is a day without a quote.
func (p *Prices) readQuotes(c *csv.Reader, known *chain.Registry, head []string, name string) error {
	bad := func(line int, why string) error {
		return errs.New("prices", errs.Invalid, name+":"+strconv.Itoa(line), why, "give the quotes as they were exported, or as "+strings.Join(priceColumns, ","))
	}
	tickers, err := c.Read()
	if err != nil || len(tickers) == 0 || tickers[0] != "Ticker" {
		return bad(2, "no line of tickers")
	}
	if days, err := c.Read(); err != nil || len(days) == 0 || days[0] != "Date" {
		return bad(3, "no line that starts with Date")
	}
	type column struct {
		at               int
		assets           []chain.Asset
		ticker, currency string
	}
	var columns []column
	for i, what := range head {
		if what != "Close" || i >= len(tickers) {
			continue
		}
		ticker := strings.ToUpper(tickers[i])
		symbol, currency, ok := strings.Cut(ticker, "-")
		if !ok {
			return bad(2, "not a coin and a currency: "+tickers[i])
		}
		assets, err := priced(known, symbol)
		if err != nil {
			return errs.Wrap("prices", name+":2", err)
		}
		columns = append(columns, column{i, assets, ticker, currency})
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := c.FieldPos(0)
		if err != nil {
			return errs.Wrap("prices", name+":"+strconv.Itoa(line), err)
		}
		for _, col := range columns {
			if col.at >= len(row) || row[col.at] == "" {
				continue
			}
			for _, a := range col.assets {
				if err := p.Add(a, col.currency, row[0], row[col.at], "closing price of "+col.ticker+" in "+name); err != nil {
					return errs.Wrap("prices", name+":"+strconv.Itoa(line), err)
				}
			}
		}
	}
}
