package ledger

import "slices"

// accountBooks is what an account has in a segment. A short list (at most
// bigBook rows) holds everything that it has. An account with more has a list
// of all its rows in runs, and for each asset a book: the places in that list
// of the asset's rows.
type accountBooks struct {
	s     *segment
	b     []byte // the account's postings
	start uint64 // of a long list: where they begin
	count int    // rows
	short bool

	k    uint // of a short list: the Rice parameter
	at   int  // of a short list: its bits
	mark int  // of a long one: its first entry in marks
	// How many rows the account spends in a long list, and with how many of
	// them it pays itself.
	outs, selfs    uint64
	bigs, smalls   int  // books of more than bigBook rows, and others
	width          uint // of a place in the list
	offset         uint // width of the offset of a big book
	bigAt, smallAt int  // bits where the tables begin
	placesAt       int  // the places of small books
	listAt         int  // the runs; offsets of big books count from here
}

// Entries of the tables beside a long list's bits.
const (
	markEntry = 8  // of a run but the first: last row before it, its bits in the list
	skipEntry = 16 // of a big book's runs, and one at its end: last row before, last place before, bits, balance
	skipWords = skipEntry / 4
	bigBook   = stretchRows
)

// classBits is how many low bits of its asset stand beside each row of a short
// list of several: who wants the rows of one asset reads few others.
const classBits = 1

// bigEntry and smallEntry are the bits of an entry of the books' tables.
func (a *accountBooks) bigEntry() int   { return int(a.s.AssetBits+a.width+a.offset) + 5 + 32 }
func (a *accountBooks) smallEntry() int { return int(a.s.AssetBits + a.width) }

// openBooks reads the beginning of the postings at an offset.
func (s *segment) openBooks(at uint64) (a accountBooks) {
	at, a.short = s.dir.open(at)
	r := bitReader{b: s.dir.lists[at:]}
	a.s, a.b = s, r.b
	if a.short {
		r.at = 1
	}
	a.count = int(r.gamma())
	if a.short {
		if a.count > bigBook {
			panic(damage("a short list of rows is long"))
		}
		a.k = uint(r.get(5))
		a.at = r.at
		return a
	}
	a.start = at
	a.mark = int(r.get(32))
	a.outs, a.selfs = r.gamma()-1, r.gamma()-1
	a.bigs, a.smalls = int(r.gamma()-1), int(r.gamma()-1)
	a.width, a.offset = uint(r.get(6)), uint(r.get(6))
	if uint64(a.bigs+a.smalls) > uint64(a.count) {
		panic(damage("an account has more books than rows"))
	}
	tables := uint64(a.bigs)*uint64(a.bigEntry()) + uint64(a.smalls)*uint64(a.smallEntry())
	s.dir.listPages.touchTo(at, at+(uint64(r.at)+tables)/8+8)
	a.bigAt = r.at
	a.smallAt = a.bigAt + a.bigs*a.bigEntry()
	a.placesAt = a.smallAt + a.smalls*a.smallEntry()
	a.listAt = a.placesAt + int(a.smallEnd(a.smalls))*int(a.width)
	if a.listAt < 0 {
		panic(damage("an account's books go beyond its segment"))
	}
	return a
}

// booksOf opens an account's postings; false when the segment has none.
func (s *segment) booksOf(a AccountRef) (accountBooks, bool) {
	n, ok := s.dir.place(a)
	if !ok {
		return accountBooks{}, false
	}
	at, _ := s.dir.list(n)
	return s.openBooks(at), true
}

// smallEnd is how many places the first i small books have.
func (a *accountBooks) smallEnd(i int) uint64 {
	if i == 0 {
		return 0
	}
	return getBits(a.b, a.smallAt+(i-1)*a.smallEntry()+int(a.s.AssetBits), a.width)
}

// asset is the asset of entry i of a table.
func (a *accountBooks) asset(table, entry, i int) AssetRef {
	return AssetRef(getBits(a.b, table+i*entry, a.s.AssetBits))
}

