// Package ingesttest is a store for tests of imports: the ledger's plain model
// behind ingest.Store, with checkpoints, resuming and failures that a test
// orders. It keeps everything in memory and is not for anything else.
package ingesttest

import (
	"context"
	"errors"
	"slices"

	"bongsu/chain"
	"bongsu/ingest"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

// ErrKilled is what a store returns that was told to fail.
var ErrKilled = errors.New("killed, as the test ordered")

// Store keeps what imports commit. The zero is empty.
type Store struct {
	Model model.Model
	// KillAfter makes Add fail with ErrKilled after so many more calls; 0: never.
	KillAfter int
	// Checkpoints counts them; an interrupted import is kept as of its last.
	Checkpoints int

	saved map[string]saved
	seen  map[chain.Transfer]bool
}

// Len is how many different movements were committed, without the model's work.
func (s *Store) Len() int { return len(s.seen) }

type saved struct {
	cursor []byte
	facts  []ledger.Facts
}

// Begin is ingest.Store's.
func (s *Store) Begin(_ context.Context, source string) (ingest.Import, error) {
	im := &imported{s: s, source: source}
	if old, ok := s.saved[source]; ok {
		im.cursor, im.facts = old.cursor, slices.Clone(old.facts)
	}
	return im, nil
}

// Reader is ingest.Store's.
func (s *Store) Reader(context.Context) (ledger.Reader, error) { return s.Model.Reader() }

// Transfers is everything committed, in chain order.
func (s *Store) Transfers(ctx context.Context) ([]chain.Transfer, error) {
	r, err := s.Model.Reader()
	if err != nil {
		return nil, err
	}
	ids, err := r.Chains(ctx)
	if err != nil {
		return nil, err
	}
	var out []chain.Transfer
	for _, id := range ids {
		err = errors.Join(err, r.Scan(ctx, id, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
			t, err := ledger.Expand(ctx, r, rows)
			out = append(out, t...)
			return err
		}))
	}
	return out, err
}

type imported struct {
	s      *Store
	source string
	cursor []byte
	facts  []ledger.Facts
	killed bool
}

func (im *imported) Add(f *ledger.Facts) error {
	if im.s.KillAfter > 0 {
		if im.s.KillAfter--; im.s.KillAfter == 0 {
			im.killed = true
			return ErrKilled
		}
	}
	c := *f
	c.Transfers, c.Txs, c.Blocks = slices.Clone(f.Transfers), slices.Clone(f.Txs), slices.Clone(f.Blocks)
	c.Notes, c.UTXOs = slices.Clone(f.Notes), slices.Clone(f.UTXOs)
	c.Assets, c.Claims = slices.Clone(f.Assets), slices.Clone(f.Claims)
	im.facts = append(im.facts, c)
	return nil
}

func (im *imported) Checkpoint(cursor []byte) error {
	if im.s.saved == nil {
		im.s.saved = map[string]saved{}
	}
	im.s.Checkpoints++
	im.s.saved[im.source] = saved{slices.Clone(cursor), slices.Clone(im.facts)}
	return nil
}

func (im *imported) Cursor() []byte { return im.cursor }

func (im *imported) Commit(context.Context) (ledger.Stats, error) {
	var st ledger.Stats
	if im.s.seen == nil {
		im.s.seen = map[chain.Transfer]bool{}
	}
	for i := range im.facts {
		if err := im.s.Model.Add(&im.facts[i]); err != nil {
			return st, err
		}
		for _, t := range im.facts[i].Transfers {
			t.Block, t.Index, t.Ordinal, t.Row = 0, 0, 0, 0
			if !t.Tx.IsZero() {
				t.Time = 0
			}
			if im.s.seen[t] {
				st.AlreadyThere++
			} else {
				im.s.seen[t] = true
				st.Added++
			}
		}
	}
	delete(im.s.saved, im.source)
	im.facts = nil
	return st, nil
}

// Abort drops the import with its checkpoints, unless it was killed.
func (im *imported) Abort() error {
	im.facts = nil
	if !im.killed {
		delete(im.s.saved, im.source)
	}
	return nil
}
