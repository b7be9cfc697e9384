package ledger

import (
	"context"
	"io/fs"
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
	ReadOnly  bool
	disk      disk   // for tests; nil: the real one
	settleAt  int    // for tests; 0: the policy of merging
	bulkAt    int    // for tests; 0: bulkFacts, and pieceFacts
	looseMost int    // for tests; 0: maxLoose
	meanwhile func() // for tests: called before a job commits references, and segments
}

// pollEvery is how often Wait looks for other processes' commits.
const pollEvery = 5 * time.Millisecond

// Ledger is an open ledger folder. Any number of processes may have it open;
// one at a time commits (Import.Commit, ApplyBlock, Rollback and Finalize take
// the folder's lock for that moment, waiting for the process that has it), and
// one at a time writes segments. It is safe for use by several goroutines.
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
	lookAt   int      // the size of the head from which on due looks at it again
	settler  *settler // nil: nobody merges in the background
	closed   bool
}

// Open opens the ledger in dir, which is made when missing. A folder that holds
// a ledger's files and no manifest is errs.Corrupt, never an empty ledger.
func Open(ctx context.Context, dir string, opt Options) (*Ledger, error) {
	if opt.disk == nil {
		opt.disk = osDisk{}
	}
	l := &Ledger{dir: dir, opt: opt, changed: make(chan struct{})}
	there, err := Exists(dir)
	if err != nil {
		return nil, err
	}
	if !there {
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
	log, err := l.newHead(m, 0)
	if err != nil {
		return err
	}
	defer log.f.Close()
	if err := log.finish(); err != nil {
		return err
	}
	_, err = l.commitManifest(m)
	return err
}

func (l *Ledger) path(name string) string { return filepath.Join(l.dir, name) }

// commitManifest puts a manifest in place that names new files, which are
// durable but for their names, and gives what sameFile knows it by. The caller
// holds the folder's lock.
func (l *Ledger) commitManifest(m *manifest) (fs.FileInfo, error) {
	if err := l.opt.disk.syncDir(l.dir); err != nil {
		return nil, err
	}
	data, err := m.encode()
	if err != nil {
		return nil, err
	}
	return replace(l.opt.disk, l.path(manifestName), data)
}

// announce wakes those who wait. mu is held.
func (l *Ledger) announce() {
	l.current = nil
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Ledger) version() uint64 { return l.seq + l.manifest.Generation }

// Close ends the merging in the background and gives back everything; Readers already handed out stay valid until
// their own Close.
func (l *Ledger) Close() error {
	l.mu.Lock()
	m := l.settler
	l.mu.Unlock()
	if m != nil {
		m.stop()
		<-m.done
	}
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
	return l.view(), ctx.Err()
}

func (l *Ledger) view() *view {
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
func (l *Ledger) write(ctx context.Context, do func() error) (err error) {
	if l.opt.ReadOnly {
		return readOnly(l.dir)
	}
	defer func() { caught(recover(), &err) }()
	if err := l.look(); err != nil { // what can be much is done before others wait
		return err
	}
	lock, err := durable.WaitLock(l.path("LOCK"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
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
		if _, err := l.catchUp(l.seq); err != nil {
			return err
		}
	}
	return do()
}

// look takes over what was committed.
func (l *Ledger) look() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refresh()
}

// commit makes one record durable and visible: it is applied while the disk
// takes it. mu and the lock are held.
func (l *Ledger) commit(r *record) (Stats, error) {
	if r.kind == recordRollback {
		if err := l.log.append(r.encode()); err != nil {
			return Stats{}, err
		}
		return l.catchUp(l.seq)
	}
	stats, err := l.applyBeside(r)
	if err != nil {
		return stats, err
	}
	l.read, l.seq = l.log.end, l.log.seq
	l.announce()
	if from, to := l.head.alike(); from < to && l.settler != nil {
		rouse(l.settler.squash)
	}
	return stats, nil
}

// applyBeside appends a record to the log and applies it to the head at once. A
// head that holds what the log does not is read anew before anybody sees it.
func (l *Ledger) applyBeside(r *record) (stats Stats, err error) {
	appended := make(chan error, 1)
	go func() { appended <- l.log.append(r.encode()) }()
	defer func() {
		if aerr := <-appended; aerr != nil {
			l.info, err = nil, aerr
		}
	}()
	return l.head.apply(r, false)
}

func readOnly(dir string) error {
	return errs.New("write ledger", errs.Usage, dir, "the ledger is open for reading only", "open it for writing")
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
