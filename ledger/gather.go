package ledger

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"bongsu/chain"
)

// Batches of small questions are answered in waves of gatherQueries: first the
// row numbers of all of them, then a touch of every row's block of rows, then
// of its transaction, then the rows. Each step's reads do not wait for one
// another, so the memory's latency is paid once for many rows, not once for
// each (a dependent read costs some 100 ns, an independent one a tenth).
const gatherQueries = 64

// gatherer holds the scratch of one Activity call.
type gatherer struct {
	v       *view
	walk    bookWalk
	cursor  segmentCursor
	rows    []gathered
	ends    []int
	more    []bool
	touched uint64
}

type gathered struct {
	s   *segment
	row uint32
	b   []byte // its block of rows
}

// small says whether a query can be gathered: nothing in memory touches the
// account, and all of it may be looked at.
func (v *view) small(q *Query) bool {
	return q.Account != 0 && v.masked == nil && q.After.IsZero() && q.Until.IsZero() && q.Direction == Both && !v.touched(q.Account)
}

// answer fills the pages of queries, all of them small.
func (g *gatherer) answer(queries []Query, into *Pages) error {
	g.rows, g.ends, g.more = g.rows[:0], g.ends[:0], g.more[:0]
	for i := range queries {
		limit, err := queries[i].limit()
		if err != nil {
			return err
		}
		start := len(g.rows)
		more := g.collect(&queries[i], limit)
		g.ends, g.more = append(g.ends, len(g.rows)-start), append(g.more, more)
	}
	g.touch()
	at := len(into.Rows)
	into.Rows = slices.Grow(into.Rows, len(g.rows))[:at+len(g.rows)]
	var b rowBlock
	for i := range g.rows {
		r := &g.rows[i]
		if i == 0 || &r.b[0] != &g.rows[i-1].b[0] {
			b.parse(r.b)
		}
		g.v.fillFrom(r.s, &b, r.row, &into.Rows[at+i])
	}
	for i, n := range g.ends {
		at += n
		into.ends, into.more = append(into.ends, at), append(into.more, g.more[i])
	}
	return nil
}

// collect lists the numbers of a query's rows, and says whether there are more
// than limit.
func (g *gatherer) collect(q *Query, limit int) (more bool) {
	for _, list := range g.v.below.byChain {
		start := len(g.rows)
		for i := range list {
			s := list[i]
			if q.Reverse {
				s = list[len(list)-1-i]
			}
			more = g.segment(s, q, limit-(len(g.rows)-start)) || more
			if more {
				return true
			}
		}
		if len(g.rows) > start {
			return false // an account is of one chain
		}
	}
	return false
}

// segment lists what one segment has.
func (g *gatherer) segment(s *segment, q *Query, limit int) (more bool) {
	n, ok := s.local(q.Account)
	if !ok {
		return false
	}
	r := s.books(n)
	if r.get(1) == 1 && q.Asset == 0 && r.gamma() > 1 {
		return g.several(s, q, limit)
	}
	var b rowBlock
	s.booksOf(q.Account, q.Asset, func(list book) {
		w := &g.walk
		*w = bookWalk{b: list, to: uint32(s.Rows), reverse: q.Reverse}
		for ok := w.start(); ok; ok = w.next() {
			if q.Asset != 0 && list.asset == 0 {
				if s.rowBlock(w.head, &b); AssetRef(b.get(colAsset, int(w.head%blockRows))) != q.Asset {
					continue
				}
			}
			if limit == 0 {
				more = true
				return
			}
			g.rows = append(g.rows, gathered{s: s, row: w.head})
			limit--
		}
	})
	return more
}

// several is segment for an account with more than one book: they are merged.
func (g *gatherer) several(s *segment, q *Query, limit int) (more bool) {
	c := &g.cursor
	spare := append(c.spare, c.walks...)
	*c = segmentCursor{v: g.v, q: q, list: []*segment{s}, spare: spare}
	if !c.open() {
		return false
	}
	for {
		n, ok := c.pop()
		if !ok {
			return false
		}
		if limit == 0 {
			return true
		}
		g.rows = append(g.rows, gathered{s: s, row: n})
		limit--
	}
}

