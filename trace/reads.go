package trace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"bongsu/chain"
	"bongsu/ledger"
)

// readLog digests the transfers that a run reads, in order, for each chain.
type readLog struct {
	rows    []ledger.Row
	digests map[chain.ID]*ledger.Digest
	first   map[chain.ID]uint64 // blocks of the first and the last row
	last    map[chain.ID]uint64
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

func (l *readLog) flush(ctx context.Context, r ledger.Reader) error {
	if len(l.rows) == 0 {
		return nil
	}
	transfers, err := ledger.Expand(ctx, r, l.rows)
	if err != nil {
		return err
	}
	for i := range transfers {
		l.digest(&transfers[i], !l.rows[i].TimeUnknown)
	}
	l.rows = l.rows[:0]
	return nil
}

func (l *readLog) digest(t *chain.Transfer, timeKnown bool) {
	if l.digests == nil {
		l.digests = map[chain.ID]*ledger.Digest{}
		l.first, l.last = map[chain.ID]uint64{}, map[chain.ID]uint64{}
	}
	d := l.digests[t.Chain]
	if d == nil {
		d = ledger.NewDigest()
		l.digests[t.Chain], l.first[t.Chain] = d, t.Block
	}
	l.first[t.Chain] = min(l.first[t.Chain], t.Block)
	l.last[t.Chain] = max(l.last[t.Chain], t.Block)
	d.Add(t, timeKnown)
}

// addUTXO digests a transaction of a UTXO chain: a row from each input's
// account, in order, then a row to each output's.
func (l *readLog) addUTXO(tx *ledger.UTXOTx) {
	t := chain.Transfer{
		Chain: tx.Chain, Time: tx.Time, Block: tx.Block, Index: tx.Index, Tx: tx.Tx, Kind: chain.KindNative, Asset: tx.Chain.Native(),
	}
	for i := range tx.Inputs {
		t.From, t.To, t.Amount = tx.Inputs[i].Account, chain.Account{}, tx.Inputs[i].Value
		l.digest(&t, true)
	}
	for i := range tx.Outputs {
		t.From, t.To, t.Amount = chain.Account{}, tx.Outputs[i].Account, tx.Outputs[i].Value
		l.digest(&t, true)
	}
}

// sealRange is the digest of a range: SHA-256 over the chain, the range's
// ends, its gaps, and the digest and number of the transfers read in it.
func sealRange(id chain.ID, from, to uint64, gaps []ledger.Range, d *ledger.Digest) string {
	h := sha256.New()
	fmt.Fprintf(h, "bongsu ledger range 1\n%s,%d,%d\n", id, from, to)
	for _, g := range gaps {
		fmt.Fprintf(h, "gap,%d,%d\n", g.From, g.To)
	}
	if d == nil {
		d = ledger.NewDigest()
	}
	fmt.Fprintf(h, "rows,%d,%s\n", d.Rows(), d.Sum())
	return sumText(h)
}

func sumText(h interface{ Sum([]byte) []byte }) string {
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
