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
	// IfSpent: what the book holds need not be told when the page has all its
	// rows and the account spends in none of them.
	IfSpent bool
}

// Held is what a book holds.
type Held struct {
	Amount chain.Amount
	Known  bool // false only where Opening.IfSpent allows it
}

// BookOpener is a Reader that finds a book once for its balance and its rows.
type BookOpener interface {
	// OpenBooks writes what each book holds before its row to held, which is as
	// long as openings, and fills into with a page for each.
	OpenBooks(ctx context.Context, openings []Opening, held []Held, into *Pages) error
}

// OpenBooks asks a BookOpener, and any other Reader for balances and activity.
func OpenBooks(ctx context.Context, r Reader, openings []Opening, held []Held, into *Pages) error {
	if o, ok := r.(BookOpener); ok {
		return o.OpenBooks(ctx, openings, held, into)
	}
	into.Reset()
	return openApart(ctx, r, openings, held, into)
}

// openApart appends the pages of openings that are answered in two questions.
func openApart(ctx context.Context, r Reader, openings []Opening, held []Held, into *Pages) error {
	rows := make([]Query, 0, len(openings))
	for i := range openings {
		if o := &openings[i]; o.Limit > 0 {
			rows = append(rows, Query{Account: o.Account, Asset: o.Asset, After: o.At.Key, Until: o.Until, Limit: o.Limit})
		}
	}
	var pages Pages
	if err := r.Activity(ctx, rows, &pages); err != nil {
		return err
	}
	var books []BalanceQuery
	asked := 0
	for i := range openings {
		o := &openings[i]
		var page []Row
		more := false
		if o.Limit > 0 {
			page, more = pages.Page(asked)
			into.Rows = append(into.Rows, page...)
			asked++
		}
		into.EndPage(more)
		if held[i] = (Held{Known: o.needs(page, more)}); held[i].Known {
			books = append(books, BalanceQuery{Account: o.Account, Asset: o.Asset, Before: o.At.Key})
		}
	}
	had, err := r.Balances(ctx, books)
	if err != nil {
		return err
	}
	for i := range held[:len(openings)] {
		if held[i].Known {
			held[i].Amount, had = had[0].Amount, had[1:]
		}
	}
	return nil
}

// OpenBooks opens books that lie in segments alone in waves.
func (v *view) OpenBooks(ctx context.Context, openings []Opening, held []Held, into *Pages) (err error) {
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
			g.open(openings[:n], held, into)
		} else {
			n = 1
			if err := openApart(ctx, v, openings[:n], held, into); err != nil {
				return err
			}
		}
		openings, held = openings[n:], held[n:]
	}
	return nil
}

// waveOpenings is how many books are opened together.
const waveOpenings = 64

// bookCut is a probe's share of an opening: where the place cuts the segment's
// rows, its list, and the part of gatherer.rows that a step looks at.
type bookCut struct {
	books                accountBooks
	book                 book   // of books
	has                  bool   // a list that may have rows of the book
	before, after, until uint32 // rows
	from, to             int
}

// open opens the books of a wave, all of them small: first the pages, then the
// balances of those that need one.
func (g *gatherer) open(openings []Opening, held []Held, into *Pages) {
	g.begin(len(openings))
	for i := range openings {
		if o := &openings[i]; o.Account != 0 {
			g.probe(i, o.Account, false)
		}
	}
	g.find()
	g.cuts = slices.Grow(g.cuts[:0], len(g.probes))[:len(g.probes)]
	g.openLists(openings)
	query, left := int32(-1), 0 // how many more rows the query wants, one for saying that there are more
	for i := range g.probes {
		p, c := &g.probes[i], &g.cuts[i]
		o := &openings[p.query]
		if p.query != query {
			query, left = p.query, o.Limit+1
		}
		c.from = len(g.rows)
		if o.Limit > 0 && c.has {
			g.behind(p, c, &left)
		}
		c.to = len(g.rows)
	}
	g.locate(g.rows)
	g.openPages(openings, into)
	g.openHeld(openings, held, into)
}

