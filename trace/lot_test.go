package trace

import (
	"slices"
	"testing"
	"unsafe"

	"bongsu/chain"
	"bongsu/ledger"
)

// What a large trace keeps in memory, by the piece.
func TestPiecesAreSmall(t *testing.T) {
	for name, n := range map[string][2]uintptr{
		"lot": {unsafe.Sizeof(lot{}), 64}, "book": {unsafe.Sizeof(book{}), 128}, "party": {unsafe.Sizeof(party{}), 128}, "flow": {unsafe.Sizeof(flow{}), 208},
	} {
		if n[0] > n[1] {
			t.Errorf("a %s takes %d bytes, want at most %d", name, n[0], n[1])
		}
	}
}

// What few lots have goes along with each part of a lot, and leaves no trace
// where it means nothing.
func TestRarity(t *testing.T) {
	l := lot{amount: chain.Units(10), class: 1}
	l.setOrigin(chain.Units(10))
	if l.rare != nil || l.origin() != chain.Units(10) {
		t.Fatalf("an origin that is the amount: %+v", l)
	}
	l.setOrigin(chain.Units(7))
	l.arrive(&ledger.Row{Key: ledger.Key{Block: 5}, Stated: 3, Provisional: true})
	whole := l
	part := l.split(chain.Units(4)) // floor(7*4/10)
	for i, want := range []struct {
		l              *lot
		amount, origin uint64
	}{{&part, 4, 2}, {&l, 6, 5}, {&whole, 10, 7}} {
		if got := want.l; got.amount != chain.Units(want.amount) || got.origin() != chain.Units(want.origin) || got.block() != 5 || !got.prov || got.since != 3 {
			t.Errorf("lot %d: %+v, %+v; want %+v", i, got, got.rare, want)
		}
	}
	part.grow(&l)
	part.arrive(&ledger.Row{Key: ledger.Key{Block: 6}})
	if part.amount != chain.Units(10) || part.origin() != chain.Units(7) || part.block() != 0 || part.prov {
		t.Errorf("joined again: %+v, %+v", part, part.rare)
	}
	part.setOrigin(chain.Units(10))
	if part.rare != nil {
		t.Errorf("an origin that is the amount again: %+v", part.rare)
	}
}

// Books whose hashes agree in tag and slot are told apart.
func TestShelfOfLikeHashes(t *testing.T) {
	const odd = 0x9e3779b97f4a7c15 // what spread multiplies by
	inverse := uint64(1)
	for range 6 { // doubles the bits that are right, Newton's way
		inverse *= 2 - odd*inverse
	}
	var s shelf
	place := func(i int) ledger.AccountRef { return ledger.AccountRef(77 + inverse*uint64(i)<<24) }
	for i := range 100 {
		if h, first := hashBook(place(i), 0), hashBook(place(0), 0); h>>32 != first>>32 || h&0xffff != first&0xffff {
			t.Fatalf("hashes %x and %x are not alike", h, first)
		}
		if s.has(place(i), 0) {
			t.Fatalf("book %d is open before its time", i)
		}
		b := s.add(place(i), 0, 0)
		for k := range i + 1 {
			if got := s.get(place(k), 0); got == nil || !got.isOf(place(k), 0) || k == i && got != b {
				t.Fatalf("with %d books, number %d is %+v", i+1, k, got)
			}
		}
	}
	sides := []ledger.Sides{{From: place(3), To: place(99)}, {From: 5, To: place(0)}, {From: place(100), To: place(50)}}
	k := &walk{sim: &sim{shelf: s}, senders: map[ledger.AccountRef]bool{}}
	k.Ahead(sides)
	if want := []sideBooks{{4, 100}, {0, 1}, {0, 51}}; !slices.Equal(k.books, want) {
		t.Errorf("books %v, want %v", k.books, want)
	}
}

// The example by hand of docs/design/tracing-haircut.md: which of two thefts a
// unit is of, where a haircut keeps three runs of lots and where it keeps two.
func TestHaircutByTurns(t *testing.T) {
	const x, y class = 1, 2
	for most, want := range map[int]class{3: x, 2: y} {
		flows := []rowInfo{{Key: ledger.Key{Block: 5}}, {Key: ledger.Key{Block: 6}}, {Key: ledger.Key{Block: 7}}}
		h := haircut{grouping{most: most}, func(l *lot) *rowInfo { return &flows[l.flow] }}
		var b book
		for i, c := range []class{x, y, x} {
			h.acquire(&b, []lot{{amount: chain.Units(1), class: c, flow: int32(i)}})
		}
		if got := h.draw(&b, chain.Units(1), nil); len(got) != 1 || got[0].class != want || b.total != chain.Units(2) || int(b.tainted) != len(b.live()) {
			t.Errorf("with %d runs kept: %+v; left %+v", most, got, b)
		}
	}
}
