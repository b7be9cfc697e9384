package bitcoin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The JSON of bitcoin-etl (its docs/schema.md), an object a line or the items of
// one list, as it exports them, as BigQuery exports them (numbers as text, times
// as text), and as the AWS public data set spells them (one "address", amounts in
// whole coins).

func recogniseETL(head []byte) bool {
	row, _, _ := bytes.Cut(bytes.TrimLeft(head, " \t\r\n\ufeff"), []byte("\n"))
	if ingest.StartsList(head) {
		_, row, _ = bytes.Cut(head, []byte("["))
		row = bytes.TrimLeft(row, " \t\r\n")
	}
	if len(row) == 0 || row[0] != '{' {
		return false
	}
	has := func(name string) bool { return bytes.Contains(row, []byte(`"`+name+`"`)) }
	cut := len(row) > ingest.HeadBytes/2 && len(head) >= ingest.HeadBytes // a long first row
	return has("inputs") && (has("outputs") || cut) && (has("hash") || has("transaction_hash") || has("txid")) ||
		has("merkle_root") && has("number") && has("hash")
}

// scalar is a JSON number or text; null and absent are "".
type scalar string

func (s *scalar) UnmarshalJSON(b []byte) error {
	switch v := jsontext.Value(b); v.Kind() {
	case 'n':
		*s = ""
	case '0':
		*s = scalar(b)
	case '"':
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		*s = scalar(text)
	default:
		return errors.New("neither a number nor text")
	}
	return nil
}

func (s scalar) uint(bits int) (uint64, error) { return strconv.ParseUint(string(s), 10, bits) }

type etlRow struct {
	Type      string  `json:"type"`
	Hash      string  `json:"hash"`
	OtherHash string  `json:"transaction_hash"`
	TxID      string  `json:"txid"`
	Number    scalar  `json:"number"`    // of a block
	Timestamp scalar  `json:"timestamp"` // of a block
	Merkle    string  `json:"merkle_root"`
	Block     scalar  `json:"block_number"`
	Time      scalar  `json:"block_timestamp"`
	Index     scalar  `json:"index"`
	Coinbase  *bool   `json:"is_coinbase"`
	In        []etlIn `json:"inputs"`
	Out       []etlIO `json:"outputs"`
	Fee       scalar  `json:"fee"`
}

type etlIn struct {
	etlIO
	SpentTx    string `json:"spent_transaction_hash"`
	SpentIndex scalar `json:"spent_output_index"`
}

type etlIO struct {
	Index     scalar   `json:"index"`
	Script    *string  `json:"script_hex"`
	Type      string   `json:"type"`
	Addresses []string `json:"addresses"`
	Address   *string  `json:"address"`
	Value     scalar   `json:"value"`
}

func readETL(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	id := in.Chain
	if id == "" {
		id = chain.Bitcoin
	}
	if !id.UTXO() {
		return errs.New("import", errs.Usage, in.Name, "bitcoin-etl's rows are not of chain "+string(id), "name the chain with --chain bitcoin")
	}
	row := func(text []byte, n int64, err error) error {
		out.Row()
		var state func() error
		if err == nil {
			state, err = etlRowOf(id, text, out)
		}
		if column, why := columnOf(err); why != nil {
			return out.Reject(ingest.Place{Line: n, Column: column}, text, why)
		}
		return state()
	}
	same, list := in.List()
	out.JSON(list)
	if list {
		return same.EachItem(ctx, func(item []byte, n int64) error { return row(item, n, nil) })
	}
	r := bufio.NewReaderSize(same, 1<<16)
	for line := int64(1); ; line++ {
		text, err := readLine(r, in.Limits.Row)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last := errors.Is(err, io.EOF)
		if last {
			err = nil
		}
		if err != nil && !errors.Is(err, errLongLine) {
			return err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			if err := row(text, line, err); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

var errLongLine = errors.New("a line longer than a row may be")

// readLine reads one line without its end. A longer one than limit is read to
// its end and cut, with errLongLine.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if room := limit - len(line); len(part) > room {
			part, long = part[:room], true
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil && long:
			return line, errLongLine
		}
		return line, err
	}
}

