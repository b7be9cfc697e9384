// Package figures is what the benchmark programs share: a table of measured
// figures, printed as it grows and written as JSON, and readings of what this
// process has used. Each figure may stand beside a baseline measured in the
// same run; the ratio is always value divided by baseline, so that for rates
// more is better and for times and sizes less. It measures nothing itself and
// nothing that ships imports it.
package figures

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Figure is one line of a benchmark's file.
type Figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Baseline float64 `json:"baseline,omitempty"` // 0: none
	Ratio    float64 `json:"ratio,omitempty"`    // Value / Baseline
	Against  string  `json:"against,omitempty"`  // what the baseline is
}

// Table gathers figures. The zero Table gathers and prints nothing; it is for
// one goroutine.
type Table struct {
	Out     io.Writer // where lines are printed as they come; nil: nowhere
	figures []Figure
}

// Add appends a figure and prints its line. A baseline of 0 is none.
func (t *Table) Add(name string, value float64, unit string, baseline float64, against string) {
	f := Figure{Name: name, Value: value, Unit: unit, Against: against}
	if baseline != 0 {
		f.Baseline, f.Ratio = baseline, value/baseline
	}
	t.figures = append(t.figures, f)
	if t.Out == nil {
		return
	}
	line := fmt.Sprintf("%-64s %12s %-14s", name, short(value), unit)
	if baseline != 0 {
		line += fmt.Sprintf(" %12s %8.3g  %s", short(baseline), f.Ratio, against)
	}
	fmt.Fprintln(t.Out, strings.TrimRight(line, " "))
}

// Append writes the figures after those that the file holds already. Figures of
// the same names are replaced, so that a program run twice counts once.
func (t *Table) Append(path string) error {
	var held []Figure
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &held)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	held = slices.DeleteFunc(held, func(f Figure) bool {
		return slices.ContainsFunc(t.figures, func(g Figure) bool { return f.Name == g.Name })
	})
	all := Table{figures: append(held, t.figures...)}
	return all.Write(path)
}

// Write writes the figures as a JSON array, with the folder it lies in.
func (t *Table) Write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(t.figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// short writes a figure for the eye; the file has it whole.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', 2, 64) + " M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'f', 1, 64) + " k"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// ProcessorTime is the time that this process has had of all processors, user
// and system: beside the clock's it shows what others on the machine took.
func ProcessorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// PeakMemory is the most memory, in MB of 2^20 bytes, that this process ever
// had resident, files mapped into it included.
func PeakMemory() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Maxrss) / 1024
}
