package ledger

import (
	"math/bits"
	"slices"
)

// entrySorter sorts what touches whom by account, for the postings, in rounds:
// each reads all rows and takes the entries of its accounts (postplan.go), so
// that memory does not grow with the segment. A round's entries are first dealt
// out to hands, in memory that is written in order, and then each hand is sorted
// in the processor's cache: a counting sort in one go would miss the cache for
// each entry.
type entrySorter struct {
	s       *segment
	set     rankedAccounts
	rowBits uint
	handPlan
	hands  [2][]hand // of a round, from the rows' first half and from the second
	pieces [2]handPieces
	turns  [2]sortedHand
}

// An entry as the postings take it: the asset, on which side of the row the
// account is, the row.
const (
	entryRowBits = 30
	entryOut     = 1 // it spends
	entrySelf    = 2 // and receives: only beside entryOut
)

func entryRow(e uint64) uint32 { return uint32(e) & (1<<entryRowBits - 1) }

// hand is the entries of accounts that follow one another: the place's low
// bits, the asset, the side, the row, from the highest bit down.
type hand struct {
	full [][]uint64
	open []uint64
}

// handPiece is how many entries a hand gets room for at once.
const handPiece = 1 << 9

// newEntrySorter writes which accounts occur.
func newEntrySorter(s *segment, x *sheetWriter, accounts []uint64) *entrySorter {
	e := &entrySorter{s: s, set: rankedAccounts{first: s.FirstAccount, words: accounts}, rowBits: uint(bits.Len64(s.Rows))}
	s.Accounts = uint64(e.set.count())
	e.set.write(x)
	return e
}

// deal puts the entries of a round's accounts into hands.
func (e *entrySorter) deal(r *round) {
	middle := uint32(e.s.Rows/2) / blockRows * blockRows
	half := func(half int, from, to uint32) {
		e.hands[half] = make([]hand, r.end-r.first)
		e.pieces[half].again()
		e.dealRows(r, e.hands[half], &e.pieces[half], from, to)
	}
	both(func() { half(0, 0, middle) }, func() { half(1, middle, uint32(e.s.Rows)) })
}

// dealRows puts the entries of rows into hands. The first row begins a block.
func (e *entrySorter) dealRows(r *round, hands []hand, pieces *handPieces, first, end uint32) {
	width := e.tail()
	put := func(account, tail uint64) {
		place := e.set.place(account)
		k, low := e.handOf(place)
		hands[k-r.first].put(place&(1<<low-1)<<width|tail, pieces)
	}
	var from, to, asset [blockRows]uint64
	var at rowStarts
	var b rowBlock
	var behind *forgetter
	for n := first; n < end; n += blockRows {
		place := e.s.rowAt.of(n / blockRows)
		if behind == nil {
			behind = e.s.rows.forgetFrom("rows", place)
		}
		behind.read(place)
		e.s.rowBlock(n, &b)
		b.starts(&at)
		k := b.rows()
		b.sideColumns(&at, from[:k], to[:k], asset[:k])
		for i := range k {
			tail := asset[i]<<(e.rowBits+2) | uint64(n) + uint64(i)
			if r.has(from[i]) {
				side := uint64(entryOut)
				if to[i] == from[i] {
					side |= entrySelf
				}
				put(from[i], side<<e.rowBits|tail)
			}
			if r.has(to[i]) && to[i] != from[i] {
				put(to[i], tail)
			}
		}
	}
}

func (h *hand) put(entry uint64, pieces *handPieces) {
	if len(h.open) == cap(h.open) {
		if h.open != nil {
			h.full = append(h.full, h.open)
		}
		h.open = pieces.next()
	}
	h.open = append(h.open, entry)
}

// handPieces is the memory of hands, used again by each round.
type handPieces struct {
	tables []table[uint64]
	used   int      // of tables
	left   []uint64 // of the last used
}

// again takes all pieces back.
func (p *handPieces) again() { p.used, p.left = 0, nil }

// next is an empty piece.
func (p *handPieces) next() []uint64 {
	if len(p.left) == 0 {
		if p.used == len(p.tables) {
			n := min(handPiece<<min(len(p.tables), 16), hugePage/8)
			p.tables = append(p.tables, newTable[uint64](n))
		}
		p.left = p.tables[p.used].list
		p.used++
	}
	piece := p.left[:0:handPiece]
	p.left = p.left[handPiece:]
	return piece
}

// free gives the memory of hands back.
func (e *entrySorter) free() {
	for half := range e.pieces {
		for i := range e.pieces[half].tables {
			e.pieces[half].tables[i].free()
		}
	}
}

// tail is how many bits of a hand's entry stand below the account.
func (e *entrySorter) tail() uint { return e.rowBits + 2 + e.s.AssetBits }

// each deals round after round, sorts hand after hand, and gives the accounts
// in order, in stretches taken from free; their entries are by row.
func (e *entrySorter) each(free <-chan *postingStretch, use func(*postingStretch)) {
	for i := range e.rounds {
		r := &e.rounds[i]
		e.deal(r)
		for k := r.first; k < r.end; k++ {
			h := &e.turns[k%2]
			h.use.Wait()
			e.sort(r, k, h)
			h.stretches(free, use)
		}
	}
}

// stretches gives the accounts of a sorted hand in stretches.
func (h *sortedHand) stretches(free <-chan *postingStretch, use func(*postingStretch)) {
	for n := 0; n < len(h.ends); {
		o := <-free
		o.hand, o.from = h, 0
		if n > 0 {
			o.from = h.ends[n-1]
		}
		first := n
		for n < len(h.ends) && (n == first || h.ends[n]-o.from <= stretchEntries) {
			n++
		}
		o.ends = h.ends[first:n]
		h.use.Add(1)
		use(o)
	}
}

// sort counts and puts the entries of a hand into order.
func (e *entrySorter) sort(r *round, k uint32, out *sortedHand) {
	a, b := &e.hands[0][k-r.first], &e.hands[1][k-r.first]
	pieces := slices.Concat(a.full, [][]uint64{a.open}, b.full, [][]uint64{b.open})
	width := e.tail()
	first, low := e.accountsOf(k)
	starts := slices.Grow(out.ends[:0], 1<<low+1)[:1<<low+1]
	clear(starts)
	n := 0
	for _, piece := range pieces {
		n += len(piece)
		for _, v := range piece {
			starts[v>>width+1]++
		}
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	out.entries = slices.Grow(out.entries[:0], n)[:n]
	sorted, rowBits := out.entries, e.rowBits
	assetMask, rowMask := uint64(1)<<e.s.AssetBits-1, uint64(1)<<rowBits-1
	for _, piece := range pieces {
		for _, v := range piece {
			i := v >> width
			sorted[starts[i]] = v>>(rowBits+2)&assetMask<<32 | v>>rowBits&3<<entryRowBits | v&rowMask
			starts[i]++
		}
	}
	left := e.s.Accounts - min(e.s.Accounts, first)
	out.ends = starts[:min(left, 1<<low)] // what began an account's has become its end
}
