package evaluate

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"bongsu/chain"
	"bongsu/errs"
)

// table is the transfers of a case's files.
type table struct {
	rows []Row
	seen map[[16]byte]bool // rows so far, labels aside
}

// names of each column, the likeliest first.
var names = map[string][]string{
	"time":  {"timestamp", "block_time", "block_timestamp", "time", "datetime", "date"},
	"block": {"block", "block_number", "blocknumber"},
	"tx":    {"tx_hash", "transaction_hash", "txhash", "hash", "tx"},
	"from":  {"from", "from_address", "sender"},
	"to":    {"to", "to_address", "receiver", "recipient"},
	"value": {"value_in_usd", "value_usd", "usd_value", "amount_usd", "total_eth", "value", "amount"},
}

// header finds the columns; ok says that it is one of transfers.
func header(head []string) (at map[string]int, ok bool) {
	of := map[string]int{}
	for i, h := range head {
		h = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(h)), " ", "_")
		if _, twice := of[h]; !twice {
			of[h] = i
		}
	}
	at = map[string]int{}
	for column, all := range names {
		for _, name := range all {
			if i, ok := of[name]; ok {
				at[column] = i
				break
			}
		}
	}
	for _, need := range []string{"from", "to"} {
		if _, ok := at[need]; !ok {
			return nil, false
		}
	}
	return at, true
}

// read adds a file's transfers. is says that the file is one of transfers at
// all; where it is not, the error says what a header would need.
func (t *table) read(path string, raw []byte) (is bool, err error) {
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord, r.LazyQuotes, r.Comma = -1, true, comma(raw)
	bad := func(why string) error {
		return errs.New("evaluate", errs.Invalid, path, why, "name the columns Timestamp, Block, Tx_hash, From, To, Value_in_USD")
	}
	head, err := r.Read()
	if err != nil {
		return false, bad("the file has no header")
	}
	at, ok := header(head)
	if !ok {
		return false, bad("the header lacks a column for from or to")
	}
	if _, ok := at["value"]; !ok {
		return true, bad("the header lacks a column for the value")
	}
	_, timed := at["time"]
	if _, placed := at["block"]; !timed && !placed {
		return true, bad("the header lacks a column for block or time")
	}
	var ignored []int
	for i, h := range head {
		if strings.HasSuffix(strings.ToLower(strings.TrimSpace(h)), "label") {
			ignored = append(ignored, i)
		}
	}
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		line, _ := r.FieldPos(0)
		if err == nil && len(f) > len(head) && strings.Join(f[len(head):], "") != "" {
			err = errs.New("evaluate", errs.Invalid, "", "the row has more fields than the header", "put quotes around values that hold the separator")
		}
		if err == nil {
			err = t.add(at, f, ignored)
		}
		if err != nil {
			return true, errs.Wrap("evaluate", path+":"+strconv.Itoa(line), err)
		}
	}
}

// comma is what the header's columns are separated by.
func comma(raw []byte) rune {
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.ContainsRune(line, c) && bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}

// add adds a row, unless one that agrees in all but labels is there, or it is
// blank.
func (t *table) add(at map[string]int, f []string, ignored []int) error {
	if strings.TrimSpace(strings.Join(f, "")) == "" {
		return nil
	}
	h := sha256.New()
	for i, x := range f {
		skip := false
		for _, k := range ignored {
			skip = skip || k == i
		}
		if !skip {
			h.Write([]byte(strings.TrimSpace(x)))
		}
		h.Write([]byte{0})
	}
	key := [16]byte(h.Sum(nil))
	if t.seen[key] {
		return nil
	}
	if len(t.rows) >= MaxRows {
		return errs.New("evaluate", errs.Limit, "", "more than two million rows", "split the case")
	}
	t.seen[key] = true
	row, err := readRow(at, f)
	if err != nil {
		return err
	}
	t.rows = append(t.rows, row)
	return nil
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
	if s := get("block"); s != "" {
		// Some tables write whole numbers with a fraction of zeros.
		if row.Block, err = strconv.ParseUint(strings.TrimRight(strings.TrimSuffix(s, ".0"), " "), 10, 63); err != nil {
			return row, errs.New("evaluate", errs.Invalid, s, "not a block number", "correct the file")
		}
	}
	// A row with a block is placed by it: its time is for the reader alone.
	if row.Time, err = readTime(get("time")); err != nil && row.Block == 0 {
		return row, err
	}
	row.Tx = strings.ToLower(get("tx"))
	for c, into := range map[string]*chain.Account{"from": &row.From, "to": &row.To} {
		a, ok := account(get(c))
		if !ok {
			return row, errs.New("evaluate", errs.Invalid, get(c), "not an address of 40 hexadecimal digits, in the column "+c, "correct the file")
		}
		*into = a
	}
	row.Value, err = millionths(get("value"))
	return row, err
}

// readTime reads what chain.ParseTime reads, a day, and seconds since 1970.
func readTime(s string) (chain.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && n < 1<<33 {
		return chain.Time(n * 1000), nil
	}
	if t, err := time.Parse("2006-01-02", s); err == nil {
		return chain.TimeOf(t), nil
	}
	return chain.ParseTime(s)
}

var decimalForm = regexp.MustCompile(`^\+?(\d{1,100}(\.\d{0,200})?|\.\d{1,200})([eE][+-]?\d{1,3})?$`)

// millionths reads a decimal ("347.553", "1.2e-05") and rounds it half-even to
// a millionth (evaluation definition 1).
func millionths(s string) (int64, error) {
	v, ok := new(big.Rat).SetString(s)
	if !ok || !decimalForm.MatchString(s) {
		return 0, errs.New("evaluate", errs.Invalid, s, "not a value: a decimal number, not negative", "correct the file")
	}
	v.Mul(v, big.NewRat(1_000_000, 1))
	q, rest := new(big.Int).QuoRem(v.Num(), v.Denom(), new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(v.Denom()) {
	case 0:
		q.Add(q, big.NewInt(int64(q.Bit(0)))) // to the even one
	case 1:
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() || q.Int64() > maxValue {
		return 0, errs.New("evaluate", errs.Limit, s, "the value is too large", "correct the file")
	}
	return q.Int64(), nil
}
