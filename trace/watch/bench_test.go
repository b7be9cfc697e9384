package watch_test

import (
	"context"
	"fmt"
	"testing"

	"bongsu/chain"
	"bongsu/labels"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/watch"
)

// BenchmarkBlock is what one block costs that moves one of the thousand
// holdings of a watched theft.
func BenchmarkBlock(b *testing.B) {
	d := newDesk(b)
	br := newBranch()
	br.add(d, slot)
	theft := move("theft", 1, 2, 1_000_000)
	br.add(d, slot, theft)
	theft.Block, theft.Time = br.block, br.time
	who := func(n int) chain.Account {
		return chain.EVM(chain.Ethereum, [20]byte{100, byte(n >> 16), byte(n >> 8), byte(n)})
	}
	var fan []chain.Transfer
	for n := range 1000 {
		t := move(fmt.Sprint("fan ", n), 2, 3, 1000)
		t.To = who(n)
		fan = append(fan, t)
	}
	br.add(d, slot, fan...)
	req := trace.Request{Thefts: []trace.Theft{{ID: theftID, Title: "T", Transfers: []chain.Transfer{theft}}}}
	d.trace(req)
	ctx := context.Background()
	r, err := d.ledger.Reader(ctx)
	if err != nil {
		b.Fatal(err)
	}
	w, err := trace.NewWatch(ctx, r, labels.NewSet(nil), req)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	var known *trace.Run
	for n := range b.N {
		t := move(fmt.Sprint("move ", n), 3, 4, 1000)
		t.From, t.To = who(n%1000), who(1000+n)
		br.add(d, slot, t)
		r, err := d.ledger.Reader(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Advance(ctx, r); err != nil {
			b.Fatal(err)
		}
		said, err := watch.State(ctx, watch.Saying{
			Journal: d.journal, View: d.view, Traces: d.traces, Known: known, Now: d.clock(), Marking: stix.TLPGreen,
		}, r, w.Run())
		if err != nil || len(said) == 0 {
			b.Fatal(said, err)
		}
		known = w.Run()
		r.Close() //nolint:errcheck // read only
	}
}
