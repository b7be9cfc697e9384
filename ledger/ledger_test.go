package ledger_test

import (
	"context"
	"flag"
	"os"
	"testing"

	"bongsu/ledger"
	"bongsu/ledger/ledgertest"
	"bongsu/ledger/model"

	"pgregory.net/rapid"
)

// TestMain draws fewer cases than rapid would by itself: each one writes a
// ledger. Give -rapid.checks for more.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		f.Value.Set("30") //nolint:errcheck // a number
	}
	os.Exit(m.Run())
}

func open(t ledgertest.TB, dir string, opt ledger.Options) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), dir, opt)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return l
}

func reader(t ledgertest.TB, l *ledger.Ledger) ledger.Reader {
	t.Helper()
	r, err := l.Reader(context.Background())
	if err != nil {
		t.Fatalf("reader: %v", err)
	}
	return r
}

// sameAs holds a Reader to what the model has.
func sameAs(t ledgertest.TB, r ledger.Reader, m *model.Model) {
	t.Helper()
	want, err := m.Reader()
	if err != nil {
		t.Fatalf("model: %v", err)
	}
	ledgertest.Compare(t, r, want)
}

// put imports what sources state, all in one import.
func put(t ledgertest.TB, l *ledger.Ledger, sources ...*ledger.Facts) ledger.Stats {
	t.Helper()
	im, err := l.Begin(context.Background(), "test")
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	for _, f := range sources {
		if err := im.Add(f); err != nil {
			t.Fatalf("add: %v", err)
		}
	}
	stats, err := im.Commit(context.Background())
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return stats
}

// TestAgainstModel imports what several sources know, in any order, some of
// it twice, and compares every answer with the model's, before and after the
// ledger was opened again.
func TestAgainstModel(t *testing.T) {
	for _, c := range []struct {
		name         string
		bulk, settle int
		beside       bool
	}{
		{"head", 0, 0, false},
		{"segments", 1, 0, false},
		{"mixed", 6, 12, false},
		{"settled", 0, 1, false},
		{"beside", 6, 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { againstModel(t, ledgertest.Draw(t), c.bulk, c.settle, c.beside) })
		})
		t.Run("outputs/"+c.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { againstModel(t, ledgertest.DrawCoins(t), c.bulk, c.settle, c.beside) })
		})
	}
}

func againstModel(t *rapid.T, w ledgertest.World, bulk, settle int, beside bool) {
	order := rapid.Permutation(w.Facts).Draw(t, "order")
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	opt := ledger.Small(bulk, settle)
	l := open(t, dir, opt)
	if beside {
		ledger.HoldMerges(l)
	}
	var m model.Model
	for i := range w.Facts {
		if err := m.Add(&w.Facts[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(order); i++ {
		if i+1 < len(order) && rapid.IntRange(0, 2).Draw(t, "two in one import") == 0 {
			put(t, l, &order[i], &order[i+1])
			i++
		} else {
			put(t, l, &order[i])
		}
		if beside && rapid.Bool().Draw(t, "merge") {
			if _, err := ledger.Merge(context.Background(), l, nil); err != nil {
				t.Fatal(err)
			}
		}
		reader(t, l).Close()
	}
	if again := put(t, l, &order[0]); again.Added != 0 {
		t.Fatalf("imported again, %d rows were added", again.Added)
	}
	sameAs(t, reader(t, l), &m)
	l.Close()
	l = open(t, dir, opt)
	sameAs(t, reader(t, l), &m)
	l.Close()
	rep, err := ledger.Check(context.Background(), dir)
	if err != nil || len(rep.Damages) > 0 {
		t.Fatalf("check: %v %+v", err, rep)
	}
}
