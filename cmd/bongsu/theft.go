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
	"bongsu/journal"
	"bongsu/ledger"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"
)

type theftCmd struct {
	State theftStateCmd `cmd:"" help:"State a theft by its transfers; prints its id as the last word."`
}

type theftStateCmd struct {
	Title     string   `required:"" help:"What the theft is called." placeholder:"T"`
	Transfers string   `help:"The stolen transfers, in any format that import reads, fees aside; rows that the ledger lacks are imported." placeholder:"FILE"`
	Tx        []string `help:"The stolen transfers: all that these transactions of the ledger moved, fees aside, or what they paid one account." placeholder:"TX[/ACCOUNT]"`
	Chain     string   `help:"Chain of the transactions, or of rows that do not name theirs." placeholder:"C"`
	Format    string   `help:"Format of the file, instead of recognising it." placeholder:"F"`
	Text      string   `help:"A description."`
	Marking   string   `default:"amber" help:"TLP marking: clear, green, amber, amber+strict, red."`
}

func (theftStateCmd) Help() string {
	return `The theft's id follows from its transfers: stating the same theft again makes no second one.

Examples:
  bongsu theft state --title "Bybit, February 2025" --transfers theft.csv
  bongsu theft state --title "Drain of 3 March" --tx 0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c
  bongsu theft state --title "First payment" --tx f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16/1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3`
}

func (c *theftStateCmd) Run(a *app) error {
	if (c.Transfers == "") == (len(c.Tx) == 0) {
		return errs.New("theft state", errs.Usage, "", "name the stolen transfers once", "give --transfers FILE or --tx TX")
	}
	marking, err := stix.ParseTLP(c.Marking)
	if err != nil {
		return err
	}
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // Append reported its own errors
	rejects, stolen, err := n.stolen(a, c)
	if err != nil {
		return err
	}
	theft, err := n.stateTheft(a, trace.Theft{ID: findings.TheftID(stolen), Title: c.Title, Transfers: stolen}, c.Text, marking)
	if err != nil {
		return err
	}
	doc := map[string]any{"id": theft.ID, "title": theft.Title, "amounts": theft.Amounts, "transfers": len(theft.Transfers), "marking": marking.String(), "rejects": rejects}
	err = a.print(doc, func(w io.Writer) {
		fmt.Fprintf(w, "%s:", theft.Title)
		for i, m := range theft.Amounts {
			if i > 0 {
				fmt.Fprint(w, " and")
			}
			fmt.Fprintf(w, " %s %s", m.Amount, m.Symbol)
		}
		fmt.Fprintf(w, " in %d transfers, marked TLP:%s, is theft %s\n", len(theft.Transfers), marking, theft.ID)
	})
	if err == nil && rejects > 0 {
		return statusPartial
	}
	return err
}

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
	rep, err := n.importFiles(a, []string{c.Transfers}, c.Format, c.Chain)
	if err != nil && errs.Is(err) != errs.Partial {
		return 0, nil, err
	}
	if err != nil {
		a.note("bongsu: %s", oneLine(err.Error()))
	}
	// Read once more, to know which transfers the file names.
	all := &collector{n: n}
	opts := ingest.Options{Formats: formats(nil), Format: c.Format, TempDir: a.dir, Now: a.now, Rejects: a.path("theft.rejects.csv")}
	if opts.Chain, err = chainNamed(c.Chain); err != nil {
		return 0, nil, err
	}
	if stdin != nil {
		if _, err := stdin.Seek(0, io.SeekStart); err != nil {
			return 0, nil, errs.Wrap("theft state", c.Transfers, err)
		}
		opts.Stdin = stdin
	}
	if _, err := ingest.Run(a.ctx, all, []ingest.Source{{Name: c.Transfers}}, opts); err != nil && errs.Is(err) != errs.Partial {
		return 0, nil, err
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

// asHeld finds each transfer in the ledger, which may know its place better
// than the file did. One without a transaction id stays as the file names it.
func (n *node) asHeld(ctx context.Context, named []chain.Transfer) ([]chain.Transfer, error) {
	var txs []ledger.Tx
	for _, t := range named {
		if !t.Tx.IsZero() {
			txs = append(txs, ledger.Tx{Chain: t.Chain, ID: t.Tx})
		}
	}
	r, err := n.ledger.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	held, err := movements(ctx, r, txs)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(held, chain.Transfer.CompareIdentity)
	out := slices.Clone(named)
	for i := range out {
		if at, ok := slices.BinarySearchFunc(held, out[i], chain.Transfer.CompareIdentity); ok {
			out[i] = held[at]
		}
	}
	return out, nil
}

// stateTheft appends the incident, unless this organisation stated the very
// same before, and returns the theft as the journal has it.
func (n *node) stateTheft(a *app, t trace.Theft, text string, marking stix.TLP) (stix.Theft, error) {
	r, err := n.ledger.Reader(a.ctx)
	if err != nil {
		return stix.Theft{}, err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	now := a.now()
	common := stix.Common{Author: n.keys.ID(), Created: now, Modified: now, Marking: marking}
	if old, err := n.journal.GetBy(a.ctx, n.keys.ID(), t.ID); err == nil && !old.Erased {
		o, err := old.Object()
		if err != nil {
			return stix.Theft{}, err
		}
		was, err := stix.ReadTheft(o)
		if err != nil {
			return stix.Theft{}, err
		}
		if was.Title == t.Title && was.Text == text && was.Marking == marking && !was.Revoked {
			return was, nil
		}
		common.Created = was.Created
	}
	o, err := findings.Incident(common, t, r.Registry())
	if err != nil {
		return stix.Theft{}, err
	}
	if _, err := n.journal.Append(a.ctx, []journal.Draft{{Object: o, Actor: a.config.User}}); err != nil {
		return stix.Theft{}, err
	}
	return stix.ReadTheft(o)
}
