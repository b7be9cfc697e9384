package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"bongsu/errs"
)

// begin starts the ledger's import of a source and the goroutine that feeds it.
func (r *run) begin(ctx context.Context, key, name, format string, resume bool) (*sourceRun, error) {
	into, err := r.store.Begin(ctx, key)
	if err == nil && !resume && into.Cursor() != nil { // of another source, or of this one before it changed
		if err = into.Abort(); err == nil {
			into, err = r.store.Begin(ctx, key)
		}
	}
	if err != nil {
		return nil, err
	}
	s := &sourceRun{
		report:  &SourceReport{Name: name, Format: format},
		rejects: &rejects{path: r.opts.Rejects},
		full:    make(chan *batch, batchesInFlight),
		empty:   make(chan *batch, batchesInFlight+1),
		failed:  make(chan struct{}),
		done:    make(chan struct{}),
		into:    into,
		equals:  newEquals(rand.Uint64()), //nolint:gosec // against accidental patterns; see equals
		every:   r.opts.CheckpointRows,
	}
	if resume {
		s.resume = readCursor(into.Cursor())
	}
	for range batchesInFlight + 1 {
		s.empty <- &batch{} // grows as it is filled; most files are small
	}
	return s, nil
}

// feed runs what reads a source beside what hands it to the ledger, and waits
// for both.
func (r *run) feed(ctx context.Context, s *sourceRun, read func(*Output) error) error {
	go s.take()
	out := &Output{ctx: ctx, run: r, source: s, facts: <-s.empty}
	err := read(out)
	out.tellRows()
	if err == nil || kept(err) {
		err = errors.Join(err, out.flush())
	}
	close(s.full)
	<-s.done
	if s.err != nil {
		err = s.err
	}
	return err
}

// refusal is an error for which nothing of a source is imported: the ledger takes
// it not, or it may be other data than was written.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

func (s *sourceRun) refused(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{errs.Wrap("import", s.report.Name, err)}
}

// kept says whether rows before an error are imported: what is wrong lies in
// the source, and is not that the ledger refuses it.
func kept(err error) bool {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return false
	}
	switch errs.Is(err) {
	case errs.Invalid, errs.Limit:
		return true
	}
	return false
}

// end commits a source, or leaves its checkpoint for the next run.
func (r *run) end(ctx context.Context, s *sourceRun, err error) error {
	if err != nil && !kept(err) {
		s.discard()
		return errors.Join(err, s.leave(ctx))
	}
	stats, cerr := s.into.Commit(ctx)
	if cerr != nil {
		s.discard()
		return errors.Join(err, s.refused(cerr), s.into.Abort())
	}
	s.report.Rows, s.report.Rejects = s.rows.Load(), s.rejects.n.Load()
	s.report.Added, s.report.Known, s.report.NewTxs = stats.Added, stats.AlreadyThere, stats.Txs
	if err != nil {
		s.report.Error = err.Error()
	}
	r.done = append(r.done, s)
	return err
}

// untouched reports the sources that nothing came in of: those that failed, and
// those that were not read because of them.
func (r *run) untouched(sources []Source, failed map[string]error) {
	there := map[string]bool{}
	for _, s := range r.report.Sources {
		there[s.Name] = true
	}
	for _, src := range sources {
		s := SourceReport{Name: src.Name, State: Untouched, Notes: []string{"was not read, because another file failed"}}
		if err := failed[src.Name]; err != nil {
			s.State, s.Error, s.Notes = Failed, err.Error(), nil
		}
		if !there[src.Name] {
			r.report.Sources = append(r.report.Sources, s)
		}
	}
}

// leave ends an import that cannot go on. An interrupted one keeps its
// checkpoint, so that the same command goes on where it stopped.
func (s *sourceRun) leave(ctx context.Context) error {
	if keep, ok := s.into.(interface{ Suspend() error }); ok && ctx.Err() != nil {
		return keep.Suspend()
	}
	return s.into.Abort()
}

func (s *sourceRun) discard() { s.rejects.done(false) } //nolint:errcheck // an unfinished temporary file

// joinedName stands in a report for what several sources together said.
const joinedName = "(together)"

// joined states what only several sources together say.
func (r *run) joined(ctx context.Context) error {
	for _, key := range r.order {
		s, err := r.begin(ctx, "join:"+key, joinedName, key, false)
		if err != nil {
			return err
		}
		err = r.feed(ctx, s, func(out *Output) error { return r.joins[key].Finish(ctx, out) })
		if err := r.end(ctx, s, err); err != nil {
			return err
		}
	}
	return nil
}

// settle closes the rejects files and adds the report up.
func (r *run) settle() error {
	var all error
	for _, s := range r.done {
		name, err := s.rejects.done(true)
		all = errors.Join(all, err)
		s.report.RejectsFile, s.report.Rejects, s.report.FirstReject = name, s.rejects.n.Load(), s.rejects.first
		s.report.Mendable = name != "" && s.rejects.mendable()
		if n := s.rejects.unsaid; n > 0 {
			s.report.Notes = append(s.report.Notes, fmt.Sprintf("%d of the rejected rows do not stand in that file: it would have grown beyond a gigabyte", n))
		}
		switch {
		case s.report.Error != "":
			s.report.State = Failed
		case name != "":
			s.report.State = InPart
		default:
			s.report.State = Done
		}
		if s.report.Name == joinedName && s.report.Transfers+s.report.UTXOs == 0 && len(s.report.Notes) == 0 {
			continue // nothing was left to join
		}
		r.report.Sources = append(r.report.Sources, *s.report)
		r.report.Rows += s.report.Rows
		r.report.Rejects += s.report.Rejects
		r.report.Added += s.report.Added
		r.report.Known += s.report.Known
		r.report.NewTxs += s.report.NewTxs
	}
	return all
}

// watch reports progress until the returned function is called.
func (r *run) watch(s *sourceRun, st *stream) (stop func()) {
	if r.opts.Progress == nil {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	start := r.opts.Now()
	report := func() {
		p := Progress{Source: s.report.Name, Format: s.report.Format, Rows: s.rows.Load(), Rejects: s.rejects.n.Load(), Left: -1}
		spent := r.opts.Now().Sub(start)
		if spent > 0 {
			p.Rate = float64(p.Rows) / spent.Seconds()
		}
		if left := st.left(); left >= 0 && left < 1 {
			p.Left = time.Duration(float64(spent) * left / (1 - left))
		}
		r.opts.Progress(p)
	}
	go func() {
		defer close(done)
		tick := time.NewTicker(r.opts.Every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				report()
			case <-quit:
				report()
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}
