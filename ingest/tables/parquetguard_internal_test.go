package tables

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// FuzzFooter: what the walk lets pass makes the library hold no more than the
// walk allows, whatever the library makes of it.
func FuzzFooter(f *testing.F) {
	type row struct {
		Hash  string   `parquet:"hash,dict"`
		Value []string `parquet:"value,list"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	if _, err := w.Write([]row{{"a", []string{"b", "c"}}}); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	n := binary.LittleEndian.Uint32(b.Bytes()[b.Len()-8:])
	f.Add(b.Bytes()[b.Len()-8-int(n) : b.Len()-8])
	f.Add([]byte{0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07})
	f.Add([]byte{0x19, 0x11, 0, 0})
	f.Fuzz(func(t *testing.T, footer []byte) {
		file := append([]byte("PAR1"), footer...)
		file = append(binary.LittleEndian.AppendUint32(file, uint32(len(footer))), "PAR1"...)
		r := bytes.NewReader(file)
		if checkFooter(r, r.Size()) != nil {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		func() {
			defer func() { recover() }()                                                               //nolint:errcheck // as readParquet does
			parquet.OpenFile(r, r.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true)) //nolint:errcheck // either is fine
		}()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20+uint64(4096*len(footer)) {
			t.Errorf("a footer of %d bytes made the library get %d", len(footer), got)
		}
	})
}

// FuzzPageHeader: no header of a page makes the walk fail but by an error.
func FuzzPageHeader(f *testing.F) {
	f.Add([]byte{0x15, 0, 0x15, 20, 0x15, 20, 0x2c, 0x15, 2, 0, 0})
	f.Add([]byte{0x15, 0, 0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPageHeader(bytes.NewReader(b), 0, int64(len(b)))
		if err == nil && (p.header <= 0 || p.header > int64(len(b)) || p.plain < 0 || p.compressed < 0 || p.values < 0) {
			t.Errorf("%+v of %x", p, b)
		}
	})
}
