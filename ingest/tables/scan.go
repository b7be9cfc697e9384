package tables

import (
	"bytes"
	"fmt"
	"io"

	"bongsu/errs"
	"bongsu/ingest"
)

// scanner splits CSV (RFC 4180) into rows of fields, in place: what it returns
// is valid until the next call. It is more forgiving than the RFC in two ways
// (a bare carriage return before the line feed, a last line without its end)
// and stricter in one: a quoted field ends within Limits.Quoted lines, so that
// one stray quote costs one row and not the rest of the file.
type scanner struct {
	r    io.Reader
	sep  byte
	lim  ingest.Limits
	buf  []byte
	pos  int // of the next unread byte of buf
	end  int // of the read bytes of buf
	eof  bool
	line int64 // of the next row
	err  error // of the reader, other than io.EOF

	fields  [][]byte
	scratch []byte // fields with doubled quotes
}

// row is one scanned row.
type row struct {
	fields [][]byte
	raw    []byte // as it stood, without its line end
	line   int64  // its first
	bad    string // why it cannot be split; fields is then empty
	last   bool   // it has no line end: the last of its source
}

func newScanner(r io.Reader, sep byte, lim ingest.Limits) *scanner {
	return newScannerSize(r, sep, lim, 1<<18)
}

func newScannerSize(r io.Reader, sep byte, lim ingest.Limits, size int) *scanner {
	return &scanner{r: r, sep: sep, lim: lim, line: 1, buf: make([]byte, size)}
}

// firstLine consumes the next line and returns it: the header.
func (s *scanner) firstLine() ([]byte, error) {
	n, last, ok := s.findLine(0)
	if !ok && s.err != nil {
		return nil, s.err
	}
	line := append([]byte(nil), trimCR(s.buf[s.pos:s.pos+n])...)
	s.advance(n, last)
	return line, nil
}

