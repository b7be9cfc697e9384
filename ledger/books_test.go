package ledger_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// TestBigBooks asks a ledger of some segments about accounts with thousands of
// rows, and compares with lists made from a scan.
func TestBigBooks(t *testing.T) {
	var opt ledger.Options
	ledger.WithoutSync(&opt)
	l := open(t, t.TempDir(), opt)
	defer l.Close()
	g := generate.New(generate.Options{Seed: 5, Rows: 30_000, PerAccount: 300, RandomShare: generate.Mixed})
	batch := make([]ledger.EVMTransfer, 10_000)
	for range 3 { // three imports of ranges that meet: three segments or fewer
		n := g.Next(batch)
		im, err := l.Begin(ctx, "books")
		if err != nil {
			t.Fatal(err)
		}
		if err := im.AddEVM(chain.Ethereum, batch[:n]); err != nil {
			t.Fatal(err)
		}
		if stats, err := im.Commit(ctx); err != nil || stats.Added != uint64(n) {
			t.Fatalf("%d rows: %+v %v", n, stats, err)
		}
	}
	r := reader(t, l)
	byAccount := map[ledger.AccountRef][]ledger.Row{}
	total := 0
	err := r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		for _, w := range rows {
			byAccount[w.From] = append(byAccount[w.From], w)
			if w.To != w.From {
				byAccount[w.To] = append(byAccount[w.To], w)
			}
		}
		total += len(rows)
		return nil
	})
	if err != nil || total != 30_000 {
		t.Fatalf("scan: %d rows, %v", total, err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	n := 0
	for a, rows := range byAccount {
		if len(rows) < 300 && n > 200 {
			continue
		}
		n++
		bookOf(t, r, a, rows, rng)
	}
}

func bookOf(t *testing.T, r ledger.Reader, a ledger.AccountRef, rows []ledger.Row, rng *rand.Rand) {
	t.Helper()
	i, j := rng.IntN(len(rows)), rng.IntN(len(rows))
	i, j = min(i, j), max(i, j)
	asset := rows[rng.IntN(len(rows))].Asset
	of := slices.DeleteFunc(slices.Clone(rows), func(w ledger.Row) bool { return w.Asset != asset })
	back := slices.Clone(rows)
	slices.Reverse(back)
	in := slices.DeleteFunc(slices.Clone(rows), func(w ledger.Row) bool { return w.To != a })
	for name, c := range map[string]struct {
		q    ledger.Query
		want []ledger.Row
	}{
		"all":     {ledger.Query{}, rows},
		"asset":   {ledger.Query{Asset: asset}, of},
		"reverse": {ledger.Query{Reverse: true}, back},
		"in":      {ledger.Query{Direction: ledger.In}, in},
		"between": {ledger.Query{After: rows[i].Key, Until: rows[j].Key}, rows[min(i+1, j):j]},
	} {
		c.q.Account, c.q.Limit = a, ledger.MaxLimit
		var p ledger.Pages
		if err := r.Activity(ctx, []ledger.Query{c.q}, &p); err != nil {
			t.Fatal(err)
		}
		if got, more := p.Page(0); !slices.Equal(got, c.want) || more {
			t.Fatalf("%s: %d rows, want %d", name, len(got), len(c.want))
		}
		c.q.Limit = 7
		if err := r.Activity(ctx, []ledger.Query{c.q}, &p); err != nil {
			t.Fatal(err)
		}
		if got, more := p.Page(0); !slices.Equal(got, c.want[:min(7, len(c.want))]) || more != (len(c.want) > 7) {
			t.Fatalf("%s, seven rows: got %d, more %v, of %d", name, len(got), more, len(c.want))
		}
	}
	balanceOf(t, r, a, asset, of, rng)
	openingOf(t, r, a, of, rng)
}

// openingOf opens a book at any of its rows, for a small page and for all.
func openingOf(t *testing.T, r ledger.Reader, a ledger.AccountRef, rows []ledger.Row, rng *rand.Rand) {
	t.Helper()
	at := rng.IntN(len(rows))
	had, err := r.Balances(ctx, []ledger.BalanceQuery{{Account: a, Asset: rows[at].Asset, Before: rows[at].Key}})
	if err != nil {
		t.Fatal(err)
	}
	var pages ledger.Pages
	held := make([]ledger.Held, 2)
	o := ledger.Opening{Account: a, Asset: rows[at].Asset, At: &rows[at], Limit: 7}
	all := o
	all.Limit = ledger.MaxLimit
	if err := ledger.OpenBooks(ctx, r, []ledger.Opening{o, all}, held, &pages); err != nil {
		t.Fatal(err)
	}
	for i, limit := range []int{7, len(rows)} {
		want := rows[at+1:]
		if got, more := pages.Page(i); held[i].Amount != had[0].Amount || more != (len(want) > limit) || !slices.Equal(got, want[:min(limit, len(want))]) {
			t.Fatalf("opened at row %d of %d: balance %s, want %s; %d rows, more %v", at, len(rows), held[i].Amount.Base(), had[0].Amount.Base(), len(got), more)
		}
	}
}

func balanceOf(t *testing.T, r ledger.Reader, a ledger.AccountRef, asset ledger.AssetRef, rows []ledger.Row, rng *rand.Rand) {
	t.Helper()
	at := rng.IntN(len(rows))
	got, err := r.Balances(ctx, []ledger.BalanceQuery{{Account: a, Asset: asset}, {Account: a, Asset: asset, Before: rows[at].Key}})
	if err != nil {
		t.Fatal(err)
	}
	for i, list := range [][]ledger.Row{rows, rows[:at]} {
		held, below := chain.Amount{}, chain.Amount{}
		for _, w := range list {
			ok := true
			switch {
			case w.From == w.To:
			case w.To == a:
				held = held.MustAdd(w.Amount)
			default:
				had := held
				if held, ok = had.Sub(w.Amount); !ok {
					held, below = chain.Amount{}, below.MustAdd(w.Amount.MustSub(had))
				}
			}
		}
		if got[i].Amount != held || got[i].Below != below || got[i].Short == below.IsZero() {
			t.Fatalf("balance after %d rows: %s below %s, want %s below %s", len(list), got[i].Amount.Base(), got[i].Below.Base(), held.Base(), below.Base())
		}
	}
}

// TestSmallBooks opens books of some of the many tokens of one account at each of
// its rows, which follow one another: so that each run of the account's list
// begins and ends where some book is opened.
func TestSmallBooks(t *testing.T) {
	l := open(t, t.TempDir(), ledger.Small(100, 100))
	defer l.Close()
	rng := rand.New(rand.NewPCG(5, 6))
	hub := generate.Address(0, false)
	for part := range uint64(2) { // two segments
		batch := make([]ledger.EVMTransfer, 1000)
		for i := range batch {
			x := &batch[i]
			*x = ledger.EVMTransfer{
				Block: 18_000_000 + 1000*part + uint64(i/7), Index: chain.NoIndex, Ordinal: uint32(i % 7), Kind: chain.KindToken,
				Contract: generate.Address(rng.Uint64N(40), true), From: generate.Address(1+rng.Uint64N(9), false), To: hub, Amount: chain.Units(1 + rng.Uint64N(1e6)),
			}
			if rng.IntN(3) == 0 {
				x.From, x.To = x.To, x.From
			}
			x.Tx = [32]byte{byte(part), byte(i >> 8), byte(i), 1}
		}
		im, err := l.Begin(ctx, "books")
		if err != nil {
			t.Fatal(err)
		}
		if err := im.AddEVM(chain.Ethereum, batch); err != nil {
			t.Fatal(err)
		}
		if _, err := im.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	r := reader(t, l)
	refs, err := r.AccountRefs(ctx, []chain.Account{chain.EVM(chain.Ethereum, hub)})
	if err != nil {
		t.Fatal(err)
	}
	var rows []ledger.Row
	if err := r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(batch []ledger.Row) error {
		rows = append(rows, batch...)
		return nil
	}); err != nil || len(rows) != 2000 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, token := range []ledger.AssetRef{rows[3].Asset, rows[500].Asset, rows[1200].Asset} {
		of := slices.DeleteFunc(slices.Clone(rows), func(w ledger.Row) bool { return w.Asset != token })
		openings := make([]ledger.Opening, len(rows))
		for i := range openings {
			openings[i] = ledger.Opening{Account: refs[0], Asset: token, At: &rows[i], Limit: 5}
			if rng.IntN(2) == 0 {
				openings[i].Until = rows[i+rng.IntN(len(rows)-i)].Key
			}
		}
		var pages ledger.Pages
		held := make([]ledger.Held, len(openings))
		if err := ledger.OpenBooks(ctx, r, openings, held, &pages); err != nil {
			t.Fatal(err)
		}
		var had chain.Amount
		at := 0 // of of: the first that is not before the row
		for i := range openings {
			for ; at < len(of) && of[at].Key.Compare(rows[i].Key) < 0; at++ {
				switch w := &of[at]; {
				case w.To == refs[0]:
					had = had.MustAdd(w.Amount)
				case had.Less(w.Amount):
					had = chain.Amount{}
				default:
					had = had.MustSub(w.Amount)
				}
			}
			var want []ledger.Row
			for _, w := range of[at:] {
				if w.Key != rows[i].Key && (openings[i].Until.IsZero() || w.Key.Compare(openings[i].Until) < 0) {
					want = append(want, w)
				}
			}
			if got, more := pages.Page(i); held[i].Amount != had || more != (len(want) > 5) || !slices.Equal(got, want[:min(5, len(want))]) {
				t.Fatalf("opened at row %d: balance %s, want %s; %d rows, more %v, of %d", i, held[i].Amount.Base(), had.Base(), len(got), more, len(want))
			}
		}
	}
}
