package watch_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/journal"
	"bongsu/labels"
	"bongsu/screen"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/links"

	"pgregory.net/rapid"
)

// expect waits until the history of movements is exactly this.
func (d *desk) expect(want ...string) {
	d.t.Helper()
	d.until(fmt.Sprintf("\n%s", strings.Join(want, "\n")), func() bool { return slices.Equal(d.history(), want) })
}

// The whole life of a watched theft: money moves, sleeps, wakes, reaches a
// service; blocks become final; a reorganisation takes one back and another
// block brings its transaction again.
func TestLife(t *testing.T) {
	d := newDesk(t)
	d.set = labels.NewSet([]labels.Label{{Account: acct(5), Label: "Exchange X", Category: "exchange", Source: "pack", Score: 50}})
	b, req := stolen(d)
	b.add(d, slot, move("before", 1, 2, 10)) // before anybody traced
	d.trace(req)
	d.watch()
	told := []string{}
	say := func(lines ...string) {
		t.Helper()
		told = append(told, lines...)
		d.expect(told...)
	}
	b.add(d, slot, move("a", 1, 3, 40))
	say("moved #3 40 in block 4 provisional")
	b.add(d, 9*24*time.Hour, move("b", 3, 4, 30))
	say("woke #4 30 in block 5 after 9 days provisional")
	b.add(d, slot, move("c", 4, 5, 30))
	say("reached-service #5 30 in block 6 Exchange X provisional")

	b.back(d, 5)
	say("reached-service #5 30 in block 6 Exchange X provisional revoked")
	b.add(d, slot)
	b.add(d, slot, move("c", 4, 5, 30))
	say("reached-service #5 30 in block 7 Exchange X provisional")

	b.final(d, 5)
	say("moved #3 40 in block 4", "woke #4 30 in block 5 after 9 days")
	b.final(d, 7)
	say("reached-service #5 30 in block 7 Exchange X")

	ids := map[string]int{}
	for _, o := range d.own() {
		if m, err := stix.ReadMovement(o); err == nil {
			ids[o.ID]++
			if m.Theft != theftID || len(m.From) != 1 || m.Senders != 1 || m.Origin.Base != m.Amount.Base || !strings.HasPrefix(m.Trace, "sha256:") || o.Marking != stix.TLPGreen {
				t.Errorf("%+v", m)
			}
		}
	}
	if got := slices.Sorted(maps.Values(ids)); !slices.Equal(got, []int{2, 2, 4}) {
		t.Errorf("versions of the three movements: %v", got)
	}
	// A trace by hand agrees with the watcher, down to the digest.
	last := ""
	for _, o := range d.own() {
		if r, err := stix.ReadRun(o); err == nil {
			last = r.Digest
		}
	}
	if run := d.trace(req); run.Result.Digest != last {
		t.Errorf("by hand %s, watched %s", run.Result.Digest, last)
	}
	d.expect(told...)
}

// A wrap or an unwrap alone is told as it happens: it wakes money, waits for its
// block to be final, is taken back and comes again, like any movement.
func TestWraps(t *testing.T) {
	d := newDesk(t)
	weth := links.AllWrapped()[0]
	wrap := func(id string, amount uint64) chain.Transfer {
		w := move(id, 1, 0, amount)
		w.To = weth.Contract
		return w
	}
	unwrap := func(id string, amount uint64) chain.Transfer {
		w := move(id, 0, 1, amount)
		w.From = weth.Contract
		return w
	}
	b, req := stolen(d)
	d.trace(req)
	d.watch()
	told := []string{}
	say := func(lines ...string) {
		t.Helper()
		told = append(told, lines...)
		d.expect(told...)
	}
	b.add(d, slot, wrap("a", 60))
	say("moved #1 60 in block 3 by wrap provisional")
	b.add(d, slot, unwrap("b", 10))
	say("moved #1 10 in block 4 by unwrap provisional")
	b.add(d, 9*24*time.Hour, wrap("c", 20)) // FIFO: of the coin that was never wrapped
	say("woke #1 20 in block 5 after 9 days by wrap provisional")

	b.back(d, 3)
	d.until("both are taken back", func() bool { return len(d.history()) == len(told)+2 })
	back := slices.Sorted(slices.Values(d.history()[len(told):]))
	if want := []string{told[1] + " revoked", told[2] + " revoked"}; !slices.Equal(back, want) {
		t.Fatalf("taken back %q, want %q", back, want)
	}
	told = d.history()
	b.add(d, slot)
	b.add(d, slot, unwrap("b", 10))
	say("moved #1 10 in block 5 by unwrap provisional")
	b.final(d, 5)
	say("moved #1 60 in block 3 by wrap", "moved #1 10 in block 5 by unwrap")

	ids := map[string]int{}
	for _, o := range d.own() {
		if m, err := stix.ReadMovement(o); err == nil {
			ids[o.ID]++
			if m.Via != weth.Contract || len(m.From) != 0 || m.Senders != 0 || m.Origin.Asset != weth.Coin() || m.Origin.Base != m.Amount.Base ||
				(m.Amount.Asset == weth.Token()) != (m.Link == stix.LinkWrap) {
				t.Errorf("%+v", m)
			}
		}
	}
	if got := slices.Sorted(maps.Values(ids)); !slices.Equal(got, []int{2, 2, 4}) {
		t.Errorf("versions of the three movements: %v", got)
	}
	x := screen.New(screen.Config{Clock: d.clock})
	defer x.Close()
	if err := x.Load(t.Context(), d.journal); err != nil {
		t.Fatal(err)
	}
	r := x.Screen([]string{acct(1).Address(), weth.Contract.Address()})
	texts := []string{}
	for _, reason := range r[0].Reasons {
		texts = append(texts, reason.Text)
	}
	if !slices.Contains(texts, "Stolen funds were wrapped") || !slices.Contains(texts, "Stolen funds were unwrapped") || r[1].Verdict != screen.Clear {
		t.Errorf("screened: %q, the contract %s", texts, r[1].Verdict)
	}
}

