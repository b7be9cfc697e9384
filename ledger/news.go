package ledger

import (
	"slices"

	"bongsu/chain"
)

// What has no place stays in the head log for good, so what an import says of it
// once more is left out: the same file, imported again, must not make the log
// longer.

// news is what of facts the head does not hold as they say it, and how many
// transfers are left out. What only a block that is not final says is news: it may
// be taken back.
func (h *head) news(f *Facts) (*Facts, uint64) {
	if !f.placeless() {
		return f, 0
	}
	out := *f
	out.Transfers = nil
	moves := h.movements(f.Transfers)
	for i := range f.Transfers {
		if t := &f.Transfers[i]; !looseRow(t) || !h.knows(t, moves[i]) {
			out.Transfers = append(out.Transfers, *t)
		}
	}
	out.Txs = slices.DeleteFunc(slices.Clone(f.Txs), func(t TxFact) bool {
		s := h.settled(txName{chain: RefOfChain(t.Chain), id: t.Tx})
		at := t.Time
		if !t.HasTime {
			at = 0
		}
		return t.Block == chain.NoBlock && s != nil && t.Status <= s.status && s.placedBy(chain.NoBlock, t.Index, at)
	})
	out.Notes = slices.DeleteFunc(slices.Clone(f.Notes), func(n NoteFact) bool {
		if n.place() != chain.NoBlock {
			return false
		}
		s := h.settled(txName{chain: RefOfChain(n.Chain), id: n.Tx})
		if s == nil {
			return false
		}
		_, found := slices.BinarySearchFunc(s.notes, n.placed(), compareNotes)
		return found
	})
	return &out, uint64(len(f.Transfers) - len(out.Transfers))
}

// placeless says whether something of facts has no place.
func (f *Facts) placeless() bool {
	return slices.ContainsFunc(f.Transfers, func(t chain.Transfer) bool { return looseRow(&t) }) ||
		slices.ContainsFunc(f.Txs, func(t TxFact) bool { return t.Block == chain.NoBlock }) ||
		slices.ContainsFunc(f.Notes, func(n NoteFact) bool { return n.place() == chain.NoBlock })
}

// settled is the state of a transaction of which no block that is not final says
// anything; nil when there is none.
func (h *head) settled(name txName) *txState {
	if s := h.find(name); s != nil && s.live == 0 {
		return s
	}
	return nil
}

// placedBy says whether a state has this evidence of its place, or better.
func (s *txState) placedBy(block uint64, index uint32, at chain.Time) bool {
	c := txState{block: s.block, index: s.index, time: s.time}
	c.place(block, index, at)
	return c.block == s.block && c.index == s.index && c.time == s.time
}

// movements are transfers as a state has them; nil for one whose accounts or
// asset have no reference yet.
func (h *head) movements(list []chain.Transfer) []*movement {
	accounts, assets := make([]chain.Account, 0, 2*len(list)), make([]chain.Asset, 0, len(list))
	for i := range list {
		accounts, assets = append(accounts, list[i].From, list[i].To), append(assets, list[i].Asset)
	}
	refs, kinds := h.names.accountRefs(accounts), h.names.assetRefs(assets)
	out := make([]*movement, len(list))
	for i := range list {
		t, from, to := &list[i], refs[2*i], refs[2*i+1]
		if from == 0 && !t.From.IsZero() || to == 0 && !t.To.IsZero() || kinds[i] == 0 {
			continue
		}
		out[i] = newMovement(t, from, to, kinds[i])
	}
	return out
}

// knows says whether a transfer without a place would change nothing.
func (h *head) knows(t *chain.Transfer, m *movement) bool {
	if m == nil {
		return false
	}
	s, at := h.settled(nameOf(t, m)), t.Time
	if t.Block != chain.NoBlock { // the time is the block's
		at = 0
	}
	if s == nil || t.Block != chain.NoBlock && t.Block != s.block || !s.placedBy(t.Block, t.Index, at) {
		return false
	}
	c := txState{moves: slices.Clone(s.moves)}
	return c.move(*m) == there
}
