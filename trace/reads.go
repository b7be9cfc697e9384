package trace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// readLog digests the transfers that a run reads, in order, for each chain.
// Rows are gathered by the simulation, and a goroutine writes their text and
// digests it while the next ones are gathered: it is a third of the work of a
// large trace, and nothing waits for it. Whoever runs a simulation joins the
// goroutine before the reader may be closed.
type readLog struct {
	rows    []ledger.Row            // gathered
	digests map[chain.ID]*rowDigest // the goroutine's until it is joined

	given []ledger.Row // what the goroutine digests
	text  []byte       // its own
	done  chan error   // gets one error; nil: no goroutine runs
	err   error        // of the last one: no other runs after an error
}

const (
	readBatch = 512 // rows that are digested at once
	usualText = 300 // bytes of a row's text, about
)

// add takes a row.
func (l *readLog) add(ctx context.Context, r ledger.Reader, w *ledger.Row) error {
	if l.rows = append(l.rows, *w); len(l.rows) < readBatch {
		return nil
	}
	return l.digestBeside(ctx, r)
}

// digestBeside lets a goroutine digest what was gathered.
func (l *readLog) digestBeside(ctx context.Context, r ledger.Reader) error {
	if l.join(); l.err != nil {
		return l.err
	}
	l.rows, l.given = slices.Grow(l.given[:0], readBatch), l.rows
	done := make(chan error, 1)
	l.done = done
	go func() { done <- l.digest(ctx, r) }()
	return nil
}

// join waits for the goroutine.
func (l *readLog) join() {
	if l.done != nil {
		l.err, l.done = <-l.done, nil
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

// flush digests what was gathered, and lets its memory go.
func (l *readLog) flush(ctx context.Context, r ledger.Reader) error {
	if l.join(); l.err != nil {
		return l.err
	}
	l.given, l.rows = l.rows, nil
	err := l.digest(ctx, r)
	l.given, l.text = nil, nil
	return err
}

// digest digests the rows given, chain by chain.
func (l *readLog) digest(ctx context.Context, r ledger.Reader) (err error) {
	defer caught(&err)
	for rows := l.given; len(rows) > 0; {
		n := 1
		for n < len(rows) && rows[n].Chain == rows[0].Chain {
			n++
		}
		if l.text, err = ledger.AppendRows(ctx, r, rows[:n], slices.Grow(l.text[:0], n*usualText)); err != nil {
			return err
		}
		d := l.of(rows[0].Chain.ID(), rows[0].Block)
		for i := range rows[:n] {
			d.first, d.last = min(d.first, rows[i].Block), max(d.last, rows[i].Block)
		}
		d.n += uint64(n)
		d.h.Write(l.text)
		rows = rows[n:]
	}
	return nil
}

// addUTXO digests a transaction of a UTXO chain: a row from each input's
// account, in order, then a row to each output's.
func (l *readLog) addUTXO(tx *ledger.UTXOTx) {
	l.join()
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

func sumText(h interface{ Sum([]byte) []byte }) string {
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
