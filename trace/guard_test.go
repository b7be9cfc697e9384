package trace_test

import (
	"math/rand"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
	"bongsu/trace"
)

// The tokens taken with the ETH, in the same transaction (public record).
var bybitTokens = []struct{ contract, amount string }{
	{"0xae7ab96520de3a18e5e111b5eaab095312d7fe84", "90375.547907685258392043"},
	{"0xd5f7838f5c461feff7fe49ea5ebaf7728bb0adfa", "8000"},
	{"0xe6829d9a7ee3040e1276fa75293bde931859e8fa", "15000"},
}

// wholeTheft is the theft stated as ETH, stETH, mETH and cmETH.
func wholeTheft(t *testing.T) []chain.Transfer {
	out := bybit(t, "theft.csv")
	for _, x := range bybitTokens {
		tr := out[0]
		tr.Kind, tr.Asset = chain.KindToken, chain.Token(account(t, x.contract))
		var err error
		if tr.Amount, err = chain.ParseDecimal(x.amount, 18); err != nil {
			t.Fatal(err)
		}
		out = append(out, tr)
	}
	return out
}

// bait makes 124 fake tokens that bear the symbol stETH on foreign contracts,
// 31 of them to look-alikes of genuine receivers, then zero-value transfers of
// the genuine stETH, and dust.
func bait(t *testing.T, genuine []chain.Transfer) (out []chain.Transfer, fakes []chain.AssetInfo) {
	rng := rand.New(rand.NewSource(21_895_251))
	random := func() (a [20]byte) {
		rng.Read(a[:])
		return a
	}
	base := genuine[0]
	add := func(from, to chain.Account, asset chain.Asset, kind chain.Kind, amount chain.Amount, block uint64) {
		tr := base
		tr.Block, tr.Time = block, base.Time+chain.Time(12_000*(block-base.Block))
		tr.From, tr.To, tr.Asset, tr.Kind, tr.Amount = from, to, asset, kind, amount
		var id [32]byte
		rng.Read(id[:])
		tr.Tx, _ = chain.NewTxID(id[:])
		out = append(out, tr)
	}
	huge, _ := chain.ParseDecimal("999999999", 18)
	thief := genuine[0].To
	for i := range 124 {
		contract := chain.EVM(chain.Ethereum, random())
		fake := chain.Token(contract)
		fakes = append(fakes, chain.AssetInfo{Asset: fake, Symbol: "stETH", Decimals: 18, Source: "the fake's own contract"})
		to := random()
		if i < 31 {
			// A look-alike has the first and last four digits of a genuine receiver.
			g := genuine[1+i%len(genuine[1:])].To.Raw()
			copy(to[:2], g[:2])
			copy(to[18:], g[18:])
		}
		add(thief, chain.EVM(chain.Ethereum, to), fake, chain.KindToken, huge, base.Block+uint64(100+i))
	}
	steth := chain.Token(account(t, bybitTokens[0].contract))
	for i := range 40 {
		g := genuine[1+i%len(genuine[1:])].To.Raw()
		to := random()
		copy(to[:2], g[:2])
		copy(to[18:], g[18:])
		add(thief, chain.EVM(chain.Ethereum, to), steth, chain.KindToken, chain.Amount{}, base.Block+uint64(200+i))
	}
	for i := range 25 {
		g := genuine[1+i%len(genuine[1:])].To
		add(chain.EVM(chain.Ethereum, random()), g, chain.Ethereum.Native(), chain.KindNative, chain.Units(uint64(1+rng.Intn(1000))), base.Block+uint64(600+i))
	}
	return out, fakes
}

// The holdings of the clean files, and no other.
func TestBybitAmongBait(t *testing.T) {
	theft := wholeTheft(t)
	genuine := append(slices.Clone(theft[:1]), bybit(t, "hop1.csv")...)
	clean := append(slices.Clone(theft), genuine[1:]...)
	req := trace.Request{Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}}
	want := follow(t, reader(t, clean), req)
	noise, fakes := bait(t, genuine)
	var m model.Model
	if err := m.Add(&ledger.Facts{Transfers: append(clean, noise...), Assets: fakes}); err != nil {
		t.Fatal(err)
	}
	r, err := m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	got := follow(t, r, req)
	if !slices.EqualFunc(got.Result.Holdings, want.Result.Holdings, sameHolding) {
		t.Errorf("bait changed the holdings:\n got %d %+v\nwant %d %+v", len(got.Result.Holdings), got.Result.Holdings, len(want.Result.Holdings), want.Result.Holdings)
	}
	if got.Result.Accounts != want.Result.Accounts {
		t.Errorf("%d accounts, want %d", got.Result.Accounts, want.Result.Accounts)
	}
	count := map[trace.AsideReason]int{}
	for _, a := range got.Result.Aside {
		count[a.Reason] += a.Count
		if a.Reason == trace.AsideLookLike && a.Like == "" {
			t.Errorf("a look-alike of nothing: %+v", a)
		}
	}
	if count[trace.AsideFake] != 124-31 || count[trace.AsideLookLike] != 31+40 || count[trace.AsideDust] != 25 || count[trace.AsideZero] != 0 {
		t.Errorf("set aside: %v", count)
	}
	if len(want.Result.Aside) != 0 {
		t.Errorf("set aside in the clean files: %+v", want.Result.Aside)
	}
	checkStETH(t, got)
}

