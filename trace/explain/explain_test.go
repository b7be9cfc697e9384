package explain

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger/model"
	"bongsu/trace"
	"bongsu/trace/links"
)

func acct(n byte) chain.Account { return chain.EVM(chain.Ethereum, [20]byte{n, 19: n}) }

func move(block uint64, from, to byte, eth uint64) chain.Transfer {
	tx, _ := chain.NewTxID(append(make([]byte, 31), byte(block)))
	wei, _ := chain.Units(eth).MulDiv(chain.Units(1_000_000_000_000_000_000), chain.Units(1))
	return chain.Transfer{
		Chain: chain.Ethereum, Time: chain.Time(1_700_000_000_000 + block*12_000), Block: block, Index: 1, Tx: tx, Kind: chain.KindNative,
		Ordinal: chain.NoOrdinal, From: acct(from), To: acct(to), Asset: chain.Ethereum.Native(), Amount: wei,
	}
}

func traced(t *testing.T) *trace.Run {
	t.Helper()
	ts := []chain.Transfer{move(1, 9, 1, 100), move(2, 1, 2, 60), move(3, 2, 3, 80), move(4, 1, 3, 10)}
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	run, err := trace.Follow(context.Background(), r, nil, trace.Request{Thefts: []trace.Theft{{ID: "x", Title: "The Theft", Transfers: ts[:1]}}})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestSteps(t *testing.T) {
	x, err := Of(traced(t), "", acct(3))
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Steps) != 4 || x.Rests[0].Amount != "70" {
		t.Fatalf("%+v", x)
	}
	for i, want := range []struct {
		stolen, total string
		drawn         []int
		confidence    int
		here          bool
	}{{"100", "100", nil, 100, false}, {"60", "60", []int{1}, 100, false}, {"60", "80", []int{2}, 40, true}, {"10", "10", []int{1}, 100, false}} {
		s := x.Steps[i]
		if s.Stolen.Amount != want.stolen || s.Total.Amount != want.total || !slices.Equal(s.Drawn, want.drawn) || s.Confidence != want.confidence || s.NewRule != want.here {
			t.Errorf("step %d: %+v", i+1, s)
		}
	}
	if _, err := Of(traced(t), "", acct(7)); errs.Is(err) != errs.NotExist {
		t.Errorf("untouched account: %v", err)
	}
}

