package tables_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"bongsu/chain"
	"bongsu/data"
	"bongsu/ingest"
	"bongsu/ingest/tables"
	"bongsu/ledger"
)

// TestIntoLedger imports the Bybit files into a real ledger, in both orders and
// twice, and reads the same digest back each time.
func TestIntoLedger(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{}
	for _, name := range []string{"hop1.csv", "theft.csv"} {
		b, err := data.Files.ReadFile("bybit-2025/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = filepath.Join(dir, name)
		if err := os.WriteFile(files[name], b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var digests []string
	for i, order := range [][]string{{"hop1.csv", "theft.csv"}, {"theft.csv", "hop1.csv", "theft.csv"}} {
		l, err := ledger.Open(ctx, filepath.Join(dir, string(rune('a'+i))), ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var sources []ingest.Source
		for _, n := range order {
			sources = append(sources, ingest.Source{Name: files[n]})
		}
		rep, err := ingest.Run(ctx, ingest.Into(l), sources, ingest.Options{Formats: tables.Formats()})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Added != 50 || rep.Known != uint64(len(order)-2) {
			t.Errorf("added %d, known %d", rep.Added, rep.Known)
		}
		digests = append(digests, digestOf(t, l))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("two orders of import, two ledgers: %q", digests)
	}
}

func digestOf(t *testing.T, l *ledger.Ledger) string {
	t.Helper()
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d := ledger.NewDigest()
	ids, err := r.Chains(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		err := r.Scan(ctx, id, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
			list, err := ledger.Expand(ctx, r, rows)
			for i := range list {
				d.Add(&list[i], list[i].Time != chain.Time(0))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return d.Sum()
}

// TestShorterWay: a large import of token transfers, which takes the ledger's
// shorter way, gives what small ones of the same rows give.
func TestShorterWay(t *testing.T) {
	const n = 140_000
	all := tokenRows(n)
	head := bytes.IndexByte(all, '\n') + 1
	cut := bytes.LastIndexByte(all[:len(all)/2], '\n') + 1
	dir := t.TempDir()
	digests := map[string]string{}
	for name, parts := range map[string][][]byte{"whole": {all}, "halves": {append(bytes.Clone(all[:head]), all[cut:]...), all[:cut]}} {
		l, err := ledger.Open(ctx, filepath.Join(dir, name), ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		rows, added := int64(0), uint64(0)
		for _, p := range parts {
			rep, err := ingest.Run(ctx, ingest.Into(l), []ingest.Source{{Name: "part", From: bytes.NewReader(p)}}, ingest.Options{Formats: tables.Formats()})
			if err != nil {
				t.Fatal(err)
			}
			rows, added = rows+rep.Rows, added+rep.Added
		}
		if rows != n || added != n {
			t.Fatalf("%s: %d rows, %d added", name, rows, added)
		}
		digests[name] = digestOf(t, l)
		rep, err := ingest.Run(ctx, ingest.Into(l), []ingest.Source{{Name: "again", From: bytes.NewReader(all)}}, ingest.Options{Formats: tables.Formats()})
		if err != nil || rep.Added != 0 || rep.Known != n {
			t.Fatalf("again: %+v, %v", rep, err)
		}
	}
	if digests["whole"] != digests["halves"] {
		t.Errorf("two ways, two ledgers: %q", digests)
	}
}

// TestInterrupted: an import into a real ledger that is interrupted goes on
// where it stopped, and ends with what an undisturbed one has.
func TestInterrupted(t *testing.T) {
	const n = 100_000
	dir := t.TempDir()
	file := filepath.Join(dir, "token_transfers.csv")
	if err := os.WriteFile(file, tokenRows(n), 0o644); err != nil {
		t.Fatal(err)
	}
	digests := map[bool]string{}
	for _, disturbed := range []bool{false, true} {
		l, err := ledger.Open(ctx, filepath.Join(dir, fmt.Sprint(disturbed)), ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o := ingest.Options{Formats: tables.Formats(), CheckpointRows: 16384}
		source := []ingest.Source{{Name: file}}
		if disturbed {
			stopped, stop := context.WithCancel(ctx)
			_, err := ingest.Run(stopped, interrupting{ingest.Into(l), stop}, source, o)
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		rep, err := ingest.Run(ctx, ingest.Into(l), source, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := rep.Sources[0].Resumed; (got > 0) != disturbed || rep.Added != n {
			t.Errorf("disturbed %v: %d rows from before, %d added", disturbed, got, rep.Added)
		}
		digests[disturbed] = digestOf(t, l)
	}
	if digests[false] != digests[true] {
		t.Errorf("two ledgers: %v", digests)
	}
}

// interrupting is a store that cancels the import at its second checkpoint.
type interrupting struct {
	ingest.Store
	stop func()
}

func (s interrupting) Begin(ctx context.Context, source string) (ingest.Import, error) {
	im, err := s.Store.Begin(ctx, source)
	if err != nil {
		return nil, err
	}
	return &interruptedImport{im.(*ledger.Import), 2, s.stop}, nil
}

type interruptedImport struct {
	*ledger.Import
	left int
	stop func()
}

func (im *interruptedImport) Checkpoint(cursor []byte) error {
	err := im.Import.Checkpoint(cursor)
	if im.left--; im.left == 0 {
		im.stop()
	}
	return err
}
