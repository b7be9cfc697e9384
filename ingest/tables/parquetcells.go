package tables

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"bongsu/chain"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// cells reads the values of one column of one row group, a row at a time.
type cells struct {
	leaf    *parquet.Column
	logical *format.LogicalType
	plain   bool // text as it stands, one value a row
	listed  bool
	pages   parquet.Pages
	values  parquet.ValueReader
	buf     [1024]parquet.Value
	n, i    int
	text    []byte
}

func openCells(f *parquet.File, group int, leaf *parquet.Column) (*cells, error) {
	meta := f.Metadata().RowGroups[group].Columns[leaf.Index()].MetaData
	if meta.TotalUncompressedSize > maxParquetChunk || meta.TotalUncompressedSize < 0 {
		return nil, fmt.Errorf("column %s declares %d bytes in one row group", leaf.Name(), meta.TotalUncompressedSize)
	}
	c := &cells{leaf: leaf, logical: leaf.Type().LogicalType(), listed: leaf.MaxRepetitionLevel() > 0, pages: f.RowGroups()[group].ColumnChunks()[leaf.Index()].Pages()}
	_, decimal := decimalScale(c.logical)
	kind := leaf.Type().Kind()
	c.plain = !c.listed && !decimal && (kind == parquet.ByteArray || kind == parquet.FixedLenByteArray)
	return c, nil
}

func (c *cells) close() { c.pages.Close() }

// peek looks at the next value, or returns io.EOF.
func (c *cells) peek() (*parquet.Value, error) {
	for c.i >= c.n {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return nil, err
			}
			c.values = page.Values()
		}
		n, err := c.values.ReadValues(c.buf[:])
		c.n, c.i = n, 0
		if err == io.EOF {
			c.values = nil
		} else if err != nil {
			return nil, err
		}
	}
	return &c.buf[c.i], nil
}

// next returns the column's text of the next row, valid until the call after;
// the values of a list are joined by commas.
func (c *cells) next(limit int) ([]byte, error) {
	v, err := c.peek()
	if err != nil {
		if err == io.EOF {
			err = fmt.Errorf("column %s ends before its row group", c.leaf.Name())
		}
		return nil, err
	}
	if c.plain {
		c.i++
		text := v.ByteArray() // none for a null
		if len(text) > limit {
			return nil, fmt.Errorf("a row of column %s is longer than %d bytes", c.leaf.Name(), limit)
		}
		return text, nil
	}
	c.text = c.text[:0]
	for first := true; ; first = false {
		if !first {
			c.text = append(c.text, ',')
		}
		if c.text, err = c.appendValue(c.text, v); err != nil {
			return nil, err
		}
		if len(c.text) > limit {
			return nil, fmt.Errorf("a row of column %s is longer than %d bytes", c.leaf.Name(), limit)
		}
		c.i++
		if !c.listed {
			return c.text, nil
		}
		v, err = c.peek()
		if err == io.EOF || err == nil && v.RepetitionLevel() == 0 {
			return c.text, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// appendValue writes a value as ethereum-etl's CSV would.
func (c *cells) appendValue(b []byte, v *parquet.Value) ([]byte, error) {
	if v.IsNull() {
		return b, nil
	}
	switch v.Kind() {
	case parquet.Boolean:
		if v.Boolean() {
			return append(b, '1'), nil
		}
		return append(b, '0'), nil
	case parquet.Int32:
		if unsigned(c.logical) {
			return strconv.AppendUint(b, uint64(v.Uint32()), 10), nil
		}
		return appendInteger(b, int64(v.Int32()), c.logical), nil
	case parquet.Int64:
		if unsigned(c.logical) {
			return strconv.AppendUint(b, v.Uint64(), 10), nil
		}
		return appendInteger(b, v.Int64(), c.logical), nil
	case parquet.Int96:
		return strconv.AppendInt(b, unixOfInt96(v.Int96()), 10), nil
	case parquet.Float:
		return appendFloat(b, float64(v.Float())), nil
	case parquet.Double:
		return appendFloat(b, v.Double()), nil
	case parquet.ByteArray, parquet.FixedLenByteArray:
		if scale, ok := decimalScale(c.logical); ok {
			return appendDecimal(b, v.ByteArray(), scale)
		}
		return append(b, v.ByteArray()...), nil
	}
	return nil, fmt.Errorf("column %s is of a type that cannot be read", c.leaf.Name())
}

func decimalScale(logical *format.LogicalType) (int, bool) {
	if logical != nil {
		if d, ok := logical.Value.(*format.DecimalType); ok {
			return int(d.Scale), true
		}
	}
	return 0, false
}

func unsigned(logical *format.LogicalType) bool {
	if logical == nil {
		return false
	}
	t, ok := logical.Value.(*format.IntType)
	return ok && !t.IsSigned
}

// appendInteger writes a number; a timestamp as seconds since 1970.
func appendInteger(b []byte, n int64, logical *format.LogicalType) []byte {
	if logical == nil {
		return strconv.AppendInt(b, n, 10)
	}
	if stamp, ok := logical.Value.(*format.TimestampType); ok && stamp.Unit.Value != nil {
		if unit := stamp.Unit.Value.Duration(); unit > 0 {
			n /= int64(time.Second / unit)
		}
	}
	if scale, ok := decimalScale(logical); ok && scale > 0 {
		text, err := scaled(strconv.FormatInt(n, 10), scale)
		if err != nil {
			return append(append(b, notExact), strconv.FormatInt(n, 10)...)
		}
		return append(b, text...)
	}
	return strconv.AppendInt(b, n, 10)
}

// unixOfInt96 is the time that older writers keep in 96 bits: nanoseconds of
// the day, then the Julian day.
func unixOfInt96(v deprecated.Int96) int64 {
	const julianUnix = 2440588
	nanos := int64(v[0]) | int64(v[1])<<32
	return (int64(v[2])-julianUnix)*86400 + nanos/1e9
}

// notExact begins a number that floating point may have rounded; amount
// refuses it.
const notExact = '~'

// exactFloat is the first whole number that floating point of 64 bits does not
// tell from its neighbour.
const exactFloat = 1 << 53

func appendFloat(b []byte, f float64) []byte {
	if f >= 0 && f < exactFloat && f == math.Trunc(f) {
		return strconv.AppendUint(b, uint64(f), 10)
	}
	return strconv.AppendFloat(append(b, notExact), f, 'g', -1, 64)
}

// appendDecimal writes a decimal kept as a big-endian integer of two's
// complement; one that is negative or not whole is no amount of base units.
func appendDecimal(b, v []byte, scale int) ([]byte, error) {
	for len(v) > 32 && v[0] == 0 {
		v = v[1:]
	}
	if len(v) > 0 && v[0] >= 0x80 {
		return append(b, '-'), nil
	}
	a, ok := chain.AmountFromBytes(v)
	if !ok {
		return append(b, notExact), nil
	}
	text, err := scaled(a.Base(), scale)
	if err != nil {
		return append(append(b, notExact), a.Base()...), nil
	}
	return append(b, text...), nil
}

var errNotWhole = errors.New("not a whole number")

// scaled takes the last digits, which must be zeros, off a decimal.
func scaled(digits string, scale int) (string, error) {
	if scale <= 0 {
		return digits, nil
	}
	if strings.Trim(digits, "0") == "" {
		return "0", nil
	}
	if len(digits) <= scale || strings.Trim(digits[len(digits)-scale:], "0") != "" {
		return "", errNotWhole
	}
	return digits[:len(digits)-scale], nil
}
