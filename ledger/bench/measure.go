package main

import (
	"context"
	"path/filepath"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

type bench struct {
	figures.Table
	ctx      context.Context
	dir      string
	csv      string // to import; empty: a temporary file
	rows     uint64
	boundMB  uint64 // of the step bound
	opt      generate.Options
	accounts []ledger.AccountRef // evenly drawn
	assets   []ledger.AssetRef   // of a book of each
}

func (b *bench) open(name string) (*ledger.Ledger, error) {
	return ledger.Open(b.ctx, filepath.Join(b.dir, name), ledger.Options{})
}

// reader opens a ledger for reading; shut ends it.
func (b *bench) reader(name string) (r ledger.Reader, shut func(), err error) {
	l, err := b.open(name)
	if err != nil {
		return nil, nil, err
	}
	if r, err = l.Reader(b.ctx); err != nil {
		l.Close()
		return nil, nil, err
	}
	return r, func() { r.Close(); l.Close() }, nil
}

func (b *bench) sizes() error { return b.sizesOf("main", "mixed amounts") }

func (b *bench) sizesOf(name, what string) error {
	s, err := ledger.Describe(b.ctx, filepath.Join(b.dir, name))
	if err != nil {
		return err
	}
	n := float64(s.Rows)
	b.Add("bytes a transfer, both directions, balances, dictionary; "+what, float64(s.Bytes-s.HashBytes)/n, "bytes", 0, "")
	for _, p := range s.Parts {
		b.Add("  "+p.Name, float64(p.Bytes)/n, "bytes", 0, "")
	}
	b.Add("  transaction ids and their lookup, beside that", float64(s.HashBytes)/n, "bytes", 0, "")
	return nil
}

// amountKinds measures the bytes again for sampled and for random amounts
// alone.
func (b *bench) amountKinds() error {
	rows := min(b.rows, 4_000_000)
	for _, kind := range []struct {
		name  string
		share float64
	}{{"sampled", 0}, {"random", 1}} {
		name, share := kind.name, kind.share
		l, err := b.open(name)
		if err != nil {
			return err
		}
		im, err := l.Begin(b.ctx, name)
		if err != nil {
			return err
		}
		g := generate.New(generate.Options{Seed: 1, Rows: rows, RandomShare: share})
		batch := make([]ledger.EVMTransfer, 4096)
		for n := g.Next(batch); n > 0; n = g.Next(batch) {
			if err := im.AddEVM(chain.Ethereum, batch[:n]); err != nil {
				return err
			}
		}
		if _, err := im.Commit(b.ctx); err != nil {
			return err
		}
		l.Close()
		if err := b.sizesOf(name, name+" amounts"); err != nil {
			return err
		}
	}
	return nil
}