// openLists opens the lists of the probes and finds their books: each loop reads
// what the one before it asked the memory for.
func (g *gatherer) openLists(openings []Opening) {
	for i := range g.probes {
		p := &g.probes[i]
		if from, near := p.s.dir.open(p.at); !near {
			g.fetches.span(p.s.dir.lists, from, listHead)
		}
	}
	g.fetches.now()
	for i := range g.probes {
		p, c := &g.probes[i], &g.cuts[i]
		if c.books = p.s.openBooks(p.at); !c.books.short {
			g.fetches.span(c.books.b, uint64(c.books.bigAt/8), uint64(c.books.placesAt-c.books.bigAt)/8)
		}
	}
	g.fetches.now()
	for i := range g.probes {
		p, c := &g.probes[i], &g.cuts[i]
		o := &openings[p.query]
		c.before, c.after = p.s.around(g.v, o.At)
		if c.until = uint32(p.s.Rows); !o.Until.IsZero() {
			c.until = p.s.bound(g.v, &o.Until, false)
		}
		if c.book, c.has = c.books.of(o.Asset); c.has && c.book.form == smallPlaces {
			g.fetches.span(c.books.b, uint64(c.book.at/8), uint64(c.book.count)*uint64(c.books.width)/8)
		}
	}
	g.fetches.now()
	for i := range g.cuts {
		if c := &g.cuts[i]; c.has {
			g.fetchMarks(c)
		}
	}
	g.fetches.now()
	for i := range g.cuts {
		if c := &g.cuts[i]; c.has {
			g.fetchRuns(c, c.after, c.until)
		}
	}
	g.fetches.now()
}

// listHead is how many bytes of a long list its header takes, about.
const listHead = 24

// fetchMarks asks for the marks of the runs that hold the rows of a small book.
func (g *gatherer) fetchMarks(c *bookCut) {
	if c.book.form != smallPlaces {
		return
	}
	var buf [bigBook]uint32
	places := buf[:c.book.count]
	c.book.places(0, places)
	for _, p := range places {
		if int(p) < c.books.count {
			g.fetches.add(&c.books.markOf(max(int(p/stretchRows), 1))[0])
		}
	}
}

// fetchRuns asks for those of these runs that may have rows from one up to
// another.
func (g *gatherer) fetchRuns(c *bookCut, from, to uint32) {
	if c.book.form != smallPlaces {
		return
	}
	var buf [bigBook]uint32
	places := buf[:c.book.count]
	c.book.places(0, places)
	last := -1
	for _, p := range c.books.cut(places, from, to) {
		if j := int(p / stretchRows); j != last && int(p) < c.books.count {
			at, _ := c.books.stretchOf(j)
			g.fetches.span(c.books.b, uint64(at/8), runBytes)
			last = j
		}
	}
}

// runBytes is about what a run of rows takes.
const runBytes = 5 * stretchRows / 2

// behind lists the rows of a book behind the place; left counts those that are
// known to be its own.
func (g *gatherer) behind(p *probe, c *bookCut, left *int) {
	b, j := &c.book, 0
	if b.form == bigPlaces {
		j = b.chunkOf(c.after)
	}
	var buf [bigBook]uint32
	for ; j < b.chunks(); j++ {
		for _, row := range b.within(j, c.after, c.until, &buf) {
			switch {
			case row < c.after:
				continue
			case row >= c.until || *left == 0:
				return
			}
			g.fetches.add(p.s.rowAt.line(row / blockRows))
			if g.rows = append(g.rows, gathered{s: p.s, row: row}); b.form != shortList {
				*left--
			}
		}
	}
}

