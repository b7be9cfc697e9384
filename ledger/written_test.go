package ledger_test

import (
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// TestWritten counts the rows that an import writes into segments: its own, and
// those of a neighbour that is not much larger.
func TestWritten(t *testing.T) {
	l := open(t, t.TempDir(), ledger.Small(100, 100))
	defer l.Close()
	g := generate.New(generate.Options{Seed: 5, Rows: 7000, RandomShare: generate.Mixed})
	batch := make([]ledger.EVMTransfer, 6000)
	for _, step := range []struct{ rows, written uint64 }{{500, 500}, {500, 1000}, {6000, 7000}} {
		im, err := l.Begin(ctx, "rows")
		if err != nil {
			t.Fatal(err)
		}
		if err := im.AddEVM(chain.Ethereum, batch[:g.Next(batch[:step.rows])]); err != nil {
			t.Fatal(err)
		}
		stats, err := im.Commit(ctx)
		if err != nil || stats.Added != step.rows || stats.Written != step.written {
			t.Fatalf("%d rows: %+v, want %d written; %v", step.rows, stats, step.written, err)
		}
	}
}
