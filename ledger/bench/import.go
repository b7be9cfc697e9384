package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// importCSV measures text to finished segments; the text is made beforehand
// and the parse alone is measured on the same file.
func (b *bench) importCSV() error {
	csv := filepath.Join(b.dir, "token_transfers.csv")
	if err := writeCSV(csv, b.opt); err != nil {
		return err
	}
	defer os.Remove(csv)
	start := time.Now()
	if err := eachRow(csv, func([]ledger.EVMTransfer) error { return nil }); err != nil {
		return err
	}
	parse := float64(b.rows) / time.Since(start).Seconds()
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	start = time.Now()
	cpu := figures.ProcessorTime()
	im, err := l.Begin(b.ctx, csv)
	if err != nil {
		return err
	}
	if err := parseAhead(csv, func(rows []ledger.EVMTransfer) error { return im.AddEVM(chain.Ethereum, rows) }); err != nil {
		return err
	}
	runs := time.Since(start)
	if _, err := im.Commit(b.ctx); err != nil {
		return err
	}
	b.Add("import of token_transfers CSV into finished segments", float64(b.rows)/time.Since(start).Seconds(), "rows/s", parse, "the same CSV parsed only")
	b.Add("  processor time of it, all cores", float64((figures.ProcessorTime()-cpu).Nanoseconds())/float64(b.rows), "ns/row", 0, "")
	b.Add("  of which parsed and sorted into runs", runs.Seconds()*1e9/float64(b.rows), "ns/row", 0, "")
	b.Add("  of which merged and indexed", (time.Since(start)-runs).Seconds()*1e9/float64(b.rows), "ns/row", 0, "")
	b.Add("memory while importing, highest resident", figures.PeakMemory(), "MB", 0, "")
	return nil
}

func writeCSV(name string, opt generate.Options) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	g := generate.New(opt)
	rows := make([]ledger.EVMTransfer, 4096)
	buf := []byte(generate.CSVHeader)
	for n := g.Next(rows); n > 0; n = g.Next(rows) {
		for i := range n {
			buf = generate.AppendCSV(buf, &rows[i])
		}
		if _, err := f.Write(buf); err != nil {
			return err
		}
		buf = buf[:0]
	}
	return f.Close()
}

// eachRow is a hand splitter for exactly what writeCSV writes.
func eachRow(name string, use func([]ledger.EVMTransfer) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, rows, have := make([]byte, 4<<20), make([]ledger.EVMTransfer, 0, 1<<14), 0
	header := true
	for {
		n, err := f.Read(buf[have:])
		have += n
		text := buf[:have]
		for {
			i := bytes.IndexByte(text, '\n')
			if i < 0 {
				break
			}
			if !header {
				rows = append(rows, ledger.EVMTransfer{})
				if perr := parseRow(text[:i], &rows[len(rows)-1]); perr != nil {
					return perr
				}
			}
			header, text = false, text[i+1:]
			if len(rows) == cap(rows) {
				if uerr := use(rows); uerr != nil {
					return uerr
				}
				rows = rows[:0]
			}
		}
		have = copy(buf, text)
		if err == io.EOF {
			return use(rows)
		}
		if err != nil {
			return err
		}
	}
}

// parseAhead is eachRow with the parsing in a goroutine of its own.
func parseAhead(name string, use func([]ledger.EVMTransfer) error) error {
	full, empty := make(chan []ledger.EVMTransfer, 2), make(chan []ledger.EVMTransfer, 3)
	for range 3 {
		empty <- nil
	}
	failed := make(chan error, 1)
	go func() {
		failed <- eachRow(name, func(rows []ledger.EVMTransfer) error {
			full <- append((<-empty)[:0], rows...)
			return nil
		})
		close(full)
	}()
	var err error
	for rows := range full {
		if err == nil {
			err = use(rows)
		}
		empty <- rows
	}
	if perr := <-failed; err == nil {
		err = perr
	}
	return err
}

func parseRow(line []byte, t *ledger.EVMTransfer) error {
	if len(line) < 3*43+2+67+2 {
		return fmt.Errorf("a line is too short: %q", line)
	}
	t.Kind, t.Index = chain.KindToken, chain.NoIndex
	unhex(t.Contract[:], line[2:42])
	unhex(t.From[:], line[45:85])
	unhex(t.To[:], line[88:128])
	line = line[129:]
	i := bytes.IndexByte(line, ',')
	amount, ok := decimal(line[:i])
	if !ok {
		return fmt.Errorf("not an amount: %q", line[:i])
	}
	t.Amount = amount
	line = line[i+1:]
	unhex(t.Tx[:], line[2:66])
	line = line[67:]
	i = bytes.IndexByte(line, ',')
	t.Ordinal, t.Block = uint32(digits(line[:i])), digits(line[i+1:])
	return nil
}

var nibbles = func() (t [256]byte) {
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

func unhex(out, in []byte) {
	for i := range out {
		out[i] = nibbles[in[2*i]]<<4 | nibbles[in[2*i+1]]
	}
}

func digits(b []byte) (v uint64) {
	for _, c := range b {
		v = v*10 + uint64(c-'0')
	}
	return v
}

func decimal(b []byte) (chain.Amount, bool) {
	if len(b) <= 19 {
		return chain.Units(digits(b)), true
	}
	high, ok := chain.Units(digits(b[:len(b)-19])).MulDiv(chain.Units(1e19), chain.Units(1))
	if !ok || len(b) > 38 {
		a, err := chain.ParseBase(string(b))
		return a, err == nil
	}
	return high.Add(chain.Units(digits(b[len(b)-19:])))
}
