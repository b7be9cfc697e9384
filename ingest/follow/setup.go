package follow

import (
	"context"
	"net/http"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// Setup is what following a node takes, whatever its chain. The configurations
// of ingest/ethereum and ingest/bitcoin begin with it. URL and Ledger are
// needed.
type Setup struct {
	URL    string // of the node's JSON-RPC; its user and password are sent to the node
	Ledger Ledger // Into(l)
	// HTTP makes the connections; whether an address is allowed, and which
	// certificate a node may show, is its business. Nil: http.DefaultClient.
	HTTP *http.Client
	// Chain is the chain that the node has to be on; "": any that is known.
	Chain chain.ID
	// From is the first block to fetch where the ledger holds nothing to go on
	// from; with Latest it is the node's best block instead. Anew ignores
	// imported ranges and starts there all the same; blocks followed before are
	// gone on from in any case.
	From   uint64
	Latest bool
	Anew   bool
	Poll   time.Duration // how often to ask a node that cannot tell; 0: the chain's default
	// Window, Batch, Once, Event, Sleep and Backoff are those of Config.
	Window, Batch int
	Once          bool
	Event         func(Event)
	Sleep         func(ctx context.Context, d time.Duration) error
	Backoff       func(n int) time.Duration
}

// Normal fills in the defaults; poll is the chain's.
func (s *Setup) Normal(poll time.Duration) error {
	if s.Ledger == nil {
		return errs.New("follow", errs.Internal, "", "no ledger was given", "")
	}
	if s.Poll <= 0 {
		s.Poll = poll
	}
	if s.Event == nil {
		s.Event = func(Event) {}
	}
	if s.Sleep == nil {
		s.Sleep = Sleep
	}
	return nil
}

// Dialled is a Node with a connection of its own.
type Dialled interface {
	Node
	Close()
}

// With connects, again and again while the node does not answer, and follows
// until ctx ends, or the node is refused. begin, when not nil, is called in
// between. needs is what an imported range has to be complete for to be gone on
// from.
func With[N Dialled](ctx context.Context, s *Setup, needs ledger.Cover, dial func(context.Context) (N, error), begin func(context.Context, N) error) error {
	var n N
	connected := false
	err := Persist(ctx, s.Backoff, s.Sleep, s.Event, func() (err error) {
		n, err = dial(ctx)
		connected = err == nil
		return err
	})
	if !connected {
		return err
	}
	defer n.Close()
	if begin != nil {
		if err := begin(ctx, n); err != nil {
			return err
		}
	}
	return Run(ctx, Config{
		Node: n, Ledger: s.Ledger, From: s.From, Latest: s.Latest, Resume: !s.Anew, Needs: needs, Window: s.Window, Batch: s.Batch,
		Once: s.Once, Event: s.Event, Sleep: s.Sleep, Backoff: s.Backoff,
	})
}
