package trace

import (
	"context"

	"bongsu/ledger"
)

// Page sizes: most books see a handful of transfers, a few see millions. The
// pages of a cursor grow from firstPage to bookPage, so that a hub is streamed
// and a quiet book costs little; what is read at once and let go is read in
// pages of lastPage.
const (
	firstPage = 32
	bookPage  = 512
	lastPage  = 4096
)

// cursor streams the rows of one book in chain order, a page at a time.
type cursor struct {
	query ledger.Query
	rows  []ledger.Row
	at    int
	more  bool

	beside *wrapper // of a wrapped coin's book: the account's rows of coin with the contract are among them
}

// row is the next row; the cursor must have one.
func (c *cursor) row() *ledger.Row { return &c.rows[c.at] }

func (c *cursor) empty() bool { return c.at == len(c.rows) }

// fill loads the next page when the current one is used up.
func (c *cursor) fill(ctx context.Context, r ledger.Reader, pages *ledger.Pages) error {
	switch {
	case !c.empty():
		return nil
	case !c.more:
		c.rows, c.at = nil, 0
		return nil
	}
	c.rows, c.at = c.rows[:0], 0
	return c.load(ctx, r, pages)
}

// load appends the next page to what is there.
func (c *cursor) load(ctx context.Context, r ledger.Reader, pages *ledger.Pages) error {
	if c.beside != nil {
		return c.loadBeside(ctx, r, pages)
	}
	pages.Reset()
	if err := r.Activity(ctx, []ledger.Query{c.query}, pages); err != nil {
		return err
	}
	c.take(pages.Page(0))
	return nil
}

// take appends a page.
func (c *cursor) take(rows []ledger.Row, more bool) {
	if cap(c.rows) < len(c.rows)+len(rows) || (len(rows) == 0 && !more) {
		c.rows = append(make([]ledger.Row, 0, len(c.rows)+len(rows)), c.rows...)
	}
	c.rows = append(c.rows, rows...)
	c.more = more
	if more && len(rows) > 0 {
		c.query.After = rows[len(rows)-1].Key
		c.query.Limit = max(c.query.Limit, min(c.query.Limit*8, bookPage))
	}
}

// queue of cursors: a binary heap by the place of each cursor's next row. The
// place's first words stand in the heap itself, so that most comparisons touch
// nothing else.
type eventHeap struct {
	entries []heapEntry
	sources []*cursor // by heapEntry.source
	mixed   bool      // several chains: compare whole keys
}

type heapEntry struct {
	block  uint64
	index  uint32
	source uint32
}

func (h *eventHeap) less(a, b heapEntry) bool {
	if !h.mixed {
		if a.block != b.block {
			return a.block < b.block
		}
		if a.index != b.index {
			return a.index < b.index
		}
	}
	if c := h.sources[a.source].row().Key.Compare(h.sources[b.source].row().Key); c != 0 {
		return c < 0
	}
	return a.source < b.source
}

func (h *eventHeap) entry(source uint32) heapEntry {
	k := &h.sources[source].row().Key
	return heapEntry{block: k.Block, index: k.Index, source: source}
}

// add puts a cursor that has a row into the heap.
func (h *eventHeap) add(source uint32) {
	h.entries = append(h.entries, h.entry(source))
	i := len(h.entries) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !h.less(h.entries[i], h.entries[p]) {
			return
		}
		h.entries[i], h.entries[p] = h.entries[p], h.entries[i]
		i = p
	}
}

// next moves the first entry to its cursor's new row, or drops it.
func (h *eventHeap) next() {
	src := h.entries[0].source
	if h.sources[src].empty() {
		n := len(h.entries) - 1
		h.entries[0] = h.entries[n]
		h.entries = h.entries[:n]
	} else {
		h.entries[0] = h.entry(src)
	}
	h.sink()
}

// stream adds a cursor when it has rows.
func (h *eventHeap) stream(ctx context.Context, r ledger.Reader, pages *ledger.Pages, c *cursor) error {
	if err := c.fill(ctx, r, pages); err != nil {
		return err
	}
	h.sources = append(h.sources, c)
	if !c.empty() {
		h.add(uint32(len(h.sources) - 1))
	}
	return nil
}

func (h *eventHeap) sink() {
	i, n := 0, len(h.entries)
	for {
		c := 2*i + 1
		if c >= n {
			return
		}
		if c+1 < n && h.less(h.entries[c+1], h.entries[c]) {
			c++
		}
		if !h.less(h.entries[c], h.entries[i]) {
			return
		}
		h.entries[i], h.entries[c] = h.entries[c], h.entries[i]
		i = c
	}
}