// columnError is what is wrong in one column of a row.
type columnError struct {
	column string
	err    error
}

func (c *columnError) Error() string { return c.err.Error() }
func (c *columnError) Unwrap() error { return c.err }

func inColumn(column string, err error) error {
	if err == nil {
		return nil
	}
	return &columnError{column, err}
}

func columnOf(err error) (string, error) {
	var c *columnError
	if errors.As(err, &c) {
		return c.column, c.err
	}
	return "", err
}

// etlRowOf reads a row, and returns what states it.
func etlRowOf(id chain.ID, text []byte, out *ingest.Output) (state func() error, err error) {
	var row etlRow
	if err := json.Unmarshal(text, &row); err != nil {
		var form *json.SemanticError
		if errors.As(err, &form) {
			err = errors.New("the row or one of its members is of another type than bitcoin-etl writes")
		}
		return nil, fmt.Errorf("not JSON of this form: %w", err)
	}
	if row.Merkle != "" || row.Type == "block" {
		b, err := row.block(id)
		return func() error { return out.Block(b) }, err
	}
	t, err := row.transaction(id)
	return func() error { return out.UTXO(t) }, err
}

func (row *etlRow) block(id chain.ID) (f ledger.BlockFact, err error) {
	number, err := row.Number.uint(63)
	if err != nil {
		return f, inColumn("number", err)
	}
	h, err := ParseHash(row.Hash)
	if err != nil {
		return f, inColumn("hash", err)
	}
	at, err := etlTime(row.Timestamp)
	if err != nil {
		return f, inColumn("timestamp", err)
	}
	return ledger.BlockFact{Chain: id, Number: number, Hash: ledger.Hash(h), Time: at, HasTime: true}, nil
}

func etlTime(s scalar) (chain.Time, error) {
	if v, err := s.uint(63); err == nil {
		if v > 1<<34 { // milliseconds
			return chain.Time(v), nil
		}
		return chain.Time(v) * 1000, nil
	}
	return chain.ParseTime(string(s))
}

func (row *etlRow) transaction(id chain.ID) (t ledger.UTXOTx, err error) {
	name := row.Hash
	for _, other := range []string{row.OtherHash, row.TxID} {
		if name == "" {
			name = other
		}
	}
	h, err := ParseHash(name)
	if err != nil {
		return t, inColumn("hash", err)
	}
	t = ledger.UTXOTx{Chain: id, Tx: h.TxID(), Block: chain.NoBlock, Index: chain.NoIndex}
	if t.Block, err = row.Block.uint(63); err != nil {
		return t, inColumn("block_number", err)
	}
	if row.Index != "" {
		n, err := row.Index.uint(31)
		if err != nil {
			return t, inColumn("index", err)
		}
		t.Index = uint32(n)
	}
	if t.Time, err = etlTime(row.Time); err != nil {
		return t, inColumn("block_timestamp", err)
	}
	if t.Coinbase = len(row.In) == 0; row.Coinbase != nil {
		t.Coinbase = *row.Coinbase
	}
	if t.Outputs, err = etlOutputs(id, row.Out); err != nil {
		return t, err
	}
	if t.Coinbase {
		t.Index, t.Inputs = 0, make([]ledger.UTXOIn, 1)
		return t, nil
	}
	t.Inputs, err = etlInputs(id, row.In)
	return t, err
}

