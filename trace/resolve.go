package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// MaxTheftTransfers bounds the transfers of one theft.
const MaxTheftTransfers = 1_000_000

// stolenRow is a theft's transfer as the ledger holds it.
type stolenRow struct {
	row   ledger.Row
	theft uint32
}

// resolve finds the transfers of the thefts in the ledger.
func resolve(ctx context.Context, r ledger.Reader, thefts []Theft) (out []stolenRow, coins []stolenOutput, err error) {
	for i := range thefts {
		t := &thefts[i]
		if len(t.Transfers) == 0 {
			return nil, nil, errs.New("trace", errs.Invalid, t.ID, "the theft names no transfer", "state it with --transfers or --tx")
		}
		if len(t.Transfers) > MaxTheftTransfers {
			return nil, nil, errs.New("trace", errs.Limit, t.ID, fmt.Sprintf("the theft names more than %d transfers", MaxTheftTransfers), "state it as several thefts")
		}
		plain := *t
		if ofUTXO := func(x chain.Transfer) bool { return x.Chain.UTXO() }; slices.ContainsFunc(t.Transfers, ofUTXO) {
			plain.Transfers = slices.DeleteFunc(slices.Clone(t.Transfers), ofUTXO)
		}
		for k := range t.Transfers {
			if !t.Transfers[k].Chain.UTXO() {
				continue
			}
			c, err := resolveOutput(ctx, r, &t.Transfers[k])
			if err != nil {
				return nil, nil, errs.Wrap("trace", t.ID, err)
			}
			c.theft = uint32(i)
			coins = append(coins, c)
		}
		if out, err = resolveTheft(ctx, r, &plain, uint32(i), out); err != nil {
			return nil, nil, err
		}
	}
	sortStolen(out)
	out, err = toldOnce(ctx, r, out)
	return out, coins, err
}

func sortStolen(rows []stolenRow) {
	slices.SortFunc(rows, func(a, b stolenRow) int {
		return cmp.Or(a.row.Key.Compare(b.row.Key), cmp.Compare(a.theft, b.theft))
	})
}

// resolveOutput finds the output of a UTXO chain that a theft's transfer names:
// by its index (Ordinal), or else the only one that pays the receiver exactly.
func resolveOutput(ctx context.Context, r ledger.Reader, t *chain.Transfer) (stolenOutput, error) {
	refs, err := r.TxRefs(ctx, txNames([]chain.Transfer{*t}))
	if err != nil {
		return stolenOutput{}, err
	}
	txs, err := r.UTXOs(ctx, refs)
	if err != nil {
		return stolenOutput{}, err
	}
	found, n := 0, 0
	for i, o := range txs[0].Outputs {
		if o.Account == t.To && o.Value == t.Amount && (t.Ordinal == chain.NoOrdinal || int(t.Ordinal) == i) {
			found, n = i, n+1
		}
	}
	if n == 1 {
		return stolenOutput{at: coinKey{t.Chain, ledger.OutPoint{Tx: t.Tx, Index: uint32(found)}}, tx: refs[0]}, nil
	}
	why := "the ledger lacks this output of the theft, to " + t.To.Address()
	if n > 1 {
		why = "several outputs of the transaction pay the same to " + t.To.Address()
	}
	return stolenOutput{}, errs.New("trace", errs.NotExist, t.Tx.Text(t.Chain), why, "import the transaction, and name the output by its index")
}

// resolveTheft finds a theft's transfers among the rows of their transactions,
// or by their time when they have no transaction id, and appends them.
func resolveTheft(ctx context.Context, r ledger.Reader, t *Theft, theft uint32, out []stolenRow) ([]stolenRow, error) {
	rows, ends, err := candidates(ctx, r, t.Transfers)
	if err != nil {
		return nil, err
	}
	sides := make([]ledger.AccountRef, 0, 2*len(rows))
	for i := range rows {
		sides = append(sides, rows[i].From, rows[i].To)
	}
	who, err := r.Accounts(ctx, sides)
	if err != nil {
		return nil, err
	}
	used := make(map[ledger.Key]bool, len(t.Transfers))
	out = slices.Grow(out, len(t.Transfers))
	at := 0
	for i, end := range ends {
		x, twice := &t.Transfers[i], false
		var found *ledger.Row // the very one of those alike, if it is left
		for ; at < end; at++ {
			switch w := &rows[at]; {
			case who[2*at] != x.From || who[2*at+1] != x.To:
			case used[w.Key]:
				twice = true
			case found == nil || w.Nth == x.Nth && found.Nth != x.Nth:
				found = w
			}
		}
		if found == nil {
			return nil, errs.Wrap("trace", t.ID, unresolved(x, twice))
		}
		if found.From == found.To {
			return nil, errs.New("trace", errs.Invalid, t.ID, "one of its transfers goes from an account to itself", "leave that transfer out")
		}
		used[found.Key] = true
		out = append(out, stolenRow{*found, theft})
	}
	return out, nil
}

