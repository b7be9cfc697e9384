package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleReader is the same rows in Pebble: a key for each side of a row,
// ordered by account, asset and place, and one ordered by asset and place, so
// that it can be read on too; names and the rest come from the ledger.
type pebbleReader struct {
	ledger.Reader
	db *pebble.DB
}

// everyone stands for no account: under it are the rows by asset and place.
const everyone = ledger.AccountRef(1<<64 - 1)

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
			for _, ref := range []ledger.AccountRef{w.From, w.To, everyone} {
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

// AppendRows is for ledger.RowAppender: the names are the ledger's.
func (p *pebbleReader) AppendRows(ctx context.Context, rows []ledger.Row, b []byte) ([]byte, error) {
	return ledger.AppendRows(ctx, p.Reader, rows, b)
}

// ScanWhere is for ledger.WhereScanner: of one asset, by a copy of the rows that
// is ordered by asset.
func (p *pebbleReader) ScanWhere(ctx context.Context, _ chain.ID, assets []ledger.AssetRef, after, until ledger.Key, by ledger.Walker) (err error) {
	if len(assets) != 1 {
		return errSeveral
	}
	rows := make([]ledger.Row, 0, pebbleWave)
	walk := func() {
		err = ledger.Walk(nil, rows, by)
		rows = rows[:0]
	}
	broken := p.each(everyone, assets[0], after, until, func(w *ledger.Row) bool {
		if rows = append(rows, *w); len(rows) == pebbleWave {
			walk()
		}
		return err == nil
	})
	if err == nil && broken == nil {
		walk()
	}
	return errors.Join(err, broken)
}

// pebbleWave is how many rows a walker is shown at once.
const pebbleWave = 256

var errSeveral = errors.New("the rows in Pebble are read on for one asset at a time")

// pebble does the same jobs over the same rows in Pebble, on a ledger of its
// own, and holds the two results to each other.
func (b *bench) pebble() error {
	g, err := b.generated(b.rival)
	if err != nil {
		return err
	}
	defer g.close()
	large, err := g.take(busiest[:1], 0, 1000)
	if err != nil {
		return err
	}
	thousand, err := g.thousandRequest()
	if err != nil {
		return err
	}
	one, many, err := g.togetherRequests()
	if err != nil {
		return err
	}
	thousand.SkipAside = true
	err = g.beside(
		job{"tracing one busy token", trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "large", Transfers: large}}}},
		job{"a theft that touches some 1,000 accounts, without the search for bait", thousand},
		job{"one theft of 1,000 transfers", one}, job{"1,000 thefts at once", many},
	)
	if err != nil {
		return err
	}
	h, req, err := b.openHub(b.rival)
	if err != nil {
		return err
	}
	defer h.close()
	return h.beside(job{"a theft through a hub", req})
}

// job is what is asked of both.
type job struct {
	name string
	req  trace.Request
}

// beside does jobs on the ledger and over Pebble.
func (b *bench) beside(jobs ...job) error {
	dir := filepath.Join(b.dir, "pebble")
	p, err := loadPebble(b.ctx, b.r, dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer p.db.Close()
	other := *b
	other.r = p
	for _, j := range jobs {
		mine, ours, _, err := b.timed(j.req, 3)
		if err != nil {
			return err
		}
		same, theirs, _, err := other.timed(j.req, 2)
		if err != nil {
			return err
		}
		if mine.Result.Digest != same.Result.Digest {
			return errDiffers
		}
		b.Add(fmt.Sprintf("over Pebble on %s rows, same digest: %s", short(b.rows), j.name), theirs.Seconds()*1e3, "ms", ours.Seconds()*1e3, "bongsu")
	}
	return nil
}

func short(n uint64) string { return fmt.Sprintf("%.1fM", float64(n)/1e6) }
