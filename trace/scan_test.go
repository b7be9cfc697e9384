package trace_test

import (
	"bytes"
	"context"
	"maps"
	"math/big"
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
	batch := make([]ledger.EVMTransfer, 12_000)
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

// A hub whose book is longer than a page, with amounts on both sides of 64 and
// 128 bits: FIFO by two readings, and by whole numbers without a limit.
func TestHubOfLargeAmounts(t *testing.T) {
	const rows = 1500
	var all []chain.Transfer
	for i := range rows {
		amount, _ := chain.Units(uint64(i%7+1)).MulDiv(power(40+(i*37)%110), chain.Units(1))
		tx, _ := chain.NewTxID(append(make([]byte, 30), byte(i>>8), byte(i)))
		tr := chain.Transfer{
			Chain: chain.Ethereum, Block: uint64(10 + i/4), Index: uint32(i % 4), Time: chain.Time(i/4) * 12_000, Tx: tx,
			Kind: chain.KindNative, Ordinal: chain.NoOrdinal, From: person(1 + i%20), To: person(0), Asset: chain.Ethereum.Native(), Amount: amount,
		}
		if i%3 == 2 {
			tr.From, tr.To = tr.To, tr.From
		}
		all = append(all, tr)
	}
	stolen := []chain.Transfer{all[0], all[3], all[6], all[600], all[1203]}
	r, err := model.Of(all...)
	if err != nil {
		t.Fatal(err)
	}
	q := trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}
	a, err := encoded(r, nil, q.ByBooks())
	if err != nil {
		t.Fatal(err)
	}
	b, err := encoded(r, nil, q.ByLedger())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Fatal("by books and by the ledger differ")
	}
	run, err := trace.Decode(a)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[chain.Account]chain.Amount{}
	for _, h := range run.Result.Holdings {
		sums[h.Account] = sums[h.Account].MustAdd(h.Base)
	}
	got := map[chain.Account]string{}
	for account, sum := range sums {
		got[account] = sum.Base()
	}
	if want := wholeFIFO(all, stolen); !maps.Equal(got, want) {
		t.Fatalf("holdings %v, want %v", got, want)
	}
}

// power is 2^bits.
func power(bits int) chain.Amount {
	var w [4]uint64
	w[bits/64] = 1 << (bits % 64)
	return chain.FromWords(w)
}

type wholePiece struct {
	value   *big.Int
	tainted bool
}

// wholeFIFO is what each account holds by FIFO from the first transfer on,
// every book a list of whole numbers.
func wholeFIFO(all, stolen []chain.Transfer) map[chain.Account]string {
	books := map[chain.Account][]wholePiece{}
	for _, x := range all {
		left, _ := new(big.Int).SetString(x.Amount.Base(), 10)
		var moved []wholePiece
		for len(books[x.From]) > 0 && left.Sign() > 0 {
			p := books[x.From][0]
			take := new(big.Int).Set(p.value)
			if take.Cmp(left) > 0 {
				take.Set(left)
			}
			moved = append(moved, wholePiece{take, p.tainted})
			left.Sub(left, take)
			p.value = new(big.Int).Sub(p.value, take)
			if books[x.From][0] = p; p.value.Sign() == 0 {
				books[x.From] = books[x.From][1:]
			}
		}
		moved = append(moved, wholePiece{left, false})
		for i := range moved {
			moved[i].tainted = moved[i].tainted || slices.ContainsFunc(stolen, func(s chain.Transfer) bool { return s.SameMovement(x) })
		}
		books[x.To] = append(books[x.To], moved...)
	}
	out := map[chain.Account]string{}
	for account, pieces := range books {
		sum := new(big.Int)
		for _, p := range pieces {
			if p.tainted {
				sum.Add(sum, p.value)
			}
		}
		if sum.Sign() > 0 {
			out[account] = sum.String()
		}
	}
	return out
}
