package tables_test

import (
	"bytes"
	"compress/bzip2"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/data"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/bitcoin"
	"bongsu/ingest/ingesttest"
	"bongsu/ingest/signatures"
	"bongsu/ingest/tables"
	"bongsu/ledger"

	"pgregory.net/rapid"
)

// orderFiles writes groups of files; those of a group go into one import,
// because only together they say what moved. The last group is everything that
// the others hold, as our own CSV.
func orderFiles(t *testing.T) (groups [][]string, want string) {
	t.Helper()
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sample := func(name string) string {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		copyFile(t, filepath.Join("testdata", name), path)
		return path
	}
	embedded := func(name string) string {
		b, err := data.Files.ReadFile("bybit-2025/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return put(name, string(b))
	}
	const block, old = "ethereum-etl/block_483920/", "ethereum-etl/stream_1755634/"
	groups = [][]string{
		{sample(block + "transactions.csv"), sample(block + "receipts.csv"), sample(block + "blocks.csv")},
		{sample(block + "token_transfers.csv")},
		{sample(block + "logs.csv")},
		{sample(block + "logs.json")},
		{sample(old + "transactions.json"), sample(old + "blocks.json")},
		{sample(old + "token_transfers.json")},
		{sample(old + "logs.json")},
		{sample("ethereum-etl/traces/stream_508110.json")},
		{sample("ethereum-etl/traces/block_with_subtraces.csv")},
		{embedded("hop1.csv")},
		{embedded("theft.csv")},
		{sample("ronin-2022/LazarusTabularTxs1322519.csv")},
		{put("explorer.csv", newNormal+"\n"+ // two transactions of block 483,920 once more
			`"0x463d53f0ad57677a3b430a007c1c31d15d62c37fab5eee598551697c297c235c","483920","1446561880","2015-11-03 14:44:40","0x9df428a91ff0f3635c8f0ce752933b9788926804","0x9e669f970ec0f49bb735f20799a7e7c4a1c274e2","","11.00044","0","1","0.00105","1","1","","","Transfer"`+"\n"+
			`"0x05287a561f218418892ab053adfb3d919860988b19458c570c5c30f51c146f02","483920","1446561880","2015-11-03 14:44:40","0x2a65aca4d5fc5b5c859090a6c34d164135398226","0x743b8aeedc163c0e3a0fe9f3910d146c48e70da8","","0","1.53021962","1","0.00105","1","1","","","Transfer"`+"\n")},
	}
	var all ingesttest.Store
	for _, g := range groups {
		run(t, &all, g)
	}
	list, err := all.Transfers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, known := tables.ExportHeader+"\n", chain.NewRegistry()
	d := ledger.NewDigest()
	for i := range list {
		info, ok := known.Info(list[i].Asset)
		own = string(tables.AppendOwn([]byte(own), &list[i], info, ok))
		d.Add(&list[i], list[i].Time != 0)
	}
	return append(groups, []string{put("own.csv", own)}), d.Sum()
}

func run(t interface {
	Helper()
	Fatal(...any)
}, store ingest.Store, files []string,
) {
	t.Helper()
	// The reward in block_with_subtraces.csv lacks its block's time.
	if err := runUntil(ctx, store, files); err != nil && errs.Is(err) != errs.Partial {
		t.Fatal(err)
	}
}

func runUntil(ctx context.Context, store ingest.Store, files []string) error {
	var sources []ingest.Source
	for _, f := range files {
		sources = append(sources, ingest.Source{Name: f})
	}
	_, err := ingest.Run(ctx, store, sources, ingest.Options{
		Formats: append(tables.Formats(), bitcoin.Formats()...), KeepCall: signatures.KeepCall, KeepLog: signatures.KeepLog, CheckpointRows: 1,
	})
	return err
}

// stopping is a store whose imports end with their context when so many facts
// were added.
type stopping struct {
	ingest.Store
	left *int
	stop func()
}

func (s stopping) Begin(ctx context.Context, source string) (ingest.Import, error) {
	im, err := s.Store.Begin(ctx, source)
	if err != nil {
		return nil, err
	}
	return &stoppedImport{im.(*ledger.Import), s}, nil
}

type stoppedImport struct {
	*ledger.Import
	s stopping
}

func (im *stoppedImport) Add(f *ledger.Facts) error {
	if *im.s.left--; *im.s.left <= 0 {
		im.s.stop()
		return context.Canceled
	}
	return im.Import.Add(f)
}

// blockFiles are real blocks of Bitcoin: whole, and their halves in the wrong
// order, with what they hold.
func blockFiles(t *testing.T, put func(name, text string) string) (groups [][]string, txs []ledger.Tx) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "bitcoin", "testdata", "blocks1-256.bz2"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := io.ReadAll(bzip2.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	var records [][]byte
	for rest := all; len(rest) > 8; {
		n := 8 + int(binary.LittleEndian.Uint32(rest[4:]))
		b, err := bitcoin.DecodeBlock(rest[8:n])
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Txs {
			txs = append(txs, ledger.Tx{Chain: chain.Bitcoin, ID: b.Txs[i].ID.TxID()})
		}
		records, rest = append(records, rest[:n]), rest[n:]
	}
	half := len(records) / 2
	late, early := bytes.Join(records[half:], nil), bytes.Join(records[:half], nil)
	return [][]string{
		{put("blk00000.dat", string(all))},
		{put("blk00001.dat", string(late)), put("blk00002.dat", string(early))},
	}, txs
}

// coins are the inputs and outputs of transactions, as text.
func coins(t interface {
	Helper()
	Fatal(...any)
}, r ledger.Reader, txs []ledger.Tx,
) string {
	t.Helper()
	refs, err := r.TxRefs(ctx, txs)
	if err != nil {
		t.Fatal(err)
	}
	held, err := r.UTXOs(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, u := range held {
		fmt.Fprintf(&b, "%+v\n", u)
	}
	return b.String()
}

// TestAnyOrder: whatever the order of the files, however often they come,
// however they are split into imports and wherever an import was interrupted
// before it went on, a ledger holds the same, and what the plain model holds.
func TestAnyOrder(t *testing.T) {
	groups, want := orderFiles(t)
	dir := t.TempDir()
	blocks, txs := blockFiles(t, func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	})
	groups = append(groups, blocks...)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > 8 { // rapid's hundred would take minutes; the draws differ in every run
			return
		}
		path := filepath.Join(dir, fmt.Sprint(runs))
		l, err := ledger.Open(ctx, path, ledger.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		defer l.Close()
		var model ingesttest.Store
		order := rapid.Permutation(groups).Draw(rt, "order")
		for i := 0; i < len(order); {
			n := rapid.IntRange(1, 4).Draw(rt, "together")
			var files []string
			for _, g := range order[i:min(i+n, len(order))] {
				files = append(files, g...)
			}
			files = rapid.Permutation(files).Draw(rt, "order in the import")
			for range rapid.IntRange(1, 2).Draw(rt, "times") {
				if left := rapid.IntRange(0, 6).Draw(rt, "interrupted after"); left > 0 {
					stopped, stop := context.WithCancel(ctx)
					runUntil(stopped, stopping{ingest.Into(l), &left, stop}, files) //nolint:errcheck // it goes on below
					stop()
				}
				run(rt, ingest.Into(l), files)
				run(rt, &model, files)
			}
			i += n
		}
		if got := digestOf(t, l); got != want {
			rt.Fatalf("the ledger's digest is %s, want %s", got, want)
		}
		list, err := model.Transfers(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		d := ledger.NewDigest()
		for i := range list {
			d.Add(&list[i], list[i].Time != 0)
		}
		if d.Sum() != want {
			rt.Fatalf("the model's digest is %s, want %s", d.Sum(), want)
		}
		got, err := l.Reader(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		defer got.Close()
		truth, err := model.Model.Reader()
		if err != nil {
			rt.Fatal(err)
		}
		if a, b := coins(rt, got, txs), coins(rt, truth, txs); a != b || !strings.Contains(a, "Known:true") {
			rt.Fatalf("the ledger's transactions of Bitcoin are not the model's:\n%.600s\n%.600s", a, b)
		}
	})
}
