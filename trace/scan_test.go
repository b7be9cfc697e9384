package trace_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/ledger/generate"
	"bongsu/ledger/model"
	"bongsu/trace"

	"pgregory.net/rapid"
)

// Whether each book is read by itself or the ledger is read on, the run is the
// same to the last byte.
func TestReadingsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		if len(h.thefts) == 0 {
			return
		}
		h.set = labels.NewSet([]labels.Label{{Account: person(0), Label: "E", Category: "exchange", Source: "s", Score: 50}})
		q := trace.Request{
			Method: rapid.SampledFrom(trace.Methods()).Draw(t, "method"), Thefts: h.thefts, ObservedOnly: rapid.Bool().Draw(t, "observed"),
			Bounds: trace.Bounds{
				MaxDegree: rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "degree"), MaxHops: rapid.SampledFrom([]int{0, 2}).Draw(t, "hops"),
				Until: chain.Time(rapid.SampledFrom([]int{0, 0, 20}).Draw(t, "until")) * 12_000,
			},
		}
		if rapid.Bool().Draw(t, "source") {
			q.Sources = []trace.Source{{Account: person(1)}}
			if rapid.Bool().Draw(t, "one asset") {
				q.Sources[0].Asset = chain.Ethereum.Native()
			}
		}
		if head := rapid.IntRange(0, 60).Draw(t, "head"); head > 9 {
			q.Heads = map[chain.ID]uint64{chain.Ethereum: uint64(head)}
		}
		var m model.Model
		if err := m.Add(facts(h.transfers)); err != nil {
			t.Fatal(err)
		}
		r, err := m.Reader()
		if err != nil {
			t.Fatal(err)
		}
		a, aerr := encoded(r, h.set, q.ByBooks())
		b, berr := encoded(r, h.set, q.ByLedger())
		if (aerr == nil) != (berr == nil) {
			t.Fatalf("by books: %v; by the ledger: %v", aerr, berr)
		}
		if !bytes.Equal(a, b) {
			t.Fatalf("by books:\n%s\nby the ledger:\n%s", a, b)
		}
	})
}

func encoded(r ledger.Reader, set *labels.Set, q trace.Request) ([]byte, error) {
	run, err := trace.Follow(context.Background(), r, set, q)
	if err != nil {
		return nil, err
	}
	return run.Encode()
}

// The same over segments, where pages end and hubs have long books: a theft of
// the busiest token, which the tracer itself chooses how to read.
func TestReadingsAgreeOnALedger(t *testing.T) {
	ctx := context.Background()
	l, err := ledger.Open(ctx, t.TempDir(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	im, err := l.Begin(ctx, "generated")
	if err != nil {
		t.Fatal(err)
	}
	batch := make([]ledger.EVMTransfer, 30_000)
	n := generate.New(generate.Options{Seed: 5, Rows: uint64(len(batch)), PerAccount: 100, RandomShare: generate.Mixed}).Next(batch)
	if err := im.AddEVM(chain.Ethereum, batch[:n]); err != nil {
		t.Fatal(err)
	}
	if _, err := im.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stolen := busiest(t, r, 150)
	for _, m := range trace.Methods() {
		q := trace.Request{Method: m, Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}
		if m == trace.Poison || m == trace.Haircut {
			q.Bounds.MaxHops = 4
		}
		a, err := encoded(r, nil, q.ByBooks())
		if err != nil {
			t.Fatal(err)
		}
		for name, q := range map[string]trace.Request{"by the ledger": q.ByLedger(), "by cost": q} {
			b, err := encoded(r, nil, q)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s: %s differs from by books", m, name)
			}
		}
	}
}

// busiest lists the first transfers of the token with the most.
func busiest(t *testing.T, r ledger.Reader, n int) []chain.Transfer {
	t.Helper()
	ctx := context.Background()
	by := map[ledger.AssetRef][]ledger.Row{}
	err := r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		for i := range rows {
			if w := &rows[i]; w.From != w.To && !w.Amount.IsZero() {
				by[w.Asset] = append(by[w.Asset], *w)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var most []ledger.Row
	for _, rows := range by {
		if len(rows) > len(most) {
			most = rows
		}
	}
	if len(most) < n {
		t.Fatalf("the busiest token has %d transfers", len(most))
	}
	out, err := ledger.Expand(ctx, r, slices.Clone(most[:n]))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
