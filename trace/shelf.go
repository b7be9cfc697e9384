package trace

import "bongsu/ledger"

// shelf is the open books of a simulation, in the order in which they were
// opened. They are found by account and asset in an open-addressing table of
// places, without a pointer in it.
type shelf struct {
	books []*book
	slots []shelfSlot // a power of two, at most half full
}

type shelfSlot struct {
	account ledger.AccountRef
	asset   ledger.AssetRef
	book    uint32 // its place in books and one; 0 is free
}

func (s *shelf) slot(account ledger.AccountRef, asset ledger.AssetRef) *shelfSlot {
	mask := uint64(len(s.slots) - 1)
	for i := spread(uint64(account)+uint64(asset)<<40) & mask; ; i = (i + 1) & mask {
		if x := &s.slots[i]; x.book == 0 || x.account == account && x.asset == asset {
			return x
		}
	}
}

// get is the book of an account and asset, nil when it is not open.
func (s *shelf) get(account ledger.AccountRef, asset ledger.AssetRef) *book {
	if len(s.books) == 0 {
		return nil
	}
	if x := s.slot(account, asset); x.book != 0 {
		return s.books[x.book-1]
	}
	return nil
}

// has is get without touching the book.
func (s *shelf) has(account ledger.AccountRef, asset ledger.AssetRef) bool {
	return len(s.books) > 0 && s.slot(account, asset).book != 0
}

// add takes in a book that is not there.
func (s *shelf) add(b *book) {
	if 2*(len(s.books)+1) > len(s.slots) {
		s.slots = make([]shelfSlot, max(64, 2*len(s.slots)))
		for i, b := range s.books {
			*s.slot(b.key.account, b.key.asset) = shelfSlot{b.key.account, b.key.asset, uint32(i + 1)}
		}
	}
	s.books = append(s.books, b)
	*s.slot(b.key.account, b.key.asset) = shelfSlot{b.key.account, b.key.asset, uint32(len(s.books))}
}

// spread mixes the bits of a number for a table (Fibonacci hashing, Knuth,
// The Art of Computer Programming, 6.4).
func spread(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>32
}
