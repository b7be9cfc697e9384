package tables

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"bongsu/errs"
	"bongsu/ingest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// Limits of the pages of a Parquet file.
const (
	maxParquetHeader = 1 << 20 // bytes of a page's header, statistics included
	maxParquetHeld   = 1 << 30 // bytes of the pages that are read at a time, of all columns together
	parquetValue     = 16      // bytes that a value takes beside its text while its page is read
)

// pageChecker looks at the pages of a file before the library does, which reads
// the file through it.
type pageChecker struct {
	r      io.ReaderAt
	blank  []blank // sizes that the library is not shown, in order
	lz4    []byte
	gzip   *gzip.Reader
	zstd   *zstd.Decoder
	brotli *brotli.Reader
}

func (c *pageChecker) close() {
	if c.zstd != nil {
		c.zstd.Close()
	}
}

var errPageExpands = errors.New("a page expands to more than its header says")

// plain holds that a page at an offset expands to no more than its header says:
// the library takes whatever comes out. Snappy says so itself at its beginning,
// the others have to be tried.
func (c *pageChecker) plain(p *pageHeader, codec format.CompressionCodec, at int64) (err error) {
	if p.levels > p.compressed || p.levels > p.plain {
		return errThriftBad
	}
	data, want := io.NewSectionReader(c.r, at+p.levels, p.compressed-p.levels), p.plain-p.levels
	if p.asIs || codec == format.Uncompressed || data.Size() == 0 {
		return nil
	}
	var from io.Reader
	in := bufio.NewReader(data)
	switch codec {
	case format.Snappy:
		n, err := binary.ReadUvarint(in)
		if err == nil && n > uint64(want) {
			err = errPageExpands
		}
		return err
	case format.Gzip:
		if c.gzip == nil {
			c.gzip = new(gzip.Reader)
		}
		from, err = c.gzip, c.gzip.Reset(in)
	case format.Zstd:
		if c.zstd == nil {
			c.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
			if err != nil {
				return err
			}
		}
		from, err = c.zstd, c.zstd.Reset(in)
	case format.Brotli:
		if c.brotli == nil {
			c.brotli = new(brotli.Reader)
		}
		from, err = c.brotli, c.brotli.Reset(in)
	case format.Lz4Raw:
		return c.lz4Page(data, want)
	default:
		return errors.New("its pages are compressed with " + codec.String() + ": write it again with snappy, gzip, zstd, brotli or lz4_raw")
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(from, want+1))
	if err == nil && n > want {
		err = errPageExpands
	}
	return err
}

// chunkBytes walks over the headers of a column's pages in one row group, and
// returns what reading them one after the other holds at once: the dictionary
// and the largest of the others.
func (c *pageChecker) chunkBytes(meta *format.ColumnMetaData) (int64, error) {
	at := meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 {
		at = min(at, d)
	}
	if at < 0 || meta.TotalCompressedSize < 0 {
		return 0, errThriftBad
	}
	var dictionary, largest int64
	for end := at + meta.TotalCompressedSize; at < end; {
		p, err := readPageHeader(c.r, at, end)
		if err == nil && p.compressed > end-at-p.header {
			err = errors.New("a page goes on beyond its column")
		}
		if err == nil {
			err = c.plain(&p, meta.Codec, at+p.header)
		}
		if err != nil {
			return 0, err
		}
		held := p.compressed + p.plain + parquetValue*p.values
		if meta.Codec == format.Lz4Raw {
			held += max(3*p.compressed, p.plain) // what the library tries with
			c.blank = append(c.blank, blank{at + p.sizeAt, p.sizeWidth})
		}
		if p.kind == int64(format.DictionaryPage) {
			dictionary = max(dictionary, held)
		} else {
			largest = max(largest, held)
		}
		at += p.header + p.compressed
	}
	return dictionary + largest, nil
}

// pageHeader is what the header of a page states.
type pageHeader struct {
	header, kind, plain, compressed, values int64
	levels                                  int64 // bytes before what is compressed
	asIs                                    bool  // nothing is compressed
	sizeAt                                  int64 // where plain is stated, from the header's beginning
	sizeWidth                               int   // and in how many bytes
}

func readPageHeader(r io.ReaderAt, at, end int64) (p pageHeader, err error) {
	for size := int64(4 << 10); ; size = maxParquetHeader {
		b := make([]byte, min(size, end-at))
		if _, err := r.ReadAt(b, at); err != nil {
			return p, err
		}
		p = pageHeader{}
		t := thrift{b: b}
		t.number = func(parent, field int16, v int64) {
			switch {
			case parent == 0 && field == 1:
				p.kind = v
			case parent == 0 && field == 2:
				p.plain, p.sizeAt, p.sizeWidth = v, int64(len(b)-len(t.b)-t.width), t.width
			case parent == 0 && field == 3:
				p.compressed = v
			case (parent == 5 || parent == 7 || parent == 8) && field == 1:
				p.values = max(p.values, v)
			case parent == 8 && (field == 5 || field == 6):
				p.levels += max(0, v)
			case parent == 8 && field == 7:
				p.asIs = v == 0
			}
		}
		err = t.structure(0, 0)
		if errors.Is(err, errThriftShort) && size < maxParquetHeader && size < end-at {
			continue
		}
		p.header = int64(len(b) - len(t.b))
		const most = 1<<31 - 1
		if err == nil && (p.plain < 0 || p.compressed < 0 || p.values < 0 || p.plain > most || p.compressed > most || p.values > most) {
			err = errThriftBad
		}
		return p, err
	}
}

// group bounds what the pages of the wanted columns of a row group hold. The
// library may read them, and no others, until the next call.
func (c *pageChecker) group(in *ingest.Input, group *format.RowGroup, wanted []int) error {
	var held int64
	c.blank = c.blank[:0]
	defer func() { slices.SortFunc(c.blank, func(a, b blank) int { return cmp.Compare(a.at, b.at) }) }()
	for _, i := range wanted {
		if i < 0 || i >= len(group.Columns) {
			return damagedParquet(in, errors.New("a row group lacks a column"))
		}
		n, err := c.chunkBytes(&group.Columns[i].MetaData)
		if err != nil {
			return damagedParquet(in, err)
		}
		if held += n; held > maxParquetHeld {
			return errs.New("import", errs.Limit, in.Name, fmt.Sprintf("reading a row group takes more than %d bytes at once", int64(maxParquetHeld)),
				"write the file again with smaller pages")
		}
	}
	return nil
}
