package bitcoin

import (
	"context"
	"net/http"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/follow"
	"bongsu/ledger"
)

// Config says which node to follow and how. URL and Ledger are needed.
type Config struct {
	URL    string        // http or https, with the user and password of the node's RPC
	Ledger follow.Ledger // follow.Into(l)

	// HTTP makes the connections; whether an address is allowed, and which
	// certificate a btcd node may show, is its business. Default
	// http.DefaultClient.
	HTTP *http.Client

	// Chain is the chain that the node has to be on; "": any that is known.
	Chain chain.ID
	// From is the first block to fetch where the ledger holds nothing to go on
	// from. Spends of outputs of earlier blocks then have no account. Anew
	// ignores imported ranges and starts at From; blocks followed before are
	// gone on from all the same.
	From uint64
	Anew bool
	// Confirmations is how many blocks, its own included, make a block final;
	// 0: Confirmations, six.
	Confirmations uint64

	Poll          time.Duration // how often to look; 0: DefaultPoll
	Window, Batch int           // see follow.Config
	Once          bool          // end when level
	Event         func(follow.Event)

	// Clock and chance, for tests; nil: the machine's.
	Sleep   func(ctx context.Context, d time.Duration) error
	Backoff func(n int) time.Duration
}

// Follow brings the ledger level with the node and keeps it there until ctx
// ends, or the node is refused. See package follow for what holds.
func Follow(ctx context.Context, c Config) error {
	if c.Ledger == nil {
		return errs.New("follow", errs.Internal, "", "no ledger was given", "")
	}
	if c.Confirmations == 0 {
		c.Confirmations = Confirmations
	}
	if c.Poll <= 0 {
		c.Poll = DefaultPoll
	}
	if c.Sleep == nil {
		c.Sleep = follow.Sleep
	}
	var n *Node
	err := follow.Persist(ctx, c.Backoff, c.Sleep, c.Event, func() (err error) {
		n, err = dial(ctx, &c)
		return err
	})
	if n == nil {
		return err
	}
	defer n.Close()
	return follow.Run(ctx, follow.Config{
		Node: n, Ledger: c.Ledger, From: c.From, Resume: !c.Anew, Needs: ledger.CoverUTXO, Window: c.Window, Batch: c.Batch,
		Once: c.Once, Event: c.Event, Sleep: c.Sleep, Backoff: c.Backoff,
	})
}
