package ledger

import (
	"slices"
	"testing"

	"bongsu/chain"
)

// TestOccurrencesWhileWriting compares what is counted while runs are written
// with what a process counts that finds them after a crash.
func TestOccurrencesWhileWriting(t *testing.T) {
	l, err := Open(t.Context(), t.TempDir(), Options{bulkAt: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	im, err := l.Begin(t.Context(), "counted")
	if err != nil {
		t.Fatal(err)
	}
	defer im.Abort()
	account := func(i uint64) chain.Account {
		return chain.EVM(chain.Ethereum, [20]byte{byte(i), byte(i >> 8), 7})
	}
	for run := range uint64(3) {
		var f Facts
		for i := range uint64(400) {
			f.Transfers = append(f.Transfers, chain.Transfer{
				Chain: chain.Ethereum, Block: 10 + i/7, Tx: chain.Hash32([32]byte{1, byte(i), byte(i >> 8), byte(run)}),
				Ordinal: uint32(i), Kind: chain.KindToken, Asset: chain.Token(account(9999)),
				From: account(i * i % (90 + run)), To: account(i % 3), Amount: chain.Units(i),
			})
		}
		f.UTXOs = []UTXOTx{{Tx: chain.Hash32([32]byte{2, byte(run)}), Chain: chain.Bitcoin, Block: 100, Outputs: []UTXOOut{
			{Account: coinAccount(5), Value: chain.Units(1)}, {Account: coinAccount(byte(50 + run)), Value: chain.Units(2)},
		}}}
		if err := im.Add(&f); err != nil {
			t.Fatal(err)
		}
		if err := im.flushAll(); err != nil {
			t.Fatal(err)
		}
	}
	read := map[int]*occurrences{}
	for _, info := range im.runs {
		f, err := l.opt.disk.open(l.path(info.Name), false)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if read[info.Epoch] == nil {
			read[info.Epoch] = &occurrences{}
		}
		read[info.Epoch].reserve(len(im.counts[info.Epoch].list))
		r := runReader{window: newWindow(f, info.Name, info.AtBlocks, info.Bytes, runWindow), idLen: idLen(info.Chain)}
		if err := r.count(read[info.Epoch]); err != nil {
			t.Fatal(err)
		}
	}
	if len(im.runs) != 6 || len(read) != 2 {
		t.Errorf("%d runs of %d chains", len(im.runs), len(read))
	}
	for epoch, counts := range read {
		if written := im.counts[epoch].list; !slices.Equal(counts.list, written) || slices.Max(written) < 3 {
			t.Errorf("epoch %d: counted while written %v, read %v", epoch, written, counts.list)
		}
	}
}

func coinAccount(n byte) chain.Account {
	a, _ := chain.NewAccount(chain.Bitcoin, chain.FormP2PKH, slices.Repeat([]byte{n}, 20))
	return a
}
