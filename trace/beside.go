package trace

import (
	"context"
	"slices"

	"bongsu/ledger"
)

// loadBeside is load for the book of a wrapped coin: its own rows and the links
// among the account's rows of coin, in order. Both are asked for a page at a
// time; what lies beyond the end of the shorter page is asked for again.
func (c *cursor) loadBeside(ctx context.Context, r ledger.Reader, pages *ledger.Pages) error {
	for c.more {
		asked := []ledger.Query{c.query}
		asked[0].Asset = c.beside.coin
		if c.query.Asset < firstOwnAsset {
			asked = append(asked, c.query)
		}
		pages.Reset()
		if err := r.Activity(ctx, asked, pages); err != nil {
			return err
		}
		var end ledger.Key // of the shorter page; zero: both are the last
		for i := range asked {
			if rows, more := pages.Page(i); more && (end.IsZero() || rows[len(rows)-1].Key.Compare(end) < 0) {
				end = rows[len(rows)-1].Key
			}
		}
		had := len(c.rows)
		for i := range asked {
			rows, _ := pages.Page(i)
			for k := range rows {
				if w := &rows[k]; (end.IsZero() || w.Key.Compare(end) <= 0) && (i > 0 || w.From == c.beside.contract || w.To == c.beside.contract) {
					c.rows = append(c.rows, *w)
				}
			}
		}
		if c.more = !end.IsZero(); c.more {
			c.query.After = end
			c.query.Limit = max(c.query.Limit, min(c.query.Limit*8, bookPage))
		}
		if err := c.settle(ctx, r, had); err != nil {
			return err
		}
		if len(c.rows) > had {
			return nil
		}
	}
	return nil
}

// settle orders the rows that were loaded, and leaves out those that tell a
// link again.
func (c *cursor) settle(ctx context.Context, r ledger.Reader, from int) error {
	out := c.rows[:from]
	for i := from; i < len(c.rows); i++ {
		w := c.rows[i]
		_, again, err := c.beside.told(ctx, r, &w)
		if err != nil {
			return err
		}
		if !again {
			out = append(out, w)
		}
	}
	c.rows = out
	slices.SortFunc(c.rows[from:], func(a, b ledger.Row) int { return a.Key.Compare(b.Key) })
	return nil
}
