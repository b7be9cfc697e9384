package main

import (
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

// networkx traces the same theft by the usual script: Python with networkx,
// FIFO by the same definitions, the same holdings asserted. It is left out
// where Python or networkx is missing, and says so.
func (b *bench) networkx() error {
	if b.rows > b.rival {
		return nil
	}
	if err := exec.Command("python3", "-c", "import networkx").Run(); err != nil {
		fmt.Println("networkx is not installed: its figure is left out")
		return nil
	}
	stolen, err := b.take(0, 0, 100)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "networkx-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.writeToken(dir, stolen); err != nil {
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
		Read     uint64
		Holdings map[string]string
		Seconds  float64
	}
	if err := json.Unmarshal(out, &theirs); err != nil {
		return err
	}
	run, took, err := b.timed(trace.Request{SkipAside: true, Thefts: []trace.Theft{{ID: "t", Transfers: stolen}}}, 3)
	if err != nil {
		return err
	}
	if err := sameHoldings(run, theirs.Holdings); err != nil {
		return err
	}
	b.Add("a script in Python with networkx, same holdings", theirs.Seconds*1e3, "ms", took.Seconds()*1e3, "bongsu on the whole ledger; the script has one token's rows")
	return nil
}

// writeToken writes the rows of the stolen token, numbered in order, and the
// numbers of the theft's.
func (b *bench) writeToken(dir string, stolen []chain.Transfer) error {
	refs, err := b.r.AssetRefs(b.ctx, []chain.Asset{stolen[0].Asset})
	if err != nil {
		return err
	}
	var csv, theft strings.Builder
	n := 0
	err = b.r.Scan(b.ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		var mine []ledger.Row
		for i := range rows {
			if rows[i].Asset == refs[0] {
				mine = append(mine, rows[i])
			}
		}
		all, err := ledger.Expand(b.ctx, b.r, mine)
		if err != nil {
			return err
		}
		for i := range all {
			fmt.Fprintf(&csv, "%d,%s,%s,%s\n", n, all[i].From.Address(), all[i].To.Address(), all[i].Amount.Base())
			for k := range stolen {
				if stolen[k].SameMovement(all[i]) {
					fmt.Fprintln(&theft, n)
				}
			}
			n++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte(csv.String()), 0o600); err != nil {
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
