package ledger

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
)

// TestManifestGone: without its manifest a ledger is damaged. It was taken for a
// new one, and the next rewrite removed its segments.
func TestManifestGone(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	im, err := l.Begin(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	var id [32]byte
	id[0] = 1
	f := Facts{Transfers: []chain.Transfer{{
		Chain: chain.Ethereum, Time: 1740148187000, Block: 7, Index: chain.NoIndex, Tx: chain.Hash32(id), Kind: chain.KindNative,
		Ordinal: chain.NoOrdinal, From: chain.EVM(chain.Ethereum, [20]byte{1}), To: chain.EVM(chain.Ethereum, [20]byte{2}),
		Asset: chain.Ethereum.Native(), Amount: chain.Units(5),
	}}}
	if err := im.Add(&f); err != nil {
		t.Fatal(err)
	}
	if _, err := im.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, manifestName)
	kept, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	for _, opt := range []Options{{}, {ReadOnly: true}} {
		if _, err := Open(t.Context(), dir, opt); errs.Is(err) != errs.Corrupt || !strings.Contains(err.Error(), "MANIFEST is gone") {
			t.Fatalf("opened: %v", err)
		}
	}
	rep, err := Check(context.Background(), dir)
	if err != nil || len(rep.Damages) != 1 || rep.Damages[0].File != manifestName {
		t.Fatalf("%+v, %v", rep, err)
	}
	if err := os.WriteFile(manifest, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(t.Context(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was written
	r, err := l.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // nothing was written
	if cov, err := r.Coverage(t.Context(), chain.Ethereum); err != nil || cov.Rows != 1 {
		t.Fatalf("%+v, %v", cov, err)
	}
	if _, err := Check(t.Context(), t.TempDir()); errs.Is(err) != errs.NotExist {
		t.Fatalf("an empty folder: %v", err)
	}
}
