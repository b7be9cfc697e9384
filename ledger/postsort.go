package ledger

import (
	"math/bits"

	"bongsu/chain"
)

// entrySorter sorts what touches whom by account, for the postings: entries are
// first dealt out by the account's top bits, in memory that is written in
// order, and then each hand is sorted in the processor's cache. A counting
// sort in one go would miss the cache for each entry.
type entrySorter struct {
	s       *segment
	words   []uint64 // bitmap of the accounts, from s.FirstAccount
	before  []uint32 // accounts before each word
	rowBits uint
	low     uint // how many bits of an account's place tell it from others in a hand
	hands   []hand
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
)

// gatherEntries writes which accounts occur and reads all rows' entries.
func gatherEntries(s *segment, x *sheetWriter, last uint64) *entrySorter {
	e := &entrySorter{s: s, rowBits: uint(bits.Len64(s.Rows))}
	if last > 0 {
		e.words = make([]uint64, (last-s.FirstAccount)/64+1)
	}
	e.eachRow(func(from, to, _ []uint64, _ uint32) {
		for i := range from {
			if from[i] != 0 {
				e.mark(from[i] - s.FirstAccount)
			}
			if to[i] != 0 {
				e.mark(to[i] - s.FirstAccount)
			}
		}
	})
	var ranks []uint32
	total := uint32(0)
	e.before = make([]uint32, len(e.words))
	for i, w := range e.words {
		if i%8 == 0 {
			ranks = append(ranks, total)
		}
		e.before[i] = total
		total += uint32(bits.OnesCount64(w))
	}
	s.Accounts = uint64(total)
	writeUint64s(x, "bitmap", e.words)
	writeUint32s(x, "ranks", ranks)
	e.deal(total)
	return e
}

func (e *entrySorter) mark(i uint64) { e.words[i/64] |= 1 << (i % 64) }

// place is the account's among those that occur.
func (e *entrySorter) place(account uint64) uint64 {
	i := account - e.s.FirstAccount
	return uint64(e.before[i/64]) + uint64(bits.OnesCount64(e.words[i/64]&(1<<(i%64)-1)))
}

func (e *entrySorter) eachRow(use func(from, to, asset []uint64, first uint32)) {
	var from, to, asset [blockRows]uint64
	var at rowStarts
	var b rowBlock
	for n := uint32(0); uint64(n) < e.s.Rows; n += blockRows {
		e.s.rowBlock(n, &b)
		b.starts(&at)
		k := b.rows()
		b.column(colFrom, &at, from[:k])
		b.column(colTo, &at, to[:k])
		b.column(colAsset, &at, asset[:k])
		use(from[:k], to[:k], asset[:k], n)
	}
}

// deal puts the entries of all rows into hands.
func (e *entrySorter) deal(accounts uint32) {
	width := uint(bits.Len32(accounts))
	e.low = max(minHand, width-min(width, maxHands))
	e.low = min(e.low, 64-e.tail())
	e.hands = make([]hand, uint64(accounts)>>e.low+1)
	e.eachRow(func(from, to, asset []uint64, first uint32) {
		for i := range from {
			tail := asset[i]<<(e.rowBits+2) | uint64(first) + uint64(i)
			if from[i] != 0 {
				side := uint64(entryOut)
				if to[i] == from[i] {
					side |= entrySelf
				}
				e.put(e.place(from[i]), side<<e.rowBits|tail)
			}
			if to[i] != 0 && to[i] != from[i] {
				e.put(e.place(to[i]), tail)
			}
		}
	})
}

func (e *entrySorter) put(place, tail uint64) {
	h := &e.hands[place>>e.low]
	if len(h.open) == cap(h.open) {
		if h.open != nil {
			h.full = append(h.full, h.open)
		}
		h.open = make([]uint64, 0, handPiece)
	}
	h.open = append(h.open, place&(1<<e.low-1)<<e.tail()|tail)
}

// tail is how many bits of a hand's entry stand below the account.
func (e *entrySorter) tail() uint { return e.rowBits + 2 + e.s.AssetBits }

// each calls use with every account in order and its entries by row. The entries are use's to change, until it returns.
func (e *entrySorter) each(use func(entries []uint64)) {
	starts := make([]uint32, 1<<e.low+1)
	var sorted []uint64
	place, width := 0, e.tail()
	for k := range e.hands {
		h := &e.hands[k]
		pieces := append(h.full, h.open)
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
		if cap(sorted) < n {
			sorted = make([]uint64, n+n/4)
		}
		sorted = sorted[:n]
		for _, piece := range pieces {
			for _, v := range piece {
				i := v >> width
				asset, side, row := v>>(e.rowBits+2)&(1<<e.s.AssetBits-1), v>>e.rowBits&3, v&(1<<e.rowBits-1)
				sorted[starts[i]] = asset<<32 | side<<entryRowBits | row
				starts[i]++
			}
		}
		*h = hand{} // its memory is free for the next
		from := uint32(0)
		for i := 0; i < 1<<e.low && place < int(e.s.Accounts); i++ {
			use(sorted[from:starts[i]:starts[i]])
			from = starts[i]
			place++
		}
	}
}

// amountList is the amounts of a segment's rows, held while it is written: two
// words each, or the place of a larger one.
type amountList struct {
	pieces [][][2]uint64 // of amountPiece each, so that growing copies nothing
	large  []chain.Amount
}

const (
	amountLarge = 1 << 63
	amountPiece = 1 << 13
)

func (l *amountList) add(a chain.Amount) {
	w := a.Words()
	if w[3]|w[2]|w[1]&amountLarge != 0 {
		w[0], w[1] = uint64(len(l.large)), amountLarge
		l.large = append(l.large, a)
	}
	n := len(l.pieces)
	if n == 0 || len(l.pieces[n-1]) == amountPiece {
		l.pieces = append(l.pieces, make([][2]uint64, 0, amountPiece))
		n++
	}
	l.pieces[n-1] = append(l.pieces[n-1], [2]uint64{w[0], w[1]})
}

func (l *amountList) at(row uint32) chain.Amount {
	w := l.pieces[row/amountPiece][row%amountPiece]
	if w[1]&amountLarge != 0 {
		return l.large[w[0]]
	}
	return chain.FromWords([4]uint64{w[0], w[1]})
}
