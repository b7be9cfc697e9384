package trace

import (
	"cmp"
	"container/heap"
	"context"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// utxo is the simulation of a UTXO chain: outputs instead of books. It shares
// with the account simulation everything but how money moves: parties, bounds,
// flows, sums and the result.
type utxo struct {
	*sim
	coins  map[coinKey]*coin
	due    txHeap
	queued map[ledger.TxRef]bool
	fees   map[blockKey]map[ledger.TxRef][]lot // rule coinbase: tainted fees of a block, by transaction
	final  map[chain.ID]uint64
}

type coinKey struct {
	chain chain.ID
	point ledger.OutPoint
}

// coin is an unspent output that holds taint: its lots in order.
type coin struct {
	lots  []lot
	party uint32
	ref   ledger.AccountRef
	asset ledger.AssetRef
	later bool // spent after the end of the trace
}

type blockKey struct {
	chain  chain.ID
	number uint64
}

// stolenOutput is a theft's output.
type stolenOutput struct {
	at    coinKey
	tx    ledger.TxRef
	theft uint32
}

// txHeap orders transactions by chain order.
type txHeap []dueTx

type dueTx struct {
	ref  ledger.TxRef
	tx   ledger.UTXOTx
	fees []ledger.TxRef // rule coinbase: tx is a coinbase, due when its block's transactions, these, have paid
}

func (h txHeap) Len() int { return len(h) }
func (h txHeap) Less(i, j int) bool {
	a, b := &h[i].tx, &h[j].tx
	if a.Chain != b.Chain {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Chain, b.Chain)) < 0
	}
	if a.Block == b.Block && (h[i].fees == nil) != (h[j].fees == nil) {
		return h[i].fees == nil // what a coinbase collects is paid before
	}
	return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index), a.Tx.Compare(b.Tx)) < 0
}
func (h txHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push and Pop are for container/heap.
func (h *txHeap) Push(x any) { *h = append(*h, x.(dueTx)) }

// Pop is for container/heap.
func (h *txHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// newUTXO prepares a simulation of the thefts' outputs.
func newUTXO(ctx context.Context, s *sim, outs []stolenOutput) (*utxo, error) {
	u := &utxo{sim: s, coins: map[coinKey]*coin{}, queued: map[ledger.TxRef]bool{}, fees: map[blockKey]map[ledger.TxRef][]lot{}, final: map[chain.ID]uint64{}}
	s.utxo = u
	s.outputs = map[coinKey][]uint32{}
	for _, o := range outs {
		s.outputs[o.at] = append(s.outputs[o.at], o.theft)
		if err := u.queue(ctx, o.tx); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// queue makes a transaction due, once.
func (u *utxo) queue(ctx context.Context, ref ledger.TxRef) error {
	if ref == 0 || u.queued[ref] {
		return nil
	}
	u.queued[ref] = true
	txs, err := u.r.UTXOs(ctx, []ledger.TxRef{ref})
	if err != nil {
		return err
	}
	if txs[0].Outputs == nil {
		return nil
	}
	if head, ok := u.req.Heads[txs[0].Chain]; ok && txs[0].Block > head {
		return nil
	}
	heap.Push(&u.due, dueTx{ref: ref, tx: txs[0]})
	return nil
}

func (u *utxo) run(ctx context.Context) error {
	for u.due.Len() > 0 {
		if ctx.Err() != nil {
			return errs.Wrap("trace", "", ctx.Err())
		}
		d := heap.Pop(&u.due).(dueTx)
		if u.until != 0 && d.tx.Time > u.until {
			u.leave(&d.tx)
			continue
		}
		if err := u.event(ctx, &d); err != nil {
			return err
		}
	}
	return nil
}

// leave marks the coins that a transaction after the end of the trace spends.
func (u *utxo) leave(tx *ledger.UTXOTx) {
	for _, in := range tx.Inputs {
		if c := u.coins[coinKey{tx.Chain, in.Prev}]; c != nil {
			c.later = true
		}
	}
}

// event lets one transaction happen.
func (u *utxo) event(ctx context.Context, d *dueTx) error {
	ref, tx := d.ref, &d.tx
	accounts := make([]chain.Account, 0, len(tx.Inputs)+len(tx.Outputs))
	for i := range tx.Inputs {
		accounts = append(accounts, tx.Inputs[i].Account)
	}
	for i := range tx.Outputs {
		accounts = append(accounts, tx.Outputs[i].Account)
	}
	refs, err := u.r.AccountRefs(ctx, accounts)
	if err != nil {
		return err
	}
	asset, err := u.r.AssetRefs(ctx, []chain.Asset{tx.Chain.Native()})
	if err != nil {
		return err
	}
	u.reads.addUTXO(tx)
	e := txEvent{u: u, ref: ref, tx: tx, asset: asset[0], in: refs[:len(tx.Inputs)], out: refs[len(tx.Inputs):]}
	if e.prov, err = u.provisional(ctx, tx); err != nil {
		return err
	}
	if d.fees != nil {
		return e.collect(ctx, d.fees)
	}
	return e.happen(ctx)
}

// provisional says whether a transaction's block is not final on a chain that
// is followed live.
func (u *utxo) provisional(ctx context.Context, tx *ledger.UTXOTx) (bool, error) {
	f, ok := u.final[tx.Chain]
	if !ok {
		c, err := u.r.Coverage(ctx, tx.Chain)
		if err != nil {
			return false, err
		}
		f = c.Final
		u.final[tx.Chain] = f
	}
	return f > 0 && tx.Block > f, nil
}

// unfollowedCoins books what a later spend moves away as unfollowed.
func (u *utxo) atEnd() {
	for _, c := range u.coins {
		if !c.later {
			continue
		}
		for i := range c.lots {
			if l := &c.lots[i]; l.tainted() {
				u.put(atUnfollowed, c.party, c.asset, ReasonTime, l)
				*l = lot{amount: l.amount, flow: -1}
			}
		}
	}
}

// rest adds what lies in unspent outputs to the sums.
func (u *utxo) rest() {
	for _, c := range u.coins {
		for i := range c.lots {
			if l := &c.lots[i]; l.tainted() {
				u.put(atHolding, c.party, c.asset, "", l)
			}
		}
	}
}
