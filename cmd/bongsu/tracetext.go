package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/trace"
)

// traceView is what the command prints: the result, and beside it what the
// flags ask for. The digest covers the result alone.
type traceView struct {
	*trace.Result
	Paths  []pathView     `json:"paths,omitempty"`
	Values []trace.Valued `json:"values,omitempty"`

	prices   *trace.Prices
	from     chain.Account
	to       []chain.Account
	backward bool
}

// pathView is the best ways to one account; nil when there is none.
type pathView struct {
	From     chain.Account `json:"from,omitzero"` // the zero: the theft itself
	To       chain.Account `json:"to"`
	Shortest *trace.Way    `json:"shortest"`
	Widest   *trace.Way    `json:"widest"`
}

// maxPriceBytes bounds a file of prices.
const maxPriceBytes = 256 << 20

// view reads what the flags ask to be shown beside the result.
func (c *traceCmd) view() (*traceView, error) {
	v := &traceView{backward: c.Backward}
	var err error
	if c.PathFrom != "" {
		if v.from, err = parseAccount(c.PathFrom, c.Chain); err != nil {
			return nil, badFlag("--path-from", err)
		}
	}
	for _, text := range c.PathTo {
		to, err := parseAccount(text, c.Chain)
		if err != nil {
			return nil, badFlag("--path-to", err)
		}
		v.to = append(v.to, to)
	}
	for _, file := range c.Prices {
		raw, err := readPrices(file)
		if err != nil {
			return nil, err
		}
		if v.prices == nil {
			v.prices = &trace.Prices{}
		}
		if err := v.prices.Read(bytes.NewReader(raw), file); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func readPrices(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, errs.Wrap("prices", file, err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, maxPriceBytes+1))
	if err == nil && len(raw) > maxPriceBytes {
		err = errs.New("prices", errs.Limit, file, "larger than 256 MiB", "give the prices of the days that matter")
	}
	return raw, errs.Wrap("prices", file, err)
}

// look fills the view in from a run.
func (v *traceView) look(run *trace.Run) {
	v.Result = &run.Result
	for _, to := range v.to {
		p := pathView{From: v.from, To: to}
		if w, err := run.Way(v.from, to, trace.Shortest); err == nil {
			p.Shortest = &w
		}
		if w, err := run.Way(v.from, to, trace.Widest); err == nil {
			p.Widest = &w
		}
		v.Paths = append(v.Paths, p)
	}
	if v.prices != nil {
		v.Values = run.Values(v.prices)
	}
}

// write writes the readable summary.
func (v *traceView) write(w io.Writer, run *trace.Run) {
	res := v.Result
	words := struct{ head, whole, rests string }{"%s: %d transfers carried stolen money to %d accounts\n", "stolen", "rests on"}
	if v.backward {
		words.head, words.whole, words.rests = "%s, backward: %d transfers carried money into the deposit; places it came from: %d\n", "deposit", "came from"
	}
	fmt.Fprintf(w, words.head, res.Method, res.Transfers, res.Accounts)
	for _, p := range run.Stolen {
		fmt.Fprintf(w, "  %-12s %s\n", words.whole, money(p.Amount))
	}
	for _, h := range res.Holdings {
		fmt.Fprintf(w, "  %-12s %s  %s, %s%s since %s%s\n", words.rests, h.Account, money(h.Amount), h.Basis, byRule(h.Rule), when(h.Since), notFinal(h.Provisional))
	}
	v.writeExits(w)
	for _, u := range res.Unfollowed {
		fmt.Fprintf(w, "  unfollowed   %s  %s, reason %s, %s%s since %s%s\n", u.Account, money(u.Amount), u.Reason, u.Basis, byRule(u.Rule), when(u.Since), notFinal(u.Provisional))
	}
	for _, x := range res.Incomplete {
		fmt.Fprintf(w, "  incomplete   %s  spent %s, known %s, missing %s\n", x.Account, money(x.Spent), x.Known.Amount, x.Missing.Amount)
	}
	for _, part := range []struct {
		name, tail string
		rows       []trace.Part
	}{{"fees", "", res.Fees}, {"adjustments", "", res.Adjustments}, {"collided", " belong to an earlier theft", res.Collided}} {
		for _, p := range part.rows {
			fmt.Fprintf(w, "  %-12s %s%s\n", part.name, money(p.Amount), part.tail)
		}
	}
	for _, x := range res.Turned {
		fmt.Fprintf(w, "  turned       %s were clean and mixed with stolen money\n", money(x))
	}
	for _, x := range res.Aside {
		fmt.Fprintf(w, "  set aside    %s  %s, %s %s%s\n", x.Account, counted(x.Count, "transfer"), x.Symbol, x.Reason, like(x.Like))
	}
	v.writePaths(w)
	v.writeValues(w)
	for _, l := range res.Ledger {
		fmt.Fprintf(w, "  read         %s blocks %d to %d, %s\n", l.Chain, l.From, l.To, completeness(l.Gaps))
	}
	fmt.Fprintf(w, "  conserved    %v, in %.1f ms\n  digest       %s\n", res.Conserved, res.ElapsedMS, res.Digest)
}

// writeExits writes the services that money went into, by category and name,
// and what came to each category.
func (v *traceView) writeExits(w io.Writer) {
	exits := slices.Clone(v.Exits)
	slices.SortStableFunc(exits, func(a, b trace.Exit) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Label, b.Label))
	})
	word := "went into"
	if v.backward {
		word = "came out of"
	}
	for _, x := range exits {
		fmt.Fprintf(w, "  %-12s %s  %s, %s (%s, by %s), %s%s, from %s to %s%s\n", word, x.Account, money(x.Amount), x.Label, x.Category, x.Source,
			x.Basis, byRule(x.Rule), when(x.First), when(x.Last), notFinal(x.Provisional))
	}
}

