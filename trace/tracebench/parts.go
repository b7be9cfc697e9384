package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
	"bongsu/trace"
)

// take lists the first n transfers of some tokens from a share of the ledger
// on, as a theft's.
func (b *bench) take(tokens []uint64, from float64, n int) ([]chain.Transfer, error) {
	var names []chain.Asset
	for _, t := range tokens {
		names = append(names, chain.Token(chain.EVM(chain.Ethereum, generate.Address(t, true))))
	}
	refs, err := b.r.AssetRefs(b.ctx, names)
	if err != nil {
		return nil, err
	}
	wanted := map[ledger.AssetRef]bool{}
	for _, ref := range refs {
		wanted[ref] = true
	}
	c, err := b.r.Coverage(b.ctx, chain.Ethereum)
	if err != nil {
		return nil, err
	}
	first := c.FirstBlock + uint64(from*float64(c.LastBlock-c.FirstBlock))
	var rows []ledger.Row
	err = b.r.Scan(b.ctx, chain.Ethereum, ledger.AtBlock(chain.Ethereum, first), ledger.Key{}, func(batch []ledger.Row) error {
		for i := range batch {
			if w := &batch[i]; wanted[w.Asset] && w.From != w.To && !w.Amount.IsZero() {
				rows = append(rows, *w)
			}
		}
		if len(rows) >= n {
			return errEnough
		}
		return nil
	})
	if err != nil && err != errEnough {
		return nil, err
	}
	return ledger.Expand(b.ctx, b.r, rows[:min(n, len(rows))])
}

var errEnough = fmt.Errorf("enough")

// timed follows a request until a run took the least of some tries: processor
// time, and the clock's.
func (b *bench) timed(req trace.Request, tries int) (run *trace.Run, took, clock time.Duration, err error) {
	took, clock = 1<<62, 1<<62
	for range tries {
		start, now := figures.ProcessorTime(), time.Now()
		if run, err = trace.Follow(b.ctx, b.r, nil, req); err != nil {
			return nil, 0, 0, err
		}
		took, clock = min(took, figures.ProcessorTime()-start), min(clock, time.Since(now))
		runtime.GC()
	}
	return run, took, clock, nil
}

// onAllCores is timed's clock where the digest of what is read has a core beside
// the simulation's.
func (b *bench) onAllCores(req trace.Request, tries int) (time.Duration, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU()))
	_, _, clock, err := b.timed(req, tries)
	return clock, err
}

// busiest are the tokens that the large trace follows: four that move in two
// of ten transfers.
var busiest = []uint64{0, 1, 2, 3}

// large follows a theft of busy tokens from the ledger's start: everything that
// moves them comes by.
func (b *bench) largeRequest() (trace.Request, error) {
	stolen, err := b.take(busiest, 0, 1000)
	return trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "large", Transfers: stolen}}}, err
}

func (b *bench) large() error {
	req, err := b.largeRequest()
	if err != nil {
		return err
	}
	if _, _, _, err := b.timed(req, 1); err != nil { // warm
		return err
	}
	run, took, clock, err := b.timed(req, 3)
	if err != nil {
		return err
	}
	rate := float64(run.Read) / took.Seconds()
	b.Add("exact time-ordered tracing, fifo, one core", rate, "transfers/s", 2e6, "goal")
	b.Add("  beside the naive loop", rate, "transfers/s", naiveLoop(int(run.Read), run.Result.Accounts, b.bytes), "heap step and two dependent random reads of "+mega(b.bytes))
	b.Add("  by the clock", float64(run.Read)/clock.Seconds(), "transfers/s", 0, "")
	if clock, err = b.onAllCores(req, 3); err != nil {
		return err
	}
	b.Add("  by the clock, digested on a second core", float64(run.Read)/clock.Seconds(), "transfers/s", 2e6, "goal for one")
	b.Add("  transfers read", float64(run.Read), "", 0, "")
	b.Add("  accounts that received taint", float64(run.Result.Accounts), "", 0, "")
	return b.memory("  memory of a live lot", req)
}

func mega(bytes uint64) string { return strconv.FormatUint(bytes>>20, 10) + " MB" }

