package trace

import (
	"context"
	"math"

	"bongsu/ledger"
)

// walk is a simulation that reads the ledger on. It looks the books of a whole
// wave of rows up at once, and touches what their transfers will draw on, in
// steps that do not wait for one another.
type walk struct {
	*sim
	ctx context.Context

	// Accounts whose transfers count without a book: sources, and up to a block
	// those from whom was stolen.
	senders  map[ledger.AccountRef]bool
	senderTo uint64

	sides  []ledger.Sides
	books  []sideBooks // of sides
	known  int         // how many books were open when these were looked up
	likely []int32

	hashes  []uint64 // of both books of each row
	hits    []int32  // of hashes: books that may be open
	touched byte     // so that reads ahead are not left out
}

// sideBooks are the places of a row's books on the shelf and one; 0: none.
type sideBooks [2]uint32

func newWalk(ctx context.Context, s *sim) *walk {
	k := &walk{sim: s, ctx: ctx, senders: map[ledger.AccountRef]bool{}, senderTo: s.stolen.to}
	for i := range s.stolen.rows {
		k.senders[s.stolen.rows[i].From] = true
	}
	k.addSources()
	return k
}

// dropSenders forgets whom was stolen from: the rows are beyond the thefts.
func (k *walk) dropSenders() {
	k.senderTo = math.MaxUint64
	clear(k.senders)
	k.addSources()
}

// addSources adds the sources, and the contracts whose coin is their
// withdrawal.
func (k *walk) addSources() {
	for ref := range k.sources {
		k.senders[ref] = true
	}
	if len(k.sources) > 0 {
		for i := range k.wrappers {
			k.senders[k.wrappers[i].contract] = true
		}
	}
}

// Ahead is for ledger.Walker.
func (k *walk) Ahead(sides []ledger.Sides) []int32 {
	k.sides, k.known = sides, len(k.shelf.books)
	k.books = room(k.books, len(sides))
	k.shelf.seek(k)
	k.seekLinks()
	k.near()
	k.likely = room(k.likely, len(sides)+1)
	n := 0
	for i := range sides {
		k.likely[n] = int32(i)
		if k.books[i] != (sideBooks{}) || len(k.senders) > 0 && k.senders[sides[i].From] {
			n++
		}
	}
	return k.likely[:n]
}

// seekLinks finds the books of links, which are of one account and two assets.
func (k *walk) seekLinks() {
	if len(k.wrappers) == 0 {
		return
	}
	for i := range k.sides {
		side := &k.sides[i]
		if l := k.wrappers.link(side.From, side.To, side.Asset); l.code != noLink {
			k.books[i] = sideBooks{k.shelf.find(l.account, l.gives), k.shelf.find(l.account, l.gets)}
		}
	}
}

// near touches the lots at the ends of the books that were found.
func (k *walk) near() {
	sum := byte(0)
	for _, i := range k.hits {
		b := k.shelf.books[max(k.books[i/2][i%2], 1)-1]
		if at := int(b.head); i%2 == 0 && at < len(b.lots) {
			sum += byte(b.lots[at].flow)
		} else if n := len(b.lots); n > 0 {
			sum += byte(b.lots[n-1].flow)
		}
	}
	k.touched += sum
}

// Wants is for ledger.Walker.
func (k *walk) Wants(i int) bool {
	b, side := &k.books[i], &k.sides[i]
	if len(k.shelf.books) != k.known {
		from, to := k.wrappers.sides(side.From, side.To, side.Asset)
		if b[0] == 0 {
			b[0] = k.shelf.find(from.account, from.asset)
		}
		if b[1] == 0 {
			b[1] = k.shelf.find(to.account, to.asset)
		}
	}
	return b[0]|b[1] != 0 || len(k.senders) > 0 && k.senders[side.From]
}

// Read is for ledger.Walker.
func (k *walk) Read(i int, w *ledger.Row) error {
	if w.Block > k.senderTo {
		k.dropSenders()
	}
	return k.happen(k.ctx, w, k.shelf.at(k.books[i][0]), k.shelf.at(k.books[i][1]))
}

// room is s with n elements, which may hold anything.
func room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, 2*n)
	}
	return s[:n]
}
