package screen

import (
	"log/slog"
	"time"
)

// Config is what an Index is made of; the zero has every default.
type Config struct {
	Rules  Rules // DefaultRules when empty
	Clock  func() time.Time
	Logger *slog.Logger
	// OnActive is called by Follow, without any lock held, when a statement
	// counts in screening: every Screen that starts from now on sees it.
	OnActive func(statement, author string)
	// OverlayMax is the size of the overlay, in keys, from which it is merged
	// into a new snapshot; 0 is 4,096 or an eighth of the snapshot.
	OverlayMax int
}

// Index is the view of the journal that screening looks into.
type Index struct{}

// New makes an empty index. Close it.
func New(cfg Config) *Index { return &Index{} }

// Screen answers for each value, in order. It never fails: what cannot be read
// is Invalid.
func (x *Index) Screen(values []string) []Result { return nil }

// AppendJSON appends the JSON array of the results for values to dst. seen,
// when not nil, is called for each value whose verdict is not Clear.
func (x *Index) AppendJSON(dst []byte, values []string, seen func(i int, v Verdict)) []byte {
	return dst
}

// Close ends the merging in the background.
func (x *Index) Close() {}
