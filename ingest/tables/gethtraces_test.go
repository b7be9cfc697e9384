package tables_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
)

// The senders of the transactions of the blocks in testdata, in their order.
var gethSenders = map[string][]string{
	"1000000": {"0x39fa8c5f2793459d6622857e7d9fbb4bd91766d3", "0x32be343b94f860124dc4fee278fdcbd38c102d88"},
	"1000895": {"0xad9253df75b066c67aff5cdd9d6d2b9245444726", "0x9288fe5be3be048b5c7a68bfd4b9a0746b7e4a00"},
	"1011973": {"0x83973747eec131bf9a08ac64fb1a518e891bdf4b"},
}

// gethTransactions is ethereum-etl's table of a block's transactions, without
// values: what they moved is left to the traces.
func gethTransactions(block string) string {
	table := "hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,block_timestamp,receipt_gas_used,receipt_status\n"
	for i, sender := range gethSenders[block] {
		table += fmt.Sprintf("0x%064x,%s,%d,%s,%s,0,50000,1,1455404053,21000,1\n", i+1, block, i, sender, alice)
	}
	return table
}

// extracted are the same traces as extract_geth_traces takes them apart.
var extracted = map[string]string{
	"1000000": `1000000,,0,0x39fa8c5f2793459d6622857e7d9fbb4bd91766d3,0xc083e9947cf02b8ffc7d3090ae9aea72df98fd47,100000000000000000000,0x,0x,call,call,,108244,8244,1,,,,
1000000,,0,0xc083e9947cf02b8ffc7d3090ae9aea72df98fd47,0x273930d21e01ee25e4c219b63259d214872220a2,100000000000000000000,0x,0x,call,callcode,,101462,1444,0,0,,,
1000000,,1,0x32be343b94f860124dc4fee278fdcbd38c102d88,0xdf190dc7190dfba737d7777a163445b7fff16133,437194980000000000,0x,0x,call,call,,29000,0,0,,,,
`,
	"1000895": `1000895,,0,0xad9253df75b066c67aff5cdd9d6d2b9245444726,0x627da06356442122f08e2203c749978151e55800,1000000000000000000,0x,,call,call,,0,0,0,,out of gas,,
1000895,,1,0x9288fe5be3be048b5c7a68bfd4b9a0746b7e4a00,0xe05ff93a9978bbb48356accc74088f3841fc5d72,1100000000000000000,0x,0x,call,call,,100000,0,0,,,,
`,
	"1011973": `1011973,,0,0x83973747eec131bf9a08ac64fb1a518e891bdf4b,0x474faa5018639791952fae334e2911700ac7fe9b,0,0x41c0e1b5,0x,call,call,,68728,232,1,,,,
1011973,,0,,,,,,suicide,,,,,0,0,,,
`,
}

const traceHeader = "block_number,transaction_hash,transaction_index,from_address,to_address,value,input,output,trace_type,call_type,reward_type,gas,gas_used,subtraces,trace_address,error,status,trace_id\n"

// asJSON writes rows of such a table as ethereum-etl's JSON.
func asJSON(rows string) (lines []string) {
	names := strings.Split(strings.TrimSpace(traceHeader), ",")
	for _, row := range strings.Split(strings.TrimSpace(rows), "\n") {
		b := `{"type": "trace"`
		for i, v := range strings.Split(row, ",") {
			switch {
			case names[i] == "trace_address":
				v = "[" + v + "]"
			case v == "":
				v = "null"
			default:
				v = `"` + v + `"`
			}
			b += `, "` + names[i] + `": ` + v
		}
		lines = append(lines, b+"}")
	}
	return lines
}

