package ledger

import (
	"context"

	"bongsu/chain"
)

var maxAmount = chain.FromWords([4]uint64{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1})

func (v *view) Balances(ctx context.Context, queries []BalanceQuery) (_ []Balance, err error) {
	defer v.guard(&err)
	out := make([]Balance, len(queries))
	known := exactness{v: v, chains: map[chain.ID]*Coverage{}, assets: map[AssetRef]bookNeeds{}}
	for i := range queries {
		q := &queries[i]
		if q.Account == 0 || q.Asset == 0 {
			continue
		}
		if err := v.balance(ctx, q, &out[i]); err != nil {
			return nil, err
		}
		exact, err := known.of(ctx, q)
		if err != nil {
			return nil, err
		}
		out[i].Exact = exact && !out[i].Short
	}
	return out, nil
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
