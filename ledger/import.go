package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/durable"
	"bongsu/errs"
)

const (
	// bulkFacts is how many facts an import keeps for the head; a larger one
	// goes through runs into segments.
	bulkFacts = 1 << 16
	// pieceFacts is how many of them a record of the head holds at most: each is
	// decoded as a whole.
	pieceFacts = 1 << 15
)

// Import gathers facts of one source. Nothing of it is visible before Commit,
// and nobody waits for it: other imports and live blocks are committed
// meanwhile, by any process. Not safe for several goroutines.
//
// A small import becomes one record of the head log. A large one is sorted in
// runs on disk and merged into segments by Commit, in the memory of a few runs
// whatever its size; what has no place (no block, no transaction id) and notes
// still go to the head.
type Import struct {
	l       *Ledger
	lock    *durable.Lock // of the source
	spool   string        // the file's name
	log     *headLog
	facts   Facts     // since the last Checkpoint; when bulk, what goes to the head
	held    []heldEVM // likewise, unless bulk
	holds   int       // transfers in held
	bulk    bool
	buffers map[chain.ID]*runBuffer
	tables  map[chain.ID]*accountTable
	epochs  int                  // tables that were begun
	counts  map[int]*occurrences // of each of them
	runs    []runInfo
	loose   int           // rows without block or transaction id
	writing chan wroteRun // the one run being written
	busy    bool
	aside   []runFile       // of runs that were written since the last Checkpoint
	lost    error           // why runs cannot be made durable
	spare   *runBuffer      // written, to be used again
	ended   []*accountTable // no longer filled; the one run being written may read them
	cursor  []byte
	resumed bool
	done    bool
}

type wroteRun struct {
	b    *runBuffer
	info runInfo
	file runFile
	err  error
}

// Begin starts an import or resumes the one of the same source that a crash
// interrupted: Import.Cursor then tells where. Another import of the same
// source waits until this one's Commit, Abort or Suspend.
func (l *Ledger) Begin(ctx context.Context, source string) (*Import, error) {
	if l.opt.ReadOnly {
		return nil, readOnly(l.dir)
	}
	sum := sha256.Sum256([]byte(source))
	name := "import-" + hex.EncodeToString(sum[:8])
	lock, err := l.waitLock(ctx, name+".lock")
	if err != nil {
		return nil, err
	}
	im := &Import{l: l, lock: lock, spool: name + ".log", buffers: map[chain.ID]*runBuffer{}, tables: map[chain.ID]*accountTable{}, counts: map[int]*occurrences{}}
	if exists(l.path(im.spool)) {
		if err := im.resume(); err != nil {
			lock.Unlock()
			return nil, err
		}
	}
	return im, ctx.Err()
}

// Add gathers facts; the slices are the caller's again when it returns.
func (im *Import) Add(f *Facts) error {
	if err := checkFacts(f); err != nil {
		return err
	}
	if err := im.countLoose(f); err != nil {
		return err
	}
	if im.bulk {
		return im.route(f)
	}
	im.facts.append(f)
	if im.fits(0) {
		return nil
	}
	return im.grow()
}

// fits says whether n facts more leave the import a small one.
func (im *Import) fits(n int) bool {
	limit := bulkFacts
	if im.l.opt.bulkAt > 0 {
		limit = im.l.opt.bulkAt
	}
	return len(im.facts.Transfers)+len(im.facts.Txs)+len(im.facts.Blocks)+len(im.facts.UTXOs)+im.holds+n <= limit
}

// grow makes it a large one.
func (im *Import) grow() error {
	all, held := im.facts, im.held
	im.facts, im.held, im.holds, im.bulk = Facts{}, nil, 0, true
	if err := im.route(&all); err != nil {
		return err
	}
	for _, h := range held {
		if err := im.routeEVM(h.id, h.list); err != nil {
			return err
		}
	}
	return nil
}

func (f *Facts) append(g *Facts) {
	f.Transfers = append(f.Transfers, g.Transfers...)
	f.Txs = append(f.Txs, g.Txs...)
	f.Blocks = append(f.Blocks, g.Blocks...)
	f.Notes = append(f.Notes, g.Notes...)
	f.UTXOs = append(f.UTXOs, g.UTXOs...)
	f.Assets = append(f.Assets, g.Assets...)
	f.Claims = append(f.Claims, g.Claims...)
}