// search finds an asset among n entries of a table.
func (a *accountBooks) search(table, entry, n int, asset AssetRef) (int, bool) {
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		if a.asset(table, entry, mid) >= asset {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo, lo < n && a.asset(table, entry, lo) == asset
}

// all is the list of everything that the account has.
func (a *accountBooks) all() book {
	if a.short {
		return book{a: a, form: shortList, count: a.count}
	}
	return book{a: a, form: longList, count: a.count}
}

// of is the list that has the rows of an asset; false when there is none. That
// of a short list has some others, too.
func (a *accountBooks) of(asset AssetRef) (book, bool) {
	if a.short {
		b := a.all()
		b.asset = asset
		return b, true
	}
	if i, ok := a.search(a.bigAt, a.bigEntry(), a.bigs, asset); ok {
		return a.big(i), true
	}
	if i, ok := a.search(a.smallAt, a.smallEntry(), a.smalls, asset); ok {
		return a.small(i), true
	}
	return book{}, false
}

// big is the i-th big book.
func (a *accountBooks) big(i int) book {
	r := bitReader{b: a.b, at: a.bigAt + i*a.bigEntry() + int(a.s.AssetBits)}
	b := book{a: a, form: bigPlaces, count: int(r.get(a.width))}
	b.k = uint(r.get(5))
	b.skip = int(r.get(32))
	b.at = a.listAt + int(r.get(a.offset))
	return b
}

// small is the i-th small book.
func (a *accountBooks) small(i int) book {
	from, to := a.smallEnd(i), a.smallEnd(i+1)
	if to-from > bigBook {
		panic(damage("a small book is big"))
	}
	return book{a: a, form: smallPlaces, count: int(to - from), at: a.placesAt + int(from)*int(a.width)}
}

// placed is how many rows all books have.
func (a *accountBooks) placed() int {
	if a.short {
		return a.count
	}
	n := int(a.smallEnd(a.smalls))
	for i := range a.bigs {
		b := a.big(i)
		n += b.count
	}
	return n
}

// form is how a book's rows are written.
type form uint8

const (
	shortList   form = iota // Rice codes of distances between rows
	longList                // runs of rows
	smallPlaces             // places in the long list, each of one width
	bigPlaces               // Rice codes of distances between places in the long list
)

// book is an ascending list of the rows that touch an account: all of them, or
// those of one asset.
type book struct {
	a     *accountBooks
	form  form
	count int      // of shortList with an asset: at most so many
	asset AssetRef // of shortList: the rows that may be of it; 0: all
	k     uint
	skip  int // of bigPlaces: its first skip
	at    int // of smallPlaces and bigPlaces: its bits
}

// chunks is how many runs of bigBook rows it has.
func (b *book) chunks() int { return (b.count + bigBook - 1) / bigBook }

// size is how many rows the j-th run has.
func (b *book) size(j int) int { return min(bigBook, b.count-j*bigBook) }

// chunk reads the j-th run of rows.
func (b *book) chunk(j int, out *[bigBook]uint32) []uint32 {
	rows := out[:b.size(j)]
	switch b.form {
	case shortList:
		return b.a.readShort(b.asset, out)
	case longList:
		at, base := b.a.stretchOf(j)
		readStretch(b.a.b, at, base, rows)
	case smallPlaces, bigPlaces:
		b.places(j, rows)
		b.a.rows(rows)
	}
	return rows
}

// within is chunk, but may leave out rows before from, and from to on: those of
// one asset are among others of the account, and each takes a far read.
func (b *book) within(j int, from, to uint32, out *[bigBook]uint32) []uint32 {
	if b.form != smallPlaces && b.form != bigPlaces {
		return b.chunk(j, out)
	}
	rows := out[:b.size(j)]
	b.places(j, rows)
	rows = b.a.cut(rows, from, to)
	b.a.rows(rows)
	return rows
}

// places reads the places in the account's list of the j-th run of a book of
// one asset.
func (b *book) places(j int, places []uint32) {
	if b.form == smallPlaces {
		b.a.touch(b.at)
		for i := range places {
			places[i] = uint32(getBits(b.a.b, b.at+i*int(b.a.width), b.a.width))
		}
		return
	}
	r, prev := bitReader{b: b.a.b, at: b.at}, ^uint32(0)
	if j > 0 {
		sk := b.skips(j)
		prev = getWord(sk, 1)
		r.at += int(getWord(sk, 2))
	}
	b.a.touch(r.at)
	for i := range places {
		prev += uint32(r.rice(b.k)) + 1
		places[i] = prev
	}
}

// cut leaves out ascending places whose runs of rows end before from, or begin
// at to or beyond.
func (a *accountBooks) cut(places []uint32, from, to uint32) []uint32 {
	for len(places) > 0 && a.endsBefore(int(places[0]/stretchRows), from) {
		places = places[1:]
	}
	for len(places) > 0 && a.beginsAt(int(places[len(places)-1]/stretchRows), to) {
		places = places[:len(places)-1]
	}
	return places
}

// endsBefore says whether the rows of the j-th run of the list are surely before
// a row.
func (a *accountBooks) endsBefore(j int, row uint32) bool {
	return (j+1)*stretchRows < a.count && getWord(a.markOf(j+1), 0) < row
}

// beginsAt says whether those are surely at a row or beyond.
func (a *accountBooks) beginsAt(j int, row uint32) bool {
	return j > 0 && getWord(a.markOf(j), 0)+1 >= row
}

// markOf is the mark of the j-th run of the list, j > 0.
func (a *accountBooks) markOf(j int) []byte { return a.s.marks[(a.mark+j-1)*markEntry:] }

// readShort reads the rows of a short list that may be of an asset, by their
// class; with asset 0 all of them.
func (a *accountBooks) readShort(asset AssetRef, out *[bigBook]uint32) []uint32 {
	r, row := bitReader{b: a.b, at: a.at}, ^uint32(0)
	if a.count == 1 {
		out[0] = uint32(r.rice(a.k))
		return out[:1]
	}
	mask := uint64(0)
	if asset != 0 {
		mask = 1<<classBits - 1
	}
	class, n := uint64(asset)&mask, 0
	for range a.count {
		of := r.get(classBits)
		row += uint32(r.rice(a.k)) + 1
		out[n%bigBook] = row
		if of&mask == class {
			n++
		}
	}
	return out[:n]
}

// skips is the entry before the j-th run of a big book, j > 0.
func (b *book) skips(j int) []byte { return b.a.s.skips[(b.skip+j-1)*skipEntry:] }

// stretchOf is where the j-th run of the list begins, and the row before it.
func (a *accountBooks) stretchOf(j int) (at int, base uint32) {
	if j == 0 {
		a.touch(a.listAt)
		return a.listAt, ^uint32(0)
	}
	m := a.markOf(j)
	at = a.listAt + int(getWord(m, 1))
	a.touch(at)
	return at, getWord(m, 0)
}

// touch makes sure of what stands at a bit of a long list's.
func (a *accountBooks) touch(bit int) { a.s.dir.listPages.touch(a.start + uint64(bit)/8) }

// rows turns ascending places in the list into rows. Where several fall into
// one run, the run is read as a whole.
func (a *accountBooks) rows(places []uint32) {
	var run [stretchRows]uint32
	read := -1
	for i, p := range places {
		j, n := int(p/stretchRows), int(p%stretchRows)
		if j == read {
			places[i] = run[n]
			continue
		}
		if int(p) >= a.count {
			panic(damage("a book goes beyond its account's rows"))
		}
		at, base := a.stretchOf(j)
		size := min(stretchRows, a.count-j*stretchRows)
		if i+1 < len(places) && int(places[i+1]/stretchRows) == j {
			readStretch(a.b, at, base, run[:size])
			read, places[i] = j, run[n]
			continue
		}
		places[i] = stretchAt(a.b, at, size, n, base)
	}
}

// lastRow is the last row of the j-th run, which is not the last run.
func (b *book) lastRow(j int) uint32 {
	if b.form == longList {
		return getWord(b.a.markOf(j+1), 0)
	}
	return getWord(b.skips(j+1), 0)
}

// chunkOf is the run in which a row at or after row would be: the first whose
// last row is not before it.
func (b *book) chunkOf(row uint32) int {
	lo, hi := 0, b.chunks()-1
	for lo < hi {
		mid := (lo + hi) / 2
		if b.lastRow(mid) >= row {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// before is the running balance of a big book before the j-th run of rows,
// j > 0; with the number of runs, of all rows.
func (b *book) before(j int) running {
	return readRunning(b.a.s.balances[getWord(b.skips(j), 3):])
}

// bookWalk walks the rows of a book inside [from, to), either way.
type bookWalk struct {
	a        accountBooks
	b        book
	from, to uint32
	reverse  bool
	done     bool // no further run has rows in the range
	j        int  // the next run to read
	rows     []uint32
	buf      [bigBook]uint32
}

// start sets the walk before its first row; asset 0 is every one.
func (w *bookWalk) start(a accountBooks, asset AssetRef, from, to uint32, reverse bool) {
	w.a, w.from, w.to, w.reverse, w.rows = a, from, to, reverse, nil
	if w.b = w.a.all(); asset != 0 {
		w.b, _ = w.a.of(asset)
	}
	w.done = from >= to || w.b.count == 0
	switch {
	case w.done:
	case reverse:
		w.j = w.b.chunkOf(to - 1)
	default:
		w.j = w.b.chunkOf(from)
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

// take appends at most n further numbers; none are left when it appends none.
func (w *bookWalk) take(out []uint32, n int) []uint32 {
	for n > 0 && (len(w.rows) > 0 || w.load()) {
		k := min(n, len(w.rows))
		n -= k
		if !w.reverse {
			out = append(out, w.rows[:k]...)
			w.rows = w.rows[k:]
			continue
		}
		rest := len(w.rows) - k
		out = append(out, w.rows[rest:]...)
		slices.Reverse(out[len(out)-k:])
		w.rows = w.rows[:rest]
	}
	return out
}
