package tables_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
	"bongsu/ingest/tables"
	"bongsu/ledger"

	"pgregory.net/rapid"
)

// pattern gives out a text again and again, n bytes in all.
func pattern(text string, n int64) io.Reader {
	return io.LimitReader(&repeated{text: text}, n)
}

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c := copy(p[n:], r.text[r.at:])
		n += c
		r.at = (r.at + c) % len(r.text)
	}
	return n, nil
}

// TestHostile: a file made to crash or to exhaust does neither. Each case may
// hold little memory whatever the file's size.
func TestHostile(t *testing.T) {
	const mega = 1 << 20
	own, etl := tables.OwnHeader+"\n", "token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n"
	good := "eip155:1,2025-02-21T14:29:47Z,9," + tx2 + ",,native," + alice + "," + bob + ",eip155:1/slip44:60,1\n"
	for _, c := range []struct {
		name string
		in   io.Reader
		kind errs.Kind
		good int
	}{
		{"a line of 10 MB", io.MultiReader(strings.NewReader(own+good), pattern("x", 10*mega), strings.NewReader("\n"+good)), errs.Partial, 1},
		{"a line of 40 MB", io.MultiReader(strings.NewReader(own+good), pattern("x", 40*mega), strings.NewReader("\n"+good)), errs.Partial, 1},
		{"a field of 10 MB", io.MultiReader(strings.NewReader(own+good+"eip155:1,2025-02-21T14:29:47Z,9,"), pattern("0", 10*mega), strings.NewReader(",,native,,,,\n")), errs.Partial, 1},
		{"a million columns", io.MultiReader(strings.NewReader(own+good), pattern(",", mega), strings.NewReader("\n"+good)), errs.Partial, 1},
		{"a million columns in the header", io.MultiReader(strings.NewReader(own[:10]), pattern(",", mega)), errs.Invalid, 0},
		{"quotes never closed", io.MultiReader(strings.NewReader(own+good), pattern("\"x\n", 100_000)), errs.Partial, 1},
		{"quotes in quotes", io.MultiReader(strings.NewReader(own+good), pattern("\"\"\"x,\n", 100_000)), errs.Partial, 1},
		{"noise after the header", io.MultiReader(strings.NewReader(etl), pattern("\x00\xff\xfe\x80,\"\n", 100_000)), errs.Partial, 0},
		{"noise", pattern("\x7fELF\x00\x01\x02", mega), errs.Invalid, 0},
		{"a JSON string without end", io.MultiReader(strings.NewReader(`[{"event":"receive","emittedAt":"ethereum","transactionHash":"x","blockNumber":1},"`), pattern("x", 100*mega)), errs.Invalid, 0},
		{"JSON nested deep", io.MultiReader(strings.NewReader(`[{"event":"receive","emittedAt":"ethereum","transactionHash":"x","blockNumber":1},`), pattern("[", 10*mega)), errs.Invalid, 0},
		{"JSON lines nested deep", io.MultiReader(strings.NewReader(`{"type":"block","number":1,"timestamp":1,"hash":null,"parent_hash":null}`+"\n"+`{"type":"block","number":`), pattern("[", 10*mega)), errs.Partial, 0},
		{"JSON numbers beyond any", strings.NewReader(`{"type":"block","number":1e99999999,"timestamp":1,"hash":null,"parent_hash":null}` + "\n" + `{"type":"block","number":1,"timestamp":1,"hash":null,"parent_hash":null}` + "\n"), errs.Partial, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			rep, err := ingest.Run(t.Context(), &store, []ingest.Source{{Name: "hostile", From: c.in}},
				ingest.Options{Formats: tables.Formats(), Rejects: filepath.Join(t.TempDir(), "r.csv")})
			runtime.ReadMemStats(&after)
			if errs.Is(err) != c.kind {
				t.Fatalf("error %v (%v), want kind %v; %+v", err, errs.Is(err), c.kind, rep)
			}
			if got := len(held(t, &store)); got != c.good {
				t.Errorf("%d transfers, want %d", got, c.good)
			}
			if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 250*mega {
				t.Errorf("%d MB were allocated", grown/mega)
			}
		})
	}
}

