package jsonrpc

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// List is an array of a node's answer. An answer is bounded in bytes before it is
// decoded, so its memory is too where each element takes some of them: "{}" would
// be hundreds of bytes in memory. An element of fewer bytes than any can have is
// refused as soon as it is met, and so is what comes after it.
type List[T Element] []T

// Element is an item of a List, which takes at least so many bytes as JSON.
type Element interface{ Least() int64 }

// UnmarshalJSONFrom is json.UnmarshalerFrom's.
func (l *List[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*l = nil
	if d.PeekKind() == 'n' {
		_, err := d.ReadToken()
		return err
	}
	if tok, err := d.ReadToken(); err != nil || tok.Kind() != '[' {
		if err == nil {
			err = fmt.Errorf("%v where a list should be", tok.Kind())
		}
		return err
	}
	all := List[T]{}
	for d.PeekKind() != ']' {
		var t T
		from := d.InputOffset()
		if err := json.UnmarshalDecode(d, &t); err != nil {
			return err
		}
		if n := d.InputOffset() - from; n < t.Least() {
			return fmt.Errorf("item %d of a list takes %d bytes, which is too few for all that it has to say", len(all), n)
		}
		all = append(all, t)
	}
	_, err := d.ReadToken()
	*l = all
	return err
}
