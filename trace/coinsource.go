package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// A source on a UTXO chain: what its outputs hold is stolen when they are
// spent, from its time on. What comes back to it as change of its own payment
// was never sent, and what comes back later rests there.

// queueSends makes the transactions due that spend a source's outputs; of
// chains in seen, those after the last block that was read.
func (u *utxo) queueSends(ctx context.Context, at uint32, seen map[chain.ID]seenChain) error {
	p := &u.parties[at]
	id := p.account.Chain()
	return u.spenders(ctx, id, ledger.Query{Account: p.ref}, func(refs []ledger.TxRef, txs []ledger.UTXOTx) (bool, error) {
		for i := range txs {
			if last, ok := seen[id]; ok && txs[i].Block <= last.last || txs[i].Time < p.source.Since {
				continue
			}
			if err := u.queue(ctx, refs[i]); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// spendsAtOnce is how many spenders are read at once.
const spendsAtOnce = 64

// spenders shows the transactions that spend the outputs that q asks for, on the
// chain of its account, each once and some at a time, until see wants no more.
// One that the ledger lacks has no outputs.
func (u *utxo) spenders(ctx context.Context, id chain.ID, q ledger.Query, see func([]ledger.TxRef, []ledger.UTXOTx) (on bool, err error)) error {
	shown := map[chain.TxID]bool{}
	for more := true; more; {
		pages, err := u.r.OutputsOf(ctx, []ledger.Query{q})
		if err != nil {
			return err
		}
		var names []ledger.Tx
		for _, o := range pages[0].Outputs {
			if q.After = o.Key; !o.Spender.Tx.IsZero() && !shown[o.Spender.Tx] {
				shown[o.Spender.Tx] = true
				names = append(names, ledger.Tx{Chain: id, ID: o.Spender.Tx})
			}
		}
		more = pages[0].More && len(pages[0].Outputs) > 0
		for some := range slices.Chunk(names, spendsAtOnce) {
			refs, err := u.r.TxRefs(ctx, some)
			if err != nil {
				return err
			}
			txs, err := u.r.UTXOs(ctx, refs)
			if err != nil {
				return err
			}
			if on, err := see(refs, txs); err != nil || !on {
				return err
			}
		}
	}
	return nil
}

// sent is what an input holds that no tainted output funds: stolen when it is a
// source's, else clean.
func (u *utxo) sent(e *txEvent, i int) lot {
	l := lot{amount: e.tx.Inputs[i].Value, flow: -1}
	at, ok := u.sources[e.in[i]]
	if !ok || e.tx.Time < u.parties[at].source.Since || l.amount.IsZero() {
		return l
	}
	l.class, l.prov = u.classOf(u.parties[at].theft, e.asset), e.prov
	c := &u.classes[l.class]
	c.stolen = c.stolen.MustAdd(l.amount)
	return l
}

// change gives a source's own payment to itself back: it was not sent. With
// Poison amounts are upper bounds, and it rests there.
func (u *utxo) change(to ledger.AccountRef, lots []lot) {
	at, ok := u.sources[to]
	if !ok || u.poison {
		return
	}
	for i := range lots {
		if l := &lots[i]; l.tainted() && l.flow < 0 && u.classes[l.class].theft == u.parties[at].theft {
			c := &u.classes[l.class]
			c.stolen = c.stolen.MustSub(l.amount)
			*l = lot{amount: l.amount, flow: -1}
		}
	}
}

// anyOf says whether some lot is of a theft.
func anyOf(lots []lot, theft uint32, classes []classInfo) bool {
	for i := range lots {
		if lots[i].tainted() && classes[lots[i].class].theft == theft {
			return true
		}
	}
	return false
}
