package bitcoin

import (
	"context"
	"errors"
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
	// from. Where the ledger does not reach down to the chain's first block,
	// the node is asked for the outputs that are spent; one that does not tell
	// leaves spends of earlier outputs without an account. Anew ignores imported ranges and starts at From; blocks followed before are
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
	if err := n.begin(ctx, &c); err != nil {
		return err
	}
	return follow.Run(ctx, follow.Config{
		Node: n, Ledger: c.Ledger, From: c.From, Resume: !c.Anew, Needs: ledger.CoverUTXO, Window: c.Window, Batch: c.Batch,
		Once: c.Once, Event: c.Event, Sleep: c.Sleep, Backoff: c.Backoff,
	})
}

// begin decides whether the node is asked for spent outputs: not where the
// ledger holds, or will hold, every block from the first on.
func (n *Node) begin(ctx context.Context, c *Config) error {
	r, err := c.Ledger.Reader(ctx)
	if err != nil {
		return err
	}
	cov, err := r.Coverage(ctx, n.id)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	fromFirst := cov.Empty && c.From == 0 || !cov.Empty && cov.Complete(0, cov.LastBlock, ledger.CoverUTXO)
	n.wantSpent.Store(!fromFirst)
	if c.Event != nil {
		n.note = func(s string) { c.Event(follow.Event{Kind: follow.Noticed, Chain: n.id, Note: s}) }
	}
	return nil
}
