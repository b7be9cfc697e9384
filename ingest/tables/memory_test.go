package tables_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/tables"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// allotted is how many bytes the program got while do ran, given back ones
// included.
func allotted(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// hostileMost is what reading a hostile file of a few megabytes at most may get.
const hostileMost = 120 << 20

// TestHostileMemory: files that state, or expand to, more than a machine has
// are refused or rejected in bounded memory.
func TestHostileMemory(t *testing.T) {
	packed := func(w func(io.Writer) io.WriteCloser, head string, n int64) io.Reader {
		var b bytes.Buffer
		z := w(&b)
		if _, err := io.Copy(z, io.MultiReader(strings.NewReader(head), endless("x", n))); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return &b
	}
	gz := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	zst := func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	bz := func(w io.Writer) io.WriteCloser { return &bzip{to: w} }
	const header = "token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n"
	cases := map[string]struct {
		in   io.Reader
		kind errs.Kind
		want string
	}{
		"a line of 128 MB":                    {io.MultiReader(strings.NewReader(header), endless("x", 128<<20)), errs.Partial, "were rejected"},
		"a header of 128 MB":                  {endless("x,", 128<<20), errs.Invalid, "in no known format"},
		"a quoted field of 128 MB":            {io.MultiReader(strings.NewReader(header+`"`), endless("x", 128<<20)), errs.Partial, "were rejected"},
		"a line of commas":                    {io.MultiReader(strings.NewReader(header), endless(",", 128<<20)), errs.Partial, "were rejected"},
		"a JSON item of 128 MB":               {io.MultiReader(strings.NewReader(`[{"event":"receive","emittedAt":"`), endless("x", 128<<20)), errs.Invalid, ""},
		"a gzip bomb":                         {packed(gz, header, 96<<20), errs.Limit, "decompresses to far more"},
		"a zstd bomb":                         {packed(zst, header, 96<<20), errs.Limit, "decompresses to far more"},
		"a bzip2 bomb":                        {packed(bz, header, 96<<20), errs.Limit, "decompresses to far more"},
		"Parquet: a list of 2^31 things":      {bytes.NewReader(withFooter(listOf(1<<31 - 1))), errs.Invalid, "it ends in the middle of a structure"},
		"Parquet: a footer without an end":    {bytes.NewReader(append([]byte("PAR1"), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1')), errs.Invalid, "footer is missing"},
		"Parquet: lists in lists":             {bytes.NewReader(withFooter(append([]byte{0x29}, bytes.Repeat([]byte{0x19}, 1<<20)...))), errs.Invalid, "compact protocol"},
		"Parquet: a million empty things":     {bytes.NewReader(withFooter(append(append(listOf(4<<20), make([]byte, 4<<20)...), 0))), errs.Invalid, "lists"},
		"Parquet: a page of 2^31 bytes":       {bytes.NewReader(withPage(t, parquet.Snappy.CompressionCodec(), nil, func(h *format.PageHeader) { h.UncompressedPageSize = 1<<31 - 1 })), errs.Limit, "takes more than"},
		"Parquet: a page beyond the file":     {bytes.NewReader(withPage(t, parquet.Snappy.CompressionCodec(), nil, func(h *format.PageHeader) { h.CompressedPageSize = 1<<31 - 1 })), errs.Invalid, "beyond its column"},
		"Parquet: a page of 2^31 nulls":       {bytes.NewReader(withPage(t, parquet.Snappy.CompressionCodec(), nil, func(h *format.PageHeader) { h.DataPageHeader.V.NumValues = 1<<31 - 1 })), errs.Limit, "takes more than"},
		"Parquet: a snappy bomb":              {bytes.NewReader(withPage(t, format.Snappy, binary.AppendUvarint(nil, 1<<31), nil)), errs.Invalid, "expands to more"},
		"Parquet: a gzip bomb":                {bytes.NewReader(withPage(t, format.Gzip, all(packed(gz, "", 96<<20)), nil)), errs.Invalid, "expands to more"},
		"Parquet: an LZ4 page of a gigabyte":  {bytes.NewReader(withPage(t, format.Lz4Raw, []byte{0}, func(h *format.PageHeader) { h.UncompressedPageSize = 1 << 30 })), errs.Invalid, "expands to less"},
		"Parquet: an LZ4 page that says less": {bytes.NewReader(withPage(t, format.Lz4Raw, lz4Block(t, 4<<20), func(h *format.PageHeader) { h.UncompressedPageSize = 1 << 20 })), errs.Invalid, "expands to more"},
		"Parquet: a broken LZ4 page":          {bytes.NewReader(withPage(t, format.Lz4Raw, []byte{0xf0, 7}, func(h *format.PageHeader) { h.UncompressedPageSize = 40 })), errs.Invalid, "expands to more"},
		"Parquet: a zstd bomb":                {bytes.NewReader(withPage(t, format.Zstd, all(packed(zst, "", 96<<20)), nil)), errs.Invalid, "expands to more"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var err error
			got := allotted(func() {
				_, err = ingest.Run(t.Context(), nothing{}, []ingest.Source{{Name: "hostile", From: c.in}},
					ingest.Options{Formats: tables.Formats(), Rejects: filepath.Join(t.TempDir(), "r.csv"), TempDir: t.TempDir()})
			})
			if errs.Is(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if got > hostileMost {
				t.Errorf("it got %d MB", got>>20)
			}
		})
	}
}

// endless gives a text again and again, n bytes of it, many at a time.
func endless(text string, n int64) io.Reader { return pattern(strings.Repeat(text, 32<<10), n) }

func all(r io.Reader) []byte {
	b, _ := io.ReadAll(r) //nolint:errcheck // from memory
	return b
}

// bzip packs with the system's bzip2, which writes what the library only reads.
type bzip struct {
	b  bytes.Buffer
	to io.Writer
}

func (z *bzip) Write(p []byte) (int, error) { return z.b.Write(p) }

func (z *bzip) Close() error {
	cmd := exec.CommandContext(context.Background(), "bzip2", "-c")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &z.b, z.to, os.Stderr
	return cmd.Run()
}

// withFooter is a Parquet file that is nothing but a footer.
func withFooter(footer []byte) []byte {
	b := append([]byte("PAR1"), footer...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(footer)))
	return append(b, "PAR1"...)
}

// listOf begins a footer whose schema is a list of so many structures.
func listOf(n uint64) []byte {
	return binary.AppendUvarint([]byte{0x29, 0xfc}, n) // field 2, a list; structures, their number follows
}

// lz4Block is n zeros as a block in LZ4.
func lz4Block(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, lz4.CompressBlockBound(n))
	n, err := lz4.CompressBlock(make([]byte, n), b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// withPage is a file of token_transfers whose pages of the first column have
// this header and, when not nil, this content.
func withPage(t *testing.T, codec format.CompressionCodec, content []byte, change func(*format.PageHeader)) []byte {
	t.Helper()
	type row struct {
		Token string `parquet:"token_address"`
		From  string `parquet:"from_address"`
		To    string `parquet:"to_address"`
		Value string `parquet:"value"`
		Tx    string `parquet:"transaction_hash"`
		Log   int64  `parquet:"log_index"`
		Block int64  `parquet:"block_number"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.DataPageVersion(1))
	if _, err := w.Write([]row{{steth, alice, bob, "1", tx1, 0, 7}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	meta := f.Metadata()
	chunk := &meta.RowGroups[0].Columns[0].MetaData
	var p thrift.CompactProtocol
	var h format.PageHeader
	if err := thrift.NewDecoder(p.NewReader(bytes.NewReader(b.Bytes()[chunk.DataPageOffset:]))).Decode(&h); err != nil {
		t.Fatal(err)
	}
	if content == nil {
		content = make([]byte, h.CompressedPageSize)
	}
	h.CompressedPageSize = int32(len(content))
	if change != nil {
		change(&h)
	}
	head, err := thrift.Marshal(&p, &h)
	if err != nil {
		t.Fatal(err)
	}
	// The pages go behind everything else, before a footer that knows.
	at := b.Len()
	b.Write(head)
	b.Write(content)
	chunk.Codec, chunk.DataPageOffset, chunk.DictionaryPageOffset = codec, int64(at), 0
	chunk.TotalCompressedSize = int64(len(head) + len(content))
	footer, err := thrift.Marshal(&p, meta)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(footer)
	file := binary.LittleEndian.AppendUint32(b.Bytes(), uint32(len(footer)))
	return append(file, "PAR1"...)
}
