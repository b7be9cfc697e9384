package ledger

import (
	"math/bits"
	"slices"

	"bongsu/chain"
)

// entrySorter sorts what touches whom by account, for the postings: entries are
// first dealt out by the account's top bits, in memory that is written in
// order, and then each hand is sorted in the processor's cache. A counting
// sort in one go would miss the cache for each entry.
type entrySorter struct {
	s       *segment
	set     rankedAccounts
	rowBits uint
	low     uint      // how many bits of an account's place tell it from others in a hand
	lowest  uint      // likewise in a first hand; see handOf
	hands   [2][]hand // of the rows' first half and of the second
	pieces  [2]handPieces
	amounts rowAmounts
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

const (
	handPiece = 1 << 9 // entries that a hand gets room for at once
	maxHands  = 10     // bits
	minHand   = 12     // bits: fewer accounts than this share a hand only when entries are wide

	firstBits = 6 // see handOf
)

// gatherEntries writes which accounts occur and reads all rows' entries.
func gatherEntries(s *segment, x *sheetWriter, accounts []uint64) *entrySorter {
	e := &entrySorter{s: s, set: rankedAccounts{first: s.FirstAccount, words: accounts}, rowBits: uint(bits.Len64(s.Rows))}
	total := e.set.count()
	s.Accounts = uint64(total)
	e.set.write(x)
	e.amounts.words = newTable[[2]uint64](int(s.Rows))
	e.deal(total)
	return e
}

// eachHalf goes over both halves of the rows at once.
func (e *entrySorter) eachHalf(use func(half int, from, to uint32)) {
	middle := uint32(e.s.Rows/2) / blockRows * blockRows
	both(func() { use(0, 0, middle) }, func() { use(1, middle, uint32(e.s.Rows)) })
}

// deal puts the entries of all rows into hands, and keeps their amounts.
func (e *entrySorter) deal(accounts uint32) {
	width := uint(bits.Len32(accounts))
	e.low = max(minHand, width-min(width, maxHands))
	e.low = min(e.low, 64-e.tail())
	e.lowest = e.low - min(e.low, firstBits)
	for half := range e.hands {
		e.hands[half] = make([]hand, uint64(accounts)>>e.low+e.firstHands())
	}
	e.eachHalf(func(half int, from, to uint32) { e.dealRows(e.hands[half], &e.pieces[half], from, to) })
}

// handOf is the hand of an account's place, and how many bits of it tell it
// from others there. The first accounts are those that occur often: what would
// be their hand is many, or it would hold half of all entries.
func (e *entrySorter) handOf(place uint64) (k uint64, low uint) {
	if place>>e.low == 0 {
		return place >> e.lowest, e.lowest
	}
	return place>>e.low + e.firstHands() - 1, e.low
}

// firstHands is how many hands the first accounts have.
func (e *entrySorter) firstHands() uint64 { return 1 << (e.low - e.lowest) }

// accountsOf are the places whose entries are in a hand: the first, and how
// many bits tell them apart.
func (e *entrySorter) accountsOf(k uint64) (first uint64, low uint) {
	if k < e.firstHands() {
		return k << e.lowest, e.lowest
	}
	return (k - e.firstHands() + 1) << e.low, e.low
}

// dealRows puts the entries of rows into hands, and keeps the rows' amounts.
// The first row begins a block.
func (e *entrySorter) dealRows(hands []hand, pieces *handPieces, first, end uint32) {
	width := e.tail()
	put := func(place, tail uint64) {
		k, low := e.handOf(place)
		hands[k].put(place&(1<<low-1)<<width|tail, pieces)
	}
	var from, to, asset [blockRows]uint64
	var amounts [blockRows]chain.Amount
	common := e.s.commonAmounts()
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
		b.column(colFrom, &at, from[:k])
		b.column(colTo, &at, to[:k])
		b.column(colAsset, &at, asset[:k])
		b.amounts(&at, amounts[:k], common)
		for i := range k {
			e.amounts.set(n+uint32(i), amounts[i])
			tail := asset[i]<<(e.rowBits+2) | uint64(n) + uint64(i)
			if from[i] != 0 {
				side := uint64(entryOut)
				if to[i] == from[i] {
					side |= entrySelf
				}
				put(e.set.place(from[i]), side<<e.rowBits|tail)
			}
			if to[i] != 0 && to[i] != from[i] {
				put(e.set.place(to[i]), tail)
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

// handPieces is the memory of hands.
type handPieces struct {
	tables []table[uint64]
	left   []uint64 // of the last
}

// next is an empty piece.
func (p *handPieces) next() []uint64 {
	if len(p.left) == 0 {
		n := min(handPiece<<min(len(p.tables), 16), hugePage/8)
		p.tables = append(p.tables, newTable[uint64](n))
		p.left = p.tables[len(p.tables)-1].list
	}
	piece := p.left[:0:handPiece]
	p.left = p.left[handPiece:]
	return piece
}

// free gives the memory of hands and amounts back.
func (e *entrySorter) free() {
	e.amounts.words.free()
	for half := range e.pieces {
		for i := range e.pieces[half].tables {
			e.pieces[half].tables[i].free()
		}
	}
}

// tail is how many bits of a hand's entry stand below the account.
func (e *entrySorter) tail() uint { return e.rowBits + 2 + e.s.AssetBits }

// each sorts hand after hand, and gives the accounts in order, in stretches
// taken from free; their entries are by row.
func (e *entrySorter) each(free <-chan *postingStretch, use func(*postingStretch)) {
	var turns [2]sortedHand
	for k := range e.hands[0] {
		h := &turns[k%2]
		h.use.Wait()
		e.sort(k, h)
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
}

// sort counts and puts the entries of a hand into order.
func (e *entrySorter) sort(k int, out *sortedHand) {
	pieces := slices.Concat(e.hands[0][k].full, [][]uint64{e.hands[0][k].open}, e.hands[1][k].full, [][]uint64{e.hands[1][k].open})
	width := e.tail()
	first, low := e.accountsOf(uint64(k))
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
