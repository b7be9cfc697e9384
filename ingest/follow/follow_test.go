package follow_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/ingest/follow"
	"bongsu/ingest/follow/inmemory"
	"bongsu/ingest/jsonrpc"
	"bongsu/ledger"
	"bongsu/ledger/model"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// once follows until level.
func once(n *node, l follow.Ledger, edit ...func(*follow.Config)) ([]follow.Event, error) {
	var events []follow.Event
	c := follow.Config{
		Node: n, Ledger: l, Resume: true, Once: true, Window: 4, Batch: 8,
		Event:   func(e follow.Event) { events = append(events, e) },
		Backoff: func(int) time.Duration { return time.Millisecond },
		Sleep:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	for _, e := range edit {
		e(&c)
	}
	return events, follow.Run(context.Background(), c)
}

// held is everything a ledger holds of the chain, as text.
func held(t interface{ Fatal(...any) }, r ledger.Reader) string {
	ctx := context.Background()
	var out strings.Builder
	cov, err := r.Coverage(ctx, testChain)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, cov.Ranges, cov.Gaps, cov.Rows)
	err = r.Scan(ctx, testChain, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		all, err := ledger.Expand(ctx, r, rows)
		for _, tr := range all {
			fmt.Fprintf(&out, "%d %s %s %s %s\n", tr.Block, tr.Time, tr.Tx.Text(testChain), tr.To, tr.Amount.Base())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func heldBy(t interface{ Fatal(...any) }, l follow.Ledger) string {
	r, err := l.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return held(t, r)
}

// truth is what a ledger holds that imported the node's best chain at once.
func (n *node) truth(t interface{ Fatal(...any) }, from uint64) string {
	var m model.Model
	for _, h := range n.best[from:] {
		b := n.blocks[h]
		f := ledger.Facts{
			Transfers: b.Facts.Transfers, Blocks: []ledger.BlockFact{b.Block},
			Claims: []ledger.Claim{{Chain: testChain, From: b.Block.Number, To: b.Block.Number, What: b.What}},
		}
		if err := m.Add(&f); err != nil {
			t.Fatal(err)
		}
	}
	r, err := m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	return held(t, r)
}

func embedded(t testing.TB, dir string) (*ledger.Ledger, follow.Ledger) {
	t.Helper()
	l, err := ledger.Open(context.Background(), dir, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, follow.Into(l)
}

// ledgers runs a test over the plainest ledger and over the engine.
func ledgers(t *testing.T, test func(t *testing.T, l follow.Ledger)) {
	t.Run("in memory", func(t *testing.T) { test(t, &inmemory.Ledger{}) })
	t.Run("engine", func(t *testing.T) {
		_, l := embedded(t, t.TempDir())
		test(t, l)
	})
}

func TestCatchUp(t *testing.T) {
	for _, final := range []int{-1, 0, 17, 29} {
		t.Run(fmt.Sprint("final ", final), func(t *testing.T) {
			ledgers(t, func(t *testing.T, l follow.Ledger) {
				n := newNode(30)
				n.final = final
				events, err := once(n, l)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := heldBy(t, l), n.truth(t, 0); got != want {
					t.Errorf("holds\n%swant\n%s", got, want)
				}
				last := events[len(events)-1]
				if last.Kind != follow.Level || last.Block.Number != 29 {
					t.Errorf("the last event is %+v", last)
				}
				// Final blocks come in whole imports, others one by one.
				next := uint64(0)
				for _, e := range events {
					if e.Kind != follow.Applied {
						continue
					}
					if e.Block.Number != next || e.Live != (int(e.Last) > max(final, 0)) {
						t.Errorf("applied %d to %d, live %v", e.Block.Number, e.Last, e.Live)
					}
					next = e.Last + 1
				}
				if next != 30 {
					t.Errorf("applied up to %d", next)
				}
			})
		})
	}
}

// TestLikeBatch is the metamorphic test: whatever the chain did, and whenever
// the follower looked or was started anew, the ledger holds what a batch import
// of the chain as it is now would hold.
func TestLikeBatch(t *testing.T) {
	test := func(rt *rapid.T, l follow.Ledger, reopen func() follow.Ledger) {
		n := newNode(1 + rapid.IntRange(0, 20).Draw(rt, "blocks"))
		from := uint64(rapid.IntRange(0, 3).Draw(rt, "from"))
		if from >= uint64(len(n.best)) {
			from = 0
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0, 1:
				n.grow(rapid.IntRange(1, 12).Draw(rt, "grown"))
			case 2, 3:
				free := len(n.best) - 1 - max(n.final, int(from))
				if free > 0 {
					depth := rapid.IntRange(1, free).Draw(rt, "depth")
					n.reorganise(depth, depth+rapid.IntRange(0, 9).Draw(rt, "more"))
				}
			case 4:
				if n.final < len(n.best)-1 {
					n.final = rapid.IntRange(max(n.final, 0), len(n.best)-1).Draw(rt, "final")
				}
			case 5:
				l = reopen()
			}
			if rapid.Bool().Draw(rt, "look") {
				continue
			}
			if _, err := once(n, l, func(c *follow.Config) { c.From = from }); err != nil {
				rt.Fatal(err)
			}
			if got, want := heldBy(rt, l), n.truth(rt, from); got != want {
				rt.Fatalf("holds\n%swant\n%s", got, want)
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		if rapid.IntRange(0, 9).Draw(rt, "engine") > 0 { // which syncs to the disk
			l := &inmemory.Ledger{}
			test(rt, l, func() follow.Ledger { return l })
			return
		}
		dir := t.TempDir()
		open := func() *ledger.Ledger {
			l, err := ledger.Open(context.Background(), dir, ledger.Options{})
			if err != nil {
				rt.Fatal(err)
			}
			return l
		}
		l := open()
		defer func() { l.Close() }()
		test(rt, follow.Into(l), func() follow.Ledger {
			if err := l.Close(); err != nil {
				rt.Fatal(err)
			}
			l = open()
			return follow.Into(l)
		})
	})
}

func TestReorganisationIsTold(t *testing.T) {
	l := &inmemory.Ledger{}
	n := newNode(10)
	if _, err := once(n, l); err != nil {
		t.Fatal(err)
	}
	old := slices.Clone(n.best)
	n.reorganise(3, 5)
	events, err := once(n, l)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		told = append(told, fmt.Sprint(e.Kind, " ", e.Block.Number, " ", e.Last))
	}
	want := "planned 10 11; rolled back 6 9; applied 7 7; applied 8 8; applied 9 9; applied 10 10; applied 11 11; level 11 0"
	if got := strings.Join(told, "; "); got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
	if events[1].Block.Hash != old[6] {
		t.Errorf("the common block is %x, want %x", events[1].Block.Hash, old[6])
	}
}

func TestRefused(t *testing.T) {
	other := ledger.Hash{0xff}
	for _, c := range []struct {
		name string
		bend func(n *node) // after ten blocks were followed, three final
		kind errs.Kind
		why  string
	}{
		{"another branch below a final block", func(n *node) { n.final = -1; n.reorganise(9, 12) }, errs.Conflict, "final"},
		{"a parent that is nowhere", func(n *node) {
			n.grow(1)
			n.lie = func(_ string, r follow.Ref) follow.Ref {
				if r.Number == 10 {
					r.Parent = other
				}
				return r
			}
		}, errs.Forged, "which it does not have"},
		{"another block than asked for", func(n *node) {
			n.reorganise(2, 4)
			n.lie = func(m string, r follow.Ref) follow.Ref {
				if m == "hash" {
					r.Hash = other
				}
				return r
			}
		}, errs.Forged, "asked for block"},
		{"a block at another height", func(n *node) {
			n.reorganise(2, 4)
			n.lie = func(m string, r follow.Ref) follow.Ref {
				if m == "hash" {
					r.Number++
				}
				return r
			}
		}, errs.Forged, "has to stand at"},
		{"a height that is another", func(n *node) {
			n.grow(20)
			n.lie = func(m string, r follow.Ref) follow.Ref {
				if m == "number" {
					r.Number += 2
				}
				return r
			}
		}, errs.Forged, "has to stand at"},
		{"a final block above its best", func(n *node) {
			n.lie = func(m string, r follow.Ref) follow.Ref {
				if m == "final" {
					r.Number = 99
				}
				return r
			}
		}, errs.Forged, "calls block 99 final"},
		{"a final block that is not on its branch", func(n *node) {
			n.final = 5
			n.lie = func(m string, r follow.Ref) follow.Ref {
				if m == "final" {
					r.Hash = other
				}
				return r
			}
		}, errs.Forged, "final at height 5"},
		{"another first block", func(n *node) { n.final = -1; n.reorganise(10, 12) }, errs.Conflict, "another first block"},
		{"an answer that is none", func(n *node) {
			n.fault = func(string) error { return errs.New("ask", errs.Invalid, "", "not JSON", "") }
		}, errs.Invalid, "not JSON"},
		{"a branch deeper than allowed", func(n *node) { n.grow(20); n.reorganise(24, 30) }, errs.Limit, "more than 2 blocks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &inmemory.Ledger{}
			n := newNode(4)
			n.final = 3
			if _, err := once(n, l); err != nil {
				t.Fatal(err)
			}
			n.grow(6)
			if _, err := once(n, l); err != nil {
				t.Fatal(err)
			}
			if c.kind == errs.Limit {
				n.grow(20)
				if _, err := once(n, l); err != nil {
					t.Fatal(err)
				}
				n.reorganise(20, 40)
				n.final = -1
				_, err := once(n, l, func(c *follow.Config) { c.MaxReorg = 2 })
				if errs.Is(err) != c.kind || !strings.Contains(err.Error(), c.why) {
					t.Errorf("%v (%s), want %s with %q", err, errs.Is(err), c.kind, c.why)
				}
				return
			}
			before := heldBy(t, l)
			c.bend(n)
			_, err := once(n, l)
			if errs.Is(err) != c.kind || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v (%s), want %s with %q", err, errs.Is(err), c.kind, c.why)
			}
			if after := heldBy(t, l); after != before {
				t.Errorf("a refused node changed the ledger:\n%swas\n%s", after, before)
			}
		})
	}
}

// TestComesBack holds that a node that goes away is asked again, later each
// time, and that nothing is lost or doubled.
func TestComesBack(t *testing.T) {
	n := newNode(40)
	n.final = 20
	failures := 0
	n.fault = func(string) error {
		if n.asks%3 == 0 && failures < 25 {
			failures++
			return unavailable("gone")
		}
		return nil
	}
	l := &inmemory.Ledger{}
	var waits []time.Duration
	events, err := once(n, l, func(c *follow.Config) {
		c.Backoff = func(n int) time.Duration { return time.Duration(n+1) * time.Second }
		c.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := heldBy(t, l), n.truth(t, 0); got != want {
		t.Errorf("holds\n%swant\n%s", got, want)
	}
	told := 0
	for _, e := range events {
		if e.Kind == follow.Retrying {
			told++
		}
	}
	if told == 0 || told != len(waits) || !slices.Contains(waits, 2*time.Second) {
		t.Errorf("told of %d retries, waited %v", told, waits)
	}
	// The waits start anew after each success.
	for i, w := range waits {
		if i > 0 && w > waits[i-1]+time.Second || w <= 0 {
			t.Errorf("waits %v", waits)
		}
	}
}

func TestWaitsAsLongAsAsked(t *testing.T) {
	var waited time.Duration
	tries := 0
	err := follow.Persist(context.Background(), func(int) time.Duration { return time.Second },
		func(_ context.Context, d time.Duration) error { waited = d; return nil }, nil, func() error {
			if tries++; tries == 1 {
				return &errs.Error{Kind: errs.Unavailable, Err: jsonrpc.RetryAfter(time.Minute)}
			}
			return nil
		})
	if err != nil || waited != time.Minute || tries != 2 {
		t.Errorf("%v after %d tries, waited %v", err, tries, waited)
	}
}

func TestBackoff(t *testing.T) {
	for n := range 40 {
		full := min(500*time.Millisecond<<min(n, 10), 30*time.Second)
		if d := follow.Backoff(n); d < full/2 || d > full {
			t.Errorf("try %d waits %v, want between %v and %v", n, d, full/2, full)
		}
	}
}

// TestLive follows while the chain goes on, reorganises and goes away, until
// it is cancelled.
func TestLive(t *testing.T) {
	defer goleak.VerifyNone(t)
	n := newNode(5)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	turn := 0
	n.wait = func(context.Context) error { // the follower is level
		turn++
		switch {
		case turn == 30:
			cancel()
		case turn%7 == 0:
			return unavailable("the connection broke")
		case turn%3 == 0:
			n.reorganise(min(2, len(n.best)-2-n.final), 4)
		default:
			n.grow(turn % 4)
			n.final = max(n.final, len(n.best)-6)
		}
		return nil
	}
	l := &inmemory.Ledger{}
	applied := map[ledger.Hash]int{}
	err := follow.Run(ctx, follow.Config{
		Node: n, Ledger: l,
		Sleep: func(context.Context, time.Duration) error { return nil },
		Event: func(e follow.Event) {
			if e.Kind == follow.Applied && e.Live {
				applied[e.Block.Hash]++
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := heldBy(t, l), n.truth(t, 0); got != want {
		t.Errorf("holds\n%swant\n%s", got, want)
	}
	for h, times := range maps.All(applied) {
		if times != 1 {
			t.Errorf("block %x was applied %d times", h, times)
		}
	}
	if l.RolledBack == 0 {
		t.Error("no reorganisation was seen")
	}
}

// TestLaggingNode holds that a node behind the ledger undoes nothing.
func TestLaggingNode(t *testing.T) {
	n := newNode(10)
	l := &inmemory.Ledger{}
	if _, err := once(n, l); err != nil {
		t.Fatal(err)
	}
	before := heldBy(t, l)
	full := n.best
	n.best = full[:6]
	if _, err := once(n, l); err != nil {
		t.Fatal(err)
	}
	if heldBy(t, l) != before || l.RolledBack != 0 {
		t.Error("blocks that the node has yet to learn of were undone")
	}
	n.best = full
	n.grow(1)
	if _, err := once(n, l); err != nil {
		t.Fatal(err)
	}
	if got, want := heldBy(t, l), n.truth(t, 0); got != want {
		t.Errorf("holds\n%swant\n%s", got, want)
	}
}

// TestResumesAfterFiles holds that following goes on after imported ranges.
func TestResumesAfterFiles(t *testing.T) {
	n := newNode(20)
	n.final = 19
	l := &inmemory.Ledger{}
	imp, err := l.Begin(context.Background(), "file")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range n.best[:12] {
		b := n.blocks[h]
		err = errors.Join(err, imp.Add(&ledger.Facts{
			Transfers: b.Facts.Transfers, Blocks: []ledger.BlockFact{b.Block},
			Claims: []ledger.Claim{{Chain: testChain, From: b.Block.Number, To: b.Block.Number, What: b.What}},
		}))
	}
	if _, cerr := imp.Commit(context.Background()); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	events, err := once(n, l)
	if err != nil {
		t.Fatal(err)
	}
	if p := events[0]; p.Kind != follow.Planned || p.Block.Number != 12 || p.Last != 19 || p.Fresh {
		t.Errorf("planned %+v", p)
	}
	if events[1].Kind != follow.Applied || events[1].Block.Number != 12 {
		t.Errorf("went on at %+v", events[1])
	}
	if got, want := heldBy(t, l), n.truth(t, 0); got != want {
		t.Errorf("holds\n%swant\n%s", got, want)
	}
	// A range that lacks what is needed is fetched again.
	partial := &inmemory.Ledger{}
	imp, _ = partial.Begin(context.Background(), "file")
	claim := ledger.Claim{Chain: testChain, From: 0, To: 11, What: ledger.CoverTokens}
	if err := imp.Add(&ledger.Facts{Claims: []ledger.Claim{claim}}); err != nil {
		t.Fatal(err)
	}
	if _, err := imp.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	needy := func(c *follow.Config) { c.Needs = ledger.CoverNative }
	if events, err = once(n, partial, needy); err != nil || events[0].Block.Number != 0 {
		t.Errorf("%v, went on at %+v", err, events[0])
	}
	if got, want := heldBy(t, partial), n.truth(t, 0); got != want {
		t.Errorf("holds\n%swant\n%s", got, want)
	}
	// Files of another chain do not fit the node's.
	other := newNode(20)
	other.made = 1000
	other.reorganise(20, 30)
	if _, err := once(other, l); errs.Is(err) != errs.Conflict {
		t.Errorf("another chain: %v", err)
	}
}

// A ledger that holds nothing begins where it is told to, or at the node's best
// block, and says what it is about to fetch.
func TestBeginning(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   uint64
		latest bool
		first  uint64
	}{{"the first block", 0, false, 0}, {"a block", 12, false, 12}, {"the best block", 0, true, 29}} {
		ledgers(t, func(t *testing.T, l follow.Ledger) {
			n := newNode(30)
			start := func(want uint64, fresh bool) {
				t.Helper()
				events, err := once(n, l, func(f *follow.Config) { f.From, f.Latest = c.from, c.latest })
				if err != nil {
					t.Fatal(c.name, err)
				}
				if p := events[0]; p.Kind != follow.Planned || p.Fresh != fresh || p.Block.Number != want || p.Last != uint64(len(n.best)-1) {
					t.Errorf("%s: planned %+v", c.name, p)
				}
			}
			start(c.first, true)
			n.grow(3)
			start(30, false)
			if got, want := heldBy(t, l), n.truth(t, c.first); got != want {
				t.Errorf("%s: holds\n%swant\n%s", c.name, got, want)
			}
		})
	}
}
