package labels_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
)

func account(t testing.TB, s string, id chain.ID) chain.Account {
	t.Helper()
	a, err := chain.ParseAccount(s, id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func imported(t testing.TB, st labels.Store, name, text string) labels.Report {
	t.Helper()
	rep, err := st.Import(name, []byte(text), labels.FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func file(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "tagpacks", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Published packs go in; what bongsu does not follow is rejected tag by tag,
// with its line and reason.
func TestPublishedPacks(t *testing.T) {
	st := labels.Store{Dir: t.TempDir()}
	for _, c := range []struct {
		name            string
		labels, rejects int
	}{
		{"exchange-wallets-bybit.yaml", 8, 0},
		{"demo.yaml", 2, 3},
		{"exchange-wallets-huobi.yaml", 42, 16},
		{"blender_io.yaml", 45, 0},
		{"etherscan-wordcloud-exchange.yaml", 646, 0},
		{"etherscan-wordcloud-mixing_service.yaml", 61, 0},
	} {
		rep := imported(t, st, c.name, file(t, c.name))
		if rep.List.Labels != c.labels || len(rep.Rejects) != c.rejects || rep.Known {
			t.Errorf("%s: %d labels, %d rejects, known %v", c.name, rep.List.Labels, len(rep.Rejects), rep.Known)
		}
	}
	rep := imported(t, st, "demo.yaml", file(t, "demo.yaml"))
	if !rep.Known || rep.Rejects[0].Line != 14 || rep.Rejects[0].Reason != "bongsu does not follow currency BCH" {
		t.Errorf("again: %+v", rep)
	}
	set, err := st.Load()
	if err != nil {
		t.Fatal(err)
	}
	l, ok := set.Deciding(account(t, "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4", chain.Ethereum))
	if !ok || l.Label != "Bybit reserve wallets" || l.Category != "exchange" || l.Actor != "bybit" || l.Score != 50 || l.Lastmod.Std().Format("2006-01-02") != "2022-11-17" {
		t.Errorf("Bybit's cold wallet: %+v", l)
	}
	// A tag's own source stands before the header's.
	l, _ = set.Deciding(account(t, "1GrwDkr33gT6LuumniYjKEGjTLhsL5kmqC", chain.Bitcoin))
	if l.Source != "https://www.bybithelp.com/bybitHC_Article?id=000001880" {
		t.Errorf("a tag's own source: %+v", l)
	}
	if l, _ = set.Deciding(account(t, "0x47ce0c6ed5b0ce3d3a51fdb1c52dc66a7c3c2936", chain.Ethereum)); l.Service() != "mixing_service" {
		t.Errorf("a mixer: %+v", l)
	}
}

const pack = `title: T
creator: C
source: %SOURCE%
confidence: %CONFIDENCE%
lastmod: %LASTMOD%
currency: ETH
tags:
- address: '0x000000000000000000000000000000000000aaaa'
  label: %LABEL%
  category: %CATEGORY%
`

func packOf(source, confidence, lastmod, label, category string) string {
	return strings.NewReplacer("%SOURCE%", source, "%CONFIDENCE%", confidence, "%LASTMOD%", lastmod, "%LABEL%", label, "%CATEGORY%", category).Replace(pack)
}

// Conflicting labels stay side by side; the rule that chose is named.
func TestConflictsAreShown(t *testing.T) {
	at := account(t, "0x000000000000000000000000000000000000aaaa", chain.Ethereum)
	for _, c := range []struct {
		name   string
		packs  []string
		decide string
		rule   labels.Rule
	}{
		{"one", []string{packOf("s", "web_crawl", "2020-01-01", "one", "exchange")}, "one", labels.RuleOnly},
		{"confidence", []string{packOf("s", "web_crawl", "2024-01-01", "crawled", "exchange"), packOf("s", "forensic", "2020-01-01", "sure", "merchant")}, "sure", labels.RuleConfidence},
		{"lastmod", []string{packOf("s", "forensic", "2020-01-01", "old", "exchange"), packOf("s", "forensic", "2024-01-01", "new", "merchant")}, "new", labels.RuleLastmod},
		{"source", []string{packOf("b", "forensic", "2020-01-01", "second", "exchange"), packOf("a", "forensic", "2020-01-01", "first", "merchant")}, "first", labels.RuleSource},
		{"none", []string{packOf("s", "heuristic", "2020-01-01", "guess", "exchange")}, "", labels.RuleNone},
		{"guess beside one", []string{packOf("s", "heuristic", "2024-01-01", "guess", "exchange"), packOf("s", "web_crawl", "2020-01-01", "crawled", "merchant")}, "crawled", labels.RuleOnly},
	} {
		for _, turned := range []bool{false, true} {
			st := labels.Store{Dir: t.TempDir()}
			packs := slices.Clone(c.packs)
			if turned {
				slices.Reverse(packs)
			}
			for _, p := range packs {
				imported(t, st, "p.yaml", p)
			}
			set, err := st.Load()
			if err != nil {
				t.Fatal(err)
			}
			s := set.Show(at)
			if len(s.Labels) != len(c.packs) || s.Rule != c.rule || s.Conflict != (len(c.packs) > 1) {
				t.Errorf("%s: %+v", c.name, s)
			}
			if l, ok := set.Deciding(at); ok != (c.decide != "") || l.Label != c.decide {
				t.Errorf("%s: %q decides, want %q", c.name, l.Label, c.decide)
			}
		}
	}
}

func TestDamagedPacks(t *testing.T) {
	for name, c := range map[string]struct{ text, where, why string }{
		"not YAML":      {"a: [", "", "not YAML"},
		"no mapping":    {"- a\n- b\n", "line 1", "not a mapping"},
		"no title":      {"creator: C\ntags: []\n", "line 1", "title is missing"},
		"no tags":       {"title: T\ncreator: C\n", "line 1", "tags is missing"},
		"tags a text":   {"title: T\ncreator: C\ntags: x\n", "line 3", "tags is not a list"},
		"an alias":      {"title: &a T\ncreator: *a\ntags: []\n", "line 1", "anchors"},
		"nested":        {"title: " + strings.Repeat("[", 100) + "\n", "line 1", "nested"},
		"title a list":  {"title: [T]\ncreator: C\ntags: []\n", "line 1", "a list or mapping"},
		"empty":         {"", "line 1", "empty"},
		"two documents": {"title: T\n---\ntitle: U\n", "line 1", "several documents"},
	} {
		_, err := labels.Store{Dir: t.TempDir()}.Import("p.yaml", []byte(c.text), labels.FormatTagPack)
		if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), c.where) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRejectedTags(t *testing.T) {
	text := `title: T
creator: C
currency: ETH
source: s
confidence: forensic
tags:
- address: '0x000000000000000000000000000000000000aaaa'
  label: good
- address: '0x00000000000000000000000000000000000aaaa'
  label: short
- label: no address
- tx_hash: '0x6d65123e246d752de3f39e0fdf5b788baad35a29b7e95b74c714e6c7c1ea61dd'
  label: a transaction
- address: '0x000000000000000000000000000000000000aaab'
- address: '0x000000000000000000000000000000000000aaac'
  label: unsure
  confidence: gut
- address: '0x000000000000000000000000000000000000aaad'
  label: late
  lastmod: tomorrow
- plain text
`
	rep := imported(t, labels.Store{Dir: t.TempDir()}, "p.yaml", text)
	if rep.List.Labels != 1 || len(rep.Rejects) != 7 {
		t.Fatalf("%+v", rep)
	}
	for i, want := range []struct {
		line int
		why  string
	}{
		{9, "40 hexadecimal digits"},
		{11, "address is missing"},
		{12, "names a transaction"},
		{14, "label is missing"},
		{15, "confidence gut"},
		{18, "lastmod is not a date"},
		{21, "mapping of fields"},
	} {
		if r := rep.Rejects[i]; r.Line != want.line || !strings.Contains(r.Reason, want.why) {
			t.Errorf("reject %d: %+v, want line %d, %q", i, r, want.line, want.why)
		}
	}
}

func TestOtherFormats(t *testing.T) {
	st := labels.Store{Dir: t.TempDir()}
	rep := imported(t, st, "mine.csv", "label,account,source,category,confidence,lastmod,concepts\n"+
		"Hot wallet,0x000000000000000000000000000000000000aaaa,me,exchange,ownership,2024-05-06,a;b\n"+
		"Broken,0x00,me,exchange,,,\n")
	if rep.List.Labels != 1 || len(rep.Rejects) != 1 || rep.Rejects[0].Line != 3 {
		t.Fatalf("CSV: %+v", rep)
	}
	rep = imported(t, st, "combinedAccountLabels.json",
		`{"0x000000000000000000000000000000000000aaaa": {"name": "Some Dex", "labels": ["dex", "old"]}, "0x000000000000000000000000000000000000aaab": {"name": "", "labels": ["tornado-cash"]}}`)
	if rep.List.Labels != 2 || rep.List.Format != labels.FormatEtherscan {
		t.Fatalf("etherscan: %+v", rep)
	}
	set, err := st.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := set.Show(account(t, "0x000000000000000000000000000000000000aaaa", chain.Ethereum))
	if len(s.Labels) != 2 || s.Labels[0].Label != "Hot wallet" || !s.Labels[1].Contract() || !s.Conflict || s.Rule != labels.RuleConfidence {
		t.Errorf("%+v", s)
	}
	if _, err := st.Import("x.json", []byte(`{"0xaa": {}, "0xaa": {}}`), ""); errs.Is(err) != errs.Invalid {
		t.Errorf("duplicate keys: %v", err)
	}
	if _, err := st.Import("x.csv", []byte("a,b\n"), ""); errs.Is(err) != errs.Invalid {
		t.Errorf("foreign header: %v", err)
	}
}

// A list's digest is that of its contents: neither the file's name nor the
// order of its tags is in it. A changed file is found.
func TestStoreIsContentAddressed(t *testing.T) {
	st := labels.Store{Dir: t.TempDir()}
	a := imported(t, st, "a.yaml", packOf("s", "forensic", "2020-01-01", "x", "exchange"))
	b := imported(t, st, "b.yaml", packOf("s", "forensic", "2020-01-01", "x", "exchange"))
	if a.List.Digest != b.List.Digest || !b.Known || b.List.Name != "b.yaml" {
		t.Fatalf("%+v %+v", a, b)
	}
	set, err := st.Load(a.List.Digest)
	if err != nil || set.Len() != 1 || !slices.Equal(set.Digests(), []string{a.List.Digest}) {
		t.Fatalf("%v %v", set.Digests(), err)
	}
	if _, err := st.Load("sha256:00"); errs.Is(err) != errs.NotExist {
		t.Errorf("unknown list: %v", err)
	}
	path := filepath.Join(st.Dir, strings.TrimPrefix(a.List.Digest, "sha256:")+".labels")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), "exchange", "merchant", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Load(); errs.Is(err) != errs.Corrupt {
		t.Errorf("changed file: %v", err)
	}
}
