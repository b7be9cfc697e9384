package ledger_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
	"bongsu/ledger/model"

	"go.uber.org/goleak"
)

// segmentFiles are the names of the segments' row files.
func segmentFiles(t testing.TB, dir string) (names []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "segment-*.rows"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		names = append(names, filepath.Base(name))
	}
	return names
}

// TestMergeInBackground follows a chain with the merging beside it, until the
// blocks lie in segments, and closes.
func TestMergeInBackground(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	opt := ledger.Small(0, 8)
	l := open(t, dir, opt)
	other := open(t, dir, ledger.Options{ReadOnly: true})
	defer other.Close()
	reports := make(chan error, 100)
	if err := l.MergeInBackground(ctx, func(err error) { reports <- err }); err != nil {
		t.Fatal(err)
	}
	if err := l.MergeInBackground(ctx, nil); errs.Is(err) != errs.Usage {
		t.Fatalf("called again: %v", err)
	}
	var m model.Model
	for number := uint64(500); number < 540; number++ {
		for _, s := range []step{applies(number, 0, 9), finalizes(number - 2)} {
			if err := s.do(l); err != nil {
				t.Fatal(err)
			}
			s.model(&m)
		}
	}
	select {
	case err := <-reports:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was merged")
	}
	if len(segmentFiles(t, dir)) == 0 {
		t.Fatal("merging left no segment")
	}
	sameAs(t, reader(t, l), &m)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	sameAs(t, reader(t, other), &m)
}

// TestMergeOnce sees each of the crash test's merges change the segments.
func TestMergeOnce(t *testing.T) {
	c := crashes{mergedScript, true}
	var opt ledger.Options
	ledger.WithoutSync(&opt)
	dir := t.TempDir()
	l, err := c.open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var changed []bool
	for _, s := range c.script {
		before := segmentFiles(t, dir)
		if err := s.do(l); err != nil {
			t.Fatal(err)
		}
		if len(s.name) > 5 && s.name[:5] == "merge" {
			changed = append(changed, !slices.Equal(before, segmentFiles(t, dir)))
		}
	}
	if !slices.Equal(changed, []bool{true, true, true}) {
		t.Fatalf("which merges changed the segments: %v", changed)
	}
	for n := 0; ; n++ {
		merged, err := ledger.Merge(ctx, l, nil)
		if err != nil || n == 3 {
			t.Fatalf("after %d rounds there is still something to do (%v)", n, err)
		}
		if !merged {
			break
		}
	}
}

// TestImportWaitsForMerge has a large import commit while a merge is under
// way: one process at a time writes segments.
func TestImportWaitsForMerge(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(10, 8)
	l := open(t, dir, opt)
	defer l.Close()
	ledger.HoldMerges(l)
	var m model.Model
	for _, s := range []step{applies(500, 0, 9), finalizes(500)} {
		if err := s.do(l); err != nil {
			t.Fatal(err)
		}
		s.model(&m)
	}
	large := imports("large import", facts(0, 40), false)
	large.model(&m)
	imported := make(chan error, 1)
	merged, err := ledger.Merge(ctx, l, func() {
		go func() { imported <- large.do(l) }()
	})
	if !merged || err != nil {
		t.Fatalf("merged %v, %v", merged, err)
	}
	if err := <-imported; err != nil {
		t.Fatal(err)
	}
	sameAs(t, reader(t, l), &m)
	if rep, err := ledger.Check(ctx, dir); err != nil || len(rep.Damages) > 0 {
		t.Fatalf("check: %v %+v", err, rep.Damages)
	}
}

// TestSmallImportLeavesLargeSegments imports few rows into the range of a large
// segment again and again: it is written again only when they have become many.
func TestSmallImportLeavesLargeSegments(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(100, 40)
	l := open(t, dir, opt)
	defer l.Close()
	big := facts(0, 1200)
	if err := try(l, big, false); err != nil {
		t.Fatal(err)
	}
	before := segmentFiles(t, dir)
	var m model.Model
	m.Add(big) //nolint:errcheck // its rows have places
	rewrites := 0
	for n := 0; n < 30; n++ {
		f := &ledger.Facts{}
		for k := range 3 {
			x := transferOf(n*39 + k*7)
			x.Kind = chain.KindInternal
			f.Transfers = append(f.Transfers, x)
		}
		if err := try(l, f, false); err != nil {
			t.Fatal(err)
		}
		m.Add(f) //nolint:errcheck // likewise
		if now := segmentFiles(t, dir); !slices.Equal(now, before) {
			rewrites, before = rewrites+1, now
		}
	}
	if rewrites == 0 || rewrites > 5 {
		t.Fatalf("90 rows in 30 imports wrote a segment of 1200 again %d times", rewrites)
	}
	sameAs(t, reader(t, l), &m)
}

