package main

import (
	"os"
	"sort"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// liveBlocks measures blocks of 300 transfers, one by one, over the ledger;
// those that are deep enough become final and are merged beside.
func (b *bench) liveBlocks() error {
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.MergeInBackground(b.ctx, nil); err != nil {
		return err
	}
	const blocks, size, depth = 400, 300, 12
	g := generate.New(generate.Options{Seed: 9, Rows: blocks * size})
	rows := make([]ledger.EVMTransfer, size)
	var took []float64
	cpu := figures.ProcessorTime()
	var parent ledger.Hash
	for n := range uint64(blocks) {
		g.Next(rows)
		live := liveBlock(rows, 90_000_000+n, parent)
		parent = live.Block.Hash
		start := time.Now()
		if _, err := l.ApplyBlock(b.ctx, live); err != nil {
			return err
		}
		r, err := l.Reader(b.ctx)
		if err != nil {
			return err
		}
		took = append(took, time.Since(start).Seconds()*1e3)
		r.Close()
		if n >= depth {
			if err := l.Finalize(b.ctx, chain.Ethereum, live.Block.Number-depth); err != nil {
				return err
			}
		}
	}
	sort.Float64s(took)
	median, slow := syncs(b.dir)
	b.Add("a new block of 300 transfers, durable and visible, median", took[len(took)/2], "ms", median, "two synced appends of 64 kB and 28 bytes")
	b.Add("  processor time of it, becoming final and merging included", (figures.ProcessorTime()-cpu).Seconds()*1e3/blocks, "ms", 0, "")
	b.Add("  99th percentile", took[len(took)*99/100], "ms", slow, "likewise of those")
	return nil
}

func liveBlock(rows []ledger.EVMTransfer, number uint64, parent ledger.Hash) ledger.LiveBlock {
	b := ledger.LiveBlock{What: ledger.CoverTokens, Block: ledger.BlockFact{
		Chain: chain.Ethereum, Number: number, Hash: ledger.Hash{1, byte(number), byte(number >> 8), byte(number >> 16)}, Parent: parent,
		Time: chain.Time(1_700_000_000_000 + 12_000*int64(number)), HasTime: true,
	}}
	for i := range rows {
		t := &rows[i]
		id, _ := chain.NewTxID(t.Tx[:])
		b.Facts.Transfers = append(b.Facts.Transfers, chain.Transfer{
			Chain: chain.Ethereum, Time: b.Block.Time, Block: number, Index: uint32(i), Tx: id, Kind: chain.KindToken, Ordinal: uint32(i),
			From: chain.EVM(chain.Ethereum, t.From), To: chain.EVM(chain.Ethereum, t.To),
			Asset: chain.Token(chain.EVM(chain.Ethereum, t.Contract)), Amount: t.Amount,
		})
	}
	return b
}

// syncs is what two synced writes take, at the median and the 99th percentile.
func syncs(dir string) (median, slow float64) {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0, 0
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []float64
	for i := range 200 {
		start := time.Now()
		f.WriteAt(make([]byte, 64<<10), int64(i+1)<<16)
		f.Sync()
		f.WriteAt(make([]byte, 28), 0)
		f.Sync()
		took = append(took, time.Since(start).Seconds()*1e3)
	}
	sort.Float64s(took)
	return took[len(took)/2], took[len(took)*99/100]
}
