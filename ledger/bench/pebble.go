package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"

	"github.com/cockroachdb/pebble/v2"
)

// pebble puts the same rows into Pebble as one would without an engine of
// one's own: for each side of a transfer a key of account, block and log
// index, and a value of the other side, token, transaction and amount. It has
// no dictionary and no balances.
func (b *bench) pebble(rows uint64) error {
	dir := filepath.Join(b.dir, "pebble")
	db, err := pebble.Open(dir, &pebble.Options{DisableWAL: true, Logger: quiet{}})
	if err != nil {
		return err
	}
	defer db.Close()
	opt := b.opt
	opt.Rows = rows
	g := generate.New(opt)
	batch := make([]ledger.EVMTransfer, 4096)
	start := time.Now()
	for n := g.Next(batch); n > 0; n = g.Next(batch) {
		if err := putRows(db, batch[:n]); err != nil {
			return err
		}
	}
	if err := db.Flush(); err != nil {
		return err
	}
	if err := db.Compact(b.ctx, []byte{0}, []byte{255}, true); err != nil {
		return err
	}
	load := float64(rows) / time.Since(start).Seconds()
	bytes, err := folderSize(dir)
	if err != nil {
		return err
	}
	small, err := b.smallLedger(opt)
	if err != nil {
		return err
	}
	b.Add("rows into the ledger, from memory, as many as into Pebble", small.load, "rows/s", load, "Pebble")
	b.Add("bytes a transfer, everything included", small.bytes/float64(rows), "bytes", float64(bytes)/float64(rows), "Pebble, no balances")
	theirs := pebbleActivity(db, small.accounts)
	b.Add("activity of random accounts, 2 workers, as many rows", small.activity, "accounts/s", theirs, "Pebble, without transactions' places")
	return nil
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

func putRows(db *pebble.DB, rows []ledger.EVMTransfer) error {
	w := db.NewBatch()
	var key [32]byte
	value := make([]byte, 0, 128)
	for i := range rows {
		t := &rows[i]
		for side, who := range [2][20]byte{t.From, t.To} {
			copy(key[:], who[:])
			binary.BigEndian.PutUint64(key[20:], t.Block)
			binary.BigEndian.PutUint32(key[28:], t.Ordinal<<1|uint32(side))
			other := t.To
			if side == 1 {
				other = t.From
			}
			amount := t.Amount.Bytes32()
			n := (t.Amount.BitLen() + 7) / 8
			value = append(append(append(value[:0], other[:]...), t.Contract[:]...), t.Tx[:]...)
			value = append(value, amount[32-n:]...)
			if err := w.Set(key[:], value, nil); err != nil {
				return err
			}
		}
	}
	return w.Commit(pebble.NoSync)
}

func folderSize(dir string) (n int64, err error) {
	err = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if os.IsNotExist(err) { // compacted away meanwhile
			return nil
		}
		if err == nil && !info.IsDir() {
			n += info.Size()
		}
		return err
	})
	return n, err
}

type smallLedger struct {
	load, bytes, activity float64
	accounts              [][20]byte
}

// smallLedger is the ledger with the rows that Pebble has.
func (b *bench) smallLedger(opt generate.Options) (s smallLedger, err error) {
	l, err := b.open("small")
	if err != nil {
		return s, err
	}
	defer l.Close()
	start := time.Now()
	im, err := l.Begin(b.ctx, "small")
	if err != nil {
		return s, err
	}
	g := generate.New(opt)
	batch := make([]ledger.EVMTransfer, 4096)
	for n := g.Next(batch); n > 0; n = g.Next(batch) {
		if err := im.AddEVM(chain.Ethereum, batch[:n]); err != nil {
			return s, err
		}
	}
	if _, err := im.Commit(b.ctx); err != nil {
		return s, err
	}
	s.load = float64(opt.Rows) / time.Since(start).Seconds()
	size, err := folderSize(filepath.Join(b.dir, "small"))
	if err != nil {
		return s, err
	}
	s.bytes = float64(size)
	r, err := l.Reader(b.ctx)
	if err != nil {
		return s, err
	}
	again := *b
	again.rows, again.accounts, again.assets = opt.Rows, nil, nil
	if err := again.draw(r, drawn); err != nil {
		return s, err
	}
	start = time.Now()
	if _, err := again.activityBy(r, 2); err != nil {
		return s, err
	}
	s.activity = float64(len(again.accounts)) / time.Since(start).Seconds()
	names, err := r.Accounts(b.ctx, again.accounts)
	for _, a := range names {
		s.accounts = append(s.accounts, [20]byte(a.Raw()))
	}
	return s, err
}

func pebbleActivity(db *pebble.DB, accounts [][20]byte) float64 {
	start := time.Now()
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			it, err := db.NewIter(nil)
			if err != nil {
				return
			}
			defer it.Close()
			sum := 0
			for i := w; i < len(accounts); i += 2 {
				a := accounts[i]
				n := 0
				for it.SeekGE(a[:]); it.Valid() && n < pageSize && [20]byte(it.Key()[:20]) == a; it.Next() {
					sum += len(it.Value())
					n++
				}
			}
			_ = sum
		}()
	}
	wg.Wait()
	return float64(len(accounts)) / time.Since(start).Seconds()
}
