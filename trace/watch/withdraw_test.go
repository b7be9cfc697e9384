package watch_test

import (
	"testing"

	"bongsu/chain"
	"bongsu/journal"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"
)

// incident states the theft, or takes it back.
func (d *desk) incident(t *testing.T, theft trace.Theft, revoked bool) {
	t.Helper()
	now := d.clock()
	o, err := findings.Incident(stix.Common{Author: d.keys.ID(), Created: now, Modified: now, Marking: stix.TLPGreen, Revoked: revoked}, theft, chain.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.journal.Append(t.Context(), []journal.Draft{{Object: o}}); err != nil {
		t.Fatal(err)
	}
}

// When a theft is taken back, so is all that was said of it, and it is watched
// no more; stated and traced again it is watched again.
func TestTakenBack(t *testing.T) {
	d := newDesk(t)
	b, req := stolen(d)
	d.incident(t, req.Thefts[0], false)
	d.trace(req)
	d.watch()
	b.add(d, slot, move("a", 1, 3, 40))
	told := []string{"moved #3 40 in block 3 provisional"}
	d.expect(told...)

	d.incident(t, req.Thefts[0], true)
	told = append(told, "moved #3 40 in block 3 provisional revoked")
	d.expect(told...)
	d.until("all is taken back", func() bool { return len(d.live()) == 0 })
	b.add(d, slot, move("b", 3, 4, 10))
	b.final(d, b.block)
	d.end()
	d.watch() // a watcher that starts afterwards has nothing to do, either
	b.add(d, slot, move("c", 3, 5, 10))
	d.expect(told...)
	last := d.own()[len(d.own())-1]
	if r, err := stix.ReadRun(last); err != nil || !last.Revoked || r.Theft != d.theft {
		t.Errorf("the run stands: %+v %v", last, err)
	}
	if err := d.journal.Update(t.Context(), d.rebuild); err != nil {
		t.Fatal(err)
	}
	d.expect(told...)

	d.incident(t, req.Thefts[0], false)
	d.trace(req)
	d.until("what lies where is said again", func() bool { return len(d.live()) > 0 })
	b.add(d, slot, move("d", 3, 6, 5))
	d.until("it is watched again", func() bool {
		h := d.history()
		return len(h) > 0 && h[len(h)-1] == "moved #6 5 in block 6 provisional"
	})
}
