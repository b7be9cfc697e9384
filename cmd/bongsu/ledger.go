package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

type ledgerCmd struct {
	Stats ledgerStatsCmd `cmd:"" help:"What the ledger holds: chains, ranges, gaps, rows."`
	Check ledgerCheckCmd `cmd:"" help:"Verify every byte; exit status 4 when something is hurt."`
}

type ledgerStatsCmd struct{}

// chainStats is one chain's coverage as JSON.
type chainStats struct {
	Chain     chain.ID   `json:"chain"`
	Rows      uint64     `json:"rows"`
	Txs       uint64     `json:"transactions"`
	From      uint64     `json:"from_block"`
	To        uint64     `json:"to_block"`
	FirstTime chain.Time `json:"first_time,omitzero"`
	LastTime  chain.Time `json:"last_time,omitzero"`
	Complete  []span     `json:"complete"`
	Gaps      []span     `json:"gaps"`
	Noted     uint64     `json:"transactions_with_notes"`
	Inferred  uint64     `json:"rows_without_block"`
	Untimed   uint64     `json:"rows_without_time"`
	Final     uint64     `json:"final_block,omitempty"`
}

type span struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	What string `json:"what,omitempty"`
}

func (ledgerStatsCmd) Help() string {
	return `Says for each chain which blocks were imported completely and for what, where the gaps are, and how many rows lack a block or a time.

Examples:
  bongsu ledger stats
  bongsu ledger stats --json`
}

func (c *ledgerStatsCmd) Run(a *app) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	r, err := n.ledger.Reader(a.ctx)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	ids, err := r.Chains(a.ctx)
	if err != nil {
		return err
	}
	chains := []chainStats{}
	var rows uint64
	for _, id := range ids {
		cov, err := r.Coverage(a.ctx, id)
		if err != nil {
			return err
		}
		chains = append(chains, statsOf(cov))
		rows += cov.Rows
	}
	store, err := diskUse(a.path("ledger"))
	if err != nil {
		return err
	}
	doc := map[string]any{
		"chains": chains, "rows": rows, "assets": len(r.Registry().All()),
		"files": store.files, "bytes": store.bytes,
	}
	if rows > 0 {
		doc["bytes_per_row"] = float64(store.bytes) / float64(rows)
	}
	return a.print(doc, func(w io.Writer) { writeStats(w, chains, rows, store) })
}

func statsOf(cov ledger.Coverage) chainStats {
	s := chainStats{
		Chain: cov.Chain, Rows: cov.Rows, Txs: cov.Txs, From: cov.FirstBlock, To: cov.LastBlock,
		FirstTime: cov.FirstTime, LastTime: cov.LastTime, Noted: cov.Noted, Inferred: cov.Unplaced, Untimed: cov.Untimed,
		Final: cov.Final, Complete: []span{}, Gaps: []span{},
	}
	for _, r := range cov.Ranges {
		if r.What != 0 {
			s.Complete = append(s.Complete, span{r.From, r.To, covers(r.What)})
		}
	}
	for _, g := range cov.Gaps {
		s.Gaps = append(s.Gaps, span{From: g.From, To: g.To})
	}
	return s
}

func writeStats(w io.Writer, chains []chainStats, rows uint64, store use) {
	if len(chains) == 0 {
		fmt.Fprintln(w, "The ledger is empty. Fill it with: bongsu import FILE, or bongsu follow ethereum URL")
		return
	}
	for _, s := range chains {
		fmt.Fprintf(w, "%s: %d rows in %d transactions, %s, %s\n", s.Chain, s.Rows, s.Txs, s.blocks(), period(s.FirstTime, s.LastTime))
		for _, r := range s.Complete {
			fmt.Fprintf(w, "  complete for %s: blocks %d to %d\n", r.What, r.From, r.To)
		}
		if len(s.Complete) == 0 {
			fmt.Fprintln(w, "  no range was claimed complete: balances and absences are not proven")
		}
		for i, g := range s.Gaps {
			if i == 10 {
				fmt.Fprintf(w, "  and %d more gaps (--json lists all)\n", len(s.Gaps)-i)
				break
			}
			fmt.Fprintf(w, "  gap: blocks %d to %d\n", g.From, g.To)
		}
		if s.Noted > 0 {
			fmt.Fprintf(w, "  of %d transactions, calls or logs are kept for links\n", s.Noted)
		}
		if s.Inferred > 0 {
			fmt.Fprintf(w, "  %d rows came without a block; their place is inferred from their time\n", s.Inferred)
		}
		if s.Untimed > 0 {
			fmt.Fprintf(w, "  of %d rows no source gives the time; import the blocks or transactions of their range\n", s.Untimed)
		}
	}
	each := ""
	if rows > 0 { // transactions of UTXO chains are no rows
		each = fmt.Sprintf(" (%.1f a row)", float64(store.bytes)/float64(rows))
	}
	fmt.Fprintf(w, "%d rows, %d bytes%s in %d files\n", rows, store.bytes, each, store.files)
}

