package main

import (
	"bongsu/chain"
	"bongsu/errs"
	"bongsu/figures"
	"bongsu/trace"
	"bongsu/trace/explain"
)

// asked is how often a question is asked: the least counts.
const asked = 5

// processor is the least processor time in milliseconds that a question took.
func processor(ask func() error) (ms float64, err error) {
	for i := range asked {
		start := figures.ProcessorTime()
		if err := ask(); err != nil {
			return 0, err
		}
		if took := (figures.ProcessorTime() - start).Seconds() * 1e3; i == 0 || took < ms {
			ms = took
		}
	}
	return ms, nil
}

// questions is what is asked of a trace that was made: the best ways to an
// account far away, and the steps behind what lies there.
func (b *bench) questions() error {
	req, err := b.largeRequest()
	if err != nil {
		return err
	}
	run, err := trace.Follow(b.ctx, b.r, nil, req)
	if err != nil {
		return err
	}
	far, ok := farthest(run)
	if !ok {
		return errs.New("tracebench", errs.NotExist, "", "nothing of the large theft lies anywhere", "give the ledger more rows")
	}
	pass, err := processor(func() error { widestHop(run); return nil })
	if err != nil {
		return err
	}
	for _, by := range []trace.Measure{trace.Shortest, trace.Widest} {
		var way trace.Way
		took, err := processor(func() (err error) {
			way, err = run.Way(chain.Account{}, far, by)
			return err
		})
		if err != nil {
			return err
		}
		b.Add("the "+string(by)+" path to an account far away", took, "ms", pass, onePass)
		b.Add("  its transfers", float64(len(way.Steps)), "", 0, "")
	}
	var x *explain.Explanation
	took, err := processor(func() (err error) {
		x, err = explain.Of(run, req.Thefts[0].ID, far)
		return err
	})
	if err != nil {
		return err
	}
	b.Add("the steps behind what lies there", took, "ms", pass, onePass)
	b.Add("  steps", float64(len(x.Steps)), "", 0, "")
	b.Add("  flows of the trace", float64(len(run.Flows)), "", 0, "")
	return nil
}

const onePass = "one pass over all flows and what each drew on"

// farthest is the account whose money that lies there came by the most hops.
func farthest(run *trace.Run) (far chain.Account, ok bool) {
	hops := -1
	for _, l := range run.Lots {
		if f := &run.Flows[l.Flow]; f.Hop > hops {
			far, hops, ok = l.Account, f.Hop, true
		}
	}
	return far, ok
}

// widestHop reads every flow and the amounts of those that it drew on: no
// question about a way can read less, unless it keeps an index.
func widestHop(run *trace.Run) (most chain.Amount) {
	for i := range run.Flows {
		f := &run.Flows[i]
		for _, p := range f.Parents {
			if a := f.Origin.Min(run.Flows[p].Origin); most.Less(a) {
				most = a
			}
		}
	}
	return most
}

// backward asks where late deposits of a quiet token came from.
func (b *bench) backward() error {
	deposits, err := b.take([]uint64{40}, .9, lateDeposits)
	if err != nil {
		return err
	}
	req := trace.Request{SkipAside: true, Backward: true, Bounds: trace.Bounds{MaxHops: backHops}, Thefts: []trace.Theft{{ID: "deposits", Transfers: deposits}}}
	run, took, _, err := b.timed(req, asked)
	if err != nil {
		return err
	}
	n := float64(len(deposits))
	b.Add("where a deposit came from, six hops back", took.Seconds()*1e3/n, "ms", 0, "")
	b.Add("  transfers read for one", float64(run.Read)/n, "", 0, "")
	b.Add("  places that contributed to one", float64(len(run.Result.Holdings)+len(run.Result.Unfollowed))/n, "", 0, "")
	return nil
}

const (
	lateDeposits = 20 // that are asked about together, because one may have come from nowhere
	backHops     = 6  // how far back they are looked into
)
