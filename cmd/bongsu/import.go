package main

import (
	"fmt"
	"io"
	"strings"

	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/signatures"
)

type importCmd struct {
	Files  []string `arg:"" name:"file" help:"Files to import; - is standard input; .gz, .zst and .bz2 are unpacked."`
	Format string   `help:"Take the files as this format instead of recognising it." placeholder:"F"`
	Chain  string   `help:"Chain of rows that do not name theirs: CAIP-2, or a name such as ethereum." placeholder:"C"`
}

func (importCmd) Help() string {
	s := `Reads transfers into the ledger. What is there already counts once; a bad row goes to FILE.rejects.csv with line, column and reason, and the good ones go in (exit status 3 then). An import that was interrupted goes on where it was.

Formats, recognised by their first line:
`
	for _, f := range formats(nil) {
		if f.Refused != "" {
			continue
		}
		s += fmt.Sprintf("  %-22s %s\n", f.Name, f.Title)
	}
	return s + `
Examples:
  bongsu import theft.csv hop1.csv
  bongsu import --chain ethereum export-0xabc.csv.gz
  zcat blocks.csv.gz | bongsu import -`
}

func (c *importCmd) Run(a *app) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // read-only by then; Commit reported its own errors
	rep, err := n.importFiles(a, c.Files, c.Format, c.Chain)
	if len(rep.Sources) == 0 {
		return err
	}
	doc := importDoc{Report: rep}
	if err != nil && errs.Is(err) != errs.Partial {
		doc.Error = documentOf(err)
	}
	if perr := a.print(doc, func(w io.Writer) { writeReport(w, rep) }); perr != nil { // what went in all the same
		return perr
	}
	return a.told(err)
}

// importDoc is what an import did, and why it failed where it did.
type importDoc struct {
	ingest.Report
	Error *errorDocument `json:"error,omitempty"`
}

// importFiles imports files into the node's ledger, with progress. An error of
// kind errs.Partial says that rows were rejected; the report tells the rest.
func (n *node) importFiles(a *app, files []string, format, chainName string) (ingest.Report, error) {
	id, err := chainNamed(chainName)
	if err != nil {
		return ingest.Report{}, err
	}
	sources := make([]ingest.Source, len(files))
	for i, f := range files {
		sources[i].Name = f
	}
	if len(sources) == 0 {
		return ingest.Report{}, errs.New("import", errs.Usage, "", "no file named", "name files, or - for standard input")
	}
	return ingest.Run(a.ctx, ingest.Into(n.ledger), sources, ingest.Options{
		Formats: formats(n.ledger), Format: format, Chain: id, Stdin: a.stdin,
		KeepCall: signatures.KeepCall, KeepLog: signatures.KeepLog,
		TempDir: a.dir, Now: a.now, Progress: a.importProgress,
		CheckpointRows: a.config.CheckpointRows,
	})
}

func (a *app) importProgress(p ingest.Progress) {
	left := ""
	if p.Left >= 0 {
		left = fmt.Sprintf(", %s left", p.Left.Round(1e9))
	}
	a.note("%s (%s): %d rows, %.0f rows/s%s, %d rejected", p.Source, p.Format, p.Rows, p.Rate, left, p.Rejects)
}

func writeReport(w io.Writer, rep ingest.Report) {
	for _, s := range rep.Sources {
		if s.State == ingest.Failed && len(rep.Sources) > 1 { // of one alone the command's error says it
			fmt.Fprintf(w, "failed: %s\n", oneLine(s.Error))
		}
		if s.Format == "" && s.State == ingest.Failed {
			continue
		}
		if s.Format == "" { // nothing was in it, or nothing was read
			fmt.Fprintf(w, "%s: %s\n", s.Name, strings.Join(s.Notes, "; "))
			continue
		}
		fmt.Fprintln(w, reportLine(&s))
		if s.Rejects > 0 {
			line := fmt.Sprintf("  %d rows rejected, with reasons, in %s", s.Rejects, s.RejectsFile)
			if s.Mendable {
				line += ": mend them there and import that file"
			}
			fmt.Fprintln(w, line)
			fmt.Fprintf(w, "  the first of them: %s\n", s.FirstReject)
		}
		for _, note := range s.Notes {
			fmt.Fprintf(w, "  %s\n", note)
		}
	}
}

// reportLine is what one source gave, in one line.
func reportLine(s *ingest.SourceReport) string {
	line := fmt.Sprintf("%s: %s", s.Name, s.Format)
	if s.Rows > 0 {
		line += fmt.Sprintf(", %d rows", s.Rows)
	}
	switch {
	case s.Transfers > 0:
		line += fmt.Sprintf(", %d transfers: %d new, %d known already", s.Transfers, s.Added, s.Known)
	case s.UTXOs == 0:
		line += ", no transfers of its own"
	}
	if s.UTXOs > 0 {
		line += fmt.Sprintf(", %d transactions: %d new", s.UTXOs, s.NewTxs)
	}
	if s.Resumed > 0 {
		line += fmt.Sprintf(", %d from an earlier, interrupted run", s.Resumed)
	}
	if s.Kept > 0 {
		line += fmt.Sprintf("; %d calls and logs kept for links", s.Kept)
	}
	return line
}
