package ledger

import (
	"context"
	"slices"
	"sort"

	"bongsu/chain"
)

// cursor walks the rows of one source (a layer, or a chain's segments) that a
// query asks for, in the query's order.
type cursor interface {
	// next writes the next row into w, or reports that there is none.
	next(w *Row) bool
}

// layerCursor walks rows of a layer: those of list, or [from, to) without one.
type layerCursor struct {
	v        *view
	layer    int
	list     []int32
	from, to int // what is left
	q        *Query
}

func newLayerCursor(v *view, i int, q *Query, list []int32, from, to int) *layerCursor {
	c := &layerCursor{v: v, layer: i, list: list, from: from, to: to, q: q}
	var w Row
	key := func(n int) Key { v.fill(i, c.row(n), &w); return w.Key }
	if !q.After.IsZero() {
		c.from += sort.Search(c.to-c.from, func(n int) bool { return key(from+n).Compare(q.After) > 0 })
	}
	if !q.Until.IsZero() {
		at := c.from
		c.to = at + sort.Search(c.to-at, func(n int) bool { return key(at+n).Compare(q.Until) >= 0 })
	}
	return c
}

func (c *layerCursor) row(n int) int32 {
	if c.list != nil {
		return c.list[n]
	}
	return int32(n)
}

func (c *layerCursor) next(w *Row) bool {
	for c.from < c.to {
		n := c.from
		if c.q.Reverse {
			c.to--
			n = c.to
		} else {
			c.from++
		}
		r := c.row(n)
		l := c.v.layers[c.layer]
		t := &l.txs[l.rows[r].tx]
		m := &t.moves[l.rows[r].move]
		if !c.q.wants(m.from, m.to, m.asset) || c.v.hidden(c.layer, &t.name) {
			continue
		}
		c.v.fill(c.layer, r, w)
		return true
	}
	return false
}

// wants says whether a row of the query's account is on the asked side.
func (q *Query) wants(from, to AccountRef, asset AssetRef) bool {
	if q.Asset != 0 && q.Asset != asset || q.With != 0 && q.With != from && q.With != to {
		return false
	}
	switch q.Direction {
	case In:
		return to == q.Account
	case Out:
		return from == q.Account
	}
	return true
}

// all says whether a query wants every row of its account.
func (q *Query) all() bool { return q.Direction == Both && q.Asset == 0 && q.With == 0 }

// merger gives the rows of several cursors in one order.
type merger struct {
	cursors []cursor
	heads   []Row // the next row of each
	reverse bool
}

func newMerger(cursors []cursor, reverse bool) *merger {
	m := &merger{reverse: reverse}
	for _, c := range cursors {
		var w Row
		if c.next(&w) {
			m.cursors, m.heads = append(m.cursors, c), append(m.heads, w)
		}
	}
	return m
}

func (m *merger) next(w *Row) bool {
	if len(m.heads) == 0 {
		return false
	}
	best := 0
	for i := 1; i < len(m.heads); i++ {
		if c := m.heads[i].Key.Compare(m.heads[best].Key); (c < 0) != m.reverse && c != 0 {
			best = i
		}
	}
	*w = m.heads[best]
	if !m.cursors[best].next(&m.heads[best]) {
		m.cursors = slices.Delete(m.cursors, best, best+1)
		m.heads = slices.Delete(m.heads, best, best+1)
	}
	return true
}

// cursorsOf are the sources of an account's rows.
func (v *view) cursorsOf(q *Query) (out []cursor) {
	g := v.gatherer(nil)
	if st := g.streamOf(q); len(st.list) > 0 {
		out = append(out, &streamCursor{st: st})
	}
	for i, l := range v.layers {
		if list := l.accounts[q.Account]; len(list) > 0 {
			out = append(out, newLayerCursor(v, i, q, list, 0, len(list)))
		}
	}
	return out
}

// eachOf calls yield with the rows of a query, whatever their number, until it
// says to stop.
func (v *view) eachOf(ctx context.Context, q Query, yield func(*Row) bool) (err error) {
	defer v.guard(&err)
	if q.Account == 0 {
		return nil
	}
	m := newMerger(v.cursorsOf(&q), q.Reverse)
	var w Row
	for n := 0; m.next(&w); n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !yield(&w) {
			break
		}
	}
	return nil
}

func (v *view) Activity(ctx context.Context, queries []Query, into *Pages) (err error) {
	defer v.guard(&err)
	into.Reset()
	g := v.gatherer(into.memory)
	into.memory = g
	defer g.release()
	for len(queries) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 0
		for n < min(len(queries), waveQueries) && v.small(queries[n].Account) {
			n++
		}
		if n > 0 {
			err = g.activity(queries[:n], into)
		} else {
			n, err = 1, v.page(ctx, &queries[0], into)
		}
		if err != nil {
			return err
		}
		queries = queries[n:]
	}
	return nil
}

// page answers one query whose rows lie in several places.
func (v *view) page(ctx context.Context, q *Query, into *Pages) error {
	limit, err := q.limit()
	if err != nil {
		return err
	}
	start, more := len(into.Rows), false
	err = v.eachOf(ctx, *q, func(w *Row) bool {
		if len(into.Rows)-start == limit {
			more = true
			return false
		}
		into.Rows = append(into.Rows, *w)
		return true
	})
	if err == nil {
		into.EndPage(more)
	}
	return err
}

// scanBatch is how many rows Scan hands over at once.
const scanBatch = 4096

func (v *view) Scan(ctx context.Context, id chain.ID, after, until Key, yield func([]Row) error) (err error) {
	defer v.guard(&err)
	q := &Query{After: after, Until: until}
	ref := RefOfChain(id)
	var cursors []cursor
	if list := v.below.byChain[ref]; len(list) > 0 {
		cursors = append(cursors, &streamCursor{st: &rowStream{g: v.gatherer(nil), q: q, list: list}})
	}
	for i, l := range v.layers {
		from := sort.Search(len(l.rows), func(n int) bool { return l.txs[l.rows[n].tx].name.chain >= ref })
		to := from + sort.Search(len(l.rows)-from, func(n int) bool { return l.txs[l.rows[from+n].tx].name.chain > ref })
		if from < to {
			cursors = append(cursors, newLayerCursor(v, i, q, nil, from, to))
		}
	}
	m := newMerger(cursors, false)
	batch := make([]Row, 0, scanBatch)
	for {
		batch = batch[:0]
		for len(batch) < scanBatch {
			batch = append(batch, Row{})
			if !m.next(&batch[len(batch)-1]) {
				batch = batch[:len(batch)-1]
				break
			}
		}
		if len(batch) == 0 {
			return nil
		}
		if err := yield(batch); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
