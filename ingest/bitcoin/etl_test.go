package bitcoin

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
)

// etlLines writes blocks as bitcoin-etl does: amounts in base units, scripts in
// hexadecimal, inputs with what they spend.
func etlLines(t testing.TB, blocks []*Block, quoted bool) string {
	t.Helper()
	outs := map[OutPoint]Out{}
	var b strings.Builder
	num := func(n any) string {
		if quoted {
			return fmt.Sprintf("%q", fmt.Sprint(n))
		}
		return fmt.Sprint(n)
	}
	for i, block := range blocks {
		height := uint64(i + 1)
		fmt.Fprintf(&b, `{"type":"block","hash":%q,"number":%s,"timestamp":%s,"merkle_root":%q,"stripped_size":1,"transaction_count":%d}`+"\n",
			block.Hash, num(height), num(block.Time), block.Merkle, len(block.Txs))
		for n, tx := range block.Txs {
			var in, out []string
			for j, x := range tx.In {
				if tx.Coinbase {
					break
				}
				spent := outs[x.Prev]
				a, _ := Classify("bip122:000000000019d6689c085ae165831e93", spent.Script)
				in = append(in, fmt.Sprintf(`{"index":%s,"spent_transaction_hash":%q,"spent_output_index":%s,"addresses":[%q],"value":%s}`,
					num(j), x.Prev.Tx, num(x.Prev.Index), a.Address(), num(spent.Value)))
			}
			for j, o := range tx.Out {
				outs[OutPoint{tx.ID, uint32(j)}] = o
				out = append(out, fmt.Sprintf(`{"index":%s,"script_hex":%q,"type":"pubkey","addresses":[],"value":%s}`, num(j), hex.EncodeToString(o.Script), num(o.Value)))
			}
			at := num(block.Time)
			if quoted {
				at = `"` + timeText(block.Time) + `"`
			}
			fmt.Fprintf(&b, `{"type":"transaction","hash":%q,"block_number":%s,"block_hash":%q,"block_timestamp":%s,"is_coinbase":%v,"index":%s,"inputs":[%s],"outputs":[%s],"fee":0}`+"\n",
				tx.ID, num(height), block.Hash, at, tx.Coinbase, num(n), strings.Join(in, ","), strings.Join(out, ","))
		}
	}
	return b.String()
}

func timeText(seconds uint32) string {
	at, err := etlTime(scalar(fmt.Sprint(seconds)))
	if err != nil {
		panic(err)
	}
	return at.Std().Format("2006-01-02 15:04:05") + " UTC"
}

// TestETLLikeBlocks holds that bitcoin-etl's export of blocks says the same as
// the blocks themselves, in both spellings of numbers and times.
func TestETLLikeBlocks(t *testing.T) {
	dir := t.TempDir()
	raws := framed(t, unpacked(t, "blocks1-256.bz2"))
	blocks := decodeAll(t, raws)
	txs := hashesOf(blocks)
	whole, _, err := importFiles(t, ingest.Options{}, filepath.Join("testdata", "blocks1-256.bz2"))
	if err != nil {
		t.Fatal(err)
	}
	skipRanges := func(s string) string { _, rest, _ := strings.Cut(s, "\n"); return rest }
	want := skipRanges(contents(t, whole, txs))
	for _, quoted := range []bool{false, true} {
		lines := etlLines(t, blocks, quoted)
		items := strings.ReplaceAll(strings.TrimSpace(lines), "\n", ",")
		pretty := strings.ReplaceAll(strings.ReplaceAll(items, "{", " {\n  "), ",", " ,\r\n")
		for form, text := range map[string]string{"lines": lines, "list": "[" + items + "]", "pretty": "\ufeff\n[\n" + pretty + "\n]\n"} {
			path := write(t, dir, fmt.Sprintf("%s-%v.json", form, quoted), []byte(text))
			l, report, err := importFiles(t, ingest.Options{}, path)
			if err != nil || report.Rejects != 0 {
				t.Fatalf("%s: %v, %d rejects", form, err, report.Rejects)
			}
			if got := skipRanges(contents(t, l, txs)); got != want {
				t.Errorf("%s, quoted %v: other contents than the blocks:\n%.600s\nwant\n%.600s", form, quoted, got, want)
			}
		}
	}
}

