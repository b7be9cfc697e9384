package ingest

import (
	"context"
	"io"
	"time"

	"bongsu/chain"
	"bongsu/ledger"
)

// Store is the ledger as an import sees it; Into makes one of a *ledger.Ledger.
type Store interface {
	// Begin starts the import of a source, or resumes the one that a crash
	// interrupted.
	Begin(ctx context.Context, source string) (Import, error)
	// Reader reads what is committed, for what sources leave out.
	Reader(ctx context.Context) (ledger.Reader, error)
}

// Import gathers the facts of one source; *ledger.Import is one, and says what
// each method promises.
type Import interface {
	Add(f *ledger.Facts) error
	Checkpoint(cursor []byte) error
	Cursor() []byte
	Commit(ctx context.Context) (ledger.Stats, error)
	Abort() error
}

// Into is the ledger as a Store.
func Into(l *ledger.Ledger) Store { return embedded{l} }

type embedded struct{ l *ledger.Ledger }

func (e embedded) Begin(ctx context.Context, source string) (Import, error) {
	im, err := e.l.Begin(ctx, source)
	if err != nil {
		return nil, err // a nil *ledger.Import must not become a non-nil Import
	}
	return im, nil
}

func (e embedded) Reader(ctx context.Context) (ledger.Reader, error) { return e.l.Reader(ctx) }

// Source is one thing to import.
type Source struct {
	Name string    // a path, or "-" for Stdin of the options
	From io.Reader // read instead of opening Name, when not nil
}

// Options say how to import. The zero recognises everything by itself.
type Options struct {
	Formats []Format // the formats that may be recognised, in order; none is an error
	Format  string   // only this one, by name
	Chain   chain.ID // the chain of rows that do not name theirs

	// KeepCall and KeepLog say which call inputs (by selector) and which logs (by
	// first topic) are kept for links; nil keeps none.
	KeepCall func(selector [4]byte) bool
	KeepLog  func(topic [32]byte) bool

	Stdin   io.Reader // what "-" reads
	Rejects string    // the rejects file of a source without a path; default "stdin.rejects.csv"
	TempDir string    // where joins spill; default os.TempDir()
	Limits  Limits    // zero fields take the defaults

	// CheckpointRows is how many rows may be read again after a kill; default
	// 4 million.
	CheckpointRows int

	Progress func(Progress)
	Now      func() time.Time // default time.Now
	Every    time.Duration    // how often Progress is called; default 500 ms
}

// Progress is how far an import is.
type Progress struct {
	Source  string
	Format  string
	Rows    int64         // rows read so far, of this source
	Rate    float64       // rows a second
	Left    time.Duration // estimated; negative when it cannot be known
	Rejects int64
}

// Report says what an import did.
type Report struct {
	Sources []SourceReport `json:"sources"`
	Rows    int64          `json:"rows"`  // rows read
	Added   uint64         `json:"added"` // transfers new to the ledger
	Known   uint64         `json:"known"` // transfers that were there
	NewTxs  uint64         `json:"new_transactions"`
	Rejects int64          `json:"rejects"` // rows written to rejects files
	Seconds float64        `json:"seconds"`
}

// State is how far a source came.
type State string

// The states of a source.
const (
	Done      State = "done"
	InPart    State = "in part"  // rows were rejected
	Failed    State = "failed"   // its Error says why; what it holds before is imported where the counts say so
	Untouched State = "not read" // because another failed
)

// SourceReport is the part of one source.
type SourceReport struct {
	Name        string   `json:"name"`
	State       State    `json:"state"`
	Format      string   `json:"format"`
	Rows        int64    `json:"rows"`
	Transfers   int64    `json:"transfers"`                   // what the rows state, before the ledger looked
	UTXOs       int64    `json:"utxo_transactions,omitempty"` // transactions of UTXO chains that the rows state
	Kept        int64    `json:"kept,omitempty"`              // call inputs and logs kept for links
	Added       uint64   `json:"added"`
	Known       uint64   `json:"known"`
	NewTxs      uint64   `json:"new_transactions"`
	Rejects     int64    `json:"rejects"`
	RejectsFile string   `json:"rejects_file,omitempty"`
	FirstReject string   `json:"first_reject,omitempty"` // where and why the first was rejected
	Mendable    bool     `json:"mendable,omitempty"`     // the rejects file, mended, can be imported
	Resumed     int64    `json:"resumed,omitempty"`      // rows skipped because an earlier run had committed them
	Error       string   `json:"error,omitempty"`        // why the source was not read to its end
	Notes       []string `json:"notes,omitempty"`        // what a reader should know and no row can carry
}
