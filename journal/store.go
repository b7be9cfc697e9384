package journal

import (
	"context"
	"database/sql"
)

// Store is where a journal's rows live; journal/sqlite is one. It knows the
// tables (journal/FORMAT.md) and transactions, not what the rows mean. Every
// store passes journaltest.
//
// Queries are plain SQL with "?" parameters, within what SQLite and PostgreSQL
// share.
type Store interface {
	// Write runs fn in a transaction that no other writer of any process
	// overlaps, and commits when fn returns nil. When Write returns nil the
	// transaction is on the disk; when it returns an error, nothing of it is.
	// Waiting for another writer ends with ctx or the store's own bound
	// (errs.Unavailable).
	Write(ctx context.Context, fn func(StoreTx) error) error
	// Read runs fn over one snapshot that no commit changes. Writing fails.
	Read(ctx context.Context, fn func(StoreTx) error) error
	// Changes returns a number that differs from the last one after another
	// connection, of this process or another, committed.
	Changes(ctx context.Context) (int64, error)
	// Scrub overwrites what deleted rows left behind in files.
	Scrub(ctx context.Context) error
	// Integrity checks the store's own structure; each text is one fault.
	Integrity(ctx context.Context) ([]string, error)
	// Close releases the store.
	Close() error
}

// StoreTx is a transaction of a Store.
type StoreTx interface {
	Exec(ctx context.Context, query string, args ...any) error
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}
