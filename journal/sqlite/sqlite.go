// Package sqlite keeps a journal in one SQLite file (modernc.org/sqlite, no
// cgo): write-ahead log, synchronous=FULL, mode 0600, opened by any number of
// processes, written by one at a time.
//
// A commit is on the disk when Write returns: SQLite appends it to the
// write-ahead log and syncs that file (synchronous=FULL in WAL mode). Deleted
// rows are overwritten (secure_delete), and Scrub empties the log that may
// still hold them. The package knows tables and transactions, not what a row
// means.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bongsu/durable"
	"bongsu/errs"
	"bongsu/journal"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

//go:embed schema.sql
var schema string

// What marks the file as ours, and the schema's version (PRAGMA
// application_id and user_version).
const (
	applicationID = 0x626f6e67 // "bong"
	schemaVersion = 1
)

// Bounds of the store.
const (
	BusyTimeout = 15 * time.Second // waiting for another process's transaction
	readers     = 4                // snapshots open at once; more wait
	maxCached   = 500              // prepared statements kept per connection
)

// Store is one open file.
type Store struct {
	path     string
	db       *sql.DB
	writing  chan *session // holds the one writer when nobody writes
	reading  chan *session // holds the idle readers
	watch    *sql.Conn     // for Changes alone: data_version speaks of other connections
	watching sync.Mutex    // owns watch
	sessions []*session    // all, for Close
}

// Open opens the journal file at path, making it (mode 0600) when it is
// missing. A file of a newer schema, or of another program, is refused.
func Open(ctx context.Context, path string) (journal.Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, errs.Wrap("journal", path, err)
	}
	if err := makeFile(abs); err != nil {
		return nil, err
	}
	s := &Store{path: abs, writing: make(chan *session, 1), reading: make(chan *session, readers)}
	if err := s.connect(ctx); err != nil {
		s.Close()
		return nil, s.wrap(err)
	}
	return s, nil
}

// connect opens the connections: one that writes, those that read, one that
// watches.
func (s *Store) connect(ctx context.Context) (err error) {
	if s.db, err = sql.Open("sqlite", dsn(s.path)); err != nil {
		return err
	}
	s.db.SetMaxIdleConns(readers + 2)
	writer, err := s.session(ctx, "")
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, writer); err != nil {
		return err
	}
	s.writing <- writer
	for range readers {
		r, err := s.session(ctx, "PRAGMA query_only=1")
		if err != nil {
			return err
		}
		s.reading <- r
	}
	s.watch, err = s.db.Conn(ctx)
	return err
}

// makeFile makes the file with its mode before SQLite would with another; the
// -wal and -shm files inherit it.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return errs.Wrap("journal", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return errs.Wrap("journal", path, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return errs.New("journal", errs.Permission, path, fmt.Sprintf("others can read it (mode %v)", info.Mode()), "chmod 600 it")
	}
	return durable.SyncDir(filepath.Dir(path))
}

func dsn(path string) string {
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", BusyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)", "foreign_keys(1)", "trusted_schema(0)",
		"cell_size_check(1)", "wal_autocheckpoint(2000)", "cache_size(-16000)",
	}}
	return (&url.URL{Scheme: "file", Path: path}).String() + "?" + q.Encode()
}

// migrate makes the tables in a new file and refuses what it does not know.
func (s *Store) migrate(ctx context.Context, w *session) error {
	return w.transact(ctx, "BEGIN IMMEDIATE", func(t journal.StoreTx) error {
		var app, version int64
		if err := t.QueryRow(ctx, "PRAGMA application_id").Scan(&app); err != nil {
			return err
		}
		if err := t.QueryRow(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		switch {
		case app == applicationID && version == schemaVersion:
			return nil
		case app == applicationID:
			return errs.New("journal", errs.Invalid, s.path, fmt.Sprintf("schema version %d; this program knows %d", version, schemaVersion), "use a newer bongsu")
		}
		var tables int
		if err := t.QueryRow(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
			return err
		}
		if app != 0 || tables != 0 {
			return errs.New("journal", errs.Invalid, s.path, "this is another program's database", "name the right data folder")
		}
		mark := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;", applicationID, schemaVersion)
		_, err := w.conn.ExecContext(ctx, schema+mark)
		return err
	})
}

// Write implements journal.Store. A transaction that began runs to its end
// whatever becomes of ctx: it is short, and an interrupt in the middle would
// leave the caller not knowing.
func (s *Store) Write(ctx context.Context, fn func(journal.StoreTx) error) error {
	if err := ctx.Err(); err != nil {
		return errs.Wrap("journal", s.path, err)
	}
	select {
	case w := <-s.writing:
		defer func() { s.writing <- w }()
		return s.wrap(w.transact(context.WithoutCancel(ctx), "BEGIN IMMEDIATE", fn))
	case <-ctx.Done():
		return errs.Wrap("journal", s.path, ctx.Err())
	}
}

// Read implements journal.Store.
func (s *Store) Read(ctx context.Context, fn func(journal.StoreTx) error) error {
	select {
	case r := <-s.reading:
		defer func() { s.reading <- r }()
		return s.wrap(r.transact(ctx, "BEGIN", fn))
	case <-ctx.Done():
		return errs.Wrap("journal", s.path, ctx.Err())
	}
}

// Changes implements journal.Store.
func (s *Store) Changes(ctx context.Context) (int64, error) {
	s.watching.Lock()
	defer s.watching.Unlock()
	var n int64
	err := s.watch.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n)
	return n, s.wrap(err)
}

// Scrub implements journal.Store: it moves the write-ahead log into the file,
// where deleted rows are overwritten, and cuts it to nothing. Readers in the
// middle of a snapshot delay it; errs.Unavailable then, and it can be repeated.
func (s *Store) Scrub(ctx context.Context) error {
	var w *session
	select {
	case w = <-s.writing:
		defer func() { s.writing <- w }()
	case <-ctx.Done():
		return errs.Wrap("journal", s.path, ctx.Err())
	}
	var busy, logged, moved int
	if err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &moved); err != nil {
		return s.wrap(err)
	}
	if busy != 0 {
		return errs.New("journal", errs.Unavailable, s.path, "a reader keeps the write-ahead log from being emptied", "end long readers and erase again")
	}
	return nil
}

// Integrity implements journal.Store.
func (s *Store) Integrity(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		return nil, s.wrap(err)
	}
	defer rows.Close()
	var faults []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, s.wrap(err)
		}
		if text != "ok" {
			faults = append(faults, text)
		}
	}
	return faults, s.wrap(rows.Err())
}

// Close implements journal.Store. Transactions must have ended.
func (s *Store) Close() error {
	if s.db == nil {
		return nil
	}
	if s.watch != nil {
		s.watch.Close()
	}
	for _, c := range s.sessions {
		c.close()
	}
	return s.wrap(s.db.Close())
}

// wrap names the file, and the kinds of SQLite's own errors.
func (s *Store) wrap(err error) error {
	var own *errs.Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	e := &errs.Error{Op: "journal", Where: s.path, Err: err}
	var se *driver.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
			e.Kind, e.Hint = errs.Unavailable, "another process writes for long; try again"
		case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
			e.Kind, e.Hint = errs.Corrupt, "restore the file from a backup"
		case lib.SQLITE_FULL, lib.SQLITE_IOERR:
			e.Kind, e.Hint = errs.Unavailable, "make room on the disk"
		}
	}
	return e
}
