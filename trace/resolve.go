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
		rows, err := resolveTheft(ctx, r, &plain)
		if err != nil {
			return nil, nil, err
		}
		out = slices.Grow(out, len(rows))
		for k := range rows {
			if rows[k].From == rows[k].To {
				return nil, nil, errs.New("trace", errs.Invalid, t.ID, "one of its transfers goes from an account to itself", "leave that transfer out")
			}
			out = append(out, stolenRow{rows[k], uint32(i)})
		}
	}
	slices.SortFunc(out, func(a, b stolenRow) int {
		return cmp.Or(a.row.Key.Compare(b.row.Key), cmp.Compare(a.theft, b.theft))
	})
	return out, coins, nil
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

func resolveTheft(ctx context.Context, r ledger.Reader, t *Theft) ([]ledger.Row, error) {
	txs, err := r.TxRefs(ctx, txNames(t.Transfers))
	if err != nil {
		return nil, err
	}
	refs := make([]ledger.TxRef, 0, len(txs))
	for _, x := range txs {
		if x != 0 {
			refs = append(refs, x)
		}
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	var pages ledger.Pages
	if err := r.Transactions(ctx, refs, &pages); err != nil {
		return nil, err
	}
	byTx := make(map[ledger.TxRef][]ledger.Row, len(refs))
	for i, x := range refs {
		rows, _ := pages.Page(i)
		byTx[x] = rows
	}
	names, err := namesOf(ctx, r, t.Transfers)
	if err != nil {
		return nil, err
	}
	used := make(map[ledger.Key]bool, len(t.Transfers))
	out := make([]ledger.Row, 0, len(t.Transfers))
	for i := range t.Transfers {
		w, err := match(ctx, r, &t.Transfers[i], &names[i], byTx[txs[i]], used)
		if err != nil {
			return nil, errs.Wrap("trace", t.ID, err)
		}
		used[w.Key] = true
		out = append(out, w)
	}
	return out, nil
}

func txNames(ts []chain.Transfer) []ledger.Tx {
	out := make([]ledger.Tx, len(ts))
	for i := range ts {
		out[i] = ledger.Tx{Chain: ts[i].Chain, ID: ts[i].Tx}
	}
	return out
}

// transferNames is a transfer's names as references.
type transferNames struct {
	from, to ledger.AccountRef
	asset    ledger.AssetRef
}

func namesOf(ctx context.Context, r ledger.Reader, ts []chain.Transfer) ([]transferNames, error) {
	accounts, assets := make([]chain.Account, 0, 2*len(ts)), make([]chain.Asset, len(ts))
	for i := range ts {
		accounts, assets[i] = append(accounts, ts[i].From, ts[i].To), ts[i].Asset
	}
	who, err := r.AccountRefs(ctx, accounts)
	if err != nil {
		return nil, err
	}
	what, err := r.AssetRefs(ctx, assets)
	if err != nil {
		return nil, err
	}
	out := make([]transferNames, len(ts))
	for i := range ts {
		out[i] = transferNames{who[2*i], who[2*i+1], what[i]}
	}
	return out, nil
}

// match finds one transfer among the rows of its transaction, or by its time
// when it has no transaction id.
func match(ctx context.Context, r ledger.Reader, t *chain.Transfer, n *transferNames, rows []ledger.Row, used map[ledger.Key]bool) (_ ledger.Row, err error) {
	if t.Tx.IsZero() && n.to != 0 && n.asset != 0 {
		if rows, err = between(ctx, r, n.to, n.asset, t.Time); err != nil {
			return ledger.Row{}, err
		}
	}
	twice := false
	for i := range rows {
		w := &rows[i]
		if w.From == n.from && w.To == n.to && w.Asset == n.asset && w.Amount == t.Amount && w.Kind == t.Kind {
			if !used[w.Key] {
				return *w, nil
			}
			twice = true
		}
	}
	where := t.Tx.Text(t.Chain)
	if where == "" {
		where = t.Time.String()
	}
	if twice {
		return ledger.Row{}, errs.New("trace", errs.Invalid, where, "the theft names this transfer more often than the ledger holds it", "state the theft with each transfer once")
	}
	return ledger.Row{}, errs.New("trace", errs.NotExist, where,
		"the ledger lacks this transfer of the theft, "+t.From.Address()+" to "+t.To.Address(), "import it first, or correct the theft")
}

// between lists what an account received of an asset at one time.
func between(ctx context.Context, r ledger.Reader, to ledger.AccountRef, asset ledger.AssetRef, at chain.Time) ([]ledger.Row, error) {
	var out []ledger.Row
	var pages ledger.Pages
	q := ledger.Query{Account: to, Asset: asset, Direction: ledger.In}
	for {
		pages.Reset()
		if err := r.Activity(ctx, []ledger.Query{q}, &pages); err != nil {
			return nil, err
		}
		rows, more := pages.Page(0)
		for _, w := range rows {
			if w.Stated == at {
				out = append(out, w)
			}
		}
		if !more || len(rows) == 0 {
			return out, nil
		}
		q.After = rows[len(rows)-1].Key
	}
}
