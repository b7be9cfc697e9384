package ingest

import (
	"context"
	"errors"

	"bongsu/chain"
	"bongsu/ledger"
)

// BlockTxs names the transactions of a block of an account chain in their order,
// as the ledger holds them, those of earlier sources of the run included. senders
// are all of the block's, in that order. It returns nil unless the ledger holds as
// many, and nothing that it holds of them contradicts their places or senders.
func (o *Output) BlockTxs(id chain.ID, number uint64, senders []chain.Account) (_ []chain.TxID, err error) {
	r, err := o.run.store.Reader(o.ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	refs, err := r.BlockTxs(o.ctx, id, number)
	if err != nil || len(refs) != len(senders) {
		return nil, err
	}
	ok, err := inPlace(o.ctx, r, refs, senders)
	if err != nil || !ok {
		return nil, err
	}
	txs, err := r.Txs(o.ctx, refs)
	if err != nil {
		return nil, err
	}
	names := make([]chain.TxID, len(txs))
	for i, tx := range txs {
		names[i] = tx.ID
	}
	return names, nil
}

// inPlace says whether the rows of transactions agree with their order: a ledger
// does not order transactions whose places no source gave.
func inPlace(ctx context.Context, r ledger.Reader, refs []ledger.TxRef, senders []chain.Account) (bool, error) {
	var pages ledger.Pages
	if err := r.Transactions(ctx, refs, &pages); err != nil {
		return false, err
	}
	list, err := ledger.Expand(ctx, r, pages.Rows)
	if err != nil {
		return false, err
	}
	for i := range refs {
		rows, _ := pages.Page(i)
		for _, t := range list[:len(rows)] {
			sent := t.Kind == chain.KindNative || t.Kind == chain.KindFee
			if t.Index != uint32(i) || sent && t.From != senders[i] {
				return false, nil
			}
		}
		list = list[len(rows):]
	}
	return true, nil
}
