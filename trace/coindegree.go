package trace

import (
	"cmp"
	"context"

	"bongsu/chain"
	"bongsu/ledger"
)

// overSpends says whether an account of a UTXO chain spent outputs in more
// transactions than the bound on degree, before tx and in as many more: 1 counts
// tx itself. As on account chains later blocks never change the answer; going
// back asks nothing.
func (u *utxo) overSpends(ctx context.Context, at uint32, tx *ledger.UTXOTx, more int) (bool, error) {
	limit := u.req.Bounds.MaxDegree
	p := &u.parties[at]
	if limit == 0 || u.back != nil || p.coinsOver {
		return p.coinsOver, nil
	}
	last := u.lastOfBlock(tx)
	q := ledger.Query{Account: p.ref, Until: outputKey(tx, 0, chain.KindNone)}
	if last {
		q.Until = ledger.AtBlock(tx.Chain, tx.Block+1)
	}
	n := 0
	err := u.spenders(ctx, tx.Chain, q, func(_ []ledger.TxRef, txs []ledger.UTXOTx) (bool, error) {
		for i := range txs {
			t := &txs[i]
			before := cmp.Or(cmp.Compare(t.Block, tx.Block), cmp.Compare(t.Index, tx.Index), t.Tx.Compare(tx.Tx)) < 0
			if t.Outputs != nil && (before || last && t.Block == tx.Block) {
				n++
			}
		}
		p.coinsOver = n > limit-more
		return !p.coinsOver, nil
	})
	return p.coinsOver, err
}

// lastOfBlock says whether a transaction happens after its block's others: a
// coinbase that collects their fees does.
func (u *utxo) lastOfBlock(tx *ledger.UTXOTx) bool { return tx.Coinbase && u.req.Fees == FeesCoinbase }

// giveUpCoin books a coin's tainted lots as unfollowed where they lie, and leaves
// them as clean money.
func (u *utxo) giveUpCoin(c *coin, why Reason) {
	for i := range c.lots {
		if l := &c.lots[i]; l.tainted() {
			u.put(atUnfollowed, c.party, c.asset, why, l)
			*l = lot{amount: l.amount, flow: -1}
		}
	}
}
