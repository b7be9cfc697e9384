package tables_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/data"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
	"bongsu/ingest/tables"
)

// imported runs an import of named texts, written to files, into store.
func imported(t *testing.T, store *ingesttest.Store, opts ingest.Options, files ...string) (ingest.Report, error) {
	t.Helper()
	var sources []ingest.Source
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, ingest.Source{Name: name})
	}
	opts.Formats = tables.Formats()
	return ingest.Run(context.Background(), store, sources, opts)
}

// held lists what a store holds as rows of our own CSV.
func held(t *testing.T, store *ingesttest.Store) []string {
	t.Helper()
	list, err := store.Transfers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range list {
		out = append(out, strings.TrimSuffix(string(tables.AppendOwn(nil, &list[i], chain.AssetInfo{}, true)), ",\n"))
	}
	return out
}

// TestColumnTwice: of two columns of one name nobody knows which is meant.
func TestColumnTwice(t *testing.T) {
	for name, file := range map[string]string{
		"own.csv": strings.Replace(tables.OwnHeader, "block", "time", 1) + "\n",
		"tt.csv":  "token_address,from_address,to_address,value,value,transaction_hash,log_index,block_number\n",
	} {
		var store ingesttest.Store
		_, err := imported(t, &store, ingest.Options{}, name, file)
		if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "the header has two columns") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var store ingesttest.Store
	if _, err := imported(t, &store, ingest.Options{}, "more.csv", tables.OwnHeader+",note,note\n"); err != nil {
		t.Error(err)
	}
}

// rejected reads a rejects file: line, column and reason of each row.
func rejected(t *testing.T, rep ingest.Report) (rows [][]string) {
	t.Helper()
	for _, s := range rep.Sources {
		if s.RejectsFile == "" {
			continue
		}
		b, err := os.ReadFile(s.RejectsFile)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(bytes.NewReader(b))
		r.FieldsPerRecord = -1
		all, err := r.ReadAll()
		if err != nil {
			t.Fatalf("the rejects file is no CSV: %v\n%s", err, b)
		}
		if strings.Join(all[0][:3], ",") != "line,column,reason" {
			t.Fatalf("header of the rejects: %q", all[0])
		}
		rows = append(rows, all[1:]...)
	}
	return rows
}

const (
	alice = "0x47666fab8bd0ac7003bce3f5c3585383f09486e2"
	bob   = "0xa4b2fd68593b6f34e51cb9edb66e71c1b4ab449e"
	tx1   = "0xdd5cd734d4d67ff5af7e53cdd72c26d4d7d28d08c8f0ff32d12ab3e2a277e4bc"
	tx2   = "0x0359814b48479156b804c8330878214943204c597d88affcb164d04907fa2b25"
	steth = "0xae7ab96520de3a18e5e111b5eaab095312d7fe84"
)

func TestBybit(t *testing.T) {
	var store ingesttest.Store
	for range 2 { // the second time adds nothing
		var files []string
		for _, name := range []string{"hop1.csv", "theft.csv"} {
			b, err := data.Files.ReadFile("bybit-2025/" + name)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, name, string(b))
		}
		rep, err := imported(t, &store, ingest.Options{}, files...)
		if err != nil {
			t.Fatal(err)
		}
		if rep.Rows != 50 || rep.Rejects != 0 || rep.Sources[0].Format != "bybit-2025" {
			t.Fatalf("report: %+v", rep)
		}
	}
	list, err := store.Transfers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 50 {
		t.Fatalf("%d transfers, want 50", len(list))
	}
	sums := map[chain.Asset]chain.Amount{}
	inferred := 0
	for _, tr := range list {
		if tr.BlockInferred {
			inferred++
		}
		sums[tr.Asset] = sums[tr.Asset].MustAdd(tr.Amount)
	}
	if inferred != 3 {
		t.Errorf("%d rows without a block of their own, want 3", inferred)
	}
	eth, steth := chain.Ethereum.Native(), chain.Asset("eip155:1/erc20:"+steth)
	if got := sums[eth].Decimal(18); got != "899396.563658404671846374" {
		t.Errorf("ETH moved: %s", got)
	}
	if got := sums[steth].Decimal(18); got != "90375.54791768" {
		t.Errorf("stETH moved: %s", got)
	}
}