// fill reads more; it reports false when there is no more, or no room.
func (s *scanner) fill() bool {
	if s.eof || s.err != nil {
		return false
	}
	if s.pos > 0 {
		copy(s.buf, s.buf[s.pos:s.end])
		s.end, s.pos = s.end-s.pos, 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) > s.lim.Row {
			return false
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 { // readers may return nothing a few times
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err == io.EOF {
			s.eof = true
		} else if err != nil {
			s.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// next returns the next row that is not empty, or io.EOF, or the reader's
// error. A row that breaks a limit or the format is returned with bad set, and
// the one after it begins on the next line.
func (s *scanner) next() (row, error) {
	r, n, err := s.peek()
	if err != nil {
		return r, err
	}
	return s.take(r, n), nil
}

// take reads and splits the line that peek found.
func (s *scanner) take(r row, n int) row {
	if r.bad != "" {
		return r
	}
	if bytes.IndexByte(r.raw, '"') >= 0 {
		return s.quoted(n, r.last)
	}
	r.fields, r.bad = s.split(r.raw)
	s.advance(n, r.last)
	return r
}

// nextLine returns the next line that is not empty, not split: for JSON lines.
func (s *scanner) nextLine() (row, error) {
	r, n, err := s.peek()
	if err == nil && r.bad == "" {
		s.advance(n, r.last)
	}
	return r, err
}

// peek finds the next line that is not empty, of n bytes, and leaves it unread,
// unless it is beyond the limit: that one is read and returned with bad set.
func (s *scanner) peek() (r row, n int, err error) {
	for {
		n, last, ok := s.findLine(0)
		if !ok {
			if s.err != nil {
				return row{}, 0, s.err
			}
			if s.pos == s.end {
				return row{}, 0, io.EOF
			}
			return s.tooLong(), 0, nil
		}
		text := trimCR(s.buf[s.pos : s.pos+n])
		if len(text) > 0 {
			return row{raw: text, line: s.line, last: last}, n, nil
		}
		s.advance(n, last)
	}
}

// findLine returns the length of the line that begins at pos, looking for its
// end from offset from on, and whether it has no line end. ok is false when
// there is no line, or no end of it within the limit; n is then what there is.
func (s *scanner) findLine(from int) (n int, last, ok bool) {
	for {
		if i := bytes.IndexByte(s.buf[s.pos+from:s.end], '\n'); i >= 0 {
			return from + i, false, from+i <= s.lim.Row
		}
		from = s.end - s.pos
		if !s.fill() {
			return s.end - s.pos, true, s.eof && s.err == nil && s.end > s.pos && s.end-s.pos <= s.lim.Row
		}
	}
}

func (s *scanner) advance(n int, last bool) {
	s.pos += n
	if !last {
		s.pos++
	}
	s.line++
}

// tooLong gives the beginning of a row beyond the limit and skips to its end.
func (s *scanner) tooLong() row {
	keep := append([]byte(nil), s.buf[s.pos:min(s.end, s.pos+200)]...)
	r := row{raw: keep, line: s.line, bad: fmt.Sprintf("the row is longer than %d bytes", s.lim.Row)}
	for {
		if i := bytes.IndexByte(s.buf[s.pos:s.end], '\n'); i >= 0 {
			s.advance(i, false)
			return r
		}
		s.pos = s.end
		if !s.fill() {
			s.line++
			r.last = true
			return r
		}
	}
}

func trimCR(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\r' {
		return b[:n-1]
	}
	return b
}

// split cuts a line without quotes.
func (s *scanner) split(line []byte) ([][]byte, string) {
	f := s.fields[:0]
	for {
		i := bytes.IndexByte(line, s.sep)
		if i < 0 {
			break
		}
		f = append(f, line[:i])
		line = line[i+1:]
		if len(f) > s.lim.Columns {
			s.fields = f
			return nil, fmt.Sprintf("the row has more than %d columns", s.lim.Columns)
		}
	}
	s.fields = append(f, line)
	return s.fields, ""
}

// quoted reads a row with quotes, which may go on over several lines. n is the
// length of its first line.
func (s *scanner) quoted(n int, last bool) row {
	for lines := int64(1); ; lines++ {
		text := trimCR(s.buf[s.pos : s.pos+n])
		fields, state := s.unquote(text)
		switch {
		case state == "":
			r := row{fields: fields, raw: text, line: s.line, last: last}
			s.advance(n, last)
			s.line += lines - 1
			return r
		case state != openQuote || last || lines >= int64(s.lim.Quoted):
			return s.badLine(state)
		}
		var ok bool
		if n, last, ok = s.findLine(n + 1); !ok || s.pos+n > s.end {
			return s.badLine(openQuote)
		}
	}
}

// badLine rejects the first line at pos alone.
func (s *scanner) badLine(why string) row {
	n, last, _ := s.findLine(0)
	r := row{raw: trimCR(s.buf[s.pos : s.pos+n]), line: s.line, bad: why, last: last}
	s.advance(n, last)
	return r
}

const openQuote = "a quote is opened and not closed"

// unquote splits a row with quotes. Fields stay where they stand; only one with
// a doubled quote is copied, into the scratch memory: a row that turns out to
// be broken is looked at again, so the buffer stays as it is.
func (s *scanner) unquote(text []byte) ([][]byte, string) {
	f := s.fields[:0]
	s.scratch = s.scratch[:0]
	for {
		var field []byte
		why := ""
		if len(text) > 0 && text[0] == '"' {
			field, text, why = s.quotedField(text[1:])
			if why == "" && len(text) > 0 && text[0] != s.sep {
				why = "a quoted field goes on after its closing quote"
			}
		} else {
			n := bytes.IndexByte(text, s.sep)
			if n < 0 {
				n = len(text)
			}
			if field, text = text[:n:n], text[n:]; bytes.IndexByte(field, '"') >= 0 {
				why = "a quote stands inside a field that does not begin with one"
			}
		}
		if why != "" {
			return nil, why
		}
		f = append(f, field)
		if len(f) > s.lim.Columns {
			return nil, fmt.Sprintf("the row has more than %d columns", s.lim.Columns)
		}
		if len(text) == 0 {
			s.fields = f
			return f, ""
		}
		text = text[1:] // the separator
	}
}

// quotedField reads a field after its opening quote, and returns what follows
// its closing one. The scratch memory may move while a row is read; a field in
// it keeps the old one.
func (s *scanner) quotedField(text []byte) (field, rest []byte, bad string) {
	start, copied := len(s.scratch), false
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return nil, nil, openQuote
		}
		doubled := i+1 < len(text) && text[i+1] == '"'
		if !doubled && !copied {
			return text[:i:i], text[i+1:], ""
		}
		s.scratch, copied = append(s.scratch, text[:i]...), true
		if !doubled {
			return s.scratch[start:len(s.scratch):len(s.scratch)], text[i+1:], ""
		}
		s.scratch, text = append(s.scratch, '"'), text[i+2:]
	}
}

// reject is the reason for a row that cannot be split or has too few columns.
func (r *row) reject(want int) error {
	switch {
	case r.last && (r.bad != "" || len(r.fields) < want):
		return errs.New("", errs.Invalid, "", "the file ends in the middle of this row: it was cut off",
			"fetch the file whole and import it again; what is in the ledger already is not counted twice")
	case r.bad != "":
		return errs.New("", errs.Invalid, "", r.bad, "mend the row and import it again")
	case len(r.fields) < want:
		return errs.New("", errs.Invalid, "", fmt.Sprintf("the row has %d columns, its header %d", len(r.fields), want),
			"mend the row and import it again")
	}
	return nil
}
