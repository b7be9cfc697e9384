package chain

import (
	"bytes"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bongsu/errs"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	const most = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	for _, c := range []struct {
		text     string
		decimals uint8
		want     string // base units, or
		wrong    string
	}{
		{"0", 18, "0", ""},
		{"0.0", 0, "0", ""},
		{"1", 18, "1000000000000000000", ""},
		{"401346.768858404671846374", 18, "401346768858404671846374", ""},
		{"0.000000000000000001", 18, "1", ""},
		{"1.0", 0, "1", ""},
		{"1.50", 1, "15", ""},
		{".5", 1, "5", ""},
		{"5.", 0, "5", ""},
		{"007", 0, "7", ""},
		{"1e-05", 18, "10000000000000", ""},
		{"1e-05", 5, "1", ""},
		{"2.5E3", 0, "2500", ""},
		{"2.5e+3", 0, "2500", ""},
		{"1e-1", 0, "", "more decimals"},
		{"10e-1", 0, "1", ""},
		{"0e-99", 0, "0", ""},
		{"0e999", 0, "0", ""},
		{most, 0, most, ""},
		{"1" + strings.Repeat("0", 77), 0, "1" + strings.Repeat("0", 77), ""},
		{"115792089237316195423570985008687907853269984665640564039457584007913129639936", 0, "", "2^256"},
		{"1e78", 0, "", "2^256"},
		{"1e77", 1, "", "2^256"},
		{"1e999", 0, "", "2^256"},
		{"1e1000", 0, "", "not a decimal"},
		{"0.0000000000000000001", 18, "", "more decimals"},
		{"", 18, "", "not a decimal"},
		{".", 18, "", "not a decimal"},
		{"-1", 18, "", "not a decimal"},
		{"+1", 18, "", "not a decimal"},
		{"1,5", 18, "", "not a decimal"},
		{"1.5.5", 18, "", "not a decimal"},
		{"1e", 18, "", "not a decimal"},
		{"1e-", 18, "", "not a decimal"},
		{"1e+", 18, "", "not a decimal"},
		{"e5", 18, "", "not a decimal"},
		{"1e5e5", 18, "", "not a decimal"},
		{"NaN", 18, "", "not a decimal"},
		{"Inf", 18, "", "not a decimal"},
		{"0x10", 18, "", "not a decimal"},
		{"1_000", 18, "", "not a decimal"},
		{"\u0661", 18, "", "not a decimal"}, // an Arabic digit
		{strings.Repeat("0", 500), 18, "", "not a decimal"},
	} {
		a, err := ParseDecimal(c.text, c.decimals)
		if c.wrong != "" {
			if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q with %d decimals: %s, %v; want %q", c.text, c.decimals, a.Base(), err, c.wrong)
			}
			continue
		}
		if err != nil || a.Base() != c.want {
			t.Errorf("%q with %d decimals: %s, %v; want %s", c.text, c.decimals, a.Base(), err, c.want)
		}
	}
}

func amounts() *rapid.Generator[Amount] {
	return rapid.Custom(func(t *rapid.T) Amount {
		b := rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "bytes")
		a, _ := AmountFromBytes(b)
		return a
	})
}

// TestAmountRoundTrips: every way of writing an amount is read back exactly.
func TestAmountRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts().Draw(t, "a")
		d := rapid.Uint8Range(0, 77).Draw(t, "decimals")
		if got, err := ParseDecimal(a.Decimal(d), d); err != nil || got != a {
			t.Fatalf("%s with %d decimals: %v, %v", a.Decimal(d), d, got, err)
		}
		if got, err := ParseBase(a.Base()); err != nil || got != a {
			t.Fatalf("%s: %v, %v", a.Base(), got, err)
		}
		if got, ok := AmountFromDigits([]byte(a.Base())); !ok || got != a {
			t.Fatalf("%s: %v, %v", a.Base(), got, ok)
		}
		if b := a.Bytes32(); true {
			if got, ok := AmountFromBytes(b[:]); !ok || got != a {
				t.Fatalf("%x: %v", b, got)
			}
		}
		if FromWords(a.Words()) != a {
			t.Fatalf("%s through its words", a.Base())
		}
	})
}

