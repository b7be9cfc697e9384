package tables_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
	"bongsu/ingest/tables"
	"bongsu/ledger"
)

// fromFiles imports files of testdata; rejects go to a temporary folder.
func fromFiles(t *testing.T, store *ingesttest.Store, opts ingest.Options, names ...string) (ingest.Report, error) {
	t.Helper()
	var sources []ingest.Source
	dir := t.TempDir()
	for _, n := range names {
		copied := filepath.Join(dir, strings.ReplaceAll(n, "/", "_"))
		copyFile(t, filepath.Join("testdata", n), copied)
		sources = append(sources, ingest.Source{Name: copied})
	}
	opts.Formats = tables.Formats()
	return ingest.Run(context.Background(), store, sources, opts)
}

// moved is the sum of what a store holds of each kind and asset, in base units.
func moved(t *testing.T, store *ingesttest.Store) (count map[chain.Kind]int, sums map[chain.Kind]chain.Amount) {
	t.Helper()
	list, err := store.Transfers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	count, sums = map[chain.Kind]int{}, map[chain.Kind]chain.Amount{}
	for _, tr := range list {
		count[tr.Kind]++
		if tr.Asset == chain.Ethereum.Native() {
			sums[tr.Kind] = sums[tr.Kind].MustAdd(tr.Amount)
		}
	}
	return count, sums
}

