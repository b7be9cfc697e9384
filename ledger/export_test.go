package ledger

import "context"

// SmallSegments makes imports of more than a few facts go through runs, and
// the head settle into segments early.
func SmallSegments(o *Options, bulk, settle int) { o.bulkAt, o.settleAt = bulk, settle }

// Small is SmallSegments without syncs.
func Small(bulk, settle int) (o Options) {
	SmallSegments(&o, bulk, settle)
	WithoutSync(&o)
	return o
}

// HoldMerges leaves merging to Merge.
func HoldMerges(l *Ledger) {
	l.settler = newSettler(func() {})
	close(l.settler.done)
}

// Merge does a round of the background's, with meanwhile called once the new
// files are written.
func Merge(ctx context.Context, l *Ledger, meanwhile func()) (bool, error) {
	calls := 0
	l.opt.meanwhile = func() {
		if calls++; calls < 2 {
			return
		}
		l.opt.meanwhile = nil // now: jobs that meanwhile starts may outlast this round
		if meanwhile != nil {
			meanwhile()
		}
	}
	merged, err := l.merge(ctx)
	if calls < 2 {
		l.opt.meanwhile = nil
	}
	return merged, err
}

// Meanwhile has f called whenever a job lets others commit: before it commits
// references, and before it commits segments.
func Meanwhile(l *Ledger, f func()) { l.opt.meanwhile = f }

// LargerThanMemory has an open ledger read as one that memory does not hold.
func LargerThanMemory(l *Ledger) {
	for _, s := range l.head.below.list {
		for _, sh := range s.sheets() {
			sh.readAnywhere(true)
		}
	}
}

// WithoutSync makes every sync do nothing, for tests that write much and never
// crash.
func WithoutSync(o *Options) { o.disk = lazyDisk{} }

type lazyDisk struct{ osDisk }

type lazyFile struct{ file }

func (lazyFile) Sync() error { return nil }

func (lazyDisk) syncDir(string) error { return nil }

func (d lazyDisk) create(name string) (file, error) {
	f, err := d.osDisk.create(name)
	return lazyFile{f}, err
}

func (d lazyDisk) open(name string, write bool) (file, error) {
	f, err := d.osDisk.open(name, write)
	return lazyFile{f}, err
}

// TopLayer tells the highest layer of the head from any other.
func TopLayer(l *Ledger) any {
	if n := len(l.head.layers); n > 0 {
		return l.head.layers[n-1]
	}
	return nil
}
