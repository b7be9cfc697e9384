package ledger

import (
	"context"

	"bongsu/chain"
)

var maxAmount = chain.FromWords([4]uint64{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1})

func (v *view) Balances(ctx context.Context, queries []BalanceQuery) (_ []Balance, err error) {
	defer v.guard(&err)
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

// balance is the running balance of a book: by the sums that segments keep,
// unless a layer in memory says something of the account.
func (v *view) balance(ctx context.Context, q *BalanceQuery, b *Balance) error {
	if !v.touched(q.Account) {
		run, err := v.below.running(v, q)
		*b = run.balance()
		return err
	}
	var run running
	err := v.eachOf(ctx, Query{Account: q.Account, Asset: q.Asset, Until: q.Before}, func(w *Row) bool {
		switch {
		case w.From == w.To:
		case w.To == q.Account:
			run.in(w.Amount)
		default:
			run.out(w.Amount)
		}
		return true
	})
	*b = run.balance()
	return err
}

// touched says whether a layer has anything of the account.
func (v *view) touched(a AccountRef) bool {
	for _, l := range v.layers {
		if _, ok := l.accounts[a]; ok {
			return true
		}
	}
	return false
}
