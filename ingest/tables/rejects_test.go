package tables_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
	"bongsu/ingest/tables"
)

// TestRejectsComeBack: a mended rejects file is imported as it is, whatever the
// source was.
func TestRejectsComeBack(t *testing.T) {
	row := "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",,native," + alice + "," + bob + ",ETH,one\n"
	own := tables.OwnHeader + "\n" + row
	transfer := `{"token_address":"` + steth + `","from_address":"` + alice + `","to_address":"` + bob + `","value":"one","transaction_hash":"` + tx1 + `","log_index":3,"block_number":7}`
	item := `{"blockNumber":"7","timeStamp":"1740148187","hash":"` + tx1 + `","from":"` + alice + `","to":"` + bob + `",
		"value":"one","contractAddress":"` + steth + `","tokenSymbol":"a \"quoted\", name","tokenDecimal":"18"}`
	for _, c := range []struct{ name, file string }{
		{"own.csv", own},
		{"semicolons.csv", strings.ReplaceAll(own, ",", ";")},
		{"tabs.csv", strings.ReplaceAll(own, ",", "\t")},
		{"lines.json", transfer + "\n"},
		{"list.json", "[" + transfer + ",\n" + strings.ReplaceAll(transfer, `"log_index":3`, `"log_index":4`) + "]"},
		{"api.json", "\xef\xbb\xbf" + `{"status":"1","result":[` + item + "," + strings.ReplaceAll(item, `"7"`, `"8"`) + "]}"},
		{"transfers.parquet", writeParquet(t, []etlTransfer{{steth, alice, bob, "one", tx1, 3, 7, 1740148187}})},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want, got ingesttest.Store
			if strings.HasSuffix(c.name, ".parquet") {
				c.file = writeParquet(t, []etlTransfer{{steth, alice, bob, "1", tx1, 3, 7, 1740148187}})
				if _, err := imported(t, &want, ingest.Options{}, c.name, c.file); err != nil {
					t.Fatal(err)
				}
				c.file = writeParquet(t, []etlTransfer{{steth, alice, bob, "one", tx1, 3, 7, 1740148187}})
			} else if _, err := imported(t, &want, ingest.Options{}, c.name, strings.ReplaceAll(c.file, "one", "1")); err != nil {
				t.Fatal(err)
			}
			rep, err := imported(t, &got, ingest.Options{}, c.name, c.file)
			if errs.Is(err) != errs.Partial || !rep.Sources[0].Mendable {
				t.Fatalf("%v, %+v", err, rep)
			}
			b, err := os.ReadFile(rep.Sources[0].RejectsFile)
			if err != nil {
				t.Fatal(err)
			}
			mended := mend(string(b))
			for _, text := range []string{mended, "\xef\xbb\xbf" + strings.ReplaceAll(mended, "\n", "\r\n"), strings.TrimSuffix(mended, "\n")} {
				if rep, err = imported(t, &got, ingest.Options{}, "mended.csv", text); err != nil {
					t.Fatalf("%v: %q from\n%s", err, rejected(t, rep), text)
				}
			}
			if a, b := held(t, &got), held(t, &want); len(b) == 0 || !slices.Equal(a, b) {
				t.Fatalf("held %q\nwant %q", a, b)
			}
		})
	}
}

// mend writes the amount that was a word as a number, and leaves the reasons.
func mend(rejects string) string {
	for _, around := range []string{"\t%\n", ";%\n", ",%\n", `"%"`, ",%,"} {
		rejects = strings.ReplaceAll(rejects, strings.ReplaceAll(around, "%", "one"), strings.ReplaceAll(around, "%", "1"))
	}
	return rejects
}

// TestTransactionsComeBack: transactions rejected for want of their receipts are
// imported from the rejects file beside them.
func TestTransactionsComeBack(t *testing.T) {
	const header = "nonce,hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,block_timestamp,extra"
	tables := header + "\n" + "9," + tx1 + ",7,2," + alice + "," + bob + ",5,30000,10,1740148187,x\n"
	lines := `{"type":"transaction","hash":"` + tx1 + `","block_number":7,"transaction_index":2,"from_address":"` + alice + `","to_address":"` + bob +
		`","value":5,"gas":30000,"gas_price":10,"block_timestamp":1740148187}` + "\n"
	const receipts = "transaction_hash,block_number,transaction_index,gas_used,status,effective_gas_price\n" + tx1 + ",7,2,21000,1,9\n"
	for name, file := range map[string]string{"transactions.csv": tables, "transactions.tsv": strings.ReplaceAll(tables, ",", "\t"), "transactions.json": lines} {
		t.Run(name, func(t *testing.T) {
			var want, got ingesttest.Store
			if _, err := imported(t, &want, ingest.Options{}, name, file, "receipts.csv", receipts); err != nil {
				t.Fatal(err)
			}
			rep, err := imported(t, &got, ingest.Options{}, name, file)
			if errs.Is(err) != errs.Partial {
				t.Fatal(err)
			}
			b, err := os.ReadFile(rep.Sources[0].RejectsFile)
			if err != nil {
				t.Fatal(err)
			}
			if rep, err = imported(t, &got, ingest.Options{}, "rejects.csv", string(b), "receipts.csv", receipts); err != nil {
				t.Fatalf("%v: %q from\n%s", err, rejected(t, rep), b)
			}
			if a, b := held(t, &got), held(t, &want); len(b) != 2 || !slices.Equal(a, b) {
				t.Fatalf("held %q\nwant %q", a, b)
			}
		})
	}
}

// TestDataFrame: whole numbers that a data frame wrote as floating point, because
// cells of their columns were missing, are read; amounts are not, for they may be
// rounded.
func TestDataFrame(t *testing.T) {
	const header = "hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,block_timestamp,receipt_gas_used,receipt_status,receipt_effective_gas_price\n"
	row := func(price, status string) string {
		return tx1 + ",7.0,2.0," + alice + "," + bob + ",5,30000.0," + price + ",1740148187.0,21000.0," + status + "," + price + "\n"
	}
	pre := "eip155:1,2025-02-21T14:29:47Z,7," + tx1 + ",2,"
	fee, native := pre+"fee,"+alice+",,eip155:1/slip44:60,189000,0", pre+"native,"+alice+","+bob+",eip155:1/slip44:60,5,0"
	for _, c := range []struct {
		row     string
		want    []string
		rejects int64
	}{
		{row("9", "1.0"), []string{fee, native}, 0},
		{row("9", "0.0"), []string{fee}, 0},
		{row("9.0", "1"), nil, 1},
	} {
		var store ingesttest.Store
		rep, err := imported(t, &store, ingest.Options{}, "transactions.csv", header+c.row)
		if got := held(t, &store); !slices.Equal(got, c.want) || rep.Rejects != c.rejects {
			t.Errorf("%s: held %q, %v", c.row, got, err)
		}
	}
	var store ingesttest.Store
	const traces = "block_number,transaction_hash,from_address,to_address,value,trace_type,trace_address,status,block_timestamp\n"
	if _, err := imported(t, &store, ingest.Options{}, "traces.csv", traces+"7.0,"+tx1+","+alice+","+bob+",5,call,,0.0,1740148187\n"); err != nil {
		t.Fatal(err)
	}
	if got := held(t, &store); got != nil {
		t.Errorf("a frame that failed moved %q", got)
	}
}
