// Command tracebench measures the tracer on a generated ledger, each figure
// beside a limit measured in the same run.
//
//	go run ./trace/tracebench -rows 5000000
//
// It prints a table and writes build/bench/trace.json. Rates are per second of
// processor time on one core, because machines are shared; read the ratios.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
	"bongsu/trace"
)

func main() {
	rows := flag.Uint64("rows", 50_000_000, "rows of the generated ledger")
	dir := flag.String("dir", "", "folder for the ledger, kept and reused (default: a temporary one)")
	out := flag.String("out", "build/bench/trace.json", "where the figures go")
	profile := flag.String("cpuprofile", "", "write a processor profile of what is measured")
	rival := flag.Uint64("rival", 5_000_000, "largest ledger on which Pebble and networkx do the same job")
	only := flag.String("only", "", "measure one part: large, thousand, together, methods, pebble or networkx")
	flag.Parse()
	b := &bench{Table: figures.Table{Out: os.Stdout}, ctx: context.Background(), rows: *rows, dir: *dir, profile: *profile, only: *only, rival: *rival}
	if err := b.run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "tracebench:", err)
		os.Exit(1)
	}
}

type bench struct {
	figures.Table
	ctx     context.Context
	rows    uint64
	dir     string
	profile string
	only    string
	rival   uint64
	r       ledger.Reader
}

