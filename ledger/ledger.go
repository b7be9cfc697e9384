package ledger

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bongsu/chain"
	"bongsu/durable"
	"bongsu/errs"
)

// Options of Open; the zero is what a node uses.
type Options struct {
	// ReadOnly opens for readers only; the folder must hold a ledger.
	ReadOnly bool
	disk     disk // for tests; nil: the real one
	settleAt int  // for tests; 0: settleRows
	bulkAt   int  // for tests; 0: bulkFacts
}

// pollEvery is how often Wait looks for other processes' commits.
const pollEvery = 5 * time.Millisecond

// Ledger is an open ledger folder. Any number of processes may have it open;
// one at a time writes (Begin, ApplyBlock, Rollback and Finalize take the
// folder's lock, waiting for the process that has it). It is safe for use by
// several goroutines.
type Ledger struct {
	dir string
	opt Options

	// mu guards all that follows. Readers hold immutable parts of it.
	mu       sync.Mutex
	manifest *manifest
	info     fs.FileInfo // of the manifest that was read
	names    *names
	log      *headLog
	read     int64  // the head log is applied up to this byte
	seq      uint64 // and this record
	head     *head
	current  *view // nil when something was applied since
	changed  chan struct{}
	closed   bool
}

// Open opens the ledger in dir, which is made when missing.
func Open(ctx context.Context, dir string, opt Options) (*Ledger, error) {
	if opt.disk == nil {
		opt.disk = osDisk{}
	}
	l := &Ledger{dir: dir, opt: opt, changed: make(chan struct{})}
	if !exists(filepath.Join(dir, manifestName)) {
		if opt.ReadOnly {
			return nil, errs.New("open ledger", errs.NotExist, dir, "there is no ledger here", "import something first, or name another folder with --data")
		}
		if err := l.create(); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return nil, err
	}
	return l, ctx.Err()
}

