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
	counted := map[chain.TxID]bool{}
	q := ledger.Query{Account: p.ref, Until: outputKey(tx, 0, chain.KindNone)}
	if u.lastOfBlock(tx) {
		q.Until = ledger.AtBlock(tx.Chain, tx.Block+1)
	}
	for again := true; again; {
		pages, err := u.r.OutputsOf(ctx, []ledger.Query{q})
		if err != nil {
			return false, err
		}
		var names []ledger.Tx
		for _, o := range pages[0].Outputs {
			if q.After = o.Key; !o.Spender.Tx.IsZero() && !counted[o.Spender.Tx] {
				names = append(names, ledger.Tx{Chain: tx.Chain, ID: o.Spender.Tx})
			}
		}
		again = pages[0].More && len(pages[0].Outputs) > 0
		if p.coinsOver, err = u.countSpends(ctx, names, tx, counted, limit-more); p.coinsOver || err != nil {
			return p.coinsOver, err
		}
	}
	return false, nil
}

// lastOfBlock says whether a transaction happens after its block's others: a
// coinbase that collects their fees does.
func (u *utxo) lastOfBlock(tx *ledger.UTXOTx) bool { return tx.Coinbase && u.req.Fees == FeesCoinbase }

// spendsAtOnce is how many spenders are read at once.
const spendsAtOnce = 64

// countSpends counts those of some transactions that come before tx, and says
// whether there are more than the bound.
func (u *utxo) countSpends(ctx context.Context, names []ledger.Tx, tx *ledger.UTXOTx, counted map[chain.TxID]bool, limit int) (bool, error) {
	last := u.lastOfBlock(tx)
	for len(names) > 0 && len(counted) <= limit {
		n := min(len(names), spendsAtOnce)
		refs, err := u.r.TxRefs(ctx, names[:n])
		if err != nil {
			return false, err
		}
		txs, err := u.r.UTXOs(ctx, refs)
		if err != nil {
			return false, err
		}
		for i := range txs {
			if t := &txs[i]; t.Outputs != nil && (last && t.Block == tx.Block || cmp.Or(cmp.Compare(t.Block, tx.Block), cmp.Compare(t.Index, tx.Index), t.Tx.Compare(tx.Tx)) < 0) {
				counted[t.Tx] = true
			}
		}
		names = names[n:]
	}
	return len(counted) > limit, nil
}

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