func (b *bench) run(out string) error {
	if b.dir == "" {
		dir, err := os.MkdirTemp("", "tracebench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		b.dir = dir
	}
	l, err := b.build()
	if err != nil {
		return err
	}
	defer l.Close()
	if b.r, err = l.Reader(b.ctx); err != nil {
		return err
	}
	defer b.r.Close()
	runtime.GOMAXPROCS(1)
	if b.profile != "" {
		f, err := os.Create(b.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for _, step := range []struct {
		name string
		run  func() error
	}{{"large", b.large}, {"thousand", b.thousand}, {"together", b.together}, {"methods", b.methods}, {"pebble", b.pebble}, {"networkx", b.networkx}} {
		if b.only != "" && b.only != step.name {
			continue
		}
		if err := step.run(); err != nil {
			return err
		}
		runtime.GC()
		debug.FreeOSMemory()
	}
	return b.Write(out)
}

// build makes the ledger, or opens the one that an earlier run left in -dir.
func (b *bench) build() (*ledger.Ledger, error) {
	start := time.Now()
	l, err := ledger.Open(b.ctx, b.dir, ledger.Options{})
	if err != nil {
		return nil, err
	}
	r, err := l.Reader(b.ctx)
	if err != nil {
		return nil, err
	}
	c, err := r.Coverage(b.ctx, chain.Ethereum)
	r.Close()
	if err == nil && c.Rows == b.rows {
		return l, nil
	}
	im, err := l.Begin(b.ctx, "generated")
	if err != nil {
		return nil, err
	}
	g := generate.New(generate.Options{Seed: 1, Rows: b.rows, RandomShare: generate.Mixed})
	batch := make([]ledger.EVMTransfer, 1<<14)
	for n := g.Next(batch); n > 0; n = g.Next(batch) {
		if err := im.AddEVM(chain.Ethereum, batch[:n]); err != nil {
			return nil, err
		}
	}
	if _, err := im.Commit(b.ctx); err != nil {
		return nil, err
	}
	fmt.Printf("built a ledger of %d rows in %s\n", b.rows, time.Since(start).Round(time.Second))
	return l, nil
}

// take lists the first n transfers of a token from a share of the ledger on,
// as a theft's.
func (b *bench) take(token uint64, from float64, n int) ([]chain.Transfer, error) {
	asset := chain.Token(chain.EVM(chain.Ethereum, generate.Address(token, true)))
	refs, err := b.r.AssetRefs(b.ctx, []chain.Asset{asset})
	if err != nil {
		return nil, err
	}
	c, err := b.r.Coverage(b.ctx, chain.Ethereum)
	if err != nil {
		return nil, err
	}
	first := c.FirstBlock + uint64(from*float64(c.LastBlock-c.FirstBlock))
	var rows []ledger.Row
	err = b.r.Scan(b.ctx, chain.Ethereum, ledger.AtBlock(chain.Ethereum, first), ledger.Key{}, func(batch []ledger.Row) error {
		for i := range batch {
			if w := &batch[i]; w.Asset == refs[0] && w.From != w.To && !w.Amount.IsZero() {
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

// timed follows a request until a run took the least of some tries.
func (b *bench) timed(req trace.Request, tries int) (*trace.Run, time.Duration, error) {
	var run *trace.Run
	best := time.Duration(1 << 62)
	for range tries {
		start := figures.ProcessorTime()
		var err error
		if run, err = trace.Follow(b.ctx, b.r, nil, req); err != nil {
			return nil, 0, err
		}
		best = min(best, figures.ProcessorTime()-start)
	}
	return run, best, nil
}

// large follows the busiest token from the ledger's start: everything that
// moves it comes by.
func (b *bench) large() error {
	stolen, err := b.take(0, 0, 200)
	if err != nil {
		return err
	}
	req := trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "large", Transfers: stolen}}}
	if _, _, err := b.timed(req, 1); err != nil { // warm
		return err
	}
	run, took, err := b.timed(req, 2)
	if err != nil {
		return err
	}
	naive := naiveLoop(int(run.Read), run.Result.Accounts+1, b.rows)
	b.Add("exact time-ordered tracing, fifo", float64(run.Read)/took.Seconds(), "transfers/s", naive, "heap step and two dependent random reads")
	b.Add("  transfers read", float64(run.Read), "", 0, "")
	b.Add("  accounts that received taint", float64(run.Result.Accounts), "", 0, "")
	b.Add("  highest resident memory so far", figures.PeakMemory(), "MB", 0, "")
	return nil
}

// naiveLoop is what any time-ordered walk costs: for each step, the least of a
// heap is replaced, and two reads of memory depend on each other.
func naiveLoop(steps, cursors int, rows uint64) float64 {
	memory := make([]uint64, max(rows, 1<<20))
	x := uint64(88172645463325252)
	for i := range memory {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		memory[i] = x
	}
	heap := make([]uint64, cursors)
	for i := range heap {
		heap[i] = uint64(i)
	}
	start := figures.ProcessorTime()
	for range steps {
		at := memory[heap[0]%uint64(len(memory))]
		at = memory[at%uint64(len(memory))]
		heap[0] += at%1024 + 1
		for i := 0; ; {
			c := 2*i + 1
			if c >= len(heap) {
				break
			}
			if c+1 < len(heap) && heap[c+1] < heap[c] {
				c++
			}
			if heap[c] >= heap[i] {
				break
			}
			heap[i], heap[c] = heap[c], heap[i]
			i = c
		}
	}
	return float64(steps) / (figures.ProcessorTime() - start).Seconds()
}

// thousand is a theft that touches about a thousand accounts.
func (b *bench) thousand() error {
	for n := 8; n <= 4096; n *= 2 {
		stolen, err := b.take(400, .5, n)
		if err != nil {
			return err
		}
		run, took, err := b.timed(trace.Request{Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}, 5)
		if err != nil {
			return err
		}
		if run.Result.Accounts >= 1000 || len(stolen) < n {
			b.Add("a theft that touches some 1,000 accounts", took.Seconds()*1e3, "ms", 10, "goal")
			_, bare, err := b.timed(trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}, 5)
			if err != nil {
				return err
			}
			b.Add("  without the search for bait", bare.Seconds()*1e3, "ms", 10, "goal")
			b.Add("  accounts", float64(run.Result.Accounts), "", 0, "")
			b.Add("  transfers read", float64(run.Read), "", 0, "")
			return nil
		}
	}
	return nil
}

// together is a thousand thefts at once, beside one theft of the same
// transfers.
func (b *bench) together() error {
	stolen, err := b.take(300, .5, 1000)
	if err != nil {
		return err
	}
	one := trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "one", Transfers: stolen}}}
	many := trace.Request{SkipAside: true}
	for i := range stolen {
		many.Thefts = append(many.Thefts, trace.Theft{ID: fmt.Sprintf("theft-%04d", i), Transfers: stolen[i : i+1]})
	}
	_, single, err := b.timed(one, 3)
	if err != nil {
		return err
	}
	_, all, err := b.timed(many, 3)
	if err != nil {
		return err
	}
	b.Add("1,000 thefts at once", all.Seconds()*1e3, "ms", single.Seconds()*1e3, "one theft of the same transfers")
	return nil
}

// methods is the same theft by every method.
func (b *bench) methods() error {
	stolen, err := b.take(20, .5, 50)
	if err != nil {
		return err
	}
	for _, m := range trace.Methods() {
		run, took, err := b.timed(trace.Request{SkipAside: true, Method: m, Bounds: trace.Bounds{MaxHops: 6}, Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}, 1)
		if err != nil {
			return err
		}
		b.Add("tracing by "+string(m)+", six hops", float64(run.Read)/took.Seconds(), "transfers/s", 0, "")
	}
	return nil
}
