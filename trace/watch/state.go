package watch

import (
	"context"
	"slices"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/ledger"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"
)

// Saying is what State needs beside the run.
type Saying struct {
	Journal *journal.Journal // opened with View among its views
	View    *View
	Traces  trace.Store // where runs are kept
	Known   *trace.Run  // spares reading the run stated before, when it is that one; may be nil
	Now     time.Time
	Actor   string   // who inside the organisation traced; "" for the node itself
	Marking stix.TLP // of what is said: that of the theft
	// Even states the run where it changes nothing else: somebody asked for it.
	Even bool
}

// stateAtOnce is how many statements one transaction appends: half of what the
// journal takes, because the feeds they go on count too.
const stateAtOnce = journal.MaxBatch / 2

// maxRetold bounds how often State starts over because another run was stated
// meanwhile.
const maxRetold = 8

// State states what a run changes: findings and movements that are new, changed
// or no longer there, and last the run itself, which it keeps first. r is the
// state of the ledger that the run was made on. Up to stateAtOnce statements are
// one transaction; after a crash between two, or between keeping the run and
// stating it, the next State says what is missing. It returns what was said, in
// order, the run last; nothing, and nothing is kept, when nothing changed and
// s.Even is false.
func State(ctx context.Context, s Saying, r ledger.Reader, run *trace.Run) ([]stix.Object, error) {
	thefts := theftsOf(run)
	if len(thefts) == 0 {
		return nil, nil
	}
	final, err := finality(ctx, r, run)
	if err != nil {
		return nil, err
	}
	t := telling{Saying: s, run: run, thefts: thefts, final: final}
	for idle := 0; idle < maxRetold; idle++ {
		n := len(t.out)
		done, err := t.once(ctx)
		if err != nil || done {
			return t.out, err
		}
		if len(t.out) > n {
			idle = 0
		}
	}
	return t.out, errs.New("watch", errs.Conflict, thefts[0], "others keep stating runs of this theft", "let one process trace it at a time")
}

func theftsOf(run *trace.Run) []string {
	var out []string
	for _, t := range run.Request.Thefts {
		if t.ID != "" {
			out = append(out, t.ID)
		}
	}
	return out
}

// telling is one State under way.
type telling struct {
	Saying
	run    *trace.Run
	thefts []string
	final  findings.Final
	tells  *findings.Telling // what the run says, compared with before
	since  string            // digest of the run before
	kept   bool              // the run's file is written
	out    []stix.Object
}

// once compares the run with the journal and appends a transaction's worth of
// what differs. done is false when there is more, or when the run before
// changed since it was loaded.
func (t *telling) once(ctx context.Context) (done bool, err error) {
	var digest string
	err = t.Journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		r, _, err := t.View.RunOf(ctx, tx, t.thefts[0])
		digest = r.Digest
		return err
	})
	if err != nil {
		return false, err
	}
	if t.tells == nil || t.since != digest {
		before, err := t.load(digest)
		if err != nil {
			return false, err
		}
		t.tells, t.since = findings.Tell(t.run, before, t.View.self, t.final), digest
	}
	if !t.kept { // most blocks change nothing, and then nothing is written
		nothing := false
		err = t.Journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
			drafts, err := t.drafts(ctx, tx)
			nothing = len(drafts) == 0
			return err
		})
		if err != nil || nothing {
			return true, err
		}
		if _, err := t.Traces.Save(t.run); err != nil {
			return false, err
		}
		t.kept = true
	}
	var drafts []journal.Draft
	err = t.Journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		drafts, done = nil, false
		now, _, err := t.View.RunOf(ctx, tx, t.thefts[0])
		if err != nil || now.Digest != digest {
			return err
		}
		if drafts, err = t.drafts(ctx, tx); err != nil {
			return err
		}
		if done = len(drafts) <= stateAtOnce; !done {
			drafts = drafts[:stateAtOnce]
		}
		_, err = tx.Append(ctx, drafts...)
		return err
	})
	if err != nil {
		return false, err
	}
	for _, d := range drafts {
		t.out = append(t.out, d.Object)
	}
	return done, nil
}

// load reads the run that was stated before; nil when there is none, or when
// its file is not on this machine.
func (t *telling) load(digest string) (*trace.Run, error) {
	switch digest {
	case "":
		return nil, nil
	case t.run.Result.Digest:
		return t.run, nil
	}
	if t.Known != nil && t.Known.Result.Digest == digest {
		return t.Known, nil
	}
	run, err := t.Traces.Load(digest)
	if errs.Is(err) == errs.NotExist {
		return nil, nil
	}
	return run, err
}

func (t *telling) drafts(ctx context.Context, tx *journal.Tx) ([]journal.Draft, error) {
	said, err := t.View.said(ctx, tx, t.thefts)
	if err != nil {
		return nil, err
	}
	c := stix.Common{Author: t.View.self, Created: t.Now, Modified: t.Now, Marking: t.Marking}
	drafts, err := t.tells.Drafts(c, said)
	if err != nil {
		return nil, err
	}
	if !t.Even && !slices.ContainsFunc(drafts, func(d journal.Draft) bool { return d.Object.Type != stix.TypeRun }) {
		return nil, nil
	}
	for i := range drafts {
		drafts[i].Actor = t.Actor
	}
	return drafts, nil
}

// finality looks up which of the blocks that a run names are final.
func finality(ctx context.Context, r ledger.Reader, run *trace.Run) (findings.Final, error) {
	asked := map[chain.ID]map[uint64]bool{}
	for i := range run.Flows {
		f := &run.Flows[i]
		if f.To.IsZero() || f.Block == 0 {
			continue
		}
		id := f.To.Chain()
		if asked[id] == nil {
			asked[id] = map[uint64]bool{}
		}
		asked[id][f.Block] = false
	}
	for id, blocks := range asked {
		numbers := make([]uint64, 0, len(blocks))
		for n := range blocks {
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		found, err := r.Blocks(ctx, id, numbers)
		if err != nil {
			return nil, err
		}
		for i, b := range found {
			blocks[numbers[i]] = b.Final || !b.Known // a block that only rows name was imported
		}
	}
	return func(id chain.ID, block uint64) bool { return asked[id][block] }, nil
}
