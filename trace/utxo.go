package trace

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/binary"

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
	fees   map[blockKey]map[ledger.TxRef][]lot // rule coinbase: tainted fees of a block, by transaction; nil where no coinbase collects them
	prov   map[blockKey]bool                   // blocks that are not final
	back   *ancestry                           // of a backward trace: what it may go through, and from where; else nil
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

// startUTXO makes s a simulation of a UTXO chain.
func startUTXO(s *sim) *utxo {
	u := &utxo{sim: s, coins: map[coinKey]*coin{}, queued: map[ledger.TxRef]bool{}, fees: map[blockKey]map[ledger.TxRef][]lot{}, prov: map[blockKey]bool{}}
	s.utxo = u
	s.outputs = map[coinKey][]uint32{}
	return u
}

// steals prepares a simulation of the thefts' outputs.
func (u *utxo) steals(ctx context.Context, outs []stolenOutput) error {
	for _, o := range outs {
		u.outputs[o.at] = append(u.outputs[o.at], o.theft)
		if err := u.queue(ctx, o.tx); err != nil {
			return err
		}
	}
	return nil
}

// queue makes a transaction due, once.
func (u *utxo) queue(ctx context.Context, ref ledger.TxRef) error {
	if ref == 0 || u.queued[ref] {
		return nil
	}
	if u.back != nil {
		if t := u.back.byRef[ref]; t != nil {
			u.enqueue(t.dueTx)
		}
		return nil
	}
	txs, err := u.r.UTXOs(ctx, []ledger.TxRef{ref})
	if err != nil {
		return err
	}
	d := dueTx{ref: ref, tx: txs[0]}
	if d.tx.Outputs == nil {
		return nil
	}
	if head, ok := u.req.Heads[d.tx.Chain]; ok && d.tx.Block > head {
		return nil
	}
	if d.tx.Coinbase && u.req.Fees == FeesCoinbase {
		if d.fees, err = payersOf(ctx, u.r, &d.tx, ref); err != nil {
			return err
		}
	}
	u.enqueue(d)
	return nil
}

func (u *utxo) enqueue(d dueTx) {
	if !u.queued[d.ref] {
		u.queued[d.ref] = true
		heap.Push(&u.due, d)
	}
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
	refs, err := u.partiesOf(ctx, d)
	if err != nil {
		return err
	}
	u.reads.addUTXO(tx)
	e := txEvent{u: u, ref: ref, tx: tx, asset: coinAsset(tx.Chain), in: refs[:len(tx.Inputs)], out: refs[len(tx.Inputs):]}
	if e.prov, err = u.provisional(ctx, tx); err != nil {
		return err
	}
	if d.fees != nil {
		return e.collect(ctx, d.fees)
	}
	return e.happen(ctx)
}

// outputKey is the place of one output.
func outputKey(tx *ledger.UTXOTx, i int, kind chain.Kind) ledger.Key {
	return ledger.Key{
		Time: tx.Time, Chain: ledger.RefOfChain(tx.Chain), Block: tx.Block, Index: tx.Index,
		Tx: binary.BigEndian.Uint64(tx.Tx.Raw()), TxNext: binary.BigEndian.Uint64(tx.Tx.Raw()[8:]), Ordinal: uint32(i), Kind: kind,
	}
}

// partiesOf is the accounts of a transaction's inputs, then of its outputs.
func (u *utxo) partiesOf(ctx context.Context, d *dueTx) ([]ledger.AccountRef, error) {
	if u.back != nil {
		return u.back.byRef[d.ref].refs, nil
	}
	return u.r.AccountRefs(ctx, accountsOf(&d.tx))
}

func accountsOf(tx *ledger.UTXOTx) []chain.Account {
	out := make([]chain.Account, 0, len(tx.Inputs)+len(tx.Outputs))
	for i := range tx.Inputs {
		out = append(out, tx.Inputs[i].Account)
	}
	for i := range tx.Outputs {
		out = append(out, tx.Outputs[i].Account)
	}
	return out
}

// provisional says whether a transaction's block is not final on a chain that
// is followed live. On a chain that was just begun to be followed no block is
// known to be final; those that were imported are, all the same.
func (u *utxo) provisional(ctx context.Context, tx *ledger.UTXOTx) (bool, error) {
	key := blockKey{tx.Chain, tx.Block}
	prov, ok := u.prov[key]
	if !ok {
		b, err := u.r.Blocks(ctx, tx.Chain, []uint64{tx.Block})
		if err != nil {
			return false, err
		}
		prov = b[0].Known && !b[0].Final
		u.prov[key] = prov
	}
	return prov, nil
}

// unfollowedCoins books what a later spend moves away as unfollowed.
func (u *utxo) atEnd() {
	for _, c := range u.coins {
		if !c.later {
			continue
		}
		u.giveUpCoin(c, ReasonTime)
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
