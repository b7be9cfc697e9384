// Command tracebench measures the tracer on a generated ledger, each figure
// beside a limit measured in the same run, and beside the same job over Pebble
// and by a script in Python on a ledger small enough for these.
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
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

func main() {
	rows := flag.Uint64("rows", 50_000_000, "rows of the generated ledger")
	rival := flag.Uint64("rival", 2_000_000, "rows of the ledger on which Pebble does the same jobs, at most")
	script := flag.Uint64("script", 500_000, "rows of the ledger on which the script with networkx does the same job, at most")
	hubRows := flag.Uint64("hub", 10_000_000, "transfers of the hub, at most a fifth of rows")
	dir := flag.String("dir", "", "folder for the ledgers, kept and reused (default: a temporary one)")
	out := flag.String("out", "build/bench/trace.json", "where the figures go")
	profile := flag.String("cpuprofile", "", "write a processor profile of what is measured")
	only := flag.String("only", "", "measure one part: large, questions, backward, thousand, together, methods, hub, pebble or networkx")
	flag.Parse()
	b := &bench{
		Table: &figures.Table{Out: os.Stdout}, ctx: context.Background(), rows: *rows, dir: *dir, profile: *profile, only: *only,
		rival: min(*rival, *rows), script: min(*script, *rows), hubRows: max(min(*hubRows, *rows/5), 10*hubTheft),
	}
	if err := b.run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "tracebench:", err)
		os.Exit(1)
	}
}

// bench is one ledger and what is measured on it.
type bench struct {
	*figures.Table
	ctx     context.Context
	dir     string // of all ledgers
	rows    uint64 // of the generated ledger
	rival   uint64
	script  uint64
	hubRows uint64
	profile string
	only    string

	folder string // of the open ledger
	bytes  uint64 // of its files
	l      *ledger.Ledger
	r      ledger.Reader
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
	main, err := b.generated(b.rows)
	if err != nil {
		return err
	}
	defer main.close()
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
	}{
		{"large", main.large},
		{"questions", main.questions},
		{"backward", main.backward},
		{"thousand", main.thousand},
		{"together", main.together},
		{"methods", main.methods},
		{"hub", b.hub},
		{"pebble", b.pebble},
		{"networkx", b.networkx},
	} {
		if b.only != "" && b.only != step.name {
			continue
		}
		if err := step.run(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		settle()
	}
	return b.Write(out)
}

// generated opens a generated ledger of some rows.
func (b *bench) generated(rows uint64) (*bench, error) {
	return b.open(filepath.Join(b.dir, fmt.Sprintf("rows-%d", rows)), rows, func(add func([]ledger.EVMTransfer) error) error {
		g := generate.New(generate.Options{Seed: 1, Rows: rows, RandomShare: generate.Mixed})
		batch := make([]ledger.EVMTransfer, 1<<14)
		for n := g.Next(batch); n > 0; n = g.Next(batch) {
			if err := add(batch[:n]); err != nil {
				return err
			}
		}
		return nil
	})
}

// open opens a ledger, made by fill where an earlier run has not left it.
func (b *bench) open(dir string, rows uint64, fill func(add func([]ledger.EVMTransfer) error) error) (*bench, error) {
	start := time.Now()
	l, err := ledger.Open(b.ctx, dir, ledger.Options{})
	if err != nil {
		return nil, err
	}
	held := *b
	held.l, held.folder, held.rows = l, dir, rows
	if c, err := held.look(); err != nil {
		l.Close()
		return nil, err
	} else if c.Rows == rows {
		return &held, nil
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU()))
	im, err := l.Begin(b.ctx, "generated")
	if err == nil {
		err = fill(func(batch []ledger.EVMTransfer) error { return im.AddEVM(chain.Ethereum, batch) })
	}
	if err == nil {
		_, err = im.Commit(b.ctx)
	}
	if err == nil {
		held.r.Close()
		_, err = held.look()
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	fmt.Printf("built a ledger of %d rows in %s\n", rows, time.Since(start).Round(time.Second))
	return &held, nil
}

// look opens a reader on what the ledger holds now.
func (b *bench) look() (c ledger.Coverage, err error) {
	if b.r, err = b.l.Reader(b.ctx); err != nil {
		return c, err
	}
	if c, err = b.r.Coverage(b.ctx, chain.Ethereum); err != nil {
		return c, err
	}
	b.bytes = 0
	return c, filepath.WalkDir(b.folder, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			b.bytes += uint64(info.Size())
		}
		return err
	})
}

func (b *bench) close() {
	b.r.Close()
	b.l.Close()
}
