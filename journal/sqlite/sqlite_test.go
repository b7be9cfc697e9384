package sqlite_test

import (
	"context"
	"database/sql"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/journal"
	"bongsu/journal/journaltest"
	"bongsu/journal/sqlite"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		appendForever(dir)
	}
	// Each step of the random walk syncs files: fewer walks than rapid's
	// default keep the suite short. The command line overrides it.
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string) journal.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) { journaltest.Run(t, open) }

func TestFile(t *testing.T) {
	n := journaltest.NewNode(t, open, "Agency", journal.Options{})
	n.Add(t, n.Listing(t, 1, journaltest.T0))
	files, err := filepath.Glob(filepath.Join(n.Dir, "journal.db*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f, info.Mode(), err)
		}
	}
	n.Close()
	db := filepath.Join(n.Dir, "journal.db")
	if err := os.Chmod(db, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), db); errs.Is(err) != errs.Permission {
		t.Errorf("a readable journal: %v", err)
	}
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	for name, make := range map[string]func(path string) error{
		"another program's": func(path string) error { return script(path, "CREATE TABLE t (x)") },
		"a newer schema": func(path string) error {
			return script(path, "PRAGMA application_id=0x626f6e67; PRAGMA user_version=99")
		},
		"no database": func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600)
		},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".db")
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := sqlite.Open(t.Context(), path); errs.Is(err) != errs.Invalid && errs.Is(err) != errs.Corrupt || errs.Hint(err) == "" {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "none", "journal.db")); err == nil {
		t.Error("a folder that is not there")
	}
	// Characters that a file name may have and a URI must escape.
	odd := filepath.Join(dir, "o?d #%41 dir")
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), filepath.Join(odd, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Stat(filepath.Join(odd, "journal.db-wal")); err == nil {
		t.Error("the write-ahead log outlives the last close")
	}
	if info, err := os.Stat(filepath.Join(odd, "journal.db")); err != nil || info.Size() == 0 {
		t.Errorf("the tables went to another file: %v, %v", info, err)
	}
}

// script runs SQL on a file with a connection of its own.
func script(path, text string) error {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(text)
	return err
}

// What is erased is in no file any more, write-ahead log included.
func TestErasedBytes(t *testing.T) {
	n := journaltest.NewNode(t, open, "Agency", journal.Options{})
	secret := "d777.example"
	e := n.Add(t, n.Listing(t, 777, journaltest.T0))[0]
	if !filesHold(t, n.Dir, secret) {
		t.Fatal("the test does not see the payload in the files")
	}
	if _, err := n.Erase(t.Context(), e.Seq, "kim", "GDPR 17"); err != nil {
		t.Fatal(err)
	}
	if filesHold(t, n.Dir, secret) {
		t.Error("the erased payload is still in the files")
	}
}

func filesHold(t *testing.T, dir, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "journal.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), text) {
			return true
		}
	}
	return false
}

func BenchmarkAppend(b *testing.B) {
	n := journaltest.NewNode(b, open, "Agency", journal.Options{})
	var took []time.Duration
	i := 0
	for b.Loop() {
		b.StopTimer()
		o := n.Listing(b, i, journaltest.T0)
		i++
		b.StartTimer()
		start := time.Now()
		if _, err := n.Append(context.Background(), []journal.Draft{{Object: o}}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkAppendBatch(b *testing.B) {
	n := journaltest.NewNode(b, open, "Agency", journal.Options{})
	const size = 1000
	i := 0
	for b.Loop() {
		b.StopTimer()
		ds := make([]journal.Draft, size)
		for k := range ds {
			ds[k].Object = n.Listing(b, i, journaltest.T0)
			i++
		}
		b.StartTimer()
		if _, err := n.Append(context.Background(), ds); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(i), "µs/statement")
}
