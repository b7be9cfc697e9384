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
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

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
	b := &bench{ctx: context.Background(), dir: dir, rows: rows, opt: generate.Options{Seed: 1, Rows: rows, RandomShare: generate.Mixed}}
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
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(b.figures, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(data, '\n'), 0o644)
}

// figure is one line of the result. Baseline is the limit or the rival
// measured in the same run; Ratio is Value / Baseline.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Baseline float64 `json:"baseline,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"`
	Against  string  `json:"against,omitempty"`
}

func (b *bench) add(name string, value float64, unit string, baseline float64, against string) {
	f := figure{Name: name, Value: value, Unit: unit, Against: against}
	if baseline != 0 {
		f.Baseline, f.Ratio = baseline, value/baseline
	}
	b.figures = append(b.figures, f)
	line := fmt.Sprintf("%-58s %14s %-14s", name, short(value), unit)
	if baseline != 0 {
		line += fmt.Sprintf(" %14s %8.2f  %s", short(baseline), f.Ratio, against)
	}
	fmt.Println(strings.TrimRight(line, " "))
}

func short(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', 2, 64) + " M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'f', 1, 64) + " k"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// processor is the time that this process has had of all processors: beside
// the clock's it shows what others on the machine took.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is a value in kB of /proc/self/status.
func memory(field string) float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(data), "\n") {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb
		}
	}
	return 0
}
