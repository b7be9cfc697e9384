package bitcoin

import (
	"context"
	"errors"

	"bongsu/ingest/follow"
	"bongsu/ledger"
)

// Config says which node to follow and how: over http or https, with the user
// and password of the node's RPC. Where the ledger does not reach down to the
// chain's first block, the node is asked for the outputs that are spent; one
// that does not tell leaves spends of earlier outputs without an account.
type Config struct {
	follow.Setup
	// Confirmations is how many blocks, its own included, make a block final;
	// 0: Confirmations, six.
	Confirmations uint64
}

// Follow brings the ledger level with the node and keeps it there until ctx
// ends, or the node is refused. See package follow for what holds.
func Follow(ctx context.Context, c Config) error {
	if err := c.Normal(DefaultPoll); err != nil {
		return err
	}
	if c.Confirmations == 0 {
		c.Confirmations = Confirmations
	}
	dialled := func(ctx context.Context) (*Node, error) { return dial(ctx, &c) }
	return follow.With(ctx, &c.Setup, ledger.CoverUTXO, dialled, func(ctx context.Context, n *Node) error { return n.begin(ctx, &c) })
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
	fromFirst := cov.Empty && c.From == 0 && !c.Latest || !cov.Empty && cov.Complete(0, cov.LastBlock, ledger.CoverUTXO)
	n.wantSpent.Store(!fromFirst)
	n.note = func(s string) { c.Event(follow.Event{Kind: follow.Noticed, Chain: n.id, Note: s}) }
	return nil
}
