package tables_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
	"bongsu/ingest/tables"
)

type etlTrace struct {
	Block  int64   `parquet:"block_number"`
	Hash   *string `parquet:"transaction_hash,optional"`
	From   *string `parquet:"from_address,optional"`
	To     *string `parquet:"to_address,optional"`
	Value  string  `parquet:"value"`
	Type   string  `parquet:"trace_type"`
	Path   string  `parquet:"trace_address"`
	Reward *string `parquet:"reward_type,optional"`
	Status int64   `parquet:"status"`
}

// TestParquetOrder: tables as Parquet are read in the order in which they help
// each other, however they were named, compressed or piped: a reward has its
// block's time.
func TestParquetOrder(t *testing.T) {
	kind, to := "block", alice
	traces := writeParquet(t, []etlTrace{{Block: 7, To: &to, Value: "5", Type: "reward", Reward: &kind, Status: 1}})
	blocks := writeParquet(t, []etlBlock[int64]{{Number: 7, Time: 1446973196, Hash: "0x" + strings.Repeat("11", 32), Parent: "0x" + strings.Repeat("10", 32)}})
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(traces)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	const want = "eip155:1,2015-11-08T08:59:56Z,7,,,adjustment,,"
	for _, files := range [][]string{
		{"traces.parquet", traces, "blocks.parquet", blocks},
		{"traces.parquet.gz", z.String(), "blocks.parquet", blocks},
		{"blocks.parquet", blocks, "traces.parquet", traces},
	} {
		var store ingesttest.Store
		rep, err := imported(t, &store, ingest.Options{}, files...)
		if err != nil {
			t.Fatalf("%s first: %v, %q", files[0], err, rejected(t, rep))
		}
		if got := held(t, &store); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Fatalf("%s first: held %q", files[0], got)
		}
	}
	var store ingesttest.Store
	_, err := ingest.Run(context.Background(), &store, []ingest.Source{
		{Name: "-", From: strings.NewReader(z.String())}, {Name: "blocks", From: strings.NewReader(blocks)},
	}, ingest.Options{Formats: tables.Formats(), Rejects: t.TempDir() + "/rejects.csv"})
	if got := held(t, &store); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Fatalf("from pipes: %v, held %q", err, got)
	}
}

type awsPart struct {
	Hash     string    `parquet:"hash"`
	Index    int64     `parquet:"transaction_index"`
	From     string    `parquet:"from_address"`
	To       string    `parquet:"to_address"`
	Value    float64   `parquet:"value"`
	Gas      int64     `parquet:"gas"`
	GasPrice int64     `parquet:"gas_price"`
	Time     time.Time `parquet:"block_timestamp,timestamp(microsecond)"`
	Block    int64     `parquet:"block_number"`
}

type receiptOfTx struct {
	Hash   string `parquet:"transaction_hash"`
	Block  int64  `parquet:"block_number"`
	Index  int64  `parquet:"transaction_index"`
	Used   int64  `parquet:"gas_used"`
	Status int64  `parquet:"status"`
	Price  int64  `parquet:"effective_gas_price"`
}

// TestRoundedValue: of a transaction whose value may have been rounded the fee
// is stored, wherever its receipt stands; its value is that of its trace where
// that comes in the same import, and else its row is rejected, unless it failed.
func TestRoundedValue(t *testing.T) {
	at := time.Unix(1683000000, 0).UTC()
	const exact = "1234567890123456789"
	apart := writeParquet(t, []awsPart{{tx1, 2, alice, bob, 1234567890123456789, 30000, 10, at, 7}})
	receipt := func(status int64) string { return writeParquet(t, []receiptOfTx{{tx1, 7, 2, 21000, status, 9}}) }
	to := bob
	with := func(status int64) string {
		return writeParquet(t, []awsTx{{"2023-05-02", tx1, 2, alice, &to, 1234567890123456789, 30000, 10, 21000, nil, status, at, 7, 9}})
	}
	trace := "transaction_hash,block_number,transaction_index,from_address,to_address,value,trace_type,call_type,trace_address,status\n" +
		fmt.Sprintf("%s,7,2,%s,%s,%s,call,call,,1\n", tx1, alice, bob, exact)
	for _, c := range []struct {
		name             string
		files            []string
		rejects, natives int
	}{
		{"apart", []string{"tx.parquet", apart, "receipts.parquet", receipt(1)}, 1, 0},
		{"apart, receipts first", []string{"receipts.parquet", receipt(1), "tx.parquet", apart}, 1, 0},
		{"apart, failed", []string{"tx.parquet", apart, "receipts.parquet", receipt(0)}, 0, 0},
		{"apart, traced", []string{"traces.csv", trace, "tx.parquet", apart, "receipts.parquet", receipt(1)}, 0, 1},
		{"in one table", []string{"tx.parquet", with(1)}, 1, 0},
		{"in one table, failed", []string{"tx.parquet", with(0)}, 0, 0},
		{"in one table, traced", []string{"tx.parquet", with(1), "traces.csv", trace}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			rep, err := imported(t, &store, ingest.Options{}, c.files...)
			rows := rejected(t, rep)
			if len(rows) != c.rejects || errs.Is(err) == errs.Partial != (c.rejects > 0) {
				t.Fatalf("%v, rejects %q", err, rows)
			}
			if c.rejects > 0 && (rows[0][1] != "value" || !strings.HasSuffix(rows[0][2], "; its fee is stored") || !slices.Contains(rows[0], "1.2345678901234568e+18")) {
				t.Errorf("rejected as %q", rows[0])
			}
			count, sums := moved(t, &store)
			if count[chain.KindFee] != 1 || sums[chain.KindFee].Base() != "189000" || count[chain.KindNative] != c.natives || c.natives > 0 && sums[chain.KindNative].Base() != exact {
				t.Errorf("moved %v, %v", count, sums)
			}
		})
	}
}

// TestRoundedClaim: a range is complete although a value had to come from the
// traces, and is not where it could not.
func TestRoundedClaim(t *testing.T) {
	to := bob
	tx := writeParquet(t, []awsTx{{"2023-05-02", tx1, 2, alice, &to, 1 << 60, 30000, 10, 21000, nil, 1, time.Unix(1683000000, 0).UTC(), 10000007, 9}})
	trace := "transaction_hash,block_number,transaction_index,from_address,to_address,value,trace_type,call_type,trace_address,status\n" +
		fmt.Sprintf("%s,10000007,2,%s,%s,%d,call,call,,1\n", tx1, alice, bob, 1<<60)
	for want, files := range map[string][]string{
		"":                        {"transactions_10000000_10000099.parquet", tx},
		"10000000-10000099 fees ": {"transactions_10000000_10000099.parquet", tx, "traces.csv", trace},
	} {
		var store ingesttest.Store
		if _, err := imported(t, &store, ingest.Options{}, files...); err != nil && errs.Is(err) != errs.Partial {
			t.Fatal(err)
		}
		r, err := store.Model.Reader()
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Coverage(t.Context(), chain.Ethereum)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, x := range c.Ranges {
			if x.What != 0 {
				got += fmt.Sprintf("%d-%d fees ", x.From, x.To)
			}
		}
		if got != want {
			t.Errorf("complete: %q, want %q", got, want)
		}
	}
}
