package journal

import (
	"context"
	"database/sql"

	"bongsu/identity"
)

// View is state derived from LogJournal and kept in the same transaction. It
// may also append to other logs (a feed), in that transaction.
//
// Every process that appends should open the journal with the same views; one
// that did not leaves them behind, and the next Open or Append that has them
// catches them up, each statement once.
type View interface {
	// Name prefixes its tables: "<name>_...". Lower-case letters and digits.
	Name() string
	// Version changes when the tables' form or meaning does; the view is then
	// dropped, created and applied from the first statement on.
	Version() int
	// Create makes the view's empty tables, dropping older ones.
	Create(ctx context.Context, tx *Tx) error
	// Apply takes statements of LogJournal in order of sequence.
	Apply(ctx context.Context, tx *Tx, statements []Statement) error
}

// Tx is one transaction on the journal. It is valid until the function that
// got it returns, on that goroutine.
type Tx struct{}

// Append adds drafts to a log in this transaction. Statements appended to
// LogJournal reach the views before the commit, those that a view appends
// included.
func (tx *Tx) Append(ctx context.Context, drafts ...Draft) ([]Entry, error) { return nil, todo() }

// Get is Journal.Get in this transaction.
func (tx *Tx) Get(ctx context.Context, id string) (Statement, error) { return Statement{}, todo() }

// GetBy is Journal.GetBy in this transaction.
func (tx *Tx) GetBy(ctx context.Context, author identity.OrgID, id string) (Statement, error) {
	return Statement{}, todo()
}

// Read is Journal.Read in this transaction.
func (tx *Tx) Read(ctx context.Context, log string, from uint64, limit int) ([]Statement, error) {
	return nil, todo()
}

// Size is Journal.Size in this transaction.
func (tx *Tx) Size(ctx context.Context, log string) (uint64, error) { return 0, todo() }

// Exec runs one statement of SQL on a view's tables. Parameters are "?".
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) error { return todo() }

// Query reads a view's tables. Close the rows.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return nil, todo()
}

// QueryRow reads one row of a view's tables.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row { return nil }
