package ledger

import (
	"context"
	"errors"

	"bongsu/chain"
)

// Options of Open; the zero is what a node uses.
type Options struct {
	// ReadOnly opens for readers only; the folder must hold a ledger.
	ReadOnly bool
	// MemoryBytes bounds the buffers of one import; 0: 512 MB.
	MemoryBytes int64
}

// Ledger is an open ledger folder. Any number of processes may have it open;
// one at a time writes (Begin, ApplyBlock, Rollback and Finalize take the
// folder's lock, waiting for the process that has it). It is safe for use by
// several goroutines.
type Ledger struct{ dir string }

var errLater = errors.New("ledger: being built")

// Open opens the ledger in dir, which is made when missing.
func Open(ctx context.Context, dir string, opt Options) (*Ledger, error) { return nil, errLater }

// Close gives back everything; Readers already handed out stay valid until
// their own Close.
func (l *Ledger) Close() error { return nil }

// Reader is a snapshot of all that is committed now, by any process.
func (l *Ledger) Reader(ctx context.Context) (Reader, error) { return nil, errLater }

// Wait returns when a Reader would see a version above after, or ctx ends. It
// notices commits of this process at once and those of others within some
// milliseconds.
func (l *Ledger) Wait(ctx context.Context, after uint64) error { return errLater }

// Begin starts an import or resumes the one of the same source that a crash
// interrupted: Import.Cursor then tells where. The ledger's writer lock is
// held until Commit or Abort.
func (l *Ledger) Begin(ctx context.Context, source string) (*Import, error) { return nil, errLater }

// ApplyBlock commits one live block: durable and visible when it returns.
// The block's number must follow the last live one of its chain and its Parent
// must be that one's hash, else errs.Conflict (Rollback first).
func (l *Ledger) ApplyBlock(ctx context.Context, b LiveBlock) (Stats, error) {
	return Stats{}, errLater
}

// Rollback takes back the live blocks of a chain above number, exactly.
// Blocks that are final are refused with errs.Conflict.
func (l *Ledger) Rollback(ctx context.Context, id chain.ID, number uint64) error { return errLater }

// Finalize says that no block of the chain up to number will be rolled back.
func (l *Ledger) Finalize(ctx context.Context, id chain.ID, number uint64) error { return errLater }

// Live is the last live block of a chain, and the last final one; Known false
// when the chain is not followed.
func (l *Ledger) Live(ctx context.Context, id chain.ID) (last, final Block, err error) {
	return Block{}, Block{}, errLater
}

// Import gathers facts of one source. Nothing of it is visible before Commit.
// Not safe for several goroutines.
type Import struct{}

// Add gathers facts; the slices are the caller's again when it returns.
func (im *Import) Add(f *Facts) error { return errLater }

// Checkpoint makes what was added so far survive a crash of this process,
// together with cursor (opaque to the ledger, at most 64 KB): a Begin of the
// same source gives the cursor back and goes on after it.
func (im *Import) Checkpoint(cursor []byte) error { return errLater }

// Cursor is the cursor of the last Checkpoint of an interrupted import, or nil.
func (im *Import) Cursor() []byte { return nil }

// Commit makes all facts durable and visible at once.
func (im *Import) Commit(ctx context.Context) (Stats, error) { return Stats{}, errLater }

// Abort drops the import and its checkpoints. A no-op after Commit.
func (im *Import) Abort() error { return nil }

// Damage is one finding of Check.
type Damage struct {
	File     string   // the file's name in the ledger's folder
	Segment  string   // the segment hurt, if one is
	Chain    chain.ID // the range hurt
	From, To uint64
	What     string // what is wrong, for a person
}

// CheckReport is what Check verified and found.
type CheckReport struct {
	Files, Bytes uint64
	Rows         uint64
	Damages      []Damage
}

// Check reads every byte of the ledger in dir and verifies it: checksums,
// order, references between files. It returns an error only when it could not
// look; what it found is in the report.
func Check(ctx context.Context, dir string) (CheckReport, error) { return CheckReport{}, errLater }
