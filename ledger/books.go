package ledger

import (
	"encoding/binary"
)

// book is the list of a segment's rows that touch one account with one asset,
// or with any when they are few.
type book struct {
	s     *segment
	asset AssetRef // 0: any; look at the row
	count int
	k     uint
	r     bitReader // at the first delta
	skip  int       // the first of its skips; only of a big one
}

func (b *book) big() bool { return b.count > bigBook }

// chunks is how many runs of bigBook rows it has.
func (b *book) chunks() int { return (b.count + bigBook - 1) / bigBook }

// chunk reads the j-th run of rows.
func (b *book) chunk(j int, out *[bigBook]uint32) []uint32 {
	r, prev := b.r, int64(-1)
	if j > 0 {
		sk := b.s.skips[(b.skip+j-1)*skipEntry:]
		prev = int64(binary.LittleEndian.Uint32(sk))
		r.at += int(binary.LittleEndian.Uint32(sk[4:]))
	}
	n := min(bigBook, b.count-j*bigBook)
	for i := range n {
		prev += int64(r.rice(b.k)) + 1
		out[i] = uint32(prev)
	}
	return out[:n]
}

// chunkOf is the run in which a row at or after row would be: the first whose
// last row is not before it.
func (b *book) chunkOf(row uint32) int {
	lo, hi := 0, b.chunks()
	if hi == 1 {
		return 0
	}
	for lo < hi {
		mid := (lo + hi) / 2
		if binary.LittleEndian.Uint32(b.s.skips[(b.skip+mid)*skipEntry:]) >= row {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return min(lo, b.chunks()-1)
}

// running is what the book's rows of an asset before row do to its balance.
func (b *book) running(a AccountRef, asset AssetRef, row uint32) running {
	if b.asset != 0 {
		asset = 0 // all are of it
	}
	j := b.chunkOf(row)
	var run running
	if b.big() {
		if uint64(row) >= b.s.Rows {
			return b.total()
		}
		if j > 0 {
			run = b.at(j)
		}
	}
	var buf [bigBook]uint32
	var rows rowBlock
	parsed := uint32(1<<32 - 1)
	for _, n := range b.chunk(j, &buf) {
		if n >= row {
			break
		}
		if n/blockRows != parsed {
			parsed = n / blockRows
			b.s.rowBlock(n, &rows)
		}
		run.row(&rows, int(n%blockRows), a, asset, b.s.common)
	}
	return run
}

// at is the running balance before the j-th run of rows, j > 0.
func (b *book) at(j int) running {
	sk := b.s.skips[(b.skip+j-1)*skipEntry:]
	return readRunning(b.s.balances[binary.LittleEndian.Uint32(sk[8:]):])
}

func (b *book) total() running { return b.at(b.chunks()) }

// booksOf calls use with the account's books, or the one of asset.
func (s *segment) booksOf(a AccountRef, asset AssetRef, use func(book)) {
	n, ok := s.local(a)
	if !ok {
		return
	}
	r := s.books(n)
	if r.get(1) == 0 {
		b := book{s: s, count: int(r.gamma())}
		b.k = uint(r.get(5))
		b.r = r
		use(b)
		return
	}
	for left := r.gamma(); left > 0; left-- {
		b := book{s: s, asset: AssetRef(r.get(s.AssetBits)), count: int(r.gamma())}
		b.k = uint(r.get(5))
		bits := 0
		if b.big() {
			b.skip = int(r.get(32))
			bits = int(r.get(40))
		}
		b.r = r
		if asset == 0 || b.asset == asset {
			use(b)
			if asset != 0 {
				return
			}
		}
		if left == 1 {
			return
		}
		if b.big() {
			r.at += bits
			continue
		}
		for range b.count {
			r.rice(b.k)
		}
	}
}

// bookWalk walks the rows of a book inside [from, to), either way.
type bookWalk struct {
	b        book
	from, to uint32
	reverse  bool
	j        int // the run read
	buf      [bigBook]uint32
	rows     []uint32 // of buf, what is left
	head     uint32   // the next row
}

// start goes to the first row; false when there is none.
func (w *bookWalk) start() bool {
	if w.from >= w.to {
		return false
	}
	if w.reverse {
		w.j = w.b.chunkOf(w.to - 1)
	} else {
		w.j = w.b.chunkOf(w.from)
	}
	w.rows = w.b.chunk(w.j, &w.buf)
	if w.reverse {
		for len(w.rows) > 0 && w.rows[len(w.rows)-1] >= w.to {
			w.rows = w.rows[:len(w.rows)-1]
		}
	} else {
		for len(w.rows) > 0 && w.rows[0] < w.from {
			w.rows = w.rows[1:]
		}
	}
	return w.next()
}

// next moves head on; false at the end.
func (w *bookWalk) next() bool {
	for len(w.rows) == 0 {
		if w.reverse {
			if w.j--; w.j < 0 {
				return false
			}
		} else if w.j++; w.j >= w.b.chunks() {
			return false
		}
		w.rows = w.b.chunk(w.j, &w.buf)
	}
	if w.reverse {
		w.head, w.rows = w.rows[len(w.rows)-1], w.rows[:len(w.rows)-1]
		return w.head >= w.from
	}
	w.head, w.rows = w.rows[0], w.rows[1:]
	return w.head < w.to
}

// segmentCursor walks an account's rows through a chain's segments.
type segmentCursor struct {
	v       *view
	q       *Query
	list    []*segment // those left, in the query's order
	s       *segment
	walks   []*bookWalk // a heap by head
	spare   []*bookWalk
	block   rowBlock
	parsed  uint32
	noBlock bool
}

func (c *segmentCursor) less(i, j int) bool {
	return (c.walks[i].head < c.walks[j].head) != c.q.Reverse
}

func (c *segmentCursor) down(i int) {
	for {
		k := 2*i + 1
		if k >= len(c.walks) {
			return
		}
		if k+1 < len(c.walks) && c.less(k+1, k) {
			k++
		}
		if !c.less(k, i) {
			return
		}
		c.walks[i], c.walks[k] = c.walks[k], c.walks[i]
		i = k
	}
}

// open goes to the next segment that has rows for the query.
func (c *segmentCursor) open() bool {
	for len(c.list) > 0 {
		c.s, c.list = c.list[0], c.list[1:]
		if _, ok := c.s.local(c.q.Account); !ok {
			continue
		}
		from, to := c.s.span(c.v, &c.q.After, &c.q.Until)
		c.s.booksOf(c.q.Account, c.q.Asset, func(b book) {
			var w *bookWalk
			if n := len(c.spare); n > 0 {
				w, c.spare = c.spare[n-1], c.spare[:n-1]
			} else {
				w = &bookWalk{}
			}
			w.b, w.from, w.to, w.reverse = b, from, to, c.q.Reverse
			if w.start() {
				c.walks = append(c.walks, w)
			} else {
				c.spare = append(c.spare, w)
			}
		})
		for i := len(c.walks)/2 - 1; i >= 0; i-- {
			c.down(i)
		}
		c.noBlock = true
		if len(c.walks) > 0 {
			return true
		}
	}
	return false
}

func (c *segmentCursor) next(w *Row) bool {
	for {
		if len(c.walks) == 0 && !c.open() {
			return false
		}
		if n, _ := c.pop(); c.read(n, w) {
			return true
		}
	}
}

// pop takes the number of the next row of the segment that is open.
func (c *segmentCursor) pop() (uint32, bool) {
	if len(c.walks) == 0 {
		return 0, false
	}
	top := c.walks[0]
	n := top.head
	if top.next() {
		c.down(0)
		return n, true
	}
	c.spare = append(c.spare, top)
	last := len(c.walks) - 1
	c.walks[0] = c.walks[last]
	if c.walks = c.walks[:last]; last > 0 {
		c.down(0)
	}
	return n, true
}

// read fills in row n, unless the query does not want it.
func (c *segmentCursor) read(n uint32, w *Row) bool {
	if c.noBlock || n/blockRows != c.parsed {
		c.parsed, c.noBlock = n/blockRows, false
		c.s.rowBlock(n, &c.block)
	}
	if c.q.Direction != Both || c.q.Asset != 0 {
		i := int(n % blockRows)
		if !c.q.wants(AccountRef(c.block.get(colFrom, i)), AccountRef(c.block.get(colTo, i)), AssetRef(c.block.get(colAsset, i))) {
			return false
		}
	}
	if c.v.masked != nil {
		if _, ok := c.v.masked[segmentTx{c.s.number, c.block.tx(int(n % blockRows))}]; ok {
			return false
		}
	}
	c.v.fillFrom(c.s, &c.block, n, w)
	return true
}

// scanCursor walks all rows of a chain's segments.
type scanCursor struct {
	v        *view
	q        *Query
	list     []*segment
	s        *segment
	from, to uint32
	block    rowBlock
	fresh    bool
}

func (c *scanCursor) next(w *Row) bool {
	for {
		for c.from >= c.to {
			if len(c.list) == 0 {
				return false
			}
			c.s, c.list = c.list[0], c.list[1:]
			c.from, c.to = c.s.span(c.v, &c.q.After, &c.q.Until)
			c.fresh = true
		}
		n := c.from
		c.from++
		if c.fresh || n%blockRows == 0 {
			c.s.rowBlock(n, &c.block)
			c.fresh = false
		}
		if c.v.masked != nil {
			if _, ok := c.v.masked[segmentTx{c.s.number, c.block.tx(int(n % blockRows))}]; ok {
				continue
			}
		}
		c.v.fillFrom(c.s, &c.block, n, w)
		return true
	}
}

// cursors are the sources of an account's rows among the segments: one for
// each chain that has the account, which is one but for broken references.
func (s *segments) cursors(v *view, q *Query) []cursor {
	for _, list := range s.byChain {
		for _, seg := range list {
			if _, ok := seg.local(q.Account); ok {
				return []cursor{&segmentCursor{v: v, q: q, list: ordered(list, q.Reverse)}}
			}
		}
	}
	return nil
}

func ordered(list []*segment, reverse bool) []*segment {
	if !reverse {
		return list
	}
	out := make([]*segment, len(list))
	for i, s := range list {
		out[len(list)-1-i] = s
	}
	return out
}

func (s *segments) scan(v *view, id ChainRef, q *Query) []cursor {
	if len(s.byChain[id]) == 0 {
		return nil
	}
	return []cursor{&scanCursor{v: v, q: q, list: s.byChain[id]}}
}

// transaction appends all rows of one.
func (s *segments) transaction(v *view, ref TxRef, into *Pages) {
	seg, n, ok := s.of(ref)
	if !ok {
		return
	}
	for r := seg.firstRow(n); uint64(r) < seg.Rows; r++ {
		var w Row
		if v.fillSegment(seg, r, &w); w.Tx != ref {
			return
		}
		into.Rows = append(into.Rows, w)
	}
}

// running is what the rows of a book before a place do to its balance.
func (s *segments) running(v *view, q *BalanceQuery) (run running, err error) {
	defer func() { caught(recover(), &err) }()
	for _, list := range s.byChain {
		for _, seg := range list {
			to := uint32(seg.Rows)
			if _, ok := seg.local(q.Account); !ok {
				continue
			}
			if !q.Before.IsZero() {
				to = seg.bound(v, &q.Before, false)
			}
			seg.booksOf(q.Account, q.Asset, func(b book) { run = run.then(b.running(q.Account, q.Asset, to)) })
		}
	}
	return run, nil
}

func (s *segments) err() error { return nil }