// TestBomb: a small file that expands without end is given up.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.Copy(z, io.MultiReader(strings.NewReader(tables.OwnHeader+"\n"), pattern(" ", 70<<20))); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	var store ingesttest.Store
	_, err := ingest.Run(t.Context(), &store, []ingest.Source{{Name: "bomb", From: &b}},
		ingest.Options{Formats: tables.Formats(), Rejects: filepath.Join(t.TempDir(), "r.csv")})
	if errs.Is(err) != errs.Limit || !strings.Contains(err.Error(), "decompresses to far more") {
		t.Fatal(err)
	}
	// A file of nothing but bad rows is given up too.
	_, err = ingest.Run(t.Context(), &store, []ingest.Source{{Name: "bad", From: io.MultiReader(strings.NewReader(tables.OwnHeader+"\n"), pattern("x\n", 1<<20))}},
		ingest.Options{Formats: tables.Formats(), Rejects: filepath.Join(t.TempDir(), "r.csv"), Limits: ingest.Limits{Rejects: 1000}})
	if errs.Is(err) != errs.Limit || !strings.Contains(err.Error(), "1000 rows were rejected") {
		t.Fatal(err)
	}
}

// checked is a store that holds every fact against its own rules.
type checked struct {
	nothing
	t *testing.T
}

func (c checked) Add(f *ledger.Facts) error {
	for i := range f.Transfers {
		tr := &f.Transfers[i]
		switch {
		case tr.Chain == "" || tr.Asset == "" || tr.Asset.Chain() != tr.Chain,
			!tr.From.IsZero() && tr.From.Chain() != tr.Chain, !tr.To.IsZero() && tr.To.Chain() != tr.Chain,
			tr.From.IsZero() && tr.To.IsZero() && tr.Kind != chain.KindToken,
			tr.Block == chain.NoBlock && tr.Time == 0,
			tr.Tx.IsZero() && tr.Time == 0 && tr.Block != 0,
			tr.Kind == chain.KindNone || tr.Kind.String() == "?":
			c.t.Errorf("not a transfer: %+v", tr)
		}
		if a, err := chain.ParseAsset(string(tr.Asset)); err != nil || a != tr.Asset {
			c.t.Errorf("not an asset: %s: %v", tr.Asset, err)
		}
	}
	return nil
}

func (c checked) Begin(context.Context, string) (ingest.Import, error) { return c, nil }

// FuzzImport reads anything as anything: no crash, an error of a known kind,
// and nothing stated that is not a transfer.
func FuzzImport(f *testing.F) {
	formats := tables.Formats()
	seeds := map[string]string{
		"bongsu-csv":                   tables.OwnHeader + "\neip155:1,2025-02-21T14:29:47Z,9," + tx2 + ",,native," + alice + "," + bob + ",ETH,1\n",
		"bybit-2025":                   "hash,timestamp_utc,from,to,amount,asset,kind,contract,block\n" + tx1 + ",2025-02-21 14:29:47," + alice + "," + bob + ",1.0,ETH,native,,7\n",
		"ronin-2022":                   "block_time,from,to,total_eth\n2022-03-29T21:41:18+00:00,\\x" + alice[2:] + ",\\x" + bob[2:] + ",1e-05\n",
		"nomad-2022":                   `[{"event":"receive","emittedAt":"ethereum","transactionHash":"` + tx1 + `","blockNumber":7,"tokenAddress":"` + steth + `","tokenRecipient":"` + bob + `","amount":"5"}]`,
		"explorer-transactions":        newNormal + "\n\"" + tx1 + `","1","1740148187","2025-02-21 14:29:47","` + alice + `","` + bob + `","","1,234.5","0","1","0.1","1","1","","",""` + "\n",
		"explorer-internal":            newInternal + "\n\"" + tx1 + `","1","1740148187","2025-02-21 14:29:47","` + alice + `","` + bob + `","0","` + alice + `","` + bob + `","","1.5","0","1","1","0","","call"` + "\n",
		"explorer-erc20":               newERC20 + "\n\"" + tx1 + `","1","1740148187","2025-02-21 14:29:47","` + alice + `","` + bob + `","1.5","N/A","` + steth + `","x","stETH"` + "\n",
		"blockscout-transactions":      scoutNormal + "\n" + tx1 + ",1,2025-02-21 14:29:47.000000Z," + alice + "," + bob + ",,OUT,5,7,ok,,,,,\n",
		"blockscout-internal":          scoutInternal + "\n" + tx1 + ",2,1,0xb,0,3,2025-02-21 14:29:47.000000Z," + alice + "," + bob + ",,call,call,1,1,5,0x,0x,,9\n",
		"blockscout-tokens":            scoutTokens + "\n" + tx1 + ",1,2025-02-21 14:29:47.000000Z," + alice + "," + bob + "," + steth + ",IN,6,stETH,6,15,4,ok,\n",
		"ethereum-etl-token-transfers": "token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n" + steth + "," + alice + "," + bob + ",1," + tx1 + ",0,7\n",
		"ethereum-etl-traces":          "block_number,transaction_hash,transaction_index,from_address,to_address,value,trace_type,call_type,reward_type,trace_address,error,status\n7," + tx1 + ",0," + alice + "," + bob + ",5,call,call,,,,1\n7," + tx1 + ",0," + bob + "," + alice + ",5,call,call,,0,,1\n",
		"ethereum-etl-transactions":    "hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,receipt_gas_used,receipt_status\n" + tx1 + ",7,0," + alice + "," + bob + ",5,21000,9,21000,1\n",
		"ethereum-etl-logs":            "log_index,transaction_hash,transaction_index,block_number,address,data,topics\n0," + tx1 + ",0,7," + steth + ",0x" + strings.Repeat("0", 63) + "5,\"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef,0x" + strings.Repeat("0", 63) + "1,0x" + strings.Repeat("0", 63) + "2\"\n",
		"ethereum-etl-json":            `{"type":"block","number":7,"timestamp":5,"hash":null,"parent_hash":null,"withdrawals":[{"index":1,"address":"` + alice + `","amount":5}]}` + "\n",
		"ethereum-etl-blocks":          "number,timestamp,hash,parent_hash,withdrawals\n7,5,,,\"{\"\"address\"\":\"\"" + alice + "\"\",\"\"amount\"\":5}\"\n",
		"parquet":                      "PAR1\x00\x00PAR1",
	}
	for i := range formats {
		f.Add(uint8(i), []byte(seeds[formats[i].Name]))
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		o := ingest.Options{
			Formats: formats, Format: formats[int(which)%len(formats)].Name, Rejects: filepath.Join(t.TempDir(), "r.csv"),
			KeepCall: func([4]byte) bool { return true }, KeepLog: func([32]byte) bool { return true },
		}
		if strings.HasPrefix(o.Format, "blockscout") { // its files do not tell
			o.Chain = chain.Ethereum
		}
		_, err := ingest.Run(t.Context(), checked{t: t}, []ingest.Source{{Name: "fuzz", From: bytes.NewReader(data)}}, o)
		switch errs.Is(err) {
		case errs.Partial, errs.Invalid, errs.Limit, errs.Usage:
		default:
			if err != nil {
				t.Fatalf("%v (%v)", err, errs.Is(err))
			}
		}
		o.Format = ""
		if _, err := ingest.Run(t.Context(), checked{t: t}, []ingest.Source{{Name: "fuzz", From: bytes.NewReader(data)}}, o); errs.Is(err) == errs.Other && err != nil {
			t.Fatal(err)
		}
	})
}