// route puts what has a place into runs.
func (im *Import) route(f *Facts) error {
	rest := Facts{Assets: f.Assets, Claims: f.Claims}
	for i := range f.Transfers {
		t := &f.Transfers[i]
		if looseRow(t) {
			rest.Transfers = append(rest.Transfers, *t)
			continue
		}
		b, err := im.buffer(t.Chain)
		if err != nil {
			return err
		}
		b.transfer(t)
	}
	for i := range f.Txs {
		t := &f.Txs[i]
		if t.Block == chain.NoBlock {
			rest.Txs = append(rest.Txs, *t)
			continue
		}
		b, err := im.buffer(t.Chain)
		if err != nil {
			return err
		}
		b.fact(t)
	}
	for i := range f.UTXOs {
		u := &f.UTXOs[i]
		if u.Block == chain.NoBlock {
			rest.UTXOs = append(rest.UTXOs, *u)
			continue
		}
		b, err := im.buffer(u.Chain)
		if err != nil {
			return err
		}
		b.coins(u)
	}
	for i := range f.Blocks {
		b, err := im.buffer(f.Blocks[i].Chain)
		if err != nil {
			return err
		}
		b.blocks = append(b.blocks, f.Blocks[i])
	}
	if err := im.routeNotes(f, &rest); err != nil {
		return err
	}
	im.facts.append(&rest)
	if im.l.opt.fills(&im.facts) {
		return im.spill()
	}
	return nil
}

// fills says whether facts are as many as a record holds.
func (o *Options) fills(f *Facts) bool {
	most := pieceFacts
	if o.bulkAt > 0 {
		most = o.bulkAt
	}
	return len(f.Transfers)+len(f.Txs)+len(f.Blocks)+len(f.UTXOs)+len(f.Notes) >= most
}

// buffer is the chain's buffer with room in it.
func (im *Import) buffer(id chain.ID) (*runBuffer, error) {
	b := im.buffers[id]
	if b != nil && b.full() {
		if err := im.flush(b); err != nil {
			return nil, err
		}
		b = nil
	}
	if b == nil {
		if b = im.spare; b == nil {
			b = &runBuffer{}
		}
		im.spare = nil
		b.reset(id, im.table(id))
		im.buffers[id] = b
	}
	b.prepare()
	return b, nil
}

// table is the chain's table of accounts with room in it.
func (im *Import) table(id chain.ID) *accountTable {
	t := im.tables[id]
	if t == nil || t.full() {
		if t != nil {
			t.end()
			im.ended = append(im.ended, t)
		}
		im.epochs++
		t = newAccountTable(im.epochs)
		im.tables[id], im.counts[im.epochs] = t, t.counts
	}
	return t
}

// flush writes a buffer aside while the next one fills.
func (im *Import) flush(b *runBuffer) error {
	if err := im.wait(); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%06d.run", strings.TrimSuffix(im.spool, ".log"), len(im.runs))
	f, err := im.l.opt.disk.create(im.l.path(name))
	if err != nil {
		return err
	}
	delete(im.buffers, b.id)
	im.writing, im.busy = make(chan wroteRun, 1), true
	met, assets := b.accounts.since(b.first, b.other), slices.Clone(b.accounts.assets.names[b.asset0:])
	go func(done chan<- wroteRun) {
		info, err := b.write(f, name, met, assets)
		done <- wroteRun{b, info, runFile{f: f}, errs.Wrap("import", name, err)}
	}(im.writing)
	return nil
}

// wait ends the writing of the last run.
func (im *Import) wait() error {
	if !im.busy {
		return nil
	}
	r := <-im.writing
	im.busy = false
	if im.spare != nil {
		im.spare.free()
	}
	im.spare = r.b
	for _, t := range im.ended {
		t.free()
	}
	im.ended = nil
	if r.err != nil {
		r.file.f.Close()
		return r.err
	}
	im.runs = append(im.runs, r.info)
	return im.putAside(r.file)
}

// release gives the memory of runs back, when none is being written.
func (im *Import) release() {
	for _, b := range im.buffers {
		b.free()
	}
	if im.spare != nil {
		im.spare.free()
	}
	for _, t := range im.tables {
		im.ended = append(im.ended, t)
	}
	for _, t := range im.ended {
		t.free()
	}
	im.buffers, im.tables, im.spare, im.ended = map[chain.ID]*runBuffer{}, map[chain.ID]*accountTable{}, nil, nil
}

// flushAll writes every buffer and waits.
func (im *Import) flushAll() error {
	for _, b := range im.buffers {
		if b.empty() {
			continue
		}
		if err := im.flush(b); err != nil {
			return err
		}
	}
	return im.wait()
}

// Commit makes all facts durable and visible at once. A large import waits for
// another process that writes segments. On an error nothing of the import is
// visible and its checkpoints are kept for another Begin.
func (im *Import) Commit(ctx context.Context) (stats Stats, err error) {
	if im.done {
		return stats, errs.New("import", errs.Usage, im.spool, "the import has ended", "begin another")
	}
	defer func() {
		if err != nil {
			im.Suspend() //nolint:errcheck // the first error is the one to report
		}
	}()
	im.expand()
	if err := im.flushAll(); err != nil {
		return stats, err
	}
	switch {
	case len(im.runs) > 0:
		stats, err = im.commitRuns(ctx)
	case im.log == nil:
		stats, err = im.l.commitFacts(ctx, &im.facts)
	default:
		stats, err = im.commitPieces(ctx)
	}
	if err != nil {
		return stats, errs.Wrap("import", "", err)
	}
	return stats, im.end()
}

