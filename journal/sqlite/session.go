package sqlite

import (
	"context"
	"database/sql"

	"bongsu/journal"
)

// session is one connection with its prepared statements: compiling SQL costs
// more than running it. One goroutine uses it at a time.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (s *Store) session(ctx context.Context, pragma string) (*session, error) {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	x := &session{conn: c, stmts: map[string]*sql.Stmt{}}
	s.sessions = append(s.sessions, x)
	if pragma != "" {
		_, err = c.ExecContext(ctx, pragma)
	}
	return x, err
}

func (x *session) close() {
	for _, st := range x.stmts {
		st.Close()
	}
	x.conn.Close()
}

// transact runs fn between begin and COMMIT, or ROLLBACK when it fails or
// panics.
func (x *session) transact(ctx context.Context, begin string, fn func(journal.StoreTx) error) error {
	if err := x.Exec(ctx, begin); err != nil {
		// A rollback that could not run, on a full disk say, left the last
		// transaction open: end it and begin again.
		if x.Exec(ctx, "ROLLBACK") != nil {
			return err
		}
		if err := x.Exec(ctx, begin); err != nil {
			return err
		}
	}
	done := false
	defer func() {
		if !done {
			x.Exec(context.WithoutCancel(ctx), "ROLLBACK") //nolint:errcheck // SQLite may have rolled back itself
		}
	}()
	if err := fn(x); err != nil {
		return err
	}
	if err := x.Exec(ctx, "COMMIT"); err != nil {
		return err
	}
	done = true
	return nil
}

// prepared returns the query's statement; the journal's and the views' queries
// are few and constant, so all are kept, up to a bound.
func (x *session) prepared(ctx context.Context, query string) *sql.Stmt {
	if st, ok := x.stmts[query]; ok {
		return st
	}
	if len(x.stmts) >= maxCached {
		return nil
	}
	st, err := x.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil // running it directly says why
	}
	x.stmts[query] = st
	return st
}

// Exec implements journal.StoreTx.
func (x *session) Exec(ctx context.Context, query string, args ...any) (err error) {
	if st := x.prepared(ctx, query); st != nil {
		_, err = st.ExecContext(ctx, args...)
	} else {
		_, err = x.conn.ExecContext(ctx, query, args...)
	}
	return err
}

// Query implements journal.StoreTx.
func (x *session) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if st := x.prepared(ctx, query); st != nil {
		return st.QueryContext(ctx, args...)
	}
	return x.conn.QueryContext(ctx, query, args...)
}

// QueryRow implements journal.StoreTx.
func (x *session) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if st := x.prepared(ctx, query); st != nil {
		return st.QueryRowContext(ctx, args...)
	}
	return x.conn.QueryRowContext(ctx, query, args...)
}
