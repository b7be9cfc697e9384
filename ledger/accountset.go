package ledger

// accountSet is the accounts that a segment's rows name: a bit each, by
// reference. The zero set is empty; no account is in none.
type accountSet struct{ bits []uint64 }

func (s *accountSet) add(a AccountRef) {
	if a == 0 {
		return
	}
	if int(a/64) >= len(s.bits) {
		s.bits = append(s.bits, make([]uint64, int(a/64)+1-len(s.bits))...)
	}
	s.bits[a/64] |= 1 << (a % 64)
}

// first is the lowest account of the set, less what is beyond a multiple of
// 64; 0 when there is none.
func (s *accountSet) first() uint64 {
	for i, w := range s.bits {
		if w != 0 {
			return 64 * uint64(i)
		}
	}
	return 0
}

// words are the set's bits from first on.
func (s *accountSet) words() []uint64 { return s.bits[s.first()/64:] }
