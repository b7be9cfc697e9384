package ledger

import (
	"cmp"
	"encoding/binary"
	"io"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// importRun is a run that is open for reading.
type importRun struct {
	info   runInfo
	f      file
	epoch  *epoch
	counts *occurrences // of its accounts in all runs of its epoch; nil: they must be counted
}

// sortedRuns puts runs in order of their first block.
func sortedRuns(runs []*importRun) {
	slices.SortStableFunc(runs, func(a, b *importRun) int { return cmp.Compare(a.info.From, b.info.From) })
}

// runWindow is how much of a run is in memory at most, and runWindows of all of
// them, when their blocks lie so that all are read at once; runElement is more
// than a run's largest element.
const (
	runWindow   = 1 << 19
	runWindows  = 1 << 28
	leastWindow = 1 << 14
	runElement  = 256
)

// window reads a file through a buffer, element by element.
type window struct {
	name  string
	in    io.Reader
	buf   []byte // what was read and not yet used is buf[at:]
	at    int
	ended bool
	err   error
}

func newWindow(f file, name string, from, to int64, size int64) window {
	size = min(size, to-from+1)
	return window{name: name, in: io.NewSectionReader(f, from, to-from), buf: make([]byte, 0, max(size, 2*runElement))}
}

func (w *window) fail(err error) {
	if w.err == nil {
		w.err = errs.Wrap("import", w.name, err)
	}
}

// fill makes runElement bytes ready, fewer only at the end. It says whether
// there are any.
func (w *window) fill() bool {
	if len(w.buf)-w.at >= runElement || w.ended {
		return w.at < len(w.buf)
	}
	rest := copy(w.buf[:cap(w.buf)], w.buf[w.at:])
	n, err := io.ReadFull(w.in, w.buf[rest:cap(w.buf)])
	w.buf, w.at = w.buf[:rest+n], 0
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		w.ended = true
	default:
		w.fail(err)
	}
	return len(w.buf) > 0
}

// take is the next n bytes, at most runElement, valid until fill.
func (w *window) take(n int) []byte {
	if len(w.buf)-w.at < n {
		w.fail(io.ErrUnexpectedEOF)
		return make([]byte, n)
	}
	w.at += n
	return w.buf[w.at-n : w.at]
}

func (w *window) byte() byte     { return w.take(1)[0] }
func (w *window) uint32() uint32 { return binary.LittleEndian.Uint32(w.take(4)) }
func (w *window) uint64() uint64 { return binary.LittleEndian.Uint64(w.take(8)) }

// runReader reads a run's blocks, each in chain order; accounts and assets are
// mapped to the ledger's.
type runReader struct {
	window
	idLen    int
	accounts []AccountRef // by number
	assets   []AssetRef   // by the epoch's number less one
	names    *names       // to tell statements of one transaction apart
	next     mergedBlock
	moves    []movement // memory of next's
	more     bool
}

// advance reads the next block into next.
func (r *runReader) advance() error {
	r.more = r.fill() && r.err == nil
	if r.more {
		r.read()
	}
	if r.err != nil {
		r.more = false
	}
	return r.err
}

func (r *runReader) read() {
	b := &r.next
	b.state = blockState{number: r.uint64()}
	flags := r.byte()
	b.state.timed, b.state.header = flags&runTimed != 0, flags&runHeader != 0
	if b.state.timed {
		b.state.time = chain.Time(r.uint64())
	}
	if flags&runHashes != 0 {
		copy(b.state.hash[:], r.take(32))
		copy(b.state.parent[:], r.take(32))
	}
	n := r.uint32()
	b.txs, r.moves = b.txs[:0], r.moves[:0]
	for ; n > 0 && r.err == nil; n-- {
		r.tx(b.grow())
	}
	for i := range b.txs {
		r.resolve(b.txs[i].moves)
	}
}

// resolve maps the accounts of movements, which are the run's numbers yet: in a
// loop of its own, so that the processor waits for many of them at a time.
func (r *runReader) resolve(moves []movement) {
	for i := range moves {
		m := &moves[i]
		m.from, m.to = r.account(uint32(m.from)), r.account(uint32(m.to))
	}
}

