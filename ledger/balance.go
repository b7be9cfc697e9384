package ledger

import (
	"context"

	"bongsu/chain"
)

var maxAmount = chain.FromWords([4]uint64{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1})

func (v *view) Balances(ctx context.Context, queries []BalanceQuery) (_ []Balance, err error) {
	defer v.guard(&err)
	out := make([]Balance, len(queries))
	g := v.gatherer(nil)
	for at := 0; at < len(queries); at += waveQueries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(at+waveQueries, len(queries))
		if err := g.balances(ctx, queries[at:end], out[at:end]); err != nil {
			return nil, err
		}
	}
	known := exactness{v: v, chains: map[chain.ID]*Coverage{}, assets: map[AssetRef]bookNeeds{}}
	for i := range queries {
		q := &queries[i]
		if q.Account == 0 || q.Asset == 0 {
			continue
		}
		exact, err := known.of(ctx, q)
		if err != nil {
			return nil, err
		}
		out[i].Exact = exact && !out[i].Short
	}
	return out, nil
}

// balances answers a wave of queries: by the segments' postings and the sums
// that they keep, unless a layer in memory says something of the account.
func (g *gatherer) balances(ctx context.Context, queries []BalanceQuery, out []Balance) error {
	g.begin(len(queries))
	for i := range queries {
		q := &queries[i]
		switch {
		case q.Account == 0 || q.Asset == 0:
		case g.v.touched(q.Account):
			run, ok := g.v.summed(q)
			if !ok {
				var err error
				if run, err = g.v.rowByRow(ctx, q); err != nil {
					return err
				}
			}
			out[i] = run.balance()
		default:
			g.probe(i, q.Account, false)
		}
	}
	g.find()
	g.spans = g.spans[:0]
	for i := range g.probes {
		p := &g.probes[i]
		q := &queries[p.query]
		if !q.Before.IsZero() {
			p.to = p.s.bound(g.v, &q.Before, false)
		}
		from := len(g.rows)
		short := g.plain(p, q.Asset)
		g.spans = append(g.spans, wave{from: from, to: len(g.rows), heavy: !short})
	}
	g.locate(g.rows)
	for i := 0; i < len(g.probes); {
		query := g.probes[i].query
		var run running
		for ; i < len(g.probes) && g.probes[i].query == query; i++ {
			g.run(&g.probes[i], &g.spans[i], &queries[query], &run)
		}
		out[query] = run.balance()
	}
	return nil
}

// run adds what one segment has of a book.
func (g *gatherer) run(p *probe, span *wave, q *BalanceQuery, run *running) {
	if !span.heavy {
		for i := span.from; i < span.to; i++ {
			g.book(&g.rows[i], q, run)
		}
		return
	}
	books := p.s.openBooks(p.at)
	if b, ok := books.of(q.Asset); ok {
		*run = run.then(b.running(q.Account, q.Asset, p.to))
	}
}

// book books a located row into a running balance, if it is of the asset; a
// transfer to oneself changes nothing.
func (g *gatherer) book(r *gathered, q *BalanceQuery, run *running) {
	var b rowBlock
	b.parse(r.s.rowData[r.block:])
	run.rowAt(&b, int(r.row%blockRows), int(r.at), q.Account, q.Asset, r.s.common)
}

// running is what the book's rows of an asset before row do to its balance.
func (b *book) running(a AccountRef, asset AssetRef, row uint32) running {
	if b.count == 0 {
		return running{}
	}
	var run running
	j := 0
	if b.form == bigPlaces {
		if uint64(row) >= b.a.s.Rows {
			return b.before(b.chunks())
		}
		if j = b.chunkOf(row); j > 0 {
			run = b.before(j)
		}
	}
	var buf [bigBook]uint32
	var rows rowBlock
	for _, n := range b.within(j, 0, row, &buf) {
		if n >= row {
			break
		}
		b.a.s.rowBlock(n, &rows)
		run.row(&rows, int(n%blockRows), a, asset, b.a.s.common)
	}
	return run
}

