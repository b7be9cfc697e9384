package main

import (
	"fmt"
	"io"
	"os"

	"bongsu/api/books"
	"bongsu/durable"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/sqlite"
)

type journalCmd struct {
	Check  journalCheckCmd  `cmd:"" help:"Recompute every hash, tree, checkpoint and signature; exit status 4 when one does not hold."`
	Export journalExportCmd `cmd:"" help:"Write statements with their proofs, for anyone to verify offline."`
}

type journalCheckCmd struct{}

func (journalCheckCmd) Help() string {
	return `Example:
  bongsu journal check --json`
}

func (c *journalCheckCmd) Run(a *app) error {
	rep, err := checkJournal(a)
	if err != nil {
		return err
	}
	if len(rep.Problems) == 0 {
		if err := checkAudit(a); err != nil {
			return err
		}
	}
	doc := map[string]any{
		"logs": rep.Logs, "entries": rep.Entries, "payloads": rep.Payloads, "erased": rep.Erased,
		"checkpoints": rep.Checkpoints, "checkpoint": string(rep.Checkpoint),
		"verified": len(rep.Problems) == 0, "problems": nonNil(rep.Problems),
	}
	err = a.print(doc, func(w io.Writer) {
		for _, p := range rep.Problems {
			fmt.Fprintf(w, "%s: %s\n", p.Where, p.What)
		}
		if len(rep.Problems) == 0 {
			fmt.Fprintf(w, "verified: %d entries in %d logs, %d payloads, %d erased, %d checkpoints\n%s", rep.Entries, rep.Logs, rep.Payloads, rep.Erased, rep.Checkpoints, rep.Checkpoint)
		}
	})
	if err != nil {
		return err
	}
	return a.told(rep.Err())
}

// checkJournal checks the journal's file without opening the journal, which a
// damaged one might refuse.
func checkJournal(a *app) (rep journal.Report, err error) {
	if err := a.needNode("journal check"); err != nil {
		return rep, err
	}
	keys, err := identity.Load(a.dir)
	if err != nil {
		return rep, err
	}
	store, err := sqlite.Open(a.ctx, a.path("journal.db"))
	if err != nil {
		return rep, err
	}
	rep, err = journal.CheckStore(a.ctx, store, keys.ID())
	if cerr := store.Close(); err == nil {
		err = cerr
	}
	return rep, err
}

// checkAudit holds the log of who asked what against the heads of it that the
// journal signed.
func checkAudit(a *app) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	return books.CheckAudit(a.ctx, n.journal, a.path("audit"))
}

type journalExportCmd struct {
	IDs []string `arg:"" name:"id" help:"STIX ids, or LOG/SEQUENCE for one entry."`
	Out string   `short:"o" help:"Write to this file instead of standard output." placeholder:"FILE"`
}

func (journalExportCmd) Help() string {
	return `Writes the newest version of each statement with all that a stranger needs to verify it: the envelope, the payload, the inclusion proof, the signed checkpoint and the certificates.

Examples:
  bongsu journal export incident--6f0c... -o exhibit.json
  bongsu verify exhibit.json`
}

func (c *journalExportCmd) Run(a *app) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	data, err := n.journal.Export(a.ctx, c.IDs)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err := a.stdout.Write(data)
		return err
	}
	if err := durable.WriteFile(c.Out, data, 0o644); err != nil {
		return err
	}
	return a.print(map[string]any{"file": c.Out, "statements": len(c.IDs)}, func(w io.Writer) {
		fmt.Fprintf(w, "%d statements with their proofs in %s; check it anywhere with: bongsu verify %s\n", len(c.IDs), c.Out, c.Out)
	})
}

type verifyCmd struct {
	File        string `arg:"" help:"A file that journal export wrote; - is standard input."`
	Fingerprint string `help:"The author's fingerprint, as compared by voice; without it any author is accepted, and named." placeholder:"DIGITS"`
}

func (verifyCmd) Help() string {
	return `Checks an exported statement offline: commitment, inclusion in the signed log, signature, certificate. Fails on any changed byte. Needs no node and no network.

Examples:
  bongsu verify exhibit.json
  bongsu verify exhibit.json --fingerprint "12345 67890 12345 67890 12345 67890"`
}

// maxExport bounds what verify reads into memory.
const maxExport = 256 << 20

func (c *verifyCmd) Run(a *app) error {
	data, err := readAll(a, c.File, maxExport)
	if err != nil {
		return err
	}
	found, err := journal.Verify(data, journal.VerifyOptions{Fingerprint: c.Fingerprint})
	if err != nil {
		return errs.Wrap("verify", c.File, err)
	}
	list := make([]map[string]any, len(found))
	for i, v := range found {
		list[i] = map[string]any{
			"id": v.Entry.ID, "type": v.Entry.Type, "version": v.Entry.Version, "erased": v.Erased,
			"author": v.Author, "name": v.Name, "fingerprint": v.Fingerprint, "marking": v.Entry.Marking.String(),
			"stated": v.Entry.Time, "signed": v.SignedAt, "log": v.Log, "size": v.Size,
		}
		if v.ReceivedBy != "" {
			list[i]["received_by"], list[i]["received"] = v.ReceivedBy, v.ReceivedAt
		}
		if !v.Erased {
			list[i]["object"] = v.Object.Raw
		}
	}
	return a.print(map[string]any{"verified": true, "statements": list}, func(w io.Writer) {
		for _, v := range found {
			fmt.Fprintf(w, "verified: %s (%s)\n  stated by    %s, %s\n  fingerprint  %s\n  at           %s, marking %s\n  proof        entry of %s, signed at size %d\n",
				v.Entry.ID, v.Entry.Type, v.Name, v.Author, v.Fingerprint, v.Entry.Time.Format("2006-01-02 15:04:05.000000Z"), v.Entry.Marking, v.Log, v.Size)
			if v.ReceivedBy != "" {
				fmt.Fprintf(w, "  received     by %s at %s\n", v.ReceivedBy, v.ReceivedAt.Format("2006-01-02 15:04:05.000000Z"))
			}
			if v.Erased {
				fmt.Fprintln(w, "  its content was erased; the proof that it was stated stands")
			}
		}
	})
}

// readAll reads a named file, or standard input for "-", up to a bound.
func readAll(a *app, name string, bound int64) ([]byte, error) {
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, errs.Wrap("read", name, err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, bound+1))
	if err != nil {
		return nil, errs.Wrap("read", name, err)
	}
	if int64(len(data)) > bound {
		return nil, errs.New("read", errs.Limit, name, fmt.Sprintf("larger than %d bytes", bound), "split it")
	}
	return data, nil
}

// nonNil keeps an empty list an empty list in JSON.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
