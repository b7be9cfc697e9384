package ledger

import (
	"slices"
)

// rowStream gives the rows of a query that lie in a chain's segments, in the
// query's order, many at a time.
type rowStream struct {
	g    *gatherer
	q    *Query
	list []*segment // those left, in the query's order
	s    *segment
	walk bookWalk // through an account's rows in s
	scan everyRow // with no account
	open bool
}

// numbers lists the next rows of one segment, at most n; none at the end.
func (st *rowStream) numbers(n int) []uint32 {
	for {
		if st.open {
			out := st.g.numbers[:0]
			if st.q.Account == 0 {
				out = st.scan.take(out, n)
			} else {
				out = st.walk.take(out, n)
			}
			if st.g.numbers = out; len(out) > 0 {
				return out
			}
		}
		if st.open = st.next(); !st.open {
			return nil
		}
	}
}

// next opens the lists of the next segment that has any.
func (st *rowStream) next() bool {
	for len(st.list) > 0 {
		st.s, st.list = st.list[0], st.list[1:]
		v := st.g.v
		if st.q.Account == 0 { // a scan
			from, to := st.s.span(v, &st.q.After, &st.q.Until)
			st.scan = everyRow{from, to}
			return true
		}
		if a, ok := st.s.booksOf(st.q.Account); ok {
			from, to := st.s.span(v, &st.q.After, &st.q.Until)
			st.walk.start(a, st.q.Asset, from, to, st.q.Reverse)
			return true
		}
	}
	return false
}

// fill writes the next rows into out and says how many; fewer than fit at the
// end only.
func (st *rowStream) fill(out []Row) int {
	n := 0
	g := st.g
	wants := st.q
	if st.q.Account == 0 || st.q.all() {
		wants = nil
	}
	for n < len(out) {
		list := st.numbers(min(waveRows, len(out)-n))
		if len(list) == 0 {
			break
		}
		g.ahead = g.ahead[:0]
		for _, row := range list {
			g.ahead = append(g.ahead, gathered{s: st.s, row: row})
		}
		if st.q.With != 0 { // few of many: before their transactions are looked at
			g.locate(g.ahead)
			g.ahead = slices.DeleteFunc(g.ahead, func(r gathered) bool { return !g.wanted(&r, st.q) })
		}
		m := g.march(g.ahead)
		for i := range g.ahead {
			m.to(i)
			r := &g.ahead[i]
			if g.v.masked != nil {
				if _, ok := g.v.masked[segmentTx{r.s.number, r.tx}]; ok {
					continue
				}
			}
			if g.read(r, wants, &out[n]) {
				n++
			}
		}
	}
	return n
}

// everyRow lists all rows of a range.
type everyRow struct{ from, to uint32 }

// take appends at most n further numbers.
func (e *everyRow) take(out []uint32, n int) []uint32 {
	for ; n > 0 && e.from < e.to; n-- {
		out = append(out, e.from)
		e.from++
	}
	return out
}

// page answers one query by streaming its rows.
func (g *gatherer) page(q *Query, limit int, into *Pages) {
	st := g.streamOf(q)
	start := len(into.Rows)
	for room := 256; ; room = min(room*4, 1<<14) {
		at := len(into.Rows)
		want := min(limit+1-(at-start), room) // one more says that there are more
		into.Rows = slices.Grow(into.Rows, want)[:at+want]
		n := st.fill(into.Rows[at:])
		into.Rows = into.Rows[:at+n]
		if n < want {
			into.EndPage(false)
			return
		}
		if at+n-start > limit {
			into.Rows = into.Rows[:start+limit]
			into.EndPage(true)
			return
		}
	}
}

// streamOf is the rows of an account among the segments.
func (g *gatherer) streamOf(q *Query) *rowStream {
	g.stream = rowStream{g: g, q: q}
	for _, list := range g.v.below.chains() {
		for _, seg := range list {
			if _, ok := seg.dir.place(q.Account); ok {
				g.stream.list = ordered(list, q.Reverse)
				return &g.stream
			}
		}
	}
	return &g.stream
}

func ordered(list []*segment, reverse bool) []*segment {
	if !reverse {
		return list
	}
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

// streamCursor is a stream as a source among others.
type streamCursor struct {
	st   *rowStream
	rows []Row // read ahead
	at   int
	full bool // the last reading found as many as it looked for
}

// Reading ahead begins small, because most pages are.
const (
	firstAhead = 32
	lastAhead  = 1024
)

func (c *streamCursor) next(w *Row) bool {
	if c.at == len(c.rows) {
		n := firstAhead
		if c.rows != nil {
			if !c.full {
				return false
			}
			n = min(len(c.rows)*4, lastAhead)
		}
		c.rows = slices.Grow(c.rows[:0], n)[:n]
		k := c.st.fill(c.rows)
		c.rows, c.at, c.full = c.rows[:k], 0, k == n
		if k == 0 {
			return false
		}
	}
	*w = c.rows[c.at]
	c.at++
	return true
}
