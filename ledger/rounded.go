package ledger

import (
	"slices"

	"bongsu/chain"
)

// A transaction of an EVM chain has one value of its own and pays one fee.
// Nodes give both exactly; the files of block explorers may print them with
// fifteen significant digits or so, which is another amount and would count
// beside the exact one. What is a rounding of another amount of the same kind
// between the same accounts is therefore left out. Being a rounding of is
// transitive (chain.Amount.IsRoundingOf), so what is left does not depend on
// the order in which sources came. Other chains are left alone: there a
// transaction may pay several fees.

// onlyOnce says whether a transaction of an EVM chain holds one movement of the
// kind at most. These kinds come first in every order of movements.
func onlyOnce(k chain.Kind) bool { return k == chain.KindFee || k == chain.KindNative }

// rounded says whether m is what e states more exactly.
func (m *movement) rounded(e *movement) bool {
	return m.kind == e.kind && onlyOnce(m.kind) && m.from == e.from && m.to == e.to && m.asset == e.asset && m.amount.IsRoundingOf(e.amount)
}

// rounded is the same for rows of a run.
func (m *runRow) rounded(e *runRow) bool {
	return m.kind == e.kind && onlyOnce(m.kind) && m.from == e.from && m.to == e.to && m.asset == e.asset && m.amount.IsRoundingOf(e.amount)
}

// leading is how many of n movements, the first ones, are of kinds that a
// transaction holds once, and whether one of these kinds is there twice.
func leading(n int, kind func(int) chain.Kind) (first int, twice bool) {
	for ; first < n && onlyOnce(kind(first)); first++ {
		twice = twice || first > 0 && kind(first) == kind(first-1)
	}
	return first, twice
}

// exact leaves out of a transaction's movements, sorted by kind, those that
// others state more exactly.
func exact(moves []movement, nm *names) []movement {
	n, twice := leading(len(moves), func(i int) chain.Kind { return moves[i].kind })
	if !twice || !nm.assetNames([]AssetRef{moves[0].asset})[0].Chain().EVM() {
		return moves
	}
	var kept []movement
	for i := range moves {
		if i >= n || !slices.ContainsFunc(moves[:n], func(e movement) bool { return moves[i].rounded(&e) }) {
			kept = append(kept, moves[i])
		}
	}
	return kept
}

// exact does the same for the rows of a run's transaction.
func (s *runSorter) exact(r *runBuffer) {
	n, twice := leading(len(s.rows), func(i int) chain.Kind { return r.rows[s.rows[i]].kind })
	if !twice || !r.id.EVM() {
		return
	}
	singles := slices.Clone(s.rows[:n])
	s.rows = slices.DeleteFunc(s.rows, func(i uint32) bool {
		return slices.ContainsFunc(singles, func(k uint32) bool { return r.rows[i].rounded(&r.rows[k]) })
	})
}

// single takes a movement in that the state does not hold yet, of a kind that a
// transaction holds once: it says whether it is there more exactly (there), or
// after it took out what it states more exactly itself (improved), or neither.
func (s *txState) single(m movement) result {
	same := func(o movement) bool { return o.kind == m.kind }
	if !slices.ContainsFunc(s.moves, same) || !s.name.chain.ID().EVM() {
		return added
	}
	if slices.ContainsFunc(s.moves, func(e movement) bool { return m.rounded(&e) }) {
		return there
	}
	before := len(s.moves)
	if s.moves = slices.DeleteFunc(s.moves, func(o movement) bool { return o.rounded(&m) }); len(s.moves) < before {
		return improved
	}
	return added
}
