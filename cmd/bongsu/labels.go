package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/labels"
	"bongsu/stix"
)

type labelsCmd struct {
	Import labelsImportCmd `cmd:"" help:"Import TagPacks and other label lists."`
	Show   labelsShowCmd   `cmd:"" help:"Every label of an account, with its source, and which one decides."`
}

type labelsImportCmd struct {
	Files []string `arg:"" name:"file" help:"TagPack YAML, our CSV, or etherscan-labels JSON."`
}

func (labelsImportCmd) Help() string {
	return `Labels keep their source, confidence and date. Labels that disagree stay side by side; labels show says which decides, and by which rule. Tags that cannot be read are listed, the others go in (exit status 3).

Examples:
  bongsu labels import lazarus.yaml exchange-wallets-bybit.yaml
  bongsu labels show 0x098B716B8Aaf21512996dC57EB0615e2383E2f96`
}

func (c *labelsImportCmd) Run(a *app) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // Append reported its own errors
	reports := []labels.Report{}
	rejected := 0
	for _, name := range c.Files {
		rep, err := n.importLabels(a, name)
		if err != nil {
			return err
		}
		reports = append(reports, rep)
		rejected += len(rep.Rejects)
	}
	err = a.print(map[string]any{"lists": reports}, func(w io.Writer) {
		for _, r := range reports {
			fmt.Fprintf(w, "%s: %d labels of %d accounts, %q by %s\n", r.List.Name, r.List.Labels, r.List.Accounts, r.List.Title, nameOr(r.List.Creator, "unknown"))
			for i, x := range r.Rejects {
				if i == 20 {
					fmt.Fprintf(w, "  and %d more (--json lists all)\n", len(r.Rejects)-i)
					break
				}
				fmt.Fprintf(w, "  %s:%d: %s: %s\n", r.List.Name, x.Line, x.Subject, x.Reason)
			}
		}
	})
	if err == nil && rejected > 0 {
		return statusPartial
	}
	return err
}

// importLabels stores one list and states it in the journal.
func (n *node) importLabels(a *app, name string) (labels.Report, error) {
	data, err := readAll(a, name, labels.MaxFile)
	if err != nil {
		return labels.Report{}, err
	}
	rep, err := n.labels.Import(name, data, labels.FormatAuto)
	if err != nil {
		return rep, err
	}
	marking, err := stix.ParseTLP(rep.List.Marking)
	if err != nil {
		return rep, err
	}
	now := a.now()
	obj, err := stix.LabelList{
		Common: stix.Common{Author: n.keys.ID(), Created: now, Modified: now, Marking: marking},
		Source: rep.List.Creator + ": " + rep.List.Title, Name: rep.List.Name, Digest: rep.List.Digest, Count: rep.List.Labels, Dated: rep.List.Lastmod.Std(),
	}.Object()
	if err != nil {
		return rep, err
	}
	if rep.Known {
		if _, err := n.journal.GetBy(a.ctx, n.keys.ID(), obj.ID); err == nil {
			return rep, nil // stated before
		}
	}
	_, err = n.journal.Append(a.ctx, []journal.Draft{{Object: obj, Actor: a.config.User}})
	return rep, err
}

type labelsShowCmd struct {
	Account string `arg:"" help:"Address or CAIP-10 account."`
	Chain   string `help:"Chain of a bare address that fits several." placeholder:"C"`
}

func (labelsShowCmd) Help() string {
	return `Examples:
  bongsu labels show 0x098B716B8Aaf21512996dC57EB0615e2383E2f96
  bongsu labels show 1Archive1n2C579dMsAu3iC6tWzuQJz8dN --json`
}

func (c *labelsShowCmd) Run(a *app) error {
	account, err := parseAccount(c.Account, c.Chain)
	if err != nil {
		return err
	}
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	set, err := n.labels.Load()
	if err != nil {
		return err
	}
	shown := set.Show(account)
	return a.print(shown, func(w io.Writer) {
		fmt.Fprintln(w, account)
		for i, l := range shown.Labels {
			mark := " "
			if i == shown.Deciding {
				mark = "*"
			}
			fmt.Fprintf(w, "%s %s (%s), confidence %d %s, %s\n    %s\n", mark, l.Label, nameOr(l.Category, "no category"), l.Score, l.Confidence, dated(l.Lastmod), l.Source)
		}
		switch {
		case len(shown.Labels) == 0:
			fmt.Fprintln(w, "No label. Import some with: bongsu labels import FILE")
		case shown.Deciding < 0:
			fmt.Fprintf(w, "None decides: a confidence under %d is shown and never followed.\n", labels.MinDeciding)
		case shown.Conflict:
			fmt.Fprintf(w, "They disagree; the one marked * decides by %s.\n", shown.Rule)
		}
	})
}

func dated(t chain.Time) string {
	if t == 0 {
		return "undated"
	}
	return t.Std().Format("2006-01-02")
}

// chainNamed reads the flag --chain; "" is no chain. A chain that is none is a
// wrong use of the command, whatever it would have read.
func chainNamed(name string) (chain.ID, error) {
	if name == "" {
		return "", nil
	}
	id, err := chain.ParseID(name)
	return id, badFlag("--chain", err)
}

// badFlag is the error of a flag whose value cannot be read, which is a wrong
// use of the command; nil for nil.
func badFlag(flag string, err error) error {
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind != errs.Invalid {
		return err
	}
	for where := e.Where; ; where = cmp.Or(e.Where, where) {
		if e.Err == nil || !errors.As(e.Err, &e) { // what cannot be read is said innermost
			return errs.New(flag, errs.Usage, where, e.Why, e.Hint)
		}
	}
}

// parseAccount reads an address with the chain named by --chain.
func parseAccount(text, chainName string) (chain.Account, error) {
	id, err := chainNamed(chainName)
	if err != nil {
		return chain.Account{}, err
	}
	acct, err := chain.ParseAccount(text, id)
	if err != nil {
		return acct, errs.Wrap("account", text, err)
	}
	return acct, nil
}
