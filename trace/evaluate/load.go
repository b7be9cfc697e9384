package evaluate

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// Limits of a case's files.
const (
	MaxFileBytes = 256 << 20
	MaxRows      = 2_000_000
)

// Row is one known or generated transfer.
type Row struct {
	Time     chain.Time
	Block    uint64 // 0 when the file has none
	Tx       string
	From, To chain.Account
	Value    int64 // millionths of a dollar (of an ether in files valued in ether)
	Truth    bool  // of the case's own file
	line     int
}

// Case is one folder.
type Case struct {
	Name      string
	Rows      []Row // in order, duplicates dropped
	Sources   []chain.Account
	Terminals []chain.Account // none: reachability only
}

// Load reads a folder: one CSV of transfers, told by its header, and files of
// addresses whose names start with "source" and "terminal". Without a source
// file, the first address of the folder's only other text file is the source.
func Load(dir string) (Case, error) {
	c := Case{Name: filepath.Base(filepath.Clean(dir))}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return c, errs.Wrap("evaluate", dir, err)
	}
	var listed []chain.Account
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if e.IsDir() || ext != ".csv" && ext != ".txt" {
			continue
		}
		raw, err := readBounded(path)
		if err != nil {
			return c, err
		}
		switch low := strings.ToLower(e.Name()); {
		case strings.HasPrefix(low, "source"):
			c.Sources = addresses(raw)
		case strings.HasPrefix(low, "terminal"):
			c.Terminals = addresses(raw)
		case ext == ".txt":
			listed = addresses(raw)
		case len(c.Rows) > 0:
			return c, errs.New("evaluate", errs.Invalid, dir, "the folder holds two files of transfers", "keep one")
		default:
			if c.Rows, err = readRows(path, raw); err != nil {
				return c, err
			}
		}
	}
	if len(c.Sources) == 0 && len(listed) > 0 {
		c.Sources = listed[:1]
	}
	if len(c.Rows) == 0 || len(c.Sources) == 0 {
		return c, errs.New("evaluate", errs.Invalid, dir, "not a folder of known flows",
			"it needs a CSV with Block, Tx_hash, From, To and Value_in_USD, and a file of source addresses")
	}
	return c, nil
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
	return raw, errs.Wrap("evaluate", path, err)
}

var addressForm = regexp.MustCompile(`(?:0x|\\x)([0-9a-fA-F]{40})\b`)

// addresses finds the addresses in a text, in order, each once.
func addresses(raw []byte) (out []chain.Account) {
	for _, m := range addressForm.FindAllSubmatch(raw, -1) {
		if a := account(string(m[1])); !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// account makes an account of 40 hexadecimal digits. These files write
// addresses in any case: no checksum is asked of them.
func account(digits string) chain.Account {
	var b [20]byte
	_, _ = hex.Decode(b[:], []byte(digits)) // the caller checked the form
	return chain.EVM(chain.Ethereum, b)
}

// columns of the two layouts, by header name.
var columns = map[string]string{
	"timestamp": "time", "block_time": "time", "block": "block", "tx_hash": "tx", "from": "from", "to": "to",
	"value_in_usd": "value", "total_eth": "value",
}

// readRows reads the transfers, drops duplicate rows, and puts them into
// order: block, transaction hash, row; without blocks time, row.
func readRows(path string, raw []byte) ([]Row, error) {
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return nil, errs.New("evaluate", errs.Invalid, path, "the file has no header", "give a file of known flows")
	}
	at := map[string]int{}
	for i, h := range head {
		if c, ok := columns[strings.ToLower(strings.TrimSpace(h))]; ok {
			at[c] = i
		}
	}
	for _, need := range []string{"time", "from", "to", "value"} {
		if _, ok := at[need]; !ok {
			return nil, errs.New("evaluate", errs.Invalid, path, "the header lacks a column for "+need, "name the columns Timestamp, Block, Tx_hash, From, To, Value_in_USD")
		}
	}
	var out []Row
	seen := map[string]bool{}
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		if err == nil && len(out) >= MaxRows {
			err = errs.New("evaluate", errs.Limit, path, "too many rows", "split the case")
		}
		if err == nil && !seen[strings.Join(f, "\x00")] {
			seen[strings.Join(f, "\x00")] = true
			var row Row
			if row, err = readRow(at, f); err == nil {
				row.line = line
				out = append(out, row)
			}
		}
		if err != nil {
			return nil, errs.Wrap("evaluate", path+":"+strconv.Itoa(line), err)
		}
	}
	slices.SortStableFunc(out, func(a, b Row) int {
		if a.Block == 0 || b.Block == 0 {
			return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.line, b.line))
		}
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Tx, b.Tx), cmp.Compare(a.line, b.line))
	})
	return out, nil
}

func readRow(at map[string]int, f []string) (Row, error) {
	row := Row{Truth: true}
	get := func(c string) string {
		if i, ok := at[c]; ok && i < len(f) {
			return strings.TrimSpace(f[i])
		}
		return ""
	}
	var err error
	if row.Time, err = chain.ParseTime(get("time")); err != nil {
		return row, err
	}
	if s := get("block"); s != "" {
		if row.Block, err = strconv.ParseUint(s, 10, 63); err != nil {
			return row, errs.New("evaluate", errs.Invalid, s, "not a block number", "correct the file")
		}
	}
	row.Tx = strings.ToLower(get("tx"))
	for c, into := range map[string]*chain.Account{"from": &row.From, "to": &row.To} {
		m := addressForm.FindStringSubmatch(get(c))
		if m == nil {
			return row, errs.New("evaluate", errs.Invalid, get(c), "not an address", "correct the file")
		}
		*into = account(m[1])
	}
	row.Value, err = millionths(get("value"))
	return row, err
}

// fine is how many decimals of a value are read before it is rounded.
const fine = 40

// millionths rounds a decimal half-even to a millionth.
func millionths(s string) (int64, error) {
	v, err := chain.ParseDecimal(s, fine)
	if err != nil {
		return 0, err
	}
	one := chain.Units(1)
	unit := one
	for range fine - 6 {
		unit, _ = unit.MulDiv(chain.Units(10), one) // 10^34 fits
	}
	q, _ := v.MulDiv(one, unit) // smaller than v
	whole, _ := q.MulDiv(unit, one)
	rest := v.MustSub(whole)
	n, fits := q.Uint64()
	if !fits || n > 1<<60 {
		return 0, errs.New("evaluate", errs.Limit, s, "the value is too large", "correct the file")
	}
	half, _ := unit.MulDiv(one, chain.Units(2))
	if c := rest.Cmp(half); c > 0 || c == 0 && n%2 == 1 {
		n++
	}
	return int64(n), nil
}
