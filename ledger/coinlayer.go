package ledger

import (
	"slices"
	"sort"
)

// layerSpend is an input of a layer's transaction.
type layerSpend struct{ tx, input int32 }

// indexCoins notes what the i-th transaction spends, and whom it pays.
func (l *layer) indexCoins(i int32) {
	c := l.txs[i].coins
	if c == nil {
		return
	}
	if l.outputs == nil {
		l.outputs = map[AccountRef][]layerOutput{}
	}
	for n := range c.ins {
		if !c.ins[n].prev.Tx.IsZero() {
			l.spends = append(l.spends, layerSpend{i, int32(n)})
		}
	}
	for n := range c.outs {
		if a := c.outs[n].account; a != 0 {
			l.outputs[a] = append(l.outputs[a], layerOutput{i, uint32(n)})
		}
	}
}

func (l *layer) spentBy(s layerSpend) *OutPoint { return &l.txs[s.tx].coins.ins[s.input].prev }

func (l *layer) sortSpends() {
	slices.SortFunc(l.spends, func(a, b layerSpend) int { return l.spentBy(a).compare(*l.spentBy(b)) })
}

// spendersOf calls use with the layer's inputs that spend an output.
func (l *layer) spendersOf(id ChainRef, prev OutPoint, use func(*layerTx, spendPlace)) {
	i := sort.Search(len(l.spends), func(i int) bool { return l.spentBy(l.spends[i]).compare(prev) >= 0 })
	for ; i < len(l.spends) && l.spentBy(l.spends[i]).compare(prev) == 0; i++ {
		if t := &l.txs[l.spends[i].tx]; t.name.chain == id {
			use(t, spendPlace{t.block, t.index, OutPoint{t.name.id, uint32(l.spends[i].input)}})
		}
	}
}
