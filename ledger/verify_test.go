package ledger_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bongsu/errs"
	"bongsu/ledger"
	"bongsu/ledger/ledgertest"
)

// quiet collects what Dump says instead of failing.
type quiet struct{ said string }

func (*quiet) Helper() {}

func (q *quiet) Fatalf(format string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok && errs.Is(err) == errs.Corrupt {
			q.said = err.Error()
			panic(q)
		}
	}
	q.said = fmt.Sprintf(format, args...)
	panic(q)
}

// answersOf is every answer of the ledger in dir, or the error that came first.
func answersOf(dir string) (answers, failure string, err error) {
	l, err := ledger.Open(ctx, dir, ledger.Options{ReadOnly: true})
	if err != nil {
		return "", "", err
	}
	defer l.Close()
	r, err := l.Reader(ctx)
	if err != nil {
		return "", "", err
	}
	q := &quiet{}
	defer func() {
		if p := recover(); p == any(q) {
			failure = q.said
		} else if p != nil {
			panic(p)
		}
	}()
	return ledgertest.Dump(q, r), "", nil
}

// TestAFlippedByteIsNeverRead flips bytes of every segment and dictionary: then
// opening fails, or a question does, and says which file is hurt; or all
// answers are right, because what was flipped is not read for them.
func TestAFlippedByteIsNeverRead(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(10, 1000)
	l := open(t, dir, opt)
	if err := try(l, facts(0, 90), false); err != nil {
		t.Fatal(err)
	}
	put(t, l, &ledger.Facts{UTXOs: payments()})
	l.Close()
	want, failure, err := answersOf(dir)
	if err != nil || failure != "" {
		t.Fatal(err, failure)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*-*"))
	for _, name := range files {
		base := filepath.Base(name)
		if !strings.HasPrefix(base, "segment-") && !strings.HasPrefix(base, "accounts-") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(data); i += 1 + len(data)/60 {
			flipped := append([]byte(nil), data...)
			flipped[i] ^= 0x10
			replaceFile(t, name, flipped)
			got, failure, err := answersOf(dir)
			switch {
			case err != nil:
				if errs.Is(err) != errs.Corrupt || !strings.Contains(err.Error(), base) {
					t.Fatalf("byte %d of %s: %v", i, base, err)
				}
			case failure != "":
				if !strings.Contains(failure, base) {
					t.Fatalf("byte %d of %s: %s", i, base, failure)
				}
				if strings.HasPrefix(base, "segment-") && !strings.Contains(failure, "blocks ") {
					t.Fatalf("byte %d of %s: no range of blocks in %s", i, base, failure)
				}
			case got != want:
				t.Fatalf("byte %d of %s was flipped, and the ledger answers otherwise without an error", i, base)
			}
		}
		replaceFile(t, name, data)
	}
}

// replaceFile puts data under name in a file of its own, because the old one
// may still be mapped.
func replaceFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}
