// Package inmemory is a follow.Ledger over the plainest ledger (ledger/model),
// for tests: the same refusals as the engine's, nothing on a disk. It is an
// oracle, not a store, and safe for one follower at a time with any readers.
package inmemory

import (
	"context"
	"sync"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

// Ledger holds everything in memory. The zero is empty.
type Ledger struct {
	mu    sync.Mutex // owns all below
	model model.Model
	live  map[chain.ID][]ledger.Block // ascending, without a gap
	final map[chain.ID]uint64

	Applied, RolledBack, Committed int // calls that succeeded
}

// Reader implements follow.Ledger and ingest.Store.
func (l *Ledger) Reader(context.Context) (ledger.Reader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.model.Reader()
}

// Begin implements follow.Ledger.
func (l *Ledger) Begin(context.Context, string) (ingest.Import, error) { return &pending{of: l}, nil }

type pending struct {
	of    *Ledger
	facts ledger.Facts
}

func (p *pending) Add(f *ledger.Facts) error {
	p.facts.Transfers = append(p.facts.Transfers, f.Transfers...)
	p.facts.Txs = append(p.facts.Txs, f.Txs...)
	p.facts.Blocks = append(p.facts.Blocks, f.Blocks...)
	p.facts.Notes = append(p.facts.Notes, f.Notes...)
	p.facts.UTXOs = append(p.facts.UTXOs, f.UTXOs...)
	p.facts.Assets = append(p.facts.Assets, f.Assets...)
	p.facts.Claims = append(p.facts.Claims, f.Claims...)
	return nil
}

func (p *pending) Checkpoint([]byte) error { return nil }
func (p *pending) Cursor() []byte          { return nil }
func (p *pending) Abort() error            { return nil }

func (p *pending) Commit(context.Context) (ledger.Stats, error) {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.of.Committed++
	return ledger.Stats{Added: uint64(len(p.facts.Transfers))}, p.of.model.Add(&p.facts)
}

// ApplyBlock implements follow.Ledger.
func (l *Ledger) ApplyBlock(_ context.Context, b ledger.LiveBlock) (ledger.Stats, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, blocks := b.Block.Chain, l.live[b.Block.Chain]
	if n := len(blocks); n > 0 && (b.Block.Number != blocks[n-1].Number+1 || b.Block.Parent != blocks[n-1].Hash) {
		return ledger.Stats{}, errs.New("apply block", errs.Conflict, "", "does not follow the last live block", "")
	}
	l.model.ApplyBlock(b)
	if l.live == nil {
		l.live, l.final = map[chain.ID][]ledger.Block{}, map[chain.ID]uint64{}
	}
	l.live[id] = append(blocks, ledger.Block{
		Number: b.Block.Number, Hash: b.Block.Hash, Parent: b.Block.Parent, Time: b.Block.Time, HasTime: true, Known: true,
	})
	l.Applied++
	return ledger.Stats{Added: uint64(len(b.Facts.Transfers))}, nil
}

// Rollback implements follow.Ledger.
func (l *Ledger) Rollback(_ context.Context, id chain.ID, number uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	blocks := l.live[id]
	if final, ok := l.final[id]; ok && number < final || len(blocks) == 0 || number+1 < blocks[0].Number {
		return errs.New("roll back", errs.Conflict, "", "final blocks stay", "")
	}
	l.model.Rollback(id, number)
	for len(blocks) > 0 && blocks[len(blocks)-1].Number > number {
		blocks = blocks[:len(blocks)-1]
	}
	l.live[id] = blocks
	l.RolledBack++
	return nil
}

// Finalize implements follow.Ledger.
func (l *Ledger) Finalize(_ context.Context, id chain.ID, number uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.final[id] = max(l.final[id], number)
	l.model.Finalize(id, number)
	return nil
}

// Live implements follow.Ledger.
func (l *Ledger) Live(_ context.Context, id chain.ID) (last, final ledger.Block, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.live[id] {
		last = b
		if f, ok := l.final[id]; ok && b.Number <= f {
			final = b
		}
	}
	return last, final, nil
}
