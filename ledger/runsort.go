package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// runSorter puts what a run says of one block into chain order: each
// transaction once, by index and id, each movement once, by place. It holds
// the memory that this takes.
type runSorter struct {
	order []uint32
	ids   []idPrefix
	txs   []sortedTx
	rows  []uint32
}

// idPrefix is a transaction and the first bytes of its id, by which most
// comparisons are decided.
type idPrefix struct {
	prefix uint64
	tx     uint32
}

// sortedTx is a transaction of a block: entries ids[from:to] of the sorter.
type sortedTx struct {
	tx       uint32 // one of them, for the id
	from, to int
	index    uint32
	status   TxStatus
}

// transactions merges the entries of one block.
func (s *runSorter) transactions(r *runBuffer, txs []uint32) []sortedTx {
	s.ids, s.txs = s.ids[:0], s.txs[:0]
	for _, i := range txs {
		s.ids = append(s.ids, idPrefix{binary.BigEndian.Uint64(r.idOf(i)), i})
	}
	slices.SortFunc(s.ids, func(a, b idPrefix) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return cmp.Or(bytes.Compare(r.idOf(a.tx), r.idOf(b.tx)), cmp.Compare(a.tx, b.tx))
	})
	byIndex := true
	for i, e := range s.ids {
		t := &r.txs[e.tx]
		if n := len(s.txs); n > 0 && s.ids[i-1].prefix == e.prefix && string(r.idOf(s.txs[n-1].tx)) == string(r.idOf(e.tx)) {
			last := &s.txs[n-1]
			last.to, last.index, last.status = i+1, min(last.index, t.index), max(last.status, t.status)
			continue
		}
		s.txs = append(s.txs, sortedTx{e.tx, i, i + 1, t.index, t.status})
	}
	for i := 1; i < len(s.txs); i++ {
		byIndex = byIndex && s.txs[i-1].index <= s.txs[i].index
	}
	if !byIndex {
		slices.SortStableFunc(s.txs, func(a, b sortedTx) int { return cmp.Compare(a.index, b.index) })
	}
	return s.txs
}

// movements are the rows of a transaction, each movement once with the best
// evidence of its place, by kind and place. Rows that tie are left for the
// ledger to order, which knows the accounts.
func (s *runSorter) movements(r *runBuffer, t *sortedTx) []uint32 {
	s.rows = s.rows[:0]
	for _, e := range s.ids[t.from:t.to] {
		to := uint32(len(r.rows))
		if int(e.tx) < len(r.txs)-1 {
			to = r.txs[e.tx+1].first
		}
		for n := r.txs[e.tx].first; n < to; n++ {
			s.rows = append(s.rows, n)
		}
	}
	if len(s.rows) > 1 {
		s.once(r.rows)
		s.exact(r)
	}
	return s.rows
}

// fewRows is up to how many rows of a transaction every two are compared.
const fewRows = 8

// once sorts several rows and leaves equal ones out.
func (s *runSorter) once(rows []runRow) {
	byPlace := func(a, b uint32) int { return rows[a].comparePlace(&rows[b]) }
	if len(s.rows) > fewRows {
		slices.SortFunc(s.rows, func(a, b uint32) int {
			x, y := &rows[a], &rows[b]
			return cmp.Or(x.compareIdentity(y), comparePlaces(x.ordinal, x.row, y.ordinal, y.row), cmp.Compare(a, b))
		})
		s.rows = slices.CompactFunc(s.rows, func(a, b uint32) bool { return rows[a].same(&rows[b]) })
		slices.SortStableFunc(s.rows, byPlace)
		return
	}
	if !slices.IsSortedFunc(s.rows, byPlace) {
		slices.SortStableFunc(s.rows, byPlace)
	}
	kept := s.rows[:1]
	for _, n := range s.rows[1:] { // of equal ones the first ordinal and the last row are the best evidence
		i := slices.IndexFunc(kept, func(k uint32) bool { return rows[k].same(&rows[n]) })
		switch {
		case i < 0:
			kept = append(kept, n)
		case rows[kept[i]].ordinal == rows[n].ordinal && rows[kept[i]].row < rows[n].row:
			kept = append(slices.Delete(kept, i, i+1), n)
		}
	}
	s.rows = kept
}

func (m *runRow) comparePlace(o *runRow) int {
	switch { // most differ in the ordinal
	case m.kind != o.kind:
		return cmp.Compare(m.kind, o.kind)
	case m.ordinal != o.ordinal:
		return cmp.Compare(m.ordinal, o.ordinal)
	}
	return cmp.Compare(m.row, o.row)
}

func (m *runRow) compareIdentity(o *runRow) int {
	return cmp.Or(cmp.Compare(m.kind, o.kind), cmp.Compare(m.from, o.from), cmp.Compare(m.to, o.to),
		cmp.Compare(m.asset, o.asset), m.amount.Cmp(o.amount), cmp.Compare(m.nth, o.nth))
}

// same says whether two rows state one movement.
func (m *runRow) same(o *runRow) bool {
	return m.from == o.from && m.to == o.to && m.asset == o.asset && m.kind == o.kind && m.nth == o.nth && m.amount == o.amount
}
