package trace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"bongsu/chain"
	"bongsu/ledger"
)

// readLog digests the transfers that a run reads, in order, for each chain.
type readLog struct {
	rows    []ledger.Row // whose text is not written yet
	buf     []byte       // their text, while it is
	text    []byte       // not digested yet, of the rows before
	chain   ledger.ChainRef
	into    *rowDigest // of that chain
	digests map[chain.ID]*rowDigest
}

const (
	readBatch = 2048    // rows that are written out at once
	textBatch = 1 << 14 // bytes that are digested at once, while they are near
)

// add takes a row; text writes it, and is nil where rows are to be written out
// together.
func (l *readLog) add(ctx context.Context, r ledger.Reader, w *ledger.Row, text ledger.RowText) (err error) {
	if text == nil {
		if len(l.rows) == 0 {
			l.digestText()
		}
		if l.rows = append(l.rows, *w); len(l.rows) < readBatch {
			return nil
		}
		return l.flush(ctx, r)
	}
	if len(l.rows) > 0 {
		if err := l.flush(ctx, r); err != nil {
			return err
		}
	}
	if l.into == nil || l.chain != w.Chain {
		l.digestText()
		l.chain, l.into = w.Chain, l.of(w.Chain.ID(), w.Block)
	}
	d := l.into
	d.first, d.last, d.n = min(d.first, w.Block), max(d.last, w.Block), d.n+1
	if l.text, err = text(l.text); len(l.text) >= textBatch {
		l.digestText()
	}
	return err
}

// digestText digests the text gathered.
func (l *readLog) digestText() {
	if len(l.text) > 0 {
		l.into.h.Write(l.text)
		l.text = l.text[:0]
	}
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

// flush digests what was gathered.
func (l *readLog) flush(ctx context.Context, r ledger.Reader) error {
	l.digestText()
	if len(l.rows) == 0 {
		return nil
	}
	for from := 0; from < len(l.rows); {
		to := from + 1
		for to < len(l.rows) && l.rows[to].Chain == l.rows[from].Chain {
			to++
		}
		if err := l.digest(ctx, r, l.rows[from:to]); err != nil {
			return err
		}
		from = to
	}
	l.rows = l.rows[:0]
	return nil
}

// digest digests rows of one chain.
func (l *readLog) digest(ctx context.Context, r ledger.Reader, rows []ledger.Row) (err error) {
	if l.buf, err = ledger.AppendRows(ctx, r, rows, l.buf[:0]); err != nil {
		return err
	}
	d := l.of(rows[0].Chain.ID(), rows[0].Block)
	for i := range rows {
		d.first, d.last = min(d.first, rows[i].Block), max(d.last, rows[i].Block)
	}
	d.n += uint64(len(rows))
	d.h.Write(l.buf)
	return nil
}

// addUTXO digests a transaction of a UTXO chain: a row from each input's
// account, in order, then a row to each output's.
func (l *readLog) addUTXO(tx *ledger.UTXOTx) {
	d := l.of(tx.Chain, tx.Block)
	row := ledger.NewDigestTo(d.h)
	t := chain.Transfer{Chain: tx.Chain, Time: tx.Time, Block: tx.Block, Index: tx.Index, Tx: tx.Tx, Kind: chain.KindNative, Asset: tx.Chain.Native()}
	for i := range tx.Inputs {
		t.From, t.Amount = tx.Inputs[i].Account, tx.Inputs[i].Value
		row.Add(&t, true)
	}
	t.From = chain.Account{}
	for i := range tx.Outputs {
		t.To, t.Amount = tx.Outputs[i].Account, tx.Outputs[i].Value
		row.Add(&t, true)
	}
	d.n += row.Rows()
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