// row books row i of a block, if it is of the asset (0: any); a transfer to
// oneself changes nothing.
func (r *running) row(b *rowBlock, i int, a AccountRef, asset AssetRef, common []byte) {
	r.rowAt(b, i, b.at(i), a, asset, common)
}

// rowAt is row where the record is known to begin at bit at.
func (r *running) rowAt(b *rowBlock, i, at int, a AccountRef, asset AssetRef, common []byte) {
	from, to, of, at := b.sidesOf(i, at)
	if from == to || asset != 0 && of != asset {
		return
	}
	var amount chain.Amount
	b.amountAt(i, at+b.amountOffset(), common, &amount)
	if to == a {
		r.in(amount)
	} else {
		r.out(amount)
	}
}

// exactness says what balances rest on, and looks it up once for each batch.
type exactness struct {
	v      *view
	chains map[chain.ID]*Coverage
	assets map[AssetRef]bookNeeds
}

type bookNeeds struct {
	cover *Coverage // nil: no such asset
	what  Cover
}

func (e *exactness) of(ctx context.Context, q *BalanceQuery) (bool, error) {
	n, ok := e.assets[q.Asset]
	if !ok {
		name := e.v.names.assetNames([]AssetRef{q.Asset})[0]
		if id := name.Chain(); name != "" {
			if e.chains[id] == nil {
				c, err := e.v.Coverage(ctx, id)
				if err != nil {
					return false, err
				}
				e.chains[id] = &c
			}
			n = bookNeeds{e.chains[id], Needs(name)}
		}
		e.assets[q.Asset] = n
	}
	c := n.cover
	if c == nil || c.Empty || c.Unplaced > 0 {
		return false, nil
	}
	before := c.LastBlock
	if !q.Before.IsZero() {
		before = q.Before.Block
	}
	return c.Complete(0, before, n.what), nil
}

// rowByRow is what the rows of a book do, whichever layers and segments have
// them.
func (v *view) rowByRow(ctx context.Context, q *BalanceQuery) (run running, err error) {
	err = v.eachOf(ctx, q.rows(), func(w *Row) bool {
		run.move(w, q.Account)
		return true
	})
	return run, err
}

// rows asks for what a balance is the sum of.
func (q *BalanceQuery) rows() Query {
	return Query{Account: q.Account, Asset: q.Asset, Until: q.Before}
}

// summed is rowByRow by the sums that segments keep; false where a row of
// theirs may come after the first of the layers', which is seldom when a chain
// is followed.
func (v *view) summed(q *BalanceQuery) (run running, ok bool) {
	if v.masked != nil {
		return run, false
	}
	rows := q.rows()
	var late []cursor
	for i, l := range v.layers {
		if list := l.accounts[q.Account]; len(list) > 0 {
			late = append(late, newLayerCursor(v, i, &rows, list, 0, len(list)))
		}
	}
	m := newMerger(late, false)
	var w Row
	more := m.next(&w)
	for _, list := range v.below.chains() {
		for _, s := range list {
			books, ok := s.booksOf(q.Account)
			if !ok {
				continue
			}
			_, to := s.span(v, &rows.After, &rows.Until)
			if more {
				from := min(to, s.bound(v, &w.Key, false))
				var walk bookWalk
				if walk.start(books, q.Asset, from, to, false); walk.load() {
					return run, false
				}
				to = from
			}
			if b, ok := books.of(q.Asset); ok {
				run = run.then(b.running(q.Account, q.Asset, to))
			}
		}
	}
	for ; more; more = m.next(&w) {
		run.move(&w, q.Account)
	}
	return run, true
}

// touched says whether a layer has anything of the account.
func (v *view) touched(a AccountRef) bool {
	for _, l := range v.layers {
		if len(l.accounts) > 0 {
			if _, ok := l.accounts[a]; ok {
				return true
			}
		}
	}
	return false
}
