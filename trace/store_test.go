package trace_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger/model"
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

// What is written can be read back: a run too large for that is refused at
// once, not when it is asked for again.
func TestRunTooLargeIsNotWritten(t *testing.T) {
	theft := bybit(t, "theft.csv")
	run := follow(t, reader(t, theft), trace.Request{Thefts: []trace.Theft{{ID: "bybit", Transfers: theft}}})
	raw, err := run.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := trace.EncodeUpTo(run, int64(len(raw))); err != nil || !bytes.Equal(again, raw) {
		t.Fatalf("a run as large as it may be: %v", err)
	}
	if _, err := trace.EncodeUpTo(run, int64(len(raw))-1); errs.Is(err) != errs.Limit {
		t.Fatalf("a run larger than it may be: %v", err)
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

// A replay tells of finality as it was, and of a ledger that is not the same.
func TestReplayLater(t *testing.T) {
	var n node
	theft := []chain.Transfer{{Chain: chain.Ethereum, Kind: chain.KindNative, From: person(40), To: person(0), Asset: chain.Ethereum.Native(), Amount: chain.Units(30)}}
	n.add(everyone())
	n.add(theft)
	n.m.Finalize(chain.Ethereum, n.block)
	n.add([]chain.Transfer{{Chain: chain.Ethereum, Kind: chain.KindNative, From: person(0), To: person(1), Asset: chain.Ethereum.Native(), Amount: chain.Units(20)}})
	run := follow(t, n.reader(t), trace.Request{Thefts: []trace.Theft{{ID: "x", Transfers: theft}}})
	if !run.Result.Holdings[1].Provisional {
		t.Fatalf("%+v", run.Result.Holdings)
	}
	raw, err := run.Encode()
	if err != nil {
		t.Fatal(err)
	}
	last := n.block
	n.add(nil)
	n.m.Finalize(chain.Ethereum, n.block)
	if _, err := trace.Replay(context.Background(), n.reader(t), nil, raw); err != nil {
		t.Errorf("after the blocks became final: %v", err)
	}
	n.m = model.Model{}
	n.block = 0
	n.add(everyone())
	n.add(theft)
	n.add([]chain.Transfer{{Chain: chain.Ethereum, Kind: chain.KindNative, From: person(0), To: person(1), Asset: chain.Ethereum.Native(), Amount: chain.Units(21)}})
	if n.block != last {
		t.Fatal("not the same blocks")
	}
	if _, err := trace.Replay(context.Background(), n.reader(t), nil, raw); errs.Is(err) != errs.Conflict {
		t.Errorf("another ledger: %v", err)
	}
}
