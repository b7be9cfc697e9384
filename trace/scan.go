package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// A simulation reads its books' rows in one of two ways. At first each book has
// a cursor of its own, and a heap says whose row is next: the cost is that of
// the rows read. When the open books take part in so many of the ledger's rows
// that this costs more than to pass over the others, it reads the ledger on
// from there, row by row, and asks of each whether a book of either side is
// open. Both give the same rows in the same order, and so the same result.

// reading says how a simulation chooses; tests force one or the other.
type reading uint8

const (
	readByCost reading = iota
	readBooks          // by cursors alone
	readLedger         // the ledger from the start
)

const (
	// weighEvery is how many rows of cursors pass between two weighings.
	weighEvery = 256
	// passOver is how many rows of the ledger, of other assets for the most
	// part, cost as much to pass over as one row of a cursor costs to read.
	passOver = 24
)

// weighing compares what cursors read with what the ledger holds meanwhile.
type weighing struct {
	never   bool
	density float64 // rows of the ledger in a block, on average
	block   uint64  // of the last row at the last weighing
}

// scanner is the reader as one that can be read on, if this simulation can:
// one chain, no end in time (a book is left at its first row after it), and no
// batches (TIHO looks ahead in a book's own rows).
func (s *sim) scanner() (ledger.WhereScanner, bool) {
	if s.heap.mixed || s.until != 0 || s.tiho || s.reading == readBooks {
		return nil, false
	}
	r, ok := s.r.(ledger.WhereScanner)
	return r, ok
}

// weigh says whether to read the ledger on, after weighEvery rows of cursors.
func (s *sim) weigh(ctx context.Context) (bool, error) {
	w := &s.weighing
	if w.never || len(s.shelf.books) == 0 {
		return false, nil
	}
	if _, ok := s.scanner(); !ok {
		w.never = true
		return false, nil
	}
	if s.reading == readLedger {
		return true, nil
	}
	if w.density == 0 { // the first time: from here on
		c, err := s.r.Coverage(ctx, s.onlyChain())
		if err != nil {
			return false, err
		}
		w.density = float64(c.Rows) / float64(c.LastBlock-c.FirstBlock+1)
		w.block = s.last.Block
		return false, nil
	}
	passed := float64(s.last.Block-w.block) * w.density
	w.block = s.last.Block
	return passed < weighEvery*passOver, nil
}

// onlyChain is the chain of a simulation with open books that has one alone.
func (s *sim) onlyChain() chain.ID {
	return s.parties[s.shelf.books[0].owner].account.Chain()
}

// scan lets the rest of the rows happen, in the ledger's order.
func (s *sim) scan(ctx context.Context) error {
	r, _ := s.scanner()
	s.scanning = true
	defer func() { s.scanning = false }()
	s.heap.entries, s.heap.sources = nil, nil
	s.pages = ledger.Pages{} // a few rows at the end may want pages again
	s.ahead.drop()
	for _, b := range s.shelf.books {
		b.cur = nil
	}
	id := s.onlyChain()
	err := r.ScanWhere(ctx, id, s.assetsRead(), s.last, s.head(id), newWalk(ctx, s))
	if ctx.Err() != nil {
		return errs.Wrap("trace", "", ctx.Err())
	}
	return err
}

// assetsRead is the assets that books may be of; nil is any.
func (s *sim) assetsRead() []ledger.AssetRef {
	var out []ledger.AssetRef
	for _, c := range s.classes[1:] {
		out = append(out, c.asset)
	}
	for _, at := range s.sources {
		if s.parties[at].asset == 0 {
			return nil
		}
		out = append(out, s.parties[at].asset)
	}
	return s.wrappers.beside(out)
}