// openPages writes the pages. The transactions of their rows alone are looked
// at.
func (g *gatherer) openPages(openings []Opening, into *Pages) {
	g.ahead = g.ahead[:0]
	i := 0
	for query := range openings {
		o, list := &openings[query], &g.lists[query]
		list.from = len(g.ahead)
		for ; i < len(g.probes) && int(g.probes[i].query) == query; i++ {
			for k := g.cuts[i].from; k < g.cuts[i].to && !list.heavy; k++ {
				if r := &g.rows[k]; r.of(o.Asset) {
					if list.heavy = len(g.ahead)-list.from == o.Limit; !list.heavy {
						g.ahead = append(g.ahead, *r)
					}
				}
			}
		}
		list.to = len(g.ahead)
	}
	for i := 0; i < len(g.ahead); i += stepRows {
		g.locateTxs(stepOf(g.ahead, i))
	}
	for _, list := range g.lists {
		g.write(g.ahead[list.from:list.to], list.heavy, into)
	}
}

// openHeld sums up what lies before each place, where it is asked for.
func (g *gatherer) openHeld(openings []Opening, held []Held, pages *Pages) {
	g.rows = g.rows[:0]
	first := pages.Len() - len(openings)
	for i := range openings {
		held[i] = Held{Known: openings[i].needs(pages.Page(first + i))}
	}
	for i := range g.probes {
		if c := &g.cuts[i]; held[g.probes[i].query].Known && c.has {
			g.fetchRuns(c, 0, c.before)
		}
	}
	g.fetches.now()
	for i := range g.probes {
		p, c := &g.probes[i], &g.cuts[i]
		c.from = len(g.rows)
		if held[p.query].Known && c.has {
			g.before(p, c)
		}
		c.to = len(g.rows)
	}
	g.locate(g.rows)
	for i := 0; i < len(g.probes); {
		query := g.probes[i].query
		q := BalanceQuery{Account: openings[query].Account, Asset: openings[query].Asset}
		var run running
		for ; i < len(g.probes) && g.probes[i].query == query; i++ {
			if c := &g.cuts[i]; held[query].Known {
				if c.has {
					run = run.then(c.sum())
				}
				for k := c.from; k < c.to; k++ {
					g.book(&g.rows[k], &q, &run)
				}
			}
		}
		held[query].Amount = run.balance().Amount
	}
}

// needs says whether what the book holds must be told beside its page.
func (o *Opening) needs(rows []Row, more bool) bool {
	return !o.IfSpent || o.Limit == 0 || more || slices.ContainsFunc(rows, func(w Row) bool { return w.From == o.Account && w.To != o.Account })
}

// before lists the rows of a book before the place, but for those that a sum of
// the segment's stands for.
func (g *gatherer) before(p *probe, c *bookCut) {
	b, j := &c.book, 0
	if b.form == bigPlaces {
		if uint64(c.before) >= p.s.Rows {
			return
		}
		j = b.chunkOf(c.before)
	}
	var buf [bigBook]uint32
	for _, row := range b.within(j, 0, c.before, &buf) {
		if row >= c.before {
			return
		}
		g.fetches.add(p.s.rowAt.line(row / blockRows))
		g.rows = append(g.rows, gathered{s: p.s, row: row})
	}
}

// sum is what the segment's own sums say of a big book's rows before the place.
func (c *bookCut) sum() running {
	if c.book.form != bigPlaces {
		return running{}
	}
	j := c.book.chunks()
	if uint64(c.before) < c.books.s.Rows {
		j = c.book.chunkOf(c.before)
	}
	if j == 0 {
		return running{}
	}
	return c.book.before(j)
}

// around is how many of the segment's rows lie before a row's place, and up to
// it.
func (s *segment) around(v *view, at *Row) (before, upTo uint32) {
	if seg, _, ok := v.below.of(at.Tx); ok && seg == s {
		return at.number, at.number + 1
	}
	return s.bound(v, &at.Key, false), s.bound(v, &at.Key, true)
}

// of says whether a located row is of an asset.
func (r *gathered) of(asset AssetRef) bool {
	var b rowBlock
	b.parse(r.s.rowData[r.block:])
	_, _, of, _ := b.sidesOf(int(r.row%blockRows), int(r.at))
	return of == asset
}
