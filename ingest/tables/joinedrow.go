package tables

import (
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/ledger"

	"github.com/go-json-experiment/json/jsontext"
)

// columnNames are the columns of a table as ethereum-etl names them.
func (l *layout) columnNames() (names []string) {
	for _, alternatives := range l.columns {
		names = append(names, alternatives[0])
	}
	return names
}

// fields are a rejected transaction's cells under its source's columns, so that
// it can be imported again beside its receipt: what the import would use of it,
// and nothing in the other columns.
func (x *joined) fields(names []string) [][]byte {
	list := make([][]byte, len(names))
	for i, name := range names {
		list[i] = []byte(x.field(name))
	}
	return list
}

// object is the same as a line of JSON.
func (x *joined) object() []byte {
	b := []byte(`{"type":"transaction"`)
	for _, name := range transactionsLayout().columnNames() {
		if v := x.field(name); v != "" {
			b = append(b, `,"`+name+`":`...)
			b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(v, "\uFFFD")) // valid, so it cannot fail
		}
	}
	return append(b, '}')
}

func transactionsLayout() *layout {
	for _, l := range layouts() {
		if l.name == "transactions" {
			return l
		}
	}
	panic("no table of transactions")
}

// field is one cell as ethereum-etl writes it; "" for what is not known.
func (x *joined) field(name string) string {
	p, r := x.tx, x.receipt
	switch name {
	case "hash":
		return p.tx.Text(chain.Ethereum)
	case "block_number":
		return number(p.block, chain.NoBlock)
	case "transaction_index":
		return number(uint64(p.index), uint64(chain.NoIndex))
	case "from_address":
		return address(p.from)
	case "to_address":
		return address(p.to)
	case "value":
		if p.lost != nil {
			return string(p.lost)
		}
		return p.value.Base()
	case "gas":
		return number(p.gas, 0)
	case "gas_price":
		return priced(p.price, p.priced)
	case "block_timestamp":
		return number(uint64(p.time)/1000, 0)
	case "input":
		return string(p.input)
	}
	if r == nil {
		return ""
	}
	switch name {
	case joinedNames[cellUsed]:
		return strconv.FormatUint(r.used, 10)
	case joinedNames[cellStatus]:
		return statusCell(r.status)
	case joinedNames[cellPrice]:
		return priced(r.price, r.priced)
	case joinedNames[cellCreated]:
		return address(r.created)
	}
	return ""
}

func statusCell(s ledger.TxStatus) string {
	switch s {
	case ledger.StatusSucceeded:
		return "1"
	case ledger.StatusFailed:
		return "0"
	}
	return ""
}

func number(n, none uint64) string {
	if n == none {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func priced(a chain.Amount, known bool) string {
	if !known {
		return ""
	}
	return a.Base()
}
