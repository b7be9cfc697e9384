package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"

	"golang.org/x/sys/unix"
)

// What a ledger larger than memory costs: the same reading is done by two
// processes, one with all the memory there is, and one in a control group whose
// memory, the files that it maps included, is bounded. The files are dropped
// from the page cache before the bounded one starts.

// boundAccounts is how many accounts and books the reading asks for: few
// enough that a bounded process ends soon when every one of them waits for
// the disk several times, a hundred milliseconds and more in all.
const boundAccounts = 1000

// reading is what one process measured.
type reading struct {
	OpenMs, ActivityUs, BalanceUs, ScanRows float64
	Faults                                  int64 // that waited for the disk
	PeakMB                                  float64
}

// bound measures the ledger of -dir under -bound MB beside the same without.
func (b *bench) bound() error {
	size, err := ledgerMB(filepath.Join(b.dir, "main"))
	if err != nil {
		return err
	}
	free, err := b.readApart("")
	if err != nil {
		return err
	}
	group, err := newGroup(b.boundMB << 20)
	if err != nil {
		return err
	}
	defer os.Remove(group)
	if err := dropCached(filepath.Join(b.dir, "main")); err != nil {
		return err
	}
	tight, err := b.readApart(group)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d MB for a ledger of %.0f MB", b.boundMB, size)
	const without = "without a bound"
	b.Add("opening, "+what, tight.OpenMs, "ms", free.OpenMs, without)
	b.Add("activity of a random account, first page of 16, "+what, tight.ActivityUs, "us", free.ActivityUs, without)
	b.Add("balance of a random book, "+what, tight.BalanceUs, "us", free.BalanceUs, without)
	b.Add("sequential scan, "+what, tight.ScanRows, "rows/s", free.ScanRows, without)
	b.Add("  page faults that waited for the disk", float64(tight.Faults), "faults", float64(free.Faults), without)
	b.Add("  highest resident memory", tight.PeakMB, "MB", free.PeakMB, without)
	return nil
}

// readApart does the reading in a process of its own, in a control group
// unless that is empty.
func (b *bench) readApart(group string) (reading, error) {
	var out reading
	self, err := os.Executable()
	if err != nil {
		return out, err
	}
	cmd := exec.CommandContext(b.ctx, self, "-dir", b.dir, "-read", "-group", group)
	cmd.Env = append(os.Environ(), "ROWS="+strconv.FormatUint(b.rows, 10))
	if group != "" {
		cmd.Env = append(cmd.Env, "GOMEMLIMIT="+strconv.FormatUint(b.boundMB<<20/2, 10))
	}
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("reading apart: %w", err)
	}
	return out, json.Unmarshal(text, &out)
}

// readHere is the process's side: it joins the group, reads, and prints what
// it measured.
func (b *bench) readHere(group string) error {
	if group != "" {
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
			return err
		}
	}
	var out reading
	start := time.Now()
	r, shut, err := b.reader("main")
	if err != nil {
		return err
	}
	defer shut()
	out.OpenMs = time.Since(start).Seconds() * 1e3
	if b.accounts, err = b.pick(r, boundAccounts, 3); err != nil {
		return err
	}
	start = time.Now()
	if _, err := b.activityBy(r, 1); err != nil {
		return err
	}
	out.ActivityUs = time.Since(start).Seconds() * 1e6 / float64(len(b.accounts))
	b.accounts = nil
	if err := b.draw(r, boundAccounts); err != nil { // others, of which it reads a row each
		return err
	}
	queries := make([]ledger.BalanceQuery, len(b.accounts))
	for i := range queries {
		queries[i] = ledger.BalanceQuery{Account: b.accounts[i], Asset: b.assets[i]}
	}
	start = time.Now()
	if _, err := r.Balances(b.ctx, queries); err != nil {
		return err
	}
	out.BalanceUs = time.Since(start).Seconds() * 1e6 / float64(len(queries))
	rows := 0
	start = time.Now()
	if err := ledger.ScanColumns(b.ctx, r, chain.Ethereum, ledger.WantFrom|ledger.WantAmount, func(c *ledger.Columns) error {
		rows += len(c.From)
		return nil
	}); err != nil {
		return err
	}
	out.ScanRows = float64(rows) / time.Since(start).Seconds()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return err
	}
	out.Faults, out.PeakMB = u.Majflt, figures.PeakMemory()
	return json.NewEncoder(os.Stdout).Encode(out)
}

// newGroup makes a control group with a bound on memory, and names its folder.
func newGroup(bytes uint64) (string, error) {
	text := []byte(strconv.FormatUint(bytes, 10))
	var failed []error
	for _, kind := range []struct{ root, file string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, // version 1
		{"/sys/fs/cgroup", "memory.max"},                   // version 2
	} {
		dir, err := os.MkdirTemp(kind.root, "bongsu-bench-")
		if err == nil {
			if err = os.WriteFile(filepath.Join(dir, kind.file), text, 0o644); err == nil {
				return dir, nil
			}
			_ = os.Remove(dir) // the error that counts is the one before
		}
		failed = append(failed, err)
	}
	return "", fmt.Errorf("no control group of memory can be made here; run as root, or let your user have one: %w", errors.Join(failed...))
}

// dropCached writes a folder's files out and takes them from the page cache.
func dropCached(dir string) error {
	return eachFile(dir, func(path string, _ os.FileInfo) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Sync(); err != nil {
			return err
		}
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
}

func ledgerMB(dir string) (float64, error) {
	total := int64(0)
	err := eachFile(dir, func(_ string, info os.FileInfo) error {
		total += info.Size()
		return nil
	})
	return float64(total) / (1 << 20), err
}

func eachFile(dir string, use func(string, os.FileInfo) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), "LOCK") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if err := use(filepath.Join(dir, e.Name()), info); err != nil {
			return err
		}
	}
	return nil
}
