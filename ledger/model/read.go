package model

import (
	"cmp"
	"context"
	"math"
	"math/big"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

func (r *reader) Version() uint64           { return r.version }
func (r *reader) Registry() *chain.Registry { return r.registry }
func (r *reader) Close() error              { return nil }

func (r *reader) Chains(context.Context) ([]chain.ID, error) {
	var out []chain.ID
	for k := range r.truth.txs {
		out = append(out, k.chain)
	}
	for k := range r.truth.blocks {
		out = append(out, k.chain)
	}
	for id := range r.truth.claims {
		out = append(out, id)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// each answers subjects one by one.
func each[Q, A any](subjects []Q, answer func(Q) A) ([]A, error) {
	out := make([]A, len(subjects))
	for i, q := range subjects {
		out[i] = answer(q)
	}
	return out, nil
}

func (r *reader) AccountRefs(_ context.Context, accounts []chain.Account) ([]ledger.AccountRef, error) {
	return each(accounts, r.account)
}

func (r *reader) AssetRefs(_ context.Context, assets []chain.Asset) ([]ledger.AssetRef, error) {
	return each(assets, r.asset)
}

func (r *reader) TxRefs(_ context.Context, txs []ledger.Tx) ([]ledger.TxRef, error) {
	return each(txs, func(t ledger.Tx) ledger.TxRef {
		if t.ID.IsZero() {
			return 0
		}
		return r.refs[txKey{chain: t.Chain, id: t.ID}]
	})
}

func (r *reader) Accounts(_ context.Context, refs []ledger.AccountRef) ([]chain.Account, error) {
	return each(refs, func(n ledger.AccountRef) chain.Account { return name(r.accounts, uint64(n)) })
}

func (r *reader) Assets(_ context.Context, refs []ledger.AssetRef) ([]chain.Asset, error) {
	return each(refs, func(n ledger.AssetRef) chain.Asset { return name(r.assets, uint64(n)) })
}

func (r *reader) Txs(_ context.Context, refs []ledger.TxRef) ([]ledger.Tx, error) {
	return each(refs, func(n ledger.TxRef) ledger.Tx {
		k := name(r.txs, uint64(n))
		return ledger.Tx{Chain: k.chain, ID: k.id}
	})
}

func name[T any](names []T, ref uint64) T {
	if ref == 0 || ref > uint64(len(names)) {
		var zero T
		return zero
	}
	return names[ref-1]
}

func within(k, after, until ledger.Key) bool {
	return (after.IsZero() || k.Compare(after) > 0) && (until.IsZero() || k.Compare(until) < 0)
}

func (r *reader) Activity(_ context.Context, queries []ledger.Query, into *ledger.Pages) error {
	into.Reset()
	for _, q := range queries {
		var found []ledger.Row
		for _, w := range r.rows {
			side := q.Direction == ledger.Both && (w.From == q.Account || w.To == q.Account) ||
				q.Direction == ledger.In && w.To == q.Account || q.Direction == ledger.Out && w.From == q.Account
			if side && q.Account != 0 && (q.With == 0 || w.From == q.With || w.To == q.With) && (q.Asset == 0 || w.Asset == q.Asset) && within(w.Key, q.After, q.Until) {
				found = append(found, w)
			}
		}
		if q.Reverse {
			slices.Reverse(found)
		}
		n := q.Limit
		if n <= 0 {
			n = ledger.DefaultLimit
		}
		n = min(n, ledger.MaxLimit, len(found))
		into.Rows = append(into.Rows, found[:n]...)
		into.EndPage(n < len(found))
	}
	return nil
}

func (r *reader) Transactions(_ context.Context, refs []ledger.TxRef, into *ledger.Pages) error {
	into.Reset()
	for _, ref := range refs {
		for _, w := range r.rows {
			if w.Tx == ref {
				into.Rows = append(into.Rows, w)
			}
		}
		into.EndPage(false)
	}
	return nil
}

func (r *reader) Scan(_ context.Context, id chain.ID, after, until ledger.Key, yield func([]ledger.Row) error) error {
	var found []ledger.Row
	for _, w := range r.rows {
		if w.Chain == ledger.RefOfChain(id) && within(w.Key, after, until) {
			found = append(found, w)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return yield(found)
}

// ScanWhere is for ledger.WhereScanner.
func (r *reader) ScanWhere(ctx context.Context, id chain.ID, assets []ledger.AssetRef, after, until ledger.Key, by ledger.Walker) error {
	return r.Scan(ctx, id, after, until, func(rows []ledger.Row) error { return ledger.Walk(assets, rows, by) })
}

func (r *reader) Balances(_ context.Context, queries []ledger.BalanceQuery) ([]ledger.Balance, error) {
	return each(queries, r.balance)
}

func (r *reader) balance(q ledger.BalanceQuery) ledger.Balance {
	var b ledger.Balance
	before := uint64(0) // the highest block that counts
	held, below := new(big.Int), new(big.Int)
	for _, w := range r.rows {
		if q.Account == 0 || w.Asset != q.Asset || !within(w.Key, ledger.Key{}, q.Before) || w.From == w.To {
			continue
		}
		bytes := w.Amount.Bytes32()
		amount := new(big.Int).SetBytes(bytes[:])
		if w.To == q.Account {
			held.Add(held, amount)
		}
		if w.From == q.Account {
			if held.Sub(held, amount); held.Sign() < 0 {
				below.Sub(below, held)
				held.SetInt64(0)
				b.Short = true
			}
		}
	}
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	if held.Cmp(most) > 0 { // beyond any supply
		held, b.Short = most, true
	}
	if below.Cmp(most) > 0 {
		below = most
	}
	b.Amount, _ = chain.AmountFromBytes(held.Bytes())
	b.Below, _ = chain.AmountFromBytes(below.Bytes())
	asset := name(r.assets, uint64(q.Asset))
	c := r.coverage(asset.Chain())
	if before = c.LastBlock; !q.Before.IsZero() {
		before = q.Before.Block
	}
	b.Exact = asset != "" && !b.Short && !c.Empty && c.Unplaced == 0 && c.Complete(0, before, ledger.Needs(asset))
	return b
}

func (r *reader) Degrees(_ context.Context, accounts []ledger.AccountRef) ([]ledger.Degree, error) {
	return each(accounts, func(a ledger.AccountRef) ledger.Degree {
		var d ledger.Degree
		for _, w := range r.rows {
			if a != 0 && w.From == a {
				d.Out++
			}
			if a != 0 && w.To == a {
				d.In++
			}
		}
		return d
	})
}

func (r *reader) Coverage(_ context.Context, id chain.ID) (ledger.Coverage, error) {
	return r.coverage(id), nil
}

func (r *reader) coverage(id chain.ID) ledger.Coverage {
	c := ledger.Coverage{Chain: id, FirstBlock: math.MaxUint64, Final: r.final[id]}
	for k, b := range r.truth.blocks {
		if k.chain == id {
			extend(&c, b.Time)
			c.FirstBlock, c.LastBlock = min(c.FirstBlock, k.number), max(c.LastBlock, k.number)
		}
	}
	for _, l := range r.truth.claims[id] {
		c.FirstBlock, c.LastBlock = min(c.FirstBlock, l.From), max(c.LastBlock, l.To)
	}
	for k, t := range r.truth.txs {
		if k.chain == id && !k.id.IsZero() {
			c.Txs++
		}
		if k.chain == id && len(t.notes.Calls)+len(t.notes.Logs) > 0 {
			c.Noted++
		}
		if k.chain == id && t.block == chain.NoBlock {
			extend(&c, t.time)
		}
	}
	for _, w := range r.rows {
		if w.Chain != ledger.RefOfChain(id) {
			continue
		}
		c.Rows++
		if w.BlockInferred {
			c.Unplaced++
		}
		if w.TimeUnknown {
			c.Untimed++
		}
	}
	if c.FirstBlock == math.MaxUint64 {
		c.FirstBlock = 0
		c.Empty = c.Rows == 0 && c.Txs == 0
		return c
	}
	c.Ranges = ranges(r.truth.claims[id], c.FirstBlock, c.LastBlock)
	for _, g := range c.Ranges {
		if g.What == 0 {
			c.Gaps = append(c.Gaps, g)
		}
	}
	return c
}

func extend(c *ledger.Coverage, at chain.Time) {
	if at == 0 {
		return
	}
	if c.FirstTime == 0 || at < c.FirstTime {
		c.FirstTime = at
	}
	c.LastTime = max(c.LastTime, at)
}

func (r *reader) Blocks(_ context.Context, id chain.ID, numbers []uint64) ([]ledger.Block, error) {
	return each(numbers, func(n uint64) ledger.Block {
		b := r.truth.blocks[blockKey{id, n}]
		if b == nil {
			return ledger.Block{Number: n}
		}
		out := b.Block
		out.Final = !r.provisional(id, n)
		return out
	})
}

func (r *reader) BlockTxs(_ context.Context, id chain.ID, number uint64) ([]ledger.TxRef, error) {
	var found []txKey
	for k, t := range r.truth.txs {
		if k.chain == id && !k.id.IsZero() && t.block == number && number != chain.NoBlock {
			found = append(found, k)
		}
	}
	later := func(k txKey) int { // the coinbase is first
		if u := r.truth.txs[k].utxo; u != nil && u.Coinbase {
			return 0
		}
		return 1
	}
	slices.SortFunc(found, func(a, b txKey) int {
		return cmp.Or(later(a)-later(b), cmp.Compare(r.truth.txs[a].index, r.truth.txs[b].index), a.id.Compare(b.id))
	})
	var out []ledger.TxRef
	for _, k := range found {
		out = append(out, r.refs[k])
	}
	return out, nil
}

func (r *reader) Notes(_ context.Context, refs []ledger.TxRef) ([]ledger.Notes, error) {
	return each(refs, func(n ledger.TxRef) ledger.Notes {
		if n == 0 {
			return ledger.Notes{}
		}
		return r.truth.txs[name(r.txs, uint64(n))].notes
	})
}

func (r *reader) UTXOs(_ context.Context, refs []ledger.TxRef) ([]ledger.UTXOTx, error) {
	return each(refs, func(n ledger.TxRef) ledger.UTXOTx {
		if n == 0 {
			return ledger.UTXOTx{}
		}
		return r.utxo(name(r.txs, uint64(n)))
	})
}

func (r *reader) utxo(k txKey) ledger.UTXOTx {
	t := r.truth.txs[k]
	if t == nil || t.utxo == nil {
		return ledger.UTXOTx{}
	}
	u := *t.utxo
	u.Block, u.Index, u.Time = t.block, t.index, t.time
	if b := r.truth.blocks[blockKey{k.chain, t.block}]; b != nil {
		u.Time = b.Time
	}
	u.Inputs, u.Outputs = slices.Clone(u.Inputs), slices.Clone(u.Outputs)
	for i := range u.Inputs {
		if p := r.truth.txs[txKey{chain: k.chain, id: u.Inputs[i].Prev.Tx}]; p != nil && p.utxo != nil && int(u.Inputs[i].Prev.Index) < len(p.utxo.Outputs) {
			o := p.utxo.Outputs[u.Inputs[i].Prev.Index]
			u.Inputs[i].Account, u.Inputs[i].Value, u.Inputs[i].Known = o.Account, o.Value, true
		}
	}
	for i := range u.Outputs {
		u.Outputs[i].Spender = r.spender(k, uint32(i))
	}
	return u
}

func (r *reader) OutputsOf(_ context.Context, queries []ledger.Query) ([]ledger.OutputPage, error) {
	return each(queries, func(q ledger.Query) ledger.OutputPage {
		var page ledger.OutputPage
		who := name(r.accounts, uint64(q.Account))
		for i, k := range r.txs {
			u := r.utxo(k)
			for n, o := range u.Outputs {
				at := r.outputKey(k, n)
				if q.Account == 0 || o.Account != who || !within(at, q.After, q.Until) {
					continue
				}
				page.Outputs = append(page.Outputs, ledger.AccountOutput{
					Key: at, Tx: ledger.TxRef(i + 1), Point: ledger.OutPoint{Tx: k.id, Index: uint32(n)}, Value: o.Value, Spender: o.Spender,
				})
			}
		}
		slices.SortFunc(page.Outputs, func(a, b ledger.AccountOutput) int {
			return cmp.Or(a.Key.Compare(b.Key), a.Point.Tx.Compare(b.Point.Tx))
		})
		if q.Reverse {
			slices.Reverse(page.Outputs)
		}
		n := q.Limit
		if n <= 0 {
			n = ledger.DefaultLimit
		}
		if n < len(page.Outputs) {
			page.Outputs, page.More = page.Outputs[:n], true
		}
		return page
	})
}

func (r *reader) outputKey(k txKey, n int) ledger.Key {
	t := r.truth.txs[k]
	at := ledger.Key{Chain: ledger.RefOfChain(k.chain), Block: t.block, Index: t.index, Ordinal: uint32(n), Kind: chain.KindNative}
	if t.block == chain.NoBlock {
		at.Block, at.Index, at.Time = r.latest(k.chain, func(b *block) bool { return b.Time <= t.time }).Number, chain.NoIndex, t.time
	} else {
		at.Time = r.latest(k.chain, func(b *block) bool { return b.Number <= t.block }).Time
	}
	for i, c := range k.id.Raw() {
		if i < 8 {
			at.Tx |= uint64(c) << (56 - 8*i)
		} else if i < 16 {
			at.TxNext |= uint64(c) << (120 - 8*i)
		}
	}
	return at
}
