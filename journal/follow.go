package journal

import (
	"context"
	"iter"
	"time"
)

// bump wakes every follower of this process.
func (j *Journal) bump() {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.wake)
	j.wake = make(chan struct{})
}

// Changed returns a channel that is closed by the next commit of this process,
// or when another's is noticed. Take it before reading, so that nothing is
// missed between.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.wake
}

// Watch counts the caller as a follower until the returned function is called:
// only then are other processes' commits noticed by Changed.
func (j *Journal) Watch() (done func()) {
	j.followers.Add(1)
	return func() { j.followers.Add(-1) }
}

// poll notices other processes' commits while anybody follows. A store that
// fails to answer is asked again; followers meet the failure when they read.
func (j *Journal) poll(ctx context.Context) {
	defer j.polling.Done()
	tick := time.NewTicker(j.opt.Poll)
	defer tick.Stop()
	var last int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if j.followers.Load() == 0 {
			continue
		}
		if n, err := j.store.Changes(ctx); err == nil && n != last {
			last = n
			j.bump()
		}
	}
}

// Follow yields the statements of an own log from sequence `from` on: the past
// first, in batches of at most limit, then live, woken right after each commit
// of this process and within Options.Poll of another's. It ends when ctx ends,
// the journal is closed or the consumer stops; an error is yielded once, last.
func (j *Journal) Follow(ctx context.Context, log string, from uint64, limit int) iter.Seq2[[]Statement, error] {
	return func(yield func([]Statement, error) bool) {
		defer j.Watch()()
		for {
			changed := j.Changed()
			for {
				batch, err := j.Read(ctx, log, from, limit)
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					yield(nil, err)
					return
				}
				if len(batch) == 0 {
					break
				}
				from += uint64(len(batch))
				if !yield(batch, nil) {
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			case <-j.ended:
				return
			}
		}
	}
}
