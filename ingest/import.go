package ingest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"bongsu/chain"
	"bongsu/errs"
)

// Run imports the sources into the store, one after the other, each in one
// ledger import: all of a source becomes visible at once, or none of it.
//
// The report says of every source how far it came, also when an error ends the
// run. A source that cannot be opened, or is in no known format, ends it before
// any other is read. An
// error of kind errs.Partial says that all is done but rejects were written.
// Other kinds: errs.Usage (an unknown format, no sources), errs.NotExist,
// errs.Invalid (a source in no known format, damaged compression),
// errs.Limit.
func Run(ctx context.Context, store Store, sources []Source, opts Options) (Report, error) {
	start := time.Now()
	r, err := newRun(ctx, store, &opts)
	if err != nil {
		return Report{}, err
	}
	defer r.close()
	err = r.all(ctx, sources)
	r.report.Seconds = time.Since(start).Seconds()
	if err == nil && r.report.Rejects > 0 {
		err = r.partial()
	}
	return r.report, err
}

// run is one call of Run. It belongs to the calling goroutine.
type run struct {
	store    Store
	opts     *Options
	registry *chain.Registry
	report   Report
	joins    map[string]Join
	order    []string     // the joins' keys, as they came up
	done     []*sourceRun // committed
}

// sourceRun is one source of a run. full, empty, failed and done tie the
// goroutine that reads to the one that hands batches to the ledger. That one
// owns into, equals, mark, lastTx, rank, batches and pending, and err
// until failed or done is closed.
type sourceRun struct {
	report  *SourceReport
	rejects *rejects
	rows    atomic.Int64 // also read for progress

	full, empty chan *batch
	failed      chan struct{}
	done        chan struct{}
	err         error

	into    Import
	equals  *equals
	mark    mark
	lastTx  chain.TxID
	rank    uint32
	batches int64
	resume  cursor
	pending int
	every   int
}

// A Join gathers rows of several sources that only together say what moved.
type Join interface {
	// Finish states the joined rows; it is called once all sources are read.
	Finish(ctx context.Context, out *Output) error
	// Close gives temporary files back.
	Close() error
}

var errChanged = errors.New("the source changed since its interrupted import")

func newRun(ctx context.Context, store Store, opts *Options) (*run, error) {
	if len(opts.Formats) == 0 {
		return nil, errs.New("import", errs.Internal, "", "no formats were given", "")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Every <= 0 {
		opts.Every = 500 * time.Millisecond
	}
	if opts.Rejects == "" {
		opts.Rejects = "stdin.rejects.csv"
	}
	if opts.CheckpointRows <= 0 {
		opts.CheckpointRows = checkpointRows
	}
	opts.Limits = opts.Limits.withDefaults()
	held, err := store.Reader(ctx)
	if err != nil {
		return nil, err
	}
	reg := chain.NewRegistry()
	for _, info := range held.Registry().All() {
		err = errors.Join(err, reg.Add(info))
	}
	if err = errors.Join(err, held.Close()); err != nil {
		return nil, err
	}
	return &run{store: store, opts: opts, registry: reg, joins: map[string]Join{}}, nil
}

func (r *run) close() {
	for _, j := range r.joins {
		j.Close() //nolint:errcheck // temporary files, unlinked already
	}
}

func (r *run) partial() error {
	var files []string
	hint := "read the reasons there, mend the rows and import that file"
	for _, s := range r.report.Sources {
		if s.RejectsFile != "" {
			files = append(files, s.RejectsFile)
			if !s.Mendable {
				hint = "read the reasons there, and import what they ask for"
			}
		}
	}
	return errs.New("import", errs.Partial, strings.Join(files, ", "),
		fmt.Sprintf("%d of %d rows were rejected", r.report.Rejects, r.report.Rows), hint)
}

// opened is a source whose format is known.
type opened struct {
	src    Source
	format *Format
	key    string
	rank   int     // of its format
	stream *stream // kept open when it cannot be opened again
}

func (r *run) all(ctx context.Context, sources []Source) error {
	if len(sources) == 0 {
		return errs.New("import", errs.Usage, "", "no file was named", "name one or more files, or - for standard input")
	}
	var list []opened
	unread := map[string]error{}
	defer func() {
		for _, o := range list {
			if o.stream != nil {
				o.stream.close()
			}
		}
	}()
	var first error // of a source that could not be read to its end; the others go on
	for _, src := range sources {
		o, err := r.recognise(src, len(sources) > 1)
		switch empty := errors.Is(err, errEmpty); {
		case empty && len(sources) > 1:
			r.empty(src.Name)
		case err != nil:
			unread[src.Name], first = err, cmp.Or(first, err)
		default:
			list = append(list, o)
		}
	}
	if first != nil {
		r.untouched(sources, unread)
		return first
	}
	slices.SortStableFunc(list, func(a, b opened) int { return a.rank - b.rank })
	for _, o := range list {
		err := r.one(ctx, o)
		if err != nil && !kept(err) {
			err = errors.Join(err, r.settle())
			unread[o.src.Name] = err
			r.untouched(sources, unread)
			return err
		}
		if err != nil && first == nil {
			first = err
		}
	}
	err := r.joined(ctx)
	if serr := r.settle(); err == nil {
		err = serr
	}
	if first != nil {
		return first
	}
	return err
}

// key names the ledger import of a source, so that a run after a kill finds the
// checkpoint of the same file, and of no other.
func (r *run) key(o opened, head []byte, size int64) string {
	if o.stream != nil {
		return "stream" // cannot be read again from its beginning, so it never resumes
	}
	h := sha256.New()
	name := o.src.Name
	if abs, err := filepath.Abs(name); err == nil {
		name = abs
	}
	fmt.Fprintf(h, "%s\n%s\n%s\n%d\n", o.format.Name, r.opts.Chain, name, size)
	h.Write(head)
	return fmt.Sprintf("file:%x", h.Sum(nil)[:16])
}

// one imports one source.
func (r *run) one(ctx context.Context, o opened) error {
	err := r.attempt(ctx, o, o.stream == nil)
	if errors.Is(err, errChanged) {
		err = r.attempt(ctx, o, false)
	}
	return err
}

func (r *run) attempt(ctx context.Context, o opened, resume bool) error {
	st := o.stream
	if st == nil {
		var err error
		if st, err = open(o.src, r.opts); err != nil {
			return err
		}
		defer st.close()
	}
	s, err := r.begin(ctx, o.key, o.src.Name, o.format.Name, resume)
	if err != nil {
		return err
	}
	if o.stream == nil {
		s.rejects.path = o.src.Name + ".rejects.csv"
	}
	in := &Input{Reader: st.body, Name: o.src.Name, Chain: r.opts.Chain, Limits: r.opts.Limits}
	if o.format.Whole {
		if in.file, err = st.spool(r.opts.TempDir); err != nil {
			return errors.Join(err, s.into.Abort())
		}
	}
	stop := r.watch(s, st)
	err = r.feed(ctx, s, func(out *Output) error { return o.format.Read(ctx, in, out) })
	stop()
	return r.end(ctx, s, err)
}
