package main

import (
	"context"
	"fmt"
	"io"

	"bongsu/errs"
	"bongsu/journal"
	"bongsu/trace"
	"bongsu/trace/explain"
	"bongsu/trace/watch"
)

type explainCmd struct {
	Theft   string `arg:"" help:"The theft's id, or the deposit of a backward trace."`
	Account string `arg:"" help:"The account whose share of the money is to be explained."`
	Kept    string `name:"run" help:"Explain this kept run, instead of the latest of the theft: the digest that trace printed." placeholder:"DIGEST"`
	Lang    string `default:"en" help:"Language of the text: en, ko, it, fr or de." enum:"en,ko,it,fr,de" placeholder:"L"`
	Chain   string `help:"Chain of a bare address that fits several." placeholder:"C"`
}

func (explainCmd) Help() string {
	return `Tells how stolen money came to an account, step by step, from the latest run of the theft's trace: each step with its transaction, the lots it drew on, the rule, and how sure it is.

Examples:
  bongsu explain incident--0b0f... 0x36ed3c0213565530c35115d93a80f9c04d94e4cb
  bongsu explain incident--0b0f... 0xdD90071D52F20e85c89802e5Dc1eC0A7B6475f92 --lang ko
  bongsu explain f4184fc5.../1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --run sha256:b6820b30...`
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
	run, err := n.run(a.ctx, c.Kept, c.Theft)
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

// run is a kept run by its digest, or else the latest of a theft.
func (n *node) run(ctx context.Context, digest, theft string) (*trace.Run, error) {
	if digest != "" {
		return n.traces.Load(digest)
	}
	return n.latestRun(ctx, theft)
}

// latestRun is the newest run of a theft's trace that this organisation made.
func (n *node) latestRun(ctx context.Context, theft string) (*trace.Run, error) {
	var last watch.Run
	err := n.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) (err error) {
		last, _, err = n.watched.RunOf(ctx, tx, theft)
		return err
	})
	if err != nil {
		return nil, err
	}
	if last.Digest == "" {
		return nil, errs.New("explain", errs.NotExist, theft, "this theft was not traced here", "trace it with: bongsu trace "+theft)
	}
	return n.traces.Load(last.Digest)
}
