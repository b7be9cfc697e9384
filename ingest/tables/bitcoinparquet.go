package tables

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/bitcoin"
	"bongsu/ledger"

	"github.com/parquet-go/parquet-go"
)

// isBitcoinTable says whether the columns are those of bitcoin-etl: a table of
// transactions with their inputs and outputs as lists, or one of blocks.
func isBitcoinTable(leaves []*parquet.Column) bool {
	return column(leaves, "outputs", "value") != nil && column(leaves, "hash") != nil || isBitcoinBlocks(leaves)
}

func isBitcoinBlocks(leaves []*parquet.Column) bool {
	return column(leaves, "number") != nil && column(leaves, "merkle_root") != nil
}

// column finds a leaf by the first and the last part of its path, whatever the
// writer calls the levels of a list between them.
func column(leaves []*parquet.Column, names ...string) *parquet.Column {
	for _, l := range leaves {
		path := l.Path()
		if strings.EqualFold(path[0], names[0]) && strings.EqualFold(path[len(path)-1], names[len(names)-1]) && (len(path) == 1) == (len(names) == 1) {
			return l
		}
	}
	return nil
}

// The columns of a transaction. Values are base units where they are whole
// numbers, and coins where they are floating point (Amazon's data set): a coin's
// hundred-millionths lie further apart than floating point rounds, so those are
// exact too.
var bitcoinColumns = [][]string{
	{"hash"},
	{"block_number"},
	{"index"},
	{"block_timestamp"},
	{"is_coinbase"},
	{"outputs", "index"},
	{"outputs", "value"},
	{"outputs", "script_hex"},
	{"outputs", "address"},
	{"inputs", "index"},
	{"inputs", "spent_transaction_hash"},
	{"inputs", "spent_output_index"},
	{"inputs", "value"},
	{"inputs", "address"},
	{"inputs", "spend_output_index"}, // as the data set's documentation spells it
}

const (
	bcHash = iota
	bcBlock
	bcIndex
	bcTime
	bcCoinbase
	bcOutIndex
	bcOutValue
	bcOutScript
	bcOutAddress
	bcInIndex
	bcInTx
	bcInOutput
	bcInValue
	bcInAddress
	bcInOutputOther
)

// bitcoinRow is one row: the values of each column, one for a plain column, one
// an element for a list. A nil is null.
type bitcoinRow [][][]byte

func (r bitcoinRow) one(i int) string {
	if len(r[i]) == 0 {
		return ""
	}
	return string(r[i][0])
}