// TestETLList: a bad item keeps no other out, and of a list that is cut off what
// is whole comes in.
func TestETLList(t *testing.T) {
	blocks := decodeAll(t, framed(t, unpacked(t, "blocks1-256.bz2")))[:20]
	rows := strings.Split(strings.TrimSpace(etlLines(t, blocks, false)), "\n")
	list := "[" + strings.Join(rows[:4], ",") + `,{"hash":"x","inputs":[],"outputs":[]},` + strings.Join(rows[4:], ",") + "]"
	path := write(t, t.TempDir(), "list.json", []byte(list))
	_, report, err := importFiles(t, ingest.Options{}, path)
	rejects, _ := os.ReadFile(path + ".rejects.csv")
	if errs.Is(err) != errs.Partial || report.Rows != int64(len(rows)+1) || !strings.HasPrefix(string(rejects), "line,column,reason,item\n5,hash,") {
		t.Errorf("%v, %+v, %s", err, report, rejects)
	}
	path = write(t, t.TempDir(), "cut.json", []byte(list[:len(list)-20]))
	_, report, err = importFiles(t, ingest.Options{}, path)
	if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "cut off") || report.Sources[0].UTXOs != int64(len(blocks)-1) {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestETLRows(t *testing.T) {
	const (
		tx   = `"hash":"f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16","block_number":170,"block_timestamp":1231731025`
		in   = `"inputs":[{"index":0,"spent_transaction_hash":"0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9","spent_output_index":0,"addresses":["12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"],"value":5000000000}]`
		out  = `"outputs":[{"index":0,"script_hex":"0014751e76e8199196d454941c45d1b3a323f1433bd6","value":1000000000},{"index":1,"addresses":["12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"],"value":4000000000}]`
		good = `{` + tx + `,"index":1,` + in + `,` + out + `}`
	)
	for _, c := range []struct{ name, row, column, why string }{
		{"good", good, "", ""},
		{"another name for the hash", strings.Replace(good, `"hash"`, `"transaction_hash"`, 1), "", ""},
		{"AWS: one address, whole coins", `{` + tx + `,"index":1,` + in + `,"outputs":[{"index":0,"address":"12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S","value":0.00000001}]}`, "", ""},
		{"a script of no bytes", strings.Replace(good, `"script_hex":"0014751e76e8199196d454941c45d1b3a323f1433bd6"`, `"script_hex":"","addresses":[]`, 1), "", ""},
		{"an address beside no script", strings.Replace(good, `"addresses":["12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"],"value":4`, `"script_hex":"","addresses":["12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"],"value":4`, 1), "", ""},
		{"a list", "[1,2]", "", "of another type than bitcoin-etl writes"},
		{"numbers that are none", strings.Replace(good, `"value":1000000000`, `"value":-1`, 1), "outputs.value", "not a whole number"},
		{"too much money", strings.Replace(good, `"value":1000000000`, `"value":2100000000000001`, 1), "outputs.value", "more than all the money"},
		{"part of a base unit", strings.Replace(good, `"value":1000000000`, `"value":0.1`, 1), "outputs.value", "not a whole number"},
		{"no address and no script", strings.Replace(good, `"script_hex":"0014751e76e8199196d454941c45d1b3a323f1433bd6"`, `"type":"nonstandard"`, 1), "outputs.addresses", "neither a script"},
		{"an output twice", strings.Replace(good, `{"index":1,"addresses"`, `{"index":0,"addresses"`, 1), "outputs.index", "each once"},
		{"an output left out", strings.Replace(good, `{"index":1,"addresses"`, `{"index":2,"addresses"`, 1), "outputs.index", "each once"},
		{"no outputs", `{` + tx + `,` + in + `,"outputs":[]}`, "outputs", "without outputs"},
		{"no inputs, and no coinbase", `{` + tx + `,"is_coinbase":false,"inputs":[],` + out + `}`, "inputs", "no coinbase"},
		{"a hash cut short", strings.Replace(good, "f4184f", "f418", 1), "hash", "64 hexadecimal digits"},
		{"a spent hash cut short", strings.Replace(good, "0437cd", "04", 1), "inputs.spent_transaction_hash", "64 hexadecimal digits"},
		{"a block that is none", strings.Replace(good, `"block_number":170`, `"block_number":"latest"`, 1), "block_number", "invalid syntax"},
		{"a time that is none", strings.Replace(good, `1231731025`, `"soon"`, 1), "block_timestamp", "not a time"},
		{"two names alike", strings.Replace(good, `"index":1`, `"index":1,"index":2`, 1), "", "duplicate"},
		{"cut short", good[:len(good)-5], "", "not JSON"},
		{"an address of another chain", strings.Replace(good, `"script_hex":"0014751e76e8199196d454941c45d1b3a323f1433bd6"`, `"addresses":["0x47666fab8bd0ac7003bce3f5c3585383f09486e2"]`, 1), "outputs.addresses", "neither a script"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "rows.json", []byte(good+"\n\n"+c.row+"\n"))
			_, report, err := importFiles(t, ingest.Options{Format: "bitcoin-etl"}, path)
			if c.why == "" {
				if err != nil || report.Rejects != 0 {
					rejects, _ := os.ReadFile(path + ".rejects.csv")
					t.Errorf("%v, %d rejects: %s", err, report.Rejects, rejects)
				}
				return
			}
			rejects, rerr := os.ReadFile(path + ".rejects.csv")
			if errs.Is(err) != errs.Partial || report.Rejects != 1 || rerr != nil {
				t.Fatalf("%v, %d rejects, %v", err, report.Rejects, rerr)
			}
			if text := string(rejects); !strings.Contains(text, c.why) || !strings.Contains(text, "3,"+c.column+",") {
				t.Errorf("rejects %.300q, want column %q and %q", text, c.column, c.why)
			}
		})
	}
}

// TestETLBlocks: a table of blocks alone is recognised, whichever of its columns
// were exported.
func TestETLBlocks(t *testing.T) {
	const row = `{"hash":"00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048","number":1,"merkle_root":"0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098","timestamp":1231469665}`
	path := write(t, t.TempDir(), "blocks.json", []byte(row+"\n"))
	l, _, err := importFiles(t, ingest.Options{}, path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // nothing was written
	blocks, err := r.Blocks(t.Context(), chain.Bitcoin, []uint64{1})
	if err != nil || !blocks[0].Known || blocks[0].Time != 1231469665000 {
		t.Errorf("%+v, %v", blocks, err)
	}
}

func TestLongLine(t *testing.T) {
	long := `{"hash":"` + strings.Repeat("a", 5000) + `","inputs":[],"outputs":[]}`
	path := write(t, t.TempDir(), "rows.json", []byte(long+"\n"))
	_, report, err := importFiles(t, ingest.Options{Limits: ingest.Limits{Row: 1000}}, path)
	if errs.Is(err) != errs.Partial || report.Rejects != 1 {
		t.Errorf("%v, %d rejects", err, report.Rejects)
	}
}
