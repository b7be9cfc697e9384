package ledger

import (
	"os"

	"golang.org/x/sys/unix"
)

// hugePage is the size of what the processor's larger table of addresses
// covers with one entry (x86-64, arm64 with pages of 4 KiB). A random read from
// a gigabyte mapped in small pages waits for the tables as long as for the
// bytes; mapped in huge ones it does not (ext4 on Linux 6.18: 235 ns for a
// dependent read, 335 in small pages). Linux maps a file so where its cache
// holds it in one piece: it does when the piece was written by one call at a
// multiple of its size, or read after the advice below; file systems that know
// nothing of it work as ever.
const hugePage = 2 << 20

// mapFile maps the first size bytes of a file for reading.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
}

// largerThan says whether a ledger of so many bytes is too much to be kept in
// memory whole: the rest of the system needs some. Memory 0 is unknown.
func largerThan(memory, bytes uint64) bool { return memory > 0 && bytes > memory/2 }

// readAnywhere prepares a sheet that questions will be asked of, before anybody
// else has it. Where the ledger fits into memory, huge pages are asked for: each
// costs a read of its size, once. Where it is larger, every page may have to be
// read again and again, alone, and the disk is asked for it beforehand.
func (s *sheet) readAnywhere(larger bool) {
	s.larger = larger
	switch {
	case larger:
		_ = unix.Madvise(s.data, unix.MADV_RANDOM) // nothing is read around what is missing
	case len(s.data) >= hugePage:
		adviseHuge(s.data)
	}
}

// systemPage is what the system reads at least.
var systemPage = uint64(os.Getpagesize())

// scanAhead is how many rows a scan asks the disk for at once, some megabyte.
const scanAhead = 1 << 16

// readOn asks the disk for the rows that a scan, which comes to row n, reads
// after those that were asked for before.
func (s *segment) readOn(n uint32) {
	if !s.rows.larger || n%scanAhead != 0 || uint64(n) >= s.Rows {
		return
	}
	at := func(n uint64) uint64 { return s.rowAt.of(uint32(min(n, s.Rows-1) / blockRows)) }
	from, to := at(uint64(n)), at(uint64(n)+2*scanAhead)
	s.rowPages.demand(from, to-from+blockAhead)
}

// demand asks the disk for an element of n bytes that begins at byte at of the
// section, with all that verifying it needs, and does not wait.
func (r *region) demand(at, n uint64) {
	from := r.start + at
	to := from + n
	if r.fresh(at) {
		from -= from % sheetPage
		to = max(to, from+2*sheetPage)
	}
	r.sheet.demand(from, to)
}

// demand asks the disk for the bytes from from to to and does not wait.
func (s *sheet) demand(from, to uint64) {
	from -= from % systemPage
	if to = min(to, uint64(len(s.data))); from < to {
		_ = unix.Madvise(s.data[from:to], unix.MADV_WILLNEED) // refused: then it is waited for later
	}
}

// forget lets go of a sheet's mapped pages, of which nobody reads soon: they
// would count as the process's memory until the sheet is collected. They come
// back when they are read.
func (s *sheet) forget() { _ = unix.Madvise(s.data, unix.MADV_DONTNEED) }

// forgetter lets go of a section's mapped pages behind somebody who reads it
// from a place to its end.
type forgetter struct {
	s    *sheet
	from int64 // the section's first byte
	at   int64 // of the sheet: let go of up to here
}

// forgetAtOnce is how much is let go of at a time.
const forgetAtOnce = 4 * hugePage

// forgetFrom is for who reads a section from a place on. The page in which that
// lies stays: somebody may read what is before.
func (s *sheet) forgetFrom(section string, place uint64) *forgetter {
	from := s.trailer.Sections[section].At
	at := from + int64(place) + hugePage - 1
	return &forgetter{s: s, from: from, at: at - at%hugePage}
}

// read says that all before a place of the section was read.
func (f *forgetter) read(place uint64) {
	to := f.from + int64(place)
	if to -= to % hugePage; to < f.at+forgetAtOnce {
		return
	}
	_ = unix.Madvise(f.s.data[f.at:to], unix.MADV_DONTNEED)
	f.at = to
}