// The last stETH transfer was rounded up at its source, beyond what the theft
// took: what was known goes on, as inferred, and the rest is missing.
func checkStETH(t *testing.T, run *trace.Run) {
	t.Helper()
	steth := chain.Token(account(t, bybitTokens[0].contract))
	var got []string
	for _, h := range run.Result.Holdings {
		if h.Asset == steth {
			got = append(got, h.Account.Address()[:6]+" "+h.Amount.Amount+" "+string(h.Basis))
		}
	}
	for _, x := range run.Result.Incomplete {
		if x.Missing.Asset == steth {
			got = append(got, x.Account.Address()[:6]+" missing "+x.Missing.Amount)
		}
	}
	want := []string{"0xa4b2 60000 observed", "0xa4b2 30375.547907685258392043 inferred", "0x4766 missing 0.000009994741607957"}
	if !slices.Equal(got, want) {
		t.Errorf("stETH: %q, want %q", got, want)
	}
}

func sameHolding(a, b trace.Holding) bool {
	return a.Account == b.Account && a.Amount == b.Amount && *a.Origin == *b.Origin && a.Basis == b.Basis && a.Theft == b.Theft && a.Since == b.Since
}

// A symbol forged in other scripts, in full width or with letters that no eye
// sees is the symbol that it imitates; one that only resembles it is not.
func TestForgedSymbols(t *testing.T) {
	theft := wholeTheft(t)
	for symbol, fake := range map[string]bool{
		"stETH": true, "STETH": true, "ѕtЕТН": true, "s\u200btETH": true, "stET\u0334H": true, "ｓｔＥＴＨ": true, "st.ETH": true, "cmΕΤΗ": true, "ЕТН": true, "USDС": true, "ꓢtETH2": false, "wstETH": false,
	} {
		tr := theft[0]
		tr.Block, tr.Kind, tr.Amount = tr.Block+9, chain.KindToken, chain.Units(5)
		tr.From, tr.To = theft[0].To, person(3)
		tr.Asset = chain.Token(person(60))
		tr.Tx = txID(77)
		var m model.Model
		if err := m.Add(&ledger.Facts{Transfers: append(slices.Clone(theft), tr), Assets: []chain.AssetInfo{{Asset: tr.Asset, Symbol: symbol, Decimals: 18, Source: "its contract"}}}); err != nil {
			t.Fatal(err)
		}
		r, err := m.Reader()
		if err != nil {
			t.Fatal(err)
		}
		aside := follow(t, r, trace.Request{Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}}).Result.Aside
		if (len(aside) == 1 && aside[0].Reason == trace.AsideFake) != fake {
			t.Errorf("%s: %+v", symbol, aside)
		}
	}
}

// What is worthless without being bait by itself is bait where a look-alike
// wrote it: dust of an asset that is not followed there, a call that moves
// nothing.
func TestWorthlessFromLookAlikes(t *testing.T) {
	theft := wholeTheft(t)
	thief := theft[0].To
	raw := [20]byte(thief.Raw())
	raw[9]++
	like, other := chain.EVM(chain.Ethereum, raw), person(5)
	usdc := chain.Token(account(t, "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"))
	rows := slices.Clone(theft)
	add := func(n byte, from chain.Account, asset chain.Asset, kind chain.Kind, amount uint64) {
		tr := theft[0]
		tr.Block, tr.Tx, tr.From, tr.To, tr.Asset, tr.Kind, tr.Amount = tr.Block+uint64(n), txID(n), from, thief, asset, kind, chain.Units(amount)
		rows = append(rows, tr)
	}
	add(1, like, usdc, chain.KindToken, 3)
	add(2, like, chain.Ethereum.Native(), chain.KindNative, 0)
	add(3, other, usdc, chain.KindToken, 3)
	add(4, other, chain.Ethereum.Native(), chain.KindNative, 0)
	aside := follow(t, reader(t, rows), trace.Request{Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}}).Result.Aside
	if len(aside) != 2 {
		t.Fatalf("%+v", aside)
	}
	for _, a := range aside {
		if a.Account != like || a.Reason != trace.AsideLookLike || a.Like != thief.String() {
			t.Errorf("%+v", a)
		}
	}
}
