package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"

	"bongsu/errs"
	"bongsu/screen"
)

type screenCmd struct {
	Values []string `arg:"" optional:"" name:"value" help:"Addresses, CAIP-10 accounts, domains, e-mail addresses or file hashes."`
	File   string   `help:"Screen every value of a file: one a line, or a column of a CSV; - is standard input." placeholder:"F"`
	Column string   `help:"The column of the CSV that holds the values." placeholder:"C"`
}

func (screenCmd) Help() string {
	return `Answers for each value: clear, watch, hold or block, with every reason: which statement, who said so, since when, under which marking. A value that cannot be read is never called clear. Exit status 10 when any verdict is block.

Examples:
  bongsu screen 0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2
  bongsu screen --file deposits.csv --column address --json`
}

func (c *screenCmd) Run(a *app) error {
	values := c.Values
	if c.File != "" {
		more, err := readColumn(a, c.File, c.Column)
		if err != nil {
			return err
		}
		values = append(values, more...)
	}
	if len(values) == 0 {
		return errs.New("screen", errs.Usage, "", "nothing to screen", "name values, or a file with --file F")
	}
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	index, err := n.screening(a.ctx)
	if err != nil {
		return err
	}
	defer index.Close()
	results := index.Screen(values)
	if err := a.print(map[string]any{"results": results}, func(w io.Writer) { writeResults(w, results) }); err != nil {
		return err
	}
	for _, r := range results {
		if r.Verdict == screen.Block {
			return statusBlocked
		}
	}
	for _, r := range results {
		if r.Verdict == screen.Invalid {
			return a.told(errs.New("screen", errs.Partial, r.Value, r.Error.Message, r.Error.Hint))
		}
	}
	return nil
}

func writeResults(w io.Writer, results []screen.Result) {
	for _, r := range results {
		fmt.Fprintf(w, "%-7s %s\n", r.Verdict, r.Value)
		if r.Error != nil {
			fmt.Fprintf(w, "        could not be read: %s; %s\n", r.Error.Message, r.Error.Hint)
		}
		for _, why := range r.Reasons {
			fmt.Fprintf(w, "        %s: %s by %s since %s, %s", why.Verdict, why.Kind, nameOr(why.AuthorName, why.Author), why.Since.UTC().Format("2006-01-02 15:04:05Z"), why.Marking)
			if why.Amount != nil {
				fmt.Fprintf(w, ", %s %s %s", why.Amount.Amount, why.Amount.Symbol, why.Place)
			}
			if why.Basis != "" {
				fmt.Fprintf(w, ", %s", why.Basis)
			}
			fmt.Fprintf(w, "\n          %s", why.Statement)
			if why.Theft != "" {
				fmt.Fprintf(w, " on %s", why.Theft)
			}
			fmt.Fprintln(w)
			if why.Text != "" {
				fmt.Fprintf(w, "          %s\n", why.Text)
			}
		}
	}
}

func nameOr(name, id string) string {
	if name != "" {
		return name
	}
	return id
}

// maxScreenFile bounds the values of one --file; more belong in a stream to
// POST /api/v1/screen/stream.
const maxScreenFile = 1_000_000

// readColumn reads the values of a file: a named column of a CSV, or each line
// as it is.
func readColumn(a *app, name, column string) ([]string, error) {
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, errs.Wrap("screen", name, err)
		}
		defer f.Close()
		in = f
	}
	r := csv.NewReader(in)
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	at, values := 0, []string(nil)
	for line := 1; ; line++ {
		rec, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return values, nil
		case err != nil:
			return nil, errs.Wrap("screen", name, err)
		case line == 1 && column != "":
			if at = indexOf(rec, column); at < 0 {
				return nil, errs.New("screen", errs.Usage, name, fmt.Sprintf("no column %q in its first line", column), "name one that stands there")
			}
			continue
		case at >= len(rec):
			return nil, errs.New("screen", errs.Invalid, fmt.Sprintf("%s:%d", name, line), "the row has too few columns", "mend the file; nothing was screened")
		case len(values) == maxScreenFile:
			return nil, errs.New("screen", errs.Limit, name, fmt.Sprintf("more than %d values", maxScreenFile), "split the file")
		}
		if rec[at] != "" {
			values = append(values, rec[at])
		}
	}
}

func indexOf(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}
