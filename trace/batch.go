package trace

import (
	"context"

	"bongsu/chain"
)

// spendBatch draws the next spend of a TIHO batch, planning the batch when
// this is its first spend: the book's own rows ahead, inside the same
// transaction, up to the next arrival.
func (s *sim) spendBatch(ctx context.Context, b *book, out []lot) (_ []lot, short bool, err error) {
	if len(b.cuts) == 0 {
		spends, err := s.lookAhead(ctx, b)
		if err != nil {
			return nil, false, err
		}
		var sum chain.Amount
		fits := true
		for _, a := range spends {
			var ok bool
			sum, ok = sum.Add(a)
			fits = fits && ok
		}
		b.short = !fits || sum.Cmp(b.total) > 0
		tiho{}.batch(b, spends)
	}
	out, _ = b.planned(out)
	return out, b.short, nil
}

// lookAhead lists the batch's spends. The row being processed is the next row
// of the book's own cursor, because that is where rows of a book come from.
func (s *sim) lookAhead(ctx context.Context, b *book) ([]chain.Amount, error) {
	c := &b.cur
	first := *c.row()
	spends := []chain.Amount{first.Amount}
	for i := c.at + 1; ; i++ {
		if i == len(c.rows) {
			if !c.more {
				return spends, nil
			}
			if err := c.load(ctx, s.r, &s.pages); err != nil {
				return nil, err
			}
			if i == len(c.rows) {
				return spends, nil
			}
		}
		w := &c.rows[i]
		switch {
		case first.Tx == 0 || w.Tx != first.Tx || w.Chain != first.Chain:
			return spends, nil
		case w.From == w.To || w.Amount.IsZero():
			continue
		case w.From != b.key.account:
			return spends, nil
		}
		spends = append(spends, w.Amount)
	}
}
