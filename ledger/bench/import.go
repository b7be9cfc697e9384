package main

import (
	"os"
	"path/filepath"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
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
	rate, all := whole.end(b.rows)
	_, merged := merging.end(b.rows)
	b.Add("import of token_transfers CSV into finished segments", rate, "rows/s", parse, "the same CSV parsed only, one core")
	b.Add("  processor time of it, all cores", all, "ns/row", parseTime, "the same CSV parsed only")
	b.Add("  of which parsed and written in runs", gathered, "ns/row", 0, "")
	b.Add("  of which named, merged and indexed", merged, "ns/row", 0, "")
	b.Add("  so on two cores shared perfectly", 2e9/all, "rows/s", 0, "")
	b.Add("memory while importing, highest resident", figures.PeakMemory(), "MB", 0, "")
	return nil
}