// TestOwnRoundTrip: what AppendOwn writes is read back as the same transfer.
func TestOwnRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := func(name string) chain.Account {
			return chain.EVM(chain.Ethereum, [20]byte(rapid.SliceOfN(rapid.ByteRange(1, 255), 20, 20).Draw(t, name)))
		}
		steth, _ := chain.ParseAsset("eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84")
		kinds := []chain.Kind{chain.KindFee, chain.KindNative, chain.KindInternal, chain.KindToken, chain.KindAdjustment}
		tr := chain.Transfer{
			Chain: chain.Ethereum, Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), From: addr("from"), Asset: chain.Ethereum.Native(),
			Time: chain.Time(rapid.Int64Range(1, 4e12).Draw(t, "ms")), Amount: chain.Units(rapid.Uint64().Draw(t, "amount")),
			Block:   rapid.OneOf(rapid.Just(chain.NoBlock), rapid.Uint64Range(0, 1<<40)).Draw(t, "block"),
			Index:   rapid.OneOf(rapid.Just(chain.NoIndex), rapid.Uint32Range(0, 1<<20)).Draw(t, "index"),
			Ordinal: rapid.OneOf(rapid.Just(chain.NoOrdinal), rapid.Uint32Range(0, 1<<20)).Draw(t, "ordinal"),
		}
		tr.Tx, _ = chain.NewTxID(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "tx"))
		switch tr.Kind {
		case chain.KindToken:
			tr.Asset, tr.To = steth, addr("to")
		case chain.KindNative, chain.KindInternal:
			tr.To = addr("to")
		}
		if rapid.Bool().Draw(t, "unknown token") && tr.Kind == chain.KindToken {
			tr.Asset = chain.Token(addr("contract"))
		}
		info, known := chain.NewRegistry().Info(tr.Asset)
		file := tables.ExportHeader + "\n" + string(tables.AppendOwn(nil, &tr, info, known))
		var got collected
		_, err := ingest.Run(context.Background(), &got, []ingest.Source{{Name: "x", From: strings.NewReader(file)}}, ingest.Options{Formats: tables.Formats()})
		if err != nil || len(got.list) != 1 || got.list[0] != tr {
			t.Fatalf("%v\n%s%+v\n%+v", err, file, got.list, tr)
		}
	})
}
