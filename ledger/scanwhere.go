package ledger

import (
	"context"
	"sort"

	"bongsu/chain"
)

// WhereScanner is a Reader that can read a chain on, row by row, at little cost
// for the rows that nobody wants. Who follows many books at once reads on; who
// follows a few asks for their activity. An engine that answers round trips
// does not offer it.
type WhereScanner interface {
	// ScanWhere is Scan for the rows of some assets (nil: of all) that want
	// says yes to. It asks about one row after the other, and yield has
	// returned from a row before want decides about the next, so that yield may
	// change what is wanted; besides, want may be asked about any row at any
	// time. The row is reused.
	ScanWhere(ctx context.Context, id chain.ID, assets []AssetRef, after, until Key,
		want func(from, to AccountRef, asset AssetRef) bool, yield func(*Row) error) error
}

// whereScan is one call of ScanWhere.
type whereScan struct {
	v      *view
	assets []bool // by reference; nil: all
	want   func(from, to AccountRef, asset AssetRef) bool
	yield  func(*Row) error
	row    Row

	found   []candidate
	near    [][]byte
	at      rowStarts
	columns [blockRows]uint64
	picked  [blockRows]uint8
	touched byte // so that reads ahead are not left out
}

func newWhereScan(v *view, assets []AssetRef, want func(from, to AccountRef, asset AssetRef) bool, yield func(*Row) error) *whereScan {
	s := &whereScan{v: v, want: want, yield: yield}
	for _, a := range assets {
		for int(a) >= len(s.assets) {
			s.assets = append(s.assets, make([]bool, int(a)+1)...)
		}
		s.assets[a] = true
	}
	return s
}

func (s *whereScan) wants(asset AssetRef) bool {
	return s.assets == nil || int(asset) < len(s.assets) && s.assets[asset]
}

// ScanWhere reads the segments below the first row that is still in memory by
// their columns, and the rest as Scan does.
func (v *view) ScanWhere(ctx context.Context, id chain.ID, assets []AssetRef, after, until Key,
	want func(from, to AccountRef, asset AssetRef) bool, yield func(*Row) error,
) (err error) {
	defer v.guard(&err)
	s := newWhereScan(v, assets, want, yield)
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
		return v.Scan(ctx, id, after, until, s.rows)
	}
	return s.segments(ctx, ref, &after, &until)
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

// rows looks at rows that Scan read.
func (s *whereScan) rows(batch []Row) error {
	for i := range batch {
		if w := &batch[i]; s.wants(w.Asset) && s.want(w.From, w.To, w.Asset) {
			if err := s.yield(w); err != nil {
				return err
			}
		}
	}
	return nil
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
			s.found = s.found[:0]
			for n := from; n < end; n = n - n%blockRows + blockRows {
				s.candidates(seg, n, min(end, n-n%blockRows+blockRows))
			}
			s.ahead(seg)
			if err := s.ask(seg); err != nil {
				return err
			}
			from = end
		}
	}
	return nil
}

// candidate is a row of a wanted asset.
type candidate struct {
	from, to AccountRef
	asset    AssetRef
	row, tx  uint32
	at, end  uint32 // bits from its block to its record, and to what stands there behind the sides
}

// candidates gathers the rows [from, to) of one block that are of the assets.
func (s *whereScan) candidates(seg *segment, from, to uint32) {
	var b rowBlock
	seg.rowBlock(from, &b)
	b.starts(&s.at)
	first := from - from%blockRows
	assets := s.columns[:min(int(to-first), b.rows())]
	b.column(colAsset, &s.at, assets)
	for _, i := range s.pick(assets, int(from-first)) {
		from, to, asset, end := b.sidesOf(int(i), int(s.at[i]))
		s.found = append(s.found, candidate{from, to, asset, first + uint32(i), b.tx(int(i)), s.at[i], uint32(end)})
	}
}

// pick lists the rows from first on whose assets are wanted. It writes down
// every row and counts the wanted ones on: no branch depends on a row.
func (s *whereScan) pick(assets []uint64, first int) []uint8 {
	n := 0
	for i := first; i < len(assets); i++ {
		s.picked[n%blockRows] = uint8(i)
		if s.wants(AssetRef(assets[i])) {
			n++
		}
	}
	return s.picked[:n]
}

// ahead touches the transactions of the rows that are wanted as things stand,
// one after the other, so that these reads overlap; what is wanted may change
// until their turn.
func (s *whereScan) ahead(seg *segment) {
	s.near = s.near[:0]
	for i := range s.found {
		if c := &s.found[i]; s.want(c.from, c.to, c.asset) {
			b, _, record := seg.txBlock(c.tx)
			s.near = append(s.near, b[txHeader+int(c.tx%blockTxs)*record:])
		}
	}
	sum := byte(0)
	for _, b := range s.near {
		sum += b[0]
	}
	s.touched += sum
}

// ask asks about the candidates in order and hands over the wanted ones.
func (s *whereScan) ask(seg *segment) error {
	var b rowBlock
	r := gathered{s: seg}
	for i := range s.found {
		c := &s.found[i]
		if !s.want(c.from, c.to, c.asset) {
			continue
		}
		if s.v.masked != nil {
			if _, ok := s.v.masked[segmentTx{seg.number, c.tx}]; ok {
				continue
			}
		}
		seg.rowBlock(c.row, &b)
		r.row, r.at, r.tx, r.place = c.row, c.at, c.tx, b.place(int(c.row%blockRows), int(c.at))
		s.v.fillFrom(&r, &b, int(c.end), &s.row)
		s.row.From, s.row.To, s.row.Asset = c.from, c.to, c.asset
		if err := s.yield(&s.row); err != nil {
			return err
		}
	}
	return nil
}
