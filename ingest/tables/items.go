package tables

import (
	"bytes"
	"context"
	"errors"

	"bongsu/ingest"
)

// eachItem calls read with every item of a JSON list, and its number; a
// cellError rejects the item. Rejects carry the item's number as its line.
func eachItem(ctx context.Context, in *ingest.Input, out *ingest.Output, read func([]byte, int64) error) error {
	out.JSON(true)
	return in.EachItem(ctx, func(item []byte, n int64) error {
		out.Row()
		err := read(item, n)
		if c := (*cellError)(nil); errors.As(err, &c) {
			err = out.Reject(ingest.Place{Line: n, Column: c.column}, item, c.err)
		}
		return err
	})
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

// firstItem reads the members of a list's first object, as far as head goes.
func firstItem(head []byte) map[string][]byte {
	fields, err := object(ingest.FirstItem(head), 64)
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
