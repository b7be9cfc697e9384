package tables

import (
	"errors"
	"io"
	"sort"

	"github.com/pierrec/lz4/v4"
)

// Version 0.32 of the library loses what it unpacks from a page in LZ4_RAW: its
// codec gets memory of its own where the page shrank to more than a third, and
// the result is dropped, zeros taking its place, if it is exactly as long as the
// page's header says (github.com/parquet-go/parquet-go/issues/608). A header that
// says 0 has it kept. So that is what the library is shown, once lz4Page has held
// that the page unpacks to what the header really says.

// lz4Most is how many bytes one of a block in LZ4 can stand for.
const lz4Most = 255

// lz4Page holds that a page unpacks, and to no more than its header says. On data
// that are damaged the library would try with more and more memory.
func (c *pageChecker) lz4Page(data *io.SectionReader, want int64) error {
	if want > min(maxParquetHeld, lz4Most*data.Size()+lz4Most) {
		return errors.New("a page expands to less than its header says")
	}
	size := int(data.Size() + want)
	if cap(c.lz4) < size {
		c.lz4 = make([]byte, size)
	}
	packed, out := c.lz4[:data.Size()], c.lz4[data.Size():size]
	if _, err := io.ReadFull(data, packed); err != nil {
		return err
	}
	if _, err := lz4.UncompressBlock(packed, out); err != nil {
		return errors.Join(errPageExpands, err)
	}
	return nil
}

// blank is a number in the header of a page that reads as 0.
type blank struct {
	at    int64 // in the file
	width int   // bytes
}

// ReadAt reads the file as the library is shown it.
func (c *pageChecker) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	first := sort.Search(len(c.blank), func(i int) bool { return c.blank[i].at+int64(c.blank[i].width) > off })
	for _, b := range c.blank[first:] {
		if b.at >= off+int64(n) {
			break
		}
		for i := range b.width {
			at := b.at + int64(i) - off
			if at < 0 || at >= int64(n) {
				continue
			}
			p[at] = 0x80 // a varint's digit, more to come
			if i == b.width-1 {
				p[at] = 0
			}
		}
	}
	return n, err
}
