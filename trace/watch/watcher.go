package watch

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"bongsu/errs"
	"bongsu/journal"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/stix"
	"bongsu/trace"

	"golang.org/x/sync/errgroup"
)

// Ledger is what a Watcher reads; *ledger.Ledger is one and says what each
// method promises.
type Ledger interface {
	Reader(ctx context.Context) (ledger.Reader, error)
	Wait(ctx context.Context, after uint64) error
}

// Config is what a Watcher is made of. Journal, View, Ledger, Labels and Traces
// are needed.
type Config struct {
	Journal *journal.Journal // opened with View among its views
	View    *View
	Ledger  Ledger
	Labels  func() (*labels.Set, error) // the present lists of labels
	Traces  trace.Store
	Clock   func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: slog.Default
	// OnChange, when given, is told of what was just stated. It must not block.
	OnChange func(Change)
	// Settle is how long a commit of the journal is left alone before it is
	// looked at for new runs; 0: DefaultSettle.
	Settle time.Duration
}

// Change is what the last look at one theft said.
type Change struct {
	Theft  string
	Digest string // of the run
	Said   []stix.Object
	At     time.Time
}

const (
	// DefaultSettle is Config.Settle: a burst of appends costs one look.
	DefaultSettle = 20 * time.Millisecond

	firstAgain = time.Second // before a theft that failed is tried again
	lastAgain  = time.Minute // the longest such wait
)

// Watcher watches every theft that has a run in the journal. Its maps are
// owned by the goroutine of Run.
type Watcher struct {
	cfg    Config
	thefts map[string]*theft // by incident id
	labels uint64            // the newest list of labels that the sets in use have
}

// New makes a Watcher; nothing runs before Run.
func New(cfg Config) *Watcher {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Settle <= 0 {
		cfg.Settle = DefaultSettle
	}
	return &Watcher{cfg: cfg, thefts: map[string]*theft{}}
}

// Run watches until ctx ends and returns nil then, or until ledger or journal
// cannot be read any more.
func (w *Watcher) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	moved := make(chan struct{}, 1)
	g.Go(func() error { return w.awaitLedger(gctx, moved) })
	g.Go(func() error { return w.loop(gctx, moved) })
	if err := g.Wait(); ctx.Err() == nil {
		return errs.Wrap("watch", "", err)
	}
	return nil
}

// awaitLedger tells of commits; several at once are told once.
func (w *Watcher) awaitLedger(ctx context.Context, moved chan<- struct{}) error {
	for version := uint64(0); ; {
		if err := w.cfg.Ledger.Wait(ctx, version); err != nil {
			return err
		}
		r, err := w.cfg.Ledger.Reader(ctx)
		if err != nil {
			return err
		}
		version = max(version+1, r.Version()) // a version that was told is never waited for again
		if err := r.Close(); err != nil {
			return err
		}
		select {
		case moved <- struct{}{}:
		default:
		}
	}
}

// loop looks when the ledger or the journal changed, or when a theft that
// failed is due.
func (w *Watcher) loop(ctx context.Context, moved <-chan struct{}) error {
	defer w.cfg.Journal.Watch()()
	for {
		stated := w.cfg.Journal.Changed()
		if err := w.look(ctx); err != nil {
			return err
		}
		due, stop := w.due()
		select {
		case <-ctx.Done():
		case <-moved:
		case <-due:
		case <-stated:
			settled := time.NewTimer(w.cfg.Settle)
			select {
			case <-ctx.Done():
			case <-moved: // money is more urgent than other statements
			case <-settled.C:
			}
			settled.Stop()
		}
		stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// due is when the first of the thefts that failed is tried again.
func (w *Watcher) due() (<-chan time.Time, func()) {
	var first time.Time
	for _, t := range w.thefts {
		if !t.again.IsZero() && (first.IsZero() || t.again.Before(first)) {
			first = t.again
		}
	}
	if first.IsZero() {
		return nil, func() {}
	}
	timer := time.NewTimer(max(time.Until(first), time.Millisecond))
	return timer.C, func() { timer.Stop() }
}

// look brings every watched theft level with the ledger as it is now.
func (w *Watcher) look(ctx context.Context) error {
	if err := w.sync(ctx); err != nil {
		return err
	}
	if len(w.thefts) == 0 {
		return nil
	}
	r, err := w.cfg.Ledger.Reader(ctx)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	for _, id := range slices.Sorted(maps.Keys(w.thefts)) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.thefts[id].level(ctx, w, r)
	}
	return nil
}

// sync takes over from the journal which thefts are watched, and by which run.
func (w *Watcher) sync(ctx context.Context) error {
	var runs []Run
	var labelled uint64
	err := w.cfg.Journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) (err error) {
		if runs, err = w.cfg.View.Runs(ctx, tx); err != nil {
			return err
		}
		labelled, err = w.cfg.View.labelsAt(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	stands := map[string]bool{}
	for _, r := range runs {
		stands[r.Theft] = true
		t := w.thefts[r.Theft]
		if t == nil {
			t = &theft{id: r.Theft}
			w.thefts[r.Theft] = t
		}
		t.told(r)
	}
	maps.DeleteFunc(w.thefts, func(id string, _ *theft) bool { return !stands[id] })
	if labelled != w.labels {
		w.labels = labelled
		for _, t := range w.thefts {
			t.restart()
		}
	}
	return nil
}
