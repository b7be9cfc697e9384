package tables

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/parquet-go/parquet-go"
)

// cellReader reads one column, a row at a time: its text, as ethereum-etl's CSV
// has it, valid until the call after.
type cellReader interface {
	next(limit int) ([]byte, error)
	close()
}

// parts are the leaves of the column that a leaf belongs to: itself, or the
// members of the structures that the column lists.
func parts(leaves []*parquet.Column, of *parquet.Column) (out []*parquet.Column) {
	for _, l := range leaves {
		if l.Path()[0] == of.Path()[0] {
			out = append(out, l)
		}
	}
	return out
}

// openColumn opens the column of a leaf.
func openColumn(f *parquet.File, group int, leaves []*parquet.Column, leaf *parquet.Column) (cellReader, error) {
	members := parts(leaves, leaf)
	if len(members) == 1 {
		return openCells(f, group, leaf)
	}
	s := &structs{}
	for _, m := range members {
		c, err := openCells(f, group, m)
		if err != nil {
			s.close()
			return nil, err
		}
		s.members = append(s.members, c)
	}
	return s, nil
}

// structs reads a column that lists structures, such as a block's withdrawals,
// as JSON objects joined by commas.
type structs struct {
	members []*cells
	text    []byte
}

func (s *structs) close() {
	for _, c := range s.members {
		c.close()
	}
}

func (s *structs) next(limit int) ([]byte, error) {
	lists, size := make([][][]byte, len(s.members)), 0
	for i, c := range s.members {
		var err error
		if lists[i], err = c.nextList(limit); err != nil {
			return nil, err
		}
		if len(lists[i]) != len(lists[0]) {
			return nil, fmt.Errorf("the members of column %s are not of one number", c.leaf.Path()[0])
		}
		for _, v := range lists[i] {
			size += len(v) + elementBytes
		}
	}
	if size > limit {
		return nil, fmt.Errorf("a row of column %s is longer than %d bytes", s.members[0].leaf.Path()[0], limit)
	}
	s.text = s.text[:0]
	for n := range lists[0] {
		if n > 0 {
			s.text = append(s.text, ',')
		}
		s.text = append(s.text, '{')
		for i, c := range s.members {
			if i > 0 {
				s.text = append(s.text, ',')
			}
			s.text, _ = jsontext.AppendQuote(s.text, strings.ToLower(c.leaf.Name())) // a name is UTF-8, or the footer is not read
			s.text = append(s.text, ':')
			s.text = appendJSON(s.text, lists[i][n])
		}
		s.text = append(s.text, '}')
	}
	return s.text, nil
}

// appendJSON writes a cell: null, or as text whatever it is.
func appendJSON(b, v []byte) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(string(v), "\uFFFD")) // valid, so it cannot fail
	return b
}
