package watch

import (
	"context"
	"time"

	"bongsu/errs"
	"bongsu/ledger"
	"bongsu/stix"
	"bongsu/trace"
)

// state is what a Watcher does with a theft.
//
//	starting --(traced to the ledger's end, said)--> following
//	following --(the ledger grew or fell back)--> following
//	any --(another run was stated, labels changed)--> starting
//	any --(an error)--> failed --(its time came)--> starting
//	starting --(its run is not on this machine, or has an end)--> resting
//	starting, following --(the trace reached a limit: errs.Limit)--> resting
//	resting --(another run was stated, labels changed)--> starting
//	any --(the theft was taken back)--> resting, when all that stood is, too
type state uint8

const (
	starting state = iota
	following
	failed
	resting
)

// theft is one watched theft. The journal says what was stated of it; here is
// only what makes going on quick.
type theft struct {
	id    string
	state state
	run   Run        // the latest that was stated
	said  *trace.Run // that run, when it was made here
	w     *trace.Watch
	at    uint64 // version of the ledger that w is level with
	again time.Time
	wait  time.Duration
}

// told takes over the latest run of the journal. One that this theft stated
// itself changes nothing.
func (t *theft) told(r Run) {
	known := t.run.Digest == r.Digest && t.run.Marking == r.Marking
	t.run = r
	if !known {
		t.restart()
	}
}

// restart has the trace begin anew, at once.
func (t *theft) restart() { t.state, t.w, t.again = starting, nil, time.Time{} }

// level brings the theft level with r, states what that changes, and notes a
// failure: it is tried again later, from the start. A limit is no such failure:
// the same question reaches it again, at the same cost, so the theft rests until
// it is asked with other bounds or labels. What was stated of it stands.
func (t *theft) level(ctx context.Context, w *Watcher, r ledger.Reader) {
	now := w.cfg.Clock()
	if t.state == resting || t.state == failed && time.Now().Before(t.again) || t.state == following && t.at == r.Version() {
		return
	}
	said, err := t.goOn(ctx, w, r, now)
	if ctx.Err() != nil {
		return
	}
	if err != nil && t.state == resting {
		w.cfg.Logger.Error("a theft is watched no more; trace it again with other bounds", "theft", t.id, "err", err)
		return
	}
	if err != nil {
		t.wait = min(max(2*t.wait, firstAgain), lastAgain)
		t.state, t.w, t.again = failed, nil, time.Now().Add(t.wait)
		w.cfg.Logger.Warn("watching a theft is disturbed", "theft", t.id, "again_in", t.wait, "err", err)
		return
	}
	t.wait, t.again = 0, time.Time{}
	if len(said) > 0 && w.cfg.OnChange != nil {
		w.cfg.OnChange(Change{Theft: t.id, Digest: t.run.Digest, Said: said, At: now})
	}
}

// goOn traces on, or from the start, and states what changed; or takes back what
// stands.
func (t *theft) goOn(ctx context.Context, w *Watcher, r ledger.Reader, now time.Time) ([]stix.Object, error) {
	if t.run.Digest == "" {
		said, err := Withdraw(ctx, Saying{Journal: w.cfg.Journal, View: w.cfg.View, Now: now, Marking: t.run.Marking}, t.id)
		if err == nil {
			t.state = resting
		}
		return said, err
	}
	err := t.follow(ctx, w, r)
	if errs.Is(err) == errs.Limit {
		t.state, t.w = resting, nil
	}
	if err != nil || t.state == resting {
		return nil, err
	}
	run := t.w.Run()
	said, err := State(ctx, Saying{
		Journal: w.cfg.Journal, View: w.cfg.View, Traces: w.cfg.Traces, Known: t.said, Now: now, Marking: t.run.Marking,
	}, r, run)
	if err != nil {
		return said, err
	}
	if len(said) > 0 {
		t.run.Digest, t.said = run.Result.Digest, run
	}
	t.state, t.at = following, r.Version()
	return said, nil
}

// follow brings the theft's trace level with r.
func (t *theft) follow(ctx context.Context, w *Watcher, r ledger.Reader) error {
	if t.state != following {
		return t.start(ctx, w, r)
	}
	_, err := t.w.Advance(ctx, r)
	return err
}

// start makes a trace of the stated run's question that has no end.
func (t *theft) start(ctx context.Context, w *Watcher, r ledger.Reader) error {
	stated, err := w.cfg.Traces.Load(t.run.Digest)
	if errs.Is(err) == errs.NotExist {
		t.state = resting
		return nil
	}
	if err != nil {
		return err
	}
	req := stated.Request
	if req.Backward || req.Bounds.Until != 0 || len(req.Thefts) != 1 {
		t.state = resting
		return nil
	}
	req.Heads = nil
	set, err := w.cfg.Labels()
	if err != nil {
		return err
	}
	t.w, err = trace.NewWatch(ctx, r, set, req)
	return err
}
