package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

const (
	blockRows  = 300
	finalAfter = 12 // blocks on top of one
)

// liveBlocks measures blocks of 300 transfers over the ledger, each behind the
// one before it and then a thousand times as often as Ethereum makes them; those
// that are deep enough become final and are merged beside.
func (b *bench) liveBlocks() error {
	const blocks = 1000
	f, err := b.newFollower(2 * blocks)
	if err != nil {
		return err
	}
	defer f.close()
	cpu := figures.ProcessorTime()
	for range blocks {
		if err := f.block(b.ctx); err != nil {
			return err
		}
	}
	used := (figures.ProcessorTime() - cpu).Seconds() * 1e3 / blocks
	b.latencies("a new block of 300 transfers, durable and visible", f)
	b.Add("  processor time of it, becoming final and merging included", used, "ms", 0, "")
	tick := time.NewTicker(blockEvery)
	defer tick.Stop()
	for range blocks {
		if err := f.block(b.ctx); err != nil {
			return err
		}
		<-tick.C
	}
	b.latencies("  one every 12 ms", f)
	return nil
}

// latencies adds how long blocks took, each figure beside the same one of bare
// writes of as many bytes between them.
func (b *bench) latencies(name string, f *follower) {
	slices.Sort(f.took)
	slices.Sort(f.bare.took)
	n := len(f.took)
	b.Add(name+", median", f.took[n/2], "ms", f.bare.took[n/2], "bare writes between the blocks, synced twice likewise")
	b.Add("  99th percentile", f.took[n*99/100], "ms", f.bare.took[n*99/100], "likewise of those")
	b.Add("  the slowest", f.took[n-1], "ms", f.bare.took[n-1], "likewise of those")
	f.took, f.bare.took = f.took[:0], f.bare.took[:0]
}

// blockEvery is how often blocks come where they do not come one behind the
// other: a thousand times as often as Ethereum's.
const blockEvery = 12 * time.Millisecond

// beside measures the same blocks while as many rows as the ledger has are
// imported beside, as by another process.
func (b *bench) beside() error {
	f, err := b.newFollower(1 << 20)
	if err != nil {
		return err
	}
	defer f.close()
	start := time.Now()
	imported := make(chan error, 1)
	go func() { imported <- b.importMore() }()
	tick := time.NewTicker(blockEvery)
	defer tick.Stop()
	for going := true; going; {
		if err := f.block(b.ctx); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case err := <-imported:
			if err != nil {
				return err
			}
			going = false
		}
	}
	took := time.Since(start)
	b.Add("blocks of 300 transfers during an import", float64(len(f.took)), "blocks", 0, "")
	b.latencies("  of them", f)
	b.Add("  the whole import", took.Seconds()*1e3, "ms", 0, "")
	return nil
}

// importMore imports other rows in the same blocks.
func (b *bench) importMore() error {
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	im, err := l.Begin(b.ctx, "more")
	if err != nil {
		return err
	}
	opt := b.opt
	opt.Seed = 2
	g := generate.New(opt)
	batch := make([]ledger.EVMTransfer, 4096)
	for n := g.Next(batch); n > 0; n = g.Next(batch) {
		if err := im.AddEVM(chain.Ethereum, batch[:n]); err != nil {
			return err
		}
	}
	_, err = im.Commit(b.ctx)
	return err
}

// follower applies blocks, one after the other.
type follower struct {
	l      *ledger.Ledger
	g      *generate.Generator
	rows   []ledger.EVMTransfer
	first  uint64
	next   uint64
	parent ledger.Hash
	took   []float64 // ms of each, until a Reader sees it
	bare   bareLog
}

// newFollower opens the ledger, merging beside, and goes on behind its last live
// block. The caller closes it.
func (b *bench) newFollower(blocks uint64) (*follower, error) {
	l, err := b.open("main")
	if err != nil {
		return nil, err
	}
	err = l.MergeInBackground(b.ctx, nil)
	last, _, lerr := l.Live(b.ctx, chain.Ethereum)
	bare, berr := newBareLog(b.dir)
	if err = cmp.Or(err, lerr, berr); err != nil {
		l.Close()
		return nil, err
	}
	first := max(90_000_000, last.Number+1)
	g := generate.New(generate.Options{Seed: first, Rows: blocks * blockRows})
	return &follower{l: l, g: g, rows: make([]ledger.EVMTransfer, blockRows), first: first, next: first, parent: last.Hash, bare: bare}, nil
}

func (f *follower) close() {
	f.l.Close()
	f.bare.close()
}

func (f *follower) block(ctx context.Context) error {
	f.g.Next(f.rows)
	live := liveBlock(f.rows, f.next, f.parent)
	f.parent = live.Block.Hash
	start := time.Now()
	if _, err := f.l.ApplyBlock(ctx, live); err != nil {
		return err
	}
	r, err := f.l.Reader(ctx)
	if err != nil {
		return err
	}
	f.took = append(f.took, time.Since(start).Seconds()*1e3)
	r.Close()
	if err := f.bare.append(); err != nil {
		return err
	}
	if f.next++; f.next-f.first <= finalAfter {
		return nil
	}
	return f.l.Finalize(ctx, chain.Ethereum, f.next-1-finalAfter)
}

func liveBlock(rows []ledger.EVMTransfer, number uint64, parent ledger.Hash) ledger.LiveBlock {
	b := ledger.LiveBlock{What: ledger.CoverTokens, Block: ledger.BlockFact{
		Chain: chain.Ethereum, Number: number, Hash: ledger.Hash{1, byte(number), byte(number >> 8), byte(number >> 16)}, Parent: parent,
		Time: chain.Time(1_700_000_000_000 + 12_000*int64(number)), HasTime: true,
	}}
	for i := range rows {
		t := &rows[i]
		binary.BigEndian.PutUint64(t.Tx[24:], number) // no transaction is in two blocks
		id, _ := chain.NewTxID(t.Tx[:])
		b.Facts.Transfers = append(b.Facts.Transfers, chain.Transfer{
			Chain: chain.Ethereum, Time: b.Block.Time, Block: number, Index: uint32(i), Tx: id, Kind: chain.KindToken, Ordinal: uint32(i),
			From: chain.EVM(chain.Ethereum, t.From), To: chain.EVM(chain.Ethereum, t.To),
			Asset: chain.Token(chain.EVM(chain.Ethereum, t.Contract)), Amount: t.Amount,
		})
	}
	return b
}
