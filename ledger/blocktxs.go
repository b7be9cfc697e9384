package ledger

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"bongsu/chain"
)

// blockTx is a transaction of a block with what orders it.
type blockTx struct {
	ref      TxRef
	coinbase bool
	index    uint32
	id       chain.TxID
}

func (v *view) BlockTxs(ctx context.Context, id chain.ID, number uint64) (_ []TxRef, err error) {
	defer v.guard(&err)
	ref := RefOfChain(id)
	found := v.below.blockTxs(v, ref, number)
	for i, l := range v.layers {
		for n := l.firstTx(ref, number); n < len(l.txs); n++ {
			t := &l.txs[n]
			if t.name.chain != ref || t.at != number {
				break
			}
			if t.inferred || t.name.id.IsZero() || v.hidden(i, &t.name) {
				continue
			}
			found = append(found, blockTx{layerTxRef(i, n), t.coins != nil && t.coins.coinbase, t.index, t.name.id})
		}
	}
	slices.SortFunc(found, func(a, b blockTx) int {
		if a.coinbase != b.coinbase {
			if a.coinbase {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.index, b.index), a.id.Compare(b.id))
	})
	var out []TxRef
	for i := range found {
		out = append(out, found[i].ref)
	}
	return out, ctx.Err()
}

// compareTxPlaces orders a layer's transactions by chain, block and index.
func compareTxPlaces(a, b layerTx) int {
	return cmp.Or(cmp.Compare(a.name.chain, b.name.chain), cmp.Compare(a.at, b.at), cmp.Compare(a.position(), b.position()))
}

// firstTx is the place of the layer's first transaction at or behind a block.
func (l *layer) firstTx(id ChainRef, number uint64) int {
	return sort.Search(len(l.txs), func(n int) bool {
		t := &l.txs[n]
		return cmp.Or(cmp.Compare(t.name.chain, id), cmp.Compare(t.at, number)) >= 0
	})
}

// blockTxs lists a block's transactions that no layer stands for.
func (s *segments) blockTxs(v *view, id ChainRef, number uint64) (out []blockTx) {
	seg := s.segmentOf(id, number)
	if seg == nil {
		return nil
	}
	from, to := seg.txsOfBlock(number)
	var t segmentTxn
	for n := from; n < to; n++ {
		if _, ok := v.masked[segmentTx{seg.number, n}]; ok {
			continue
		}
		seg.txn(n, &t, true)
		coinbase := seg.coins != nil && seg.coins.tx(n).coinbase
		out = append(out, blockTx{s.ref(seg, n), coinbase, t.index, t.id})
	}
	return out
}

// txsOfBlock is the range of a block's transactions.
func (s *segment) txsOfBlock(number uint64) (from, to uint32) {
	place := s.findBlock(number)
	if place == s.blockCount || s.blockNumber(place) != number {
		return 0, 0
	}
	from, _ = s.firsts(place)
	to, _ = s.firsts(place + 1)
	return from, to
}
