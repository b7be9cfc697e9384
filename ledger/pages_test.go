package ledger_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// TestPagesOfBooks asks for pages of books with every kind of bound, and
// compares with lists made from a scan: accounts of few rows, of many, and of
// thousands, in batches and alone; and once more from a ledger that is taken
// for larger than memory.
func TestPagesOfBooks(t *testing.T) {
	opt := ledger.Small(10, 1000)
	dir := t.TempDir()
	l := open(t, dir, opt)
	defer l.Close()
	im, err := l.Begin(ctx, "pages")
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
	r := reader(t, l)
	byAccount := map[ledger.AccountRef][]ledger.Row{}
	var accounts []ledger.AccountRef
	err = r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		for _, w := range rows {
			for i, a := range []ledger.AccountRef{w.From, w.To} {
				if i == 1 && w.From == w.To {
					continue
				}
				if byAccount[a] == nil {
					accounts = append(accounts, a)
				}
				byAccount[a] = append(byAccount[a], w)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(accounts)
	rng := rand.New(rand.NewPCG(5, 6))
	var queries []ledger.Query
	for _, a := range accounts {
		rows := byAccount[a]
		at := func() ledger.Key { return rows[rng.IntN(len(rows))].Key }
		for range 6 {
			q := ledger.Query{Account: a, Direction: ledger.Direction(rng.IntN(3)), Reverse: rng.IntN(2) == 0, Limit: 1 + rng.IntN(40)}
			if rng.IntN(2) == 0 {
				q.Asset = rows[rng.IntN(len(rows))].Asset
			}
			if rng.IntN(3) == 0 {
				w := &rows[rng.IntN(len(rows))]
				if q.With = w.From; w.From == a {
					q.With = w.To
				}
			}
			if rng.IntN(2) == 0 {
				q.After = at()
			}
			if rng.IntN(2) == 0 {
				q.Until = at()
			}
			queries = append(queries, q)
		}
	}
	for rest := queries; len(rest) > 0; {
		some := rest[:min(len(rest), 1+rng.IntN(200))]
		checkPages(t, r, some, byAccount)
		rest = rest[len(some):]
	}
	again := open(t, dir, opt) // nothing is verified yet
	defer again.Close()
	ledger.LargerThanMemory(again)
	checkPages(t, reader(t, again), queries, byAccount)
}

func checkPages(t *testing.T, r ledger.Reader, queries []ledger.Query, byAccount map[ledger.AccountRef][]ledger.Row) {
	t.Helper()
	var p ledger.Pages
	if err := r.Activity(ctx, queries, &p); err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		want := asked(byAccount[q.Account], &q)
		got, more := p.Page(i)
		if more != (len(want) > q.Limit) || !slices.Equal(got, want[:min(q.Limit, len(want))]) {
			t.Fatalf("%+v: %d rows, more %v; want %d of %d", q, len(got), more, min(q.Limit, len(want)), len(want))
		}
	}
}

// asked are the rows that a query asks for.
func asked(rows []ledger.Row, q *ledger.Query) (out []ledger.Row) {
	for _, w := range rows {
		switch {
		case q.Asset != 0 && w.Asset != q.Asset,
			q.With != 0 && w.From != q.With && w.To != q.With,
			q.Direction == ledger.In && w.To != q.Account,
			q.Direction == ledger.Out && w.From != q.Account,
			!q.After.IsZero() && w.Key.Compare(q.After) <= 0,
			!q.Until.IsZero() && w.Key.Compare(q.Until) >= 0:
			continue
		}
		out = append(out, w)
	}
	if q.Reverse {
		slices.Reverse(out)
	}
	return out
}
