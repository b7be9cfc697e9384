// Command bench measures the embedded ledger: every figure beside a limit
// measured in the same run, or beside Pebble holding the same rows.
//
//	ROWS=1000000 go run ./ledger/bench
//
// It prints a table and writes build/bench/ledger.json. Figures depend on the
// machine and on who shares it: read the ratios.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

func main() {
	rows := uint64(1_000_000)
	if s := os.Getenv("ROWS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || n == 0 {
			fmt.Fprintln(os.Stderr, "bench: ROWS: not a number of rows:", s)
			os.Exit(2)
		}
		rows = n
	}
	out := flag.String("out", "build/bench/ledger.json", "where the figures go")
	dir := flag.String("dir", "", "folder for the ledgers (default: a temporary one)")
	pebbleRows := flag.Uint64("pebble", 1_000_000, "at most so many rows go into Pebble")
	only := flag.String("only", "", "comma-separated steps to run (default: all); without import, -dir must hold the ledger of an earlier run")
	csv := flag.String("csv", "", "file of token transfers to import; made when missing, and kept (default: a temporary one)")
	profile := flag.String("cpuprofile", "", "write a processor profile into this file, of the steps but import unless that is the only one")
	boundMB := flag.Uint64("bound", 0, "memory in MB of the step bound, which reads the ledger of an earlier import")
	read := flag.Bool("read", false, "used by the step bound: read only, and print what it took")
	group := flag.String("group", "", "used by the step bound: control group to join")
	flag.Parse()
	s := settings{rows, *pebbleRows, *boundMB, *dir, *csv, *out, *only, *profile}
	work := func() error { return run(s) }
	if *read {
		work = func() error { return newBench(s).readHere(*group) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are what the command line says.
type settings struct {
	rows, pebbleRows, boundMB    uint64
	dir, csv, out, only, profile string
}

type step struct {
	name  string
	do    func() error
	reads bool // the ledger that the step import leaves
}

// chosen are the steps that only names, or all.
func chosen(all []step, only string) ([]step, error) {
	if only == "" {
		return all, nil
	}
	var out []step
	for _, name := range strings.Split(only, ",") {
		i := slices.IndexFunc(all, func(s step) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no step %q", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// holdsRows says that a step reads the ledger of an earlier run and there is none.
func (b *bench) holdsRows(steps []step) error {
	for _, s := range steps {
		if s.name == "import" {
			return nil
		}
		if !s.reads {
			continue
		}
		at := filepath.Join(b.dir, "main")
		d, err := ledger.Describe(b.ctx, at)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || d.Rows == 0 {
			return fmt.Errorf("step %s: the ledger in %s is empty: run the step import first, with the same -dir", s.name, at)
		}
		return nil
	}
	return nil
}

func newBench(s settings) *bench {
	return &bench{
		Table: figures.Table{Out: os.Stdout}, ctx: context.Background(), dir: s.dir, csv: s.csv, rows: s.rows, boundMB: s.boundMB,
		opt: generate.Options{Seed: 1, Rows: s.rows, RandomShare: generate.Mixed},
	}
}

func run(s settings) error {
	if s.dir == "" {
		var err error
		if s.dir, err = os.MkdirTemp("", "bench-ledger-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.dir)
	} else if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	b := newBench(s)
	all := []step{
		{"import", b.importCSV, false},
		{"opening", b.opening, true},
		{"sizes", b.sizes, true},
		{"activity", b.activity, true},
		{"hub", b.hub, true},
		{"balances", b.balances, true},
		{"scan", b.scan, true},
		{"live", b.liveBlocks, false},
		{"beside", b.beside, false},
		{"files", b.importFiles, false},
		{"amounts", b.amountKinds, false},
		{"coins", b.coins, false},
		{"pebble", func() error { return b.pebble(min(s.rows, s.pebbleRows)) }, false},
	}
	if s.boundMB > 0 {
		all = append(all, step{"bound", b.bound, true})
	}
	steps, err := chosen(all, s.only)
	if err != nil {
		return err
	}
	if err := b.holdsRows(steps); err != nil {
		return err
	}
	stop := func() {}
	defer func() { stop() }()
	for i, step := range steps {
		if s.profile != "" && (i == 0 && (step.name != "import" || len(steps) == 1) || i == 1 && steps[0].name == "import") {
			if stop, err = profile(s.profile); err != nil {
				return err
			}
		}
		if err := step.do(); err != nil {
			return err
		}
		runtime.GC()
		debug.FreeOSMemory()
	}
	return b.Write(s.out)
}

// profile starts a processor profile and gives what ends it.
func profile(name string) (stop func(), err error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}
