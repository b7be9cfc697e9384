package trace

import "bongsu/ledger"

// shelf is the open books of a simulation, in the order in which they were
// opened. They are found by account and asset in an open-addressing table of
// places, without a pointer in it. Most questions are about books that are not
// open: a bitmap, eight bits for each slot, answers them from near memory.
type shelf struct {
	books []*book
	slots []shelfSlot // a power of two, at most half full
	maybe []uint64    // by other bits of the hash; 0 is surely not there
}

type shelfSlot struct {
	account ledger.AccountRef
	asset   ledger.AssetRef
	book    uint32 // its place in books and one; 0 is free
}

func hashBook(account ledger.AccountRef, asset ledger.AssetRef) uint64 {
	return spread(uint64(account) + uint64(asset)<<40)
}

// slot is where a book of hash h stands, or would.
func (s *shelf) slot(h uint64, account ledger.AccountRef, asset ledger.AssetRef) *shelfSlot {
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		if x := &s.slots[i]; x.book == 0 || x.account == account && x.asset == asset {
			return x
		}
	}
}

// bit is where maybe has the bit of a book of hash h. The table takes other
// bits of it.
func (s *shelf) bit(h uint64) (word uint64, bit uint64) {
	h >>= 24
	return h / 64 & uint64(len(s.maybe)-1), 1 << (h % 64)
}

// get is the book of an account and asset, nil when it is not open.
func (s *shelf) get(account ledger.AccountRef, asset ledger.AssetRef) *book {
	return s.at(s.find(account, asset))
}

// at is the book at a place and one, nil for 0.
func (s *shelf) at(x uint32) *book {
	if x == 0 {
		return nil
	}
	return s.books[x-1]
}

// seek finds the books of the sides that k was shown, and lists those that are
// open in k.hits, with a few that are not. Each loop's reads are free of one
// another, and no branch depends on what they bring.
func (s *shelf) seek(k *walk) {
	clear(k.books)
	k.hits = k.hits[:0]
	if len(s.books) == 0 {
		return
	}
	k.hashes, k.hits = room(k.hashes, 2*len(k.sides)), room(k.hits, 2*len(k.sides)+1)
	n := 0
	for i := range k.sides {
		side := &k.sides[i]
		for which, ref := range [2]ledger.AccountRef{side.From, side.To} {
			h := hashBook(ref, side.Asset)
			k.hashes[2*i+which], k.hits[n] = h, int32(2*i+which)
			word, bit := s.bit(h)
			n += int(min(s.maybe[word]&bit, 1))
		}
	}
	k.hits = k.hits[:n]
	sum, mask := uint32(0), uint64(len(s.slots)-1)
	for _, i := range k.hits {
		sum += s.slots[k.hashes[i]&mask].book
	}
	k.touched += byte(sum)
	for _, i := range k.hits {
		side := &k.sides[i/2]
		ref := side.From
		if i%2 == 1 {
			ref = side.To
		}
		k.books[i/2][i%2] = s.slot(k.hashes[i], ref, side.Asset).book
	}
}

// has is get without touching the book.
func (s *shelf) has(account ledger.AccountRef, asset ledger.AssetRef) bool {
	return s.find(account, asset) != 0
}

// find is the place of a book in books and one, or 0.
func (s *shelf) find(account ledger.AccountRef, asset ledger.AssetRef) uint32 {
	if len(s.books) == 0 {
		return 0
	}
	h := hashBook(account, asset)
	if word, bit := s.bit(h); s.maybe[word]&bit == 0 {
		return 0
	}
	return s.slot(h, account, asset).book
}

// add takes in a book that is not there.
func (s *shelf) add(b *book) {
	s.books = append(s.books, b)
	if 2*len(s.books) <= len(s.slots) {
		s.put(b, len(s.books))
		return
	}
	n := max(64, 2*len(s.slots))
	s.slots, s.maybe = make([]shelfSlot, n), make([]uint64, n/8)
	for i, b := range s.books {
		s.put(b, i+1)
	}
}

func (s *shelf) put(b *book, place int) {
	h := hashBook(b.key.account, b.key.asset)
	*s.slot(h, b.key.account, b.key.asset) = shelfSlot{b.key.account, b.key.asset, uint32(place)}
	word, bit := s.bit(h)
	s.maybe[word] |= bit
}

// spread mixes the bits of a number for a table (Fibonacci hashing, Knuth,
// The Art of Computer Programming, 6.4).
func spread(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>32
}