// unresolved says that no row, or none that is left, is a theft's transfer.
func unresolved(t *chain.Transfer, twice bool) error {
	where := t.Tx.Text(t.Chain)
	if where == "" {
		where = t.Time.String()
	}
	if twice {
		return errs.New("trace", errs.Invalid, where, "the theft names this transfer more often than the ledger holds it", "state the theft with each transfer once")
	}
	return errs.New("trace", errs.NotExist, where,
		"the ledger lacks this transfer of the theft, "+t.From.Address()+" to "+t.To.Address(), "import it first, or correct the theft")
}

// candidateWave is for how many transfers candidates reads transactions at
// once: what they have beside the transfers is not kept.
const candidateWave = 128

// candidates lists for each transfer the rows that agree with it in all but the
// accounts, and where in rows they end: it costs less to name the accounts of
// these few rows than to look the transfers' up.
func candidates(ctx context.Context, r ledger.Reader, ts []chain.Transfer) (rows []ledger.Row, ends []int, err error) {
	txs, err := r.TxRefs(ctx, txNames(ts))
	if err != nil {
		return nil, nil, err
	}
	assets, err := assetsOf(ctx, r, ts)
	if err != nil {
		return nil, nil, err
	}
	rows, ends = make([]ledger.Row, 0, len(ts)), make([]int, 0, len(ts))
	var refs []ledger.TxRef
	var pages ledger.Pages
	for len(ends) < len(ts) {
		wave := ts[len(ends):min(len(ends)+candidateWave, len(ts))]
		refs = append(refs[:0], txs[len(ends):len(ends)+len(wave)]...)
		slices.Sort(refs)
		refs = slices.Compact(refs)
		if err := r.Transactions(ctx, refs, &pages); err != nil {
			return nil, nil, err
		}
		for i := range wave {
			t, asset := &wave[i], assets[len(ends)]
			at, _ := slices.BinarySearch(refs, txs[len(ends)])
			found, _ := pages.Page(at)
			if t.Tx.IsZero() {
				if found, err = between(ctx, r, t, asset); err != nil {
					return nil, nil, err
				}
			}
			for k := range found {
				if w := &found[k]; w.Asset == asset && w.Amount == t.Amount && w.Kind == t.Kind {
					rows = append(rows, *w)
				}
			}
			ends = append(ends, len(rows))
		}
	}
	return rows, ends, nil
}

// assetsOf is the transfers' assets as references.
func assetsOf(ctx context.Context, r ledger.Reader, ts []chain.Transfer) ([]ledger.AssetRef, error) {
	names := make([]chain.Asset, len(ts))
	for i := range ts {
		names[i] = ts[i].Asset
	}
	return r.AssetRefs(ctx, names)
}

func txNames(ts []chain.Transfer) []ledger.Tx {
	out := make([]ledger.Tx, len(ts))
	for i := range ts {
		out[i] = ledger.Tx{Chain: ts[i].Chain, ID: ts[i].Tx}
	}
	return out
}

// between lists what a transfer's receiver got of an asset at the transfer's
// time.
func between(ctx context.Context, r ledger.Reader, t *chain.Transfer, asset ledger.AssetRef) ([]ledger.Row, error) {
	to, err := r.AccountRefs(ctx, []chain.Account{t.To})
	if err != nil || to[0] == 0 || asset == 0 {
		return nil, err
	}
	var out []ledger.Row
	var pages ledger.Pages
	q := ledger.Query{Account: to[0], Asset: asset, Direction: ledger.In}
	for {
		pages.Reset()
		if err := r.Activity(ctx, []ledger.Query{q}, &pages); err != nil {
			return nil, err
		}
		rows, more := pages.Page(0)
		for _, w := range rows {
			if w.Stated == t.Time {
				out = append(out, w)
			}
		}
		if !more || len(rows) == 0 {
			return out, nil
		}
		q.After = rows[len(rows)-1].Key
	}
}
