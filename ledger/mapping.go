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
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err == nil && size >= hugePage {
		adviseHuge(data)
	}
	return data, err
}

// forget lets go of a sheet's mapped pages, of which nobody reads soon: they
// would count as the process's memory until the sheet is collected. They come
// back when they are read.
func (s *sheet) forget() { _ = unix.Madvise(s.data, unix.MADV_DONTNEED) }
