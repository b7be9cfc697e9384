package trace

import (
	"container/heap"
	"context"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// blockLister is what a Reader needs for the fee rule coinbase: the
// transactions of a block, in order.
type blockLister interface {
	BlockTxs(ctx context.Context, id chain.ID, number uint64) ([]ledger.TxRef, error)
}

// keepFee keeps a tainted fee for the coinbase of its block.
func (u *utxo) keepFee(ctx context.Context, e *txEvent, lots []lot) error {
	key := blockKey{e.tx.Chain, e.tx.Block}
	if u.fees[key] == nil {
		if err := u.queueCoinbase(ctx, key); err != nil {
			return err
		}
		u.fees[key] = map[ledger.TxRef][]lot{}
	}
	u.fees[key][e.ref] = lots
	return nil
}

// queueCoinbase makes a block's coinbase due after its other transactions.
func (u *utxo) queueCoinbase(ctx context.Context, key blockKey) error {
	bad := func(why string) error {
		return errs.New("trace", errs.Unavailable, string(key.chain), why, "trace with --fees sink")
	}
	l, ok := u.r.(blockLister)
	if !ok {
		return bad("this ledger cannot list a block's transactions, which fees are followed through")
	}
	refs, err := l.BlockTxs(ctx, key.chain, key.number)
	if err != nil {
		return err
	}
	if len(refs) == 0 {
		return bad("the ledger lacks the block that pays a tainted fee")
	}
	txs, err := u.r.UTXOs(ctx, refs[:1])
	if err != nil {
		return err
	}
	if !txs[0].Coinbase {
		return bad("the ledger lacks the coinbase of a block that pays a tainted fee")
	}
	if u.queued[refs[0]] {
		return bad("a theft names an output of a coinbase that collects its own fees")
	}
	u.queued[refs[0]] = true
	heap.Push(&u.due, dueTx{ref: refs[0], tx: txs[0], fees: refs[1:]})
	return nil
}

// collect pours the clean subsidy and then the block's fees, in transaction
// order, into the coinbase's outputs.
func (e *txEvent) collect(ctx context.Context, paid []ledger.TxRef) error {
	txs, err := e.u.r.UTXOs(ctx, paid)
	if err != nil {
		return err
	}
	tainted := e.u.fees[blockKey{e.tx.Chain, e.tx.Block}]
	var fees []lot
	for i := range txs {
		if lots := tainted[paid[i]]; lots != nil {
			fees = append(fees, lots...)
			continue
		}
		if fee, ok := feeOf(&txs[i]); ok {
			fees = append(fees, lot{amount: fee, flow: -1})
		}
	}
	p := &pouring{}
	var out chain.Amount
	for i := range e.tx.Outputs {
		p.outs = append(p.outs, e.tx.Outputs[i].Value)
		out = out.MustAdd(e.tx.Outputs[i].Value)
	}
	subsidy, ok := out.Sub(sumOf(fees))
	if !ok {
		// The miner claimed less than was paid: the rest left the supply.
		p.fee = sumOf(fees).MustSub(out)
	}
	p.in = [][]lot{{{amount: subsidy, flow: -1}}, fees}
	if e.u.poison {
		e.turn(p)
	}
	r := p.pour(e.u.req.Method)
	for i := range r.outs {
		if err := e.pay(ctx, i, r.outs[i]); err != nil {
			return err
		}
	}
	e.u.sinkhole(&ledger.Row{Key: ledger.Key{Kind: chain.KindAdjustment}, Asset: e.asset}, r.fee)
	return nil
}

// feeOf is a transaction's fee, when the ledger knows all its inputs.
func feeOf(tx *ledger.UTXOTx) (chain.Amount, bool) {
	var in, out chain.Amount
	for i := range tx.Inputs {
		if !tx.Inputs[i].Known {
			return in, false
		}
		in = in.MustAdd(tx.Inputs[i].Value)
	}
	for i := range tx.Outputs {
		out = out.MustAdd(tx.Outputs[i].Value)
	}
	return in.Sub(out)
}
