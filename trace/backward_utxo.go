package trace

import (
	"container/heap"
	"context"
	"math"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
)

// feeIndex stands for a transaction's fee among its outputs.
const feeIndex = math.MaxUint32

// ancestry is where one output of a UTXO chain may have come from: the
// transactions between it and the outputs at which going back stops. With FIFO
// and LIFO it goes back from the very units that are asked for, so that it
// grows with where the money was and not with all that it ever met.
type ancestry struct {
	*backward
	on    chain.ID
	asset ledger.AssetRef
	coins map[coinKey]*wantedCoin
	txs   map[chain.TxID]*ancestor
	byRef map[ledger.TxRef]*ancestor
	due   ancestorHeap

	sources []source
	stops   []stop
	at      map[coinKey]int      // of sources, by output
	minted  map[ledger.TxRef]int // of sources, by coinbase, under the fee rule coinbase
	active  map[int]lot          // sources that are traced now, by number
}

// wantedCoin is an output that leads into the deposit.
type wantedCoin struct {
	units   spans
	stop    stopKind
	label   labels.Label
	prev    *ledger.UTXOTx // that made it; nil when the ledger lacks it
	prevRef ledger.TxRef
	value   chain.Amount
	account chain.Account
	spender *ancestor // nil: the deposit itself
}

// ancestor is a transaction on the way.
type ancestor struct {
	dueTx
	refs   []ledger.AccountRef // of inputs, then outputs
	hops   int                 // from its outputs to the deposit
	paying []*ancestor         // fee rule coinbase: the block's other transactions, in order
	minted bool                // fee rule coinbase: its subsidy leads into the deposit
	queued bool
}

// ancestorHeap gives the latest transaction first: when one's turn comes, all
// that its outputs lead to is known.
type ancestorHeap []*ancestor

