package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// spendBatch draws the next spend of a TIHO batch, planning the batch when
// this is its first spend: the book's own rows ahead, inside the same
// transaction, up to the next arrival.
func (s *sim) spendBatch(ctx context.Context, b *book, w *ledger.Row, out []lot) ([]lot, error) {
	if p := b.batch(); p == nil || len(p.cuts) == 0 {
		spends, err := s.lookAhead(ctx, b, w)
		if err != nil {
			return nil, err
		}
		tiho{}.batch(b, spends)
	}
	out, _ = b.planned(out)
	return out, nil
}

// lookAhead lists the batch's spends. The row being processed is the next row
// of the book's own cursor: a ledger whose rows do not come in one order for
// all accounts is refused.
func (s *sim) lookAhead(ctx context.Context, b *book, w *ledger.Row) ([]chain.Amount, error) {
	if s.inTx != nil && s.inTx.running {
		return s.lookWithin(b), nil
	}
	c := b.cur
	if c.empty() || c.row().Key != w.Key {
		return nil, errs.New("trace", errs.Corrupt, s.parties[b.owner].account.String(),
			"the ledger gives one transfer different places in two accounts' histories", "verify it with: bongsu ledger check")
	}
	rows, err := s.restOf(ctx, c)
	if err != nil {
		return nil, err
	}
	spends := []chain.Amount{w.Amount}
	for i := range rows {
		w := &rows[i]
		switch {
		case w.From == w.To || w.Amount.IsZero():
			continue
		case !b.spends(w):
			return spends, nil
		}
		spends = append(spends, w.Amount)
	}
	return spends, nil
}

// restOf lists the rows of a cursor's transaction behind its next row, as they
// will happen.
func (s *sim) restOf(ctx context.Context, c *cursor) (rows []ledger.Row, err error) {
	first := *c.row()
	for i := c.at + 1; first.Tx != 0; i++ {
		if i == len(c.rows) && c.more {
			if err := c.load(ctx, s.r, &s.pages); err != nil {
				return nil, err
			}
		}
		if i == len(c.rows) || c.rows[i].Tx != first.Tx || c.rows[i].Chain != first.Chain {
			break
		}
		rows = append(rows, c.rows[i])
	}
	return rows, s.wrappers.reorder(ctx, s.r, rows)
}
