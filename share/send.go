package share

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
)

// frameWriter writes frames on one stream, each at once and within a time: a
// reader that is slower is cut off, so that nothing piles up here.
type frameWriter struct {
	w        io.Writer
	flush    func() error
	deadline func(time.Time) error
	patience time.Duration
	moved    atomic.Bool // a batch was written

	mu  sync.Mutex // owns buf and the order of frames
	buf []byte
}

func (fw *frameWriter) write(f *frame) error {
	fw.mu.Lock()
	defer fw.mu.Unlock()
	b, err := f.append(fw.buf[:0])
	if err != nil {
		return err
	}
	if fw.buf = b; cap(b) > keepBuffer {
		fw.buf = nil
	}
	if err := fw.deadline(time.Now().Add(fw.patience)); err != nil {
		return errs.Wrap("feed", "", err)
	}
	if _, err := fw.w.Write(b); err != nil {
		return &errs.Error{Op: "feed", Kind: errs.Unavailable, Why: "the reader is gone or too slow", Err: err}
	}
	if fw.flush == nil {
		return nil
	}
	return errs.Wrap("feed", "", fw.flush())
}

// keepBuffer is the largest buffer that a quiet stream keeps.
const keepBuffer = 256 << 10

// sendFeed writes an own feed from a position on: the past first, then live,
// until ctx ends, the agreement does, or the stream has lived long enough. The
// reason goes to the reader in a last frame.
func (s *Service) sendFeed(ctx context.Context, p peer, id string, from uint64, out *frameWriter) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.StreamLife, errStreamLife)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	wg.Go(func() { stop(s.beats(ctx, p, id, out)) })
	err := s.sendBatches(ctx, p.ID, id, from, out)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		_ = out.write(endWith(err)) // the stream is over either way
	}
	return err
}

var errStreamLife = errs.New("feed", errs.Unavailable, "", "the stream has lived its time", "take it up again")

// beats says now and then that the stream lives, and ends it when its
// agreement or partnership does, or when the partner's keys change.
func (s *Service) beats(ctx context.Context, p peer, id string, out *frameWriter) error {
	tick := time.NewTicker(min(lookAgain, s.limits.Beat))
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.activeWith(ctx, p.ID, id); err != nil {
			return err
		}
		if s.rekeyed(p) {
			return errs.New("feed", errs.Unavailable, id, "your organisation document was renewed", "connect again with a key that it certifies")
		}
		if time.Since(last) < s.limits.Beat {
			continue
		}
		last = time.Now()
		size, err := s.journal.Size(ctx, feedOf(id))
		if err != nil {
			return err
		}
		s.sawNow(p.ID)
		if err := out.write(&frame{Beat: &beat{Time: s.clock().UTC(), Size: size}}); err != nil {
			return err
		}
	}
}

// rekeyed reports whether a partner has a newer document than a stream's.
func (s *Service) rekeyed(p peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.known {
		if k.ID == p.ID {
			return k.org.Number > p.org.Number
		}
	}
	return false
}

// firstBatch is how many statements the first batch of a stream holds; each
// next one may hold twice as many, up to Limits.BatchItems. So a line that
// breaks after every few kilobytes still gets on.
const firstBatch = 8

// sendBatches sends what the feed holds from a position on, then what is put
// on it, as it is.
func (s *Service) sendBatches(ctx context.Context, partner identity.OrgID, id string, from uint64, out *frameWriter) error {
	defer s.journal.Watch()()
	most := min(firstBatch, s.limits.BatchItems)
	var looked time.Time // when the agreement was
	sent := s.view.filled(id)
	for {
		changed := s.journal.Changed()
		filled := s.view.filled(id)
		for more := true; more; {
			var b journal.Batch
			var err error
			if b, more, err = s.batch(ctx, id, from, most); err != nil {
				return err
			}
			if len(b.Items) == 0 {
				break
			}
			if now := time.Now(); now.Sub(looked) > activeFor {
				if err := s.activeWith(ctx, partner, id); err != nil {
					return err
				}
				looked = now
			}
			if err := out.write(batchFrame(b)); err != nil {
				return err
			}
			out.moved.Store(true)
			most = min(2*most, s.limits.BatchItems)
			from = b.First + uint64(len(b.Items))
			sent = filled
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
		if err := s.awaitFill(ctx, id, sent); err != nil {
			return err
		}
	}
}

// awaitFill returns when something was put on a feed since `sent`, or after a
// moment in any case: another process may have. Most commits put nothing on a
// feed, and other readers need the database then: screening, on what just
// arrived.
func (s *Service) awaitFill(ctx context.Context, id string, sent uint64) error {
	timer := time.NewTimer(lookAfter)
	defer timer.Stop()
	for {
		changed := s.journal.Changed()
		if s.view.filled(id) != sent {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		case <-changed:
		}
	}
}

// batch reads what comes next on a feed and says whether there is more after
// it. It is empty when there is nothing.
func (s *Service) batch(ctx context.Context, id string, from uint64, most int) (b journal.Batch, more bool, err error) {
	err = s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		if b, err = tx.Batch(ctx, feedOf(id), from, most); err != nil || len(b.Items) == 0 {
			return err
		}
		size, err := tx.Size(ctx, feedOf(id))
		more = b.Size < size
		return err
	})
	return b, more, err
}

// activeWith refuses unless the agreement is with that partner, who still is
// one, and active now.
func (s *Service) activeWith(ctx context.Context, partner identity.OrgID, id string) error {
	list, err := s.selectBundles(ctx, id)
	if err != nil {
		return err
	}
	if len(list) != 1 || id == "" || list[0].partner != partner || list[0].gone {
		return errs.New("feed", errs.NotExist, printable(id), "there is no such agreement between us", "")
	}
	if state := list[0].ag.State(s.clock()); state != agreement.Active {
		return errs.New("feed", errs.Permission, id, "the agreement is "+string(state), "nothing passes under it")
	}
	return nil
}

func (s *Service) logEnd(p peer, id string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.Info("a feed's stream ended", "partner", p.ID, "agreement", id, "why", err)
	}
}
