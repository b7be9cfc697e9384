package ethereum

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
	URL    string        // http, https, ws or wss; its user and password are sent to the node
	Ledger follow.Ledger // follow.Into(l)

	// HTTP makes the connections; whether an address is allowed is its dialer's
	// business. Default http.DefaultClient.
	HTTP      *http.Client
	MaxAnswer int64 // bound on one answer in bytes; 0: jsonrpc.DefaultMaxAnswer

	// Chain is the chain that the node has to be on; "": any.
	Chain chain.ID
	// From is the first block to fetch where the ledger holds nothing to go on
	// from. Anew ignores imported ranges and starts at From; blocks followed
	// before are gone on from all the same.
	From uint64
	Anew bool
	// FinalDepth calls a block final that has so many on top of it, instead of
	// asking the node for its finalized block. 0: ask.
	FinalDepth uint64
	// Keep says which call inputs and logs are kept.
	Keep Keep

	Poll          time.Duration // over HTTP, how often to look; 0: DefaultPoll
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
	if c.Event == nil {
		c.Event = func(follow.Event) {}
	}
	if c.Sleep == nil {
		c.Sleep = follow.Sleep
	}
	if c.Poll <= 0 {
		c.Poll = DefaultPoll
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
		Node: n, Ledger: c.Ledger, From: c.From, Resume: !c.Anew,
		Needs: ledger.CoverNative | ledger.CoverFees | ledger.CoverTokens, Window: c.Window, Batch: c.Batch,
		Once: c.Once, Event: c.Event, Sleep: c.Sleep, Backoff: c.Backoff,
	})
}

// begin ties the node to the ledger's knowledge of assets and to the events.
func (n *Node) begin(ctx context.Context, c *Config) error {
	n.note = func(s string) { c.Event(follow.Event{Kind: follow.Noticed, Chain: n.id, Note: s}) }
	r, err := c.Ledger.Reader(ctx)
	if err != nil {
		return err
	}
	registry := r.Registry()
	n.known = func(a chain.Asset) bool { _, ok := registry.Info(a); return ok }
	return errors.Join(r.Close())
}
