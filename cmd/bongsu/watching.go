package main

import (
	"context"
	"errors"
	"time"

	"bongsu/api"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"

	"golang.org/x/sync/errgroup"
)

// watcher continues the traces of this organisation's thefts with each change
// of the ledger, and states what that changes: what moved, what reached a
// service, what a reorganisation took back. A theft is watched from its first
// trace on, by the request of its latest run. One goroutine owns it.
type watcher struct {
	*server
	watched map[string]*watched    // by incident id
	stated  map[string]stix.Object // newest own findings, by id
	pending map[string]stix.Run    // runs that a command stated and that are not watched yet
	news    chan news
}

// news is what the journal brought: own findings and runs, in order. Level says
// that there was no more at the time: a run is acted on only then, because its
// findings stand behind it.
type news struct {
	list  []journal.Statement
	level bool
}

const (
	typeIndicator = "indicator"
	newsBatch     = 1000
)

type watched struct {
	w       *trace.Watch
	digest  string
	marking stix.TLP
}

// watchThefts runs until ctx ends. A theft that cannot be watched is said in
// the log and left; the others go on.
func (s *server) watchThefts(ctx context.Context) error {
	w := &watcher{
		server: s, watched: map[string]*watched{}, stated: map[string]stix.Object{},
		pending: map[string]stix.Run{}, news: make(chan news),
	}
	g, ctx := errgroup.WithContext(ctx)
	changed := make(chan struct{}, 1)
	g.Go(func() error { return w.readJournal(ctx) })
	g.Go(func() error { return w.awaitLedger(ctx, changed) })
	g.Go(func() error {
		for {
			var err error
			select {
			case <-ctx.Done():
				return ctx.Err()
			case n := <-w.news:
				err = w.take(ctx, n)
			case <-changed:
				err = w.advance(ctx)
			}
			if err != nil && ctx.Err() == nil {
				s.log.Warn("watching thefts is disturbed", "err", err)
			}
		}
	})
	return g.Wait()
}

// readJournal hands over what the journal holds, past and live.
func (w *watcher) readJournal(ctx context.Context) error {
	for list, err := range w.journal.Follow(ctx, journal.LogJournal, 0, newsBatch) {
		if err != nil {
			return err
		}
		select {
		case w.news <- news{list, len(list) < newsBatch}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// awaitLedger tells of commits; several at once are told once.
func (w *watcher) awaitLedger(ctx context.Context, changed chan<- struct{}) error {
	var version uint64
	for {
		if err := w.ledger.Wait(ctx, version); err != nil {
			return err
		}
		r, err := w.ledger.Reader(ctx)
		if err != nil {
			return err
		}
		version = r.Version()
		if err := r.Close(); err != nil {
			return err
		}
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}

// take notes findings, and begins to watch by runs that a command made.
func (w *watcher) take(ctx context.Context, n news) error {
	for _, st := range n.list {
		if st.Author != w.keys.ID() || st.Erased || (st.Type != stix.TypeRun && st.Type != typeIndicator) {
			continue
		}
		o, err := st.Object()
		if err != nil {
			return err
		}
		if st.Type == stix.TypeRun {
			run, err := stix.ReadRun(o)
			if err != nil {
				return err
			}
			run.Common.Marking = st.Marking
			w.pending[run.Theft] = run
		} else if old, ok := w.stated[o.ID]; !ok || old.Version() < o.Version() {
			w.stated[o.ID] = o
		}
	}
	if !n.level {
		return nil
	}
	var all error
	for theft, told := range w.pending {
		delete(w.pending, theft)
		all = errors.Join(all, errs.Wrap("watch", theft, w.begin(ctx, told)))
	}
	return all
}

// begin watches a theft by the request of its latest run, where that request
// has no end and the run was made on this machine.
func (w *watcher) begin(ctx context.Context, told stix.Run) error {
	if at := w.watched[told.Theft]; at != nil && at.digest == told.Digest {
		return nil // stated by this watcher
	}
	run, err := w.traces.Load(told.Digest)
	if errs.Is(err) == errs.NotExist {
		return nil
	}
	if err != nil {
		return err
	}
	req := run.Request
	if req.Backward || req.Bounds.Until != 0 || len(req.Thefts) != 1 {
		return nil
	}
	req.Heads = nil
	set, err := w.labels.Load()
	if err != nil {
		return err
	}
	r, err := w.ledger.Reader(ctx)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	tw, err := trace.NewWatch(ctx, r, set, req)
	if err != nil {
		return err
	}
	at := &watched{w: tw, digest: told.Digest, marking: told.Marking}
	w.watched[told.Theft] = at
	if tw.Run().Result.Digest != told.Digest { // the ledger or the labels went on since
		return w.tell(ctx, told.Theft, at, trace.Change{Run: tw.Run()})
	}
	return nil
}

// advance goes on with every watched theft.
func (w *watcher) advance(ctx context.Context) error {
	if len(w.watched) == 0 {
		return nil
	}
	r, err := w.ledger.Reader(ctx)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	var all error
	for theft, at := range w.watched {
		change, err := at.w.Advance(ctx, r)
		if err == nil {
			err = w.tell(ctx, theft, at, change)
		}
		all = errors.Join(all, errs.Wrap("watch", theft, err))
	}
	return all
}

// tell states what a change brought. Nothing new, nothing stated.
func (w *watcher) tell(ctx context.Context, theft string, at *watched, c trace.Change) error {
	previous := make([]stix.Object, 0, len(w.stated))
	for _, o := range w.stated {
		previous = append(previous, o)
	}
	now := w.a.now()
	drafts, err := findings.Drafts(stix.Common{Author: w.keys.ID(), Created: now, Modified: now, Marking: at.marking}, c.Run, previous)
	if err != nil {
		return err
	}
	fresh := false
	for _, d := range drafts {
		fresh = fresh || d.Object.Type != stix.TypeRun
	}
	if !fresh {
		return nil
	}
	if _, err := w.traces.Save(c.Run); err != nil {
		return err
	}
	at.digest = c.Run.Result.Digest
	if _, err := w.journal.Append(ctx, drafts); err != nil {
		return err
	}
	for _, d := range drafts {
		if d.Object.Type == typeIndicator {
			w.stated[d.Object.ID] = d.Object
		}
	}
	w.api.Publish(api.Event{Kind: "finding", Data: map[string]any{
		"theft": theft, "digest": at.digest, "events": nonNil(c.Events), "undone": nonNil(c.Undone), "at": now.UTC().Format(time.RFC3339Nano),
	}})
	return nil
}
