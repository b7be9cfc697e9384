package ledger_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// TestCheckNamesTheBlocks flips bytes of large files, two at once: both are
// reported, with few blocks where the bytes tell of few, and what lies behind
// those is read without a fault.
func TestCheckNamesTheBlocks(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(10, 0)
	l := open(t, dir, opt)
	const rows = 80_000
	f := &ledger.Facts{}
	for n := range rows {
		x := transferOf(n)
		raw := make([]byte, 32)
		raw[0], raw[1], raw[2], raw[3] = byte(n/2*37), byte(n/2), byte(n/512), byte(n>>17)
		x.Tx, _ = chain.NewTxID(raw)
		f.Transfers = append(f.Transfers, x)
	}
	if err := try(l, f, false); err != nil {
		t.Fatal(err)
	}
	l.Close()
	const first, last = 100, 100 + rows/4 - 1
	for _, part := range []string{"rows", "txs", "idx"} {
		found, err := filepath.Glob(filepath.Join(dir, "segment-*."+part))
		if err != nil || len(found) != 1 {
			t.Fatalf("%v %v", found, err)
		}
		data, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		places := []int{len(data) / 5, len(data) / 5 * 3}
		flip(t, found[0], data, places...)
		rep, err := ledger.Check(ctx, dir)
		if err != nil || len(rep.Damages) != len(places) {
			t.Fatalf("%s: %d damages, want %d: %+v (%v)", part, len(rep.Damages), len(places), rep.Damages, err)
		}
		for _, d := range rep.Damages {
			width, ordered := d.To-d.From, !strings.Contains(d.What, "section postings") && !strings.Contains(d.What, "section tx")
			if part != "idx" {
				ordered = true
			}
			if d.From < first || d.To > last || d.To < d.From || ordered && width > (last-first)/2 {
				t.Errorf("%s: %+v", part, d)
			}
			if part == "rows" {
				readsBehind(t, dir, d.To)
			}
		}
		flip(t, found[0], data, places...)
	}
	if rep, err := ledger.Check(ctx, dir); err != nil || len(rep.Damages) > 0 {
		t.Fatalf("put right again: %v %+v", err, rep.Damages)
	}
}

// TestCheckNamesTheBlocksOfOutputs is the same for inputs and outputs.
func TestCheckNamesTheBlocksOfOutputs(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(10, 0)
	l := open(t, dir, opt)
	g := generate.NewCoins(1)
	f := &ledger.Facts{}
	for range 20_000 {
		f.UTXOs = append(f.UTXOs, g.Next())
	}
	if err := try(l, f, false); err != nil {
		t.Fatal(err)
	}
	l.Close()
	found, err := filepath.Glob(filepath.Join(dir, "segment-*.utxo"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	first, last := f.UTXOs[0].Block, f.UTXOs[len(f.UTXOs)-1].Block
	narrow := 0
	for at := 1 << 15; at < len(data)-1<<16; at += 1 << 16 {
		flip(t, found[0], data, at)
		rep, err := ledger.Check(ctx, dir)
		if err != nil || len(rep.Damages) != 1 {
			t.Fatalf("byte %d: %+v (%v)", at, rep.Damages, err)
		}
		d := rep.Damages[0]
		if d.From < first || d.To > last || d.To < d.From {
			t.Errorf("byte %d: %+v", at, d)
		}
		if d.To-d.From < (last-first)/2 {
			narrow++
		} else if strings.Contains(d.What, "(section ins)") || strings.Contains(d.What, "(section outs)") || strings.Contains(d.What, "(section txs)") {
			t.Errorf("byte %d: the whole segment: %+v", at, d)
		}
		flip(t, found[0], data, at)
	}
	if narrow == 0 {
		t.Error("no range is narrower than the segment")
	}
}

// readsBehind reads the rows of the blocks above one, up to the next damage.
func readsBehind(t *testing.T, dir string, block uint64) {
	t.Helper()
	l := open(t, dir, ledger.Options{ReadOnly: true})
	defer l.Close()
	r := reader(t, l)
	read := func(from, to uint64) error {
		return r.Scan(ctx, chain.Ethereum, ledger.Key{Chain: ledger.RefOfChain(chain.Ethereum), Block: from}, ledger.Key{Chain: ledger.RefOfChain(chain.Ethereum), Block: to}, func([]ledger.Row) error { return nil })
	}
	if err := read(block+1, block+100); err != nil {
		t.Errorf("blocks above %d: %v", block, err)
	}
	if err := read(block-10, block+1); err == nil {
		t.Errorf("block %d is not hurt", block)
	}
}

func flip(t *testing.T, name string, data []byte, places ...int) {
	t.Helper()
	for _, i := range places {
		data[i] ^= 0x10
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
