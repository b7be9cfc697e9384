package ledger

import (
	"context"

	"bongsu/chain"
)

var maxAmount = chain.FromWords([4]uint64{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1})

func (v *view) Balances(ctx context.Context, queries []BalanceQuery) ([]Balance, error) {
	out := make([]Balance, len(queries))
	covers := map[AssetRef]*Coverage{}
	for i := range queries {
		q := &queries[i]
		if q.Account == 0 || q.Asset == 0 {
			continue
		}
		if err := v.balance(ctx, q, &out[i]); err != nil {
			return nil, err
		}
		c := covers[q.Asset]
		if c == nil {
			got, err := v.cover(ctx, q.Asset)
			if err != nil {
				return nil, err
			}
			c = &got
			covers[q.Asset] = c
		}
		before := c.LastBlock
		if !q.Before.IsZero() {
			before = q.Before.Block
		}
		asset := v.names.assetNames([]AssetRef{q.Asset})[0]
		out[i].Exact = !out[i].Short && !c.Empty && c.Unplaced == 0 && c.Complete(0, before, Needs(asset))
	}
	return out, nil
}

func (v *view) cover(ctx context.Context, asset AssetRef) (Coverage, error) {
	name := v.names.assetNames([]AssetRef{asset})[0]
	if name == "" {
		return Coverage{Empty: true}, nil
	}
	return v.Coverage(ctx, name.Chain())
}

// balance runs through a book's rows.
func (v *view) balance(ctx context.Context, q *BalanceQuery, b *Balance) error {
	return v.eachOf(ctx, Query{Account: q.Account, Asset: q.Asset, Until: q.Before}, func(w *Row) bool {
		b.add(w, q.Account)
		return true
	})
}

// add books one row of the account. A transfer to oneself changes nothing.
func (b *Balance) add(w *Row, account AccountRef) {
	if w.From == w.To {
		return
	}
	var ok bool
	if w.To == account {
		if b.Amount, ok = b.Amount.Add(w.Amount); !ok {
			b.Amount, b.Short = maxAmount, true // beyond any supply: some row is not true
		}
		return
	}
	if b.Amount, ok = b.Amount.Sub(w.Amount); !ok {
		b.Amount, b.Short = chain.Amount{}, true
	}
}