// memory is what the simulation of a request holds, for each lot that lies in
// a book at its end: lots, books, parties and the record of flows.
func (b *bench) memory(name string, req trace.Request) error {
	before := heap()
	return trace.Hold(b.ctx, b.r, nil, req, func(u trace.Usage) {
		held := float64(heap() - before)
		b.Add(name+", its record and its queue's slack", float64(u.Room)/float64(u.Lots), "bytes", 200, "goal")
		b.Add(name+", with all that the simulation holds", held/float64(u.Lots), "bytes", 200, "goal")
		b.Add("  lots", float64(u.Lots), "", 0, "")
		b.Add("  books", float64(u.Books), "", 0, "")
		b.Add("  flows", float64(u.Flows), "", 0, "")
	})
}

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// settle gives back to the system what earlier parts used.
func settle() {
	runtime.GC()
	debug.FreeOSMemory()
}

// thousandRequest is a theft that touches about a thousand accounts.
func (b *bench) thousandRequest() (req trace.Request, err error) {
	for n := 8; n <= 4096; n *= 2 {
		stolen, err := b.take([]uint64{400}, .5, n)
		if err != nil {
			return req, err
		}
		req = trace.Request{Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}
		run, err := trace.Follow(b.ctx, b.r, nil, req)
		if err != nil || run.Result.Accounts >= 1000 || len(stolen) < n {
			return req, err
		}
	}
	return req, nil
}

func (b *bench) thousand() error {
	req, err := b.thousandRequest()
	if err != nil {
		return err
	}
	run, took, clock, err := b.timed(req, 9)
	if err != nil {
		return err
	}
	b.Add("a theft that touches some 1,000 accounts", took.Seconds()*1e3, "ms", 10, "goal")
	b.Add("  by the clock", clock.Seconds()*1e3, "ms", 10, "goal")
	req.SkipAside = true
	_, bare, _, err := b.timed(req, 9)
	if err != nil {
		return err
	}
	b.Add("  without the search for bait", bare.Seconds()*1e3, "ms", 10, "goal")
	b.Add("  transfers of the theft", float64(len(req.Thefts[0].Transfers)), "", 0, "")
	b.Add("  accounts that received taint", float64(run.Result.Accounts), "", 0, "")
	b.Add("  transfers followed, the theft's included", float64(run.Result.Transfers), "", 0, "")
	b.Add("  transfers read", float64(run.Read), "", 0, "")
	return nil
}

// togetherRequests are a theft of a thousand transfers, and a thousand thefts
// of one each.
func (b *bench) togetherRequests() (one, many trace.Request, err error) {
	stolen, err := b.take([]uint64{300}, .5, 1000)
	one = trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "one", Transfers: stolen}}}
	many = trace.Request{SkipAside: true}
	for i := range stolen {
		many.Thefts = append(many.Thefts, trace.Theft{ID: fmt.Sprintf("theft-%04d", i), Transfers: stolen[i : i+1]})
	}
	return one, many, err
}

func (b *bench) together() error {
	one, many, err := b.togetherRequests()
	if err != nil {
		return err
	}
	_, single, _, err := b.timed(one, 5)
	if err != nil {
		return err
	}
	_, all, _, err := b.timed(many, 5)
	if err != nil {
		return err
	}
	b.Add("1,000 thefts at once", all.Seconds()*1e3, "ms", single.Seconds()*1e3, "one theft of the same transfers")
	return nil
}

// methods is the same theft by every method. One that spreads the money further
// than a run may hold is told by that.
func (b *bench) methods() error {
	stolen, err := b.take([]uint64{20}, .5, 50)
	if err != nil {
		return err
	}
	for _, m := range trace.Methods() {
		name := "tracing by " + string(m) + ", six hops"
		settle()
		memory := figures.WatchMemory()
		run, took, _, err := b.timed(trace.Request{SkipAside: true, Method: m, Bounds: trace.Bounds{MaxHops: 6}, Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}, 2)
		own, _ := memory.End()
		if errs.Is(err) == errs.Limit {
			b.Add(name+": ended at the limit of flows", trace.MaxFlows, "", 0, "")
			continue
		}
		if err != nil {
			return err
		}
		b.Add(name, float64(run.Read)/took.Seconds(), "transfers/s", 0, "")
		b.Add("  flows", float64(len(run.Flows)), "", 0, "")
		b.Add("  peak memory", own, "MB", 0, "")
	}
	return nil
}
