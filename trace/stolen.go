package trace

import "bongsu/ledger"

// stolenRows are the rows that a simulation's thefts name, in order.
type stolenRows struct {
	rows   []ledger.Row
	thefts [][]uint32       // by row
	single []uint32         // what thefts are lists of, but where several name a row
	last   map[uint64]int32 // by mix of the key: the last of such rows
	before []int32          // by row: the one before it whose key mixes to the same, or -1
	to     uint64           // the highest block of them
}

// newStolenRows has room for n rows.
func newStolenRows(n int) stolenRows {
	return stolenRows{
		rows: make([]ledger.Row, 0, n), thefts: make([][]uint32, 0, n), single: make([]uint32, 0, n),
		last: make(map[uint64]int32, n), before: make([]int32, 0, n),
	}
}

// mix is short for a key.
func mix(k *ledger.Key) uint64 {
	return k.Tx ^ k.Block<<32 ^ uint64(k.Time) ^ uint64(k.Ordinal)<<40 ^ uint64(k.Row)<<20 ^ uint64(k.Rank)<<10
}

// add adds a row of a theft, behind those before it.
func (s *stolenRows) add(w *ledger.Row, theft uint32) {
	n := len(s.rows)
	if n > 0 && s.rows[n-1].Key == w.Key {
		s.thefts[n-1] = append(s.thefts[n-1], theft)
		return
	}
	h := mix(&w.Key)
	before, ok := s.last[h]
	if !ok {
		before = -1
	}
	s.last[h], s.before = int32(n), append(s.before, before)
	s.single = append(s.single, theft)
	s.rows, s.thefts, s.to = append(s.rows, *w), append(s.thefts, s.single[n:n+1:n+1]), max(s.to, w.Block)
}

// of lists the thefts that name a row; nil: none.
func (s *stolenRows) of(k *ledger.Key) []uint32 {
	i, ok := s.last[mix(k)]
	for ; ok && i >= 0; i = s.before[i] {
		if s.rows[i].Key == *k {
			return s.thefts[i]
		}
	}
	return nil
}
