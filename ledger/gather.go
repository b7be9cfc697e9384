package ledger

import (
	"encoding/binary"
	"slices"

	"bongsu/chain"
)

// Batches of questions are answered in waves: first the places of all
// accounts in the index, then their lists of rows, then the rows' records and
// transactions (locate.go), then the rows. The reads of one step do not wait
// for one another, so that the memory's latency is paid once for many rows,
// not once for each (a dependent read costs some 100 ns, an independent one a
// tenth).
const (
	waveQueries = 32
	waveRows    = 1024
)

// gatherer holds the scratch of one question with many subjects.
type gatherer struct {
	v       *view
	probes  []probe
	rows    []gathered // of a wave
	ahead   []gathered // of a stream
	lists   []wave     // of each query of a wave
	spans   []wave     // of each probe
	cuts    []bookCut  // likewise
	numbers []uint32
	stream  rowStream
	fetches fetches // of find and plain; the next step has them made
	brief   bool    // rows without their transactions
}

// probe is an account, or a transaction, in one segment.
type probe struct {
	s     *segment
	query int32
	n     uint32 // the bit of that line; or the number of a transaction
	at    uint64 // of the account's line in the bitmap, then of its list
	from  uint32 // the query's rows are in
	to    uint32 // [from, to)
}

// wave is what one query of a wave looks at: a range of gatherer.rows, or with
// heavy, more than fits one.
type wave struct {
	from, to int
	heavy    bool
}

// gatherer of a view, with the memory of an earlier one.
func (v *view) gatherer(g *gatherer) *gatherer {
	if g == nil {
		g = &gatherer{}
	}
	g.v = v
	return g
}

// release lets go of segments, so that memory kept for later does not keep
// files mapped.
func (g *gatherer) release() {
	clear(g.probes[:cap(g.probes)])
	clear(g.rows[:cap(g.rows)])
	clear(g.ahead[:cap(g.ahead)])
	clear(g.cuts[:cap(g.cuts)])
	g.probes, g.rows, g.v, g.stream, g.brief = g.probes[:0], g.rows[:0], nil, rowStream{}, false
	g.fetches = fetches{}
}

// begin starts a wave of n queries.
func (g *gatherer) begin(n int) {
	g.probes, g.rows = g.probes[:0], g.rows[:0]
	g.lists = slices.Grow(g.lists[:0], n)[:n]
	clear(g.lists)
}

// probe has find look for an account in all segments, in the order of a query.
func (g *gatherer) probe(query int, a AccountRef, reverse bool) {
	for _, list := range g.v.below.chains() {
		for i := range list {
			s := list[i]
			if reverse {
				s = list[len(list)-1-i]
			}
			if line, bit, ok := s.dir.bit(a); ok {
				g.fetches.add(&s.dir.bitmap[line])
				g.probes = append(g.probes, probe{s: s, query: int32(query), n: uint32(bit), at: line, to: uint32(s.Rows)})
			}
		}
	}
}

// find finds the lists of the probes' accounts; the probes of segments that
// lack theirs are dropped.
func (g *gatherer) find() {
	g.fetches.now()
	found := g.probes[:0]
	for i := range g.probes {
		p := &g.probes[i]
		n, ok := p.s.dir.at(p.at, uint(p.n))
		if !ok {
			continue
		}
		line := uint64(n) / dirAccounts * dirLine
		if p.s.idx.larger {
			p.s.dir.pages.demand(line, dirLine)
		}
		g.fetches.add(&p.s.dir.lengths[line])
		found = append(found, *p)
		found[len(found)-1].at = uint64(n)
	}
	g.probes = found
	g.fetches.now()
	for i := range g.probes {
		p := &g.probes[i]
		var size uint64
		p.at, size = p.s.dir.list(int(p.at))
		if p.s.idx.larger {
			p.s.dir.listPages.demand(p.at, size)
		}
		for at := p.at; at < p.at+size; at += dirLine {
			g.fetches.add(&p.s.dir.lists[at])
		}
		g.fetches.add(&p.s.dir.lists[p.at+size]) // the last line, if the loop stepped over it
	}
	g.fetches.now()
}

