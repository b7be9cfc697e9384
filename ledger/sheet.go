package ledger

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"runtime"
	"sync/atomic"

	"bongsu/errs"

	"golang.org/x/sys/unix"
)

// A sheet is an immutable file of named sections. Its bytes are covered by a
// CRC-32C for each page of sheetPage bytes; the checksums, the sections and a
// description stand in a trailer that has a checksum of its own. FORMAT.md
// draws it.
const (
	sheetMagic    = "bongsuS1"
	sheetPage     = 1 << sheetPageBits
	sheetPageBits = 14
	sheetTail     = 8 + 4 + 8 // trailer's length, its checksum, magic
	sheetSlack    = 16        // zero bytes after the last section, so that bit readers may look ahead
)

// section is a part of a sheet: its first byte and its length.
type section struct {
	At  int64 `json:"at"`
	Len int64 `json:"len"`
}

// sheetTrailer is written as JSON.
type sheetTrailer struct {
	Sections map[string]section `json:"sections"`
	About    json.RawMessage    `json:"about"`
	Pages    []uint32           `json:"-"` // after the JSON, 4 bytes each
	Size     int64              `json:"size"`
}

// sheetWriter writes one. Sections follow one another. An error stays: close
// reports the first.
type sheetWriter struct {
	f       file
	name    string
	buf     []byte
	flushed int64
	crcs    []uint32
	page    uint32 // checksum of the page begun
	inPage  int
	open    string
	start   int64
	trailer sheetTrailer
	err     error
}

func newSheet(d disk, path, name string) (*sheetWriter, error) {
	f, err := d.create(path)
	if err != nil {
		return nil, err
	}
	w := &sheetWriter{f: f, name: name, trailer: sheetTrailer{Sections: map[string]section{}}}
	w.write([]byte(sheetMagic))
	return w, nil
}

func (w *sheetWriter) at() int64 { return w.flushed + int64(len(w.buf)) }

// begin opens a section, ending the one before.
func (w *sheetWriter) begin(name string) {
	w.end()
	w.open, w.start = name, w.at()
}

// align fills the file up with zeros, between sections, to a multiple of n.
func (w *sheetWriter) align(n int64) {
	w.end()
	w.write(make([]byte, -w.at()&(n-1)))
}

func (w *sheetWriter) end() {
	if w.open != "" {
		w.trailer.Sections[w.open] = section{w.start, w.at() - w.start}
		w.open = ""
	}
}

func (w *sheetWriter) write(b []byte) {
	for len(b) > 0 {
		n := min(len(b), hugePage-len(w.buf))
		w.grow(n)
		w.buf = append(w.buf, b[:n]...)
		if b = b[n:]; len(w.buf) == hugePage {
			w.flush()
		}
	}
}

// grow makes room for n more bytes, of at most hugePage in all: most sheets of
// small ledgers are far smaller.
func (w *sheetWriter) grow(n int) {
	if len(w.buf)+n <= cap(w.buf) {
		return
	}
	size := max(1<<14, 4*cap(w.buf))
	for size < len(w.buf)+n {
		size *= 4
	}
	w.buf = append(make([]byte, 0, min(size, hugePage)), w.buf...)
}

// flush writes what is held back: a huge page (see mapping.go), or the rest.
func (w *sheetWriter) flush() {
	b := w.buf
	w.buf = w.buf[:0]
	if w.err != nil || len(b) == 0 {
		return
	}
	if _, err := w.f.WriteAt(b, w.flushed); err != nil {
		w.fail(err)
		return
	}
	w.flushed += int64(len(b))
	for len(b) > 0 {
		n := min(len(b), sheetPage-w.inPage)
		w.page = crc32.Update(w.page, castagnoli, b[:n])
		w.inPage += n
		b = b[n:]
		if w.inPage == sheetPage {
			w.crcs, w.page, w.inPage = append(w.crcs, w.page), 0, 0
		}
	}
}

// close ends the file and syncs it. It gives the file's size.
func (w *sheetWriter) close(about any) (int64, error) {
	size, err := w.seal(about)
	return size, cmpErr(err, w.sync())
}

// seal ends the file: slack, trailer. It gives the file's size.
func (w *sheetWriter) seal(about any) (int64, error) {
	w.end()
	w.write(make([]byte, sheetSlack))
	w.flush()
	if w.inPage > 0 {
		w.crcs = append(w.crcs, w.page)
	}
	w.trailer.Size = w.flushed
	if w.err != nil {
		return 0, w.err
	}
	var err error
	if w.trailer.About, err = json.Marshal(about); err != nil {
		return 0, w.fail(err)
	}
	body, err := json.Marshal(&w.trailer)
	if err != nil {
		return 0, w.fail(err)
	}
	e := &encoder{}
	e.bytes(body)
	for _, c := range w.crcs {
		e.b = binary.LittleEndian.AppendUint32(e.b, c)
	}
	n := len(e.b)
	e.b = binary.LittleEndian.AppendUint64(e.b, uint64(n))
	e.b = binary.LittleEndian.AppendUint32(e.b, crc32.Checksum(e.b, castagnoli))
	e.b = append(e.b, sheetMagic...)
	if _, err := w.f.WriteAt(e.b, w.flushed); err != nil {
		return 0, w.fail(err)
	}
	return w.flushed + int64(len(e.b)), nil
}

