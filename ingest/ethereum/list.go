package ethereum

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// list is an array of a node's answer. An answer is bounded in bytes before it is
// decoded, so its memory is too where each element takes some of them: "{}" would
// be hundreds of bytes in memory. An element of fewer bytes than any can have is
// refused as soon as it is met, and so is what comes after it.
type list[T element] []T

// element is what least says takes at least so many bytes as JSON.
type element interface{ least() int64 }

// UnmarshalJSONFrom is json.UnmarshalerFrom's.
func (l *list[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
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
	all := list[T]{}
	for d.PeekKind() != ']' {
		var t T
		from := d.InputOffset()
		if err := json.UnmarshalDecode(d, &t); err != nil {
			return err
		}
		if n := d.InputOffset() - from; n < t.least() {
			return fmt.Errorf("item %d of a list takes %d bytes, which is too few for all that it has to say", len(all), n)
		}
		all = append(all, t)
	}
	_, err := d.ReadToken()
	*l = all
	return err
}

// A hash takes 68 bytes with its quotes, an address 44, the least quantity 5, and
// each member its name and a colon; counted are those that every node gives.
func (transaction) least() int64   { return 68*2 + 44 }
func (receipt) least() int64       { return 68 * 2 }
func (event) least() int64         { return 44 }
func (withdrawal) least() int64    { return 44 + 5 }
func (accessTuple) least() int64   { return 44 }
func (authorization) least() int64 { return 44 + 4*5 }
func (traced) least() int64        { return int64(len(`{"error":""}`)) }
func (frame) least() int64         { return 44 }
func (hash) least() int64          { return 68 }
