package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// stolen returns the transfers that the command names, as the ledger has them.
func (n *node) stolen(a *app, c *theftStateCmd) (rejects int64, stolen []chain.Transfer, err error) {
	if c.Transfers == "" {
		stolen, err = n.moved(a.ctx, "theft state", c.Tx, c.Chain)
		return 0, stolen, err
	}
	var stdin *os.File
	if c.Transfers == "-" {
		if stdin, err = a.spoolStdin(); err != nil {
			return 0, nil, err
		}
		defer stdin.Close() //nolint:errcheck // it has no name any more
		a.stdin = stdin
	}
	// Read first, to know which transfers the file names: what contradicts the
	// ledger must not go in.
	all := &collector{n: n}
	opts := ingest.Options{Formats: formats(nil), Format: c.Format, TempDir: a.dir, Now: a.now, Rejects: a.path("theft.rejects.csv")}
	if opts.Chain, err = chainNamed(c.Chain); err != nil {
		return 0, nil, err
	}
	if stdin != nil {
		opts.Stdin = stdin
	}
	if _, err := ingest.Run(a.ctx, all, []ingest.Source{{Name: c.Transfers}}, opts); err != nil && errs.Is(err) != errs.Partial {
		return 0, nil, err
	}
	if err := n.contradicted(a.ctx, c.Transfers, all.transfers); err != nil {
		return 0, nil, err
	}
	if stdin != nil {
		if _, err := stdin.Seek(0, io.SeekStart); err != nil {
			return 0, nil, errs.Wrap("theft state", c.Transfers, err)
		}
	}
	rep, err := n.importFiles(a, []string{c.Transfers}, c.Format, c.Chain)
	if err != nil && errs.Is(err) != errs.Partial {
		return 0, nil, err
	}
	if err != nil {
		a.note("bongsu: %s", oneLine(err.Error()))
	}
	switch {
	case len(all.transfers) == 0 && all.utxos:
		return 0, nil, errs.New("theft state", errs.Invalid, c.Transfers, "it holds whole transactions of a UTXO chain, and does not say which of their outputs were stolen",
			"they are in the ledger now: name them with --tx TX/ACCOUNT")
	case len(all.transfers) == 0 && rep.Rejects == 0:
		return 0, nil, errs.New("theft state", errs.Invalid, c.Transfers, "it names no transfer", "name the file that lists what was stolen")
	case len(all.transfers) == 0:
		return 0, nil, errs.New("theft state", errs.Invalid, c.Transfers, "no transfer in it could be read", "its rejects file says why")
	}
	stolen, err = n.asHeld(a.ctx, all.transfers)
	return rep.Rejects, stolen, err
}

// maxStolen bounds the transfers of one theft.
const maxStolen = 100_000

// spoolStdin copies standard input to a file, which can be read twice.
func (a *app) spoolStdin() (*os.File, error) {
	f, err := os.CreateTemp(a.dir, "bongsu-theft-*")
	if err != nil {
		return nil, errs.Wrap("theft state", a.dir, err)
	}
	os.Remove(f.Name()) //nolint:errcheck // unlinked at once, so that no crash leaves it behind
	if _, err = io.Copy(f, a.stdin); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close() //nolint:errcheck // the copy failed before
		return nil, errs.Wrap("theft state", "-", err)
	}
	return f, nil
}

// collector is an ingest.Store that keeps what a file names in memory. Fees are
// not what was stolen, as they are not where --tx names a transaction.
type collector struct {
	n         *node
	transfers []chain.Transfer
	utxos     bool // it holds transactions of a UTXO chain
}

func (c *collector) Begin(context.Context, string) (ingest.Import, error) { return c, nil }

func (c *collector) Reader(ctx context.Context) (ledger.Reader, error) { return c.n.ledger.Reader(ctx) }

func (c *collector) Add(f *ledger.Facts) error {
	c.utxos = c.utxos || len(f.UTXOs) > 0
	for _, t := range f.Transfers {
		if t.Kind != chain.KindFee {
			c.transfers = append(c.transfers, t)
		}
	}
	if len(c.transfers) > maxStolen {
		return errs.New("theft state", errs.Limit, "", fmt.Sprintf("more than %d transfers", maxStolen), "name only those by which funds were stolen, not where they went")
	}
	return nil
}
func (c *collector) Checkpoint([]byte) error                      { return nil }
func (c *collector) Cursor() []byte                               { return nil }
func (c *collector) Commit(context.Context) (ledger.Stats, error) { return ledger.Stats{}, nil }
func (c *collector) Abort() error                                 { return nil }

// contradicted refuses a file that gives the coin which a transaction moves
// another amount than the ledger does: both would be there, as two transfers.
func (n *node) contradicted(ctx context.Context, file string, named []chain.Transfer) error {
	r, err := n.ledger.Reader(ctx)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	held, err := heldOf(ctx, r, named)
	if err != nil {
		return err
	}
	for _, t := range named {
		h, ok := match(t, held[ledger.Tx{Chain: t.Chain, ID: t.Tx}])
		if !ok || agree(t, h) {
			continue
		}
		info, _ := r.Registry().Info(h.Asset)
		return errs.New("theft state", errs.Invalid, file, fmt.Sprintf("%s moved %s %s by the ledger, and %s by the file", h.Tx.Text(h.Chain), h.Amount.Decimal(info.Decimals), info.Symbol, t.Amount.Decimal(info.Decimals)),
			"correct the file; nothing of it was stated or imported")
	}
	return nil
}

// asHeld finds each transfer in the ledger, which may know its place or its
// amount better than the file did. One without a transaction id stays as the file names it.
func (n *node) asHeld(ctx context.Context, named []chain.Transfer) ([]chain.Transfer, error) {
	r, err := n.ledger.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	held, err := heldOf(ctx, r, named)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(named)
	for i, t := range out {
		if h, ok := match(t, held[ledger.Tx{Chain: t.Chain, ID: t.Tx}]); ok && agree(t, h) {
			out[i] = h
		}
	}
	return out, nil
}

// heldOf is what the ledger holds of the transactions of transfers.
func heldOf(ctx context.Context, r ledger.Reader, named []chain.Transfer) (map[ledger.Tx][]chain.Transfer, error) {
	var txs []ledger.Tx
	for _, t := range named {
		if !t.Tx.IsZero() {
			txs = append(txs, ledger.Tx{Chain: t.Chain, ID: t.Tx})
		}
	}
	moves, err := movements(ctx, r, txs)
	held := make(map[ledger.Tx][]chain.Transfer, len(txs))
	for _, h := range moves {
		tx := ledger.Tx{Chain: h.Chain, ID: h.Tx}
		held[tx] = append(held[tx], h)
	}
	return held, err
}

// match finds a transfer among those that the ledger holds of its transaction:
// the same, or else that of the coin which a transaction of an EVM chain moves
// by itself, once, from and to the same account; one that agrees comes first.
func match(t chain.Transfer, held []chain.Transfer) (found chain.Transfer, ok bool) {
	for _, h := range held {
		if h.CompareIdentity(t) == 0 {
			return h, true
		}
		if t.Chain.EVM() && t.Kind == chain.KindNative && h.Kind == t.Kind && h.From == t.From && h.To == t.To && (!ok || agree(t, h)) {
			found, ok = h, true
		}
	}
	return found, ok
}

// agree says whether two amounts of one movement are the same, or one of them a
// rounding of the other, of which the ledger keeps the exact one.
func agree(t, h chain.Transfer) bool {
	return t.Amount == h.Amount || t.Amount.IsRoundingOf(h.Amount) || h.Amount.IsRoundingOf(t.Amount)
}
