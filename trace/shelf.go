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
	blank []book      // room for the next ones, side by side
}

type shelfSlot struct {
	tag  uint32 // of the hash
	book uint32 // its place in books and one; 0 is free
}

// shelfRoom is how many books room is made for at once.
const shelfRoom = 64

func hashBook(account ledger.AccountRef, asset ledger.AssetRef) uint64 {
	return spread(uint64(account) + uint64(asset)<<40)
}

// slot is the first from where a book of hash h belongs that has its tag, or is
// free; after the n-th such.
func (s *shelf) slot(h uint64, n int) *shelfSlot {
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		x := &s.slots[i]
		if x.book == 0 {
			return x
		}
		if x.tag == uint32(h>>32) {
			if n == 0 {
				return x
			}
			n--
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
		k.books[i/2][i%2] = s.slot(k.hashes[i], 0).book
	}
	s.settle(k)
}

// settle touches the books that k.hits may be, and then sees whether they are.
func (s *shelf) settle(k *walk) {
	sum := byte(0)
	for _, i := range k.hits {
		b := s.books[max(k.books[i/2][i%2], 1)-1]
		sum += byte(b.head) + byte(b.owner)
	}
	k.touched += sum
	for _, i := range k.hits {
		side, x := &k.sides[i/2], &k.books[i/2][i%2]
		ref := side.From
		if i%2 == 1 {
			ref = side.To
		}
		if *x != 0 && !s.books[*x-1].isOf(ref, side.Asset) {
			*x = s.find(ref, side.Asset)
		}
	}
}

// has says whether a book is open.
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
	for n := 0; ; n++ {
		if x := s.slot(h, n).book; x == 0 || s.books[x-1].isOf(account, asset) {
			return x
		}
	}
}

// add opens a book that is not there.
func (s *shelf) add(account ledger.AccountRef, asset ledger.AssetRef, owner uint32) *book {
	if len(s.blank) == 0 {
		s.blank = make([]book, min(shelfRoom, 1+len(s.books)))
	}
	b := &s.blank[0]
	s.blank = s.blank[1:]
	b.account, b.asset, b.owner = account, asset, owner
	s.books = append(s.books, b)
	if 2*len(s.books) <= len(s.slots) {
		s.put(b, len(s.books))
		return b
	}
	n := max(64, 2*len(s.slots))
	s.slots, s.maybe = make([]shelfSlot, n), make([]uint64, n/8)
	for i, b := range s.books {
		s.put(b, i+1)
	}
	return b
}

func (s *shelf) put(b *book, place int) {
	h := hashBook(b.account, b.asset)
	x := s.slot(h, 0)
	for n := 1; x.book != 0; n++ {
		x = s.slot(h, n)
	}
	*x = shelfSlot{uint32(h >> 32), uint32(place)}
	word, bit := s.bit(h)
	s.maybe[word] |= bit
}

// spread mixes the bits of a number for a table (Fibonacci hashing, Knuth,
// The Art of Computer Programming, 6.4).
func spread(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>32
}
