// Command ingestbench measures what an import costs before the ledger: each
// table of ethereum-etl from its file to facts that nobody keeps, beside reading
// the file alone, and the whole command `bongsu import` beside a splitter that
// checks nothing.
//
//	ROWS=2000000 go run ./ingest/ingestbench -bongsu build/bongsu -into build/bench/ledger.json
//
// The figure to read is processor time, which others on the machine change
// least. The files are generated from a seed; no real account is in them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"bongsu/figures"
	"bongsu/ingest"
	"bongsu/ingest/tables"
)

func main() {
	rows := 1_000_000
	if s := os.Getenv("ROWS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n <= 0 {
			fmt.Fprintln(os.Stderr, "ingestbench: ROWS: not a number of rows:", s)
			os.Exit(2)
		}
		rows = n
	}
	b := &bench{Table: figures.Table{Out: os.Stdout}, rows: rows}
	flag.StringVar(&b.binary, "bongsu", "", "the built command; without it, only reading is measured")
	flag.StringVar(&b.only, "only", "", "measure this table alone")
	into := flag.String("into", "build/bench/ingest.json", "the list of figures to add to")
	flag.Parse()
	if err := b.run(*into); err != nil {
		fmt.Fprintln(os.Stderr, "ingestbench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	figures.Table
	dir    string
	rows   int
	binary string
	only   string
}

func (b *bench) run(into string) error {
	dir, err := os.MkdirTemp("", "bench-ingest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	for _, t := range generated() {
		if b.only != "" && b.only != t.name {
			continue
		}
		if err := b.table(t); err != nil {
			return err
		}
	}
	return b.Append(into)
}

// table measures one table, and removes its file.
func (b *bench) table(t generatedTable) error {
	file := filepath.Join(b.dir, t.name)
	if err := t.write(file, b.rows); err != nil {
		return err
	}
	defer os.Remove(file)
	parsed, err := b.parsing(file)
	if err != nil {
		return err
	}
	name := "processor time of " + t.name + " before the ledger"
	if t.split == nil {
		read, err := b.reading(file)
		b.Add(name, parsed, "ns/row", read, "reading the file's bytes alone")
		return err
	}
	start := figures.ProcessorTime()
	if n, err := t.split(file); err != nil || n != b.rows {
		return fmt.Errorf("the splitter found %d rows: %w", n, err)
	}
	alone := b.perRow(figures.ProcessorTime() - start)
	b.Add(name, parsed, "ns/row", alone, "the same file split and decoded, nothing checked")
	if b.binary == "" {
		return nil
	}
	return b.command(file, 1e9/alone)
}

// reading is the processor time a row of reading the file and nothing else.
func (b *bench) reading(file string) (float64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 1<<18)
	start := figures.ProcessorTime()
	for err == nil {
		_, err = f.Read(buf)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b.perRow(figures.ProcessorTime() - start), err
}

// parsing is the processor time a row of an import into nothing.
func (b *bench) parsing(file string) (float64, error) {
	runtime.GC()
	start := figures.ProcessorTime()
	rep, err := ingest.Run(context.Background(), nothing{}, []ingest.Source{{Name: file}}, ingest.Options{Formats: tables.Formats(), TempDir: b.dir})
	if err == nil && rep.Rows != int64(b.rows) {
		err = fmt.Errorf("%s: %d rows were read of %d", file, rep.Rows, b.rows)
	}
	return b.perRow(figures.ProcessorTime() - start), err
}

// command measures `bongsu import` of the file into an empty ledger, beside the
// rows a second of the splitter.
func (b *bench) command(file string, alone float64) error {
	data := filepath.Join(b.dir, "node")
	if out, err := exec.Command(b.binary, "init", "--data", data, "--name", "Bench").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	cmd := exec.Command(b.binary, "import", "--data", data, "--json", file)
	start := time.Now()
	out, err := cmd.Output()
	took := time.Since(start)
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return err
	}
	var rep ingest.Report
	if err := json.Unmarshal(out, &rep); err != nil || rep.Added != uint64(b.rows) {
		return fmt.Errorf("the command added %d rows of %d: %w", rep.Added, b.rows, err)
	}
	u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("the system does not tell what the command used")
	}
	spent := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	name := "bongsu import " + filepath.Base(file)
	b.Add(name, float64(b.rows)/took.Seconds(), "rows/s", alone, "the same file split and decoded, on one core")
	b.Add("  processor time of the command, all cores", b.perRow(spent), "ns/row", 0, "")
	b.Add("  rows a second that this allows on this machine", 1e9*float64(runtime.NumCPU())/b.perRow(spent), "rows/s", 0, "")
	b.Add("  memory of the command, highest resident", float64(u.Maxrss)/1024, "MB", 0, "")
	return nil
}

func (b *bench) perRow(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.rows) }