// blocks is the range of blocks that sources name.
func (s *chainStats) blocks() string {
	if s.Rows > 0 && s.Rows == s.Inferred && s.To == 0 {
		return "no blocks named"
	}
	return fmt.Sprintf("blocks %d to %d", s.From, s.To)
}

func period(first, last chain.Time) string {
	if first == 0 && last == 0 {
		return "of unknown times"
	}
	return when(first) + " to " + when(last)
}

// use is what a folder takes on disk.
type use struct {
	files int
	bytes int64
}

func diskUse(dir string) (u use, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) { // merged away meanwhile
			return nil
		}
		if err == nil {
			u.files, u.bytes = u.files+1, u.bytes+info.Size()
		}
		return err
	})
	return u, errs.Wrap("ledger stats", dir, err)
}

// covers names what a range is complete for.
func covers(c ledger.Cover) string {
	var names []string
	for _, x := range []struct {
		bit  ledger.Cover
		name string
	}{
		{ledger.CoverNative, "native"},
		{ledger.CoverFees, "fees"},
		{ledger.CoverInternal, "internal"},
		{ledger.CoverTokens, "tokens"},
		{ledger.CoverUTXO, "utxo"},
	} {
		if c&x.bit != 0 {
			names = append(names, x.name)
		}
	}
	return strings.Join(names, ", ")
}

// listed lists names, the first few of them.
func listed(what string, names []string) string {
	const most = 5
	if len(names) != 1 {
		what += "s"
	}
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s %s and %d more", what, strings.Join(names[:most], ", "), more)
	}
	return what + " " + strings.Join(names, ", ")
}

type ledgerCheckCmd struct{}

func (ledgerCheckCmd) Help() string {
	return `Reads every byte of the ledger and verifies checksums, order and references. Names the file, segment and block range of each damage, and of a hurt dictionary of accounts which accounts lost their names, in which segments and blocks their rows stand.

Example:
  bongsu ledger check || echo "exit status $?"`
}

func (c *ledgerCheckCmd) Run(a *app) error {
	if err := a.ledgerThere(); err != nil {
		return err
	}
	rep, err := ledger.Check(a.ctx, a.path("ledger"))
	if err != nil {
		return err
	}
	doc := map[string]any{"files": rep.Files, "bytes": rep.Bytes, "rows": rep.Rows, "clean": len(rep.Damages) == 0, "damages": nonNil(rep.Damages)}
	err = a.print(doc, func(w io.Writer) {
		for _, d := range rep.Damages {
			fmt.Fprintf(w, "%s: %s", d.File, d.What)
			if d.Segment != "" {
				fmt.Fprintf(w, " (segment %s, %s blocks %d to %d)", d.Segment, d.Chain, d.From, d.To)
			}
			if len(d.Segments) > 0 {
				fmt.Fprintf(w, "; their rows stand in %s blocks %d to %d (%s)", d.Chain, d.From, d.To, listed("segment", d.Segments))
			}
			fmt.Fprintln(w)
		}
		if len(rep.Damages) == 0 {
			fmt.Fprintf(w, "clean: %d files, %d bytes, %d rows\n", rep.Files, rep.Bytes, rep.Rows)
		}
	})
	if err != nil {
		return err
	}
	if len(rep.Damages) > 0 {
		d := rep.Damages[0]
		return a.told(errs.New("ledger check", errs.Corrupt, d.File, d.What, "restore the file from a backup, or import the named range again into a new ledger"))
	}
	return nil
}
