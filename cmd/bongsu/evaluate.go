package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"bongsu/durable"
	"bongsu/errs"
	"bongsu/trace"
	"bongsu/trace/evaluate"
)

type evaluateCmd struct {
	Dirs    []string `arg:"" name:"dir" help:"Folders with a CSV of known flows and files of source and terminal addresses." type:"existingdir"`
	Method  []string `help:"Only these methods: fifo, lifo, haircut, poison, tiho." placeholder:"M"`
	Traffic []int    `help:"Rows of unrelated traffic for each known row." default:"0,20" placeholder:"N"`
	Seed    uint64   `help:"Seed of the traffic's generator; 0 is the usual one." placeholder:"N"`
	Out     string   `help:"Write the mixed rows, with the truth and each method's taint, as CSV into this folder." placeholder:"DIR"`
}

func (evaluateCmd) Help() string {
	return `Measures the tracer against verified flows valued in USD: how much of the known flow it reaches, how much of what entered the terminals it attributes, the bound that no method which conserves value can exceed, and how much of what it attributes is right. These rows never enter a ledger, and the tracer knows the sources only.

Examples:
  bongsu evaluate trace/evaluate/testdata/txphish-2024 trace/evaluate/testdata/lifi-2024
  bongsu evaluate mycase --method fifo --traffic 0 --out build/evaluate --json`
}

func (c *evaluateCmd) Run(a *app) error {
	opt := evaluate.Options{Traffic: c.Traffic, Seed: c.Seed}
	for _, m := range c.Method {
		method, err := trace.ParseMethod(m)
		if err != nil {
			return err
		}
		opt.Methods = append(opt.Methods, method)
	}
	scores := []evaluate.Score{}
	for _, dir := range c.Dirs {
		known, err := evaluate.Load(dir)
		if err != nil {
			return err
		}
		a.note("%s: %d known rows, %d sources, %d terminals", known.Name, len(known.Rows), len(known.Sources), len(known.Terminals))
		got, mixed, err := evaluate.Run(a.ctx, known, opt)
		if err != nil {
			return err
		}
		scores = append(scores, got...)
		if err := c.write(known.Name, mixed); err != nil {
			return err
		}
	}
	return a.print(scores, func(w io.Writer) { writeScores(w, scores) })
}

func (c *evaluateCmd) write(name string, mixed []evaluate.Mixed) error {
	if c.Out == "" {
		return nil
	}
	if err := durable.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	for i := range mixed {
		file := filepath.Join(c.Out, fmt.Sprintf("%s-traffic%d.csv", name, mixed[i].Traffic))
		f, err := os.Create(file)
		if err != nil {
			return errs.Wrap("evaluate", file, err)
		}
		err = mixed[i].WriteCSV(f)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return errs.Wrap("evaluate", file, err)
		}
	}
	return nil
}

func writeScores(w io.Writer, scores []evaluate.Score) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "case\tmethod\ttraffic\trows\treachability\tattribution\tbound\tprecision\t")
	for _, s := range scores {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.5f\t%s\t%s\t%.5f\t\n", s.Case, s.Method, s.Traffic, s.Rows, s.Reachability, share5(s.Attribution), share5(s.Bound), s.Precision)
	}
	t.Flush() //nolint:errcheck // as fmt.Fprintf to the same writer
}

func share5(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.5f", *v)
}
