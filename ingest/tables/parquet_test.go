package tables_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
	"bongsu/ledger"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// sampleRows reads JSON lines of the samples.
func sampleRows(t *testing.T, name string) (rows []map[string]any) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		d := json.NewDecoder(bytes.NewReader(s.Bytes()))
		d.UseNumber()
		var m map[string]any
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, m)
	}
	return rows
}

func text(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		return v
	}
	return ""
}

func integer(t *testing.T, v any) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text(v), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func writeParquet[T any](t *testing.T, rows []T, options ...parquet.WriterOption) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type etlTx struct {
	Hash        string  `parquet:"hash"`
	Block       int64   `parquet:"block_number"`
	Index       int64   `parquet:"transaction_index"`
	From        string  `parquet:"from_address"`
	To          *string `parquet:"to_address,optional"`
	Value       string  `parquet:"value"`
	Gas         int64   `parquet:"gas"`
	GasPrice    int64   `parquet:"gas_price"`
	Time        int64   `parquet:"block_timestamp"`
	GasUsed     int64   `parquet:"receipt_gas_used"`
	Status      int64   `parquet:"receipt_status"`
	Price       int64   `parquet:"receipt_effective_gas_price"`
	Created     *string `parquet:"receipt_contract_address,optional"`
	Unused      string  `parquet:"item_id"`
	Transaction int32   `parquet:"transaction_type"`
}

type awsTx struct {
	Date     string    `parquet:"date"`
	Hash     string    `parquet:"hash"`
	Index    int64     `parquet:"transaction_index"`
	From     string    `parquet:"from_address"`
	To       *string   `parquet:"to_address,optional"`
	Value    float64   `parquet:"value"`
	Gas      int64     `parquet:"gas"`
	GasPrice int64     `parquet:"gas_price"`
	GasUsed  int64     `parquet:"receipt_gas_used"`
	Created  *string   `parquet:"receipt_contract_address,optional"`
	Status   int64     `parquet:"receipt_status"`
	Time     time.Time `parquet:"block_timestamp,timestamp(microsecond)"`
	Block    int64     `parquet:"block_number"`
	Price    int64     `parquet:"receipt_effective_gas_price"`
}

type etlTransfer struct {
	Token string `parquet:"token_address"`
	From  string `parquet:"from_address"`
	To    string `parquet:"to_address"`
	Value string `parquet:"value"`
	Hash  string `parquet:"transaction_hash"`
	Log   int64  `parquet:"log_index"`
	Block int64  `parquet:"block_number"`
	Time  int64  `parquet:"block_timestamp"`
}

type awsLog struct {
	Log     int64     `parquet:"log_index"`
	Hash    string    `parquet:"transaction_hash"`
	Index   int64     `parquet:"transaction_index"`
	Address string    `parquet:"address"`
	Data    string    `parquet:"data"`
	Topics  []string  `parquet:"topics,list"`
	Time    time.Time `parquet:"block_timestamp,timestamp(microsecond)"`
	Block   int64     `parquet:"block_number"`
	Hash2   string    `parquet:"block_hash"`
}

const stream = "ethereum-etl/stream_17173049/"

func optional(v any) *string {
	if s, ok := v.(string); ok {
		return &s
	}
	return nil
}