// plain lists the rows of a probe whose list is short, those that may be of an
// asset (0: all); false: it is not.
func (g *gatherer) plain(p *probe, asset AssetRef) bool {
	books := p.s.openBooks(p.at)
	if !books.short {
		return false
	}
	var buf [bigBook]uint32
	for _, row := range books.readShort(asset, &buf) {
		if row >= p.from && row < p.to {
			g.fetches.add(p.s.rowAt.line(row / blockRows))
			g.rows = append(g.rows, gathered{s: p.s, row: row})
		}
	}
	return true
}

// read writes a located row into w, if q wants it (nil: every one).
func (g *gatherer) read(r *gathered, q *Query, w *Row) bool {
	var b rowBlock
	b.parse(r.s.rowData[r.block:])
	i := int(r.row % blockRows)
	from, to, asset, at := b.sidesOf(i, int(r.at))
	if q != nil && !q.wants(from, to, asset) {
		return false
	}
	w.From, w.To, w.Asset = from, to, asset
	if g.brief {
		w.Index, w.Key.Tx, w.TxNext, w.Tx = 0, 0, 0, 0
		g.v.fillBrief(r, &b, at, w)
		return true
	}
	g.v.fillFrom(r, &b, at, w)
	return true
}

// write writes a page of located rows, all of them wanted.
func (g *gatherer) write(rows []gathered, more bool, into *Pages) {
	at := len(into.Rows)
	into.Rows = slices.Grow(into.Rows, len(rows))[:at+len(rows)]
	for i := range rows {
		g.read(&rows[i], nil, &into.Rows[at+i])
	}
	into.EndPage(more)
}

// fillFrom writes a row into w but for its sides, which stand before bit at.
func (v *view) fillFrom(r *gathered, b *rowBlock, at int, w *Row) {
	v.fillBrief(r, b, at, w)
	s := r.s
	tx, index, record := s.txBlock(r.tx)
	tx = tx[txHeader+int(r.tx%blockTxs)*record:]
	w.Index = indexOf(tx, index)
	w.Key.Tx, w.TxNext = binary.BigEndian.Uint64(tx[index:]), binary.BigEndian.Uint64(tx[index+8:])
	w.Tx = TxRef((s.place+1)<<txBits | uint64(r.tx))
	if b.ties() {
		w.Rank = s.rank(b, r.row, w, r.tx)
	}
}

// fillBrief writes what fillFrom does but for what stands with the row's
// transaction.
func (v *view) fillBrief(r *gathered, b *rowBlock, at int, w *Row) {
	s, h := r.s, b.h
	w.Ordinal = uint32(getBits(b.b, at, uint(h[hdrOrdinal]))) + b.word(hdrOrdinalMin) - 1
	at += int(h[hdrOrdinal])
	at += int(h[hdrPlace]) + int(h[hdrTx])
	w.Row, w.Nth, w.Rank, w.Kind, w.number = 0, 0, 0, chain.Kind(h[hdrKindMin]), r.row
	if h[hdrRow]|h[hdrNth]|h[hdrKind] != 0 {
		w.Row = uint32(getBits(b.b, at, uint(h[hdrRow])))
		at += int(h[hdrRow])
		w.Nth = uint32(getBits(b.b, at, uint(h[hdrNth])))
		at += int(h[hdrNth])
		w.Kind = chain.Kind(uint8(getBits(b.b, at, uint(h[hdrKind]))) + h[hdrKindMin])
		at += int(h[hdrKind])
	}
	b.amountAt(int(r.row%blockRows), at, s.common, &w.Amount)
	w.Chain = s.chain
	v.fillTime(s, r.place, w)
}