func TestETLBlock(t *testing.T) {
	want := []string{
		"eip155:1,2015-11-03T14:44:40Z,483920,0x04cbcb236043d8fb7839e07bbc7f5eed692fb2ca55d897f1101eac3e3ad4fab8,0,fee,0x1b63142628311395ceafeea5667e7c9026c862ca,,eip155:1/slip44:60,2542650000000000,0",
		"eip155:1,2015-11-03T14:44:40Z,483920,0x04cbcb236043d8fb7839e07bbc7f5eed692fb2ca55d897f1101eac3e3ad4fab8,0,token,0x1b63142628311395ceafeea5667e7c9026c862ca,0xac4df82fe37ea2187bc8c011a23d743b4f39019a,eip155:1/erc20:0xf4eced2f682ce333f96f2d8966c613ded8fc95dd,100000,0",
		"eip155:1,2015-11-03T14:44:40Z,483920,0xcea6f89720cc1d2f46cc7a935463ae0b99dd5fad9c91bb7357de5421511cee49,1,fee,0x9b22a80d5c7b3374a05b446081f97d0a34079e7f,,eip155:1/slip44:60,2542650000000000,0",
		"eip155:1,2015-11-03T14:44:40Z,483920,0xcea6f89720cc1d2f46cc7a935463ae0b99dd5fad9c91bb7357de5421511cee49,1,token,0x9b22a80d5c7b3374a05b446081f97d0a34079e7f,0x66f183060253cfbe45beff1e6e7ebbe318c81e56,eip155:1/erc20:0xf4eced2f682ce333f96f2d8966c613ded8fc95dd,200000,1",
		"eip155:1,2015-11-03T14:44:40Z,483920,0x463d53f0ad57677a3b430a007c1c31d15d62c37fab5eee598551697c297c235c,2,fee,0x9df428a91ff0f3635c8f0ce752933b9788926804,,eip155:1/slip44:60,1050000000000000,0",
		"eip155:1,2015-11-03T14:44:40Z,483920,0x463d53f0ad57677a3b430a007c1c31d15d62c37fab5eee598551697c297c235c,2,native,0x9df428a91ff0f3635c8f0ce752933b9788926804,0x9e669f970ec0f49bb735f20799a7e7c4a1c274e2,eip155:1/slip44:60,11000440000000000,0",
		"eip155:1,2015-11-03T14:44:40Z,483920,0x05287a561f218418892ab053adfb3d919860988b19458c570c5c30f51c146f02,3,fee,0x2a65aca4d5fc5b5c859090a6c34d164135398226,,eip155:1/slip44:60,1050000000000000,0",
		"eip155:1,2015-11-03T14:44:40Z,483920,0x05287a561f218418892ab053adfb3d919860988b19458c570c5c30f51c146f02,3,native,0x2a65aca4d5fc5b5c859090a6c34d164135398226,0x743b8aeedc163c0e3a0fe9f3910d146c48e70da8,eip155:1/slip44:60,1530219620000000000,0",
	}
	const dir = "ethereum-etl/block_483920/"
	for name, files := range map[string][]string{
		"all":               {"blocks.csv", "transactions.csv", "receipts.csv", "token_transfers.csv", "logs.csv"},
		"receipts first":    {"receipts.csv", "logs.csv", "transactions.csv"},
		"receipts as JSON":  {"transactions.csv", "receipts.json", "logs.json"},
		"tokens, no blocks": {"token_transfers.csv", "transactions.csv", "receipts.json"},
	} {
		t.Run(name, func(t *testing.T) {
			var store ingesttest.Store
			for i := range files {
				files[i] = dir + strings.TrimPrefix(files[i], dir)
			}
			for range 2 {
				if _, err := fromFiles(t, &store, ingest.Options{}, files...); err != nil {
					t.Fatal(err)
				}
			}
			if got := held(t, &store); !slices.Equal(got, want) {
				t.Fatalf("held\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestTransactionsAlone: without its receipt nothing says whether a transaction
// failed, so its value is refused.
func TestTransactionsAlone(t *testing.T) {
	var store ingesttest.Store
	rep, err := fromFiles(t, &store, ingest.Options{}, "ethereum-etl/block_483920/transactions.csv")
	if errs.Is(err) != errs.Partial {
		t.Fatal(err)
	}
	rows := rejected(t, rep)
	if len(rows) != 2 || rows[0][1] != "hash" || !strings.Contains(rows[0][2], "without its receipt") {
		t.Fatalf("rejects: %q", rows)
	}
	if got := held(t, &store); len(got) != 0 {
		t.Fatalf("held %q", got)
	}
}

func TestETLStream(t *testing.T) {
	const dir = "ethereum-etl/stream_17173049/"
	var json, csv ingesttest.Store
	if _, err := fromFiles(t, &json, ingest.Options{}, dir+"transactions.json.gz", dir+"token_transfers.json.gz", dir+"blocks.json.gz"); err != nil {
		t.Fatal(err)
	}
	count, sums := moved(t, &json)
	// 298 transactions, 9 of them failed, and 32 withdrawals.
	if count[chain.KindFee] != 298 || count[chain.KindAdjustment] != 32 {
		t.Fatalf("counts %v", count)
	}
	for kind, want := range map[chain.Kind]string{
		chain.KindFee: wantFees, chain.KindNative: wantNative, chain.KindAdjustment: wantWithdrawn,
	} {
		if got := sums[kind].Base(); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
	if count[chain.KindNative] != wantNatives || count[chain.KindToken] != wantTokens {
		t.Errorf("counts %v", count)
	}
	// The logs of the same blocks state the same token transfers once more.
	before := held(t, &json)
	if _, err := fromFiles(t, &json, ingest.Options{}, dir+"logs.json.gz", dir+"blocks.csv"); err != nil {
		t.Fatal(err)
	}
	if after := held(t, &json); !slices.Equal(before, after) {
		t.Fatalf("logs and blocks.csv added %d rows", len(after)-len(before))
	}
	// The CSV of the same transactions lacks the receipts.
	rep, err := fromFiles(t, &csv, ingest.Options{}, dir+"transactions.csv.gz", dir+"blocks.csv")
	if errs.Is(err) != errs.Partial || rep.Rejects == 0 {
		t.Fatal(err)
	}
}

func TestETLTraces(t *testing.T) {
	const dir = "ethereum-etl/traces/"
	for _, c := range []struct {
		file string
		want []string // kind,from,to,amount,ordinal
	}{
		{"block_with_suicide.csv", []string{"internal,0x474faa5018639791952fae334e2911700ac7fe9b,0x83973747eec131bf9a08ac64fb1a518e891bdf4b,50000000000000000,1"}},
		{"block_with_create.csv", []string{"native,0xaf21e07e5a929d16026a7b4d88f3906a8d2e4942,0x5b3c526b152b1f3d8eabe2ec27f49b904ad51cad,64655529900000002048,0"}},
		{"block_with_error.csv", []string{"native,0x9288fe5be3be048b5c7a68bfd4b9a0746b7e4a00,0xe05ff93a9978bbb48356accc74088f3841fc5d72,1100000000000000000,0"}},
		{"block_with_subtraces.csv", []string{
			"native,0x39fa8c5f2793459d6622857e7d9fbb4bd91766d3,0xc083e9947cf02b8ffc7d3090ae9aea72df98fd47,100000000000000000000,0",
			"native,0x32be343b94f860124dc4fee278fdcbd38c102d88,0xdf190dc7190dfba737d7777a163445b7fff16133,437194980000000000,0",
		}},
		{"stream_508110.json", []string{
			"adjustment,,0x2a65aca4d5fc5b5c859090a6c34d164135398226,3750000000000000000,",
			"adjustment,,0x2a65aca4d5fc5b5c859090a6c34d164135398226,5156250000000000000,",
			"native,0xfecab546498f74591d4f6d448a4a63552850f122,0x32be343b94f860124dc4fee278fdcbd38c102d88,4949989500000000000,0",
		}},
		{"geth_without_hashes.csv", nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			var store ingesttest.Store
			rep, err := fromFiles(t, &store, ingest.Options{}, dir+c.file)
			// Rewards are identified by their block's time, which the CSV lacks.
			if strings.HasSuffix(c.file, ".csv") != (errs.Is(err) == errs.Partial) {
				t.Fatalf("error %v, rejects %q", err, rejected(t, rep))
			}
			var got []string
			for _, row := range held(t, &store) {
				f := strings.Split(row, ",")
				got = append(got, strings.Join([]string{f[5], f[6], f[7], f[9], f[10]}, ","))
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestTracesInPart: a frame counts once however often its row is there, and one
// whose callers are missing counts where the row itself says how it ended.
func TestTracesInPart(t *testing.T) {
	const header = "block_number,transaction_hash,transaction_index,from_address,to_address,value,trace_type,call_type,trace_address,error,status,block_timestamp\n"
	row := func(tx, value, path, fault, status string) string {
		return strings.Join([]string{"7", tx, "0", alice, bob, value, "call", "call", path, fault, status, "1740148187"}, ",") + "\n"
	}
	for _, c := range []struct {
		name, rows string
		want       []string // kind, amount, ordinal
		rejects    []string // lines
	}{
		{"twice", row(tx1, "5", "", "", "1") + row(tx1, "6", "0", "", "1") + row(tx1, "6", "0", "", "1") + row(tx1, "6", "1", "", "1"), []string{"native,5,0", "internal,6,1", "internal,6,2"}, nil},
		{"twice, once unreadable", row(tx1, "5", "", "", "1") + row(tx1, "x", "0", "", "1") + row(tx1, "6", "0", "", "1"), []string{"native,5,0", "internal,6,1"}, []string{"3"}},
		{"a status that is none", row(tx1, "5", "", "", "false") + row(tx2, "7", "", "", "1"), []string{"native,7,0"}, []string{"2"}},
		{"no callers, with its status", row(tx1, "6", `"0,1"`, "", "1") + row(tx2, "7", "3", "", "0"), []string{"internal,6,0"}, nil},
		{"no callers, no status", row(tx1, "6", `"0,1"`, "", "") + row(tx2, "0", "3", "", ""), nil, []string{"2"}},
		{"callers, no status", row(tx1, "5", "", "", "") + row(tx1, "0", "0", "", "") + row(tx1, "6", `"0,1"`, "", ""), []string{"native,5,0", "internal,6,2"}, nil},
		{"one caller missing, no status", row(tx1, "5", "", "", "") + row(tx1, "6", `"0,1"`, "", ""), []string{"native,5,0"}, []string{"3"}},
		{"a caller that failed, no status", row(tx1, "5", "", "", "") + row(tx1, "9", "0", "Reverted", "") + row(tx1, "6", `"0,1"`, "", ""), []string{"native,5,0"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			rep, err := imported(t, &store, ingest.Options{}, "traces.csv", header+c.rows)
			if (errs.Is(err) == errs.Partial) != (c.rejects != nil) {
				t.Fatal(err)
			}
			var got, lines []string
			for _, row := range held(t, &store) {
				f := strings.Split(row, ",")
				got = append(got, strings.Join([]string{f[5], f[9], f[10]}, ","))
			}
			for _, row := range rejected(t, rep) {
				lines = append(lines, row[0])
			}
			if !slices.Equal(got, c.want) || !slices.Equal(lines, c.rejects) {
				t.Fatalf("held %q, rejected %q; want %q, %q", got, lines, c.want, c.rejects)
			}
		})
	}
}

// TestClaims: a file whose name says which blocks it holds, and which goes in
// whole, makes the range complete for what its table holds.
func TestClaims(t *testing.T) {
	const dir = "testdata/ethereum-etl/block_483920/"
	for _, c := range []struct {
		name  string
		files []string // sample, name
		want  ledger.Cover
	}{
		{"tokens", []string{"token_transfers.csv", "token_transfers_00483900_00483999.csv"}, ledger.CoverTokens},
		{"folders", []string{"token_transfers.csv", "start_block=00483900/end_block=00483999/token_transfers.csv"}, ledger.CoverTokens},
		{"a row outside", []string{"token_transfers.csv", "token_transfers_00483000_00483899.csv"}, 0},
		{"no range in the name", []string{"token_transfers.csv", "token_transfers.csv"}, 0},
		{"transactions and receipts", []string{"transactions.csv", "transactions_00483900_00483999.csv", "receipts.csv", "receipts_00483900_00483999.csv"}, ledger.CoverNative | ledger.CoverFees},
		{"transactions alone", []string{"transactions.csv", "transactions_00483900_00483999.csv"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			var sources []ingest.Source
			for i := 0; i < len(c.files); i += 2 {
				path := filepath.Join(root, c.files[i+1])
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				copyFile(t, dir+c.files[i], path)
				sources = append(sources, ingest.Source{Name: path})
			}
			var store ingesttest.Store
			if _, err := ingest.Run(ctx, &store, sources, ingest.Options{Formats: tables.Formats()}); err != nil && errs.Is(err) != errs.Partial {
				t.Fatal(err)
			}
			r, err := store.Model.Reader()
			if err != nil {
				t.Fatal(err)
			}
			cov, err := r.Coverage(ctx, chain.Ethereum)
			if err != nil {
				t.Fatal(err)
			}
			if got := cov.Complete(483900, 483999, c.want); c.want != 0 && !got {
				t.Errorf("not complete for %v: %+v", c.want, cov.Ranges)
			}
			for what := ledger.Cover(1); what < ledger.CoverAll; what <<= 1 {
				if what&c.want == 0 && cov.Complete(483920, 483920, what) {
					t.Errorf("complete for %v, which nothing says", what)
				}
			}
		})
	}
}

// TestLongFirstLine: a JSON line longer than what a format is told by is told
// by its type.
func TestLongFirstLine(t *testing.T) {
	long := `{"type": "trace", "transaction_index": 0, "from_address": "` + alice + `", "to_address": "` + bob + `", "value": 5, "input": "0x` + strings.Repeat("00", 40_000) +
		`", "trace_type": "call", "call_type": "call", "trace_address": [], "status": 1, "transaction_hash": "` + tx1 + `", "block_number": 7, "block_timestamp": 1446973196}` + "\n"
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{}, "traces.json", long)
	if err != nil {
		t.Fatalf("%v, %q", err, rejected(t, rep))
	}
	if got := held(t, &store); len(got) != 1 || !strings.Contains(got[0], ",native,"+alice+","+bob+",") {
		t.Fatalf("held %q", got)
	}
	// The value alone in such a place is no type.
	if _, err := imported(t, &store, ingest.Options{}, "x.json", `{"trace": "`+strings.Repeat("x", 80_000)); errs.Is(err) != errs.Invalid {
		t.Fatal(err)
	}
}

// TestJSONOrder: JSON is read in the order of the tables, whatever the order of
// the files and however long the first row: a reward has its block's time.
func TestJSONOrder(t *testing.T) {
	const tail = `", "trace_address": [], "block_number": 7}` + "\n"
	reward := `{"type": "trace", "trace_type": "reward", "reward_type": "block", "from_address": null, "to_address": "` + alice + `", "value": 5, "transaction_hash": null, "input": "`
	block := `{"type": "block", "number": 7, "timestamp": 1446973196, "hash": "0x` + strings.Repeat("11", 32) + `", "parent_hash": null}`
	for name, traces := range map[string]string{
		"lines": reward + tail, "a list": "[" + reward + tail + "]", "a long line": reward + strings.Repeat("0", 80_000) + tail,
	} {
		var store ingesttest.Store
		rep, err := imported(t, &store, ingest.Options{}, "traces.json", traces, "blocks.json", block+"\n")
		if err != nil {
			t.Fatalf("%s: %v, %q", name, err, rejected(t, rep))
		}
		if got := held(t, &store); len(got) != 1 || !strings.HasPrefix(got[0], "eip155:1,2015-11-08T08:59:56Z,7,,,adjustment,,"+alice+",") {
			t.Fatalf("%s: held %q", name, got)
		}
	}
}