func TestOwnRows(t *testing.T) {
	head := tables.OwnHeader + "\n"
	for _, c := range []struct {
		name, file, chain string
		want              string // the one row held, or
		column, reason    string // why it is rejected
	}{
		{
			name: "native", file: head + "eip155:1,2025-02-21 14:29:47,21895319," + tx1 + ",3,native," + alice + "," + bob + ",eip155:1/slip44:60,1.5\n",
			want: "eip155:1,2025-02-21T14:29:47Z,21895319," + tx1 + ",3,native," + alice + "," + bob + ",eip155:1/slip44:60,1500000000000000000,",
		},
		{
			name: "columns in another order, chain by option", chain: "ethereum", file: "amount,asset,to,from,kind,tx,time\n0.000000000000000001,ETH," + bob + "," + alice + ",native," + tx1 + ",2025-02-21T14:29:47Z\n",
			want: "eip155:1,2025-02-21T14:29:47Z,," + tx1 + ",,native," + alice + "," + bob + ",eip155:1/slip44:60,1,",
		},
		{
			name: "token by contract, mixed case", file: head + "ethereum,2025-02-21T14:29:47Z,7," + tx1 + ",,token," + alice + "," + bob + ",0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84,2\n",
			want: "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,token," + alice + "," + bob + ",eip155:1/erc20:" + steth + ",2000000000000000000,",
		},
		{
			name: "decimals by the row", file: "chain,time,block,tx,kind,from,to,asset,amount,decimals,symbol\neip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",token," + alice + "," + bob + "," + bob + ",2.5,1,XX\n",
			want: "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,token," + alice + "," + bob + ",eip155:1/erc20:" + bob + ",25,",
		},
		{
			name: "mint", file: head + "eip155:1,,7," + tx1 + ",,token,0x0000000000000000000000000000000000000000," + bob + ",stETH,1\n",
			want: "eip155:1,,7," + tx1 + ",,token,," + bob + ",eip155:1/erc20:" + steth + ",1000000000000000000,",
		},
		{
			name: "unknown decimals", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,token," + alice + "," + bob + "," + bob + ",2\n",
			column: "asset", reason: "its decimals are not known",
		},
		{
			name: "unknown symbol", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,token," + alice + "," + bob + ",FAKE,2\n",
			column: "asset", reason: "symbol of no asset",
		},
		{
			name: "no chain", file: head + ",2025-02-21T14:29:47Z,7," + tx1 + ",,token," + alice + "," + bob + ",ETH,2\n",
			column: "chain", reason: "--chain",
		},
		{
			name: "damaged address", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native," + alice + "f," + bob + ",ETH,2\n",
			column: "from", reason: "40 hexadecimal digits",
		},
		{
			name: "wrong checksum", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native,0x47666Fab8bd0Ac7003bce3f5C3585383F09486e2," + bob + ",ETH,2\n",
			column: "from", reason: "EIP-55",
		},
		{
			name: "other chain", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native,eip155:56:" + alice + "," + bob + ",ETH,2\n",
			column: "from", reason: "is on chain eip155:56",
		},
		{
			name: "too many decimals", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native," + alice + "," + bob + ",ETH,0.0000000000000000001\n",
			column: "amount", reason: "more decimals",
		},
		{
			name: "negative", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native," + alice + "," + bob + ",ETH,-1\n",
			column: "amount", reason: "not a decimal",
		},
		{
			name: "kind and asset", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native," + alice + "," + bob + ",stETH,1\n",
			column: "asset", reason: "kind token",
		},
		{
			name: "no place", file: head + "eip155:1,,," + tx1 + ",,native," + alice + "," + bob + ",ETH,1\n",
			column: "time", reason: "neither time nor block",
		},
		{
			name: "truncated", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native," + alice + "," + bob,
			reason: "cut off",
		},
		{
			name: "truncated in a quote", file: head + "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native," + alice + "," + bob + ",\"ETH,1",
			reason: "cut off",
		},
		{name: "binary", file: head + "\x00\xff\xfe,,,,,,,,,\n", column: "chain", reason: "not a chain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			good := "eip155:1,2025-02-21T14:29:47Z,9," + tx2 + ",,native," + alice + "," + bob + ",eip155:1/slip44:60,1\n"
			opts := ingest.Options{}
			if c.chain != "" {
				opts.Chain, _ = chain.ParseID(c.chain)
			}
			if c.want != "" {
				if _, err := imported(t, &store, opts, "f.csv", c.file); err != nil {
					t.Fatal(err)
				}
				if got := held(t, &store); len(got) != 1 || got[0] != c.want {
					t.Fatalf("held\n%s\nwant\n%s", strings.Join(got, "\n"), c.want)
				}
				return
			}
			// A good row before it goes in all the same.
			file := strings.Replace(c.file, head, head+good, 1)
			rep, err := imported(t, &store, opts, "f.csv", file)
			if errs.Is(err) != errs.Partial {
				t.Fatalf("error %v, want errs.Partial", err)
			}
			rows := rejected(t, rep)
			if len(rows) != 1 || rows[0][0] != "3" || rows[0][1] != c.column || !strings.Contains(rows[0][2], c.reason) {
				t.Fatalf("rejects %q, want line 3, column %q, reason with %q", rows, c.column, c.reason)
			}
			if got := held(t, &store); len(got) != 1 {
				t.Fatalf("held %q, want the good row", got)
			}
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCoinKeepsItsSymbol: a token that bears the coin's symbol takes nothing
// from the rows that the coin moved, and is refused by that symbol alone.
func TestCoinKeepsItsSymbol(t *testing.T) {
	at := "2025-02-21T14:29:47Z,7," + tx1 + ",,"
	file := "chain,time,block,tx,index,kind,from,to,asset,amount,decimals,symbol\n" +
		"eip155:1," + at + "token," + alice + "," + bob + "," + bob + ",1,18,ETH\n" +
		"eip155:1," + at + "native," + alice + "," + bob + ",ETH,2,,\n" +
		"eip155:1," + at + "fee," + alice + ",,ETH,3,,\n" +
		"eip155:1," + at + "token," + alice + "," + bob + ",ETH,4,,\n"
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{}, "f.csv", file)
	if errs.Is(err) != errs.Partial {
		t.Fatal(err)
	}
	if rows := rejected(t, rep); len(rows) != 1 || rows[0][0] != "5" || rows[0][1] != "asset" {
		t.Errorf("rejects %q, want line 5 alone", rows)
	}
	if got := held(t, &store); len(got) != 3 {
		t.Errorf("held %q", got)
	}
}

// TestOtherChains: Tron and Solana come in through our own CSV.
func TestOtherChains(t *testing.T) {
	const (
		tron   = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
		tron2  = "TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL"
		sol    = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
		system = "11111111111111111111111111111111"
		sig    = "1GMkH3brNXiNNs1tiFZHu4yZSRrzJwxi5wB9bHFtMinfCXNnR1adh8Vo8NTheK4evneedH4qmvjeqcBBNAefgS"
		tronTx = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	)
	file := "chain,time,block,tx,index,kind,from,to,asset,amount,decimals\n" +
		"tron,2025-02-21T14:29:47Z,7," + tronTx + ",,native," + tron + "," + tron2 + ",TRX,1.000001,\n" +
		"tron,2025-02-21T14:29:47Z,7," + tronTx + ",,token," + tron2 + "," + tron + ",USDT,12.5,\n" +
		"tron,2025-02-21T14:29:47Z,7," + tronTx + ",,token," + tron2 + "," + tron + "," + tron + ",12.5,\n" +
		"solana,2025-02-21T14:29:47Z,300000000," + sig + ",,native," + sol + "," + system + ",SOL,0.000000001,\n" +
		"solana,2025-02-21T14:29:47Z,300000000," + sig + ",,token," + sol + "," + system + "," + sol + ",5,6\n" +
		"tron,2025-02-21T14:29:47Z,7," + tronTx + ",,native," + tron[:33] + "u," + tron2 + ",TRX,1,\n" +
		"tron,2025-02-21T14:29:47Z,7," + tronTx + ",,native," + sol + "," + tron2 + ",TRX,1,\n" +
		"solana,2025-02-21T14:29:47Z,7," + tronTx + ",,native," + sol + "," + system + ",SOL,1,\n"
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{}, "f.csv", file)
	if errs.Is(err) != errs.Partial {
		t.Fatal(err)
	}
	var where []string
	for _, r := range rejected(t, rep) {
		where = append(where, r[0]+" "+r[1])
	}
	if got := strings.Join(where, ", "); got != "7 from, 8 from, 9 tx" {
		t.Errorf("rejects at %s", got)
	}
	want := []string{
		"tron:0x2b6653dc,2025-02-21T14:29:47Z,7," + tronTx + ",,native," + tron + "," + tron2 + ",tron:0x2b6653dc/slip44:195,1000001,",
		"tron:0x2b6653dc,2025-02-21T14:29:47Z,7," + tronTx + ",,token," + tron2 + "," + tron + ",tron:0x2b6653dc/trc20:" + tron + ",12500000,",
		"tron:0x2b6653dc,2025-02-21T14:29:47Z,7," + tronTx + ",,token," + tron2 + "," + tron + ",tron:0x2b6653dc/trc20:" + tron + ",12500000,",
		"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp,2025-02-21T14:29:47Z,300000000," + sig + ",,native," + sol + "," + system + ",solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501,1,",
		"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp,2025-02-21T14:29:47Z,300000000," + sig + ",,token," + sol + "," + system + ",solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:" + sol + ",5000000,",
	}
	got := held(t, &store)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("held\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDecimals: a token's decimals are learnt from a row or a list, and two that
// disagree are a conflict.
func TestDecimals(t *testing.T) {
	row := "hash,timestamp_utc,from,to,amount,asset,kind,contract,block,decimals\n" + tx1 + ",2025-02-21 14:29:47," + alice + "," + bob + ",2.5,XX,token," + bob + ",7,"
	list := "address,symbol,name,decimals,total_supply,block_number\n" + bob + ",XX,A token,6,,\n"
	for _, c := range []struct {
		name   string
		files  []string
		want   string // the amount in base units, or
		reason string
	}{
		{"of a row", []string{"a.csv", row + "6\n"}, "2500000", ""},
		{"of a list, named last", []string{"a.csv", row + "\n", "tokens.csv", list}, "2500000", ""},
		{"of nothing", []string{"a.csv", row + "\n"}, "", "not known"},
		{"two that disagree", []string{"a.csv", row + "18\n", "tokens.csv", list}, "", "disagree"},
		{"nonsense", []string{"a.csv", row + "300\n"}, "", "not a number of decimals"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			rep, err := imported(t, &store, ingest.Options{}, c.files...)
			if c.reason != "" {
				rows := rejected(t, rep)
				if errs.Is(err) != errs.Partial || len(rows) != 1 || !strings.Contains(rows[0][2], c.reason) {
					t.Fatalf("%v, rejects %q", err, rows)
				}
				return
			}
			list, lerr := store.Transfers(t.Context())
			if err != nil || lerr != nil || len(list) != 1 || list[0].Amount.Base() != c.want {
				t.Fatalf("%v, %v, %+v", err, lerr, list)
			}
		})
	}
}
