package ethereum

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bongsu/ingest"
	"bongsu/ingest/follow/inmemory"
	"bongsu/ingest/tables"
	"bongsu/ledger"
)

// exported writes the server's chain as ethereum-etl exports it.
func (s *server) exported() []ingest.Source {
	var blocks, txs, logs, traces bytes.Buffer
	fmt.Fprintln(&blocks, "number,hash,parent_hash,timestamp,withdrawals")
	fmt.Fprintln(&txs, "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input,block_timestamp,receipt_gas_used,receipt_status,receipt_effective_gas_price,receipt_contract_address,receipt_blob_gas_used,receipt_blob_gas_price")
	fmt.Fprintln(&logs, "log_index,transaction_hash,transaction_index,block_number,block_timestamp,address,data,topics")
	fmt.Fprintln(&traces, "block_number,transaction_hash,transaction_index,from_address,to_address,value,input,output,trace_type,call_type,reward_type,gas,gas_used,subtraces,trace_address,error,status,trace_id,block_timestamp")
	for _, h := range s.chain.best {
		b := s.chain.blocks[h]
		fmt.Fprintf(&blocks, "%d,%s,%s,%d,\n", b.Number, b.Hash, b.ParentHash, b.Timestamp)
		for i := range b.Transactions {
			t, r := &b.Transactions[i], &s.chain.receipts[h][i]
			fmt.Fprintf(&txs, "%s,%d,%s,%d,%d,%s,%s,%s,%d,%s,0x,%d,%d,%d,%s,%s,%s,%s\n", t.Hash, t.Nonce, h, b.Number, i, text(&t.From), text(t.To),
				t.Value.Base(), t.Gas, t.GasPrice.Base(), b.Timestamp, r.GasUsed, *r.Status, r.Price.Base(), text(r.Contract), blobs(r), blobPrice(r))
			for _, l := range r.Logs {
				topics := make([]string, len(l.Topics))
				for n, x := range l.Topics {
					topics[n] = x.String()
				}
				fmt.Fprintf(&logs, "%d,%s,%d,%d,%d,%s,0x%x,\"%s\"\n", l.Index, t.Hash, i, b.Number, b.Timestamp, text(&l.Address), []byte(l.Data), strings.Join(topics, ","))
			}
			exportFrame(&traces, b, t, s.chain.traces[h][i].Result, "")
		}
	}
	return []ingest.Source{
		{Name: "blocks", From: &blocks}, {Name: "transactions", From: &txs}, {Name: "logs", From: &logs}, {Name: "traces", From: &traces},
	}
}

func text(a *address) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("0x%x", a[:])
}

func blobs(r *receipt) string {
	if r.BlobGasUsed == nil {
		return ""
	}
	return fmt.Sprint(uint64(*r.BlobGasUsed))
}

func blobPrice(r *receipt) string {
	if r.BlobGasPrice == nil {
		return ""
	}
	return r.BlobGasPrice.Base()
}

func exportFrame(out *bytes.Buffer, b *block, t *transaction, f *frame, path string) {
	kind, call, status := "call", strings.ToLower(f.Type), 1
	switch f.Type {
	case "CREATE", "CREATE2":
		kind, call = "create", ""
	case "SELFDESTRUCT":
		kind, call = "suicide", ""
	}
	if f.Error != "" {
		status = 0
	}
	fmt.Fprintf(out, "%d,%s,%d,%s,%s,%s,0x,,%s,%s,,0,0,%d,\"%s\",%s,%d,,%d\n", b.Number, t.Hash, t.Index, text(&f.From), text(f.To), f.Value.value().Base(),
		kind, call, len(f.Calls), path, f.Error, status, b.Timestamp)
	for i := range f.Calls {
		below := fmt.Sprint(i)
		if path != "" {
			below = path + "," + below
		}
		exportFrame(out, b, t, &f.Calls[i], below)
	}
}

// TestLiveLikeExport holds that following a node, and importing what
// ethereum-etl exports of the same blocks, state the same movements: imported
// after each other, nothing counts twice.
func TestLiveLikeExport(t *testing.T) {
	s := newServer(t)
	s.chain.grow()
	for i := range 4 {
		s.chain.grow(rich()...)
		s.chain.grow(move{from: 1, to: byte(i + 2), value: uint64(i), logs: []event{erc20(0x88, 9, 8, uint64(i))}})
	}
	var live, batch inmemory.Ledger
	if err := Follow(context.Background(), config(s, &live)); err != nil {
		t.Fatal(err)
	}
	load := func(l *inmemory.Ledger) {
		t.Helper()
		report, err := ingest.Run(context.Background(), l, s.exported(), ingest.Options{
			Formats: tables.Formats(), Chain: simulatedChain, TempDir: t.TempDir(), Rejects: t.TempDir() + "/rejects.csv",
		})
		if err != nil {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	load(&batch)
	followed, imported := show(transfersOf(t, &live)), show(transfersOf(t, &batch))
	if !slices.Equal(followed, imported) {
		t.Errorf("followed\n%s\nimported\n%s", strings.Join(followed, "\n"), strings.Join(imported, "\n"))
	}
	before := transfersOf(t, &live)
	load(&live)
	if after := transfersOf(t, &live); !slices.Equal(before, after) {
		t.Errorf("the import changed what was followed:\n%s\nwas\n%s", strings.Join(show(after), "\n"), strings.Join(show(before), "\n"))
	}
	if cov := coverage(t, &live); !cov.Complete(0, 8, ledger.CoverAll) {
		t.Errorf("covers %+v", cov.Ranges)
	}
}
