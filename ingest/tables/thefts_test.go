package tables_test

import (
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
)

func TestRonin(t *testing.T) {
	var store ingesttest.Store
	for range 2 {
		rep, err := fromFiles(t, &store, ingest.Options{}, "ronin-2022/LazarusTabularTxs1322519.csv")
		if err != nil {
			t.Fatal(err)
		}
		if rep.Rows != 436 || rep.Sources[0].Format != "ronin-2022" {
			t.Fatalf("report %+v", rep)
		}
	}
	list, err := store.Transfers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 436 {
		t.Fatalf("%d transfers, want 436", len(list))
	}
	thief, _ := chain.ParseAccount("0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "")
	sent, to := chain.Amount{}, map[chain.Account]bool{}
	for _, tr := range list {
		if tr.From == thief {
			sent, to[tr.To] = sent.MustAdd(tr.Amount), true
		}
	}
	if got := sent.Decimal(18); got != "182163.95603" || len(to) != 27 {
		t.Errorf("the thief sent %s to %d accounts", got, len(to))
	}
}

func TestNomad(t *testing.T) {
	var store ingesttest.Store
	for range 2 {
		rep, err := fromFiles(t, &store, ingest.Options{}, "nomad-2022/receive_events.json.gz", "nomad-2022/transfer_events.json.gz")
		if err != nil {
			t.Fatal(err)
		}
		if rep.Rows != 1175+156 {
			t.Fatalf("report %+v", rep)
		}
	}
	list, err := store.Transfers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens, receivers, n := map[chain.Asset]chain.Amount{}, map[chain.Account]bool{}, 0
	for _, tr := range list {
		if tr.From.Address() == "0x88a69b4e698a4b090df6cf5bd7b2d47325ad30a3" {
			n++
			tokens[tr.Asset], receivers[tr.To] = tokens[tr.Asset].MustAdd(tr.Amount), true
		}
	}
	if n != 1175 || len(tokens) != 14 || len(receivers) != 561 || len(list) != 1175+156 {
		t.Errorf("%d events, %d tokens, %d receivers, %d transfers", n, len(tokens), len(receivers), len(list))
	}
	if got := tokens["eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"].Base(); got != wantNomadUSDC {
		t.Errorf("USDC: %s, want %s", got, wantNomadUSDC)
	}
}

func TestBrokenList(t *testing.T) {
	item := `{"event":"receive","emittedAt":"ethereum","transactionHash":"` + tx1 + `","blockNumber":7,"transactionIndex":0,` +
		`"tokenAddress":"` + steth + `","tokenRecipient":"` + bob + `","amount":"5"}`
	for _, c := range []struct{ name, file, why string }{
		{"cut off", `[` + item + `,` + item[:40], "cut off"},
		{"no end", `[` + item + `,` + item, "cut off"},
		{"not JSON", `[` + item + `,}`, "not well-formed"},
		{"duplicate key", `[` + item + `,{"event":"receive","event":"receive"}]`, "duplicate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			_, err := imported(t, &store, ingest.Options{}, "events.json", c.file)
			if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), c.why) {
				t.Fatalf("error %v, want %q", err, c.why)
			}
			if got := held(t, &store); len(got) == 0 {
				t.Fatal("the items before the damage are lost")
			}
		})
	}
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{}, "events.json", `[`+item+`,`+strings.Replace(item, `"5"`, `"-5"`, 1)+`]`)
	rows := rejected(t, rep)
	if errs.Is(err) != errs.Partial || len(rows) != 1 || rows[0][0] != "2" || rows[0][1] != "amount" {
		t.Fatalf("error %v, rejects %q", err, rows)
	}
	if got := held(t, &store); !slices.Equal(got, []string{"eip155:1,,7," + tx1 + ",0,token,0x88a69b4e698a4b090df6cf5bd7b2d47325ad30a3," + bob + ",eip155:1/erc20:" + steth + ",5,"}) {
		t.Fatalf("held %q", got)
	}
}
