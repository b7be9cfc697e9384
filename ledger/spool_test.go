package ledger

import (
	"testing"

	"bongsu/chain"
)

// TestResumeUnknownRuns leaves runs that another version wrote: they are read
// otherwise, so the import starts over.
func TestResumeUnknownRuns(t *testing.T) {
	l, err := Open(t.Context(), t.TempDir(), Options{bulkAt: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, other := range []bool{false, true} {
		im, err := l.Begin(t.Context(), "source")
		if err != nil {
			t.Fatal(err)
		}
		tx := chain.Hash32([32]byte{1})
		if err := im.Add(&Facts{Txs: []TxFact{{Chain: chain.Ethereum, Tx: tx, Block: 1}, {Chain: chain.Ethereum, Tx: tx, Block: 1}}}); err != nil {
			t.Fatal(err)
		}
		if err := im.Checkpoint([]byte("here")); err != nil {
			t.Fatal(err)
		}
		if other {
			if err := im.log.append((&record{kind: recordCursor, facts: &Facts{}, runs: []byte(`[{"name": "x", "assets": []}]`), cursor: []byte("there")}).encode()); err != nil {
				t.Fatal(err)
			}
		}
		if err := im.Suspend(); err != nil {
			t.Fatal(err)
		}
		if im, err = l.Begin(t.Context(), "source"); err != nil {
			t.Fatal(err)
		}
		if got := string(im.Cursor()); got == "here" == other || other && got != "" {
			t.Errorf("with runs of another version %v: resumed at %q", other, got)
		}
		if err := im.Abort(); err != nil {
			t.Fatal(err)
		}
	}
}