func (v *traceView) writePaths(w io.Writer) {
	for _, p := range v.Paths {
		if p.Shortest == nil {
			fmt.Fprintf(w, "  no path      %s to %s\n", start(p.From), p.To)
			continue
		}
		if slices.Equal(p.Shortest.Steps, p.Widest.Steps) {
			writeWay(w, "shortest and widest path", p.Shortest)
			continue
		}
		writeWay(w, "shortest path", p.Shortest)
		writeWay(w, "widest path", p.Widest)
	}
}

func start(a chain.Account) string {
	if a.IsZero() {
		return "from the theft"
	}
	return "from " + a.String()
}

func writeWay(w io.Writer, title string, p *trace.Way) {
	width := ""
	if p.Width != nil {
		width = ", " + money(*p.Width) + " all the way"
	}
	fmt.Fprintf(w, "  %s %s to %s: %s, %s%s\n", title, start(p.From), p.To, counted(len(p.Steps), "transfer"), p.Basis, width)
	for i, s := range p.Steps {
		fmt.Fprintf(w, "    %d. %s  %s -> %s  %s of %s, %s%s  tx %s\n", i+1, when(s.Time), orNobody(s.From), orNobody(s.To),
			s.Amount.Amount, money(s.Total), s.Basis, byRule(s.Rule), s.Tx)
	}
}

func orNobody(a chain.Account) string {
	if a.IsZero() {
		return "-"
	}
	return a.String()
}

// writeValues writes what arrived at each account, day by day, beside the
// amounts. A missing price is said.
func (v *traceView) writeValues(w io.Writer) {
	if v.prices == nil {
		return
	}
	for _, x := range v.Values {
		var parts []string
		for _, c := range x.Values {
			parts = append(parts, fmt.Sprintf("%s %s (at %s, %s)", c.Value, c.Currency, c.Price, c.Source))
		}
		for _, c := range x.Missing {
			parts = append(parts, "no price in "+c)
		}
		fmt.Fprintf(w, "  arrived      %s  %s on %s: %s\n", x.Account, money(x.Amount), x.Day, strings.Join(parts, "; "))
	}
}

// money is an amount with its symbol, or its asset's full name.
func money(a trace.Amount) string { return a.Amount + " " + cmp.Or(a.Symbol, string(a.Asset)) }

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func like(s string) string {
	if s == "" {
		return ""
	}
	return ", imitates " + s
}

// when writes a time for a person.
func when(t chain.Time) string {
	if t == 0 {
		return "an unknown time"
	}
	return t.String()
}

func notFinal(is bool) string {
	if is {
		return ", not final yet"
	}
	return ""
}

func byRule(r trace.Rule) string {
	if r == "" {
		return ""
	}
	return " (" + string(r) + ")"
}

// completeness says whether some source claims to hold every block of a range:
// a gap is blocks of which only single transfers were imported, if any.
func completeness(gaps int) string {
	if gaps == 0 {
		return "no gaps"
	}
	return counted(gaps, "gap") + " for which no source claims to be complete"
}