// touch reads a byte of each line that the rows need, so that the reads that
// follow find them near.
func (g *gatherer) touch() {
	for i := range g.rows {
		r := &g.rows[i]
		r.b = r.s.rowData[binary.LittleEndian.Uint64(r.s.rowAt[r.row/blockRows*8:]):]
	}
	sum := uint64(0)
	for i := range g.rows {
		b, n := g.rows[i].b, int(g.rows[i].row%blockRows)
		// the header, and where columns of two to three bytes a row would be
		sum += uint64(b[0])
		for _, at := range [3]int{rowBlockHeader + tierBitmap + 2*n, rowBlockHeader + 3*blockRows + 3*n, rowBlockHeader + 6*blockRows + 3*n} {
			sum += uint64(b[min(len(b)-1, at)])
		}
	}
	for i := range g.rows {
		r := &g.rows[i]
		tx := binary.LittleEndian.Uint32(r.b[3:])
		at := binary.LittleEndian.Uint64(r.s.txAt[tx/blockRows*8:])
		sum += uint64(r.s.txData[at])
	}
	g.touched += sum // so that the reads are not left out
}

// fillFrom writes row n of a segment, whose block is parsed, into w.
func (v *view) fillFrom(s *segment, b *rowBlock, n uint32, w *Row) {
	i := int(n % blockRows)
	tx := b.tx(i)
	place, index, id := s.txPlace(tx)
	e := s.blocks[int(place)*blockEntry:]
	number, stamp := binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[8:])
	*w = Row{
		Key: Key{
			Time: chain.Time(stamp >> 2), Chain: s.chain, Block: number, Tx: binary.BigEndian.Uint64(id), Index: index,
			Ordinal: uint32(b.get(colOrdinal, i)) + b.ordMin - 1, Row: uint32(b.get(colRow, i)), Kind: chain.Kind(uint8(b.get(colKind, i)) + b.kindMin),
		},
		From: AccountRef(b.get(colFrom, i)), To: AccountRef(b.get(colTo, i)), Asset: AssetRef(b.get(colAsset, i)),
		Nth: uint32(b.get(colNth, i)), Tx: TxRef((s.place+1)<<txBits | uint64(tx)), Amount: b.amount(i, s.common),
	}
	w.Stated = w.Time
	switch {
	case number >= v.lowest(s.chain):
		time, own := v.times(s.chain, number)
		w.Time, w.Stated, w.TimeUnknown = time, time, !own
		if !own {
			w.Stated = 0
		}
	case stamp&1 == 0:
		w.Time, w.Stated, w.TimeUnknown = s.carried(place), 0, true
	}
	if len(v.live) > 0 {
		w.Provisional = v.provisional(s.chain, number)
	}
	if n > 0 && !b.begins(i) {
		w.Rank = s.rank(b, n, w, tx)
	}
}

// begins says that row i surely is its transaction's first in the block of
// rows; row 0 of a block is not sure.
func (r *rowBlock) begins(i int) bool {
	if i == 0 {
		return false
	}
	if r.steps {
		return r.b[r.at[colTx]+i>>3]>>(i&7)&1 == 1
	}
	return r.get(colTx, i) != r.get(colTx, i-1)
}

// rank counts the rows before n that have its place.
func (s *segment) rank(b *rowBlock, n uint32, w *Row, tx uint32) (rank uint32) {
	prev := *b
	for n > 0 {
		if n--; (n+1)%blockRows == 0 {
			s.rowBlock(n, &prev)
		}
		i := int(n % blockRows)
		if prev.tx(i) != tx || uint32(prev.get(colOrdinal, i))+prev.ordMin-1 != w.Ordinal ||
			uint32(prev.get(colRow, i)) != w.Row || chain.Kind(uint8(prev.get(colKind, i))+prev.kindMin) != w.Kind {
			break
		}
		rank++
	}
	return rank
}

// txPlace is what a row needs of its transaction: the block's place, the index
// and the id.
func (s *segment) txPlace(n uint32) (block, index uint32, id []byte) {
	b := s.txData[binary.LittleEndian.Uint64(s.txAt[n/blockRows*8:]):]
	i, count := int(n%blockRows), int(b[0])
	block = binary.LittleEndian.Uint32(b[2:])
	at := txBlockHeader
	if b[1]&flagSteps != 0 {
		lo := binary.LittleEndian.Uint64(b[at:])
		if i < 63 {
			block += uint32(bits.OnesCount64(lo & (2<<i - 1)))
		} else {
			block += uint32(rank(b[at:], i+1))
		}
		at += tierBitmap
	} else {
		c := tier{b[6], b[7], b[8]}
		block += uint32(c.at(b[at:], i))
		at += c.size(count)
	}
	c := tier{b[9], b[10], b[11]}
	if c.low|c.high != 0 {
		index = uint32(c.at(b[at:], i))
		at += c.size(count)
	}
	if b[12]|b[13] != 0 {
		at += tier{b[12], b[13], b[14]}.size(count)
	}
	return block, index - 1, b[at+i*s.idLen : at+(i+1)*s.idLen]
}
