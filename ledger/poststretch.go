package ledger

import (
	"encoding/binary"
	"runtime"
	"sync"
)

// The lists of rows of a segment's accounts are written by several goroutines:
// one sorts entries, some turn stretches of them into lists, and the caller's
// puts these one behind the other. What the file holds does not depend on how
// many there are, nor on who is quicker.
const (
	maxPostingWriters = 4
	stretchEntries    = 1 << 14 // after so many entries a stretch ends, with the account
	stretchesAhead    = 2       // for each writer
)

// postingStretch is the accounts of a segment that follow one another, and
// what the index holds of them. Numbers of marks and skips, and offsets of
// balances, count from the stretch's own; append makes them the segment's.
type postingStretch struct {
	hand    *sortedHand
	from    uint32   // of hand.entries, the stretch's first
	ends    []uint32 // of hand.entries, where each account's end
	written chan struct{}

	b                      []byte
	lists                  []writtenList
	marks, skips, balances []byte
	markAt, skipAt         []int // bits of b at which a number of a mark or skip stands
}

// writtenList is where an account's list begins in a stretch, and whether it is
// far.
type writtenList struct {
	at  uint32
	far bool
}

// reset empties what a stretch holds and keeps its memory.
func (o *postingStretch) reset() {
	o.b, o.lists = o.b[:0], o.lists[:0]
	o.marks, o.skips, o.balances = o.marks[:0], o.skips[:0], o.balances[:0]
	o.markAt, o.skipAt = o.markAt[:0], o.skipAt[:0]
}

// stretch writes the lists of a stretch's accounts.
func (p *postingWriter) stretch(o *postingStretch) {
	p.out = o
	o.reset()
	from := o.from
	for _, end := range o.ends {
		p.account(o.hand.entries[from:end:end])
		from = end
	}
}

// postingSections are the accounts' sections of the index while they are made.
type postingSections struct {
	x                      *sheetWriter
	lists                  *listWriter
	marks, skips, balances []byte
}

// writePostings writes which accounts occur in a segment, from FirstAccount on,
// and in which rows; room is how many entries it may hold at once, about.
func writePostings(s *segment, x *sheetWriter, accounts []uint64, room uint64) {
	e := newEntrySorter(s, x, accounts)
	e.plan(room)
	defer e.free()
	p := &postingSections{x: x, lists: newListWriter(x)}
	p.gather(s, e.each)
	p.finish()
}

// gather has stretches written by several goroutines, and puts them one behind
// the other in another. each, which makes them, may panic.
func (p *postingSections) gather(s *segment, each func(free <-chan *postingStretch, use func(*postingStretch))) {
	writers := min(runtime.GOMAXPROCS(0), maxPostingWriters)
	n := stretchesAhead * writers
	work, order, free := make(chan *postingStretch, n), make(chan *postingStretch, n), make(chan *postingStretch, n)
	for range n {
		free <- &postingStretch{written: make(chan struct{}, 1)}
	}
	for range writers {
		go func() {
			w := &postingWriter{s: s}
			for o := range work {
				w.stretch(o)
				o.hand.use.Done()
				o.written <- struct{}{}
			}
		}()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for o := range order {
			<-o.written
			p.append(o)
			free <- o
		}
	}()
	defer func() {
		close(work)
		close(order)
		<-done
	}()
	each(free, func(o *postingStretch) {
		work <- o
		order <- o
	})
}

// append puts a stretch behind those before it.
func (p *postingSections) append(o *postingStretch) {
	list := append(o.b, make([]byte, 8)...) // addWord takes 8 bytes at once
	for _, bit := range o.markAt {
		addWord(list, bit, uint32(len(p.marks)/markEntry))
	}
	for _, bit := range o.skipAt {
		addWord(list, bit, uint32(len(p.skips)/skipEntry))
	}
	for at := skipEntry - 4; at < len(o.skips); at += skipEntry {
		binary.LittleEndian.PutUint32(o.skips[at:], binary.LittleEndian.Uint32(o.skips[at:])+uint32(len(p.balances)))
	}
	p.marks, p.skips, p.balances = append(p.marks, o.marks...), append(p.skips, o.skips...), append(p.balances, o.balances...)
	for i, l := range o.lists {
		end := len(o.b)
		if i+1 < len(o.lists) {
			end = int(o.lists[i+1].at)
		}
		p.lists.add(o.b[l.at:end], l.far)
	}
}

// addWord adds v to the word of 32 bits that begins at a bit of b.
func addWord(b []byte, bit int, v uint32) {
	at := b[bit/8 : bit/8+8]
	binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)+uint64(v)<<(bit%8))
}

// finish writes the sections behind the lists.
func (p *postingSections) finish() {
	p.lists.finish()
	for _, s := range []struct {
		name string
		b    []byte
	}{{"marks", p.marks}, {"skips", p.skips}, {"balances", p.balances}} {
		p.x.begin(s.name)
		p.x.write(s.b)
	}
}

// sortedHand is the entries of a hand by account and row. It is another's when
// nobody uses it.
type sortedHand struct {
	entries []uint64
	ends    []uint32 // of each account's
	use     sync.WaitGroup
}

// both runs two halves of some work at once. It panics as the one run beside
// it does, so that the caller's caller catches it.
func both(here, beside func()) {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		beside()
	}()
	defer func() {
		if p := <-done; p != nil {
			panic(p)
		}
	}()
	here()
}