// TestArithmetic holds the laws that tracing rests on.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := amounts().Draw(t, "a"), amounts().Draw(t, "b")
		if sum, ok := a.Add(b); ok {
			if back, ok := sum.Sub(b); !ok || back != a {
				t.Fatal("a+b-b is not a")
			}
		} else if _, ok := b.Add(a); ok {
			t.Fatal("addition does not commute")
		}
		if diff, ok := a.Sub(b); ok != !a.Less(b) {
			t.Fatalf("a-b: %v, %v", diff, ok)
		}
		if m := a.Min(b); a.Less(m) || b.Less(m) || (m != a && m != b) {
			t.Fatal("Min is not the smaller")
		}
		if b.IsZero() {
			if _, ok := a.MulDiv(b, b); ok {
				t.Fatal("a division by zero fits")
			}
		} else if q, ok := a.MulDiv(b, b); !ok || q != a {
			t.Fatalf("a*b/b is %s", q.Base())
		}
	})
	if _, ok := AmountFromBytes(make([]byte, 33)); ok {
		t.Error("33 bytes are an amount")
	}
}

func FuzzParseDecimal(f *testing.F) {
	f.Add("1345.768858404671846374", uint8(18))
	f.Add("1e-05", uint8(18))
	f.Add("2.5E+3", uint8(0))
	f.Fuzz(func(t *testing.T, s string, d uint8) {
		a, err := ParseDecimal(s, d)
		if err != nil {
			return
		}
		if d <= 77 {
			if back, err := ParseDecimal(a.Decimal(d), d); err != nil || back != a {
				t.Fatalf("%q: %s, %v", s, a.Decimal(d), err)
			}
		}
		if b, ok := AmountFromDigits([]byte(s)); ok && d == 0 && b != a {
			t.Fatalf("%q: %s or %s", s, a.Base(), b.Base())
		}
	})
}

// TestDigits: the reader of digits and ParseBase agree, whichever byte stands in
// whichever place.
func TestDigits(t *testing.T) {
	for _, n := range []int{1, 7, 8, 15, 16, 17, 24, 31, 32, 47, 77, 78} {
		good := []byte(strings.Repeat("1029384756", 8)[:n])
		for i := range good {
			for c := range 256 {
				b := bytes.Clone(good)
				b[i] = byte(c)
				a, ok := AmountFromDigits(b)
				want, err := ParseBase(string(b))
				if digits := c >= '0' && c <= '9'; ok != (digits && err == nil) || ok && a != want {
					t.Fatalf("%q: %v %s, want %s, %v", b, ok, a.Base(), want.Base(), err)
				}
			}
		}
	}
}

func TestIsRoundingOf(t *testing.T) {
	for _, c := range []struct {
		a, of string
		want  bool
	}{
		{"357858648997000", "357858648997469", true},
		{"357858648998000", "357858648997469", true},
		{"357858648997470", "357858648997469", true},
		{"357858648997469", "357858648997000", false},
		{"357858648997469", "357858648997469", false},
		{"357858648996000", "357858648997469", false},
		{"1000", "1000", false},
		{"1000", "1001", true},
		{"1000", "2000", false},
		{"10", "5", true},
		{"10", "0", false},
		{"0", "5", false},
		{"5", "0", false},
		{"115792089237316195423570985008687907853269984665640564039457584007913129639930", "115792089237316195423570985008687907853269984665640564039457584007913129639935", true},
	} {
		a, _ := ParseBase(c.a)
		e, _ := ParseBase(c.of)
		if got := a.IsRoundingOf(e); got != c.want {
			t.Errorf("%s of %s: %v", c.a, c.of, got)
		}
	}
	// Transitive, so that what is left of many does not depend on their order.
	rapid.Check(t, func(t *rapid.T) {
		near := rapid.Uint64Range(1, 30_000)
		cut := func(v uint64) Amount {
			for range rapid.IntRange(0, 4).Draw(t, "digits") {
				v = (v + rapid.SampledFrom([]uint64{0, 5, 9}).Draw(t, "up")) / 10
			}
			return Units(v * uint64(math.Pow10(rapid.IntRange(0, 4).Draw(t, "zeros"))))
		}
		a, b, c := cut(near.Draw(t, "a")), cut(near.Draw(t, "b")), cut(near.Draw(t, "c"))
		if a.IsRoundingOf(b) && b.IsRoundingOf(c) && !a.IsRoundingOf(c) {
			t.Fatalf("%s of %s of %s", a.Base(), b.Base(), c.Base())
		}
		if a.IsRoundingOf(b) && b.IsRoundingOf(a) {
			t.Fatalf("%s and %s, of each other", a.Base(), b.Base())
		}
	})
	for a := range uint64(250) { // every three small ones
		for b := range uint64(250) {
			if !Units(a).IsRoundingOf(Units(b)) {
				continue
			}
			for c := range uint64(250) {
				if Units(b).IsRoundingOf(Units(c)) && !Units(a).IsRoundingOf(Units(c)) {
					t.Fatalf("%d of %d of %d", a, b, c)
				}
			}
		}
	}
}

