package ledger

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages; a kernel without them refuses, and all is as
// it was.
func adviseHuge(data []byte) { _ = unix.Madvise(data, unix.MADV_HUGEPAGE) }