func (r *runReader) tx(t *mergedTx) {
	r.fill()
	t.id, _ = chain.NewTxID(r.take(r.idLen))
	t.index, t.notes, t.coins = r.uint32(), nil, nil
	status := r.byte()
	t.status = TxStatus(status &^ runExtra)
	n, from := r.uint32(), len(r.moves)
	for ; n > 0 && r.err == nil; n-- {
		r.fill()
		r.moves = append(r.moves, movement{})
		r.move(&r.moves[len(r.moves)-1])
	}
	t.moves = r.moves[from:len(r.moves):len(r.moves)]
	if status&runExtra != 0 {
		r.extras(t)
	}
}

func (r *runReader) move(m *movement) {
	b := r.take(runMovement)
	m.kind = chain.Kind(b[0])
	flags := b[1]
	m.from, m.to = AccountRef(binary.LittleEndian.Uint32(b[2:])), AccountRef(binary.LittleEndian.Uint32(b[6:])) // see resolve
	if a := binary.LittleEndian.Uint32(b[10:]); a > 0 && a <= uint32(len(r.assets)) {
		m.asset = r.assets[a-1]
	}
	m.ordinal = binary.LittleEndian.Uint32(b[14:])
	if flags&runPlace != 0 {
		m.nth, m.row = r.uint32(), r.uint32()
	}
	var words [4]uint64
	for i := range min(flags&runWords, 4) {
		words[i] = r.uint64()
	}
	m.amount = chain.FromWords(words)
}

// count adds how often each account occurs.
func (r *runReader) count(counts *occurrences) error {
	for r.fill() && r.err == nil {
		r.take(8)
		flags := r.byte()
		if flags&runTimed != 0 {
			r.take(8)
		}
		if flags&runHashes != 0 {
			r.take(64)
		}
		for txs := r.uint32(); txs > 0 && r.err == nil; txs-- {
			r.fill()
			r.take(r.idLen + 4)
			status := r.byte()
			for rows := r.uint32(); rows > 0 && r.err == nil; rows-- {
				r.countRow(counts)
			}
			if status&runExtra != 0 {
				r.countExtras(counts)
			}
		}
	}
	return r.err
}

// countRow counts the accounts of a movement.
func (r *runReader) countRow(counts *occurrences) {
	if len(r.buf)-r.at < runElement {
		r.fill()
	}
	b := r.buf[r.at:]
	if len(b) < runMovement {
		r.take(runMovement) // fails
		return
	}
	counts.add(binary.LittleEndian.Uint32(b[2:]))
	counts.add(binary.LittleEndian.Uint32(b[6:]))
	r.take(runMovement + int(min(b[1]&runWords, 4))*8 + int(b[1]&runPlace))
}

func (r *runReader) account(n uint32) AccountRef {
	if n == 0 || n > uint32(len(r.accounts)) {
		return 0
	}
	return r.accounts[n-1]
}

// lazyRun opens its run only when its first block's turn comes, and lets go of
// its memory after its last.
type lazyRun struct {
	job    *rewriteJob
	run    *importRun
	r      *runReader
	stub   mergedBlock // the first block's number, until the run is open
	more   bool
	window int64
}

// newLazyRun is for one of n runs.
func newLazyRun(j *rewriteJob, run *importRun, n int) *lazyRun {
	z := &lazyRun{job: j, run: run, more: run.info.From != chain.NoBlock, window: min(runWindow, max(runWindows/int64(n), leastWindow))}
	z.stub.state.number = run.info.From
	return z
}

func (z *lazyRun) head() (*mergedBlock, bool) {
	if z.r == nil {
		return &z.stub, z.more
	}
	return &z.r.next, z.r.more
}

func (z *lazyRun) advance() error {
	if z.r == nil {
		return nil // not opened: at its first block
	}
	err := z.r.advance()
	if !z.r.more && z.more {
		z.more = false
		z.run.epoch.release()
		z.r = &runReader{}
	}
	return err
}

// load opens the run, when its first block is to be read.
func (z *lazyRun) load() error {
	if z.r != nil {
		return nil
	}
	info := &z.run.info
	accounts, err := z.run.epoch.refs(z.job.l)
	if err != nil {
		return err
	}
	z.r = &runReader{window: newWindow(z.run.f, info.Name, info.AtBlocks, info.Bytes, z.window), idLen: idLen(info.Chain), accounts: accounts, names: z.job.names}
	z.r.assets = z.run.epoch.assetRefs(z.job)
	return z.r.advance()
}

// loader is a source that must be told when it is first read.
type loader interface{ load() error }
