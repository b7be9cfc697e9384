package main

import (
	"fmt"
	"path/filepath"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

const (
	coinBatch   = 2000   // transactions added at a time
	coinLookups = 20_000 // of each question
)

// coins imports as many transactions of a UTXO chain as there are rows, and
// asks for them.
func (b *bench) coins() error {
	making := begin()
	g := generate.NewCoins(1)
	for range b.rows {
		g.Next()
	}
	_, made := making.end(b.rows)
	alone := figures.PeakMemory()
	if err := b.importCoins(made, alone); err != nil {
		return err
	}
	s, err := ledger.Describe(b.ctx, filepath.Join(b.dir, "coins"))
	if err != nil {
		return err
	}
	n := float64(s.UTXOTxs)
	var accounts int64
	for _, p := range s.Parts {
		if p.Name == "accounts' dictionary" {
			accounts = p.Bytes
		}
		b.Add("  "+p.Name, float64(p.Bytes)/n, "bytes", 0, "")
	}
	b.Add("bytes a UTXO transaction, whole", float64(s.Bytes)/n, "bytes", 0, "")
	b.Add("  inputs and outputs", float64(s.UTXOBytes)/n, "bytes", 0, "")
	b.Add("  accounts", float64(accounts)/n, "bytes", 0, "")
	b.Add("  ids and their lookup", float64(s.HashBytes)/n, "bytes", 0, "")
	b.Add("  inputs a transaction", float64(s.Inputs)/n, "", 0, "")
	b.Add("  outputs a transaction", float64(s.Outputs)/n, "", 0, "")
	return b.askCoins()
}

// importCoins is told what making the transactions up takes alone: time, and the
// highest resident memory with the list of unspent outputs.
func (b *bench) importCoins(made, alone float64) error {
	l, err := b.open("coins")
	if err != nil {
		return err
	}
	defer l.Close()
	whole := begin()
	im, err := l.Begin(b.ctx, "coins")
	if err != nil {
		return err
	}
	g := generate.NewCoins(1)
	var f ledger.Facts
	for n := range b.rows {
		f.UTXOs = append(f.UTXOs, g.Next())
		if len(f.UTXOs) == coinBatch || n == b.rows-1 {
			if err := im.Add(&f); err != nil {
				return err
			}
			f.UTXOs = f.UTXOs[:0]
		}
	}
	_, gathered := whole.end(b.rows)
	if _, err := im.Commit(b.ctx); err != nil {
		return err
	}
	rate, all := whole.end(b.rows)
	b.Add("import of UTXO transactions into finished segments", rate, "txs/s", 0, "")
	b.Add("  processor time of it, all cores", all-made, "ns/tx", made, "making them up, which is left out")
	b.Add("  of which written in runs", gathered-made, "ns/tx", 0, "")
	b.Add("memory after importing them, highest resident", figures.PeakMemory(), "MB", alone, "making them up alone")
	return nil
}

// askCoins measures single and batched questions about transactions drawn
// evenly.
func (b *bench) askCoins() error {
	r, shut, err := b.reader("coins")
	if err != nil {
		return err
	}
	defer shut()
	names := make([]ledger.Tx, 0, coinLookups)
	g := generate.NewCoins(1)
	every := max(1, b.rows/coinLookups)
	var who []chain.Account
	for n := range b.rows {
		u := g.Next()
		if n%every == 0 {
			names, who = append(names, ledger.Tx{Chain: u.Chain, ID: u.Tx}), append(who, u.Outputs[0].Account)
		}
	}
	var refs []ledger.TxRef
	var txs []ledger.UTXOTx
	var pages []ledger.OutputPage
	accounts, err := r.AccountRefs(b.ctx, who)
	if err != nil {
		return err
	}
	queries := make([]ledger.Query, len(accounts))
	for i, a := range accounts {
		queries[i] = ledger.Query{Account: a, Limit: 100}
	}
	for _, q := range []struct {
		what string
		ask  func() error
	}{
		{"a UTXO transaction found by its id", func() error { refs, err = r.TxRefs(b.ctx, names); return err }},
		{"a UTXO transaction with accounts, spent outputs and spenders", func() error { txs, err = r.UTXOs(b.ctx, refs); return err }},
		{"an account's first 100 outputs with their spenders", func() error { pages, err = r.OutputsOf(b.ctx, queries); return err }},
	} {
		if err := q.ask(); err != nil { // warm
			return err
		}
		p, start := begin(), time.Now()
		if err := q.ask(); err != nil {
			return err
		}
		_, ns := p.end(uint64(len(names)))
		b.Add(q.what, ns/1000, "us", float64(time.Since(start).Microseconds())/float64(len(names)), "by the clock")
	}
	outputs, spent := 0, 0
	for i := range txs {
		for _, o := range txs[i].Outputs {
			if outputs++; !o.Spender.Tx.IsZero() {
				spent++
			}
		}
	}
	found := 0
	for i := range pages {
		found += len(pages[i].Outputs)
	}
	if outputs == 0 || spent == 0 || found < len(pages) {
		return fmt.Errorf("the ledger lost outputs: %d, %d spent, %d by account", outputs, spent, found)
	}
	b.Add("  outputs a page of those", float64(found)/float64(len(pages)), "", 0, "")
	return nil
}
