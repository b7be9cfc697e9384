package evaluate

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// flows is a ledger.Reader over a case's rows: one asset, in order, and every
// account empty before the first row (evaluation definition 2). It answers what
// a trace asks, and nothing else: the embedded nil Reader has no other answers.
type flows struct {
	ledger.Reader
	registry *chain.Registry
	rows     []ledger.Row
	accounts []chain.Account // by ref; 0 is none
	refs     map[chain.Account]ledger.AccountRef
	of       map[ledger.AccountRef][]int32 // rows by account
	after    map[ledger.AccountRef][]int64 // running balance after each of them
}

// usd stands for the value: an asset of six decimals.
var usd = chain.Ethereum.Native()

// newFlows numbers the rows: the place of a row is its number.
func newFlows(rows []Row) *flows {
	f := &flows{
		registry: chain.NewRegistry(), accounts: make([]chain.Account, 1),
		refs: map[chain.Account]ledger.AccountRef{}, of: map[ledger.AccountRef][]int32{}, after: map[ledger.AccountRef][]int64{},
	}
	txs := map[string]ledger.TxRef{} // rows of one hash are one transaction: TIHO asks
	for i, r := range rows {
		tx := ledger.TxRef(i + 1)
		if r.Tx != "" {
			if txs[r.Tx] == 0 {
				txs[r.Tx] = tx
			}
			tx = txs[r.Tx]
		}
		w := ledger.Row{
			Key:    ledger.Key{Time: r.Time, Chain: ledger.RefOfChain(chain.Ethereum), Block: uint64(i + 1), Ordinal: uint32(i), Kind: chain.KindNative},
			Stated: r.Time, From: f.ref(r.From), To: f.ref(r.To), Asset: 1, Tx: tx, Amount: chain.Units(uint64(r.Value)),
		}
		f.rows = append(f.rows, w)
		if w.To == w.From {
			f.touch(w.From, i, 0)
			continue
		}
		f.touch(w.From, i, -r.Value)
		f.touch(w.To, i, r.Value)
	}
	return f
}

// touch appends a row to an account's, with its running balance: a spend
// beyond it leaves zero.
func (f *flows) touch(ref ledger.AccountRef, row int, value int64) {
	var before int64
	if n := len(f.after[ref]); n > 0 {
		before = f.after[ref][n-1]
	}
	f.of[ref] = append(f.of[ref], int32(row))
	f.after[ref] = append(f.after[ref], max(before+value, 0))
}

// place is how many of an account's rows stand before a block, or at it too.
func (f *flows) place(ref ledger.AccountRef, block uint64) int {
	n, _ := slices.BinarySearchFunc(f.of[ref], block, func(i int32, b uint64) int { return cmp.Compare(f.rows[i].Block, b) })
	return n
}

func (f *flows) ref(a chain.Account) ledger.AccountRef {
	r, ok := f.refs[a]
	if !ok {
		f.accounts = append(f.accounts, a)
		r = ledger.AccountRef(len(f.accounts) - 1)
		f.refs[a] = r
	}
	return r
}

func (f *flows) Registry() *chain.Registry { return f.registry }

// Chains holds none: the rows are worth dollars, of whatever asset, and no
// contract turns one into another.
func (f *flows) Chains(context.Context) ([]chain.ID, error) { return nil, nil }

func (f *flows) AccountRefs(_ context.Context, as []chain.Account) ([]ledger.AccountRef, error) {
	out := make([]ledger.AccountRef, len(as))
	for i, a := range as {
		out[i] = f.refs[a]
	}
	return out, nil
}

// Accounts names the all-zero address otherwise: a chain burns what reaches it,
// but to the definitions of an evaluation it is an account like any other.
func (f *flows) Accounts(_ context.Context, refs []ledger.AccountRef) ([]chain.Account, error) {
	out := make([]chain.Account, len(refs))
	for i, r := range refs {
		if out[i] = f.accounts[r]; out[i] == chain.EVM(chain.Ethereum, [20]byte{}) {
			out[i] = chain.EVM(chain.Ethereum, [20]byte(bytes.Repeat([]byte{0xff}, 20)))
		}
	}
	return out, nil
}

func (f *flows) AssetRefs(_ context.Context, as []chain.Asset) ([]ledger.AssetRef, error) {
	out := make([]ledger.AssetRef, len(as))
	for i, a := range as {
		if a == usd {
			out[i] = 1
		}
	}
	return out, nil
}

func (f *flows) Assets(_ context.Context, refs []ledger.AssetRef) ([]chain.Asset, error) {
	return slices.Repeat([]chain.Asset{usd}, len(refs)), nil
}

func (f *flows) Txs(_ context.Context, refs []ledger.TxRef) ([]ledger.Tx, error) {
	return slices.Repeat([]ledger.Tx{{Chain: chain.Ethereum}}, len(refs)), nil
}

func (f *flows) TxRefs(_ context.Context, txs []ledger.Tx) ([]ledger.TxRef, error) {
	return make([]ledger.TxRef, len(txs)), nil
}

func (f *flows) Transactions(context.Context, []ledger.TxRef, *ledger.Pages) error { return nil }

func (f *flows) Balances(_ context.Context, qs []ledger.BalanceQuery) ([]ledger.Balance, error) {
	out := make([]ledger.Balance, len(qs))
	for i, q := range qs {
		if n := f.place(q.Account, q.Before.Block); n > 0 {
			out[i].Amount = chain.Units(uint64(f.after[q.Account][n-1]))
		}
	}
	return out, nil
}

func (f *flows) Coverage(_ context.Context, id chain.ID) (ledger.Coverage, error) {
	return ledger.Coverage{Chain: id, FirstBlock: 1, LastBlock: uint64(len(f.rows))}, nil
}

func (f *flows) Activity(_ context.Context, qs []ledger.Query, into *ledger.Pages) error {
	for _, q := range qs {
		limit, more := q.Limit, false
		if limit == 0 {
			limit = ledger.DefaultLimit
		}
		all := f.of[q.Account]
		start := f.place(q.Account, q.After.Block+1)
		for _, i := range all[start:] {
			w := &f.rows[i]
			if q.Direction == ledger.Out && w.From != q.Account || q.Direction == ledger.In && w.To != q.Account {
				continue
			}
			if limit == 0 {
				more = true
				break
			}
			into.Rows = append(into.Rows, *w)
			limit--
		}
		into.EndPage(more)
	}
	return nil
}
