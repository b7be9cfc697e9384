package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"

	"bongsu/chain"
	"bongsu/ingest"
	"bongsu/ledger"
	"bongsu/ledger/generate"
	"bongsu/ledger/model"

	"github.com/parquet-go/parquet-go"
)

// generatedTable is a table to measure.
type generatedTable struct {
	name  string
	write func(file string, rows int) error
	split func(file string) (rows int, err error) // the limit; nil: the command is not measured on it
}

func generated() []generatedTable {
	text := func(name, header string, line lineWriter, split func(string) (int, error)) generatedTable {
		return generatedTable{name, func(file string, rows int) error { return writeText(file, rows, header, line) }, split}
	}
	return []generatedTable{
		text("token_transfers.csv", generate.CSVHeader, func(b []byte, t *ledger.EVMTransfer, _ int) []byte { return generate.AppendCSV(b, t) }, splitTransfers),
		text("transactions.csv", "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input,block_timestamp,"+
			"max_fee_per_gas,max_priority_fee_per_gas,transaction_type,receipt_gas_used,receipt_status,receipt_effective_gas_price\n", transactionLine, nil),
		text("traces.csv", "block_number,transaction_hash,transaction_index,from_address,to_address,value,input,output,trace_type,call_type,reward_type,"+
			"gas,gas_used,subtraces,trace_address,error,status,trace_id\n", traceLine, nil),
		text("logs.csv", "log_index,transaction_hash,transaction_index,block_hash,block_number,address,data,topics\n", logLine, nil),
		text("receipts.csv", "transaction_hash,transaction_index,block_hash,block_number,cumulative_gas_used,gas_used,contract_address,root,status,effective_gas_price\n", receiptLine, nil),
		{"token_transfers.parquet", writeParquet, nil},
	}
}

// lineWriter appends a row made of a transfer; n is its number.
type lineWriter func(b []byte, t *ledger.EVMTransfer, n int) []byte

