package ledger

import (
	"cmp"
	"context"
	"slices"

	"bongsu/chain"
)

// heldCoins is a transaction with its inputs and outputs, and where it stands.
type heldCoins struct {
	*coinTx
	name  txName
	block uint64
	index uint32
	time  chain.Time // its block's, or what the transaction's facts state
	seg   *segment   // where a segment holds it, or held it before a layer did
	n     uint32     // its number there
	local []uint32   // of the segment's own version: coinReader.local
}

func (v *view) UTXOs(ctx context.Context, refs []TxRef) (_ []UTXOTx, err error) {
	defer v.guard(&err)
	out := make([]UTXOTx, len(refs))
	for i, ref := range refs {
		h, ok, err := v.coins(ref)
		if err != nil {
			return nil, err
		}
		if ok {
			out[i] = v.utxo(h)
		}
		if i&0xfff == 0xfff && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// coins is the transaction of a reference, if it has inputs and outputs.
func (v *view) coins(ref TxRef) (h heldCoins, ok bool, err error) {
	if layer, n, ok := v.state(ref); ok {
		t := &v.layers[layer].txs[n]
		if t.txState.coins == nil {
			return h, false, nil
		}
		h = heldCoins{coinTx: t.txState.coins, name: t.name, block: t.block, index: t.index, time: t.time}
		if t.block != chain.NoBlock {
			h.time = v.ownTime(t.name.chain, t.block)
		}
		h.seg, h.n, _ = v.below.findTx(t.name)
		return h, true, nil
	}
	seg, n, ok := v.below.of(ref)
	if !ok || seg.coins == nil || !seg.coins.held(n) {
		return h, false, nil
	}
	h = heldCoins{seg: seg, n: n, coinTx: &coinTx{}}
	var t segmentTxn
	seg.txn(n, &t, true)
	h.name, h.index = txName{chain: seg.chain, id: t.id}, t.index
	h.block = seg.blockNumber(int(t.block))
	h.time = v.ownTime(seg.chain, h.block)
	h.local = seg.coins.read(seg, n, h.coinTx)
	return h, true, nil
}

func (v *view) ownTime(id ChainRef, number uint64) chain.Time {
	if at, own := v.times(id, number); own {
		return at
	}
	return 0
}

// utxo names accounts, spent outputs and spenders.
func (v *view) utxo(h heldCoins) UTXOTx {
	u := UTXOTx{Chain: chainOfRef(h.name.chain), Tx: h.name.id, Block: h.block, Index: h.index, Time: h.time, Coinbase: h.coinbase}
	refs := make([]AccountRef, 0, len(h.ins)+len(h.outs))
	for i := range h.ins {
		in := &h.ins[i]
		known := *in
		if o, ok := v.spent(&h, i); ok {
			known.known, known.account, known.value = true, o.account, o.value
		}
		u.Inputs = append(u.Inputs, UTXOIn{Prev: in.prev, Value: known.value, Known: known.known})
		refs = append(refs, known.account)
	}
	for i := range h.outs {
		o := &h.outs[i]
		u.Outputs = append(u.Outputs, UTXOOut{Value: o.value, Data: slices.Clone(o.data), Spender: v.spender(h.name, h.block, h.seg, h.n, uint32(i))})
		refs = append(refs, o.account)
	}
	who := v.names.accountNames(refs)
	for i := range u.Inputs {
		u.Inputs[i].Account = who[i]
	}
	for i := range u.Outputs {
		u.Outputs[i].Account = who[len(u.Inputs)+i]
	}
	return u
}

// spent is the output that an input spends, when the ledger holds it.
func (v *view) spent(h *heldCoins, i int) (coinOut, bool) {
	p := h.ins[i].prev
	if p.Tx.IsZero() {
		return coinOut{}, false
	}
	if h.local != nil && h.local[i] != 0 {
		o := h.local[i] - 1
		if _, masked := v.masked[segmentTx{h.seg.number, h.seg.coins.txOfOutput(o)}]; !masked {
			account, value := h.seg.coins.output(o)
			return coinOut{account: account, value: value}, true
		}
	}
	name := txName{chain: h.name.chain, id: p.Tx}
	for k := len(v.layers) - 1; k >= 0; k-- {
		if n, ok := v.layers[k].named(&name); ok {
			if c := v.layers[k].txs[n].txState.coins; c != nil && int(p.Index) < len(c.outs) {
				return c.outs[p.Index], true
			}
			return coinOut{}, false
		}
	}
	if seg, n, ok := v.below.findTx(name); ok && seg.coins != nil {
		if o, ok := seg.coins.outputOf(n, p.Index); ok {
			account, value := seg.coins.output(o)
			return coinOut{account: account, value: value}, true
		}
	}
	return coinOut{}, false
}

// spendPlace orders the inputs that claim one output: in chain order.
type spendPlace struct {
	block uint64
	index uint32
	point OutPoint
}

func (p *spendPlace) compare(q *spendPlace) int {
	return cmp.Or(cmp.Compare(p.block, q.block), cmp.Compare(p.index, q.index), p.point.compare(q.point))
}

// spender is the input that spends an output: the first in chain order that is
// not before the output's own block; the zero when there is none. born is that
// block, seg and n where a segment holds the transaction.
func (v *view) spender(name txName, born uint64, seg *segment, n, output uint32) OutPoint {
	if born == chain.NoBlock {
		born = 0
	}
	prev := OutPoint{name.id, output}
	best := spendPlace{block: chain.NoBlock, index: chain.NoIndex}
	for i, l := range v.layers {
		l.spendersOf(name.chain, prev, func(t *layerTx, p spendPlace) {
			if (p.block >= born) && !v.hidden(i, &t.name) && (best.point.Tx.IsZero() || p.compare(&best) < 0) {
				best = p
			}
		})
	}
	if p, ok := v.below.spender(v, name.chain, prev, born, seg, n); ok && (best.point.Tx.IsZero() || p.compare(&best) < 0) {
		best = p
	}
	return best.point
}

// spender is spender among the segments.
func (s *segments) spender(v *view, id ChainRef, prev OutPoint, born uint64, home *segment, n uint32) (spendPlace, bool) {
	if home != nil && home.coins != nil {
		if o, ok := home.coins.outputOf(n, prev.Index); ok {
			if i, ok := home.coins.spender(o); ok {
				if p, ok := home.spendAt(v, i, born); ok {
					return p, true
				}
			}
		}
	}
	var raw [coinIDLen]byte
	prev.Tx.AppendRaw(raw[:0])
	for _, seg := range s.byChain[id] {
		if seg.coins == nil || seg.To < born {
			continue
		}
		var best spendPlace
		seg.coins.pointsOf(raw[:], prev.Index, func(i uint32) {
			if p, ok := seg.spendAt(v, i, born); ok && (best.point.Tx.IsZero() || p.compare(&best) < 0) {
				best = p
			}
		})
		if !best.point.Tx.IsZero() {
			return best, true
		}
	}
	return spendPlace{}, false
}

// spendAt is input i of the segment as a spender, unless a layer stands for
// its transaction or it is before the output.
func (s *segment) spendAt(v *view, i uint32, born uint64) (spendPlace, bool) {
	n := s.coins.txOfInput(i)
	if _, ok := v.masked[segmentTx{s.number, n}]; ok {
		return spendPlace{}, false
	}
	var t segmentTxn
	s.txn(n, &t, true)
	p := spendPlace{s.blockNumber(int(t.block)), t.index, OutPoint{t.id, i - s.coins.tx(n).firstIn}}
	return p, p.block >= born
}

func (v *view) OutputsOf(ctx context.Context, queries []Query) (_ []OutputPage, err error) {
	defer v.guard(&err)
	out := make([]OutputPage, len(queries))
	for i := range queries {
		if err := v.outputsOf(&queries[i], &out[i]); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// foundOutput is an output of an account before its spender is looked up.
type foundOutput struct {
	AccountOutput
	name txName
	born uint64
	seg  *segment
	n    uint32
}

func (f *foundOutput) compare(o *foundOutput) int {
	return cmp.Or(f.Key.Compare(o.Key), f.Point.compare(o.Point))
}

func (v *view) outputsOf(q *Query, page *OutputPage) error {
	limit, err := q.limit()
	if err != nil || q.Account == 0 {
		return err
	}
	var found []foundOutput
	for i, l := range v.layers {
		for _, o := range l.outputs[q.Account] {
			t := &l.txs[o.tx]
			f := foundOutput{name: t.name, born: t.block}
			f.AccountOutput = AccountOutput{
				Key: Key{Chain: t.name.chain, Block: t.at, Index: t.position(), Tx: txPrefix(t.name.id), TxNext: txNext(t.name.id), Kind: chain.KindNative, Ordinal: o.output},
				Tx:  layerTxRef(i, int(o.tx)), Point: OutPoint{t.name.id, o.output}, Value: t.coins.outs[o.output].value,
			}
			if f.Key.Time = t.time; !t.inferred {
				f.Key.Time, _ = v.times(t.name.chain, t.at)
			}
			if q.holds(f.Key) && !v.hidden(i, &t.name) {
				found = append(found, f)
			}
		}
	}
	found = v.below.outputsOf(v, q, limit+1, found)
	slices.SortFunc(found, func(a, b foundOutput) int {
		if q.Reverse {
			return b.compare(&a)
		}
		return a.compare(&b)
	})
	if len(found) > limit {
		found, page.More = found[:limit], true
	}
	for i := range found {
		f := &found[i]
		if f.seg == nil {
			f.seg, f.n, _ = v.below.findTx(f.name)
		}
		f.Spender = v.spender(f.name, f.born, f.seg, f.n, f.Point.Index)
		page.Outputs = append(page.Outputs, f.AccountOutput)
	}
	return nil
}

// outputsOf appends the account's first outputs in each chain's segments, at
// most limit.
func (s *segments) outputsOf(v *view, q *Query, limit int, found []foundOutput) []foundOutput {
	for _, list := range s.byChain {
		left := limit
		for _, seg := range ordered(list, q.Reverse) {
			if seg.coins == nil || left == 0 {
				continue
			}
			seg.coins.outputsOf(q, func(o uint32) Key { return v.outputKey(seg, o) }, func(o uint32, k Key) bool {
				n := seg.coins.txOfOutput(o)
				if _, ok := v.masked[segmentTx{seg.number, n}]; ok {
					return true
				}
				f := foundOutput{name: txName{chain: seg.chain}, born: k.Block, seg: seg, n: n}
				f.name.id, _ = chain.NewTxID(seg.idBytes(n))
				_, value := seg.coins.output(o)
				f.AccountOutput = AccountOutput{Key: k, Tx: s.ref(seg, n), Point: OutPoint{f.name.id, k.Ordinal}, Value: value}
				found = append(found, f)
				left--
				return left > 0
			})
		}
	}
	return found
}

// outputKey is the place of output o of a segment.
func (v *view) outputKey(s *segment, o uint32) Key {
	n := s.coins.txOfOutput(o)
	var t segmentTxn
	s.txn(n, &t, true)
	k := Key{Chain: s.chain, Block: s.blockNumber(int(t.block)), Index: t.index, Tx: txPrefix(t.id), TxNext: txNext(t.id), Kind: chain.KindNative, Ordinal: o - s.coins.tx(n).firstOut}
	k.Time, _ = v.times(s.chain, k.Block)
	return k
}
