package journal

import (
	"context"
	"iter"
	"time"

	"bongsu/errs"
	"bongsu/identity"
)

// Options of Open. The zero of each field has a good default.
type Options struct {
	Views []View             // applied in this order
	Now   func() time.Time   // time.Now
	Rand  func([]byte) error // salts; crypto/rand
	Poll  time.Duration      // how often other processes' commits are looked for; 10 ms
}

// Journal is open on one store. Its methods may be called from any goroutine.
type Journal struct{}

// Open opens a journal over a store, makes or brings up to date the views, and
// starts to notice other processes' commits. Close ends it; the store stays
// open.
func Open(ctx context.Context, store Store, keys *identity.Keys, opt Options) (*Journal, error) {
	return nil, todo()
}

// Close ends followers and releases what Open started.
func (j *Journal) Close() error { return todo() }

// Append commits drafts in one transaction and returns their entries, in
// order. When it returns, they are on the disk, proven by one checkpoint a log
// and seen by every view.
//
// A draft that repeats the latest version of its (author, id) byte for byte
// appends nothing and gives the entry that stands. Another content under an id
// and version that stand is errs.Conflict; a version older than the latest too.
func (j *Journal) Append(ctx context.Context, drafts []Draft) ([]Entry, error) {
	return nil, todo()
}

// Update runs fn in one write transaction; what it appends and writes commits
// whole, or not at all when fn fails. fn must not call j.
func (j *Journal) Update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return todo()
}

// Query runs fn over one unchanging snapshot of the journal and its views.
func (j *Journal) Query(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return todo()
}

// Get returns the latest version of an object in LogJournal: our own statement
// of it when there is one, else that of whoever stated it first. errs.NotExist
// when nobody did.
func (j *Journal) Get(ctx context.Context, id string) (Statement, error) {
	return Statement{}, todo()
}

// GetBy returns the latest version that one author stated.
func (j *Journal) GetBy(ctx context.Context, author identity.OrgID, id string) (Statement, error) {
	return Statement{}, todo()
}

// Versions returns every statement of an object in LogJournal, by all authors,
// in order of sequence, tombstones included.
func (j *Journal) Versions(ctx context.Context, id string) ([]Statement, error) {
	return nil, todo()
}

// Read returns up to limit statements of an own log from sequence `from` on
// (the first is 0), in order. Past the end it returns none.
func (j *Journal) Read(ctx context.Context, log string, from uint64, limit int) ([]Statement, error) {
	return nil, todo()
}

// Size is the number of entries of an own log; 0 for one that has none.
func (j *Journal) Size(ctx context.Context, log string) (uint64, error) { return 0, todo() }

// Follow yields the statements of an own log from sequence `from` on: the past
// first, in batches of at most limit, then live, woken right after each commit
// of this process and within Options.Poll of another's. It ends when ctx ends
// or the consumer stops; an error is yielded once, last.
func (j *Journal) Follow(ctx context.Context, log string, from uint64, limit int) iter.Seq2[[]Statement, error] {
	return func(yield func([]Statement, error) bool) { yield(nil, todo()) }
}

// Erase removes the payload and salt of every entry that commits to the same
// payload as the named one (sequence in LogJournal), own feeds included, and
// appends a tombstone to each of those logs, in one transaction. The bytes are
// overwritten in the database and its write-ahead log.
func (j *Journal) Erase(ctx context.Context, seq uint64, actor, reason string) (Entry, error) {
	return Entry{}, todo()
}

// Org returns our own public document.
func (j *Journal) Org() identity.Org { return identity.Org{} }

// PutOrg stores a partner's (or our own renewed) public document, after
// checking its signature and that its number is above that of the stored one.
func (j *Journal) PutOrg(ctx context.Context, org identity.Org) error { return todo() }

// OrgByID returns the newest stored document of an organisation.
func (j *Journal) OrgByID(ctx context.Context, id identity.OrgID) (identity.Org, error) {
	return identity.Org{}, todo()
}

func todo() error { return errs.New("journal", errs.Internal, "", "not built yet", "") }