// TestGethTraces: geth's traces name no transactions; what the ledger holds of
// their blocks does.
func TestGethTraces(t *testing.T) {
	want := map[string][]string{
		"1000000": {
			"native,0x39fa8c5f2793459d6622857e7d9fbb4bd91766d3,0xc083e9947cf02b8ffc7d3090ae9aea72df98fd47,100000000000000000000,0x%064x",
			"native,0x32be343b94f860124dc4fee278fdcbd38c102d88,0xdf190dc7190dfba737d7777a163445b7fff16133,437194980000000000,0x%064x",
		},
		"1000895": {"", "native,0x9288fe5be3be048b5c7a68bfd4b9a0746b7e4a00,0xe05ff93a9978bbb48356accc74088f3841fc5d72,1100000000000000000,0x%064x"},
		"1011973": {""},
	}
	for block, name := range map[string]string{"1000000": "geth_subtraces.json", "1000895": "geth_error.json", "1011973": "geth_suicide.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata/ethereum-etl/traces", name))
		if err != nil {
			t.Fatal(err)
		}
		lines := asJSON(extracted[block])
		for form, file := range map[string]string{
			"raw.json":   string(raw),
			"list.json":  "\xef\xbb\xbf[\n  " + strings.TrimSpace(string(raw)) + "\n]\n",
			"table.csv":  traceHeader + extracted[block],
			"lines.json": strings.Join(lines, "\n"),
			"items.json": "[" + strings.Join(lines, ",") + "]",
		} {
			t.Run(block+"/"+form, func(t *testing.T) {
				var store ingesttest.Store
				rep, err := imported(t, &store, ingest.Options{}, form, file, "transactions.csv", gethTransactions(block))
				if err != nil {
					t.Fatalf("%v, %q", err, rejected(t, rep))
				}
				var got, all []string
				for _, row := range held(t, &store) {
					if f := strings.Split(row, ","); f[5] != "fee" {
						got = append(got, strings.Join([]string{f[5], f[6], f[7], f[9], f[3]}, ","))
					}
				}
				for i, row := range want[block] {
					if row != "" {
						all = append(all, fmt.Sprintf(row, i+1))
					}
				}
				if slices.Sort(got); !slices.Equal(got, sorted(all)) {
					t.Errorf("got %q\nwant %q", got, all)
				}
				if note := strings.Contains(strings.Join(rep.Sources[1].Notes, " "), "self-destructs"); note != (block == "1011973") {
					t.Errorf("notes: %q", rep.Sources[1].Notes)
				}
			})
		}
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// TestGethTracesOfOthers: traces are given to no transactions but those of their
// block, all of them, from the same senders.
func TestGethTracesOfOthers(t *testing.T) {
	whole := gethTransactions("1000000")
	lines := strings.SplitAfter(whole, "\n")
	for name, table := range map[string]string{
		"none":        "",
		"another's":   gethTransactions("1000895"),
		"one of two":  lines[0] + lines[1],
		"the other":   lines[0] + lines[2],
		"turned":      lines[0] + strings.Replace(lines[1], "1000000,0", "1000000,1", 1) + strings.Replace(lines[2], "1000000,1", "1000000,0", 1),
		"unplaced":    strings.Replace(strings.Replace(whole, "1000000,0", "1000000,", 1), "1000000,1", "1000000,", 1),
		"three":       whole + strings.Replace(strings.Replace(lines[2], "1000000,1", "1000000,2", 1), "2,", "3,", 1),
		"one sender ": strings.Replace(whole, gethSenders["1000000"][1], bob, 1),
	} {
		t.Run(name, func(t *testing.T) {
			files := []string{"traces.csv", traceHeader + extracted["1000000"]}
			if table != "" {
				files = append(files, "transactions.csv", table)
			}
			var store ingesttest.Store
			rep, err := imported(t, &store, ingest.Options{}, files...)
			if errs.Is(err) != errs.Partial || rep.Rejects != 1 {
				t.Fatalf("%v, %q", err, rejected(t, rep))
			}
			if row := rejected(t, rep)[0]; row[1] != "transaction_hash" || !strings.Contains(row[2], "import the tables of transactions") {
				t.Errorf("rejected for %q", row)
			}
			for _, row := range held(t, &store) {
				if !strings.Contains(row, ",fee,") {
					t.Errorf("holds %s", row)
				}
			}
		})
	}
}

// TestGethTracesRejected: what is wrong with one block keeps no other out.
func TestGethTracesRejected(t *testing.T) {
	good := `{"block_number": 7, "transaction_traces": [{"type":"CALL","from":"` + alice + `","to":"` + bob + `","value":"0x5","calls":[{"type":"CREATE2","from":"` + bob + `","to":"` + steth + `","value":"0x01"}]}]}`
	cases := []struct{ row, column, why string }{
		{strings.Replace(good, "0x5", "0x", 1), "value", "hexadecimal"},
		{strings.Replace(good, "0x5", "0x1"+strings.Repeat("0", 64), 1), "value", "2^256"},
		{strings.Replace(good, alice, alice[:40], 1), "from", ""},
		{strings.Replace(good, "CREATE2", "INVENT", 1), "type", "callTracer"},
		{strings.Replace(good, `"block_number": 7, `, "", 1), "", "lacks block_number"},
		{strings.Replace(good, `"CALL"`, `{"a":1}`, 1), "", "structure"},
		{`{"block_number": 7, "transaction_traces": [null]}`, "transaction_traces", "no trace"},
		{`{"block_number": 7, "transaction_traces": [5]}`, "", "should be"},
		{`{"block_number": 7, "transaction_traces": ` + strings.Repeat(`[{"calls":`, 1030), "", "not a block's traces"},
		{good[:len(good)-3], "", "cut off"},
	}
	file := good + "\n"
	for _, c := range cases {
		file += c.row + "\n"
	}
	table := strings.Split(gethTransactions("1011973"), "\n")
	tx := strings.ReplaceAll(strings.ReplaceAll(table[1], gethSenders["1011973"][0], alice), "1011973", "7")
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{}, "traces.json", strings.TrimSuffix(file, "\n"), "transactions.csv", table[0]+"\n"+tx+"\n")
	rows := rejected(t, rep)
	if errs.Is(err) != errs.Partial || len(rows) != len(cases) || !rep.Sources[1].Mendable {
		t.Fatalf("%v, %q", err, rows)
	}
	for i, row := range rows {
		if row[0] != fmt.Sprint(i+2) || row[1] != cases[i].column || !strings.Contains(row[2], cases[i].why) {
			t.Errorf("rejected %.100q for %.100q at %s", cases[i].row, row[2], row[1])
		}
	}
	if got := held(t, &store); len(got) != 3 { // the fee, the value, what the contract got
		t.Errorf("held %q", got)
	}
}
