package share

import (
	"context"
	"time"

	"bongsu/identity"
	"bongsu/journal"
)

// View is the journal's view that fills the feeds: hand it to journal.Open in
// every process that appends, and to New. It is safe for use by many
// goroutines.
type View struct{}

var _ journal.View = (*View)(nil)

// NewView makes the view of a node of that organisation. clock is time.Now
// when nil.
func NewView(keys *identity.Keys, clock func() time.Time) *View { return &View{} }

// Name is the prefix of the view's tables.
func (v *View) Name() string { return "share" }

// Version is the version of the view's tables.
func (v *View) Version() int { return 1 }

// Apply reads what statements say about partners, agreements and receipts, and
// puts on each feed what its agreement lets through.
func (v *View) Apply(ctx context.Context, tx *journal.Tx, statements []journal.Statement) error {
	return todo()
}
