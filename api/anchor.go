package api

import (
	"context"
	"time"
)

// AuditHead is where the audit stood at some moment: the file, the offset
// behind its last frame, and the chain's value there. Whoever keeps a head
// elsewhere can tell later whether records before it were changed or removed.
type AuditHead struct {
	File   uint64
	Offset int64
	Chain  [32]byte
}

// anchorGrace bounds the last anchoring after its context has ended.
const anchorGrace = 5 * time.Second

// Head is where the log stands durably; the zero when nothing was written
// since it was opened.
func (a *Audit) Head() AuditHead {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.head
}

// Anchor hands the head to keep, at once and then every interval in which it
// changed, and a last time when ctx ends; keep puts it where it cannot be
// changed, such as the journal's log of the audit (books.Anchor). It returns
// keep's error, or nil after ctx has ended.
func (a *Audit) Anchor(ctx context.Context, every time.Duration, keep func(context.Context, AuditHead) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last AuditHead
	for {
		if h := a.Head(); h != last {
			if err := keep(ctx, h); err != nil && ctx.Err() == nil {
				return err
			} else if err == nil {
				last = h
			}
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), anchorGrace)
		defer cancel()
		if err := a.Sync(grace); err != nil {
			return err
		}
		if h := a.Head(); h != last {
			return keep(grace, h)
		}
		return nil
	}
}