// Movements are screened with: watched, provisional while they are, and gone
// when they are taken back.
func TestScreened(t *testing.T) {
	d := newDesk(t)
	b, req := stolen(d)
	d.trace(req)
	d.watch()
	b.add(d, slot, move("a", 1, 3, 40), move("b", 3, 4, 40))
	d.expect("moved #3 40 in block 3 provisional", "moved #4 40 in block 3 provisional")
	verdict := func() (screen.Verdict, []screen.Reason) {
		t.Helper()
		x := screen.New(screen.Config{Clock: d.clock})
		defer x.Close()
		if err := x.Load(t.Context(), d.journal); err != nil {
			t.Fatal(err)
		}
		r := x.Screen([]string{acct(3).Address()})[0]
		return r.Verdict, r.Reasons
	}
	v, reasons := verdict()
	if v != screen.Watch || len(reasons) != 2 {
		t.Fatalf("%s for %+v", v, reasons)
	}
	moved := reasons[slices.IndexFunc(reasons, func(r screen.Reason) bool { return r.Provisional })]
	if moved.Kind != screen.Exposure || moved.Place != screen.PlacePassed || moved.Theft != theftID || moved.Amount.Base != "40" || moved.Since != b.time.Std() || moved.Text != "Stolen funds moved" {
		t.Errorf("%+v", moved)
	}
	b.back(d, 2)
	d.until("taken back", func() bool { return len(d.live()) == 1 })
	if v, reasons := verdict(); v != screen.Clear {
		t.Errorf("%s for %+v", v, reasons)
	}
}

// A trace by hand between two looks of the watcher swallows no movement, and
// another question makes none up.
func TestByHand(t *testing.T) {
	d := newDesk(t)
	b, req := stolen(d)
	b.add(d, slot, move("clean", 8, 2, 50))
	b.add(d, slot, move("a", 1, 2, 40))
	b.add(d, slot, move("b", 2, 3, 20)) // clean by FIFO, half tainted by haircut
	d.trace(req)
	b.add(d, slot, move("c", 1, 4, 7))
	d.trace(req)
	d.expect("moved #4 7 in block 6 provisional")
	d.trace(trace.Request{Thefts: req.Thefts, Method: trace.Haircut})
	d.expect("moved #4 7 in block 6 provisional")
	d.watch()
	b.add(d, slot, move("d", 2, 6, 30))
	d.expect("moved #4 7 in block 6 provisional", "moved #6 13 in block 7 provisional")
}

// New labels turn a movement into another event.
func TestLabelsChange(t *testing.T) {
	d := newDesk(t)
	b, req := stolen(d)
	d.trace(req)
	d.watch()
	b.add(d, slot, move("a", 1, 5, 40))
	d.expect("moved #5 40 in block 3 provisional")
	d.end()
	d.set = labels.NewSet([]labels.Label{{Account: acct(5), Label: "Exchange X", Category: "exchange", Source: "pack", Score: 50}})
	d.watch()
	d.until("a new reading", func() bool { return len(d.history()) == 3 })
	if h := slices.Sorted(slices.Values(d.history()[1:])); !slices.Equal(h, []string{"moved #5 40 in block 3 provisional revoked", "reached-service #5 40 in block 3 Exchange X provisional"}) {
		t.Error(h)
	}
	// With the watcher running, the statement of a list is what tells it.
	d.end()
	d.set = nil
	d.watch()
	d.until("back", func() bool { return len(d.history()) == 5 })
	d.set = labels.NewSet([]labels.Label{{Account: acct(5), Label: "Mixer Y", Category: "mixing_service", Source: "pack", Score: 50}})
	o, err := stix.LabelList{Common: stix.Common{Author: d.keys.ID(), Modified: d.clock()}, Source: "pack", Digest: "sha256:" + strings.Repeat("a", 64), Count: 1}.Object()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.journal.Append(t.Context(), []journal.Draft{{Object: o}}); err != nil {
		t.Fatal(err)
	}
	d.until("the new list", func() bool {
		return slices.Contains(d.history(), "reached-service #5 40 in block 3 Mixer Y provisional")
	})
}

