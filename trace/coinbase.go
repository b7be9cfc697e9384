package trace

import (
	"context"
	"strconv"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// keepFee keeps a tainted fee for the coinbase of its block. Going back, it is
// kept where the coinbase leads into the deposit.
func (u *utxo) keepFee(ctx context.Context, e *txEvent, lots []lot) (kept bool, err error) {
	key := blockKey{e.tx.Chain, e.tx.Block}
	paid, seen := u.fees[key]
	if !seen {
		if kept, err = u.queueCoinbase(ctx, key); err != nil {
			return false, err
		}
		if kept {
			paid = map[ledger.TxRef][]lot{}
		}
		u.fees[key] = paid
	}
	if paid != nil {
		paid[e.ref] = lots
	}
	return paid != nil, nil
}

// queueCoinbase makes a block's coinbase due after its other transactions.
func (u *utxo) queueCoinbase(ctx context.Context, key blockKey) (bool, error) {
	bad := func(why string) error {
		return errs.New("trace", errs.Unavailable, string(key.chain)+" block "+strconv.FormatUint(key.number, 10), why, "import the whole block, or trace with --fees sink")
	}
	refs, err := u.r.BlockTxs(ctx, key.chain, key.number)
	if err != nil {
		return false, err
	}
	if len(refs) == 0 {
		return false, bad("the ledger lacks the block that pays a tainted fee")
	}
	txs, err := u.r.UTXOs(ctx, refs[:1])
	if err != nil {
		return false, err
	}
	if !txs[0].Coinbase {
		return false, bad("the ledger lacks the coinbase of a block that pays a tainted fee")
	}
	return u.queued[refs[0]] || u.back == nil || u.back.byRef[refs[0]] != nil, u.queue(ctx, refs[0])
}

// payersOf lists the transactions of a coinbase's block whose fees it
// collects, in order.
func payersOf(ctx context.Context, r ledger.Reader, tx *ledger.UTXOTx, ref ledger.TxRef) ([]ledger.TxRef, error) {
	refs, err := r.BlockTxs(ctx, tx.Chain, tx.Block)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.TxRef, 0, len(refs))
	for _, x := range refs {
		if x != ref {
			out = append(out, x)
		}
	}
	return out, nil
}

// collect pours the clean subsidy and then the block's fees, in transaction
// order, into the coinbase's outputs.
func (e *txEvent) collect(ctx context.Context, paid []ledger.TxRef) error {
	txs, err := e.u.payers(ctx, e.ref, paid)
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
	p := &pouring{grouping: e.u.req.grouping()}
	var out chain.Amount
	for i := range e.tx.Outputs {
		p.outs = append(p.outs, e.tx.Outputs[i].Value)
		out = out.MustAdd(e.tx.Outputs[i].Value)
	}
	subsidy, ok := out.Sub(sumOf(fees))
	if !ok {
		// The miner claimed less than was paid: the rest left the supply.
		p.fee, subsidy = sumOf(fees).MustSub(out), chain.Amount{}
	}
	minted := lot{amount: subsidy, flow: -1}
	if e.u.back != nil {
		minted = e.u.back.subsidy(e.ref, subsidy, e.u.sim)
	}
	p.in = [][]lot{{minted}, fees}
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

// payers reads the transactions whose fees a coinbase collects.
func (u *utxo) payers(ctx context.Context, coinbase ledger.TxRef, paid []ledger.TxRef) ([]ledger.UTXOTx, error) {
	if u.back == nil {
		return u.r.UTXOs(ctx, paid)
	}
	var out []ledger.UTXOTx
	for _, t := range u.back.byRef[coinbase].paying {
		out = append(out, t.tx)
	}
	return out, nil
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