func FuzzAmountFromDigits(f *testing.F) {
	for _, s := range []string{"0", "00000000000000000", "115792089237316195423570985008687907853269984665640564039457584007913129639935", "115792089237316195423570985008687907853269984665640564039457584007913129639936", "12345678:0", "1234567/"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := AmountFromDigits(b)
		v, isNumber := new(big.Int).SetString(string(b), 10)
		want := len(b) > 0 && len(b) <= 78 && isNumber && b[0] != '+' && b[0] != '-' && v.BitLen() <= 256
		if ok != want || ok && a.Base() != v.String() {
			t.Fatalf("%q: %v %s, want %v %s", b, ok, a.Base(), want, v)
		}
	})
}

func TestParseAsset(t *testing.T) {
	for _, c := range []struct{ text, want, wrong string }{
		{"eip155:1/slip44:60", "eip155:1/slip44:60", ""},
		{"ethereum/slip44:60", "eip155:1/slip44:60", ""},
		{"eip155:1/erc20:0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84", "eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84", ""},
		{"tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", ""},
		{"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", ""},
		{"bip122:000000000019d6689c085ae165831e93/slip44:0", "bip122:000000000019d6689c085ae165831e93/slip44:0", ""},
		{"eip155:1/slip44:0", "", "not the native asset"},
		{"eip155:1/erc20:0xae7ab96520DE3A18E5e111B5EaAb095312D7fE85", "", "EIP-55"},
		{"eip155:1/trc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84", "", "cannot be followed"},
		{"eip155:1/erc721:0xae7ab96520de3a18e5e111b5eaab095312d7fe84/1", "", "cannot be followed"},
		{"eip155:1/erc20:", "", "not a CAIP-19"},
		{"eip155:1", "", "not a CAIP-19"},
		{"ETH", "", "not a CAIP-19"},
		{"/", "", "not a chain"},
	} {
		a, err := ParseAsset(c.text)
		if c.wrong != "" {
			if err == nil {
				t.Errorf("%q is read as %s", c.text, a)
			}
			continue
		}
		if err != nil || string(a) != c.want {
			t.Errorf("%q: %s, %v", c.text, a, err)
		}
		if k := a.Contract(); !k.IsZero() && Token(k) != a {
			t.Errorf("%s: its contract %s is of %s", a, k, Token(k))
		}
		if a.Chain().Native() != a && a.Contract().IsZero() {
			t.Errorf("%s is neither native nor of a contract", a)
		}
	}
}

func FuzzParseAsset(f *testing.F) {
	f.Add("eip155:1/slip44:60")
	f.Add("eip155:1/erc20:0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84")
	f.Add("tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAsset(s)
		if err != nil {
			return
		}
		if back, err := ParseAsset(string(a)); err != nil || back != a {
			t.Fatalf("%q is read as %s, and that as %s, %v", s, a, back, err)
		}
	})
}

