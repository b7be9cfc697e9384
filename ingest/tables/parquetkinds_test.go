package tables_test

import (
	"slices"
	"strconv"
	"testing"

	"bongsu/ingest"
	"bongsu/ingest/ingesttest"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

type withdrawn[Amount any] struct {
	Index     int64  `parquet:"index"`
	Validator int64  `parquet:"validator_index"`
	Address   string `parquet:"address"`
	Amount    Amount `parquet:"amount"`
}

type etlBlock[Amount any] struct {
	Number      int64               `parquet:"number"`
	Time        int64               `parquet:"timestamp"`
	Hash        string              `parquet:"hash"`
	Parent      string              `parquet:"parent_hash"`
	Withdrawals []withdrawn[Amount] `parquet:"withdrawals,list"`
}

// TestParquetWithdrawals: a block's withdrawals are a list of structures in
// Parquet, with amounts as numbers, or as text where BigQuery wrote the file.
func TestParquetWithdrawals(t *testing.T) {
	var want ingesttest.Store
	if _, err := fromFiles(t, &want, ingest.Options{}, stream+"blocks.json.gz"); err != nil {
		t.Fatal(err)
	}
	var asNumbers []etlBlock[int64]
	var asText []etlBlock[string]
	for _, r := range sampleRows(t, stream+"blocks.json.gz") {
		n := etlBlock[int64]{integer(t, r["number"]), integer(t, r["timestamp"]), text(r["hash"]), text(r["parent_hash"]), nil}
		s := etlBlock[string]{n.Number, n.Time, n.Hash, n.Parent, nil}
		for _, w := range r["withdrawals"].([]any) {
			m := w.(map[string]any)
			n.Withdrawals = append(n.Withdrawals, withdrawn[int64]{integer(t, m["index"]), integer(t, m["validator_index"]), text(m["address"]), integer(t, m["amount"])})
			s.Withdrawals = append(s.Withdrawals, withdrawn[string]{0, 0, text(m["address"]), text(m["amount"])})
		}
		asNumbers, asText = append(asNumbers, n), append(asText, s)
	}
	none := etlBlock[int64]{Number: 1, Time: 1438269988, Hash: asNumbers[0].Hash, Parent: asNumbers[0].Parent}
	for _, file := range []string{writeParquet(t, append(asNumbers, none)), writeParquet(t, asText)} {
		var got ingesttest.Store
		rep, err := imported(t, &got, ingest.Options{}, "blocks.parquet", file)
		if err != nil {
			t.Fatalf("%v: %q", err, rejected(t, rep))
		}
		if a, b := held(t, &got), held(t, &want); len(b) != 32 || !slices.Equal(a, b) {
			t.Fatalf("%d withdrawals from Parquet, %d from JSON", len(a), len(b))
		}
	}
}

type kindsTransfer struct {
	Token string `parquet:"token_address"`
	From  string `parquet:"from_address"`
	To    string `parquet:"to_address"`
	Value uint64 `parquet:"value"`
	Hash  string `parquet:"transaction_hash"`
	Log   uint32 `parquet:"log_index"`
	Block uint64 `parquet:"block_number"`
	Time  uint32 `parquet:"block_timestamp"`
}

// TestParquetKinds: numbers without a sign beyond what one with a sign holds, in
// every codec that is read.
func TestParquetKinds(t *testing.T) {
	rows := []kindsTransfer{{steth, alice, bob, 1<<64 - 1, tx1, 1<<32 - 2, 7, 1 << 31}}
	for i := range 100 {
		rows = append(rows, kindsTransfer{steth, alice, bob, 5, tx1, uint32(i), 7, 1 << 31})
	}
	want := "eip155:1,2038-01-19T03:14:08Z,7," + tx1 + ",,token," + alice + "," + bob + ",eip155:1/erc20:" + steth + ",18446744073709551615," + strconv.Itoa(1<<32-2)
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd, &parquet.Brotli} {
		t.Run(codec.String(), func(t *testing.T) {
			file := writeParquet(t, rows, parquet.Compression(codec))
			var got ingesttest.Store
			rep, err := imported(t, &got, ingest.Options{}, "t.parquet", file)
			if err != nil {
				t.Fatalf("%v: %q", err, rejected(t, rep))
			}
			if list := held(t, &got); len(list) != len(rows) || !slices.Contains(list, want) {
				t.Fatalf("held %d rows, want %d with %s", len(list), len(rows), want)
			}
		})
	}
}
