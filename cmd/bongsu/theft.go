package main

import (
	"fmt"
	"io"

	"bongsu/errs"
	"bongsu/journal"
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
