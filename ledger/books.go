package ledger

import (
	"encoding/binary"
	"slices"
)

// book is the list of a segment's rows that touch one account with one asset,
// or with any when they are few.
type book struct {
	s     *segment
	asset AssetRef // 0: any; look at the row
	count int
	k     uint
	r     bitReader // at the first delta
	skip  int       // the first of its skips; only of a big one
}

func (b *book) big() bool { return b.count > bigBook }

// chunks is how many runs of bigBook rows it has.
func (b *book) chunks() int { return (b.count + bigBook - 1) / bigBook }

// chunk reads the j-th run of rows.
func (b *book) chunk(j int, out *[bigBook]uint32) []uint32 {
	r, prev := b.r, ^uint32(0)
	if j > 0 {
		sk := b.s.skips[(b.skip+j-1)*skipEntry:]
		prev = binary.LittleEndian.Uint32(sk)
		r.at += int(binary.LittleEndian.Uint32(sk[4:]))
	}
	n := min(bigBook, b.count-j*bigBook)
	for i := range out[:n] {
		prev += uint32(r.rice(b.k)) + 1
		out[i] = prev
	}
	return out[:n]
}

// chunkOf is the run in which a row at or after row would be: the first whose
// last row is not before it.
func (b *book) chunkOf(row uint32) int {
	lo, hi := 0, b.chunks()
	if hi == 1 {
		return 0
	}
	skips := b.s.skips[b.skip*skipEntry:]
	for lo < hi {
		mid := (lo + hi) / 2
		if binary.LittleEndian.Uint32(skips[mid*skipEntry:]) >= row {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return min(lo, b.chunks()-1)
}

// at is the running balance before the j-th run of rows, j > 0.
func (b *book) at(j int) running {
	sk := b.s.skips[(b.skip+j-1)*skipEntry:]
	return readRunning(b.s.balances[binary.LittleEndian.Uint32(sk[8:]):])
}

func (b *book) total() running { return b.at(b.chunks()) }

// readBook reads what stands before a book's deltas.
func (s *segment) readBook(r bitReader, asset AssetRef) book {
	b := book{s: s, asset: asset, count: int(r.gamma())}
	b.k = uint(r.get(5))
	if b.big() && asset != 0 {
		b.skip = int(r.get(32))
	}
	b.r = r
	return b
}

// accountBooks is what an account has in a segment: one list of everything, or
// a book for each asset, found by a table.
type accountBooks struct {
	s     *segment
	r     bitReader // at the list, or at the table
	table int       // how many books; 0: one list
	width uint      // of an offset in the table
}

// openBooks reads the beginning of the postings at an offset.
func (s *segment) openBooks(at uint64) accountBooks {
	a := accountBooks{s: s, r: bitReader{b: s.postings[at:]}}
	if a.r.get(1) == 0 {
		return a
	}
	a.table = int(a.r.gamma())
	a.width = uint(a.r.get(6))
	return a
}

// booksOf opens an account's postings; false when the segment has none.
func (s *segment) booksOf(a AccountRef) (accountBooks, bool) {
	n, ok := s.local(a)
	if !ok {
		return accountBooks{}, false
	}
	return s.openBooks(s.postingsAt(binary.LittleEndian.Uint64(s.dirAt[n/dirAccounts*8:]), n%dirAccounts)), true
}

// len is how many lists there are.
func (a *accountBooks) len() int { return max(1, a.table) }

// asset is the asset of the i-th book.
func (a *accountBooks) asset(i int) AssetRef {
	return AssetRef(getBits(a.r.b, a.r.at+i*int(a.s.AssetBits+a.width), a.s.AssetBits))
}

// list is the i-th list.
func (a *accountBooks) list(i int) book {
	if a.table == 0 {
		return a.s.readBook(a.r, 0)
	}
	r, entry := a.r, int(a.s.AssetBits+a.width)
	offset := getBits(r.b, r.at+i*entry+int(a.s.AssetBits), a.width)
	r.at += a.table*entry + int(offset)
	return a.s.readBook(r, a.asset(i))
}

// of is the list that has the rows of an asset; false when there is none.
func (a *accountBooks) of(asset AssetRef) (book, bool) {
	if a.table == 0 {
		return a.list(0), true
	}
	lo, hi := 0, a.table
	for lo < hi {
		mid := (lo + hi) / 2
		if a.asset(mid) >= asset {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if lo == a.table || a.asset(lo) != asset {
		return book{}, false
	}
	return a.list(lo), true
}

// bookWalk walks the rows of a book inside [from, to), either way.
type bookWalk struct {
	b        book
	from, to uint32
	reverse  bool
	done     bool // no further run has rows in the range
	j        int  // the next run to read
	rows     []uint32
	buf      [bigBook]uint32
}

// start sets the walk before its first row.
func (w *bookWalk) start(b book, from, to uint32, reverse bool) {
	w.b, w.from, w.to, w.reverse, w.rows = b, from, to, reverse, nil
	w.done = from >= to || b.count == 0
	switch {
	case w.done:
	case reverse:
		w.j = b.chunkOf(to - 1)
	default:
		w.j = b.chunkOf(from)
	}
}

// load reads the next run of rows; false at the end.
func (w *bookWalk) load() bool {
	for !w.done {
		w.rows = w.b.chunk(w.j, &w.buf)
		first, last := 0, len(w.rows)
		for last > 0 && w.rows[last-1] >= w.to {
			last--
		}
		for first < last && w.rows[first] < w.from {
			first++
		}
		if w.reverse {
			w.j--
			w.done = w.j < 0 || first > 0
		} else {
			w.j++
			w.done = w.j >= w.b.chunks() || last < len(w.rows)
		}
		if w.rows = w.rows[first:last]; len(w.rows) > 0 {
			return true
		}
	}
	return false
}

func (w *bookWalk) take(out []uint32, n int) []uint32 {
	for n > 0 && (len(w.rows) > 0 || w.load()) {
		k := min(n, len(w.rows))
		n -= k
		if !w.reverse {
			out = append(out, w.rows[:k]...)
			w.rows = w.rows[k:]
			continue
		}
		for range k {
			last := len(w.rows) - 1
			out = append(out, w.rows[last])
			w.rows = w.rows[:last]
		}
	}
	return out
}

// mergedBooks gives the rows of several books in one order. It reads a run of
// each; up to the first place where some book's run ends and another follows,
// all is known, and is sorted.
type mergedBooks struct {
	walks   []*bookWalk // those that have rows
	reverse bool
	ready   []uint32 // sorted
	given   int      // of ready
}

func (m *mergedBooks) take(out []uint32, n int) []uint32 {
	if m.given == len(m.ready) {
		m.round()
	}
	k := min(n, len(m.ready)-m.given)
	out = append(out, m.ready[m.given:m.given+k]...)
	m.given += k
	return out
}

// round fills ready.
func (m *mergedBooks) round() {
	m.ready, m.given = m.ready[:0], 0
	m.walks = slices.DeleteFunc(m.walks, func(w *bookWalk) bool { return len(w.rows) == 0 && !w.load() })
	if m.reverse {
		low := uint32(0)
		for _, w := range m.walks {
			if !w.done {
				low = max(low, w.rows[0])
			}
		}
		for _, w := range m.walks {
			i, _ := slices.BinarySearch(w.rows, low)
			m.ready, w.rows = append(m.ready, w.rows[i:]...), w.rows[:i]
		}
		slices.Sort(m.ready)
		slices.Reverse(m.ready)
		return
	}
	high := ^uint32(0)
	for _, w := range m.walks {
		if !w.done {
			high = min(high, w.rows[len(w.rows)-1])
		}
	}
	for _, w := range m.walks {
		i := len(w.rows)
		if w.rows[i-1] > high {
			i, _ = slices.BinarySearch(w.rows, high+1)
		}
		m.ready, w.rows = append(m.ready, w.rows[:i]...), w.rows[i:]
	}
	slices.Sort(m.ready)
}

// listRows lists an account's rows in [from, to) of a segment, in the query's
// order: those of its asset where they have a list of their own, else all.
func (s *segment) listRows(q *Query, from, to uint32) rowLister {
	books, ok := s.booksOf(q.Account)
	if !ok {
		return &everyRow{}
	}
	if q.Asset != 0 || books.len() == 1 {
		w := &bookWalk{done: true}
		if b, ok := books.only(q.Asset); ok {
			w.start(b, from, to, q.Reverse)
		}
		return w
	}
	m := &mergedBooks{reverse: q.Reverse, walks: make([]*bookWalk, books.len())}
	walks := make([]bookWalk, books.len())
	for i := range walks {
		walks[i].start(books.list(i), from, to, q.Reverse)
		m.walks[i] = &walks[i]
	}
	return m
}

// only is the list of an asset, or with 0, the only one.
func (a *accountBooks) only(asset AssetRef) (book, bool) {
	if asset == 0 {
		return a.list(0), true
	}
	return a.of(asset)
}