// etlOutputs puts outputs at their own indexes; each has to be there once.
func etlOutputs(id chain.ID, rows []etlIO) ([]ledger.UTXOOut, error) {
	if len(rows) == 0 {
		return nil, inColumn("outputs", errors.New("a transaction without outputs"))
	}
	out, seen := make([]ledger.UTXOOut, len(rows)), make([]bool, len(rows))
	for i := range rows {
		o := &rows[i]
		n := uint64(i)
		if o.Index != "" {
			var err error
			if n, err = o.Index.uint(31); err != nil || n >= uint64(len(rows)) || seen[n] {
				return nil, inColumn("outputs.index", errors.New("outputs are not numbered from 0 on, each once"))
			}
		}
		seen[n] = true
		value, err := o.value()
		if err != nil {
			return nil, inColumn("outputs.value", err)
		}
		out[n].Value = value
		if out[n].Account, out[n].Data, err = o.account(id); err != nil {
			return nil, inColumn("outputs.addresses", err)
		}
	}
	return out, nil
}

// value reads base units, or whole coins where the data set writes those.
func (o *etlIO) value() (chain.Amount, error) {
	if o.Address != nil && strings.ContainsAny(string(o.Value), ".eE") {
		return chain.ParseDecimal(string(o.Value), coinDecimals)
	}
	v, err := chain.ParseBase(strings.TrimSuffix(string(o.Value), ".0"))
	if err == nil && chain.Units(MaxMoney).Less(v) {
		err = errors.New("more than all the money there is")
	}
	return v, err
}

// account reads an output's account from its script, else from its address. A
// script of no bytes, without an address beside it, is one that anybody can spend.
func (o *etlIO) account(id chain.ID) (chain.Account, []byte, error) {
	if o.Script != nil && (*o.Script != "" || o.unaddressed()) {
		script, err := hex.DecodeString(*o.Script)
		if err != nil {
			return chain.Account{}, nil, err
		}
		a, kind := Classify(id, script)
		if kind == NullData {
			return chain.Account{}, Payload(script), nil
		}
		return a, nil, nil
	}
	if a, ok := o.stated(id); ok {
		return a, nil, nil
	}
	return chain.Account{}, nil, errors.New("neither a script (script_hex) nor exactly one address of this chain")
}

func (o *etlIO) unaddressed() bool {
	return len(o.Addresses) == 0 && (o.Address == nil || *o.Address == "")
}

func (o *etlIO) stated(id chain.ID) (chain.Account, bool) {
	text := ""
	switch {
	case o.Address != nil:
		text = *o.Address
	case len(o.Addresses) == 1:
		text = o.Addresses[0]
	}
	if text == "" {
		return chain.Account{}, false
	}
	a, err := chain.ParseAccount(text, id)
	return a, err == nil && a.Chain() == id
}

func etlInputs(id chain.ID, rows []etlIn) ([]ledger.UTXOIn, error) {
	if len(rows) == 0 {
		return nil, inColumn("inputs", errors.New("a transaction without inputs that is no coinbase"))
	}
	in, seen := make([]ledger.UTXOIn, len(rows)), make([]bool, len(rows))
	for i := range rows {
		r := &rows[i]
		n := uint64(i)
		if r.Index != "" {
			var err error
			if n, err = r.Index.uint(31); err != nil || n >= uint64(len(rows)) || seen[n] {
				return nil, inColumn("inputs.index", errors.New("inputs are not numbered from 0 on, each once"))
			}
		}
		seen[n] = true
		h, err := ParseHash(r.SpentTx)
		if err != nil {
			return nil, inColumn("inputs.spent_transaction_hash", err)
		}
		at, err := r.SpentIndex.uint(32)
		if err != nil {
			return nil, inColumn("inputs.spent_output_index", err)
		}
		in[n].Prev = ledger.OutPoint{Tx: h.TxID(), Index: uint32(at)}
		if r.Value == "" {
			continue
		}
		value, err := r.value()
		if err != nil {
			return nil, inColumn("inputs.value", err)
		}
		if a, ok := r.stated(id); ok {
			in[n].Account, in[n].Value, in[n].Known = a, value, true
		}
	}
	return in, nil
}
