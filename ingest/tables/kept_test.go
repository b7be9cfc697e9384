package tables_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/signatures"
	"bongsu/ingest/tables"
	"bongsu/ledger"
)

// noted keeps the calls and logs as they were stated.
type noted struct {
	nothing
	calls, logs []ledger.NoteFact
}

func (n *noted) Begin(context.Context, string) (ingest.Import, error) { return n, nil }

func (n *noted) Add(f *ledger.Facts) error {
	for _, x := range f.Notes {
		if x.Call != nil {
			n.calls = append(n.calls, x)
		} else {
			n.logs = append(n.logs, x)
		}
	}
	return nil
}

// kept imports files with the known signatures.
func kept(t *testing.T, files ...string) (*noted, ingest.Report) {
	t.Helper()
	var sources []ingest.Source
	for _, f := range files {
		sources = append(sources, ingest.Source{Name: f})
	}
	n := &noted{}
	rep, err := ingest.Run(ctx, n, sources, ingest.Options{
		Formats: tables.Formats(), KeepCall: signatures.KeepCall, KeepLog: signatures.KeepLog, TempDir: t.TempDir(),
	})
	if err != nil && errs.Is(err) != errs.Partial {
		t.Fatal(err)
	}
	return n, rep
}

// TestKeptOfRealBlocks counts, in two real blocks of mainnet, the logs and
// calls that the list of signatures knows.
func TestKeptOfRealBlocks(t *testing.T) {
	n, rep := kept(t, "testdata/ethereum-etl/stream_17173049/logs.json.gz", "testdata/ethereum-etl/stream_17173049/transactions.json.gz")
	names := map[string]int{}
	for _, f := range n.logs {
		s, ok := signatures.Event(f.Log.Topics[0])
		if !ok {
			t.Fatalf("%x was kept", f.Log.Topics)
		}
		names[s.Protocol+" "+s.Name]++
	}
	for _, f := range n.calls {
		s, _ := signatures.Call([4]byte(f.Call.Input))
		names[s.Protocol+" "+s.Name+" call"]++
	}
	got := fmt.Sprint(names)
	if want := "map[WETH Deposit:30 WETH Withdrawal:31 WETH withdraw call:3]"; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	if sum := rep.Sources[0].Kept + rep.Sources[1].Kept; sum != int64(len(n.logs)+len(n.calls)) {
		t.Errorf("reported %d", sum)
	}
}

// TestKeptCalls: a call is kept once, when it succeeded, whether transaction and
// receipt stand in one table, in two, or beside their traces, and a memo in
// plain text too.
func TestKeptCalls(t *testing.T) {
	const (
		from, to = "0x00000000000000000000000000000000000000a1", "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
		wrap     = "0xd0e30db0"
		memo     = "0x3d3a4254432e4254433a626331" // =:BTC.BTC:bc1
		other    = "0xa9059cbb"
	)
	type tx struct {
		input string
		ok    int
	}
	txs := []tx{{wrap, 1}, {wrap, 0}, {memo, 1}, {other, 1}, {"0x", 1}}
	hash := func(i int) string { return fmt.Sprintf("0x%064x", i+1) }
	apart := "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input,block_timestamp\n"
	joined := strings.TrimSuffix(apart, "\n") + ",receipt_gas_used,receipt_status,receipt_effective_gas_price\n"
	receipts := "transaction_hash,transaction_index,block_hash,block_number,cumulative_gas_used,gas_used,contract_address,root,status,effective_gas_price\n"
	traces := "block_number,transaction_hash,transaction_index,from_address,to_address,value,input,output,trace_type,call_type,reward_type,gas,gas_used,subtraces,trace_address,error,status,trace_id\n"
	for i, x := range txs {
		row := fmt.Sprintf("%s,1,,100,%d,%s,%s,7,90000,10,%s,1600000000", hash(i), i, from, to, x.input)
		apart += row + "\n"
		joined += row + fmt.Sprintf(",30000,%d,10\n", x.ok)
		receipts += fmt.Sprintf("%s,%d,,100,30000,30000,,,%d,10\n", hash(i), i, x.ok)
		traces += fmt.Sprintf("100,%s,%d,%s,%s,7,%s,0x,call,call,,90000,30000,0,,,%d,x\n", hash(i), i, from, to, x.input, x.ok)
		traces += fmt.Sprintf("100,%s,%d,%s,%s,1,%s,0x,call,call,,90000,30000,0,0,,%d,x\n", hash(i), i, to, from, wrap, x.ok)
	}
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, j, r, tr := put("apart.csv", apart), put("joined.csv", joined), put("receipts.csv", receipts), put("traces.csv", traces)
	own := []string{hash(0) + " 0 " + wrap, hash(2) + " 0 " + memo}
	inner := []string{}
	for _, i := range []int{0, 2, 3, 4} {
		inner = append(inner, hash(i)+" 1 "+wrap)
	}
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"one table":             {[]string{j}, own},
		"two tables":            {[]string{r, a}, own},
		"no receipts":           {[]string{a}, nil},
		"traces":                {[]string{tr}, append(slices.Clone(own), inner...)},
		"two tables and traces": {[]string{a, r, tr}, append(slices.Clone(own), inner...)},
	} {
		t.Run(name, func(t *testing.T) {
			n, _ := kept(t, c.files...)
			var got []string
			for _, f := range n.calls {
				text := fmt.Sprintf("%s %d 0x%x", f.Tx.Text(f.Chain), f.Call.Ordinal, f.Call.Input)
				if !slices.Contains(got, text) { // the root frame says what its transaction says
					got = append(got, text)
				}
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("kept %q, want %q", got, c.want)
			}
		})
	}
}
