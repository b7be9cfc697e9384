package ledger_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
	"bongsu/ledger/ledgertest"
	"bongsu/ledger/model"

	"pgregory.net/rapid"
)

// TestLiveAgainstModel follows a chain with reorganisations and imports in
// between, from a second Ledger on the same folder too.
func TestLiveAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "ledger")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var opt ledger.Options
		settle := rapid.SampledFrom([]int{0, 4}).Draw(t, "settle")
		ledger.SmallSegments(&opt, rapid.SampledFrom([]int{0, 5}).Draw(t, "bulk"), settle)
		ledger.WithoutSync(&opt)
		l := open(t, dir, opt)
		defer l.Close()
		background := rapid.Bool().Draw(t, "background")
		if background {
			if err := l.MergeInBackground(ctx, nil); err != nil {
				t.Fatal(err)
			}
		}
		other := open(t, dir, ledger.Options{ReadOnly: true})
		defer other.Close()
		var m model.Model
		follow(t, l, other, &m, !background, settle > 0)
		anew := open(t, dir, ledger.Options{ReadOnly: true})
		defer anew.Close()
		want := refs(t, reader(t, anew))
		for _, l := range []*ledger.Ledger{l, other} {
			sameAs(t, reader(t, l), &m)
			if got := refs(t, reader(t, l)); !slices.Equal(got, want) {
				t.Fatalf("references %v, and %v to who opens it anew", got, want)
			}
		}
	})
}

// refs are the references of the accounts that follow may name.
func refs(t *rapid.T, r ledger.Reader) []ledger.AccountRef {
	var accounts []chain.Account
	for n := range 23 { // they recur
		accounts = append(accounts, transferOf(n).To)
	}
	got, err := r.AccountRefs(ctx, accounts)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// follow does some steps, at which other looks now and then; beside says that
// others may come while an import is committed, settles that what is final may
// have to wait for it.
func follow(t *rapid.T, l, other *ledger.Ledger, m *model.Model, beside, settles bool) {
	blocks := []ledger.LiveBlock{}
	next, final, forks := uint64(501), uint64(500), byte(0)
	apply := func() {
		b := liveAt(next, forks, rapid.IntRange(0, 3).Draw(t, "rows"))
		if len(blocks) > 0 {
			b.Block.Parent = blocks[len(blocks)-1].Block.Hash
		}
		if _, err := l.ApplyBlock(ctx, b); err != nil {
			t.Fatal(err)
		}
		m.ApplyBlock(b)
		blocks, next, forks = append(blocks, b), next+1, forks+1
	}
	rollBack := func() {
		if to := final + uint64(rapid.IntRange(0, 3).Draw(t, "back")); to < next-1 {
			if err := l.Rollback(ctx, chain.Ethereum, to); err != nil {
				t.Fatal(err)
			}
			m.Rollback(chain.Ethereum, to)
			blocks, next = blocks[:len(blocks)-int(next-1-to)], to+1
		}
	}
	finalize := func() {
		if to := final + 1; to < next-1 {
			if err := l.Finalize(ctx, chain.Ethereum, to); err != nil {
				t.Fatal(err)
			}
			m.Finalize(chain.Ethereum, to)
			final = to
		}
	}
	addAs := func(source string, most int) {
		from := rapid.IntRange(0, 40).Draw(t, "from")
		f := facts(from, from+rapid.IntRange(1, most).Draw(t, "count"))
		if err := tryAs(l, source, f, false); err != nil {
			t.Fatal(err)
		}
		m.Add(f) //nolint:errcheck // its rows have places
	}
	add := func() { addAs("crash", 12) }
	look := func() { sameAs(t, reader(t, other), m) }
	meanwhile := []func(){apply, apply, rollBack, func() { reader(t, other) }}
	if !settles {
		meanwhile = append(meanwhile, finalize, func() { addAs("small", 2) })
	}
	addBeside := func() {
		if !beside {
			add()
			return
		}
		ledger.Meanwhile(l, func() {
			ledger.Meanwhile(l, nil)
			for range rapid.IntRange(0, 4).Draw(t, "meanwhile") {
				meanwhile[rapid.IntRange(0, len(meanwhile)-1).Draw(t, "what")]()
			}
		})
		add()
		ledger.Meanwhile(l, nil)
	}
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		steps := []func(){apply, apply, rollBack, finalize, add, addBeside, look}
		steps[rapid.IntRange(0, len(steps)-1).Draw(t, "step")]()
	}
}

