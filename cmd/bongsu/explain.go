package main

import (
	"context"
	"fmt"
	"io"

	"bongsu/errs"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/explain"
)

type explainCmd struct {
	Theft   string `arg:"" help:"The theft's id."`
	Account string `arg:"" help:"The account whose share of the money is to be explained."`
	Lang    string `default:"en" help:"Language of the text: en, ko, it, fr or de." enum:"en,ko,it,fr,de" placeholder:"L"`
	Chain   string `help:"Chain of a bare address that fits several." placeholder:"C"`
}

func (explainCmd) Help() string {
	return `Tells how stolen money came to an account, step by step, from the latest run of the theft's trace: each step with its transaction, the lots it drew on, the rule, and how sure it is.

Examples:
  bongsu explain incident--0b0f... 0x36ed3c0213565530c35115d93a80f9c04d94e4cb
  bongsu explain incident--0b0f... 0xdD90071D52F20e85c89802e5Dc1eC0A7B6475f92 --lang ko`
}

func (c *explainCmd) Run(a *app) error {
	account, err := parseAccount(c.Account, c.Chain)
	if err != nil {
		return err
	}
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	run, err := n.latestRun(a.ctx, c.Theft)
	if err != nil {
		return err
	}
	x, err := explain.Of(run, c.Theft, account)
	if err != nil {
		return err
	}
	text, err := x.Text(c.Lang)
	if err != nil {
		return err
	}
	return a.print(x, func(w io.Writer) { fmt.Fprint(w, text) })
}

// latestRun is the newest run of a theft's trace that this organisation made.
func (n *node) latestRun(ctx context.Context, theft string) (*trace.Run, error) {
	digest := ""
	err := n.ownStatements(ctx, stix.TypeRun, func(o stix.Object) {
		if r, err := stix.ReadRun(o); err == nil && r.Theft == theft {
			digest = r.Digest
		}
	})
	if err != nil {
		return nil, err
	}
	if digest == "" {
		return nil, errs.New("explain", errs.NotExist, theft, "this theft was not traced here", "trace it with: bongsu trace "+theft)
	}
	return n.traces.Load(digest)
}
