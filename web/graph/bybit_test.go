package graph_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/data"
	"bongsu/web/graph"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files of testdata anew")

// bybit is the published first hops of a real theft as a FIFO trace of the ETH
// sees them: every outgoing ETH transfer of the exploit account carries stolen
// ETH whole, and of what 0xA4B2.. sends on only the 1 ETH that is known.
func bybit(t *testing.T) graph.Input {
	t.Helper()
	assets := chain.NewRegistry()
	eth := chain.Ethereum.Native()
	in := graph.Input{Assets: assets}
	held := map[chain.Account]chain.Amount{}
	since := map[chain.Account]chain.Time{}
	var swapper chain.Account
	add := func(row []string, amount chain.Amount, inferred bool) {
		at, err := chain.ParseTime(row[1])
		if err != nil {
			t.Fatal(err)
		}
		f := graph.Flow{
			From: account(t, row[2]), To: account(t, row[3]), Tx: row[0], Time: at,
			Money: chain.Money{Asset: eth, Amount: amount}, Inferred: inferred,
		}
		if inferred {
			f.Rule = "known-first"
		}
		in.Flows = append(in.Flows, f)
		held[f.To] = held[f.To].MustAdd(amount)
		if since[f.To] == 0 {
			since[f.To] = at
		}
		if left, ok := held[f.From]; ok {
			held[f.From] = left.MustSub(amount)
		}
	}
	for _, row := range rows(t, "bybit-2025/theft.csv") {
		add(row, amount(t, row[4]), false)
		in.Sources = append(in.Sources, account(t, row[2]))
	}
	sent := rows(t, "bybit-2025/hop1.csv")
	slices.SortStableFunc(sent, func(a, b []string) int { return bytes.Compare([]byte(a[1]), []byte(b[1])) })
	for _, row := range sent {
		switch known := chain.Units(1e18); {
		case row[5] != "ETH":
		case row[3][:6] == "0xa4b2":
			swapper = account(t, row[3])
			add(row, amount(t, row[4]), false)
		case row[2][:6] == "0xa4b2" && !held[swapper].IsZero():
			add(row, known, true)
		case row[2][:6] != "0xa4b2":
			add(row, amount(t, row[4]), false)
		}
	}
	for a, left := range held {
		switch {
		case a == swapper:
			in.Accounts = append(in.Accounts, graph.Account{Account: a, Kind: graph.Incomplete})
		case !left.IsZero():
			m := []chain.Money{{Asset: eth, Amount: left}}
			in.Accounts = append(in.Accounts, graph.Account{Account: a, Kind: graph.Holding, Amounts: m, Origin: m, Since: since[a]})
		}
	}
	exploit := account(t, "0x47666fab8bd0ac7003bce3f5c3585383f09486e2")
	for i := range in.Accounts {
		if in.Accounts[i].Account == exploit {
			in.Accounts[i].Label, in.Accounts[i].LabelSource = "Bybit Exploiter", "public record"
		}
	}
	for _, s := range in.Sources {
		in.Accounts = append(in.Accounts, graph.Account{Account: s, Kind: graph.Source, Label: "Bybit cold wallet", LabelSource: "public record"})
	}
	return in
}

func rows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := data.Files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
}

func account(t *testing.T, s string) chain.Account {
	t.Helper()
	a, err := chain.ParseAccount(s, chain.Ethereum)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func amount(t *testing.T, s string) chain.Amount {
	t.Helper()
	a, err := chain.ParseDecimal(s, 18)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestBybit compares the layout of the real theft with the golden files, which
// the pages' own tests draw.
func TestBybit(t *testing.T) {
	in := bybit(t)
	for _, axis := range []graph.Axis{graph.ByHops, graph.ByTime} {
		g := graph.Layout(in, axis)
		got, err := json.MarshalIndent(g, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", "bybit-"+string(axis)+".json")
		if *rewrite {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(append(got, '\n'), want) {
			t.Errorf("%s differs from the layout; look at the picture, then run go test ./web/graph -rewrite", name)
		}
		if len(g.Nodes) != 44 || len(g.Edges) != 43 {
			t.Errorf("%s: %d nodes and %d edges, want 44 and 43", axis, len(g.Nodes), len(g.Edges))
		}
		if len(g.Fans) != 1 || len(g.Fans[0].Nodes) != 40 || g.Fans[0].Amount.Amount != "10000" {
			t.Errorf("%s: fans %+v, want one of 40 x 10000", axis, g.Fans)
		}
	}
}
