package tables

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
)

// header is the first line of a table: the columns' names, lower-case and
// trimmed, and the separator they were found with.
type header struct {
	names []string
	sep   byte
	text  string // as the file writes it
	twice string // a column that was looked for and has two places
}

// bom is the byte order mark that spreadsheets put before UTF-8.
var bom = []byte("\xef\xbb\xbf")

// readHeader reads the header at the beginning of head. ok is false when the
// first line is no header of a table.
func readHeader(head []byte) (h header, ok bool) {
	head = bytes.TrimPrefix(head, bom)
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	line = trimCR(line)
	if len(line) == 0 || len(line) > 16<<10 || bytes.IndexByte(line, 0) >= 0 {
		return h, false
	}
	h.sep, h.text = ',', string(line)
	if bytes.IndexByte(line, ',') < 0 {
		for _, sep := range []byte{';', '\t'} {
			if bytes.IndexByte(line, sep) >= 0 {
				h.sep = sep
				break
			}
		}
	}
	s := newScannerSize(bytes.NewReader(line), h.sep, ingest.Limits{Row: 16 << 10, Columns: 512, Quoted: 1}, len(line)+1)
	r, err := s.next()
	if err != nil || r.bad != "" {
		return h, false
	}
	for _, f := range r.fields {
		h.names = append(h.names, strings.ToLower(strings.TrimSpace(string(f))))
	}
	return h, true
}

// has says whether all the columns are there.
func (h *header) has(names ...string) bool {
	for _, n := range names {
		if h.find(n) < 0 {
			return false
		}
	}
	return true
}

// find returns the place of the first of the names that is there, or -1.
func (h *header) find(names ...string) int {
	for _, n := range names {
		if i := slices.Index(h.names, n); i >= 0 {
			if slices.Contains(h.names[i+1:], n) {
				h.twice = n
			}
			return i
		}
	}
	return -1
}

// withHeader makes a Recognise of a test on the header.
func withHeader(test func(*header) bool) func([]byte) bool {
	return func(head []byte) bool {
		h, ok := readHeader(head)
		return ok && test(&h)
	}
}

// columns makes a test that asks for all these columns.
func columns(names ...string) func(*header) bool {
	return func(h *header) bool { return h.has(names...) }
}

// table reads rows under a header.
type table struct {
	in   *ingest.Input
	out  *ingest.Output
	head header
	scan *scanner
	row  row
	// fast may read a line before it is split; it reports false for one that
	// it left alone.
	fast func(line []byte) (bool, error)
}

// openTable reads the header.
func openTable(in *ingest.Input, out *ingest.Output) (*table, error) {
	t := &table{in: in, out: out, scan: newScanner(in, ',', in.Limits)}
	first, err := t.scan.firstLine()
	if err != nil {
		return nil, err
	}
	h, ok := readHeader(first)
	if !ok {
		return nil, errs.New("import", errs.Invalid, in.Name+":1", "the first line is no header", "put the columns' names in the first line")
	}
	t.head, t.scan.sep = h, h.sep
	out.Header(h.text, h.sep)
	return t, nil
}

// each calls read for every row that has all the header's columns; a cellError
// of read rejects the row, any other error ends the reading.
func (t *table) each(ctx context.Context, read func() error) error {
	if name := t.head.twice; name != "" {
		return errs.New("import", errs.Invalid, t.in.Name+":1", "the header has two columns "+strconv.Quote(name), "rename the one that is not meant")
	}
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r, width, err := t.scan.peek()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		t.out.Row()
		if t.fast != nil && r.bad == "" && !r.last {
			done, err := t.fast(r.raw)
			if err != nil {
				return err
			}
			if done {
				t.scan.advance(width, false)
				continue
			}
		}
		r = t.scan.take(r, width)
		t.row = r
		err = r.reject(len(t.head.names))
		column := ""
		if err == nil {
			if err = read(); err == nil {
				if r.last {
					t.out.Note("line %d, the last, has no line end: if the file was cut off there, its last column may be cut too", r.line)
				}
				continue
			}
			var c *cellError
			if !errors.As(err, &c) {
				return err
			}
			column, err = c.column, c.err
		}
		if err := t.out.Reject(ingest.Place{Line: r.line, Column: column}, r.raw, err); err != nil {
			return err
		}
	}
}

// cell returns a column's text, trimmed; a column that is not there is empty.
func (t *table) cell(i int) string {
	if i < 0 || i >= len(t.row.fields) {
		return ""
	}
	return string(bytes.TrimSpace(t.row.fields[i]))
}

// cellError is why a row is rejected, and which column is at fault.
type cellError struct {
	column string
	err    error
}

func (c *cellError) Error() string { return c.column + ": " + c.err.Error() }
func (c *cellError) Unwrap() error { return c.err }

// wrong rejects the row for a column's sake.
func wrong(column string, err error) error { return &cellError{column, err} }

// wrongf is wrong with a reason and what to do.
func wrongf(column, what, why, hint string, args ...any) error {
	return &cellError{column, errs.New("", errs.Invalid, what, fmt.Sprintf(why, args...), hint)}
}

// number reads an unsigned integer column; an empty one is none.
func (t *table) number(i int, column string, bits int, none uint64) (uint64, error) {
	s := t.cell(i)
	if s == "" {
		return none, nil
	}
	v, err := strconv.ParseUint(s, 10, bits)
	if err != nil || v == 1<<bits-1 {
		return 0, wrongf(column, clip(s), "not a whole number below 2^%d-1", "write it in digits alone", bits)
	}
	return v, nil
}

// clip makes foreign text fit for a message: short, and nothing but signs.
func clip(s string) string {
	s = ingest.Printable(s)
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}

// account reads an address of a chain; empty is the zero account.
func (t *table) account(i int, column string, id chain.ID) (chain.Account, error) {
	s := t.cell(i)
	if s == "" {
		return chain.Account{}, nil
	}
	a, err := chain.ParseAccount(s, id)
	if err != nil {
		return a, wrong(column, err)
	}
	if id != "" && a.Chain() != id {
		return a, wrongf(column, clip(s), "is on chain %s, the row on %s", "a transfer has both ends on one chain: mend one of the two", a.Chain(), id)
	}
	return a, nil
}