// create makes an empty ledger, unless another process does so meanwhile.
func (l *Ledger) create() error {
	if err := durable.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	lock, err := durable.WaitLock(l.path("LOCK"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if exists(l.path(manifestName)) {
		return nil
	}
	m := &manifest{Format: manifestFormat, Generation: 1, NextFile: 1}
	return l.commitManifest(m, 0)
}

func (l *Ledger) path(name string) string { return filepath.Join(l.dir, name) }

// commitManifest makes a new head log that goes on after record seq and begins
// with records, and then puts the manifest that names it in place. The caller
// holds the folder's lock.
func (l *Ledger) commitManifest(m *manifest, seq uint64, records ...*record) error {
	m.HeadGen = m.Generation
	m.HeadSeq = seq
	m.Head = fmt.Sprintf("head-%08d.log", m.HeadGen)
	f, err := l.opt.disk.create(l.path(m.Head))
	if err != nil {
		return err
	}
	h, err := createHead(f, m.Head, m.HeadGen, seq)
	for _, r := range records {
		if err == nil {
			err = h.append(r.encode())
		}
	}
	if cerr := f.Close(); err == nil && cerr != nil {
		err = errs.Wrap("make head log", m.Head, cerr)
	}
	if err != nil {
		return err
	}
	if err := l.opt.disk.syncDir(l.dir); err != nil {
		return err
	}
	data, err := m.encode()
	if err != nil {
		return err
	}
	return replace(l.opt.disk, l.path(manifestName), data)
}

// refresh takes over what was committed, by whom ever. mu is held.
func (l *Ledger) refresh() error {
	if l.closed {
		return errs.New("read ledger", errs.Usage, l.dir, "the ledger is closed", "open it again")
	}
	for {
		info, err := os.Stat(l.path(manifestName))
		if err != nil {
			return errs.Wrap("read ledger", l.dir, err)
		}
		if sameFile(info, l.info) {
			break
		}
		err = l.reopen()
		if err == nil {
			break
		}
		if again, e := os.Stat(l.path(manifestName)); e != nil || sameFile(again, info) {
			return err // not because the manifest changed under us
		}
	}
	moved, err := l.log.refresh()
	if err != nil {
		return err
	}
	if moved || l.read < l.log.end {
		return l.catchUp()
	}
	return nil
}

// reopen loads the manifest and what it names.
func (l *Ledger) reopen() error {
	m, info, err := readManifest(l.dir)
	if err != nil {
		return err
	}
	f, err := l.opt.disk.open(l.path(m.Head), !l.opt.ReadOnly)
	if err != nil {
		return err
	}
	log, err := openHead(f, m.Head, m.HeadGen)
	if err != nil {
		f.Close()
		return err
	}
	below, nm, err := l.openSegments(m)
	if err != nil {
		f.Close()
		return err
	}
	l.names = nm
	if l.log != nil {
		l.log.f.Close()
	}
	l.manifest, l.info, l.log = m, info, log
	l.below(below)
	return nil
}

// below starts an empty head over segments.
func (l *Ledger) below(s *segments) {
	l.head = newHead(l.names, s)
	l.read, l.seq = headData, l.manifest.HeadSeq
	l.announce()
}

// openSegments opens what the manifest names and was not open before.
func (l *Ledger) openSegments(m *manifest) (*segments, *names, error) {
	s, nm := noSegments(), newNames()
	open := map[uint64]*segment{}
	files := map[uint64]*dictionaryFile{}
	if l.head != nil {
		for _, seg := range l.head.below.list {
			open[seg.number] = seg
		}
		if base := l.names.base; base != nil {
			for _, f := range base.files {
				files[f.Number] = f
			}
		}
	}
	var err error
	for i := range m.Segments {
		seg := open[m.Segments[i].Number]
		if seg == nil {
			if seg, err = openSegment(l.dir, m.Segments[i].Number); err != nil {
				return nil, nil, err
			}
		}
		s.add(seg)
	}
	nm.base = &dictionary{}
	for _, n := range m.Dictionaries {
		f := files[n]
		if f == nil {
			if f, err = openDictionary(l.dir, n); err != nil {
				return nil, nil, err
			}
		}
		nm.base.files = append(nm.base.files, f)
		nm.base.count += f.Count
	}
	for _, a := range m.AssetNames {
		nm.asset(a)
	}
	for _, c := range m.Claims {
		id := RefOfChain(c.Chain)
		s.claims[id] = append(s.claims[id], c)
	}
	for _, a := range m.Assets {
		if err := s.registry.Add(chain.AssetInfo(a)); err != nil {
			return nil, nil, err
		}
	}
	for _, r := range m.Live {
		s.live[RefOfChain(r.Chain)] = &liveChain{blocks: r.Blocks, final: r.Final, known: r.Known}
	}
	return s, nm, nil
}

// catchUp applies the records that were committed since.
func (l *Ledger) catchUp() error {
	var fresh []*record
	again := false
	err := l.log.read(l.read, l.seq, func(r *record) error {
		again = again || r.kind == recordRollback
		fresh = append(fresh, r)
		return nil
	})
	if err != nil {
		return err
	}
	if again { // what a rollback takes back is left out from the start
		l.head = newHead(l.names, l.head.below)
		fresh = fresh[:0]
		err := l.log.read(headData, l.manifest.HeadSeq, func(r *record) error {
			fresh = append(fresh, r)
			return nil
		})
		if err != nil {
			return err
		}
	}
	dead := rolledBack(fresh)
	for i, r := range fresh {
		if _, err := l.head.apply(r, dead[i]); err != nil {
			return err
		}
	}
	l.read, l.seq = l.log.end, l.log.seq
	l.announce()
	return nil
}

// rolledBack marks the live records that a later record takes back.
func rolledBack(records []*record) []bool {
	dead := make([]bool, len(records))
	for i, r := range records {
		if r.kind != recordRollback {
			continue
		}
		for j, earlier := range records[:i] {
			if earlier.kind == recordLive && earlier.block.Chain == r.chain && earlier.block.Number > r.number {
				dead[j] = true
			}
		}
	}
	return dead
}

// announce wakes those who wait. mu is held.
func (l *Ledger) announce() {
	l.current = nil
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Ledger) version() uint64 { return l.seq + l.manifest.Generation }

// Close gives back everything; Readers already handed out stay valid until
// their own Close.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.announce()
	return errs.Wrap("close ledger", l.dir, l.log.f.Close())
}

// Reader is a snapshot of all that is committed now, by any process.
func (l *Ledger) Reader(ctx context.Context) (Reader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return nil, err
	}
	return l.snapshot(), ctx.Err()
}

func (l *Ledger) snapshot() *view {
	if l.current == nil {
		l.current = l.head.view(l.version())
	}
	v := *l.current
	return &v
}

// Wait returns when a Reader would see a version above after, or ctx ends. It
// notices commits of this process at once and those of others within some
// milliseconds.
func (l *Ledger) Wait(ctx context.Context, after uint64) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		l.mu.Lock()
		err := l.refresh()
		changed, version := l.changed, uint64(0)
		if err == nil {
			version = l.version()
		}
		l.mu.Unlock()
		if err != nil || version > after {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-tick.C:
		}
	}
}

