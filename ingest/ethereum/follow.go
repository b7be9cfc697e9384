package ethereum

import (
	"context"

	"bongsu/chain"
	"bongsu/ingest/follow"
	"bongsu/ledger"
)

// Config says which node to follow and how: over http, https, ws or wss.
type Config struct {
	follow.Setup
	MaxAnswer int64 // bound on one answer in bytes; 0: jsonrpc.DefaultMaxAnswer
	// FinalDepth calls a block final that has so many on top of it, instead of
	// asking the node for its finalized block. 0: ask.
	FinalDepth uint64
	// Keep says which call inputs and logs are kept.
	Keep Keep
}

// Follow brings the ledger level with the node and keeps it there until ctx
// ends, or the node is refused. See package follow for what holds.
func Follow(ctx context.Context, c Config) error {
	if err := c.Normal(DefaultPoll); err != nil {
		return err
	}
	needs := ledger.CoverNative | ledger.CoverFees | ledger.CoverTokens
	dialled := func(ctx context.Context) (*Node, error) { return dial(ctx, &c) }
	return follow.With(ctx, &c.Setup, needs, dialled, func(_ context.Context, n *Node) error {
		n.begin(&c)
		return nil
	})
}

// begin ties the node to the ledger's knowledge of assets and to the events.
func (n *Node) begin(c *Config) {
	n.note = func(s string) { c.Event(follow.Event{Kind: follow.Noticed, Chain: n.id, Note: s}) }
	n.held = func(ctx context.Context) (func(chain.Asset) bool, error) {
		r, err := c.Ledger.Reader(ctx)
		if err != nil {
			return nil, err
		}
		registry := r.Registry()
		return func(a chain.Asset) bool { _, ok := registry.Info(a); return ok }, r.Close()
	}
}
