package ledger

import (
	"bytes"
	"os"
	"path/filepath"
	"sync/atomic"
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
	good, _ := os.ReadFile(w.f.(osFile).Name())
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		name := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var about segmentInfo
		if s, err := openSheet(name, "s", &about); err == nil {
			s.section("rows")
			s.hurtPages()
		}
	})
}

// FuzzCoins reads a sheet of inputs and outputs whose columns are hostile and
// whose checksums fit: every question about it ends, with an answer or as a
// corruption.
func FuzzCoins(f *testing.F) {
	held := sampleCoins(f)
	f.Add(uint16(3), uint16(40), byte(0x80))
	f.Add(uint16(200), uint16(9), byte(1))
	f.Fuzz(func(t *testing.T, at, step uint16, flip byte) {
		raw := bytes.Clone(held.coins.sheet.data)
		size := int(held.coins.sheet.trailer.Size)
		for i := int(at) % size; i < size; i += 1 + int(step) {
			raw[i] ^= flip
		}
		s := hostileCoins(t, held, raw)
		ask := func(question func()) {
			var err error
			defer func() { caught(recover(), &err) }()
			question()
		}
		ask(func() { s.coins.consistent(s) }) //nolint:errcheck // only that it returns
		for n := range uint32(s.Txs) {
			ask(func() { s.coins.read(s, n, &coinTx{}) })
		}
		q := Query{Account: 1}
		ask(func() {
			s.coins.outputsOf(&q, func(uint32) Key { return Key{} }, func(uint32, Key) bool { return true })
		})
		ask(func() { s.coins.pointsOf(make([]byte, coinIDLen), 0, func(uint32) {}) })
	})
}

// sampleCoins is a small segment with inputs and outputs.
func sampleCoins(tb testing.TB) *segment {
	dir := tb.TempDir()
	w, err := newSegmentWriter(osDisk{}, dir, 1, chain.Bitcoin)
	if err != nil {
		tb.Fatal(err)
	}
	b := &mergedBlock{state: blockState{number: 5}}
	id := func(n int) chain.TxID { return chain.Hash32([32]byte{byte(n * 7), byte(n)}) }
	for n := range 150 {
		t := mergedTx{id: id(n), index: uint32(n), coins: &coinTx{coinbase: n == 0}}
		for k := range n % 4 {
			t.coins.ins = append(t.coins.ins, coinIn{prev: OutPoint{id(n - k), uint32(k)}, known: k == 1, account: 3, value: chain.Units(9)})
		}
		for k := range 1 + n%3 {
			t.coins.outs = append(t.coins.outs, coinOut{account: AccountRef(1 + n%5*k), value: chain.Units(uint64(n) * 1e8)})
		}
		t.coins.outs = append(t.coins.outs, coinOut{data: []byte{byte(n), 2}})
		b.txs = append(b.txs, t)
	}
	if err := w.add(b); err != nil {
		tb.Fatal(err)
	}
	if _, err := w.finish(); err != nil {
		tb.Fatal(err)
	}
	s, err := openSegment(dir, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// hostileCoins is the segment with other bytes for its inputs and outputs,
// whose pages all count as verified.
func hostileCoins(tb testing.TB, held *segment, raw []byte) *segment {
	own, c, sh := *held, *held.coins, *held.coins.sheet
	sh.data, sh.good = raw, make([]atomic.Uint32, len(sh.good))
	for i := range sh.good {
		sh.good[i].Store(1)
	}
	c.sheet, own.coins = &sh, &c
	if err := c.attach(sh.section); err != nil {
		tb.Fatal(err)
	}
	c.regions()
	return &own
}
