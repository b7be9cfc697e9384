// Package sqlite keeps a journal in one SQLite file (modernc.org/sqlite, no
// cgo): WAL, synchronous=FULL, mode 0600, opened by any number of processes,
// written by one at a time.
package sqlite

import (
	"context"

	"bongsu/errs"
	"bongsu/journal"
)

// Open opens the journal file at path, making it (mode 0600) when it is
// missing. A file of a newer schema is refused.
func Open(ctx context.Context, path string) (journal.Store, error) {
	return nil, errs.New("journal", errs.Internal, path, "not built yet", "")
}