// fillTime fills in what a row has of its block.
func (v *view) fillTime(s *segment, place uint32, w *Row) {
	e := s.blocks[int(place)*blockEntry:]
	number, stamp := binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint64(e[8:])
	w.Block, w.Time = number, chain.Time(stamp>>2)
	w.Stated, w.TimeUnknown, w.BlockInferred, w.Provisional = w.Time, false, false, false
	switch {
	case number >= v.lowestAt[s.place]:
		time, own := v.times(s.chain, number)
		w.Time, w.Stated, w.TimeUnknown = time, time, !own
		if !own {
			w.Stated = 0
		}
		w.Provisional = v.provisional(s.chain, number)
	case stamp&1 == 0:
		w.Time, w.Stated, w.TimeUnknown = s.carried(place), 0, true
	}
}

// rank counts the rows before n that have its place.
func (s *segment) rank(b *rowBlock, n uint32, w *Row, tx uint32) (rank uint32) {
	var prev segmentRow
	for n > 0 {
		if n--; n%blockRows == blockRows-1 {
			other := *b
			s.rowBlock(n, &other)
			b = &other
		}
		b.row(int(n%blockRows), s.common, &prev)
		if prev.tx != tx || prev.ordinal != w.Ordinal || prev.row != w.Row || prev.kind != w.Kind {
			break
		}
		rank++
	}
	return rank
}

// small says whether a query can be gathered: nothing in memory touches the
// account.
func (v *view) small(a AccountRef) bool { return v.masked == nil && !v.touched(a) }

// activity fills the pages of queries, all of them small.
func (g *gatherer) activity(queries []Query, into *Pages) error {
	g.begin(len(queries))
	g.brief = len(queries) > 0
	for i := range queries {
		g.brief = g.brief && queries[i].Brief
		if q := &queries[i]; q.Account != 0 {
			g.probe(i, q.Account, q.Reverse)
		}
	}
	g.find()
	for i := range g.probes {
		g.collect(queries, &g.probes[i])
	}
	m := g.march(g.rows)
	for i := range queries {
		limit, err := queries[i].limit()
		if err != nil {
			return err
		}
		if g.lists[i].heavy {
			g.page(&queries[i], limit, into)
			continue
		}
		g.answer(&m, &queries[i], &g.lists[i], limit, into)
	}
	return nil
}

// collect adds a probe's rows to those of its query.
func (g *gatherer) collect(queries []Query, p *probe) {
	q, list := &queries[p.query], &g.lists[p.query]
	if list.heavy {
		return
	}
	if list.to == 0 {
		list.from, list.to = len(g.rows), len(g.rows)
	}
	start := len(g.rows)
	if !q.After.IsZero() || !q.Until.IsZero() {
		p.from, p.to = p.s.span(g.v, &q.After, &q.Until)
	}
	if list.heavy = !g.plain(p, q.Asset) || len(g.rows)-list.from > waveRows; list.heavy {
		g.rows = g.rows[:list.from]
		return
	}
	if q.Reverse {
		slices.Reverse(g.rows[start:])
	}
	if q.all() { // one more than the limit says that there are more
		if limit := q.Limit; limit > 0 && limit < len(g.rows)-list.from {
			g.rows = g.rows[:list.from+limit+1]
		}
	}
	list.to = len(g.rows)
}

// answer writes the page of one query.
func (g *gatherer) answer(m *march, q *Query, list *wave, limit int, into *Pages) {
	rows := g.rows[list.from:list.to]
	at := len(into.Rows)
	n := min(limit, len(rows))
	into.Rows = slices.Grow(into.Rows, n+1)[:at+n]
	wants := q
	if q.all() {
		wants = nil
	}
	n = 0
	for i := range rows {
		m.to(list.from + i)
		if n == limit {
			if wants == nil || g.wanted(&rows[i], q) {
				into.Rows = into.Rows[:at+n]
				into.EndPage(true)
				return
			}
			continue
		}
		if g.read(&rows[i], wants, &into.Rows[at+n]) {
			n++
		}
	}
	into.Rows = into.Rows[:at+n]
	into.EndPage(false)
}

// wanted says whether a located row is one that q asks for.
func (g *gatherer) wanted(r *gathered, q *Query) bool {
	var b rowBlock
	b.parse(r.s.rowData[r.block:])
	from, to, asset, _ := b.sidesOf(int(r.row%blockRows), int(r.at))
	return q.wants(from, to, asset)
}