// TestParquet: the same tables as JSON lines and as Parquet give the same.
func TestParquet(t *testing.T) {
	var want, got ingesttest.Store
	if _, err := fromFiles(t, &want, ingest.Options{}, stream+"transactions.json.gz", stream+"token_transfers.json.gz"); err != nil {
		t.Fatal(err)
	}
	var txs []etlTx
	for _, r := range sampleRows(t, stream+"transactions.json.gz") {
		txs = append(txs, etlTx{
			text(r["hash"]), integer(t, r["block_number"]), integer(t, r["transaction_index"]), text(r["from_address"]), optional(r["to_address"]),
			text(r["value"]), integer(t, r["gas"]), integer(t, r["gas_price"]), integer(t, r["block_timestamp"]), integer(t, r["receipt_gas_used"]),
			integer(t, r["receipt_status"]), integer(t, r["receipt_effective_gas_price"]), optional(r["receipt_contract_address"]), text(r["item_id"]), 2,
		})
	}
	var transfers []etlTransfer
	for _, r := range sampleRows(t, stream+"token_transfers.json.gz") {
		transfers = append(transfers, etlTransfer{
			text(r["token_address"]), text(r["from_address"]), text(r["to_address"]), text(r["value"]), text(r["transaction_hash"]),
			integer(t, r["log_index"]), integer(t, r["block_number"]), integer(t, r["block_timestamp"]),
		})
	}
	files := []string{
		"transactions.parquet", writeParquet(t, txs, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(100)),
		"token_transfers.parquet", writeParquet(t, transfers, parquet.Compression(&parquet.Zstd), parquet.PageBufferSize(2000)),
	}
	for range 2 {
		rep, err := imported(t, &got, ingest.Options{}, files...)
		if err != nil {
			t.Fatalf("%v: %q", err, rejected(t, rep))
		}
		if rep.Rows != 298+wantTokens {
			t.Fatalf("read %d rows", rep.Rows)
		}
	}
	if a, b := held(t, &got), held(t, &want); !slices.Equal(a, b) {
		t.Fatalf("%d rows from Parquet, %d from JSON", len(a), len(b))
	}
	// Compressed once more, and cut off.
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(files[3])); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	if _, err := imported(t, &got, ingest.Options{}, "t.parquet.gz", z.String()); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{4, 100, len(files[1]) / 2, len(files[1]) - 9} {
		if _, err := imported(t, &got, ingest.Options{}, "cut.parquet", files[1][:cut]); errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "nothing of it was imported") {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

// TestParquetCodecs: whatever pages are compressed with, and however far they
// shrink, the rows are the same.
func TestParquetCodecs(t *testing.T) {
	rows := make([]etlTx, 3000)
	for i := range rows {
		tx := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		rows[i] = etlTx{
			Hash: "0x" + hex.EncodeToString(tx[:]), Block: int64(i / 9), Index: int64(i % 9), From: alice, Value: strconv.Itoa(i + 1), Gas: 21000,
			GasPrice: 1, Time: 1438269973, GasUsed: 21000, Status: 1, Price: int64(tx[0]), Unused: strings.Repeat("a", i),
		}
		if to := "0x" + hex.EncodeToString(tx[:20]); i%3 > 0 {
			rows[i].To = &to
		} else {
			rows[i].Created = &to
		}
	}
	var want []string
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd, &parquet.Brotli, &parquet.Lz4Raw} {
		for version := 1; version <= 2; version++ {
			for _, page := range []int{300, 64 << 10} {
				file := writeParquet(t, rows, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(page), parquet.MaxRowsPerRowGroup(1100))
				var store ingesttest.Store
				rep, err := imported(t, &store, ingest.Options{}, "transactions.parquet", file)
				if err != nil {
					t.Fatalf("%v, pages of version %d: %v: %.300q", codec, version, err, rejected(t, rep))
				}
				got := held(t, &store)
				if want == nil {
					want = got
				}
				if len(got) < 2*len(rows)-20 || !slices.Equal(got, want) {
					t.Errorf("%v, pages of version %d: %d rows, want %d, or others", codec, version, len(got), len(want))
				}
			}
		}
	}
}

// TestPublicDataSet: Amazon's tables keep amounts as floating point. What is
// exact comes in, fees too; what may have been rounded is rejected where it moved;
// and the logs give every token transfer exactly.
func TestPublicDataSet(t *testing.T) {
	var want, got ingesttest.Store
	if _, err := fromFiles(t, &want, ingest.Options{}, stream+"transactions.json.gz", stream+"logs.json.gz"); err != nil {
		t.Fatal(err)
	}
	var txs []awsTx
	large := 0
	for _, r := range sampleRows(t, stream+"transactions.json.gz") {
		v, err := strconv.ParseFloat(text(r["value"]), 64)
		if err != nil {
			t.Fatal(err)
		}
		if v >= 1<<53 && integer(t, r["receipt_status"]) == 1 {
			large++
		}
		txs = append(txs, awsTx{
			"2023-05-02", text(r["hash"]), integer(t, r["transaction_index"]), text(r["from_address"]), optional(r["to_address"]), v,
			integer(t, r["gas"]), integer(t, r["gas_price"]), integer(t, r["receipt_gas_used"]), optional(r["receipt_contract_address"]),
			integer(t, r["receipt_status"]), time.Unix(integer(t, r["block_timestamp"]), 0).UTC(), integer(t, r["block_number"]), integer(t, r["receipt_effective_gas_price"]),
		})
	}
	var logs []awsLog
	for _, r := range sampleRows(t, stream+"logs.json.gz") {
		var topics []string
		for _, x := range r["topics"].([]any) {
			topics = append(topics, text(x))
		}
		logs = append(logs, awsLog{
			integer(t, r["log_index"]), text(r["transaction_hash"]), integer(t, r["transaction_index"]), text(r["address"]), text(r["data"]), topics,
			time.Unix(integer(t, r["block_timestamp"]), 0).UTC(), integer(t, r["block_number"]), text(r["block_hash"]),
		})
	}
	rep, err := imported(t, &got, ingest.Options{Limits: ingest.Limits{Rejects: 2}}, "tx.parquet", writeParquet(t, txs), "logs.parquet", writeParquet(t, logs))
	rows := rejected(t, rep)
	if errs.Is(err) != errs.Partial || large == 0 || len(rows) != large {
		t.Fatalf("error %v, %d rejects, want %d", err, len(rows), large)
	}
	if large < 10 || rep.Sources[0].Mendable {
		t.Fatalf("%d rows rejected, by a limit of 2, mendable %v", large, rep.Sources[0].Mendable)
	}
	if rows[0][1] != "value" || !strings.Contains(rows[0][2], "floating point") || !strings.Contains(rows[0][2], "table of logs") || !strings.HasSuffix(rows[0][2], "its fee is stored") {
		t.Fatalf("rejected for %q", rows[0])
	}
	failed := txs[:1] // moved nothing but its fee, so nothing is lost
	failed[0].Value, failed[0].Status = 1<<60, 0
	var sunk ingesttest.Store
	if _, err := imported(t, &sunk, ingest.Options{}, "failed.parquet", writeParquet(t, failed)); err != nil {
		t.Fatal(err)
	}
	if count, _ := moved(t, &sunk); count[chain.KindFee] != 1 || len(count) != 1 {
		t.Fatalf("a failed transaction moved %v", count)
	}
	there := map[string]bool{}
	for _, row := range held(t, &want) {
		there[row] = true
	}
	tokens, fees := 0, 0
	for _, row := range held(t, &got) {
		if !there[row] {
			t.Fatalf("not what the chain says: %s", row)
		}
		if strings.Contains(row, ",token,") {
			tokens++
		}
		if strings.Contains(row, ",fee,") {
			fees++
		}
	}
	if count, _ := moved(t, &want); tokens != count[chain.KindToken] || fees != count[chain.KindFee] {
		t.Fatalf("%d token transfers, want %d; %d fees, want %d", tokens, count[chain.KindToken], fees, count[chain.KindFee])
	}
}

