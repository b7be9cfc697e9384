package ledger

import (
	"context"
	"sync"
	"time"

	"bongsu/durable"
	"bongsu/errs"
)

// mergeLock is held by the one process that writes segments. Whoever holds it
// may take the folder's lock, not the other way round, and may remove files that
// the manifest does not name.
const mergeLock = "MERGE"

// lockEvery is how often one asks for a lock that another may hold for hours,
// because one must be able to give up meanwhile.
const lockEvery = 2 * time.Millisecond

// mergeBehind is how many times over the head may be full before those who
// commit merge it themselves, because the merging in the background does not
// keep up with them: the head is in memory.
const mergeBehind = 4

// settler moves what is final into segments and merges segments, and layers of
// the head, beside those who write and read. Its fields do not change; its two
// goroutines end with ctx. The channels have room for one: somebody may have
// made work.
type settler struct {
	wake   chan struct{} // for what is final, and segments
	squash chan struct{} // for layers, which a merge of segments must not hold up
	stop   context.CancelFunc
	done   chan struct{} // closed when both have ended
}

func newSettler(stop context.CancelFunc) *settler {
	return &settler{wake: make(chan struct{}, 1), squash: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
}

// MergeInBackground starts goroutines that move what is final out of memory
// into segments and merge small ones, as FORMAT.md says, until ctx ends or
// Close is called, which waits for them. Finalize and small imports then return
// without doing so themselves. report is told how each merge ended and may be
// nil; after an error the next commit makes it try again. Call it once, in a
// process that writes for long.
func (l *Ledger) MergeInBackground(ctx context.Context, report func(error)) error {
	if l.opt.ReadOnly {
		return readOnly(l.dir)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.settler != nil {
		return errs.New("merge ledger", errs.Usage, l.dir, "the ledger is closed, or merges in the background already", "call it once after opening")
	}
	ctx, stop := context.WithCancel(ctx)
	m := newSettler(stop)
	l.settler, l.head.beside = m, true
	m.wake <- struct{}{}
	var both sync.WaitGroup
	both.Go(func() {
		for m.roused(ctx, m.squash) {
			l.squashBeside()
		}
	})
	both.Go(func() {
		for m.roused(ctx, m.wake) {
			merged, err := l.merge(ctx)
			if report != nil && (merged || err != nil) && ctx.Err() == nil {
				report(err)
			}
		}
	})
	go func() {
		both.Wait()
		close(m.done)
	}()
	return nil
}

// roused waits for work, and says no when there will be none.
func (m *settler) roused(ctx context.Context, wake <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-wake:
		return ctx.Err() == nil
	}
}

func rouse(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it is awake
	}
}

// settle has the head moved into segments when enough of it is final: by the
// settler, or here and now, unless another process writes segments and the head
// has room left. No lock is held.
func (l *Ledger) settle(ctx context.Context) error {
	l.mu.Lock()
	due, m, behind := l.due(), l.settler, l.head.size() >= mergeBehind*l.opt.policy().full
	l.mu.Unlock()
	switch {
	case !due:
		return nil
	case behind:
		hold, err := l.waitLock(ctx, mergeLock)
		if err != nil {
			return err
		}
		defer hold.Unlock()
		_, _, err = l.rewrite(ctx, nil, noPieces)
		return err
	case m != nil:
		rouse(m.wake)
		return nil
	}
	_, err := l.merge(ctx)
	return err
}

// due says whether enough can move. Looking costs a walk through the head, so
// it is done again only when the head has grown. mu is held.
func (l *Ledger) due() bool {
	p, size := l.opt.policy(), l.head.size()
	if size < p.settle || size < l.lookAt {
		return false
	}
	if l.head.due(p) {
		return true
	}
	l.lookAt = size + p.settle/8
	return false
}

// size is how many rows and transactions the layers hold.
func (h *head) size() int { return weigh(h.layers) }

// merge does one round, unless another process is at it, and says whether it
// changed anything.
func (l *Ledger) merge(ctx context.Context) (bool, error) {
	hold, err := durable.TryLock(l.path(mergeLock))
	if err != nil {
		if errs.Is(err) == errs.Unavailable {
			return false, nil // what it leaves another commit brings up again
		}
		return false, err
	}
	defer hold.Unlock()
	_, merged, err := l.rewrite(ctx, nil, noPieces)
	return merged, err
}

// waitLock waits for a lock that may be held for long as long as ctx lives.
func (l *Ledger) waitLock(ctx context.Context, name string) (*durable.Lock, error) {
	tick := time.NewTicker(lockEvery)
	defer tick.Stop()
	for {
		lock, err := durable.TryLock(l.path(name))
		if err == nil || errs.Is(err) != errs.Unavailable {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