// commitFacts makes facts a record of the head.
func (l *Ledger) commitFacts(ctx context.Context, f *Facts) (stats Stats, err error) {
	if err = l.write(ctx, func() error {
		f, known := l.head.news(f)
		if err := l.checkCommit(func(use func(*Facts) error) error { return use(f) }); err != nil {
			return err
		}
		if !f.empty() {
			stats, err = l.commit(&record{kind: recordFacts, facts: f})
		}
		stats.AlreadyThere += known
		return err
	}); err != nil {
		return stats, err
	}
	return stats, l.settle(ctx)
}

// pieces calls use with facts, as many at a time as a record holds, the same each
// time that it is called.
type pieces func(use func(*Facts) error) error

func noPieces(func(*Facts) error) error { return nil }

// pieces are what goes to the head.
func (im *Import) pieces(use func(*Facts) error) error {
	some := func(f *Facts) error {
		if f.empty() {
			return nil
		}
		return use(f)
	}
	if im.log != nil {
		if err := im.log.read(headData, 0, func(r *record) error { return some(r.facts) }); err != nil {
			return err
		}
	}
	return some(&im.facts)
}

// commitPieces makes all of it visible at once, in several records of the head.
func (im *Import) commitPieces(ctx context.Context) (stats Stats, err error) {
	l := im.l
	if err = l.write(ctx, func() error {
		known, err := l.checkNews(im.pieces)
		if err != nil {
			return err
		}
		if err := l.log.appendAll(func(write func(*record) error) error {
			return l.head.newsOf(im.pieces)(func(f *Facts) error { return write(&record{kind: recordFacts, facts: f}) })
		}); err != nil {
			return err
		}
		stats, err = l.catchUp(l.seq)
		stats.AlreadyThere += known
		return err
	}); err != nil {
		return stats, err
	}
	return stats, l.settle(ctx)
}

// newsOf are the news of pieces, while the head does not change.
func (h *head) newsOf(list pieces) pieces {
	return func(use func(*Facts) error) error {
		return list(func(f *Facts) error {
			if f, _ := h.news(f); !f.empty() {
				return use(f)
			}
			return nil
		})
	}
}

// checkNews is checkCommit for the news of pieces, and says how many transfers
// are left out of them.
func (l *Ledger) checkNews(list pieces) (known uint64, err error) {
	err = l.checkCommit(func(use func(*Facts) error) error {
		return list(func(f *Facts) error {
			f, n := l.head.news(f)
			known += n
			return use(f)
		})
	})
	return known, err
}

// checkCommit refuses what could not be applied after it was written.
func (l *Ledger) checkCommit(list pieces) error {
	loose := looseCount{h: &l.head.loose, most: l.mostLoose()}
	return list(func(f *Facts) error {
		if err := l.checkAssets(f.Assets); err != nil {
			return err
		}
		return loose.add(f)
	})
}

// commitRuns merges the runs into segments.
func (im *Import) commitRuns(ctx context.Context) (Stats, error) {
	im.release() // merging needs the memory
	im.letGo()
	if err := im.l.write(ctx, func() error { _, err := im.l.checkNews(im.pieces); return err }); err != nil {
		return Stats{}, err
	}
	hold, err := im.l.waitLock(ctx, mergeLock)
	if err != nil {
		return Stats{}, err
	}
	defer hold.Unlock()
	var runs []*importRun
	defer func() {
		for _, r := range runs {
			r.f.Close()
		}
	}()
	for i := range im.runs {
		f, err := im.l.opt.disk.open(im.l.path(im.runs[i].Name), false)
		if err != nil {
			return Stats{}, err
		}
		runs = append(runs, &importRun{info: im.runs[i], f: f, counts: im.counts[im.runs[i].Epoch]})
	}
	stats, _, err := im.l.rewrite(ctx, runs, im.pieces)
	return stats, err
}

// Abort drops the import and its checkpoints. A no-op after Commit.
func (im *Import) Abort() error {
	if im.done {
		return nil
	}
	im.wait() //nolint:errcheck // it is dropped
	return im.end()
}

// Suspend leaves the import's checkpoints for a later Begin of the same
// source, as a crash would. A no-op after Commit.
func (im *Import) Suspend() error {
	if im.done {
		return nil
	}
	im.wait() //nolint:errcheck // what no checkpoint names is read again
	im.release()
	im.letGo()
	if im.log == nil {
		return im.end()
	}
	im.done = true
	im.log.f.Close()
	return im.lock.Unlock()
}

// end removes the spool first, so that no checkpoint names a run that is gone.
func (im *Import) end() error {
	im.done = true
	im.release()
	im.letGo()
	var err error
	if im.log != nil {
		im.log.f.Close()
		err = im.l.opt.disk.remove(im.l.path(im.spool))
	}
	names, gerr := filepath.Glob(im.l.path(strings.TrimSuffix(im.spool, ".log") + "-*"))
	slices.Sort(names)
	for _, n := range names {
		gerr = cmpErr(gerr, im.l.opt.disk.remove(n))
	}
	return cmpErr(err, gerr, im.lock.Remove())
}