// TestFewSegments follows a chain for long: their number stays logarithmic.
func TestFewSegments(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(0, 4)
	l := open(t, dir, opt)
	defer l.Close()
	for number := uint64(500); number < 628; number++ {
		for _, s := range []step{applies(number, 0, 4), finalizes(number)} {
			if err := s.do(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(segmentFiles(t, dir)); n < 1 || n > 8 {
		t.Fatalf("%d segments after 128 blocks that each settle", n)
	}
	if n, _ := filepath.Glob(filepath.Join(dir, "accounts-*.dict")); len(n) > 8 {
		t.Fatalf("%d dictionary files", len(n))
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 64 {
		t.Fatalf("%d files in the folder (%v)", len(entries), err)
	}
}

// TestImportsBesideFollower has several imports, each of its own Ledger as of a
// process, while another follows a chain and merges: nobody waits for an import
// that gathers, references stay, and all is there in the end.
func TestImportsBesideFollower(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	opt := ledger.Small(10, 40)
	l := open(t, dir, opt)
	defer l.Close()
	if err := l.MergeInBackground(ctx, nil); err != nil {
		t.Fatal(err)
	}
	before := importHalf(t, dir, opt, 0)
	var m model.Model
	done := make(chan error, 3)
	for n := range 3 {
		other := importHalf(t, dir, opt, n+1)
		go func() { done <- other.end() }()
		m.Add(other.all) //nolint:errcheck // its rows have places
	}
	refs := map[chain.Account]ledger.AccountRef{}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan struct{})
	w := open(t, dir, ledger.Options{ReadOnly: true})
	defer w.Close()
	go func() { // a process that reads
		defer close(watched)
		seen := map[chain.Account]ledger.AccountRef{}
		for watching.Err() == nil && !t.Failed() {
			r, err := w.Reader(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			sameRefs(t, r, seen)
		}
	}()
	for number := uint64(500); number < 560; number++ {
		for _, s := range []step{applies(number, 0, 9), finalizes(number - 2)} {
			if err := s.do(l); err != nil {
				t.Fatal(err)
			}
			s.model(&m)
		}
		sameRefs(t, reader(t, l), refs)
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if err := before.end(); err != nil {
		t.Fatal(err)
	}
	m.Add(before.all) //nolint:errcheck // likewise
	stop()
	<-watched
	r := reader(t, l)
	sameRefs(t, r, refs)
	sameAs(t, r, &m)
	if left, _ := filepath.Glob(filepath.Join(dir, "import-*")); len(left) > 0 {
		t.Fatalf("imports left %v", left)
	}
}

// pendingImport is one that has gathered half of its facts.
type pendingImport struct {
	l         *ledger.Ledger
	im        *ledger.Import
	all, rest *ledger.Facts
}

func importHalf(t *testing.T, dir string, opt ledger.Options, n int) *pendingImport {
	t.Helper()
	p := &pendingImport{l: open(t, dir, opt), all: facts(30*n, 30*n+60), rest: facts(30*n+30, 30*n+60)}
	var err error
	if p.im, err = p.l.Begin(ctx, fmt.Sprint("source ", n)); err == nil {
		err = p.im.Add(facts(30*n, 30*n+30))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pendingImport) end() error {
	defer p.l.Close()
	if err := p.im.Add(p.rest); err != nil {
		return err
	}
	_, err := p.im.Commit(ctx)
	return err
}

// sameRefs sees that accounts keep the references that they had before.
func sameRefs(t *testing.T, r ledger.Reader, refs map[chain.Account]ledger.AccountRef) {
	t.Helper()
	var names []chain.Account
	for n := range 60 {
		x := transferOf(n)
		names = append(names, x.From, x.To)
	}
	got, err := r.AccountRefs(ctx, names)
	if err != nil {
		t.Error(err)
		return
	}
	back, err := r.Accounts(ctx, got)
	if err != nil {
		t.Error(err)
		return
	}
	for i, a := range names {
		if was := refs[a]; was != 0 && was != got[i] {
			t.Errorf("the reference of %v was %d and is %d", a, was, got[i])
		}
		if refs[a] = got[i]; got[i] != 0 && back[i] != a {
			t.Errorf("reference %d of %v is that of %v", got[i], a, back[i])
		}
	}
}
