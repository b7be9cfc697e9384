package ledger

import (
	"context"
	"slices"
	"sort"

	"bongsu/chain"
)

// WhereScanner is a Reader that can read a chain on, row by row, at little cost
// for the rows that nobody wants. Who follows many books at once reads on; who
// follows a few asks for their activity. An engine that answers round trips
// does not offer it.
type WhereScanner interface {
	// ScanWhere is Scan for the rows of some assets (nil: of all) that the
	// walker wants.
	ScanWhere(ctx context.Context, id chain.ID, assets []AssetRef, after, until Key, by Walker) error
}

// Walker is who reads a chain on. It is shown the rows of its assets a wave at
// a time, asked about one after the other, and given what it wants before it is
// asked about the next: what it wants may change with each row.
type Walker interface {
	// Ahead shows the sides of the next rows, in order, so that what they will
	// need can be brought near while nothing waits for it. It lists those that
	// are wanted as things stand, ascending: a guess, which costs time alone
	// where it errs. Both slices are the callers' until the next Ahead.
	Ahead(sides []Sides) (likely []int32)
	// Wants says whether row i of those shown is to be read.
	Wants(i int) bool
	// Read gets row i, which is reused.
	Read(i int, w *Row) error
}

// Sides is what of a row says whether it is wanted.
type Sides struct {
	From, To AccountRef
	Asset    AssetRef
}

// whereScan is one call of ScanWhere over segments.
type whereScan struct {
	v      *view
	assets assetSet
	by     Walker

	found []candidate
	sides []Sides // of found
	row   Row
	block sideReader
}

// ScanWhere reads the segments below the first row that is still in memory by
// their columns, and the rest as Scan does.
func (v *view) ScanWhere(ctx context.Context, id chain.ID, assets []AssetRef, after, until Key, by Walker) (err error) {
	defer v.guard(&err)
	s := &whereScan{v: v, by: by, assets: setOf(assets)}
	ref := RefOfChain(id)
	edge, layered := v.firstInLayers(ref)
	if layered && (until.IsZero() || AtBlock(id, edge).Compare(until) < 0) {
		below := AtBlock(id, edge)
		if after.Compare(below) < 0 {
			if err := s.segments(ctx, ref, &after, &below); err != nil {
				return err
			}
			after = below
		}
		return v.Scan(ctx, id, after, until, func(rows []Row) error { return Walk(assets, rows, by) })
	}
	return s.segments(ctx, ref, &after, &until)
}

// Walk shows rows of one chain to a walker, those of some assets (nil: of all),
// and gives it what it wants: ScanWhere for rows that are in memory.
func Walk(assets []AssetRef, rows []Row, by Walker) error {
	var sides []Sides
	var at []int
	for i := range rows {
		if w := &rows[i]; assets == nil || slices.Contains(assets, w.Asset) {
			sides, at = append(sides, Sides{w.From, w.To, w.Asset}), append(at, i)
		}
	}
	by.Ahead(sides)
	for i, n := range at {
		if !by.Wants(i) {
			continue
		}
		if err := by.Read(i, &rows[n]); err != nil {
			return err
		}
	}
	return nil
}

// firstInLayers is the lowest block of a chain in which a layer has a row.
func (v *view) firstInLayers(id ChainRef) (block uint64, found bool) {
	var w Row
	for i, l := range v.layers {
		n := sort.Search(len(l.rows), func(n int) bool { return l.txs[l.rows[n].tx].name.chain >= id })
		if n == len(l.rows) || l.txs[l.rows[n].tx].name.chain != id {
			continue
		}
		if v.fill(i, int32(n), &w); !found || w.Block < block {
			block, found = w.Block, true
		}
	}
	return block, found
}

// whereWave is how many rows are looked at together.
const whereWave = 16 * blockRows

func (s *whereScan) segments(ctx context.Context, id ChainRef, after, until *Key) error {
	for _, seg := range s.v.below.byChain[id] {
		from, to := seg.span(s.v, after, until)
		for looks := 0; from < to; looks++ {
			if looks%16 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			end := min(to, from-from%whereWave+whereWave)
			seg.readOn(from)
			s.found, s.sides = s.found[:0], s.sides[:0]
			for n := from; n < end; n = n - n%blockRows + blockRows {
				s.candidates(seg, n, min(end, n-n%blockRows+blockRows))
			}
			s.ahead(seg, s.by.Ahead(s.sides))
			if err := s.ask(seg); err != nil {
				return err
			}
			from = end
		}
	}
	return nil
}

// candidate is a row of a wanted asset, but for its sides.
type candidate struct {
	row, tx uint32
	at, end uint32 // bits from its block to its record, and to what stands there behind the sides
}

// candidates gathers the rows [from, to) of one block that are of the assets.
func (s *whereScan) candidates(seg *segment, from, to uint32) {
	var b rowBlock
	seg.rowBlock(from, &b)
	first := from - from%blockRows
	s.block.open(&b)
	for _, i := range s.block.pick(&b, s.assets, min(int(to-first), b.rows())) {
		if n := first + uint32(i); n >= from {
			side, at, end := s.block.sides(&b, i)
			s.sides = append(s.sides, side)
			s.found = append(s.found, candidate{n, b.tx(int(i)), at, end})
		}
	}
}

// ahead asks for the transactions of the rows that are likely wanted.
func (s *whereScan) ahead(seg *segment, likely []int32) {
	for _, i := range likely {
		id := seg.idBytes(s.found[i].tx)
		prefetch(&id[0], 0)
	}
}

// ask asks about the candidates in order and hands over the wanted ones.
func (s *whereScan) ask(seg *segment) error {
	var b rowBlock
	r := gathered{s: seg}
	for i := range s.found {
		if !s.by.Wants(i) {
			continue
		}
		c := &s.found[i]
		if s.v.masked != nil {
			if _, ok := s.v.masked[segmentTx{seg.number, c.tx}]; ok {
				continue
			}
		}
		seg.rowBlock(c.row, &b)
		r.row, r.at, r.tx, r.place = c.row, c.at, c.tx, b.place(int(c.row%blockRows), int(c.at))
		s.v.fillFrom(&r, &b, int(c.end), &s.row)
		side := &s.sides[i]
		s.row.From, s.row.To, s.row.Asset = side.From, side.To, side.Asset
		if err := s.by.Read(i, &s.row); err != nil {
			return err
		}
	}
	return nil
}
