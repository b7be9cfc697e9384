package ingest

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"bongsu/errs"

	"github.com/klauspost/compress/zstd"
)

// stream is an opened source: raw bytes counted before decompression, the
// decompressed head looked at but not consumed.
type stream struct {
	name    string
	file    *os.File // nil when reading Stdin or Source.From
	raw     *counter
	body    *bufio.Reader
	packed  string   // "gzip", "zstd", "bzip2" or ""
	plain   bool     // what is read is what is stored
	size    int64    // of the file as stored, or -1
	spooled *spooled // what spool made, once it was called
	closers []func()
}

// counter counts the bytes that pass. The count is read by the goroutine that
// reports progress.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func open(src Source, opts *Options) (*stream, error) {
	s := &stream{name: src.Name, size: -1}
	var r io.Reader
	switch {
	case src.From != nil:
		r = src.From
	case src.Name == "-":
		if opts.Stdin == nil {
			return nil, errs.New("import", errs.Usage, "-", "there is no standard input here", "name a file")
		}
		r = opts.Stdin
	default:
		f, err := os.Open(src.Name)
		if err != nil {
			return nil, openError(src.Name, err)
		}
		if st, err := f.Stat(); err == nil && st.IsDir() {
			f.Close()
			return nil, errs.New("import", errs.Usage, src.Name, "is a folder", "name the files in it")
		} else if err == nil && st.Mode().IsRegular() {
			s.size = st.Size()
		}
		s.file, r = f, f
		s.closers = append(s.closers, func() { f.Close() })
	}
	s.raw = &counter{r: r}
	if err := s.unpack(opts.Limits); err != nil {
		s.close()
		return nil, err
	}
	if column, ok := rejectedJSON(s.body); ok {
		s.body = bufio.NewReader(newMended(s.body, column))
		s.plain = false
	}
	return s, nil
}

func openError(name string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &errs.Error{Op: "import", Kind: errs.NotExist, Where: name, Why: "there is no such file", Hint: "check its name"}
	case errors.Is(err, os.ErrPermission):
		return &errs.Error{Op: "import", Kind: errs.Permission, Where: name, Why: "this user may not read it", Hint: "check its permissions"}
	}
	return errs.Wrap("import", name, err)
}

func (s *stream) close() {
	for _, c := range s.closers {
		c()
	}
}

// The first bytes of compressed data (RFC 1952, RFC 8878, bzip2's own).
var (
	magicGzip  = []byte{0x1f, 0x8b}
	magicZstd  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicBzip2 = []byte("BZh")
)

// unpack puts the decompressor in place that the first bytes ask for.
func (s *stream) unpack(lim Limits) error {
	// Smaller than what readers of lines ask for at a time, so that their reads
	// go past it into their own memory.
	in := bufio.NewReaderSize(s.raw, HeadBytes)
	magic, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return errs.Wrap("import", s.name, err)
	}
	var r io.Reader
	switch {
	case bytes.HasPrefix(magic, magicGzip):
		z, err := gzip.NewReader(in)
		if err != nil {
			return s.damaged("gzip", err)
		}
		z.Multistream(false)
		s.packed, r = "gzip", &members{in: in, z: z}
	case bytes.HasPrefix(magic, magicZstd):
		// A window beyond 128 MiB is not what any exporter writes.
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return s.damaged("zstd", err)
		}
		s.closers = append(s.closers, z.Close)
		s.packed, r = "zstd", z
	case bytes.HasPrefix(magic, magicBzip2):
		s.packed, r = "bzip2", bzip2.NewReader(in)
	default:
		s.body, s.plain = in, true
		return nil
	}
	s.body = bufio.NewReaderSize(&inflated{s: s, r: r, ratio: lim.Inflate}, 1<<18)
	return nil
}

