package ledger

import (
	"os"

	"golang.org/x/sys/unix"
)

// Sync leaves out the file's times: where only bytes that were there before
// changed, the file system need not write its own journal.
func (f osFile) Sync() error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
