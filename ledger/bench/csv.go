package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"os"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

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

// csvBatch is how many rows the parser hands over at once.
const csvBatch = 1 << 13

// eachRow is a hand splitter for exactly what writeCSV writes. It fills the
// memory that next gives and hands it to use.
func eachRow(name string, next func() []ledger.EVMTransfer, use func([]ledger.EVMTransfer) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, have, header := make([]byte, 1<<20), 0, true
	rows := next()
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
				rows = rows[:len(rows)+1]
				if perr := parseRow(text[:i], &rows[len(rows)-1]); perr != nil {
					return perr
				}
			}
			header, text = false, text[i+1:]
			if len(rows) == csvBatch {
				if uerr := use(rows); uerr != nil {
					return uerr
				}
				rows = next()
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

// parseOnly is what the parsing of a file costs.
func parseOnly(name string) error {
	rows := make([]ledger.EVMTransfer, 0, csvBatch)
	return eachRow(name, func() []ledger.EVMTransfer { return rows[:0] }, func([]ledger.EVMTransfer) error { return nil })
}

// parseAhead is eachRow with the parsing in a goroutine of its own.
func parseAhead(name string, use func([]ledger.EVMTransfer) error) error {
	const ahead = 3
	full, empty := make(chan []ledger.EVMTransfer, ahead), make(chan []ledger.EVMTransfer, ahead+1)
	for range ahead {
		empty <- make([]ledger.EVMTransfer, 0, csvBatch)
	}
	failed := make(chan error, 1)
	go func() {
		failed <- eachRow(name, func() []ledger.EVMTransfer { return (<-empty)[:0] }, func(rows []ledger.EVMTransfer) error {
			full <- rows
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

// unhex decodes a multiple of eight lower-case digits, eight at a time.
func unhex(out, in []byte) {
	for ; len(in) >= 8; in, out = in[8:], out[4:] {
		x := binary.LittleEndian.Uint64(in)
		x = x&0x0f0f0f0f0f0f0f0f + 9*(x>>6&0x0101010101010101) // letters have bit 6
		x = (x<<4 | x>>8) & 0x00ff00ff00ff00ff
		x = (x | x>>8) & 0x0000ffff0000ffff
		binary.LittleEndian.PutUint32(out, uint32(x|x>>16))
	}
}

// digits reads at most nineteen, eight at a time.
func digits(b []byte) (v uint64) {
	for ; len(b) >= 8; b = b[8:] {
		x := binary.LittleEndian.Uint64(b) & 0x0f0f0f0f0f0f0f0f
		x = x*10 + x>>8 // pairs, in every other byte
		x = (x&0x000000ff000000ff*(100+1e6<<32) + x>>16&0x000000ff000000ff*(1+1e4<<32)) >> 32
		v = v*1e8 + x
	}
	for _, c := range b {
		v = v*10 + uint64(c-'0')
	}
	return v
}

func decimal(b []byte) (chain.Amount, bool) {
	if len(b) <= 19 {
		return chain.Units(digits(b)), true
	}
	if len(b) > 38 {
		a, err := chain.ParseBase(string(b))
		return a, err == nil
	}
	hi, lo := bits.Mul64(digits(b[:len(b)-19]), 1e19)
	lo, carry := bits.Add64(lo, digits(b[len(b)-19:]), 0)
	return chain.FromWords([4]uint64{lo, hi + carry}), true
}
