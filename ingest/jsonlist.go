package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"bongsu/errs"

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

// EachItem calls read with every item of a JSON list, and its number from 1 on. The
// list may stand alone or be the member result of an explorer's answer. One that
// is cut off or not well-formed is errs.Invalid, after the items before.
func (in *Input) EachItem(ctx context.Context, read func(item []byte, n int64) error) error {
	in, _ = in.List() // without its byte order mark
	budget := &allowance{r: in, left: 2 * in.Limits.Row, size: 2 * in.Limits.Row}
	d := jsontext.NewDecoder(budget)
	if err := enterList(d); err != nil {
		return in.brokenList(0, err)
	}
	for n := int64(1); ; n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		budget.left = budget.size
		switch d.PeekKind() {
		case ']':
			return nil
		case 0:
			_, err := d.ReadToken()
			return in.brokenList(n, err)
		}
		v, err := d.ReadValue()
		if err != nil {
			return in.brokenList(n, err)
		}
		if err := read(bytes.TrimSpace(v), n); err != nil {
			return err
		}
	}
}

func (in *Input) brokenList(n int64, err error) error {
	if errs.Is(err) != errs.Other {
		return err // of the source itself: damaged compression
	}
	why, hint := "not well-formed JSON", "fetch the file whole and import it again; the items before are imported"
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		why = "the file ends in the middle of the list: it was cut off"
	}
	return &errs.Error{Op: "import", Kind: errs.Invalid, Where: fmt.Sprintf("%s: item %d", in.Name, n), Why: why, Err: err, Hint: hint}
}

// StartsList says whether data begin with a JSON list.
func StartsList(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, utf8BOM), " \t\r\n")
	return len(head) > 0 && head[0] == '['
}

// List says whether a source is one JSON list, and returns it unread, without a
// byte order mark.
func (in *Input) List() (*Input, bool) {
	r := bufio.NewReaderSize(in, 4<<10)
	head, _ := r.Peek(r.Size()) // an error comes again when the source is read
	if bytes.HasPrefix(head, utf8BOM) {
		r.Discard(len(utf8BOM)) //nolint:errcheck // they were peeked
	}
	same := *in
	same.Reader = r
	return &same, StartsList(head)
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

// FirstItem is the first item of a list, where head goes so far; else nil.
func FirstItem(head []byte) []byte {
	d := jsontext.NewDecoder(bytes.NewReader(bytes.TrimPrefix(head, utf8BOM)))
	if enterList(d) != nil {
		return nil
	}
	v, _ := d.ReadValue() // an error comes again when the source is read
	return v
}
