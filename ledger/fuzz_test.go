package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"bongsu/chain"
)

func sampleRecord() *record {
	id, _ := chain.NewTxID(bytes.Repeat([]byte{7}, 32))
	a := chain.EVM(chain.Ethereum, [20]byte{1})
	return &record{kind: recordLive, what: CoverAll, block: BlockFact{Chain: chain.Ethereum, Number: 9, Time: 5, HasTime: true}, facts: &Facts{
		Transfers: []chain.Transfer{{Chain: chain.Ethereum, Block: chain.NoBlock, Time: 8, Index: chain.NoIndex, Tx: id, Kind: chain.KindToken, Ordinal: 3, From: a, Asset: chain.Token(a), Amount: chain.Units(300)}},
		Txs:       []TxFact{{Chain: chain.Ethereum, Tx: id, Block: 4, Index: 2, Status: StatusFailed}},
		Notes:     []NoteFact{{Chain: chain.Ethereum, Tx: id, Log: &Log{Index: 1, Address: a, Topics: []Hash{{1}}, Data: []byte{2}}}, {Chain: chain.Ethereum, Tx: id, Call: &Call{From: a, Input: []byte{3}}}},
		UTXOs:     []UTXOTx{{Chain: chain.Bitcoin, Tx: id, Inputs: []UTXOIn{{Prev: OutPoint{id, 1}, Known: true, Value: chain.Units(1)}}, Outputs: []UTXOOut{{Data: []byte{9}}}}},
		Assets:    []chain.AssetInfo{{Asset: chain.Token(a), Symbol: "X", Decimals: 3, Source: "y"}},
		Claims:    []Claim{{chain.Ethereum, 1, 2, CoverTokens}},
	}}
}

// FuzzRecord: whatever the bytes, decoding ends without a fault, and what was
// decoded is written as it was read.
func FuzzRecord(f *testing.F) {
	f.Add(sampleRecord().encode()[recordHeader:])
	f.Add([]byte{3, 1, 'x', 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := decodeRecord(r.encode()[recordHeader:])
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(again.encode(), r.encode()) {
			t.Fatal("a record changes from one writing to the next")
		}
	})
}

// FuzzManifest: likewise.
func FuzzManifest(f *testing.F) {
	good, _ := (&manifest{Format: manifestFormat, Head: "head"}).encode()
	f.Add(good)
	f.Fuzz(func(_ *testing.T, b []byte) { decodeManifest("x", b) }) //nolint:errcheck // only that it returns
}

// FuzzSheet opens hostile files as sheets, and reads them as segments.
func FuzzSheet(f *testing.F) {
	w, err := newSheet(osDisk{}, filepath.Join(f.TempDir(), "s"), "s")
	if err != nil {
		f.Fatal(err)
	}
	w.begin("rows")
	w.write([]byte("some"))
	if _, err := w.close(&segmentInfo{Number: 3}); err != nil {
		f.Fatal(err)
	}
	good, _ := os.ReadFile(w.f.(*os.File).Name())
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		name := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var about segmentInfo
		if s, err := openSheet(name, "s", &about); err == nil {
			s.section("rows")
			s.verify() //nolint:errcheck // only that it returns
		}
	})
}
