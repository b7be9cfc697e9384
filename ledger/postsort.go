package ledger

import "math/bits"

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

// hand is the entries of accounts that follow one another: the place's low
// bits, the asset, the row, from the highest bit down.
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
	e.low = min(e.low, 64-e.rowBits-e.s.AssetBits)
	e.hands = make([]hand, uint64(accounts)>>e.low+1)
	e.eachRow(func(from, to, asset []uint64, first uint32) {
		for i := range from {
			tail := asset[i]<<e.rowBits | uint64(first) + uint64(i)
			if from[i] != 0 {
				e.put(e.place(from[i]), tail)
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
	h.open = append(h.open, place&(1<<e.low-1)<<(e.rowBits+e.s.AssetBits)|tail)
}

// each calls use with every account in order and its entries, asset << 32 |
// row, by row. The entries are use's to change, until it returns.
func (e *entrySorter) each(use func(a AccountRef, entries []uint64)) {
	starts := make([]uint32, 1<<e.low+1)
	var sorted []uint64
	place, width := 0, e.rowBits+e.s.AssetBits
	accounts := e.accounts()
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
				asset, row := v>>e.rowBits&(1<<e.s.AssetBits-1), v&(1<<e.rowBits-1)
				sorted[starts[i]] = asset<<32 | row
				starts[i]++
			}
		}
		*h = hand{} // its memory is free for the next
		from := uint32(0)
		for i := 0; i < 1<<e.low && place < int(e.s.Accounts); i++ {
			use(accounts(), sorted[from:starts[i]:starts[i]])
			from = starts[i]
			place++
		}
	}
}

// accounts gives the accounts that occur, one by one.
func (e *entrySorter) accounts() func() AccountRef {
	i, word := -1, uint64(0)
	return func() AccountRef {
		for word == 0 {
			i++
			word = e.words[i]
		}
		n := bits.TrailingZeros64(word)
		word &= word - 1
		return AccountRef(e.s.FirstAccount + uint64(i)*64 + uint64(n))
	}
}
