package tables

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The library that reads Parquet believes the lengths that a file states, and
// gets memory for them before it looks whether the bytes are there: two hundred
// bytes can ask for more than any machine has, which ends the process. So the
// footer and each page's header are walked here first, by the rules of Thrift's
// compact protocol alone, and what they would make the library hold is bounded.
const (
	maxParquetFooter = 16 << 20 // bytes
	maxParquetItems  = 1 << 20  // of all lists of the footer; one takes up to half a kilobyte
	maxParquetNodes  = 4 * maxParquetColumns
	maxThriftDepth   = 32
)

var (
	errThriftShort = errors.New("it ends in the middle of a structure")
	errThriftBad   = errors.New("not a structure of Thrift's compact protocol")
)

// thrift walks over one structure in the compact protocol, allocating nothing.
type thrift struct {
	b     []byte
	items int
	width int // bytes of the last number
	// number and list are called with the field's number and that of the field
	// its structure is the value of (0: the outermost).
	number func(parent, field int16, v int64)
	list   func(parent, field int16, size int)
}

// The types of the compact protocol.
const (
	thriftStop = iota
	thriftTrue
	thriftFalse
	thriftByte
	thriftI16
	thriftI32
	thriftI64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

func (t *thrift) structure(parent int16, depth int) error {
	field := int16(0)
	for {
		head, err := t.take(1)
		if err != nil {
			return err
		}
		kind := head[0] & 15
		if kind == thriftStop {
			return nil
		}
		if step := int16(head[0] >> 4); step > 0 {
			field += step
		} else {
			n, err := t.varint()
			if err != nil {
				return err
			}
			field = int16(unzigzag(n)) //nolint:gosec // a number beyond is another field, and harmless
		}
		if err := t.value(parent, field, kind, depth); err != nil {
			return err
		}
	}
}

func (t *thrift) value(parent, field int16, kind byte, depth int) error {
	if depth > maxThriftDepth {
		return errThriftBad
	}
	switch kind {
	case thriftTrue, thriftFalse:
		if t.number != nil {
			t.number(parent, field, int64(2-kind))
		}
		return nil
	case thriftByte:
		_, err := t.take(1)
		return err
	case thriftI16, thriftI32, thriftI64:
		n, err := t.varint()
		if err == nil && t.number != nil {
			t.number(parent, field, unzigzag(n))
		}
		return err
	case thriftDouble:
		_, err := t.take(8)
		return err
	case thriftBinary:
		n, err := t.varint()
		if err == nil {
			_, err = t.take(n)
		}
		return err
	case thriftList, thriftSet:
		return t.elements(parent, field, depth)
	case thriftMap:
		return t.pairs(parent, field, depth)
	case thriftStruct:
		return t.structure(field, depth+1)
	}
	return errThriftBad
}

func (t *thrift) elements(parent, field int16, depth int) error {
	head, err := t.take(1)
	if err != nil {
		return err
	}
	size := uint64(head[0] >> 4)
	if size == 15 {
		if size, err = t.varint(); err != nil {
			return err
		}
	}
	if size > uint64(len(t.b)) { // an element takes at least a byte
		return errThriftShort
	}
	t.items += int(size)
	if t.list != nil {
		t.list(parent, field, int(size))
	}
	for range size {
		if err := t.element(parent, field, head[0]&15, depth); err != nil {
			return err
		}
	}
	return nil
}

func (t *thrift) pairs(parent, field int16, depth int) error {
	size, err := t.varint()
	if err != nil || size == 0 {
		return err
	}
	kinds, err := t.take(1)
	if err != nil {
		return err
	}
	if size > uint64(len(t.b)) {
		return errThriftShort
	}
	t.items += int(size)
	for range size {
		if err := errors.Join(t.element(parent, field, kinds[0]>>4, depth), t.element(parent, field, kinds[0]&15, depth)); err != nil {
			return err
		}
	}
	return nil
}

// element is value where a boolean takes a byte.
func (t *thrift) element(parent, field int16, kind byte, depth int) error {
	if kind == thriftTrue || kind == thriftFalse {
		_, err := t.take(1)
		return err
	}
	return t.value(parent, field, kind, depth+1)
}

func (t *thrift) take(n uint64) ([]byte, error) {
	if n > uint64(len(t.b)) {
		return nil, errThriftShort
	}
	b := t.b[:n]
	t.b = t.b[n:]
	return b, nil
}

func (t *thrift) varint() (uint64, error) {
	v, n := binary.Uvarint(t.b)
	switch {
	case n == 0:
		return 0, errThriftShort
	case n < 0:
		return 0, errThriftBad
	}
	t.b, t.width = t.b[n:], n
	return v, nil
}

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) } //nolint:gosec // the protocol's own form

// checkFooter walks over the footer of a file.
func checkFooter(r io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < 12 {
		return errors.New("it is too short")
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if string(tail[4:]) != "PAR1" || n > size-12 {
		return errors.New("its footer is missing: it was cut off")
	}
	if n > maxParquetFooter {
		return fmt.Errorf("its footer takes %d bytes", n)
	}
	t := thrift{b: make([]byte, n)}
	if _, err := r.ReadAt(t.b, size-8-n); err != nil {
		return err
	}
	nodes := 0
	t.list = func(parent, field int16, size int) {
		if parent == 0 && field == 2 { // the schema
			nodes = size
		}
	}
	err := t.structure(0, 0)
	switch {
	case err != nil:
		return err
	case t.items > maxParquetItems:
		return fmt.Errorf("its footer lists %d things", t.items)
	case nodes > maxParquetNodes:
		return fmt.Errorf("its schema has %d nodes", nodes)
	}
	return nil
}
