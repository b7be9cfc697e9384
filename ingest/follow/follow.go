// Package follow keeps a ledger level with a chain node: it catches up, goes on
// live, and undoes what a reorganisation undoes. It is one engine for every
// chain; ingest/ethereum and ingest/bitcoin say what a node of theirs answers.
//
// What holds:
//
//   - A block enters the ledger only on top of the block that its parent hash
//     names. Where the node's chain leaves ours, the branch is walked back by
//     parent hash to the last common block, the ledger is rolled back to it,
//     and the new branch applied. What is final is never rolled back.
//   - Where to go on after a restart is read from the ledger, nothing else.
//   - A node that does not answer is asked again, later each time, with jitter.
//     A node whose answers contradict each other or the ledger's final blocks
//     is refused, with an error that says how (kinds errs.Forged, errs.Conflict
//     and errs.Invalid end the following).
//   - Memory is bounded by a window of blocks.
//
// It holds no chain's rules and writes no log: what happens is told in events.
package follow

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/jsonrpc"
	"bongsu/ledger"
)

// Ref names a block and the one below it. Time is the block's own.
type Ref struct {
	Number       uint64
	Hash, Parent ledger.Hash
	Time         chain.Time
}

// Node is a chain node as this package needs it. A failure of kind
// errs.Unavailable is tried again; other kinds end the following. Each method
// verifies what its chain lets it verify of one answer; this package verifies
// how answers hang together.
type Node interface {
	// Chain is the chain that the node follows.
	Chain() chain.ID
	// Head is the node's best block now.
	Head(ctx context.Context) (Ref, error)
	// ByNumber and ByHash look a block's header up. A block that the node does
	// not have (any more) is errs.NotExist.
	ByNumber(ctx context.Context, number uint64) (Ref, error)
	ByHash(ctx context.Context, hash ledger.Hash) (Ref, error)
	// Block fetches a whole block: what it returns has ref's hash.
	Block(ctx context.Context, ref Ref) (*ledger.LiveBlock, error)
	// Final is the highest block that the node's chain will not undo, given
	// its best block. ok false: none yet.
	Final(ctx context.Context, head Ref) (final Ref, ok bool, err error)
	// Wait returns when the head may have changed, or after a while.
	Wait(ctx context.Context) error
}

// Ledger is what following needs of a ledger. Into makes one of *ledger.Ledger,
// which says what each method promises.
type Ledger interface {
	Reader(ctx context.Context) (ledger.Reader, error)
	Begin(ctx context.Context, source string) (ingest.Import, error)
	ApplyBlock(ctx context.Context, b ledger.LiveBlock) (ledger.Stats, error)
	Rollback(ctx context.Context, id chain.ID, number uint64) error
	Finalize(ctx context.Context, id chain.ID, number uint64) error
	Live(ctx context.Context, id chain.ID) (last, final ledger.Block, err error)
}

// Into is the ledger as this package uses it.
func Into(l *ledger.Ledger) Ledger { return embedded{l} }

type embedded struct{ *ledger.Ledger }

func (e embedded) Begin(ctx context.Context, source string) (ingest.Import, error) {
	return ingest.Into(e.Ledger).Begin(ctx, source)
}

