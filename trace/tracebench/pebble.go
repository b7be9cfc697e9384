package main

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"unsafe"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleReader is the same rows in Pebble: a key for each side of a row,
// ordered by account, asset and place; names and the rest come from the ledger.
type pebbleReader struct {
	ledger.Reader
	db *pebble.DB
}

const rowBytes = int(unsafe.Sizeof(ledger.Row{}))

func pebbleKey(account ledger.AccountRef, asset ledger.AssetRef, k ledger.Key) []byte {
	b := make([]byte, 0, 56)
	b = binary.BigEndian.AppendUint64(b, uint64(account))
	b = binary.BigEndian.AppendUint32(b, uint32(asset))
	b = binary.BigEndian.AppendUint64(b, k.Block)
	b = binary.BigEndian.AppendUint32(b, k.Index)
	b = binary.BigEndian.AppendUint64(b, k.Tx)
	b = append(b, byte(k.Kind))
	b = binary.BigEndian.AppendUint32(b, k.Ordinal)
	b = binary.BigEndian.AppendUint32(b, k.Row)
	return binary.BigEndian.AppendUint32(b, k.Rank)
}

// rowValue is a row's memory: the baseline decodes nothing at all.
func rowValue(w *ledger.Row) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(w)), rowBytes) }

func loadPebble(ctx context.Context, r ledger.Reader, dir string) (*pebbleReader, error) {
	db, err := pebble.Open(dir, &pebble.Options{DisableWAL: true})
	if err != nil {
		return nil, err
	}
	batch := db.NewBatch()
	err = r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		for i := range rows {
			w := &rows[i]
			for _, ref := range []ledger.AccountRef{w.From, w.To} {
				if err := batch.Set(pebbleKey(ref, w.Asset, w.Key), rowValue(w), nil); err != nil {
					return err
				}
			}
		}
		if batch.Len() < 32<<20 {
			return nil
		}
		if err := batch.Commit(pebble.NoSync); err != nil {
			return err
		}
		batch = db.NewBatch()
		return nil
	})
	if err == nil {
		err = batch.Commit(pebble.NoSync)
	}
	if err == nil {
		err = db.Flush()
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return &pebbleReader{r, db}, nil
}

// each calls see with the rows of a book after one place and before another.
func (p *pebbleReader) each(account ledger.AccountRef, asset ledger.AssetRef, after, until ledger.Key, see func(*ledger.Row) bool) (err error) {
	low := pebbleKey(account, asset, after)
	if !after.IsZero() {
		low = append(low, 0)
	}
	high := pebbleKey(account, asset+1, ledger.Key{})
	if !until.IsZero() {
		high = pebbleKey(account, asset, until)
	}
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: low, UpperBound: high})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := it.Close(); err == nil {
			err = cerr
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		var w ledger.Row
		copy(rowValue(&w), it.Value())
		if !see(&w) {
			break
		}
	}
	return nil
}

func (p *pebbleReader) Activity(_ context.Context, qs []ledger.Query, into *ledger.Pages) error {
	for _, q := range qs {
		left, more := q.Limit, false
		err := p.each(q.Account, q.Asset, q.After, q.Until, func(w *ledger.Row) bool {
			if left == 0 {
				more = true
				return false
			}
			left--
			into.Rows = append(into.Rows, *w)
			return true
		})
		if err != nil {
			return err
		}
		into.EndPage(more)
	}
	return nil
}

func (p *pebbleReader) Balances(_ context.Context, qs []ledger.BalanceQuery) ([]ledger.Balance, error) {
	out := make([]ledger.Balance, len(qs))
	for i, q := range qs {
		b := &out[i].Amount
		err := p.each(q.Account, q.Asset, ledger.Key{}, q.Before, func(w *ledger.Row) bool {
			switch {
			case w.From == w.To:
			case w.To == q.Account:
				*b = b.MustAdd(w.Amount)
			default:
				*b = b.MustSub(w.Amount.Min(*b))
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pebble traces the same theft over the same rows in Pebble.
func (b *bench) pebble() error {
	if b.rows > b.rival {
		return nil
	}
	p, err := loadPebble(b.ctx, b.r, filepath.Join(b.dir, "pebble"))
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Join(b.dir, "pebble"))
	defer p.db.Close()
	stolen, err := b.take(0, 0, 200)
	if err != nil {
		return err
	}
	req := trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "large", Transfers: stolen}}}
	run, ours, err := b.timed(req, 3)
	if err != nil {
		return err
	}
	mine := b.r
	b.r = p
	other, theirs, err := b.timed(req, 3)
	b.r = mine
	if err != nil {
		return err
	}
	if run.Result.Digest != other.Result.Digest {
		return errDiffers
	}
	b.Add("the same trace over Pebble, same digest", float64(run.Read)/ours.Seconds(), "transfers/s", float64(run.Read)/theirs.Seconds(), "Pebble")
	return nil
}
