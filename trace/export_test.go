package trace_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/labels"
	"bongsu/trace"
)

func bybitRun(t *testing.T) *trace.Run {
	theft, hop := bybit(t, "theft.csv"), bybit(t, "hop1.csv")
	return follow(t, reader(t, append(theft, hop...)), trace.Request{Thefts: []trace.Theft{{ID: "bybit", Title: "Bybit: 21 \"February\" 2025", Transfers: theft}}})
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	run := bybitRun(t)
	if err := run.Result.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 1+42+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if last := rows[43]; last[0] != "missing" || last[5] != "98047.7948" {
		t.Errorf("%v", last)
	}
}

// What was set aside is among the rows, without an amount: none of it counts.
func TestCSVAside(t *testing.T) {
	var b bytes.Buffer
	like, touched := account(t, "0x000000000000000000000000000000000000aaaa"), account(t, "0x000000000000000000000000000000000000bbbb")
	r := trace.Result{Aside: []trace.Aside{{Account: like, Touched: touched, Reason: trace.AsideLookLike, Asset: chain.Ethereum.Native(), Symbol: "=ETH", Count: 2, Like: touched.String()}}}
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	want := []string{"aside", "", like.String(), string(chain.Ethereum.Native()), "'=ETH", "", "", "", "", "", "", "", "", "", touched.String(), "", touched.String(), "look-alike"}
	if err != nil || len(rows) != 2 || !slices.Equal(rows[1], want) {
		t.Errorf("%q %v", rows, err)
	}
}

// A label from a stranger is text, never a formula.
func TestCSVHasNoFormulas(t *testing.T) {
	var b bytes.Buffer
	r := trace.Result{Exits: []trace.Exit{{Account: account(t, "0x000000000000000000000000000000000000aaaa"), Label: "=HYPERLINK(\"x\")", Source: "@s"}}}
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); !strings.Contains(s, `"'=HYPERLINK(""x"")"`) || !strings.Contains(s, ",'@s,") {
		t.Errorf("%s", s)
	}
}

// What is exported as a TagPack can be imported as one.
func TestTagPackRoundTrip(t *testing.T) {
	var b bytes.Buffer
	if err := bybitRun(t).WriteTagPack(&b, "Agency: \"Seoul\""); err != nil {
		t.Fatal(err)
	}
	// GraphSense's own names: a tag on another network matches nothing there.
	for _, want := range []string{"\n  currency: \"ETH\"\n  network: \"ETH\"\n", "\n  lastmod: 2025-02-21\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	st := labels.Store{Dir: t.TempDir()}
	rep, err := st.Import("export.yaml", b.Bytes(), labels.FormatTagPack)
	if err != nil || rep.List.Labels != 42 || len(rep.Rejects) != 0 || rep.List.Creator != "Agency: \"Seoul\"" {
		t.Fatalf("%+v %v\n%s", rep, err, b.String())
	}
	set, err := st.Load()
	if err != nil {
		t.Fatal(err)
	}
	l, ok := set.Deciding(account(t, "0x36ed3c0213565530c35115d93a80f9c04d94e4cb"))
	if !ok || l.Label != "10000 ETH stolen: Bybit: 21 \"February\" 2025" || l.Confidence != "forensic" {
		t.Errorf("%+v", l)
	}
	if _, ok := set.Deciding(account(t, "0xdd90071d52f20e85c89802e5dc1ec0a7b6475f92")); ok {
		t.Error("an inferred holding decides")
	}
}

// A run that left nothing anywhere is a pack without tags, not one of null.
func TestTagPackWithoutTags(t *testing.T) {
	var b bytes.Buffer
	if err := (&trace.Run{}).WriteTagPack(&b, "x"); err != nil || !strings.HasSuffix(b.String(), "\ntags: []\n") {
		t.Fatalf("%v %s", err, b.String())
	}
}
