package trace_test

import (
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
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
