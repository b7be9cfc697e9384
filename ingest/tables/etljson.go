package tables

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"bongsu/errs"
	"bongsu/ingest"

	"github.com/go-json-experiment/json/jsontext"
)

// etlJSON reads ethereum-etl's JSON: one object a line, or the items of one list,
// of any of its tables, in any mixture. Its rank is that of its first row's table.
var etlJSON = ingest.Format{
	Name:      "ethereum-etl-json",
	Title:     "ethereum-etl's tables as JSON lines or lists, mixed or apart",
	Recognise: func(head []byte) bool { return firstLayout(head) != nil },
	Rank: func(head []byte) int {
		if l := firstLayout(head); l != nil {
			return l.rank()
		}
		return 0 // the format was named
	},
	Read: readETLJSON,
}

// firstLayout is the table of the first row, or nil.
func firstLayout(head []byte) *layout {
	if ingest.StartsList(head) {
		return layoutOf(firstItem(head), layouts())
	}
	line, _, whole := bytes.Cut(bytes.TrimPrefix(head, bom), []byte{'\n'})
	fields, err := object(line, 64)
	switch {
	case err == nil:
		return layoutOf(fields, layouts())
	case !whole && len(head) >= ingest.HeadBytes: // a line longer than what is shown of it
		return typed(line)
	}
	return nil
}

// typed is the table of an object that is cut off, where it begins with its type.
func typed(line []byte) *layout {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	var text [3]string
	for i, want := range []jsontext.Kind{'{', '"', '"'} {
		tok, err := d.ReadToken()
		if err != nil || tok.Kind() != want {
			return nil
		}
		text[i] = tok.String()
	}
	all := layouts()
	i := slices.IndexFunc(all, func(l *layout) bool { return l.kind == text[2] })
	if text[1] != "type" || i < 0 {
		return nil
	}
	return all[i]
}

// object reads one JSON object with scalar or list members: text for strings,
// digits for numbers, items joined by commas for lists, nothing for null.
func object(line []byte, depth int) (map[string][]byte, error) {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	tok, err := d.ReadToken()
	if err != nil || tok.Kind() != '{' {
		return nil, errNotObject
	}
	out := map[string][]byte{}
	for {
		tok, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		if tok.Kind() == '}' {
			break
		}
		name := tok.String()
		v, err := scalar(d, depth)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return out, nil
}

var errNotObject = errors.New("not a JSON object")

// members is object, and rejects the row that is none.
func members(row []byte, depth int) (map[string][]byte, error) {
	fields, err := object(row, depth)
	if err != nil {
		err = wrong("", errs.New("", errs.Invalid, "", "not one JSON object: "+err.Error(), "mend the row or export it again"))
	}
	return fields, err
}

// scalar reads one value as the CSV would write it.
func scalar(d *jsontext.Decoder, depth int) ([]byte, error) {
	switch d.PeekKind() {
	case '[':
		return list(d, depth)
	case '{':
		v, err := d.ReadValue()
		if err == nil && nesting(v) > depth {
			err = fmt.Errorf("nested deeper than %d", depth)
		}
		return bytes.Clone(v), err
	}
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if tok.Kind() == 'n' {
		return nil, nil
	}
	return []byte(tok.String()), nil
}

func list(d *jsontext.Decoder, depth int) ([]byte, error) {
	if depth <= 0 {
		return nil, errors.New("nested too deep")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var out []byte
	for first := true; d.PeekKind() != ']'; first = false {
		v, err := scalar(d, depth-1)
		if err != nil {
			return nil, err
		}
		if !first {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	_, err := d.ReadToken()
	return out, err
}

// nesting is how deep brackets nest in a value already found to be well formed.
func nesting(v []byte) int {
	deepest, now, text := 0, 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// layoutOf tells a row's table: by its type where it says one, else by its
// members.
func layoutOf(fields map[string][]byte, all []*layout) *layout {
	kind := string(fields["type"])
	for _, l := range all {
		if kind != "" && kind != l.kind {
			continue
		}
		_, other := fields[l.not]
		ok := !other
		for _, alternatives := range l.columns[:l.required] {
			found := false
			for _, name := range alternatives {
				_, there := fields[name]
				found = found || there
			}
			ok = ok && found
		}
		if ok {
			return l
		}
	}
	return nil
}

func readETLJSON(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	e, err := newETL(in, out)
	if err != nil {
		return err
	}
	all := layouts()
	err = eachRow(ctx, in, out, func(row []byte, n int64) error {
		fields, err := members(row, in.Limits.Depth)
		if err != nil {
			return err
		}
		return e.member(fields, all, n)
	})
	if err == nil || errs.Is(err) == errs.Invalid {
		err = errors.Join(err, e.endTransaction())
	}
	e.noteSilent()
	return err
}

// eachRow calls read with every row of JSON: each line that is not empty, or each
// item of the list that the source is. A cellError rejects it.
func eachRow(ctx context.Context, in *ingest.Input, out *ingest.Output, read func([]byte, int64) error) error {
	same, list := in.List()
	if list {
		return eachItem(ctx, same, out, read)
	}
	return eachLine(ctx, same, out, read)
}

// member states one object, of whichever table it is.
func (e *etl) member(fields map[string][]byte, all []*layout, n int64) error {
	e.at.Line = n
	l := layoutOf(fields, all)
	if l == nil {
		if kind := string(fields["type"]); kind == "contract" {
			return nil // code, which moves nothing
		}
		return wrongf("type", clip(string(fields["type"])), "not a row of a table that moves something", "export it again with ethereum-etl")
	}
	rec := make(record, len(l.columns))
	for i, alternatives := range l.columns {
		for _, name := range alternatives {
			if v, ok := fields[name]; ok {
				rec[i] = v
				break
			}
		}
	}
	return l.row(e, rec)
}

// eachLine calls read with every line that is not empty; a cellError rejects
// it.
func eachLine(ctx context.Context, in *ingest.Input, out *ingest.Output, read func([]byte, int64) error) error {
	out.JSON(false)
	s := newScanner(in, 0, in.Limits)
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r, err := s.nextLine()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		out.Row()
		column := ""
		if r.bad != "" {
			err = errs.New("", errs.Invalid, "", r.bad, "mend the row and import it again")
		} else if err = read(bytes.TrimPrefix(r.raw, bom), r.line); err != nil {
			var c *cellError
			if !errors.As(err, &c) {
				return err
			}
			column, err = c.column, c.err
			if r.last && column == "" {
				err = errs.New("", errs.Invalid, "", "the file ends in the middle of this row: it was cut off",
					"fetch the file whole and import it again; what is in the ledger already is not counted twice")
			}
		}
		if err != nil {
			if err := out.Reject(ingest.Place{Line: r.line, Column: column}, r.raw, err); err != nil {
				return err
			}
		}
	}
}
