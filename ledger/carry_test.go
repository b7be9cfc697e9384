package ledger_test

import (
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

// naming is a live block that also states a movement of a transaction that
// stands in an earlier one.
func naming(number uint64, earlier chain.Transfer) step {
	b := liveAt(number, 0, 3)
	earlier.Kind = chain.KindInternal
	b.Facts.Transfers = append(b.Facts.Transfers, earlier)
	return step{
		name: "live block that names another", do: func(l *ledger.Ledger) error { _, err := l.ApplyBlock(ctx, b); return err },
		model: func(m *model.Model) { m.ApplyBlock(b) },
	}
}

// follows is a live block of another branch upon whatever is last.
func follows(number uint64) step {
	b := liveAt(number, 7, 2)
	return step{name: "live block", do: func(l *ledger.Ledger) error {
		last, _, err := l.Live(ctx, chain.Ethereum)
		if err != nil {
			return err
		}
		b.Block.Parent = last.Hash
		_, err = l.ApplyBlock(ctx, b)
		return err
	}, model: func(m *model.Model) { m.ApplyBlock(b) }}
}

// among are rows for n blocks of those that facts(0, 300) has.
func among(n int) *ledger.Facts {
	f := &ledger.Facts{}
	for k := range n {
		t := transferOf(k * 80)
		t.Kind = chain.KindInternal
		f.Transfers = append(f.Transfers, t)
	}
	return f
}

// placed is a transfer of a transaction of its own in a block.
func placed(block uint64) *ledger.Facts {
	t := transferOf(20_000)
	t.Block = block
	return &ledger.Facts{Transfers: []chain.Transfer{t}}
}

// TestHeadGoesOn moves a part of the head into segments while others commit. The
// process that does and one that has read the log up to then keep the layers of
// the rest, where they still hold; all see the same.
func TestHeadGoesOn(t *testing.T) {
	follow := []step{applies(500, 0, 9), applies(501, 0, 9), applies(502, 0, 9), applies(503, 0, 9), finalizes(502)}
	with := func(steps ...step) []step { return append(follow[:len(follow):len(follow)], steps...) }
	for name, c := range map[string]struct {
		before, meanwhile []step
		anew              bool // the head log is read anew
	}{
		"blocks":                                {follow, []step{applies(504, 0, 3), finalizes(503), applies(505, 0, 1)}, false},
		"all blocks are final":                  {with(finalizes(503)), []step{applies(504, 0, 3)}, false},
		"a reorganisation":                      {follow, []step{applies(504, 0, 3), rollsBack(503), follows(504)}, true},
		"a live block names a final one":        {with(naming(504, transferOf(5000))), []step{applies(505, 0, 1)}, false},
		"it does so meanwhile":                  {follow, []step{naming(504, transferOf(5000))}, true},
		"rows in the range of a large segment":  {append([]step{imports("large", facts(0, 300), false), imports("few", among(3), false)}, follow...), []step{applies(504, 0, 3)}, false},
		"they come meanwhile":                   {append([]step{imports("large", facts(0, 300), false)}, follow...), []step{imports("few", among(3), false), applies(504, 0, 3)}, false},
		"an import of a final block meanwhile":  {follow, []step{imports("small", placed(502), false), applies(504, 0, 3)}, true},
		"an import of an older block meanwhile": {follow, []step{imports("small", placed(120), false), applies(504, 0, 3)}, true},
		"an import of a live block":             {with(imports("small", placed(503), false)), []step{applies(504, 0, 3)}, false},
		"of a live block, then of a final one":  {with(imports("small", placed(503), false), imports("again", placed(501), false)), []step{applies(504, 0, 3)}, false},
		"a row without a block":                 {with(imports("loose", withLoose(&ledger.Facts{}), false)), []step{applies(504, 0, 3)}, false},
		"it comes meanwhile":                    {follow, []step{imports("loose", withLoose(&ledger.Facts{}), false), applies(504, 0, 3)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, other, m := open(t, dir, ledger.Small(100, 40)), open(t, dir, ledger.Options{ReadOnly: true}), &model.Model{}
			defer l.Close()
			defer other.Close()
			ledger.HoldMerges(l)
			for _, s := range c.before {
				if err := s.do(l); err != nil {
					t.Fatal(err)
				}
				s.model(m)
			}
			var tops [2]any
			merged, err := ledger.Merge(ctx, l, func() {
				for _, s := range c.meanwhile {
					if err := s.do(l); err != nil {
						t.Fatal(err)
					}
					s.model(m)
				}
				sameAs(t, reader(t, l), m)
				sameAs(t, reader(t, other), m)
				tops = [2]any{ledger.TopLayer(l), ledger.TopLayer(other)}
			})
			if !merged || err != nil {
				t.Fatalf("merged %v, %v", merged, err)
			}
			for i, l := range []*ledger.Ledger{l, other, open(t, dir, ledger.Options{ReadOnly: true})} {
				sameAs(t, reader(t, l), m)
				if i < 2 && (ledger.TopLayer(l) != tops[i]) != c.anew {
					t.Errorf("process %d kept its layers: %v", i, c.anew)
				}
			}
			last, _, err := l.Live(ctx, chain.Ethereum)
			if err != nil {
				t.Fatal(err)
			}
			next := follows(last.Number + 1)
			if err := next.do(l); err != nil {
				t.Fatal(err)
			}
			next.model(m)
			sameAs(t, reader(t, l), m)
			sameAs(t, reader(t, other), m)
			var rest []step // until what stayed moves, too
			for n := range uint64(30) {
				rest = append(rest, follows(last.Number+2+n))
			}
			for _, s := range append(rest, finalizes(last.Number+30)) {
				if err := s.do(l); err != nil {
					t.Fatal(err)
				}
				s.model(m)
			}
			if merged, err := ledger.Merge(ctx, l, func() {}); !merged || err != nil {
				t.Fatalf("merged again %v, %v", merged, err)
			}
			sameAs(t, reader(t, l), m)
			sameAs(t, reader(t, other), m)
		})
	}
}
