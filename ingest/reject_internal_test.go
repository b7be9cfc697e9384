package ingest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bongsu/errs"
)

// TestManyRounded: rows of rounded amounts never end an import; what the rejects
// file has no room for is counted.
func TestManyRounded(t *testing.T) {
	r := rejects{path: filepath.Join(t.TempDir(), "r.csv"), header: "value", limit: 1000}
	for range 100 {
		if err := r.add(Place{Line: 2, Column: "value"}, []byte("1e18"), &errs.Error{Kind: errs.Invalid, Err: ErrRounded}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.add(Place{Line: 2}, make([]byte, 500), errors.New("something else")); errs.Is(err) != errs.Limit {
		t.Errorf("a full file takes another row: %v", err)
	}
	if _, err := r.done(true); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(r.path)
	if err != nil || info.Size() > 1100 {
		t.Errorf("%v, %v", info, err)
	}
	if r.n.Load() != 101 || r.faults != 1 || r.unsaid < 80 || r.unsaid >= 100 {
		t.Errorf("%d rejected, %d faults, %d not written", r.n.Load(), r.faults, r.unsaid)
	}
}

// TestReasonInOneLine: what a row holds can neither break a message into lines nor
// move a terminal's cursor.
func TestReasonInOneLine(t *testing.T) {
	r := rejects{path: filepath.Join(t.TempDir(), "r.csv"), header: "value"}
	if err := r.add(Place{Line: 2, Column: "value"}, []byte("1"), errs.New("", errs.Invalid, "5\n6\x1b[2J\u202e\xff", "not a number", "mend it")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.done(true); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(r.path)
	const reason = "5\ufffd6\ufffd[2J\ufffd\ufffd: not a number; mend it"
	if want := "line,column,reason,value\n2,value," + reason + ",1\n"; err != nil || string(b) != want || r.first != "line 2, value: "+reason {
		t.Errorf("%q, %q", b, r.first)
	}
}
