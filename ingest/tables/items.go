package tables

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"bongsu/errs"
	"bongsu/ingest"

	"github.com/go-json-experiment/json/jsontext"
)

// allowance is a reader that gives out so many bytes and then fails, until it
// is filled up again: it bounds how much one item of a list makes a decoder hold.
type allowance struct {
	r    io.Reader
	left int
	size int
}

var errItemTooLong = errors.New("an item is longer than the limit of a row")

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errItemTooLong
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// eachItem calls read with every item of a JSON list, and its number; a
// cellError rejects the item. The list may stand alone or be the member result
// of an explorer's answer. Rejects carry the item's number as its line.
func eachItem(ctx context.Context, in *ingest.Input, out *ingest.Output, read func([]byte, int64) error) error {
	out.JSON(true)
	in, _ = asList(in) // without its byte order mark
	budget := &allowance{r: in, left: 2 * in.Limits.Row, size: 2 * in.Limits.Row}
	d := jsontext.NewDecoder(budget)
	broken := func(n int64, err error) error {
		if errs.Is(err) != errs.Other {
			return err // of the source itself: damaged compression
		}
		why, hint := "not well-formed JSON", "fetch the file whole and import it again; the items before are imported"
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			why = "the file ends in the middle of the list: it was cut off"
		}
		return &errs.Error{Op: "import", Kind: errs.Invalid, Where: fmt.Sprintf("%s: item %d", in.Name, n), Why: why, Err: err, Hint: hint}
	}
	if err := enterList(d); err != nil {
		return broken(0, err)
	}
	for n := int64(1); ; n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		budget.left = budget.size
		switch k := d.PeekKind(); k {
		case ']':
			return nil
		case 0:
			_, err := d.ReadToken()
			return broken(n, err)
		}
		v, err := d.ReadValue()
		if err != nil {
			return broken(n, err)
		}
		out.Row()
		err = read(v, n)
		var c *cellError
		if errors.As(err, &c) {
			err = out.Reject(ingest.Place{Line: n, Column: c.column}, bytes.TrimSpace(v), c.err)
		}
		if err != nil {
			return err
		}
	}
}

// eachObject is eachItem with the members of each.
func eachObject(ctx context.Context, in *ingest.Input, out *ingest.Output, read func(map[string][]byte, int64) error) error {
	return eachItem(ctx, in, out, func(item []byte, n int64) error {
		fields, err := members(item, in.Limits.Depth)
		if err != nil {
			return err
		}
		return read(fields, n)
	})
}

// startsList says whether data begin with a JSON list.
func startsList(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
	return len(head) > 0 && head[0] == '['
}

// asList says whether a source is one JSON list, and returns it unread, without
// a byte order mark.
func asList(in *ingest.Input) (*ingest.Input, bool) {
	r := bufio.NewReaderSize(in, 4<<10)
	head, _ := r.Peek(r.Size()) // an error comes again when the source is read
	if bytes.HasPrefix(head, bom) {
		r.Discard(len(bom)) //nolint:errcheck // they were peeked
	}
	same := *in
	same.Reader = r
	return &same, startsList(head)
}

// enterList moves to the first item of the list.
func enterList(d *jsontext.Decoder) error {
	tok, err := d.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() == '[' {
		return nil
	}
	if tok.Kind() != '{' {
		return errors.New("neither a list nor an object with the member result")
	}
	for {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if name.Kind() == '}' {
			return errors.New("the object has no member result")
		}
		if name.String() == "result" && d.PeekKind() == '[' {
			_, err := d.ReadToken()
			return err
		}
		if err := d.SkipValue(); err != nil {
			return err
		}
	}
}

// firstItem reads the members of a list's first object, as far as head goes.
func firstItem(head []byte) map[string][]byte {
	d := jsontext.NewDecoder(bytes.NewReader(head))
	if enterList(d) != nil || d.PeekKind() != '{' {
		return nil
	}
	v, err := d.ReadValue()
	if err != nil {
		return nil
	}
	fields, err := object(v, 64)
	if err != nil {
		return nil
	}
	return fields
}

// withItem makes a Recognise that asks the first item for these members.
func withItem(names ...string) func([]byte) bool {
	return func(head []byte) bool {
		head = bytes.TrimPrefix(head, bom)
		if i := bytes.TrimLeft(head, " \t\r\n"); len(i) == 0 || i[0] != '[' && i[0] != '{' {
			return false
		}
		fields := firstItem(head)
		for _, n := range names {
			if _, ok := fields[n]; !ok {
				return false
			}
		}
		return fields != nil
	}
}