func writeText(file string, rows int, header string, line lineWriter) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	w.WriteString(header) //nolint:errcheck // Flush reports it
	var b []byte
	err = transfers(rows, func(t *ledger.EVMTransfer, n int) error {
		b = line(b[:0], t, n)
		_, err := w.Write(b)
		return err
	})
	if err == nil {
		err = w.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// transfers calls use for every generated row.
func transfers(rows int, use func(*ledger.EVMTransfer, int) error) error {
	g := generate.New(generate.Options{Seed: 1, Rows: uint64(rows), RandomShare: generate.Mixed})
	batch := make([]ledger.EVMTransfer, 4096)
	for at, n := 0, g.Next(batch); n > 0; n = g.Next(batch) {
		for i := range n {
			if err := use(&batch[i], at); err != nil {
				return err
			}
			at++
		}
	}
	return nil
}

// transactionHash is a hash for each row: in these tables every row is a
// transaction of its own.
func transactionHash(t *ledger.EVMTransfer, n int) [32]byte {
	h := t.Tx
	binary.BigEndian.PutUint64(h[8:], uint64(n))
	return h
}

func appendHex(b []byte, v []byte) []byte { return hex.AppendEncode(append(b, "0x"...), v) }

func transactionLine(b []byte, t *ledger.EVMTransfer, n int) []byte {
	h := transactionHash(t, n)
	b = append(appendHex(b, h[:]), fmt.Sprintf(",%d,", n%1000)...)
	b = append(appendHex(b, t.Tx[:]), fmt.Sprintf(",%d,%d,", t.Block, t.Ordinal)...)
	b = append(appendHex(b, t.From[:]), ',')
	b = append(appendHex(b, t.To[:]), ',')
	b = append(append(b, t.Amount.Base()...), ",90000,20000000000,0xa9059cbb"...)
	b = hex.AppendEncode(b, append(make([]byte, 12), t.To[:]...))
	b = hex.AppendEncode(b, h[:])
	return append(b, fmt.Sprintf(",%d,30000000000,1000000000,2,%d,1,20000000000\n", 1_600_000_000+12*t.Block, 21_000+n%50_000)...)
}

func traceLine(b []byte, t *ledger.EVMTransfer, n int) []byte {
	b = append(strconv.AppendUint(b, t.Block, 10), ',')
	b = append(appendHex(b, t.Tx[:]), fmt.Sprintf(",%d,", t.Block%100)...)
	b = append(appendHex(b, t.From[:]), ',')
	b = append(appendHex(b, t.To[:]), ',')
	b = append(append(b, t.Amount.Base()...), ",0xa9059cbb"...)
	b = hex.AppendEncode(b, append(make([]byte, 12), t.To[:]...))
	return append(b, fmt.Sprintf(",0x01,call,call,,90000,21000,0,\"0,%d\",,1,call_%d\n", t.Ordinal, n)...)
}

func logLine(b []byte, t *ledger.EVMTransfer, _ int) []byte {
	b = append(strconv.AppendUint(b, uint64(t.Ordinal), 10), ',')
	b = append(appendHex(b, t.Tx[:]), ",7,"...)
	b = append(appendHex(b, t.Tx[:]), fmt.Sprintf(",%d,", t.Block)...)
	b = append(appendHex(b, t.Contract[:]), ',')
	w := t.Amount.Bytes32()
	b = append(appendHex(b, w[:]), `,"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef,`...)
	b = append(appendHex(b, append(make([]byte, 12), t.From[:]...)), ',')
	return append(appendHex(b, append(make([]byte, 12), t.To[:]...)), "\"\n"...)
}

func receiptLine(b []byte, t *ledger.EVMTransfer, n int) []byte {
	h := transactionHash(t, n)
	b = append(appendHex(b, h[:]), fmt.Sprintf(",%d,", t.Ordinal)...)
	b = append(appendHex(b, t.Tx[:]), fmt.Sprintf(",%d,9000000,%d,,,1,20000000000\n", t.Block, 21_000+n%50_000)...)
	return b
}

// parquetTransfer is a row of token_transfers as the public data sets keep it,
// with the amount as text.
type parquetTransfer struct {
	Token string `parquet:"token_address,dict"`
	From  string `parquet:"from_address"`
	To    string `parquet:"to_address"`
	Value string `parquet:"value"`
	Tx    string `parquet:"transaction_hash"`
	Log   int64  `parquet:"log_index"`
	Block int64  `parquet:"block_number,delta"`
}

func writeParquet(file string, rows int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := parquet.NewGenericWriter[parquetTransfer](f, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(200_000))
	text := func(v []byte) string { return "0x" + hex.EncodeToString(v) }
	err = transfers(rows, func(t *ledger.EVMTransfer, _ int) error {
		_, err := w.Write([]parquetTransfer{{
			text(t.Contract[:]), text(t.From[:]), text(t.To[:]), t.Amount.Base(), text(t.Tx[:]), int64(t.Ordinal), int64(t.Block),
		}})
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// splitTransfers splits what generate writes and decodes it, checking no more
// than it must to do so: the limit that the reader of the command is held
// against.
func splitTransfers(file string) (rows int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf, have := make([]byte, 1<<20), 0
	var t ledger.EVMTransfer
	for {
		n, err := f.Read(buf[have:])
		text := buf[:have+n]
		for {
			i := bytes.IndexByte(text, '\n')
			if i < 0 {
				break
			}
			if decodeLine(text[:i], &t) {
				rows++
			}
			text = text[i+1:]
		}
		have = copy(buf, text)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
	}
}

// decodeLine reports false for the header.
func decodeLine(line []byte, t *ledger.EVMTransfer) (ok bool) {
	if len(line) < 200 || line[0] != '0' {
		return false
	}
	hex.Decode(t.Contract[:], line[2:42]) //nolint:errcheck // the limit checks nothing
	hex.Decode(t.From[:], line[45:85])    //nolint:errcheck // the limit checks nothing
	hex.Decode(t.To[:], line[88:128])     //nolint:errcheck // the limit checks nothing
	rest := line[129:]
	i := bytes.IndexByte(rest, ',')
	t.Amount, _ = chain.AmountFromDigits(rest[:i])
	hex.Decode(t.Tx[:], rest[i+3:i+67]) //nolint:errcheck // the limit checks nothing
	var v uint64
	for _, c := range rest[i+68:] {
		if c == ',' {
			t.Ordinal, v = uint32(v), 0
			continue
		}
		v = v*10 + uint64(c-'0')
	}
	t.Block = v
	return true
}

// nothing is a store that keeps nothing.
type nothing struct{}

func (nothing) Begin(context.Context, string) (ingest.Import, error) { return nothing{}, nil }
func (nothing) Reader(context.Context) (ledger.Reader, error)        { return new(model.Model).Reader() }
func (nothing) Add(*ledger.Facts) error                              { return nil }
func (nothing) AddEVM(chain.ID, []ledger.EVMTransfer) error          { return nil }
func (nothing) Checkpoint([]byte) error                              { return nil }
func (nothing) Cursor() []byte                                       { return nil }
func (nothing) Commit(context.Context) (ledger.Stats, error)         { return ledger.Stats{}, nil }
func (nothing) Abort() error                                         { return nil }
