package trace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"

	"bongsu/chain"
	"bongsu/ledger"
)

// readLog digests the transfers that a run reads, in order, for each chain.
type readLog struct {
	rows    []ledger.Row
	buf     []byte
	txs     []ledger.TxRef
	who     map[ledger.AccountRef]string // CAIP-10 text of accounts seen before
	what    map[ledger.AssetRef]chain.Asset
	digests map[chain.ID]*rowDigest
}

// readBatch is how many rows are written out at once.
const readBatch = 2048

func (l *readLog) add(ctx context.Context, r ledger.Reader, w *ledger.Row) error {
	l.rows = append(l.rows, *w)
	if len(l.rows) < readBatch {
		return nil
	}
	return l.flush(ctx, r)
}

// rowDigest is the SHA-256 over canonical rows, as ledger.Digest computes it;
// a test holds the two to each other. It remembers the text of accounts, which
// come by again and again.
type rowDigest struct {
	h           hash.Hash
	n           uint64
	first, last uint64 // blocks
}

func (d *rowDigest) sum() string { return sumText(d.h) }

// Rows is how many rows were added.
func (d *rowDigest) Rows() uint64 { return d.n }

// of is the digest of a chain.
func (l *readLog) of(id chain.ID, block uint64) *rowDigest {
	if l.digests == nil {
		l.digests = map[chain.ID]*rowDigest{}
	}
	d := l.digests[id]
	if d == nil {
		d = &rowDigest{h: sha256.New(), first: block}
		l.digests[id] = d
	}
	d.first, d.last = min(d.first, block), max(d.last, block)
	return d
}

// flush digests the rows gathered.
func (l *readLog) flush(ctx context.Context, r ledger.Reader) error {
	if len(l.rows) == 0 {
		return nil
	}
	l.txs = l.txs[:0]
	for i := range l.rows {
		l.txs = append(l.txs, l.rows[i].Tx)
	}
	txs, err := r.Txs(ctx, l.txs)
	if err != nil {
		return err
	}
	if err := l.name(ctx, r); err != nil {
		return err
	}
	var d *rowDigest
	var id chain.ID
	for i := range l.rows {
		w := &l.rows[i]
		if next := txs[i].Chain; d == nil || next != id {
			if d != nil {
				d.h.Write(l.buf)
				l.buf = l.buf[:0]
			}
			id = next
			d = l.of(id, w.Block)
		}
		d.first, d.last, d.n = min(d.first, w.Block), max(d.last, w.Block), d.n+1
		l.buf = l.appendRow(l.buf, w, &txs[i])
	}
	d.h.Write(l.buf)
	l.rows, l.buf = l.rows[:0], l.buf[:0]
	return nil
}

// name learns the names of the accounts and assets in the rows.
func (l *readLog) name(ctx context.Context, r ledger.Reader) error {
	if l.who == nil || len(l.who) > maxNamed {
		l.who, l.what = map[ledger.AccountRef]string{0: ""}, map[ledger.AssetRef]chain.Asset{0: ""}
	}
	var accounts []ledger.AccountRef
	var assets []ledger.AssetRef
	for i := range l.rows {
		for _, ref := range [2]ledger.AccountRef{l.rows[i].From, l.rows[i].To} {
			if _, ok := l.who[ref]; !ok {
				l.who[ref] = ""
				accounts = append(accounts, ref)
			}
		}
		if _, ok := l.what[l.rows[i].Asset]; !ok {
			l.what[l.rows[i].Asset] = ""
			assets = append(assets, l.rows[i].Asset)
		}
	}
	who, err := r.Accounts(ctx, accounts)
	if err != nil {
		return err
	}
	for i, ref := range accounts {
		l.who[ref] = who[i].String()
	}
	what, err := r.Assets(ctx, assets)
	if err != nil {
		return err
	}
	for i, ref := range assets {
		l.what[ref] = what[i]
	}
	return nil
}

// maxNamed bounds the names kept between batches.
const maxNamed = 1 << 18

// appendRow writes chain,time,block,tx,index,kind,from,to,asset,amount and a
// newline: an unknown time or index is empty, an inferred block has a "~", the
// amount is in base units.
func (l *readLog) appendRow(b []byte, w *ledger.Row, tx *ledger.Tx) []byte {
	b = append(append(b, tx.Chain...), ',')
	if !w.TimeUnknown {
		b = append(b, w.Stated.String()...)
	}
	b = append(b, ',')
	if w.BlockInferred {
		b = append(b, '~')
	}
	b = append(strconv.AppendUint(b, w.Block, 10), ',')
	b = append(append(b, tx.ID.Text(tx.Chain)...), ',')
	if w.Index != chain.NoIndex {
		b = strconv.AppendUint(b, uint64(w.Index), 10)
	}
	b = append(append(b, ','), w.Kind.String()...)
	b = append(append(b, ','), l.who[w.From]...)
	b = append(append(b, ','), l.who[w.To]...)
	b = append(append(b, ','), l.what[w.Asset]...)
	b = append(b, ',')
	if n, ok := w.Amount.Uint64(); ok {
		b = strconv.AppendUint(b, n, 10)
	} else {
		b = append(b, w.Amount.Base()...)
	}
	return append(b, '\n')
}

// addUTXO digests a transaction of a UTXO chain: a row from each input's
// account, in order, then a row to each output's.
func (l *readLog) addUTXO(tx *ledger.UTXOTx) {
	d := l.of(tx.Chain, tx.Block)
	w := ledger.Row{Key: ledger.Key{Block: tx.Block, Index: tx.Index, Kind: chain.KindNative}, Stated: tx.Time, From: 1, To: 2, Asset: 1}
	names := readLog{who: map[ledger.AccountRef]string{}, what: map[ledger.AssetRef]chain.Asset{1: tx.Chain.Native()}}
	row := func(from, to chain.Account, value chain.Amount) {
		names.who[1], names.who[2], w.Amount = from.String(), to.String(), value
		l.buf = names.appendRow(l.buf[:0], &w, &ledger.Tx{Chain: tx.Chain, ID: tx.Tx})
		d.h.Write(l.buf)
		d.n++
	}
	for i := range tx.Inputs {
		row(tx.Inputs[i].Account, chain.Account{}, tx.Inputs[i].Value)
	}
	for i := range tx.Outputs {
		row(chain.Account{}, tx.Outputs[i].Account, tx.Outputs[i].Value)
	}
	l.buf = l.buf[:0]
}

// sealRange is the digest of a range: SHA-256 over the chain, the range's
// ends, its gaps, and the digest and number of the transfers read in it.
func sealRange(id chain.ID, from, to uint64, gaps []ledger.Range, d *rowDigest) string {
	h := sha256.New()
	fmt.Fprintf(h, "bongsu ledger range 1\n%s,%d,%d\n", id, from, to)
	for _, g := range gaps {
		fmt.Fprintf(h, "gap,%d,%d\n", g.From, g.To)
	}
	fmt.Fprintf(h, "rows,%d,%s\n", d.Rows(), d.sum())
	return sumText(h)
}

func sumText(h interface{ Sum([]byte) []byte }) string {
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
