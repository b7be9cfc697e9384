package trace_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"bongsu/errs"
	"bongsu/trace"
)

func TestReplayGivesTheSameBytes(t *testing.T) {
	theft, hop := bybit(t, "theft.csv"), bybit(t, "hop1.csv")
	r := reader(t, append(theft, hop...))
	run := follow(t, r, trace.Request{Thefts: []trace.Theft{{ID: "bybit", Title: "Bybit", Transfers: theft}}})
	st := trace.Store{Dir: t.TempDir()}
	at, err := st.Save(run)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := st.Bytes(at)
	if err != nil {
		t.Fatal(err)
	}
	again, err := trace.Replay(context.Background(), r, nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, again) {
		t.Fatal("a replayed run differs")
	}
	if _, err := st.Load(at); err != nil {
		t.Fatal(err)
	}
}

func TestStoredRunIsChecked(t *testing.T) {
	theft := bybit(t, "theft.csv")
	run := follow(t, reader(t, theft), trace.Request{Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}})
	st := trace.Store{Dir: t.TempDir()}
	at, err := st.Save(run)
	if err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(st.Dir, "*.json"))
	path := found[0]
	raw, _ := os.ReadFile(path)
	bad := bytes.Replace(raw, []byte(`"conserved":true`), []byte(`"conserved":false`), 1)
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Load(at); errs.Is(err) != errs.Corrupt {
		t.Fatalf("changed file: %v", err)
	}
	if _, err := trace.Decode(bad); errs.Is(err) != errs.Corrupt {
		t.Fatalf("changed result: %v", err)
	}
	if _, err := st.Load("sha256:../../etc"); errs.Is(err) != errs.Invalid {
		t.Fatalf("bad address: %v", err)
	}
}