// sync makes a sealed file durable and closes it; one that failed it closes.
// Nobody may use the writer meanwhile, though the file may be read.
func (w *sheetWriter) sync() error {
	if w.err == nil {
		if err := w.f.Sync(); err != nil {
			w.fail(err)
		}
	}
	if err := w.f.Close(); err != nil {
		w.fail(err)
	}
	return w.err
}

// fail keeps the first error.
func (w *sheetWriter) fail(err error) error {
	if w.err == nil {
		w.err = errs.Wrap("write", w.name, err)
	}
	return w.err
}

// abandon closes the file as it is.
func (w *sheetWriter) abandon() { w.f.Close() }

// sheet is an open, memory-mapped sheet.
type sheet struct {
	name    string
	data    []byte
	trailer sheetTrailer
	good    []atomic.Uint32 // a bit for each page: it and the next are verified
	holds   string          // for a person, when known
	larger  bool            // the ledger is larger than memory
}

// openSheet maps a file and verifies its trailer; about is filled from it. The
// mapping ends when the sheet is no longer reachable.
func openSheet(path, name string, about any) (*sheet, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errs.Wrap("open", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, errs.Wrap("open", path, err)
	}
	size := info.Size()
	if size < int64(len(sheetMagic))+sheetTail {
		return nil, corruptSheet(path, "it is cut short")
	}
	data, err := mapFile(f, size)
	if err != nil {
		return nil, errs.Wrap("map", path, err)
	}
	s := &sheet{name: name, data: data}
	if err := s.readTrailer(path, about); err != nil {
		unix.Munmap(data)
		return nil, err
	}
	s.good = make([]atomic.Uint32, len(s.trailer.Pages)/32+1)
	runtime.SetFinalizer(s, func(s *sheet) { unix.Munmap(s.data) })
	return s, nil
}

func (s *sheet) readTrailer(path string, about any) error {
	n := int64(len(s.data))
	tail := s.data[n-sheetTail:]
	if string(s.data[:8]) != sheetMagic || string(tail[12:]) != sheetMagic {
		return corruptSheet(path, "it does not begin or end as a segment's file does")
	}
	length := binary.LittleEndian.Uint64(tail)
	if length > uint64(n-sheetTail) {
		return corruptSheet(path, "its trailer is longer than the file")
	}
	body := s.data[n-sheetTail-int64(length) : n-sheetTail]
	sum := crc32.Checksum(s.data[n-sheetTail-int64(length):n-sheetTail+8], castagnoli)
	if sum != binary.LittleEndian.Uint32(tail[8:]) {
		return corruptSheet(path, "its trailer's checksum does not match")
	}
	d := &decoder{b: body}
	if err := json.Unmarshal(d.bytes(), &s.trailer); err != nil || d.err != nil {
		return corruptSheet(path, "its trailer cannot be read")
	}
	t := &s.trailer
	if t.Size != n-sheetTail-int64(length) || int64(len(d.b)) != 4*((t.Size+sheetPage-1)/sheetPage) {
		return corruptSheet(path, "its trailer does not fit the file")
	}
	for range len(d.b) / 4 {
		t.Pages = append(t.Pages, binary.LittleEndian.Uint32(d.take(4)))
	}
	for name, sec := range t.Sections {
		if sec.At < 0 || sec.Len < 0 || sec.At+sec.Len > t.Size-sheetSlack {
			return corruptSheet(path, "section "+name+" lies outside the file")
		}
	}
	if err := json.Unmarshal(t.About, about); err != nil {
		return corruptSheet(path, "its description cannot be read")
	}
	return nil
}

func corruptSheet(path, why string) error {
	return errs.New("open ledger", errs.Corrupt, path, why, "run bongsu ledger check; restore the file from a copy, or import its range again")
}

// section is a section's bytes and the slack behind them; nil when missing.
func (s *sheet) section(name string) []byte {
	sec, ok := s.trailer.Sections[name]
	if !ok {
		return nil
	}
	return s.data[sec.At : sec.At+sec.Len+sheetSlack]
}

func (s *sheet) sectionAt(from, to int64) string {
	best := "none"
	for name, sec := range s.trailer.Sections {
		if sec.At < to && sec.At+sec.Len > from && (best == "none" || name < best) {
			best = name
		}
	}
	return best
}
