package ledger

import (
	"context"
)

func (v *view) Degrees(ctx context.Context, accounts []AccountRef) ([]Degree, error) {
	out := make([]Degree, len(accounts))
	for i, a := range accounts {
		if err := v.eachOf(ctx, Query{Account: a}, func(w *Row) bool {
			if w.From == a {
				out[i].Out++
			}
			if w.To == a {
				out[i].In++
			}
			return true
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}
