package main

import (
	"fmt"
	"io"
	"time"
)

// summary prints what came out, for a person.
func (d *demo) summary(w io.Writer) {
	doc := &d.doc
	fmt.Fprintf(w, "\n%s\n", doc.Theft.Title)
	for _, m := range doc.Theft.Amounts {
		fmt.Fprintf(w, "  stolen      %s %s\n", m.Amount, m.Symbol)
	}
	fmt.Fprintf(w, "  followed    %d transfers through %d accounts by %s in %.1f ms; conserved: %v\n",
		doc.Trace.Transfers, doc.Trace.Accounts, doc.Trace.Method, doc.Trace.ElapsedMS, doc.Trace.Conserved)
	fmt.Fprintf(w, "  rests in    %d accounts:\n", len(doc.Trace.Holdings))
	d.holdings(w)
	for _, x := range doc.Trace.Incomplete {
		fmt.Fprintf(w, "  incomplete  %s spends %s %s, of which %s is known: %s missing in these files\n",
			x.Account.Address(), x.Spent.Amount, x.Spent.Symbol, x.Known.Amount, x.Missing.Amount)
	}
	fmt.Fprintf(w, "  digest      %s\n\n", doc.Trace.Digest)
	fmt.Fprintf(w, "Shared under the agreement: %d of %d statements; %d stayed home, the TLP:RED note among them\n", doc.Statements-doc.Withheld, doc.Statements, doc.Withheld)
	fmt.Fprintf(w, "  receipts    %d arrived, %d active, %d acted on\n", doc.Share.Receipts["arrived"], doc.Share.Receipts["active"], doc.Share.Receipts["acted"])
	fmt.Fprintf(w, "  latency     %.2f ms at the median, %.2f ms at the 99th percentile: commit at the agency to changed verdict at the exchange, %d listings one by one\n",
		doc.Share.P50, doc.Share.P99, doc.Share.Singly)
	for _, s := range doc.Screening {
		fmt.Fprintf(w, "Screened at the exchange: %s\n  %s before, %s after, with %d reasons\n", s.Value, s.Before, s.After, len(s.Reasons))
	}
	fmt.Fprintf(w, "Sighting returned: %v, its proof verified offline: %v\n", doc.Sighting.Returned, doc.Sighting.Verified)
	fmt.Fprintf(w, "FBI list of %d (compared only): %d of %d holders are on it\n", doc.FBI.List, doc.FBI.HoldingsListed, len(doc.Trace.Holdings))
	for _, a := range doc.FBI.HoldingsNotListed {
		fmt.Fprintf(w, "  not listed  %s\n", a)
	}
	fmt.Fprintf(w, "Journal: %d entries, every one verified\n", doc.Journal.Entries)
	fmt.Fprintf(w, "All of it in %.1f s\n", time.Since(d.started).Seconds())
}

// holdings groups equal amounts, so that forty equal lines are one.
func (d *demo) holdings(w io.Writer) {
	type group struct {
		text string
		n    int
		one  string
	}
	var groups []group
	for _, h := range d.doc.Trace.Holdings {
		text := h.Amount.Amount + " " + h.Symbol
		i := 0
		for i < len(groups) && groups[i].text != text {
			i++
		}
		if i == len(groups) {
			groups = append(groups, group{text: text, one: h.Account.Address()})
		}
		groups[i].n++
	}
	for _, g := range groups {
		if g.n == 1 {
			fmt.Fprintf(w, "              %s on %s\n", g.text, g.one)
		} else {
			fmt.Fprintf(w, "              %s on each of %d accounts\n", g.text, g.n)
		}
	}
}