// write runs do as the one writer, with everything committed applied. mu is
// held while do runs.
func (l *Ledger) write(ctx context.Context, do func() error) error {
	if l.opt.ReadOnly {
		return readOnly(l.dir)
	}
	lock, err := durable.WaitLock(l.path("LOCK"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return l.locked(ctx, do)
}

// locked is write for a caller who holds the folder's lock already.
func (l *Ledger) locked(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return err
	}
	if err := l.log.recover(); err != nil {
		return err
	}
	if l.read < l.log.end {
		if err := l.catchUp(); err != nil {
			return err
		}
	}
	return do()
}

// commit makes one record durable and visible. mu and the lock are held.
func (l *Ledger) commit(r *record) (Stats, error) {
	if err := l.log.append(r.encode()); err != nil {
		return Stats{}, err
	}
	if r.kind == recordRollback {
		return Stats{}, l.catchUp()
	}
	stats, err := l.head.apply(r, false)
	if err != nil {
		return stats, err
	}
	l.read, l.seq = l.log.end, l.log.seq
	l.announce()
	return stats, nil
}

// ApplyBlock commits one live block: durable and visible when it returns.
// The block's number must follow the last live one of its chain and its Parent
// must be that one's hash, else errs.Conflict (Rollback first).
func (l *Ledger) ApplyBlock(ctx context.Context, b LiveBlock) (stats Stats, err error) {
	if err := checkFacts(&b.Facts); err != nil {
		return stats, err
	}
	if err := checkChain(b.Block.Chain); err != nil {
		return stats, err
	}
	err = l.write(ctx, func() error {
		if live := l.head.live[RefOfChain(b.Block.Chain)]; live != nil && len(live.blocks) > 0 {
			last := live.blocks[len(live.blocks)-1]
			if b.Block.Number != last.Number+1 || b.Block.Parent != last.Hash {
				return errs.New("follow", errs.Conflict, fmt.Sprintf("%s block %d", b.Block.Chain, b.Block.Number),
					fmt.Sprintf("it does not follow block %d", last.Number), "roll back to the common ancestor first")
			}
		}
		if err := l.checkAssets(b.Facts.Assets); err != nil {
			return err
		}
		stats, err = l.commit(&record{kind: recordLive, block: b.Block, what: b.What, facts: &b.Facts})
		return err
	})
	return stats, err
}

// Rollback takes back the live blocks of a chain above number, exactly.
// Blocks that are final are refused with errs.Conflict.
func (l *Ledger) Rollback(ctx context.Context, id chain.ID, number uint64) error {
	return l.write(ctx, func() error {
		live := l.head.live[RefOfChain(id)]
		if live == nil || len(live.blocks) == 0 || live.blocks[len(live.blocks)-1].Number <= number {
			return nil
		}
		if number < live.blocks[0].Number-1 || (live.known && number < live.final) {
			return errs.New("follow", errs.Conflict, fmt.Sprintf("%s block %d", id, number), "blocks above it are final",
				"check the node: a reorganisation past a final block should not happen")
		}
		_, err := l.commit(&record{kind: recordRollback, chain: id, number: number})
		return err
	})
}

// Finalize says that no block of the chain up to number will be rolled back.
// Now and then it moves what is final out of memory into segments.
func (l *Ledger) Finalize(ctx context.Context, id chain.ID, number uint64) error {
	if l.opt.ReadOnly {
		return readOnly(l.dir)
	}
	lock, err := durable.WaitLock(l.path("LOCK"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	err = l.locked(ctx, func() error {
		if live := l.head.live[RefOfChain(id)]; live != nil && live.known && live.final >= number {
			return nil
		}
		_, err := l.commit(&record{kind: recordFinal, chain: id, number: number})
		return err
	})
	if err != nil {
		return err
	}
	return l.settle(ctx)
}

// settleRows is how much the layers hold before it is moved into segments.
const settleRows = 1 << 20

// settle moves a head that has grown large into segments. The folder's lock is
// held, mu is not.
func (l *Ledger) settle(ctx context.Context) error {
	l.mu.Lock()
	n := l.head.settled()
	l.mu.Unlock()
	if n < l.opt.settleRows() {
		return nil
	}
	_, err := l.rewrite(ctx, nil, &Facts{})
	return err
}

func (o *Options) settleRows() int {
	if o.settleAt > 0 {
		return o.settleAt
	}
	return settleRows
}

// settled is about how many rows and transactions could move into segments.
func (h *head) settled() (n int) {
	for _, l := range h.layers {
		for i := range l.txs {
			if c := h.live[l.txs[i].name.chain]; l.txs[i].utxo == nil && (c == nil || l.txs[i].at < c.cut()) {
				n += 1 + len(l.txs[i].moves)
			}
		}
	}
	return n
}

func readOnly(dir string) error {
	return errs.New("write ledger", errs.Usage, dir, "the ledger is open for reading only", "open it for writing")
}

// Live is the last live block of a chain, and the last final one; Known is
// false in the first when the chain is not followed and in the second when
// none is final yet.
func (l *Ledger) Live(ctx context.Context, id chain.ID) (last, final Block, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return Block{}, Block{}, err
	}
	live := l.head.live[RefOfChain(id)]
	if live == nil {
		return Block{}, Block{}, ctx.Err()
	}
	for i := range live.blocks {
		f := &live.blocks[i]
		b := Block{Number: f.Number, Hash: f.Hash, Parent: f.Parent, Time: f.Time, HasTime: f.HasTime, Known: true}
		if b.Final = live.known && f.Number <= live.final; b.Final {
			final = b
		}
		last = b
	}
	return last, final, ctx.Err()
}

// checkAssets refuses asset facts that contradict what is known, before they
// are written.
func (l *Ledger) checkAssets(infos []chain.AssetInfo) error {
	for _, a := range infos {
		if old, ok := l.head.registry.Info(a.Asset); ok && old.Decimals != a.Decimals {
			return errs.New("import", errs.Conflict, string(a.Asset),
				"two sources disagree about its decimals: "+old.Source+" and "+a.Source, "check the contract, then import the right one")
		}
	}
	return nil
}