// What was erased is not said again, by a rebuilt view neither.
func TestErased(t *testing.T) {
	d := newDesk(t)
	b, req := stolen(d)
	d.trace(req)
	b.add(d, slot, move("a", 1, 3, 40))
	d.trace(req)
	d.expect("moved #3 40 in block 3 provisional")
	list, err := d.journal.Read(t.Context(), journal.LogJournal, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range list {
		o, err := st.Object()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stix.ReadMovement(o); err == nil {
			if _, err := d.journal.Erase(t.Context(), st.Seq, "analyst", "test"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, rebuilt := range []bool{false, true} {
		if rebuilt {
			if err := d.journal.Update(t.Context(), d.rebuild); err != nil {
				t.Fatal(err)
			}
		}
		b.final(d, b.block)
		d.trace(req)
		d.expect()
		b.add(d, slot)
	}
}

// rebuild makes the view anew from the first statement on.
func (d *desk) rebuild(ctx context.Context, tx *journal.Tx) error {
	if err := d.view.Create(ctx, tx); err != nil {
		return err
	}
	list, err := tx.Read(ctx, journal.LogJournal, 0, journal.MaxBatch)
	if err != nil {
		return err
	}
	return d.view.Apply(ctx, tx, list)
}

// Whatever the chain does, and whenever the watcher was stopped, what stands in
// the end is what one that was never stopped says, and saying it again adds
// nothing.
func TestRestarts(t *testing.T) {
	steady, shaky := newDesk(t), newDesk(t)
	const enough = 30 // each run waits for the disk a hundred times
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > enough {
			return
		}
		for _, d := range []*desk{steady, shaky} {
			d.anew(rt, fmt.Sprintf("incident--7d6e4c3a-0f0b-4d8e-9a55-%012x", runs))
			defer func() { d.end(); d.t = t }()
		}
		sb, req := stolen(steady)
		kb, _ := stolen(shaky)
		steady.trace(req)
		shaky.trace(req)
		final, n := sb.block, 0
		level := func(d *desk) { d.trace(req) } // what a look of the watcher does, on this goroutine
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0:
				if sb.block > final {
					to := final + uint64(rapid.IntRange(0, int(sb.block-final)-1).Draw(rt, "back to"))
					sb.back(steady, to)
					kb.back(shaky, to)
				}
			case 1:
				final = sb.block
				sb.final(steady, final)
				kb.final(shaky, final)
			default:
				var moves []chain.Transfer
				for range rapid.IntRange(0, 3).Draw(rt, "transfers") {
					n++
					from, to := byte(rapid.IntRange(1, 5).Draw(rt, "from")), byte(rapid.IntRange(1, 6).Draw(rt, "to"))
					x := move(fmt.Sprint(n), from, to, uint64(rapid.IntRange(1, 60).Draw(rt, "amount")))
					switch rapid.IntRange(0, 9).Draw(rt, "wraps") {
					case 0:
						x.To = links.AllWrapped()[0].Contract
					case 1:
						x.From = links.AllWrapped()[0].Contract
					case 2:
						x.Kind, x.Asset = chain.KindToken, links.AllWrapped()[0].Token()
					}
					moves = append(moves, x)
				}
				sb.add(steady, slot, slices.Clone(moves)...)
				kb.add(shaky, slot, moves...)
			}
			level(steady)
			switch rapid.IntRange(0, 2).Draw(rt, "shaky") {
			case 0: // down
			case 1:
				level(shaky)
			case 2: // a watcher that is started, sees this and is stopped
				shaky.watch()
				level(shaky)
				shaky.end()
			}
		}
		level(shaky)
		got, want := slices.Sorted(maps.Values(shaky.live())), slices.Sorted(maps.Values(steady.live()))
		if !slices.Equal(got, want) { // their ids are by author
			rt.Fatalf("stated %v\nwant %v", got, want)
		}
		before := len(shaky.own())
		level(shaky)
		if after := len(shaky.own()); after != before+1 { // the run, which was asked for
			rt.Fatalf("%d statements for nothing", after-before-1)
		}
	})
}