func readBitcoinParquet(ctx context.Context, in *ingest.Input, out *ingest.Output, f *parquet.File, pages *pageChecker, leaves []*parquet.Column) error {
	id := in.Chain
	if id == "" {
		id = chain.Bitcoin
	}
	if !id.UTXO() {
		return errs.New("import", errs.Usage, string(id), "this table is of a chain of the namespace bip122", "name another chain")
	}
	wanted, read := bitcoinColumns, bitcoinTx
	if isBitcoinBlocks(leaves) {
		wanted, read = [][]string{{"number"}, {"hash"}, {"timestamp"}, {"previousblockhash"}}, bitcoinBlock
	}
	line := int64(0)
	for g, group := range f.RowGroups() {
		var places []int
		for _, names := range wanted {
			if leaf := column(leaves, names...); leaf != nil {
				places = append(places, leaf.Index())
			}
		}
		if err := pages.group(in, &f.Metadata().RowGroups[g], places); err != nil {
			return err
		}
		cols := make([]*cells, len(wanted))
		for i, names := range wanted {
			leaf := column(leaves, names...)
			if leaf == nil {
				continue
			}
			c, err := openCells(f, g, leaf)
			if err != nil {
				return damagedParquet(in, err)
			}
			cols[i] = c
			defer c.close() //nolint:gocritic // row groups are few, and an error leaves the loop
		}
		row := make(bitcoinRow, len(wanted))
		for n := int64(0); n < group.NumRows(); n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			line++
			out.Row()
			for i, c := range cols {
				if c == nil {
					continue
				}
				var err error
				if row[i], err = c.nextList(in.Limits.Row); err != nil {
					return damagedParquet(in, err)
				}
			}
			err := read(id, row, out)
			var c *cellError
			if errors.As(err, &c) {
				err = out.Reject(ingest.Place{Line: line, Column: c.column}, row[bcHash][0], c.err)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// elementBytes is what an element of a list takes beside its text.
const elementBytes = 24

// nextList returns the elements of the next row; an element that is there and
// null is nil, an empty list has none.
func (c *cells) nextList(limit int) (list [][]byte, err error) {
	v, err := c.peek()
	if err != nil {
		if err == io.EOF {
			err = fmt.Errorf("column %s ends before its row group", c.leaf.Name())
		}
		return nil, err
	}
	size := 0
	for {
		switch {
		case !v.IsNull():
			text, err := c.appendBitcoin([]byte{}, v) // not nil: empty is not null
			if err != nil {
				return nil, err
			}
			size += len(text)
			list = append(list, text)
		case !c.listed || c.leaf.Optional() && v.DefinitionLevel() == c.leaf.MaxDefinitionLevel()-1:
			list = append(list, nil)
		}
		c.i++
		if size += elementBytes; size > limit { // a list of nulls too takes memory, and next to no bytes of its file
			return nil, fmt.Errorf("a row of column %s is longer than %d bytes", c.leaf.Name(), limit)
		}
		if !c.listed {
			return list, nil
		}
		v, err = c.peek()
		if err == io.EOF || err == nil && v.RepetitionLevel() == 0 {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if v.RepetitionLevel() > 1 {
			return nil, fmt.Errorf("column %s is a list of lists", c.leaf.Name())
		}
	}
}

// appendBitcoin is appendValue, with coins in floating point as base units.
func (c *cells) appendBitcoin(b []byte, v *parquet.Value) ([]byte, error) {
	if v.Kind() != parquet.Double {
		return c.appendValue(b, v)
	}
	coins := v.Double()
	base := math.Round(coins * 1e8)
	if base < 0 || base > bitcoin.MaxMoney || base/1e8 != coins {
		return strconv.AppendFloat(append(b, notExact), coins, 'g', -1, 64), nil
	}
	return strconv.AppendUint(b, uint64(base), 10), nil
}

func bitcoinBlock(id chain.ID, r bitcoinRow, out *ingest.Output) error {
	n, err := strconv.ParseUint(r.one(0), 10, 63)
	if err != nil {
		return wrongf("number", clip(r.one(0)), "not a block's height", "export the table again")
	}
	h, err := bitcoin.ParseHash(r.one(1))
	if err != nil {
		return wrong("hash", err)
	}
	f := ledger.BlockFact{Chain: id, Number: n, Hash: ledger.Hash(h)}
	if f.Time, err = bitcoinTime(r.one(2)); err != nil {
		return wrong("timestamp", err)
	}
	f.HasTime = true
	if p, err := bitcoin.ParseHash(r.one(3)); err == nil {
		f.Parent = ledger.Hash(p)
	}
	return out.Block(f)
}

func bitcoinTime(s string) (chain.Time, error) {
	if n, err := strconv.ParseUint(s, 10, 33); err == nil {
		return chain.Time(n) * 1000, nil
	}
	return chain.ParseTime(s)
}

func bitcoinTx(id chain.ID, r bitcoinRow, out *ingest.Output) error {
	h, err := bitcoin.ParseHash(r.one(bcHash))
	if err != nil {
		return wrong("hash", err)
	}
	t := ledger.UTXOTx{Chain: id, Tx: h.TxID(), Index: chain.NoIndex, Coinbase: r.one(bcCoinbase) == "1"}
	if t.Block, err = strconv.ParseUint(r.one(bcBlock), 10, 63); err != nil {
		return wrongf("block_number", clip(r.one(bcBlock)), "not a block's height", "export the table again")
	}
	if s := r.one(bcIndex); s != "" {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return wrongf("index", clip(s), "not a place in a block", "export the table again")
		}
		t.Index = uint32(n)
	}
	if t.Time, err = bitcoinTime(r.one(bcTime)); err != nil {
		return wrong("block_timestamp", err)
	}
	if t.Outputs, err = bitcoinOutputs(id, r); err != nil {
		return err
	}
	if t.Coinbase {
		t.Inputs = make([]ledger.UTXOIn, 1)
		return out.UTXO(t)
	}
	if t.Inputs, err = bitcoinInputs(id, r); err != nil {
		return err
	}
	return out.UTXO(t)
}

// at is the i-th element of a column, or nil.
func (r bitcoinRow) at(column, i int) []byte {
	if i < len(r[column]) {
		return r[column][i]
	}
	return nil
}

// place is where the i-th element belongs: its own index, or i. Each place is
// taken once.
func (r bitcoinRow) place(column, i int, taken []bool) (int, error) {
	n := i
	if v := r.at(column, i); v != nil {
		p, err := strconv.Atoi(string(v))
		if err != nil {
			p = -1
		}
		n = p
	}
	if n < 0 || n >= len(taken) || taken[n] {
		return 0, wrongf(bitcoinColumns[column][0], "", "the elements are not numbered from 0 on, each once", "export the table again")
	}
	taken[n] = true
	return n, nil
}

func bitcoinOutputs(id chain.ID, r bitcoinRow) ([]ledger.UTXOOut, error) {
	out := make([]ledger.UTXOOut, len(r[bcOutValue]))
	if len(out) == 0 {
		return nil, wrongf("outputs", "", "a transaction without outputs", "export the table again")
	}
	taken := make([]bool, len(out))
	for i := range out {
		n, err := r.place(bcOutIndex, i, taken)
		if err != nil {
			return nil, err
		}
		if out[n].Value, err = satoshis(r.at(bcOutValue, i), "outputs.value"); err != nil {
			return nil, err
		}
		address := string(r.at(bcOutAddress, i))
		// A script of no bytes, without an address beside it, is one that anybody can spend.
		if hexa := r.at(bcOutScript, i); len(hexa) > 0 || hexa != nil && address == "" {
			script, err := hex.DecodeString(string(hexa))
			if err != nil {
				return nil, wrongf("outputs.script_hex", clip(string(hexa)), "not hexadecimal", "export the table again")
			}
			account, kind := bitcoin.Classify(id, script)
			if kind == bitcoin.NullData {
				out[n].Data = bitcoin.Payload(script)
			} else {
				out[n].Account = account
			}
			continue
		}
		if out[n].Account, err = chain.ParseAccount(address, id); err != nil {
			return nil, wrong("outputs.address", err)
		}
	}
	return out, nil
}

func bitcoinInputs(id chain.ID, r bitcoinRow) ([]ledger.UTXOIn, error) {
	in := make([]ledger.UTXOIn, len(r[bcInTx]))
	if len(in) == 0 {
		return nil, wrongf("inputs", "", "a transaction without inputs that is no coinbase", "export the table again")
	}
	taken := make([]bool, len(in))
	for i := range in {
		n, err := r.place(bcInIndex, i, taken)
		if err != nil {
			return nil, err
		}
		h, err := bitcoin.ParseHash(string(r.at(bcInTx, i)))
		if err != nil {
			return nil, wrong("inputs.spent_transaction_hash", err)
		}
		at := r.at(bcInOutput, i)
		if at == nil {
			at = r.at(bcInOutputOther, i)
		}
		spent, err := strconv.ParseUint(string(at), 10, 32)
		if err != nil {
			return nil, wrongf("inputs.spent_output_index", clip(string(at)), "not the index of an output", "export the table again")
		}
		in[n].Prev = ledger.OutPoint{Tx: h.TxID(), Index: uint32(spent)}
		value, address := r.at(bcInValue, i), r.at(bcInAddress, i)
		if value == nil || len(address) == 0 {
			continue // the ledger finds both in the output that is spent
		}
		if in[n].Value, err = satoshis(value, "inputs.value"); err != nil {
			return nil, err
		}
		if a, err := chain.ParseAccount(string(address), id); err == nil && a.Chain() == id {
			in[n].Account, in[n].Known = a, true
		} else {
			in[n].Value = chain.Amount{}
		}
	}
	return in, nil
}

func satoshis(v []byte, column string) (chain.Amount, error) {
	a, ok := chain.AmountFromDigits(bytes.TrimSpace(v))
	if !ok || chain.Units(bitcoin.MaxMoney).Less(a) {
		return a, wrongf(column, clip(string(v)), "not an exact amount of base units below 21 million coins", "import the blocks themselves")
	}
	return a, nil
}