// damaged is the error of data that cannot be decompressed. Of a file that was
// cut off what came before is what was written. Where a checksum is wrong any of
// it may be something else, and still look like rows: the checksum of gzip and
// zstd stands behind the data, that of bzip2 behind 900 kB of it.
func (s *stream) damaged(how string, err error) error {
	if errors.Is(err, errTrailing) {
		return &errs.Error{
			Op: "import", Kind: errs.Invalid, Where: s.name, Why: "bytes that are no " + how + " data follow its " + how + " data",
			Hint: "rows before them are imported: nothing is missing if they are padding or a signature; else fetch the file again",
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &errs.Error{
			Op: "import", Kind: errs.Invalid, Where: s.name, Why: "its " + how + " data is cut off", Err: err,
			Hint: "fetch the file again; rows before the cut are imported",
		}
	}
	return &refusal{&errs.Error{
		Op: "import", Kind: errs.Invalid, Where: s.name, Why: "its " + how + " data is damaged", Err: err,
		Hint: "fetch the file again; nothing of it was imported, because the damage may be in any row",
	}}
}

// inflated is decompressed data with a bound on how far it may expand, so that
// a small file cannot fill the disk with rejects or run for days.
type inflated struct {
	s     *stream
	r     io.Reader
	n     int64
	ratio int64
	err   error // how it ended, once it has
}

func (i *inflated) Read(p []byte) (int, error) {
	if i.err != nil {
		return 0, i.err
	}
	n, err := i.read(p)
	i.err = err
	return n, err
}

func (i *inflated) read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.n += int64(n)
	if i.n > InflateFree && i.n > i.ratio*i.s.raw.n.Load() {
		return 0, errs.New("import", errs.Limit, i.s.name, "decompresses to far more than any table of transfers does",
			"if the file is what it should be, decompress it first and import the result")
	}
	if err != nil && err != io.EOF {
		if i.n > 0 && trails(err) {
			err = errTrailing
		}
		err = i.s.damaged(i.s.packed, err)
	}
	return n, err
}

var errTrailing = errors.New("something follows the compressed data")

// trails says whether an error of zstd or bzip2, after data, is that what follows
// does not begin as such data do.
func trails(err error) bool {
	var form bzip2.StructuralError
	return errors.Is(err, zstd.ErrMagicMismatch) || errors.As(err, &form) && form == "bad magic value in continuation file"
}

// members reads the members of a gzip file one after the other (RFC 1952, section
// 2.2), and zeros behind the last, with which some media pad files, as nothing.
// Anything else there is errTrailing.
type members struct {
	in *bufio.Reader
	z  *gzip.Reader
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if err == io.EOF {
			err = m.next()
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// next begins the next member, or returns io.EOF.
func (m *members) next() error {
	if head, _ := m.in.Peek(len(magicGzip)); bytes.Equal(head, magicGzip) { // an error comes again below
		err := m.z.Reset(m.in)
		m.z.Multistream(false)
		return err
	}
	for {
		switch c, err := m.in.ReadByte(); {
		case err != nil:
			return err
		case c != 0:
			return errTrailing
		}
	}
}

// head is the beginning of the decompressed data, not consumed. An error behind
// data that can be imported comes again when it is read.
func (s *stream) head() ([]byte, error) {
	big := bufio.NewReaderSize(s.body, HeadBytes)
	s.body = big
	h, err := big.Peek(HeadBytes)
	if err == io.EOF || len(h) > 0 && kept(err) {
		err = nil
	}
	return h, err
}

// left is what remains to be read, in parts of the whole from 1 to 0, or a
// negative number when it cannot be known.
func (s *stream) left() float64 {
	if s.size <= 0 {
		return -1
	}
	return max(0, 1-float64(s.raw.n.Load())/float64(s.size))
}

// spooled is how spool ended: a stream's body can be read only once.
type spooled struct {
	w   *whole
	err error
}

// whole is a file that can be read at any position; a stream is copied to a
// temporary file for it.
type whole struct {
	f    *os.File
	size int64
}

// File returns the source as a file for formats that declare Whole, with its
// size. It stays open until Read returns.
func (in *Input) File() (io.ReaderAt, int64) { return in.file.f, in.file.size }

// spool makes the whole file: the source itself when it is a plain regular
// file, else a copy. Further calls return the same.
func (s *stream) spool(dir string) (*whole, error) {
	if s.spooled == nil {
		w, err := s.copied(dir)
		s.spooled = &spooled{w, err}
	}
	return s.spooled.w, s.spooled.err
}

func (s *stream) copied(dir string) (*whole, error) {
	if s.file != nil && s.size >= 0 && s.plain {
		return &whole{s.file, s.size}, nil
	}
	f, err := os.CreateTemp(dir, "bongsu-import-*")
	if err != nil {
		return nil, errs.Wrap("import", s.name, err)
	}
	os.Remove(f.Name()) //nolint:errcheck // unlinked at once, so that no crash leaves it behind
	s.closers = append(s.closers, func() { f.Close() })
	n, err := io.Copy(f, s.body)
	if err != nil {
		return nil, errs.Wrap("import", s.name, err)
	}
	return &whole{f, n}, nil
}
