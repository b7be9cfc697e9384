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
	names   nameTexts
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
// a test holds the two to each other.
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
	if err := l.names.learn(ctx, r, l.rows); err != nil {
		return err
	}
	var d *rowDigest
	var text rowText
	for i := range l.rows {
		w := &l.rows[i]
		if next := txs[i].Chain; d == nil || next != text.chain {
			if d != nil {
				d.h.Write(l.buf)
				l.buf = l.buf[:0]
			}
			text = rowText{chain: next}
			d = l.of(next, w.Block)
		}
		d.first, d.last, d.n = min(d.first, w.Block), max(d.last, w.Block), d.n+1
		l.buf = text.head(l.buf, w, txs[i].ID)
		l.buf = append(append(l.buf, l.names.account(w.From)...), ',')
		l.buf = append(append(l.buf, l.names.account(w.To)...), ',')
		l.buf = append(append(l.buf, l.names.assets[w.Asset]...), ',')
		l.buf = append(w.Amount.AppendBase(l.buf), '\n')
	}
	d.h.Write(l.buf)
	l.rows, l.buf = l.rows[:0], l.buf[:0]
	return nil
}

// rowText writes the first fields of canonical rows of one chain. Neighbouring
// rows often share their block, and its text is kept.
type rowText struct {
	chain  chain.ID
	prefix []byte // chain,time,block,
	block  uint64
	time   chain.Time
	flags  uint8
}

// head writes chain,time,block,tx,index,kind, of a row: an unknown time or
// index is empty, an inferred block has a "~".
func (x *rowText) head(b []byte, w *ledger.Row, tx chain.TxID) []byte {
	flags := uint8(1)
	if w.TimeUnknown {
		flags |= 2
	}
	if w.BlockInferred {
		flags |= 4
	}
	if x.block != w.Block || x.time != w.Stated || x.flags != flags {
		p := append(append(x.prefix[:0], x.chain...), ',')
		if !w.TimeUnknown {
			p, _ = w.Stated.AppendText(p)
		}
		p = append(p, ',')
		if w.BlockInferred {
			p = append(p, '~')
		}
		x.prefix = append(strconv.AppendUint(p, w.Block, 10), ',')
		x.block, x.time, x.flags = w.Block, w.Stated, flags
	}
	b = append(b, x.prefix...)
	b = append(tx.AppendTo(b, x.chain), ',')
	if w.Index != chain.NoIndex {
		b = strconv.AppendUint(b, uint64(w.Index), 10)
	}
	return append(append(append(b, ','), w.Kind.String()...), ',')
}

// addUTXO digests a transaction of a UTXO chain: a row from each input's
// account, in order, then a row to each output's.
func (l *readLog) addUTXO(tx *ledger.UTXOTx) {
	d := l.of(tx.Chain, tx.Block)
	w := ledger.Row{Key: ledger.Key{Block: tx.Block, Index: tx.Index, Kind: chain.KindNative}, Stated: tx.Time}
	text, asset := rowText{chain: tx.Chain}, tx.Chain.Native()
	row := func(from, to chain.Account, value chain.Amount) {
		b := text.head(l.buf[:0], &w, tx.Tx)
		b, _ = from.AppendText(b)
		b = append(b, ',')
		b, _ = to.AppendText(b)
		b = append(append(append(b, ','), asset...), ',')
		l.buf = append(value.AppendBase(b), '\n')
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
