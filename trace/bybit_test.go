package trace_test

import (
	"context"
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
	"bongsu/trace"
)

const bybitData = "../data/bybit-2025/"

// bybit reads one of the Bybit files.
func bybit(t *testing.T, name string) []chain.Transfer {
	t.Helper()
	f, err := os.Open(bybitData + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	reg := chain.NewRegistry()
	var out []chain.Transfer
	for _, r := range rows[1:] {
		kind, err := chain.ParseKind(r[6])
		if err != nil {
			t.Fatal(err)
		}
		tr := chain.Transfer{
			Chain: chain.Ethereum, Block: chain.NoBlock, Index: chain.NoIndex, Ordinal: chain.NoOrdinal, Kind: kind,
			From: account(t, r[2]), To: account(t, r[3]), Asset: chain.Ethereum.Native(),
		}
		if r[7] != "" {
			tr.Asset = chain.Token(account(t, r[7]))
		}
		info, ok := reg.Info(tr.Asset)
		if !ok {
			t.Fatal("unknown asset", tr.Asset)
		}
		if tr.Amount, err = chain.ParseDecimal(r[4], info.Decimals); err != nil {
			t.Fatal(err)
		}
		if tr.Time, err = chain.ParseTime(r[1]); err != nil {
			t.Fatal(err)
		}
		if tr.Tx, err = chain.ParseTxID(r[0], chain.Ethereum); err != nil {
			t.Fatal(err)
		}
		if r[8] != "" {
			if tr.Block, err = strconv.ParseUint(r[8], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, tr)
	}
	return out
}

func account(t testing.TB, s string) chain.Account {
	t.Helper()
	a, err := chain.ParseAccount(s, chain.Ethereum)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func reader(t testing.TB, transfers []chain.Transfer) ledger.Reader {
	t.Helper()
	r, err := model.Of(transfers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func follow(t testing.TB, r ledger.Reader, req trace.Request) *trace.Run {
	t.Helper()
	run, err := trace.Follow(context.Background(), r, nil, req)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestBybit(t *testing.T) {
	theft, hop := bybit(t, "theft.csv"), bybit(t, "hop1.csv")
	r := reader(t, append(theft, hop...))
	run := follow(t, r, trace.Request{Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}})
	res := run.Result
	if res.Accounts != 43 || res.Transfers != 43 || len(res.Holdings) != 42 || !res.Conserved {
		t.Fatalf("accounts %d transfers %d holdings %d conserved %v", res.Accounts, res.Transfers, len(res.Holdings), res.Conserved)
	}
	fbi := fbiList(t)
	of := map[string]int{}
	var unlisted []string
	for _, h := range res.Holdings {
		of[h.Amount.Amount+" "+string(h.Basis)+" "+string(h.Rule)]++
		if !fbi[h.Account] {
			unlisted = append(unlisted, h.Account.Address()[:10])
		}
	}
	want := map[string]int{"10000 observed ": 40, "1345.768858404671846374 observed ": 1, "1 inferred known-first": 1}
	for k, n := range want {
		if of[k] != n {
			t.Errorf("%d holdings of %q, want %d (all: %v)", of[k], k, n, of)
		}
	}
	if got := strings.Join(unlisted, " "); got != "0x36ed3c02 0x47666fab" {
		t.Errorf("not on the FBI's list: %s", got)
	}
	if len(res.Incomplete) != 1 {
		t.Fatalf("incomplete: %+v", res.Incomplete)
	}
	inc := res.Incomplete[0]
	if !strings.HasPrefix(inc.Account.Address(), "0xa4b2fd68") || inc.Spent.Amount != "98048.7948" || inc.Known.Amount != "1" || inc.Missing.Amount != "98047.7948" {
		t.Errorf("incomplete: %+v", inc)
	}
	if len(res.Exits)+len(res.Unfollowed)+len(res.Fees)+len(res.Adjustments)+len(res.Collided) != 0 {
		t.Errorf("unexpected ends: %+v", res)
	}
	if err := res.Verify(); err != nil {
		t.Error(err)
	}
}

func fbiList(t *testing.T) map[chain.Account]bool {
	t.Helper()
	raw, err := os.ReadFile(bybitData + "fbi-51.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[chain.Account]bool{}
	for _, line := range strings.Fields(string(raw)) {
		out[account(t, line)] = true
	}
	return out
}

// The digest does not depend on the order in which facts were imported.
func TestBybitAnyOrder(t *testing.T) {
	theft, hop := bybit(t, "theft.csv"), bybit(t, "hop1.csv")
	all := append(append([]chain.Transfer{}, theft...), hop...)
	req := trace.Request{Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}}
	want := follow(t, reader(t, all), req).Result.Digest
	for i := range all {
		turned := append(append([]chain.Transfer{}, all[i:]...), all[:i]...)
		if got := follow(t, reader(t, turned), req).Result.Digest; got != want {
			t.Fatalf("imported from row %d on: digest %s, want %s", i, got, want)
		}
	}
}
