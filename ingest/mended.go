package ingest

import (
	"bufio"
	"bytes"
)

// rejectedJSON says whether a source is the rejects file of one in JSON, and in
// which column its rows are. It consumes nothing.
func rejectedJSON(r *bufio.Reader) (column string, ok bool) {
	for _, column := range []string{jsonRow, jsonItem} {
		want := []byte(rejectsHeader(',') + column)
		head, _ := r.Peek(len(utf8BOM) + len(want) + 1) // an error comes again when the source is read
		head, whole := bytes.CutPrefix(bytes.TrimPrefix(head, utf8BOM), want)
		if whole && len(head) > 0 && (head[0] == '\n' || head[0] == '\r') {
			return column, true
		}
	}
	return "", false
}

var utf8BOM = []byte("\xef\xbb\xbf")

// mended reads the rejects file of a source in JSON as that source: the fourth
// field of each row (RFC 4180), each on a line of its own, in brackets where they
// are items of a list. It holds no row, however long.
type mended struct {
	r      *bufio.Reader
	items  bool
	field  int  // of the row, from 0
	quoted bool // inside quotes
	closed bool // the byte before may have closed them
	rows   int  // that hold something
	begun  bool // this one does
	out    []byte
	err    error
}

const (
	rejectedField = 3       // the place of the row among the columns
	mendedAtOnce  = 4 << 10 // bytes made before they are given out
)

func newMended(r *bufio.Reader, column string) *mended {
	m := &mended{r: r, items: column == jsonItem}
	if _, m.err = r.ReadSlice('\n'); m.items { // the header, which rejectedJSON saw
		m.out = append(m.out, '[')
	}
	return m
}

func (m *mended) Read(p []byte) (int, error) {
	for len(m.out) < mendedAtOnce && m.err == nil {
		var c byte
		if c, m.err = m.r.ReadByte(); m.err == nil {
			m.take(c)
		} else if m.items {
			m.out = append(m.out, ']')
		}
	}
	if len(m.out) == 0 {
		return 0, m.err
	}
	n := copy(p, m.out)
	m.out = m.out[:copy(m.out, m.out[n:])]
	return n, nil
}

func (m *mended) take(c byte) {
	doubled := m.closed && c == '"'
	m.closed = false
	switch {
	case doubled:
		m.quoted = true
		m.put(c)
	case m.quoted && c == '"':
		m.quoted, m.closed = false, true
	case m.quoted:
		m.put(c)
	case c == '"':
		m.quoted = true
	case c == ',':
		m.field++
	case c == '\n':
		if m.begun && !m.items {
			m.out = append(m.out, '\n')
		}
		m.field, m.begun = 0, false
	case c != '\r':
		m.put(c)
	}
}

func (m *mended) put(c byte) {
	if m.field != rejectedField {
		return
	}
	if !m.begun {
		if m.rows++; m.items && m.rows > 1 {
			m.out = append(m.out, ',')
		}
		m.begun = true
	}
	m.out = append(m.out, c)
}