func TestRefusesWhatDoesNotFollow(t *testing.T) {
	l := open(t, t.TempDir(), ledger.Options{})
	defer l.Close()
	if _, err := l.ApplyBlock(ctx, liveAt(501, 0, 1)); err != nil {
		t.Fatal(err)
	}
	for _, b := range []ledger.LiveBlock{liveAt(503, 0, 1), liveAt(502, 0, 1)} {
		if b.Block.Number == 502 {
			b.Block.Parent = ledger.Hash{66}
		}
		if _, err := l.ApplyBlock(ctx, b); errs.Is(err) != errs.Conflict {
			t.Errorf("block %d: %v, want a conflict", b.Block.Number, err)
		}
	}
	if err := l.Finalize(ctx, chain.Ethereum, 501); err != nil {
		t.Fatal(err)
	}
	if _, err := l.ApplyBlock(ctx, liveAt(502, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := l.Rollback(ctx, chain.Ethereum, 500); errs.Is(err) != errs.Conflict {
		t.Errorf("rolled back a final block: %v", err)
	}
}

// TestRollbackToTheFirstBlock takes back all but block 0.
func TestRollbackToTheFirstBlock(t *testing.T) {
	l := open(t, t.TempDir(), ledger.Options{})
	defer l.Close()
	for n := range uint64(3) {
		b := liveAt(n, 0, 1)
		if n == 0 {
			b.Block.Parent = ledger.Hash{}
		}
		if _, err := l.ApplyBlock(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Rollback(ctx, chain.Ethereum, 0); err != nil {
		t.Fatal(err)
	}
	if last, _, err := l.Live(ctx, chain.Ethereum); err != nil || last.Number != 0 || !last.Known {
		t.Fatalf("the last block is %+v (%v)", last, err)
	}
	if _, err := l.ApplyBlock(ctx, liveAt(1, 0, 2)); err != nil {
		t.Fatal(err)
	}
}

func TestWaitSeesAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	l, other := open(t, dir, ledger.Options{}), open(t, dir, ledger.Options{})
	defer l.Close()
	defer other.Close()
	before := reader(t, other).Version()
	done := make(chan error, 1)
	within, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	go func() { done <- other.Wait(within, before) }()
	if err := try(l, facts(0, 2), false); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if v := reader(t, other).Version(); v <= before {
		t.Fatalf("version %d after %d", v, before)
	}
	cancel()
	if err := other.Wait(within, 1<<60); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled wait: %v", err)
	}
}

func TestSnapshotDoesNotChange(t *testing.T) {
	var opt ledger.Options
	ledger.SmallSegments(&opt, 5, 10)
	l := open(t, t.TempDir(), opt)
	defer l.Close()
	if err := try(l, facts(0, 30), false); err != nil {
		t.Fatal(err)
	}
	r := reader(t, l)
	want := ledgertest.Dump(t, r)
	for n := 30; n < 120; n += 15 {
		if err := try(l, facts(n-5, n+15), false); err != nil {
			t.Fatal(err)
		}
	}
	if got := ledgertest.Dump(t, r); got != want {
		t.Fatalf("a snapshot changed:\n%s\nwas\n%s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	l := open(t, t.TempDir(), ledger.Options{})
	defer l.Close()
	bad := transferOf(1)
	bad.Block, bad.Time = chain.NoBlock, 0
	far := transferOf(1)
	far.Chain = "eip155:12345678901234567890"
	for name, c := range map[string]struct {
		f    ledger.Facts
		kind errs.Kind
	}{
		"no place":  {ledger.Facts{Transfers: []chain.Transfer{bad}}, errs.Invalid},
		"chain":     {ledger.Facts{Transfers: []chain.Transfer{far}}, errs.Invalid},
		"backwards": {ledger.Facts{Claims: []ledger.Claim{{Chain: chain.Ethereum, From: 9, To: 8, What: 1}}}, errs.Invalid},
		"no id":     {ledger.Facts{Txs: []ledger.TxFact{{Chain: chain.Ethereum}}}, errs.Invalid},
		"decimals":  {ledger.Facts{Assets: []chain.AssetInfo{{Asset: chain.Ethereum.Native(), Symbol: "ETH", Decimals: 17, Source: "x"}}}, errs.Conflict},
	} {
		im, err := l.Begin(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if err = im.Add(&c.f); err == nil {
			_, err = im.Commit(ctx)
		}
		if errs.Is(err) != c.kind || errs.Hint(err) == "" {
			t.Errorf("%s: %v, want kind %v and a hint", name, err, c.kind)
		}
		im.Abort()
	}
	if _, err := ledger.Open(ctx, t.TempDir(), ledger.Options{ReadOnly: true}); errs.Is(err) != errs.NotExist {
		t.Errorf("opened a ledger that is not there: %v", err)
	}
}