func (h ancestorHeap) Len() int { return len(h) }
func (h ancestorHeap) Less(i, j int) bool {
	return (txHeap{h[j].dueTx, h[i].dueTx}).Less(0, 1)
}
func (h ancestorHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push and Pop are for container/heap.
func (h *ancestorHeap) Push(x any) { *h = append(*h, x.(*ancestor)) }

// Pop is for container/heap.
func (h *ancestorHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// output looks back from a deposit of a UTXO chain.
func (b *backward) output(ctx context.Context, o *stolenOutput, id string) error {
	a := &ancestry{
		backward: b, on: o.at.chain, coins: map[coinKey]*wantedCoin{}, txs: map[chain.TxID]*ancestor{}, byRef: map[ledger.TxRef]*ancestor{},
		at: map[coinKey]int{}, minted: map[ledger.TxRef]int{},
	}
	a.asset = coinAsset(o.at.chain)
	if err := a.learn(ctx, a.asset); err != nil {
		return err
	}
	dep, err := a.search(ctx, o, id)
	if err != nil {
		return err
	}
	a.list()
	groups, err := b.groups(id, len(a.sources))
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := a.forward(ctx, dep, g); err != nil {
			return err
		}
	}
	return b.write(dep, a.stops)
}

// search walks back from the deposit, latest transactions first.
func (a *ancestry) search(ctx context.Context, o *stolenOutput, id string) (*deposit, error) {
	txs, err := a.r.UTXOs(ctx, []ledger.TxRef{o.tx})
	if err != nil {
		return nil, err
	}
	tx := &txs[0]
	out := &tx.Outputs[o.at.point.Index]
	dep := &deposit{id: id, asset: a.asset, amount: out.Value, sender: out.Account, key: outputKey(tx, int(o.at.point.Index), chain.KindNative)}
	for i := range tx.Inputs {
		if !tx.Inputs[i].Account.IsZero() {
			dep.sender = tx.Inputs[i].Account
			break
		}
	}
	c, err := a.r.Coverage(ctx, a.on)
	if err != nil {
		return nil, err
	}
	dep.prov = c.Final > 0 && tx.Block > c.Final
	coin := &wantedCoin{value: out.Value, account: out.Account, prev: tx, prevRef: o.tx}
	coin.units.add(span{to: out.Value})
	a.coins[o.at] = coin
	if err := a.reach(ctx, coin, 0); err != nil {
		return nil, err
	}
	for a.due.Len() > 0 {
		if ctx.Err() != nil {
			return nil, errs.Wrap("trace", "", ctx.Err())
		}
		t := heap.Pop(&a.due).(*ancestor)
		t.queued = false
		if err := a.expand(ctx, t); err != nil {
			return nil, err
		}
	}
	a.read()
	return dep, nil
}

// reach brings the transaction that made a coin into the ancestry, or stops
// there: what a coinbase pays comes from nowhere else, unless fees are followed
// through it.
func (a *ancestry) reach(ctx context.Context, c *wantedCoin, hops int) error {
	if c.prev == nil || c.prev.Coinbase && a.req.Fees != FeesCoinbase {
		c.stop = stopStart
		return nil
	}
	_, err := a.bring(ctx, c.prevRef, c.prev, hops)
	return err
}

// bring makes a transaction due.
func (a *ancestry) bring(ctx context.Context, ref ledger.TxRef, tx *ledger.UTXOTx, hops int) (*ancestor, error) {
	t := a.txs[tx.Tx]
	if t == nil {
		if len(a.txs) >= MaxUpstreamTxs {
			return nil, errs.New("trace", errs.Limit, "", "going back reaches more than 300000 transactions", "bound it with --max-hops, label the services on the way, or use fifo")
		}
		t = &ancestor{dueTx: dueTx{ref: ref, tx: *tx}, hops: hops}
		if err := a.nameParties(ctx, t); err != nil {
			return nil, err
		}
		a.txs[tx.Tx], a.byRef[ref] = t, t
		if tx.Coinbase {
			if err := a.payers(ctx, t); err != nil {
				return nil, err
			}
		}
	}
	t.hops = min(t.hops, hops)
	if !t.queued {
		t.queued = true
		heap.Push(&a.due, t)
	}
	return t, nil
}

func (a *ancestry) nameParties(ctx context.Context, t *ancestor) (err error) {
	t.refs, err = a.r.AccountRefs(ctx, accountsOf(&t.tx))
	return err
}

// payers lists the transactions whose fees a coinbase collects.
func (a *ancestry) payers(ctx context.Context, t *ancestor) error {
	var err error
	if t.fees, err = payersOf(ctx, a.r, &t.tx, t.ref); err != nil {
		return err
	}
	txs, err := a.r.UTXOs(ctx, t.fees)
	if err != nil {
		return err
	}
	for i := range txs {
		t.paying = append(t.paying, &ancestor{dueTx: dueTx{ref: t.fees[i], tx: txs[i]}})
	}
	return nil
}

// expand finds which inputs of a transaction lead into the deposit.
func (a *ancestry) expand(ctx context.Context, t *ancestor) error {
	outs, want := make([]chain.Amount, len(t.tx.Outputs)), make([]spans, len(t.tx.Outputs)+1)
	for i := range t.tx.Outputs {
		outs[i] = t.tx.Outputs[i].Value
		want[i] = a.units(t, uint32(i))
	}
	want[len(outs)] = a.units(t, feeIndex)
	if t.tx.Coinbase {
		return a.collected(ctx, t, outs, want)
	}
	ins := make([]chain.Amount, len(t.tx.Inputs))
	for i := range t.tx.Inputs {
		ins[i] = t.tx.Inputs[i].Value // zero when unknown: it comes last and is missing
	}
	var prevs []ledger.Tx
	var which []int
	got := behind(a.req.Method, ins, outs, want)
	for i, units := range got {
		if len(units) == 0 || !t.tx.Inputs[i].Known {
			continue
		}
		key := coinKey{a.on, t.tx.Inputs[i].Prev}
		c := a.coins[key]
		if c == nil {
			c = &wantedCoin{value: ins[i], account: t.tx.Inputs[i].Account, spender: t}
			a.coins[key] = c
		}
		fresh := c.stop == stopDepth
		for _, x := range units {
			fresh = c.units.add(x) || fresh
		}
		if fresh {
			prevs, which = append(prevs, ledger.Tx{Chain: a.on, ID: key.point.Tx}), append(which, i)
		}
	}
	return a.further(ctx, t, prevs, which)
}

// further goes on from the inputs of a transaction that are wanted, where
// nothing stops it.
func (a *ancestry) further(ctx context.Context, t *ancestor, prevs []ledger.Tx, which []int) error {
	refs, err := a.r.TxRefs(ctx, prevs)
	if err != nil {
		return err
	}
	txs, err := a.r.UTXOs(ctx, refs)
	if err != nil {
		return err
	}
	for n, i := range which {
		c := a.coins[coinKey{a.on, t.tx.Inputs[i].Prev}]
		if txs[n].Outputs != nil {
			c.prev, c.prevRef = &txs[n], refs[n]
		}
		c.stop = stopNone
		if l, ok := a.set.Deciding(c.account); ok && l.Service() != "" {
			c.stop, c.label = stopExit, l
			continue
		}
		if limit := a.req.Bounds.MaxHops; limit > 0 && t.hops >= limit {
			c.stop = stopDepth
			continue
		}
		if err := a.reach(ctx, c, t.hops+1); err != nil {
			return err
		}
	}
	return nil
}

// collected finds which fees lead through a coinbase into the deposit. Its
// subsidy comes first; what it pays beyond what is known counts as subsidy.
func (a *ancestry) collected(ctx context.Context, t *ancestor, outs []chain.Amount, want []spans) error {
	ins := []chain.Amount{{}}
	var from []*ancestor
	for _, p := range t.paying {
		if fee, ok := feeOf(&p.tx); ok && !fee.IsZero() {
			ins, from = append(ins, fee), append(from, p)
		}
	}
	if subsidy, ok := sumAmounts(outs).Sub(sumAmounts(ins[1:])); ok {
		ins[0] = subsidy
	}
	for i, units := range behind(a.req.Method, ins, outs, want) {
		if len(units) == 0 {
			continue
		}
		if i == 0 {
			t.minted = true
			continue
		}
		p := from[i-1]
		key := coinKey{a.on, ledger.OutPoint{Tx: p.tx.Tx, Index: feeIndex}}
		c := a.coins[key]
		if c == nil {
			c = &wantedCoin{value: ins[i], spender: t, prev: &p.tx, prevRef: p.ref}
			a.coins[key] = c
		}
		fresh := false
		for _, x := range units {
			fresh = c.units.add(x) || fresh
		}
		if !fresh {
			continue
		}
		if _, err := a.bring(ctx, p.ref, &p.tx, t.hops); err != nil {
			return err
		}
	}
	return nil
}

// units is what of an output leads into the deposit.
func (a *ancestry) units(t *ancestor, index uint32) spans {
	if c := a.coins[coinKey{a.on, ledger.OutPoint{Tx: t.tx.Tx, Index: index}}]; c != nil && c.stop == stopNone {
		return c.units
	}
	return nil
}

// read digests the transactions of the ancestry, and those that made the
// outputs at which it stops, in order.
func (a *ancestry) read() {
	all := make([]*ancestor, 0, len(a.txs))
	for _, t := range a.txs {
		all = append(all, t)
	}
	seen := map[chain.TxID]bool{}
	for _, c := range a.coins {
		if c.stop != stopNone && c.prev != nil && a.txs[c.prev.Tx] == nil && !seen[c.prev.Tx] {
			seen[c.prev.Tx] = true
			all = append(all, &ancestor{dueTx: dueTx{ref: c.prevRef, tx: *c.prev}})
		}
	}
	slices.SortFunc(all, func(s, t *ancestor) int {
		h := txHeap{s.dueTx, t.dueTx}
		switch {
		case h.Less(0, 1):
			return -1
		case h.Less(1, 0):
			return 1
		}
		return 0
	})
	for _, t := range all {
		a.reads.addUTXO(&t.tx)
	}
}
