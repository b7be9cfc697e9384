package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/ledger"
)

// asOf is a ledger with finality as it was when a run was recorded: blocks that
// became final since were not then, and a replay must say so.
type asOf struct {
	ledger.Reader
	finals map[ledger.ChainRef]uint64 // last final block of chains that had one
}

// newAsOf wraps r; a chain that finals lack had no final block on record: its
// rows came from imports alone.
func newAsOf(r ledger.Reader, finals map[chain.ID]uint64) asOf {
	a := asOf{r, map[ledger.ChainRef]uint64{}}
	for id, block := range finals {
		a.finals[ledger.RefOfChain(id)] = block
	}
	return a
}

func (a asOf) mark(p *ledger.Pages) {
	for i := range p.Rows {
		w := &p.Rows[i]
		final, followed := a.finals[w.Chain]
		w.Provisional = followed && w.Block > final
	}
}

// finalsOf is the last final block of each chain that was read and has one.
func finalsOf(ctx context.Context, r ledger.Reader, read []Range) (map[chain.ID]uint64, error) {
	out := map[chain.ID]uint64{}
	for _, g := range read {
		c, err := r.Coverage(ctx, g.Chain)
		if err != nil {
			return nil, err
		}
		if c.Final > 0 {
			out[g.Chain] = c.Final
		}
	}
	return out, nil
}

// Activity implements ledger.Reader.
func (a asOf) Activity(ctx context.Context, qs []ledger.Query, into *ledger.Pages) error {
	err := a.Reader.Activity(ctx, qs, into)
	a.mark(into)
	return err
}

// Transactions implements ledger.Reader.
func (a asOf) Transactions(ctx context.Context, refs []ledger.TxRef, into *ledger.Pages) error {
	err := a.Reader.Transactions(ctx, refs, into)
	a.mark(into)
	return err
}

// OpenBooks implements ledger.BookOpener.
func (a asOf) OpenBooks(ctx context.Context, openings []ledger.Opening, held []ledger.Held, into *ledger.Pages) error {
	err := ledger.OpenBooks(ctx, a.Reader, openings, held, into)
	a.mark(into)
	return err
}

// AppendRows implements ledger.RowAppender: the text says nothing of finality.
func (a asOf) AppendRows(ctx context.Context, rows []ledger.Row, b []byte) ([]byte, error) {
	return ledger.AppendRows(ctx, a.Reader, rows, b)
}

// Coverage implements ledger.Reader.
func (a asOf) Coverage(ctx context.Context, id chain.ID) (ledger.Coverage, error) {
	c, err := a.Reader.Coverage(ctx, id)
	c.Final = a.finals[ledger.RefOfChain(id)]
	return c, err
}
