package tables_test

import (
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