// Haircut keeps what several transfers brought as one lot: all of them are told,
// before what rests on the account and before what was spent of it.
func TestHaircutTellsAll(t *testing.T) {
	ts := []chain.Transfer{move(1, 9, 1, 90), move(2, 1, 2, 30), move(3, 1, 3, 30), move(4, 3, 2, 30), move(5, 1, 2, 30), move(6, 2, 4, 45)}
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	run, err := trace.Follow(context.Background(), r, nil, trace.Request{Method: trace.Haircut, Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []byte{2, 4} {
		x, err := Of(run, "x", acct(n))
		if err != nil {
			t.Fatal(err)
		}
		came := 0
		for _, s := range x.Steps {
			if s.To == acct(2) {
				came++
			}
		}
		if came != 3 || n == 4 && !slices.Equal(x.Steps[len(x.Steps)-1].Drawn, []int{2, 4, 5}) {
			t.Errorf("account %d: %+v", n, x.Steps)
		}
	}
}

// What came back to a source rests there, and so it is told.
func TestBackAtTheSource(t *testing.T) {
	r, err := model.Of(move(1, 1, 2, 90), move(2, 2, 1, 30))
	if err != nil {
		t.Fatal(err)
	}
	run, err := trace.Follow(context.Background(), r, nil, trace.Request{Sources: []trace.Source{{Account: acct(1)}}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Of(run, "", acct(1))
	if err != nil || len(x.Rests) != 1 || x.Rests[0].Amount != "30" || len(x.Steps) != 2 {
		t.Errorf("%+v, %v", x, err)
	}
}

// A step that adds a weaker rule to those before it names it, and what the
// ledger lacks of every account on the way is said.
func TestWeakestRule(t *testing.T) {
	ts := []chain.Transfer{move(1, 9, 1, 100), move(2, 1, 2, 60), move(3, 2, 3, 80), move(4, 3, 4, 90), move(5, 4, 5, 70)}
	ts[1].Block, ts[1].Index = chain.NoBlock, chain.NoIndex
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	run, err := trace.Follow(context.Background(), r, nil, trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: ts[:1]}}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Of(run, "x", acct(5))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		rule       trace.Rule
		here       bool
		confidence int
	}{{"", false, 100}, {trace.RulePosition, true, 70}, {trace.RuleKnownFirst, true, 40}, {trace.RuleKnownFirst, false, 40}, {trace.RuleKnownFirst, false, 40}} {
		if s := x.Steps[i]; s.Rule != want.rule || s.NewRule != want.here || s.Confidence != want.confidence {
			t.Errorf("step %d: %+v", i+1, s)
		}
	}
	if len(x.Lacking) != 2 { // 2 and 3 spent more than the ledger knows
		t.Errorf("%+v", x.Lacking)
	}
}

func TestPassedThrough(t *testing.T) {
	x, err := Of(traced(t), "x", acct(2))
	if err != nil {
		t.Fatal(err)
	}
	text, err := x.Text("en")
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Rests) != 0 || len(x.Lacking) != 1 || !strings.Contains(text, "it passed through") || !strings.Contains(text, "the origin of 20 ETH is missing") {
		t.Errorf("%+v\n%s", x, text)
	}
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// Every language says all that English says, with the same values in it.
func TestLanguagesAgree(t *testing.T) {
	x, err := Of(traced(t), "", acct(3))
	if err != nil {
		t.Fatal(err)
	}
	en, _ := catalogue("en")
	for _, lang := range Languages() {
		p, ok := catalogue(lang)
		if !ok {
			t.Fatal(lang)
		}
		a, b := reflect.ValueOf(en), reflect.ValueOf(p)
		for i := range a.NumField() {
			f := a.Type().Field(i).Name
			if a.Field(i).Kind() == reflect.Map {
				for _, k := range a.Field(i).MapKeys() {
					if v := b.Field(i).MapIndex(k); !v.IsValid() || v.String() == "" {
						t.Errorf("%s: %s lacks %v", lang, f, k)
					}
				}
				continue
			}
			want, got := placeholder.FindAllString(a.Field(i).String(), -1), placeholder.FindAllString(b.Field(i).String(), -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) || b.Field(i).String() == "" {
				t.Errorf("%s: %s has %v, want %v", lang, f, got, want)
			}
		}
		text, err := x.Text(lang)
		if err != nil || placeholder.MatchString(text) || !strings.Contains(text, x.Account.String()) {
			t.Errorf("%s: %v\n%s", lang, err, text)
		}
	}
	if _, err := x.Text("xx"); errs.Is(err) != errs.Usage {
		t.Errorf("unknown language: %v", err)
	}
	for _, m := range trace.Methods() {
		if en.methods[m] == "" {
			t.Errorf("no words for %s", m)
		}
	}
}

// A backward trace is explained from the place where going back stopped to the
// deposit, in every language.
func TestBackward(t *testing.T) {
	ts := []chain.Transfer{move(1, 9, 1, 100), move(2, 8, 1, 20), move(3, 1, 2, 110), move(4, 2, 3, 2500)}
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	run, err := trace.Follow(context.Background(), r, nil, trace.Request{Backward: true, Thefts: []trace.Theft{{ID: "d", Title: "the deposit", Transfers: ts[3:]}}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Of(run, "", acct(8))
	if err != nil || len(x.Steps) != 3 || !x.Backward || len(x.Rests) != 1 || x.Rests[0].Amount != "10" || x.Steps[0].Stolen.Amount != "20" || x.Steps[2].Stolen.Amount != "10" {
		t.Fatalf("%+v %v", x, err)
	}
	for _, lang := range Languages() {
		text, err := x.Text(lang)
		if err != nil || placeholder.MatchString(text) || strings.Count(text, "\n") != 2+3+1+1+1 {
			t.Errorf("%s: %v\n%s", lang, err, text)
		}
	}
	en, _ := x.Text("en")
	for _, want := range []string{
		"How money of account " + acct(8).String() + " came into the deposit the deposit.", "Here going back stops. Money of this origin: 20 ETH.",
		"part of the deposit that comes from here: 10 ETH", "of the deposit of 2,500 ETH, the ledger explains 110 ETH; the origin of 2,390 ETH is missing",
	} {
		if !strings.Contains(en, want) {
			t.Errorf("lacks %q:\n%s", want, en)
		}
	}
	if _, err := Of(run, "", acct(2)); errs.Is(err) != errs.NotExist {
		t.Errorf("an account on the way is no origin: %v", err)
	}
}

// A wrap is a step of its account, with its contract and its rule, in every
// language.
func TestWrap(t *testing.T) {
	weth := links.AllWrapped()[0]
	at := func(x chain.Transfer, from, to chain.Account, asset chain.Asset) chain.Transfer {
		x.From, x.To, x.Asset = from, to, asset
		if asset != weth.Coin() {
			x.Kind = chain.KindToken
		}
		return x
	}
	ts := []chain.Transfer{
		move(1, 9, 1, 100), at(move(2, 0, 0, 60), acct(1), weth.Contract, weth.Coin()),
		at(move(3, 0, 0, 60), acct(1), acct(2), weth.Token()), at(move(4, 0, 0, 50), weth.Contract, acct(2), weth.Coin()),
	}
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, backward := range []bool{false, true} {
		stated, account := ts[:1], acct(2)
		if backward {
			stated, account = ts[3:], acct(9)
		}
		run, err := trace.Follow(context.Background(), r, nil, trace.Request{Backward: backward, Thefts: []trace.Theft{{ID: "x", Transfers: stated}}})
		if err != nil {
			t.Fatal(err)
		}
		x, err := Of(run, "", account)
		if err != nil || len(x.Steps) != 4 || x.Steps[1].Link != trace.LinkWrap || x.Steps[3].Link != trace.LinkUnwrap || x.Steps[3].Via != weth.Contract || x.Steps[3].Confidence != 100 {
			t.Fatalf("%+v %v", x, err)
		}
		for _, lang := range Languages() {
			text, err := x.Text(lang)
			if err != nil || placeholder.MatchString(text) || strings.Count(text, weth.Contract.String()) != 2 ||
				!strings.Contains(text, "60 WETH") || !strings.Contains(text, " wrap)") || !strings.Contains(text, " unwrap)") {
				t.Errorf("%s: %v\n%s", lang, err, text)
			}
		}
	}
}

// Numbers and dates are written as each language writes them, to the last digit.
func TestNumbersAndDates(t *testing.T) {
	at, _ := chain.ParseTime("2025-03-01 04:05:06")
	for lang, want := range map[string][2]string{
		"en": {"1,234,567.000000000000000001 ETH", "1 March 2025, 04:05:06 UTC"},
		"ko": {"1,234,567.000000000000000001 ETH", "2025년 3월 1일 04:05:06 UTC"},
		"it": {"1.234.567,000000000000000001 ETH", "1º marzo 2025, 04:05:06 UTC"},
		"fr": {"1\u202f234\u202f567,000000000000000001 ETH", "1er mars 2025 à 04:05:06 UTC"},
		"de": {"1.234.567,000000000000000001 ETH", "1. März 2025, 04:05:06 UTC"},
	} {
		p, _ := catalogue(lang)
		if got := p.money(trace.Amount{Symbol: "ETH", Amount: "1234567.000000000000000001"}); got != want[0] {
			t.Errorf("%s: %s, want %s", lang, got, want[0])
		}
		if got := p.time(at); got != want[1] {
			t.Errorf("%s: %s, want %s", lang, got, want[1])
		}
	}
}

// Nothing is called shown by the ledger that was stated, or that the method
// decides; what the ledger lacks on the way is told with its account.
func TestSaysWhatItRestsOn(t *testing.T) {
	ts := []chain.Transfer{move(1, 9, 1, 100), move(2, 1, 2, 60), move(3, 2, 3, 90), move(4, 1, 3, 2)}
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	floor := []chain.Money{{Asset: chain.Ethereum.Native(), Amount: ts[3].Amount.MustAdd(chain.Units(1))}}
	run, err := trace.Follow(context.Background(), r, nil, trace.Request{Thefts: []trace.Theft{{ID: "d", Transfers: ts[:1]}}, Bounds: trace.Bounds{MinAmount: floor}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Of(run, "", acct(3))
	if err != nil || len(x.Steps) != 4 || len(x.Stopped) != 1 { // the step that was stopped, too
		t.Fatalf("%+v %v", x, err)
	}
	text, err := x.Text("en")
	if err != nil {
		t.Fatal(err)
	}
	for want, times := range map[string]int{
		"that it is part of the theft was stated":  1,
		"the part named follows from the method":   2,
		"This is inferred: the account spent more": 1,
		"Note: account " + acct(2).String() + " spent 90 ETH, of which the ledger knows 60 ETH; the origin of 30 ETH": 1,
	} {
		if strings.Count(text, want) != times {
			t.Errorf("%q is not said %d times:\n%s", want, times, text)
		}
	}
}