func TestParseTime(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2025-02-21T14:16:11Z", "2025-02-21T14:16:11Z"},
		{"2025-02-21 14:16:11", "2025-02-21T14:16:11Z"},
		{"2025-02-21 14:16:11 UTC", "2025-02-21T14:16:11Z"},
		{"2025-02-21 14:16:11+00:00", "2025-02-21T14:16:11Z"},
		{"2025-02-21 15:16:11.5+01", "2025-02-21T14:16:11.500Z"},
		{"2025-02-21 14:16:11Z", "2025-02-21T14:16:11Z"},
		{"2025-02-21T14:16:11+09:00", "2025-02-21T05:16:11Z"},
		{"2022-03-29T21:41:18+00:00", "2022-03-29T21:41:18Z"},
		{"2025-02-21T14:16:11.5Z", "2025-02-21T14:16:11.500Z"},
		{"2025-02-21T14:16:11.123456789Z", "2025-02-21T14:16:11.123Z"},
		{"1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z"},
		{"1969-12-31T23:59:59Z", ""},
		{"1970-01-01T00:00:00+14:00", ""}, // the day before, in UTC
		{"2300-01-01T00:00:00Z", ""},
		{"2025-02-30T00:00:00Z", ""},
		{"21.02.2025 14:16", ""},
		{"1740147371", ""},
		{"", ""},
	} {
		v, err := ParseTime(c.text)
		if c.want == "" {
			if errs.Is(err) != errs.Invalid {
				t.Errorf("%q is read as %s, %v", c.text, v, err)
			}
			continue
		}
		if err != nil || v.String() != c.want {
			t.Errorf("%q: %s, %v; want %s", c.text, v, err, c.want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2025-02-21T14:16:11.5Z")
	f.Add("2025-02-21 14:16:11")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseTime(s)
		if err != nil {
			return
		}
		back, err := ParseTime(v.String())
		if err != nil || back != v {
			t.Fatalf("%q is read as %s, and that as %s, %v", s, v, back, err)
		}
		if TimeOf(v.Std()) != v || v.Std().Location() != time.UTC {
			t.Fatalf("%q: %v", s, v.Std())
		}
	})
}

func TestTxIDs(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	for _, c := range []struct {
		text string
		id   ID
		want string
	}{
		{"0x" + hash, Ethereum, "0x" + hash},
		{strings.ToUpper(hash), Ethereum, "0x" + hash},
		{hash, Bitcoin, hash},
		{"0x" + hash, Tron, hash},
		{hash[:62], Ethereum, ""},
		{hash + "00", Bitcoin, ""},
		{"", Ethereum, ""},
		{"0x0x" + hash, Ethereum, ""},
		{"0x0X" + hash, Ethereum, ""},
		{hash, Solana, ""},
		{strings.Repeat("z", 64), Ethereum, ""},
	} {
		v, err := ParseTxID(c.text, c.id)
		if c.want == "" {
			if errs.Is(err) != errs.Invalid {
				t.Errorf("%q on %s is read as %s, %v", c.text, c.id, v.Text(c.id), err)
			}
			continue
		}
		if err != nil || v.Text(c.id) != c.want {
			t.Errorf("%q on %s: %s, %v", c.text, c.id, v.Text(c.id), err)
		}
	}
	raw := make([]byte, 64)
	for i := range raw {
		raw[i] = byte(i)
	}
	v, ok := NewTxID(raw)
	if !ok {
		t.Fatal("64 bytes are no id")
	}
	if back, err := ParseTxID(v.Text(Solana), Solana); err != nil || back != v {
		t.Errorf("%s: %v, %v", v.Text(Solana), back, err)
	}
}

func FuzzParseTxID(f *testing.F) {
	f.Add("0x"+strings.Repeat("ab", 32), string(Ethereum))
	f.Add(strings.Repeat("2", 88), string(Solana))
	f.Fuzz(func(t *testing.T, s, id string) {
		v, err := ParseTxID(s, ID(id))
		if err != nil {
			return
		}
		if back, err := ParseTxID(v.Text(ID(id)), ID(id)); err != nil || back != v {
			t.Fatalf("%q on %q: %s, %v", s, id, v.Text(ID(id)), err)
		}
	})
}

