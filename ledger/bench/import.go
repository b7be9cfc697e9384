package main

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// phase measures a stretch of work by the clock and by the processors' time.
type phase struct {
	start time.Time
	cpu   time.Duration
}

func begin() phase { return phase{time.Now(), figures.ProcessorTime()} }

// end gives rows a second by the clock, and the processors' time of a row.
func (p phase) end(rows uint64) (rate, nanoseconds float64) {
	return float64(rows) / time.Since(p.start).Seconds(), float64((figures.ProcessorTime() - p.cpu).Nanoseconds()) / float64(rows)
}

// importCSV measures text to finished segments; the text is made beforehand,
// and the parse alone is measured on the same file.
func (b *bench) importCSV() error {
	csv := b.csv
	if csv == "" {
		csv = filepath.Join(b.dir, "token_transfers.csv")
		defer os.Remove(csv)
	}
	if _, err := os.Stat(csv); err != nil {
		if err := writeCSV(csv, b.opt); err != nil {
			return err
		}
	}
	parsing := begin()
	if err := parseOnly(csv); err != nil {
		return err
	}
	parse, parseTime := parsing.end(b.rows)
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	memory := figures.WatchMemory()
	whole := begin()
	im, err := l.Begin(b.ctx, csv)
	if err != nil {
		return err
	}
	if err := parseAhead(csv, func(rows []ledger.EVMTransfer) error { return im.AddEVM(chain.Ethereum, rows) }); err != nil {
		return err
	}
	_, gathered := whole.end(b.rows)
	merging := begin()
	if _, err := im.Commit(b.ctx); err != nil {
		return err
	}
	own, resident := memory.End()
	rate, all := whole.end(b.rows)
	_, merged := merging.end(b.rows)
	b.Add("import of token_transfers CSV into finished segments", rate, "rows/s", parse, "the same CSV parsed only, one core")
	b.Add("  processor time of it, all cores", all, "ns/row", parseTime, "the same CSV parsed only")
	b.Add("  of which parsed and written in runs", gathered, "ns/row", 0, "")
	b.Add("  of which named, merged and indexed", merged, "ns/row", 0, "")
	b.Add("  so on two cores shared perfectly", 2e9/all, "rows/s", 0, "")
	b.Add("memory while importing, the highest of its own", own, "MB", 0, "")
	b.Add("  with pages of mapped files, which the system takes when it needs them", resident, "MB", 0, "")
	return nil
}

// The step files makes so many imports one after the other, at most, each of so
// many rows at least.
const (
	maxFiles = 32
	fileRows = 100_000
)

// importFiles imports the rows as a chain that comes in files, each of them an
// import: how often is a row written again?
func (b *bench) importFiles() error {
	making := begin()
	rows := make([]ledger.EVMTransfer, 4096)
	for g := generate.New(b.opt); g.Next(rows) > 0; {
	}
	_, made := making.end(b.rows)
	l, err := b.open("files")
	if err != nil {
		return err
	}
	defer l.Close()
	memory, whole := figures.WatchMemory(), begin()
	g, written := generate.New(b.opt), uint64(0)
	files := max(1, min(maxFiles, b.rows/fileRows))
	for i := range files {
		stats, err := b.importNext(l, g, strconv.FormatUint(i, 10), b.rows*(i+1)/files-b.rows*i/files)
		if err != nil {
			return err
		}
		written += stats.Written
	}
	own, _ := memory.End()
	_, all := whole.end(b.rows)
	b.Add("rows written into segments for each imported, in "+strconv.FormatUint(files, 10)+" files in turn", float64(written)/float64(b.rows), "", 0, "")
	b.Add("  processor time of it, all cores", all-made, "ns/row", made, "making the rows up, which is left out")
	b.Add("  memory, the highest of its own", own, "MB", 0, "")
	return nil
}

// importNext imports the next n rows of g.
func (b *bench) importNext(l *ledger.Ledger, g *generate.Generator, source string, n uint64) (stats ledger.Stats, err error) {
	im, err := l.Begin(b.ctx, source)
	if err != nil {
		return stats, err
	}
	rows := make([]ledger.EVMTransfer, 4096)
	for n > 0 {
		k := g.Next(rows[:min(n, uint64(len(rows)))])
		if err := im.AddEVM(chain.Ethereum, rows[:k]); err != nil {
			return stats, err
		}
		n -= uint64(k)
	}
	return im.Commit(b.ctx)
}
