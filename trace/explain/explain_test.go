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
