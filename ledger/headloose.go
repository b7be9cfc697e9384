package ledger

import (
	"cmp"
	"fmt"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// maxLoose bounds the transactions that have no block or no id: they are kept
// in memory, because where they stand depends on the whole ledger.
const maxLoose = 4 << 20

// looseCount refuses facts that would leave too much in memory for good. Rows with
// an id that are there already, from an earlier import of the same, take no more.
type looseCount struct {
	h          *txTable
	more, most int
}

func (c *looseCount) add(f *Facts) error {
	for i := range f.Transfers {
		t := &f.Transfers[i]
		if !looseRow(t) {
			continue
		}
		if c.h.get(&txName{chain: RefOfChain(t.Chain), id: t.Tx}) == nil {
			c.more++
		}
	}
	if c.h.len()+c.more > c.most {
		return tooLoose(c.most, c.h.len())
	}
	return nil
}

// looseRow says whether a transfer stays in memory.
func looseRow(t *chain.Transfer) bool { return t.Block == chain.NoBlock || t.Tx.IsZero() }

func tooLoose(most, held int) error {
	why := fmt.Sprintf("it has more than %d rows without a block or a transaction id, which is as many as a ledger keeps", most)
	if held > 0 {
		why = fmt.Sprintf("its rows without a block or a transaction id are more than fit beside the %d that the ledger has: it keeps %d", held, most)
	}
	return errs.New("import", errs.Limit, "", why+"; nothing of it was imported",
		"give block and transaction of each row, import the same transfers from ethereum-etl or a chain node, which name them, or import the rows of a shorter time")
}

// countLoose refuses more rows that stay in memory than a ledger takes, before
// they take it.
func (im *Import) countLoose(f *Facts) error {
	for i := range f.Transfers {
		if looseRow(&f.Transfers[i]) {
			im.loose++
		}
	}
	if most := im.l.mostLoose(); im.loose > most {
		return tooLoose(most, 0)
	}
	return nil
}

func (l *Ledger) mostLoose() int {
	if l.opt.looseMost > 0 {
		return l.opt.looseMost
	}
	return maxLoose
}

// settle gives the loose rows their places when something has moved them.
func (h *head) settle() {
	if !h.stale {
		return
	}
	h.stale, h.lastTime = false, 0
	v := &view{layers: h.layers, below: h.below}
	txs := make([]layerTx, 0, h.loose.len())
	for s := range h.loose.all {
		t := layerTx{txState: s, at: s.block, when: s.time}
		if s.block != chain.NoBlock {
			t.when, _ = v.times(s.name.chain, s.block)
		} else {
			t.at, t.inferred = h.latestBlock(s.name.chain, s.time), true
			h.lastTime = max(h.lastTime, s.time)
		}
		txs = append(txs, t)
	}
	slices.SortFunc(txs, func(a, b layerTx) int { return compareNames(&a.name, &b.name) })
	h.looseTop = buildLayer(txs, nil, nil, h.names)
}

func compareNames(a, b *txName) int {
	if c := a.id.Compare(b.id); c != 0 {
		return c
	}
	if a.alone == nil || b.alone == nil {
		return 0 // an id on two chains
	}
	return cmp.Or(cmp.Compare(a.alone.time, b.alone.time), a.alone.compareIdentity(&b.alone.movement))
}

// latestBlock is the highest block of a chain whose known time is not after t,
// or 0.
func (h *head) latestBlock(id ChainRef, t chain.Time) uint64 {
	best := h.below.latestBlock(id, t, func(n uint64) bool { return h.overridden(id, n, len(h.layers)) })
	for i, l := range h.layers {
		list := l.blocks[id]
		for j := len(list) - 1; j >= 0 && list[j].number > best; j-- {
			if list[j].timed && list[j].time <= t && !h.overriddenAbove(id, list[j].number, i) {
				best = list[j].number
				break
			}
		}
	}
	return best
}

func (h *head) overridden(id ChainRef, number uint64, n int) bool {
	return slices.ContainsFunc(h.layers[:n], func(l *layer) bool { return l.block(id, number) != nil })
}

func (h *head) overriddenAbove(id ChainRef, number uint64, i int) bool {
	return slices.ContainsFunc(h.layers[i+1:], func(l *layer) bool { return l.block(id, number) != nil })
}
