package ledger

import (
	"context"
	"slices"

	"bongsu/chain"
)

// Opening asks for a book as it stands at a row: what it holds before the row,
// and its rows after it.
type Opening struct {
	Account AccountRef
	Asset   AssetRef
	At      *Row // of the Reader that is asked
	Until   Key  // rows strictly before this place; zero: to the last
	Limit   int  // at most so many rows; 0: none
}

// BookOpener is a Reader that finds a book once for its balance and its rows.
type BookOpener interface {
	// OpenBooks writes the balance of each book before its row to balances,
	// which is as long as openings, and fills into with a page for each.
	OpenBooks(ctx context.Context, openings []Opening, balances []chain.Amount, into *Pages) error
}

// OpenBooks asks a BookOpener, and any other Reader for balances and activity.
func OpenBooks(ctx context.Context, r Reader, openings []Opening, balances []chain.Amount, into *Pages) error {
	if o, ok := r.(BookOpener); ok {
		return o.OpenBooks(ctx, openings, balances, into)
	}
	into.Reset()
	return openApart(ctx, r, openings, balances, into)
}

// openApart appends the pages of openings that are answered in two questions.
func openApart(ctx context.Context, r Reader, openings []Opening, balances []chain.Amount, into *Pages) error {
	books, rows := make([]BalanceQuery, len(openings)), make([]Query, 0, len(openings))
	for i := range openings {
		o := &openings[i]
		books[i] = BalanceQuery{Account: o.Account, Asset: o.Asset, Before: o.At.Key}
		if o.Limit > 0 {
			rows = append(rows, Query{Account: o.Account, Asset: o.Asset, After: o.At.Key, Until: o.Until, Limit: o.Limit})
		}
	}
	had, err := r.Balances(ctx, books)
	if err != nil {
		return err
	}
	var pages Pages
	if err := r.Activity(ctx, rows, &pages); err != nil {
		return err
	}
	asked := 0
	for i := range openings {
		balances[i] = had[i].Amount
		more := false
		if openings[i].Limit > 0 {
			var page []Row
			page, more = pages.Page(asked)
			into.Rows = append(into.Rows, page...)
			asked++
		}
		into.EndPage(more)
	}
	return nil
}

// OpenBooks opens books that lie in segments alone in waves.
func (v *view) OpenBooks(ctx context.Context, openings []Opening, balances []chain.Amount, into *Pages) (err error) {
	defer v.guard(&err)
	into.Reset()
	g := v.gatherer(into.memory)
	into.memory = g
	defer g.release()
	for len(openings) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 0
		for n < min(len(openings), waveOpenings) && v.small(openings[n].Account) {
			n++
		}
		if n > 0 {
			g.open(openings[:n], balances, into)
		} else {
			n = 1
			if err := openApart(ctx, v, openings[:n], balances, into); err != nil {
				return err
			}
		}
		openings, balances = openings[n:], balances[n:]
	}
	return nil
}

// waveOpenings is how many books are opened together.
const waveOpenings = 64

// bookCut is a probe's share of an opening: gatherer.rows[from:mid] lie before
// the place, and [mid:to] behind it. Long lists have the sum of what lies
// before from.
type bookCut struct {
	from, mid, to int
	before        running
}

// open opens the books of a wave, all of them small.
func (g *gatherer) open(openings []Opening, balances []chain.Amount, into *Pages) {
	g.begin(0)
	for i := range openings {
		if o := &openings[i]; o.Account != 0 {
			g.probe(i, o.Account, false)
		}
	}
	g.find()
	g.cuts = g.cuts[:0]
	query, left := int32(-1), 0 // how many more rows the query wants, one for saying that there are more
	for i := range g.probes {
		p := &g.probes[i]
		o := &openings[p.query]
		if p.query != query {
			query, left = p.query, o.Limit+1
			if o.Limit == 0 {
				left = 0
			}
		}
		g.cuts = append(g.cuts, g.cut(p, o, &left))
	}
	g.locate(g.rows)
	g.settle(openings, balances, into)
}

// cut lists the rows of a book that lie in one segment.
func (g *gatherer) cut(p *probe, o *Opening, left *int) bookCut {
	before, after := p.s.around(g.v, o.At)
	p.to = uint32(p.s.Rows)
	if !o.Until.IsZero() {
		p.to = p.s.bound(g.v, &o.Until, false)
	}
	out := bookCut{from: len(g.rows), mid: -1}
	add := func(rows []uint32, exact bool) (done bool) {
		for _, row := range rows {
			if row >= before {
				if out.mid < 0 {
					out.mid = len(g.rows)
				}
				if *left == 0 || row >= p.to {
					return true
				}
				if row < after {
					continue
				}
				if exact {
					*left--
				}
			}
			g.rows = append(g.rows, gathered{s: p.s, row: row})
		}
		return false
	}
	var buf [bigBook]uint32
	books := p.s.openBooks(p.at)
	if b, ok := books.of(o.Asset); ok {
		j := 0
		if b.form == bigPlaces {
			if j = b.chunks(); uint64(before) < p.s.Rows {
				j = b.chunkOf(before)
			}
			if j > 0 {
				out.before = b.before(j)
			}
		}
		for ; j < b.chunks() && !add(b.chunk(j, &buf), b.form != shortList); j++ {
		}
	}
	if out.to = len(g.rows); out.mid < 0 {
		out.mid = out.to
	}
	return out
}

// around is how many of the segment's rows lie before a row's place, and up to
// it.
func (s *segment) around(v *view, at *Row) (before, upTo uint32) {
	if seg, _, ok := v.below.of(at.Tx); ok && seg == s {
		return at.number, at.number + 1
	}
	return s.bound(v, &at.Key, false), s.bound(v, &at.Key, true)
}

// settle sums up what lies before each place and writes the pages. The
// transactions of the pages' rows alone are looked at.
func (g *gatherer) settle(openings []Opening, balances []chain.Amount, into *Pages) {
	g.ahead = g.ahead[:0]
	g.lists = slices.Grow(g.lists[:0], len(openings))[:len(openings)] // of each query: its part of g.ahead; heavy: there are more
	i := 0
	for query := range openings {
		o := &openings[query]
		var run running
		list := wave{from: len(g.ahead)}
		for ; i < len(g.probes) && int(g.probes[i].query) == query; i++ {
			x := &g.cuts[i]
			run = run.then(x.before)
			q := BalanceQuery{Account: o.Account, Asset: o.Asset}
			for k := x.from; k < x.mid; k++ {
				g.book(&g.rows[k], &q, &run)
			}
			for k := x.mid; k < x.to && !list.heavy; k++ {
				if r := &g.rows[k]; r.of(o.Asset) {
					if list.heavy = len(g.ahead)-list.from == o.Limit; !list.heavy {
						g.ahead = append(g.ahead, *r)
					}
				}
			}
		}
		list.to = len(g.ahead)
		balances[query], g.lists[query] = run.balance().Amount, list
	}
	g.locateTxs(g.ahead)
	for _, list := range g.lists {
		g.write(g.ahead[list.from:list.to], list.heavy, into)
	}
}

// of says whether a located row is of an asset.
func (r *gathered) of(asset AssetRef) bool {
	var b rowBlock
	b.parse(r.s.rowData[r.block:])
	_, _, of, _ := b.sidesOf(int(r.row%blockRows), int(r.at))
	return of == asset
}
