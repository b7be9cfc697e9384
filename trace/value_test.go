package trace_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger/model"
	"bongsu/trace"
)

const eth = "eip155:1/slip44:60"

func TestValues(t *testing.T) {
	run := bybitRun(t)
	var p trace.Prices
	file := "\ufeffsource,day,asset,price,currency,note\r\n\"ECB, and others\",2025-02-21,ETH,2662.5,USD,x\r\n"
	if err := p.Read(strings.NewReader(file), "prices.csv"); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, v := range run.Values(&p) {
		if v.Amount.Amount != "10000" {
			continue
		}
		seen++
		if len(v.Values) != 1 || v.Values[0] != (trace.Value{Currency: "USD", Value: "26625000", Price: "2662.5", Source: "ECB, and others"}) {
			t.Errorf("%+v", v)
		}
		if v.Day != "2025-02-21" || len(v.Missing) != 1 || v.Missing[0] != "EUR" {
			t.Errorf("%+v", v)
		}
	}
	if seen != 40 {
		t.Errorf("%d accounts received 10000 ETH", seen)
	}
	if err := run.Result.Verify(); err != nil {
		t.Error(err)
	}
}

func TestValueIsHalfEven(t *testing.T) {
	for _, c := range []struct {
		price, base, want string
		decimals          uint8
	}{
		{"0.005", "1", "0", 0},
		{"0.015", "1", "0.02", 0},
		{"0.0050000001", "1", "0.01", 0},
		{"0.0149", "1", "0.01", 0},
		{"0.025", "1", "0.02", 0},
		{"1.005", "1", "1", 0},
		{"0.333333333333333333", "3", "1", 0},
		{"2", "0", "0", 0},
		{"1", "12345678901234567890", "12.35", 18},
		{"0.000000000000000001", "1", "0", 18},
	} {
		var p trace.Prices
		if err := p.Add(eth, "USD", "2025-02-21", c.price, "s"); err != nil {
			t.Fatal(err)
		}
		base, _ := chain.ParseBase(c.base)
		if got, ok := p.Value(trace.Asset{Asset: eth, Decimals: c.decimals, Known: true}, base, "2025-02-21", "USD"); !ok || got.Value != c.want {
			t.Errorf("%s x %s = %s, want %s", c.base, c.price, got.Value, c.want)
		}
		if _, ok := p.Value(trace.Asset{Asset: eth, Known: true}, base, "2025-02-22", "USD"); ok {
			t.Error("a price of another day was used")
		}
	}
}

func TestPricesAreRefused(t *testing.T) {
	for file, want := range map[string]errs.Kind{
		"":                           errs.Invalid,
		"day,asset,currency,price\n": errs.Invalid,
		"day,asset,currency,price,source\n21.2.2025,ETH,USD,1,s\n":                               errs.Invalid,
		"day,asset,currency,price,source\n2025-02-30,ETH,USD,1,s\n":                              errs.Invalid,
		"day,asset,currency,price,source\n2025-02-21,ETH,dollars,1,s\n":                          errs.Invalid,
		"day,asset,currency,price,source\n2025-02-21,ETH,USD,-1,s\n":                             errs.Invalid,
		"day,asset,currency,price,source\n2025-02-21,ETH,USD,1,\n":                               errs.Invalid,
		"day,asset,currency,price,source\n2025-02-21,NOSUCH,USD,1,s\n":                           errs.Invalid,
		"day,asset,currency,price,source\n2025-02-21,ETH,USD,1,s\n2025-02-21,ETH,USD,2,t\n":      errs.Conflict,
		"day,asset,currency,price,source\n2025-02-21,ETH,USD,1,s\n2025-02-21,ETH,USD,1.0,t\n":    errs.Other,
		"day,asset,currency,price,source\n2025-02-21,eip155:1/slip44:60,USD,1,s\n\n\n2025-02-22": errs.Invalid,
	} {
		var p trace.Prices
		if err := p.Read(strings.NewReader(file), "prices.csv"); errs.Is(err) != want {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func TestQuotes(t *testing.T) {
	const head = "Price,Adj Close,Close,Open\nTicker,Eth-Usd,Eth-Usd,Eth-Usd\nDate,,,\n"
	var p trace.Prices
	if err := p.Read(strings.NewReader(head+"2025-02-21,2662.18115234375,2661.5,2738.1\n2025-02-22,,,\n"), "quotes.csv"); err != nil {
		t.Fatal(err)
	}
	a := trace.Asset{Asset: eth, Decimals: 18, Known: true}
	v, ok := p.Value(a, chain.Units(2e18), "2025-02-21", "USD")
	if want := (trace.Value{"USD", "5323", "2661.5", "closing price of ETH-USD in quotes.csv"}); !ok || v != want {
		t.Errorf("two ETH were worth %+v, want %+v", v, want)
	}
	if v, ok := p.Value(a, chain.Units(1), "2025-02-22", "USD"); ok {
		t.Errorf("a day without a quote has the value %+v", v)
	}
	for _, bad := range []string{
		"Price,Close\nDate,\n2025-02-21,1\n",
		"Price,Close\nTicker,Eth-Usd\n2025-02-21,1\n",
		"Price,Close\nTicker,Ethereum\nDate,\n",
		"Price,Close\nTicker,Nocoin-Usd\nDate,\n",
		head + "2025-02-21,1,one,1\n",
		head + "yesterday,1,1,1\n",
	} {
		if err := new(trace.Prices).Read(strings.NewReader(bad), "quotes.csv"); errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "quotes.csv") {
			t.Errorf("%q was answered with %v", bad, err)
		}
	}
}

// TestUnknownTimes: what no source dates is not dated, neither to 1970 nor to
// the latest time that is known before it.
func TestUnknownTimes(t *testing.T) {
	a, b, c := chain.EVM(chain.Ethereum, [20]byte{1}), chain.EVM(chain.Ethereum, [20]byte{2}), chain.EVM(chain.Ethereum, [20]byte{3})
	move := func(block uint64, from, to chain.Account, at chain.Time) chain.Transfer {
		tx, err := chain.ParseTxID("0x"+strings.Repeat(strconv.FormatUint(block, 10), 64), chain.Ethereum)
		if err != nil {
			t.Fatal(err)
		}
		return chain.Transfer{
			Chain: chain.Ethereum, Time: at, Block: block, Tx: tx, Ordinal: chain.NoOrdinal, Kind: chain.KindNative,
			From: from, To: to, Asset: chain.Ethereum.Native(), Amount: chain.Units(5),
		}
	}
	const dated = chain.Time(1_740_000_000_000)
	for _, before := range []chain.Time{0, dated} {
		theft := move(2, a, b, 0)
		r, err := model.Of(move(1, c, a, before), theft, move(3, b, c, 0))
		if err != nil {
			t.Fatal(err)
		}
		run, err := trace.Follow(t.Context(), r, nil, trace.Request{Thefts: []trace.Theft{{ID: "t", Transfers: []chain.Transfer{theft}}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(run.Result.Holdings) != 1 || run.Result.Holdings[0].Since != 0 {
			t.Errorf("holdings %+v, want one of unknown time", run.Result.Holdings)
		}
		for _, f := range run.Flows {
			if f.Time != 0 {
				t.Errorf("a flow is dated %s", f.Time)
			}
		}
		text, err := json.Marshal(&run.Result)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "since") {
			t.Errorf("the result dates what nobody dated: %s", text)
		}
		if err := run.Result.Verify(); err != nil {
			t.Error(err)
		}
	}
}