// TestRegistry: symbols never decide between look-alikes, and decimals never
// change under amounts already read.
func TestRegistry(t *testing.T) {
	r := NewRegistry()
	if n := len(r.All()); n != len(builtin()) {
		t.Fatalf("%d of %d built-in assets are registered: two contradict each other", n, len(builtin()))
	}
	steth, ok := r.BySymbol(Ethereum, "stETH")
	if !ok || steth.Decimals != 18 {
		t.Fatalf("stETH: %+v, %v", steth, ok)
	}
	fake := AssetInfo{Asset: "eip155:1/erc20:0x0000000000000000000000000000000000000bad", Symbol: "stETH", Decimals: 18, Source: "a test"}
	if err := r.Add(fake); err != nil {
		t.Fatal(err)
	}
	if got, ok := r.BySymbol(Ethereum, "stETH"); ok {
		t.Fatalf("two contracts bear the symbol, and it is read as %s", got.Asset)
	}
	if got, ok := r.Info(steth.Asset); !ok || got != steth {
		t.Fatalf("%+v", got)
	}
	other := steth
	other.Decimals = 6
	if err := r.Add(other); errs.Is(err) != errs.Conflict {
		t.Fatalf("other decimals: %v", err)
	}
	if err := r.Add(steth); err != nil {
		t.Fatalf("the same again: %v", err)
	}
	if _, ok := r.BySymbol(Ethereum, ""); ok {
		t.Fatal("no symbol is the symbol of something")
	}
	var zero Registry
	if _, ok := zero.Info(steth.Asset); ok {
		t.Fatal("an empty registry knows something")
	}
}

// TestIdentityHash: equal identities have equal hashes, and what identifies a
// movement changes its hash.
func TestIdentityHash(t *testing.T) {
	a, b := EVM(Ethereum, [20]byte{1}), EVM(Ethereum, [20]byte{2})
	tx, _ := NewTxID(make([]byte, 32))
	base := Transfer{Chain: Ethereum, Tx: tx, Kind: KindToken, From: a, To: b, Asset: "eip155:1/slip44:60", Amount: Units(5), Time: 7, Ordinal: 3}
	same := base
	same.Ordinal, same.Row, same.Block, same.Index, same.Nth, same.Time = 9, 9, 9, 9, 9, 9
	if base.IdentityHash(1) != same.IdentityHash(1) {
		t.Error("the place changes the identity")
	}
	if base.IdentityHash(1) == base.IdentityHash(2) {
		t.Error("the seed changes nothing")
	}
	seen := map[uint64]string{base.IdentityHash(1): "base"}
	other, _ := NewTxID(append(make([]byte, 31), 1))
	huge, _ := Units(1).MulDiv(Units(math.MaxUint64), Units(1))
	for name, change := range map[string]func(*Transfer){
		"tx": func(t *Transfer) { t.Tx = other }, "kind": func(t *Transfer) { t.Kind = KindInternal },
		"from": func(t *Transfer) { t.From = b }, "to": func(t *Transfer) { t.To = a }, "swapped": func(t *Transfer) { t.From, t.To = b, a },
		"asset": func(t *Transfer) { t.Asset = "eip155:1/slip44:61" }, "amount": func(t *Transfer) { t.Amount = huge },
		"minted": func(t *Transfer) { t.From, t.To = Account{}, a }, "burnt": func(t *Transfer) { t.From, t.To = a, Account{} }, "no tx": func(t *Transfer) { t.Tx = TxID{} },
		"no tx, later": func(t *Transfer) { t.Tx, t.Time = TxID{}, 8 },
	} {
		c := base
		change(&c)
		h := c.IdentityHash(1)
		if was, ok := seen[h]; ok {
			t.Errorf("%s hashes like %s", name, was)
		}
		seen[h] = name
	}
}

// TestErrorsAreShort: whatever is parsed, a message repeats little of it, as
// valid text.
func TestErrorsAreShort(t *testing.T) {
	for _, s := range []string{strings.Repeat("x", 1<<20), strings.Repeat("\xff", 1<<20), "0x" + strings.Repeat("\xc3\x28", 100)} {
		_, e1 := ParseAccount(s, "")
		_, e2 := ParseAsset(s)
		_, e3 := ParseDecimal(s, 18)
		_, e4 := ParseTime(s)
		_, e5 := ParseTxID(s, Ethereum)
		_, e6 := ParseKind(s)
		_, e7 := ParseID(s)
		_, e8 := ParseBase(s)
		_, e9 := ParseAsset(s + "/slip44:60")
		_, e10 := ParseTxID(s, Solana)
		_, e11 := ParseAccount(s, Solana)
		for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11} {
			if err == nil || len(err.Error()) > 900 || !utf8.ValidString(err.Error()) {
				t.Errorf("parser %d: %.200v", i+1, err)
			}
		}
	}
}
