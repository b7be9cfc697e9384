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
		names, _ := filepath.Glob(filepath.Join(dir, "head-*.log"))
		info, err := os.Stat(names[0])
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
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
