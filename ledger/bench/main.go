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
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"bongsu/figures"
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
	flag.Parse()
	if err := run(rows, *pebbleRows, *dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rows, pebbleRows uint64, dir, out string) error {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "bench-ledger-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	b := &bench{Table: figures.Table{Out: os.Stdout}, ctx: context.Background(), dir: dir, rows: rows, opt: generate.Options{Seed: 1, Rows: rows, RandomShare: generate.Mixed}}
	steps := []func() error{
		b.importCSV, b.opening, b.sizes, b.activity, b.balances, b.scan, b.liveBlocks, b.amountKinds,
		func() error { return b.pebble(min(rows, pebbleRows)) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		runtime.GC()
		debug.FreeOSMemory()
	}
	return b.Write(out)
}
