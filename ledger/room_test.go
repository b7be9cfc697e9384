package ledger_test

import (
	"os"
	"path/filepath"
	"testing"

	"bongsu/ledger"
	"bongsu/ledger/model"
)

// TestRoomForCommits has two processes commit in turn: a commit does not make
// the head log longer when its process has done so before.
func TestRoomForCommits(t *testing.T) {
	dir := t.TempDir()
	one, two := open(t, dir, ledger.Options{}), open(t, dir, ledger.Options{})
	defer one.Close()
	defer two.Close()
	var m model.Model
	number := uint64(500)
	commit := func(l *ledger.Ledger) (size int64) {
		s := applies(number, 0, 5)
		if err := s.do(l); err != nil {
			t.Fatal(err)
		}
		s.model(&m)
		number++
		return theLog(t, dir).Size()
	}
	for _, l := range []*ledger.Ledger{one, two, one} {
		if first, second := commit(l), commit(l); first != second {
			t.Fatalf("the log grew from %d to %d bytes", first, second)
		}
	}
	for _, l := range []*ledger.Ledger{one, two, open(t, dir, ledger.Options{})} {
		sameAs(t, reader(t, l), &m)
	}
	if rep, err := ledger.Check(ctx, dir); err != nil || len(rep.Damages) > 0 {
		t.Fatalf("check: %v %+v", err, rep.Damages)
	}
}

// theLog is the head log as it is.
func theLog(t *testing.T, dir string) os.FileInfo {
	names, _ := filepath.Glob(filepath.Join(dir, "head-*.log"))
	if len(names) != 1 {
		t.Fatalf("head logs: %v", names)
	}
	info, err := os.Stat(names[0])
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestRoomInNewLog moves what is final into segments: the log that follows is
// as long as the one before was, so that commits need not make it longer.
func TestRoomInNewLog(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, ledger.Small(1000, 2000))
	defer l.Close()
	var sizes []int64
	for number := uint64(500); len(sizes) < 4; number++ {
		head := theLog(t, dir)
		for _, s := range []step{applies(number, 0, 200), finalizes(number - 1)} {
			if err := s.do(l); err != nil {
				t.Fatal(err)
			}
		}
		if next := theLog(t, dir); next.Name() != head.Name() {
			sizes = append(sizes, head.Size(), next.Size())
		}
	}
	if before, after := sizes[2], sizes[3]; after < before-before/8 {
		t.Errorf("a log of %d bytes was followed by one of %d", before, after)
	}
}
