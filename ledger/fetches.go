package ledger

// fetches are lines of memory that a loop with other work wants. It fetches
// them some at a time, so that their pages' addresses are looked up side by side
// (see prefetchAll).
type fetches struct {
	list [fetchAtOnce]*byte
	n    int
}

// fetchAtOnce is as many as are looked up at a time.
const fetchAtOnce = 16

// add wants the line that holds p.
func (f *fetches) add(p *byte) {
	f.list[f.n%fetchAtOnce] = p // n is in range: the compiler sees it so
	if f.n++; f.n == fetchAtOnce {
		f.now()
	}
}

// span wants the lines of some bytes of b and the one behind them, the first few
// if they are many.
func (f *fetches) span(b []byte, from, bytes uint64) {
	for at := from; at <= from+min(bytes, (fetchAtOnce-1)*dirLine) && at < uint64(len(b)); at += dirLine {
		f.add(&b[at])
	}
	if end := from + bytes; bytes%dirLine != 0 && bytes < (fetchAtOnce-1)*dirLine && end < uint64(len(b)) {
		f.add(&b[end])
	}
}

// now fetches what was added and is not fetched yet.
func (f *fetches) now() {
	prefetchLines(f.list[:f.n])
	f.n = 0
}