// Config says what to follow and how. Node and Ledger are needed.
type Config struct {
	Node   Node
	Ledger Ledger

	// From is the first block to fetch where the ledger holds nothing that
	// following could go on from; Resume false starts there whatever the
	// ledger holds in imported ranges. Needs is what an imported range has to
	// be complete for to be gone on from.
	From   uint64
	Latest bool // From is the node's best block
	Resume bool
	Needs  ledger.Cover

	// Window is how many blocks are fetched at a time while catching up, and
	// Batch how many of them one commit takes; 0: 8 and 256.
	Window, Batch int
	// MaxReorg is the deepest branch that is walked back; 0: 4096.
	MaxReorg int
	// Once ends the following when it is level with the node.
	Once bool

	// Event is called for each thing that happened, in order, between two
	// steps of the following; it should return soon. May be nil.
	Event func(Event)

	// Backoff says how long to wait before the n-th try again (from 0). Nil:
	// doubling from 500 ms to 30 s, half of it random.
	Backoff func(n int) time.Duration
	// Sleep waits; nil: by the machine's clock. Tests hand in their own.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Kind says what happened.
type Kind uint8

// The kinds of events.
const (
	Applied    Kind = iota + 1 // Block (or Block..Last while catching up) is in the ledger
	RolledBack                 // the blocks above Block are out of it again
	Finalized                  // Block and those below are final
	Level                      // the ledger holds the node's best block, Block
	Retrying                   // Err: the node is asked again after Delay
	Noticed                    // Note: something that a reader of the ledger should know
	Planned                    // Block is the first to be fetched, Last the node's best block; Fresh: the ledger held nothing to go on from
)

var kindNames = [...]string{"", "applied", "rolled back", "finalized", "level", "retrying", "noticed", "planned"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "?"
}

// Event is one thing that happened. Live says that the block was applied as a
// live block of its own, visible to readers when the event comes.
type Event struct {
	Kind  Kind
	Chain chain.ID
	Block Ref
	Last  uint64 // Applied: the last block of the batch; RolledBack: the highest block undone
	Live  bool
	Fresh bool
	Head  uint64 // the node's best block, when last asked
	Stats ledger.Stats
	Err   error
	Delay time.Duration
	Note  string
}

func (c *Config) defaults() {
	if c.Window <= 0 {
		c.Window = 8
	}
	if c.Batch <= 0 {
		c.Batch = 256
	}
	if c.MaxReorg <= 0 {
		c.MaxReorg = 4096
	}
	if c.Event == nil {
		c.Event = func(Event) {}
	}
	if c.Backoff == nil {
		c.Backoff = Backoff
	}
	if c.Sleep == nil {
		c.Sleep = Sleep
	}
}

const (
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 30 * time.Second
)

// Backoff is the default of Config.Backoff: doubling from 500 ms to 30 s, half of
// it random.
func Backoff(n int) time.Duration {
	d := lastBackoff
	if n < 6 {
		d = min(firstBackoff<<n, lastBackoff)
	}
	return d/2 + rand.N(d/2)
}

// Sleep waits for d by the machine's clock, or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run follows until ctx ends (and then returns nil), or until the node or the
// ledger has to be refused. With Once it returns nil when level.
func Run(ctx context.Context, c Config) error {
	c.defaults()
	f := &follower{Config: c, id: c.Node.Chain()}
	for {
		level := false
		err := Persist(ctx, c.Backoff, c.Sleep, f.retrying, func() (err error) {
			level, err = f.step(ctx)
			return err
		})
		if ctx.Err() != nil || err != nil || level && c.Once {
			return err
		}
		if level {
			err = Persist(ctx, c.Backoff, c.Sleep, f.retrying, func() error { return f.Node.Wait(ctx) })
		}
		if ctx.Err() != nil || err != nil {
			return err
		}
	}
}

// retrying adds to an event of Persist what is being followed.
func (f *follower) retrying(e Event) {
	e.Chain, e.Block, e.Head = f.id, f.tip, f.head
	f.Event(e)
}

// Persist calls do until it succeeds, or fails with another kind than
// errs.Unavailable. Between two calls it waits as backoff says, or as long as
// the node asked for, and tells so in an event of kind Retrying. Nil functions
// are the defaults of Config. When ctx ends it returns nil: ask ctx.
func Persist(ctx context.Context, backoff func(int) time.Duration, sleep func(context.Context, time.Duration) error, event func(Event), do func() error) error {
	c := Config{Backoff: backoff, Sleep: sleep, Event: event}
	c.defaults()
	for tries := 0; ; tries++ {
		err := do()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			return nil
		case errs.Is(err) != errs.Unavailable:
			return err
		}
		d := max(c.Backoff(tries), asked(err))
		c.Event(Event{Kind: Retrying, Err: err, Delay: d})
		if c.Sleep(ctx, d) != nil {
			return nil
		}
	}
}

// asked is how long the node asked to be left alone.
func asked(err error) time.Duration {
	var r jsonrpc.RetryAfter
	if errors.As(err, &r) {
		return time.Duration(r)
	}
	return 0
}