type btcIn struct {
	Index   int64   `parquet:"index"`
	Tx      string  `parquet:"spent_transaction_hash"`
	Output  int64   `parquet:"spent_output_index"`
	Address *string `parquet:"address,optional"`
	Value   float64 `parquet:"value"`
}

type btcOut struct {
	Index   int64   `parquet:"index"`
	Script  string  `parquet:"script_hex"`
	Address *string `parquet:"address,optional"`
	Value   float64 `parquet:"value"`
}

type btcTx struct {
	Hash     string    `parquet:"hash"`
	Block    int64     `parquet:"block_number"`
	Index    int64     `parquet:"index"`
	Time     time.Time `parquet:"block_timestamp,timestamp(microsecond)"`
	Coinbase bool      `parquet:"is_coinbase"`
	In       []btcIn   `parquet:"inputs,list"`
	Out      []btcOut  `parquet:"outputs,list"`
}

// TestPublicBitcoin reads the first payment of Bitcoin, block 170, in the
// layout of Amazon's data set.
func TestPublicBitcoin(t *testing.T) {
	const (
		coinbase9 = "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9"
		payment   = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
		finney    = "4104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac"
		satoshi   = "410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac"
	)
	at := time.Date(2009, 1, 12, 3, 30, 25, 0, time.UTC)
	file := writeParquet(t, []btcTx{
		{coinbase9, 9, 0, at.Add(-80 * time.Hour), true, nil, []btcOut{{0, satoshi, nil, 50}}},
		{payment, 170, 1, at, false, []btcIn{{0, coinbase9, 0, nil, 50}}, []btcOut{{0, finney, nil, 10}, {1, satoshi, nil, 39.99999999}}},
		{payment[:63] + "f", 170, 3, at, false, []btcIn{{0, payment, 1, nil, 0}}, []btcOut{{0, "", nil, 1}}}, // anybody can spend it
		{payment[:63] + "0", 170, 2, at, false, []btcIn{{0, payment, 1, nil, 0}}, []btcOut{{0, satoshi, nil, 1e-9}}},
	})
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{}, "btc.parquet", file)
	rows := rejected(t, rep)
	if errs.Is(err) != errs.Partial || len(rows) != 1 || rows[0][0] != "4" || rows[0][1] != "outputs.value" {
		t.Fatalf("error %v, rejects %q", err, rows)
	}
	r, err := store.Model.Reader()
	if err != nil {
		t.Fatal(err)
	}
	id, err := chain.ParseTxID(payment, chain.Bitcoin)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := r.TxRefs(t.Context(), []ledger.Tx{{Chain: chain.Bitcoin, ID: id}})
	if err != nil {
		t.Fatal(err)
	}
	txs, err := r.UTXOs(t.Context(), refs)
	if err != nil || len(txs) != 1 {
		t.Fatal(txs, err)
	}
	tx := txs[0]
	if tx.Block != 170 || tx.Index != 1 || len(tx.Inputs) != 1 || len(tx.Outputs) != 2 {
		t.Fatalf("%+v", tx)
	}
	if got := tx.Outputs[1].Value.Base(); got != "3999999999" {
		t.Errorf("the change is %s", got)
	}
	if got := tx.Outputs[0].Account.Address(); got != "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3" {
		t.Errorf("paid to %s", got)
	}
	if !tx.Inputs[0].Known || tx.Inputs[0].Value.Base() != "5000000000" {
		t.Errorf("the input: %+v", tx.Inputs[0])
	}
}

func TestUnknownParquet(t *testing.T) {
	type other struct {
		A string `parquet:"a"`
	}
	var store ingesttest.Store
	_, err := imported(t, &store, ingest.Options{}, "x.parquet", writeParquet(t, []other{{"b"}}))
	if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "no known table") {
		t.Fatal(err)
	}
}
