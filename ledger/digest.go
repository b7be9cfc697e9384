package ledger

import (
	"context"
	"crypto/sha256"
	"hash"
	"strconv"

	"bongsu/chain"
)

// Digest is a SHA-256 over transfers as canonical rows of our own CSV, in the
// order in which they are added: chain order, by the caller. It is what a
// trace states of the ledger it read: free of segments, references, sources
// and times of import.
//
// A row is chain,time,block,tx,index,kind,from,to,asset,amount and a newline,
// the amount in base units, an unknown time or index empty, an inferred block
// preceded by "~".
type Digest struct {
	h   hash.Hash
	buf []byte
	n   uint64
}

// NewDigest is an empty digest.
func NewDigest() *Digest { return &Digest{h: sha256.New()} }

// NewDigestTo is a digest that goes on from what h has been given. Rows counts
// from 0.
func NewDigestTo(h hash.Hash) *Digest { return &Digest{h: h} }

// Add adds one transfer. timeKnown false writes an empty time.
func (d *Digest) Add(t *chain.Transfer, timeKnown bool) {
	b := append(d.buf[:0], t.Chain...)
	b = append(b, ',')
	if timeKnown {
		b = append(b, t.Time.String()...)
	}
	b = append(b, ',')
	if t.BlockInferred {
		b = append(b, '~')
	}
	if t.Block != chain.NoBlock {
		b = strconv.AppendUint(b, t.Block, 10)
	}
	b = append(b, ',')
	b = append(b, t.Tx.Text(t.Chain)...)
	b = append(b, ',')
	if t.Index != chain.NoIndex {
		b = strconv.AppendUint(b, uint64(t.Index), 10)
	}
	for _, s := range []string{t.Kind.String(), t.From.String(), t.To.String(), string(t.Asset), t.Amount.Base()} {
		b = append(append(b, ','), s...)
	}
	b = append(b, '\n')
	d.h.Write(b)
	d.buf, d.n = b, d.n+1
}

// Rows is how many transfers were added.
func (d *Digest) Rows() uint64 { return d.n }

// Sum is the digest so far, as "sha256:" and 64 hexadecimal digits.
func (d *Digest) Sum() string {
	const digits = "0123456789abcdef"
	out := []byte("sha256:")
	for _, c := range d.h.Sum(nil) {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

// Expand writes rows out as transfers with their names, in three round trips.
// Their Block is always set; Time is 0 where Row.TimeUnknown.
func Expand(ctx context.Context, r Reader, rows []Row) ([]chain.Transfer, error) {
	accounts := make([]AccountRef, 0, 2*len(rows))
	assets := make([]AssetRef, len(rows))
	txs := make([]TxRef, len(rows))
	for i := range rows {
		accounts = append(accounts, rows[i].From, rows[i].To)
		assets[i], txs[i] = rows[i].Asset, rows[i].Tx
	}
	who, err := r.Accounts(ctx, accounts)
	if err != nil {
		return nil, err
	}
	what, err := r.Assets(ctx, assets)
	if err != nil {
		return nil, err
	}
	in, err := r.Txs(ctx, txs)
	if err != nil {
		return nil, err
	}
	out := make([]chain.Transfer, len(rows))
	for i := range rows {
		w := &rows[i]
		out[i] = chain.Transfer{
			Chain: in[i].Chain, Time: w.Stated, Block: w.Block, Index: w.Index, Tx: in[i].ID, Kind: w.Kind,
			Ordinal: w.Ordinal, Row: w.Row, Nth: w.Nth, From: who[2*i], To: who[2*i+1],
			Asset: what[i], Amount: w.Amount, BlockInferred: w.BlockInferred,
		}
	}
	return out, nil
}
