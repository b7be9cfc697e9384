package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace"
)

//go:embed fifo_networkx.py
var script string

var errDiffers = fmt.Errorf("the two results differ")

// networkx traces the same theft by the usual script: Python with networkx, the
// whole ledger as a graph, FIFO by the same definitions, the same holdings
// asserted. It is left out where Python or networkx is missing, and says so.
func (b *bench) networkx() error {
	if err := exec.Command("python3", "-c", "import networkx").Run(); err != nil {
		fmt.Println("networkx is not installed: its figure is left out")
		return nil
	}
	g, err := b.generated(b.script)
	if err != nil {
		return err
	}
	defer g.close()
	for _, j := range []struct {
		name   string
		tokens []uint64
		from   float64
		n      int
	}{{"a busy token from the start", busiest[:1], 0, 100}, {"a quiet token", []uint64{40}, .5, 100}} {
		stolen, err := g.take(j.tokens, j.from, j.n)
		if err != nil {
			return err
		}
		if err := g.script1(j.name, stolen); err != nil {
			return err
		}
	}
	return nil
}

// script1 traces one theft by both.
func (b *bench) script1(name string, stolen []chain.Transfer) error {
	dir, err := os.MkdirTemp("", "networkx-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.writeRows(dir, stolen); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "fifo.py"), []byte(script), 0o600); err != nil {
		return err
	}
	out, err := exec.Command("python3", filepath.Join(dir, "fifo.py"), filepath.Join(dir, "rows.csv"), filepath.Join(dir, "theft")).Output()
	if err != nil {
		return fmt.Errorf("fifo_networkx.py: %w", err)
	}
	var theirs struct {
		Holdings    map[string]string
		Load, Trace float64
	}
	if err := json.Unmarshal(out, &theirs); err != nil {
		return err
	}
	run, took, _, err := b.timed(trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}, 5)
	if err != nil {
		return err
	}
	if err := sameHoldings(run, theirs.Holdings); err != nil {
		return err
	}
	ours := took.Seconds() * 1e3
	b.Add("a script with networkx on "+short(b.rows)+" rows, same holdings: "+name, (theirs.Load+theirs.Trace)*1e3, "ms", ours, "bongsu; the goal is 200")
	b.Add("  its tracing alone, the graph in memory", theirs.Trace*1e3, "ms", ours, "bongsu")
	b.Add("  transfers read", float64(run.Read), "", 0, "")
	return nil
}

// writeRows writes the ledger's rows, numbered in order, and the numbers of the
// theft's.
func (b *bench) writeRows(dir string, stolen []chain.Transfer) error {
	f, err := os.Create(filepath.Join(dir, "rows.csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	csv := bufio.NewWriter(f)
	var theft strings.Builder
	n := 0
	err = b.r.Scan(b.ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		all, err := ledger.Expand(b.ctx, b.r, rows)
		if err != nil {
			return err
		}
		for i := range all {
			t := &all[i]
			fmt.Fprintf(csv, "%d,%s,%s,%s,%s\n", n, t.From.Address(), t.To.Address(), t.Asset, t.Amount.Base())
			for k := range stolen {
				if stolen[k].SameMovement(*t) {
					fmt.Fprintln(&theft, n)
				}
			}
			n++
		}
		return nil
	})
	if err == nil {
		err = csv.Flush()
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "theft"), []byte(theft.String()), 0o600)
}

func sameHoldings(run *trace.Run, theirs map[string]string) error {
	sums := map[string]chain.Amount{}
	for _, h := range run.Result.Holdings {
		a := h.Account.Address()
		sums[a] = sums[a].MustAdd(h.Base)
	}
	if len(sums) != len(theirs) {
		return fmt.Errorf("%w: %d accounts hold by bongsu, %d by the script", errDiffers, len(sums), len(theirs))
	}
	for a, v := range sums {
		if theirs[a] != v.Base() {
			return fmt.Errorf("%w: %s holds %s by bongsu, %s by the script", errDiffers, a, v.Base(), theirs[a])
		}
	}
	return nil
}
