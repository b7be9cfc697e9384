package evaluate

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// Limits of a case's files.
const (
	MaxFileBytes = 256 << 20
	MaxRows      = 2_000_000
	maxValue     = 1 << 61 // millionths, all rows of a case together: sums fit
)

// Row is one known or generated transfer.
type Row struct {
	Time     chain.Time
	Block    uint64 // 0 when the file has none
	Tx       string
	From, To chain.Account
	Value    int64 // millionths of a dollar (of an ether in files valued in ether)
	Truth    bool  // of the case's own file
}

// Case is one folder.
type Case struct {
	Name      string
	Rows      []Row // in order, duplicates dropped
	Sources   []chain.Account
	Terminals []chain.Account // none: reachability only
}

// Load reads a folder: CSVs of transfers, told by their headers and joined in
// the order of their names, and files of addresses (.csv or .txt) that have
// "source" or "terminal" in their names. Without a file of sources, the first
// address of the folder's only other list is the source. Without terminals a
// case is measured for reachability only.
func Load(dir string) (Case, error) {
	c := Case{Name: filepath.Base(filepath.Clean(dir))}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return c, errs.Wrap("evaluate", dir, err)
	}
	t := table{seen: map[[16]byte]bool{}}
	var listed []chain.Account
	var why error // the first CSV that is no list and has no transfers
	for _, e := range entries {
		path, low := filepath.Join(dir, e.Name()), strings.ToLower(e.Name())
		ext := filepath.Ext(low)
		if e.IsDir() || ext != ".csv" && ext != ".txt" {
			continue
		}
		raw, err := readBounded(path)
		if err != nil {
			return c, err
		}
		isTable, err := t.read(path, raw)
		switch found := addresses(raw); {
		case isTable && err != nil:
			return c, err
		case isTable:
		case strings.Contains(low, "source"):
			c.Sources = append(c.Sources, found...)
		case strings.Contains(low, "terminal"):
			c.Terminals = append(c.Terminals, found...)
		case ext == ".txt":
			listed = append(listed, found...)
		case why == nil:
			why = err
		}
	}
	if c.Sources, c.Terminals = once(c.Sources), once(c.Terminals); len(c.Sources) == 0 && len(listed) > 0 {
		c.Sources = listed[:1]
	}
	inOrder(t.rows)
	c.Rows = t.rows
	return c, c.check(dir, why)
}

// check refuses what is no case.
func (c *Case) check(dir string, why error) error {
	var sum int64
	for _, r := range c.Rows {
		if sum += r.Value; sum > maxValue {
			return errs.New("evaluate", errs.Limit, dir, "the values add up to more than two trillion", "correct the file")
		}
	}
	switch {
	case len(c.Rows) > 0 && len(c.Sources) > 0:
		return nil
	case len(c.Rows) == 0 && why != nil:
		return why
	case len(c.Rows) == 0:
		return errs.New("evaluate", errs.Invalid, dir, "not a folder of known flows: it holds no file of transfers",
			"it needs a CSV with Block, Tx_hash, From, To and Value_in_USD, and a file of source addresses")
	}
	return errs.New("evaluate", errs.Invalid, dir, "the folder names no source address", "add a file such as \"source addresses.csv\"")
}

func once(as []chain.Account) (out []chain.Account) {
	seen := map[chain.Account]bool{}
	for _, a := range as {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errs.Wrap("evaluate", path, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err == nil && len(raw) > MaxFileBytes {
		err = errs.New("evaluate", errs.Limit, path, "the file is larger than 256 MiB", "split the case")
	}
	return bytes.TrimPrefix(raw, []byte("\ufeff")), errs.Wrap("evaluate", path, err)
}

// addresses finds the addresses in a text, in order.
func addresses(raw []byte) (out []chain.Account) {
	for _, word := range bytes.FieldsFunc(raw, func(r rune) bool {
		return r != '\\' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		if a, ok := account(string(word)); ok {
			out = append(out, a)
		}
	}
	return once(out)
}

// account reads 40 hexadecimal digits, after 0x or \x or neither. These files
// write addresses in any case: no checksum is asked of them.
func account(s string) (chain.Account, bool) {
	if len(s) == 42 && (strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") || strings.HasPrefix(s, `\x`)) {
		s = s[2:]
	}
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 20 {
		return chain.Account{}, false
	}
	return chain.EVM(chain.Ethereum, [20]byte(raw)), true
}

// inOrder sorts rows, in the order of the file: block, transaction hash, row;
// where some row has no block, all by time, then row.
func inOrder(rows []Row) {
	byTime := slices.ContainsFunc(rows, func(r Row) bool { return r.Block == 0 })
	slices.SortStableFunc(rows, func(a, b Row) int {
		if byTime {
			return cmp.Compare(a.Time, b.Time)
		}
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Tx, b.Tx))
	})
}
