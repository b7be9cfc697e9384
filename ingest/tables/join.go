package tables

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// What a join holds at once.
const (
	joinParts  = 64        // by the transaction's hash, which is uniform
	joinBuffer = 256 << 10 // bytes of a part in memory; the rest is in its file
)

// receiptJoin joins transactions with their receipts, and with the root frames
// of their traces where there are any, in bounded memory: rows are written to
// parts by hash, in temporary files once they are many, and each part is
// joined in memory at the end (a Grace hash join).
type receiptJoin struct {
	dir   string
	parts [joinParts]joinPart
	times *blockTimes
	row   []byte // being put

	columns map[int][]string // of the sources of transactions that are tables, by number
	ranges  []tableRange
}

type joinPart struct {
	buf []byte
	f   *os.File // unlinked; nil while all is in buf
}

func openReceiptJoin(tempDir string, _ ingest.Limits) (ingest.Join, error) {
	return &receiptJoin{dir: tempDir, times: &blockTimes{}, columns: map[int][]string{}}, nil
}

// The kinds of joined rows.
const (
	rowTx = iota + 1
	rowReceipt
	rowRoot
)

// put writes a row: its kind, the transaction's hash, and what is told of it.
func (j *receiptJoin) put(b []byte) error {
	j.row = b                     // memory for the next row
	p := &j.parts[b[1]%joinParts] // the first byte of the hash, which follows the kind
	p.buf = binary.LittleEndian.AppendUint32(p.buf, uint32(len(b)))
	p.buf = append(p.buf, b...)
	if len(p.buf) < joinBuffer {
		return nil
	}
	if p.f == nil {
		f, err := os.CreateTemp(j.dir, "bongsu-join-*")
		if err != nil {
			return errs.Wrap("import", j.dir, err)
		}
		os.Remove(f.Name()) //nolint:errcheck // unlinked at once, so that no crash leaves it behind
		p.f = f
	}
	_, err := p.f.Write(p.buf)
	p.buf = p.buf[:0]
	return errs.Wrap("import", "temporary file", err)
}

func (j *receiptJoin) addTx(p *txPart) error {
	b := append(j.row[:0], rowTx)
	b = p.tx.AppendRaw(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(p.source))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.line))
	b = binary.LittleEndian.AppendUint64(b, p.block)
	b = binary.LittleEndian.AppendUint32(b, p.index)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.time))
	b = appendAccount(b, p.from)
	b = appendAccount(b, p.to)
	b = appendAmount(b, p.value, p.lost == nil)
	if p.lost != nil {
		b = append(append(b, byte(min(len(p.lost), 255))), p.lost[:min(len(p.lost), 255)]...)
	}
	b = binary.LittleEndian.AppendUint64(b, p.gas)
	b = appendAmount(b, p.price, p.priced)
	b = append(append(b, byte(len(p.from.Chain()))), p.from.Chain()...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p.input)))
	return j.put(append(b, p.input...))
}

func (j *receiptJoin) addReceipt(p *receiptPart) error {
	b := append(j.row[:0], rowReceipt)
	b = p.tx.AppendRaw(b)
	b = binary.LittleEndian.AppendUint64(b, p.used)
	b = append(b, byte(p.status))
	b = appendAmount(b, p.price, p.priced)
	b = appendAccount(b, p.created)
	b = appendAmount(b, p.extra, true)
	return j.put(b)
}

// addRoot says how a transaction's root frame ended: its value is then stated
// by its traces.
func (j *receiptJoin) addRoot(tx chain.TxID, status ledger.TxStatus) error {
	return j.put(append(tx.AppendRaw(append(j.row[:0], rowRoot)), byte(status)))
}

func appendAccount(b []byte, a chain.Account) []byte {
	if a.IsZero() {
		return append(b, 0)
	}
	return a.AppendRaw(append(b, 1))
}

func appendAmount(b []byte, a chain.Amount, known bool) []byte {
	if !known {
		return append(b, 0)
	}
	w := a.Bytes32()
	return append(append(b, 1), w[:]...)
}

// joined is what a part holds of one transaction.
type joined struct {
	tx      *txPart
	receipt *receiptPart
	rooted  bool
	status  ledger.TxStatus // of the root frame
}

// Finish joins part after part.
func (j *receiptJoin) Finish(ctx context.Context, out *ingest.Output) error {
	var lone int64
	for i := range j.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		order, err := j.parts[i].load()
		if err != nil {
			return err
		}
		for _, x := range order {
			if x.tx == nil {
				if x.receipt != nil {
					lone++
				}
				continue
			}
			if err := x.state(j.columns[x.tx.source], out); err != nil {
				return err
			}
		}
	}
	j.claim(out)
	if lone > 0 {
		out.Note("%d receipts came without their transactions: how they ended is stored, their fees are not; import the two tables in one command", lone)
	}
	return nil
}

// state states a joined transaction, or rejects its row. names are the columns of
// its source; none where that is JSON.
func (x *joined) state(names []string, out *ingest.Output) error {
	p := x.tx
	list, err := x.moves()
	if err != nil {
		column := ""
		var c *cellError
		if errors.As(err, &c) {
			column, err = c.column, c.err
		}
		if rerr := x.reject(names, out, ingest.Place{Line: p.line, Column: column}, err); rerr != nil {
			return rerr
		}
	}
	for i := range list {
		if err := out.Transfer(&list[i]); err != nil {
			return err
		}
	}
	if x.receipt == nil || x.ended() != ledger.StatusSucceeded {
		return nil // traces keep the call themselves
	}
	return p.keepCall(out)
}

func (x *joined) reject(names []string, out *ingest.Output, at ingest.Place, why error) error {
	if names == nil {
		return out.RejectOf(x.tx.source, at, x.object(), why)
	}
	return out.RejectFieldsOf(x.tx.source, at, x.fields(names), why)
}

// ended says how the transaction ended, by its receipt or else its root frame.
func (x *joined) ended() ledger.TxStatus {
	if status := ended(x.tx, x.receipt); status != ledger.StatusUnknown || !x.rooted {
		return status
	}
	return x.status
}

// moves is what the parts together say was moved. With an error, the fee may
// stand beside it: it was paid whatever became of the value.
func (x *joined) moves() ([]chain.Transfer, error) {
	p := x.tx
	if x.receipt == nil {
		if x.rooted || !p.pays() {
			return nil, nil // its traces state the value; the fee stays unknown
		}
		return nil, wrongf("hash", p.tx.Text(chain.Ethereum), "it came without its receipt, so nothing says whether it failed",
			"import transactions and receipts in one command")
	}
	status := x.ended()
	if status == ledger.StatusUnknown && p.pays() {
		fee, err := settled(nil, p, x.receipt, ledger.StatusFailed)
		if err != nil {
			return nil, err
		}
		return fee, wrongf("gas", p.tx.Text(chain.Ethereum), "its receipt is from before Byzantium and does not say whether it failed, and all its gas was used, so it may have",
			"import the traces of its block in the same command; its fee is stored")
	}
	list, err := settled(nil, p, x.receipt, status)
	if err == nil && p.lost != nil && status != ledger.StatusFailed && !x.rooted {
		err = wrong("value", fmt.Errorf("%w; its fee is stored", rounded(p.lost)))
	}
	return list, err
}

// load reads a part back, in the order in which its transactions came.
func (p *joinPart) load() ([]*joined, error) {
	var all []byte
	if p.f != nil {
		if _, err := p.f.Seek(0, io.SeekStart); err != nil {
			return nil, errs.Wrap("import", "temporary file", err)
		}
		var err error
		if all, err = io.ReadAll(p.f); err != nil {
			return nil, errs.Wrap("import", "temporary file", err)
		}
	}
	all = append(all, p.buf...)
	byTx := map[chain.TxID]*joined{}
	var order []*joined
	for len(all) > 4 {
		n := binary.LittleEndian.Uint32(all)
		r := reader{bytes.NewReader(all[4 : 4+n])}
		all = all[4+n:]
		kind, tx := r.byte(), r.tx()
		x := byTx[tx]
		if x == nil {
			x = &joined{}
			byTx[tx], order = x, append(order, x)
		}
		switch kind {
		case rowTx:
			x.tx = r.txPart(tx)
		case rowReceipt:
			x.receipt = r.receiptPart(tx)
		case rowRoot:
			x.rooted, x.status = true, ledger.TxStatus(r.byte())
		}
	}
	return order, nil
}

// reader reads what this package itself wrote a moment ago.
type reader struct{ *bytes.Reader }

func (r reader) take(n int) []byte {
	b := make([]byte, n)
	io.ReadFull(r, b) //nolint:errcheck // our own bytes
	return b
}

func (r reader) byte() byte  { return r.take(1)[0] }
func (r reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }
func (r reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r reader) tx() chain.TxID {
	id, _ := chain.NewTxID(r.take(32))
	return id
}

func (r reader) account(id chain.ID) chain.Account {
	if r.byte() == 0 {
		return chain.Account{}
	}
	return chain.EVM(id, [20]byte(r.take(20)))
}

func (r reader) amount() (chain.Amount, bool) {
	if r.byte() == 0 {
		return chain.Amount{}, false
	}
	return chain.AmountFromBytes(r.take(32))
}

func (r reader) txPart(tx chain.TxID) *txPart {
	p := &txPart{
		tx: tx, source: int(r.u32()), line: int64(r.u64()), block: r.u64(), index: r.u32(), time: chain.Time(r.u64()),
	}
	from, to := r.account(chain.Ethereum), r.account(chain.Ethereum)
	var known bool
	if p.value, known = r.amount(); !known {
		p.lost = r.take(int(r.byte()))
	}
	p.gas = r.u64()
	p.price, p.priced = r.amount()
	id := chain.ID(r.take(int(r.byte())))
	if n := r.u32(); n > 0 {
		p.input = r.take(int(n))
	}
	p.from = from.On(id)
	if !to.IsZero() {
		p.to = to.On(id)
	}
	return p
}

func (r reader) receiptPart(tx chain.TxID) *receiptPart {
	p := &receiptPart{tx: tx, used: r.u64(), status: ledger.TxStatus(r.byte())}
	p.price, p.priced = r.amount()
	p.created = r.account(chain.Ethereum) // settled puts it on the sender's chain
	p.extra, _ = r.amount()
	return p
}

// Close gives the temporary files back.
func (j *receiptJoin) Close() error {
	var all error
	for i := range j.parts {
		if f := j.parts[i].f; f != nil {
			all = errors.Join(all, f.Close())
		}
	}
	return all
}

// blockTimes remembers the times of the blocks that an import has seen, for
// tables that name a block without its time: four bytes a block, in chunks.
type blockTimes struct {
	chunks map[uint64]*[blockChunk]uint32
}

const (
	blockChunk  = 4096
	blockChunks = 1 << 14 // 67 million blocks, 256 MiB; times of further ones are not kept
)

func (b *blockTimes) put(number uint64, t chain.Time) {
	if t%1000 != 0 || t <= 0 || uint64(t/1000) > 1<<32-1 {
		return
	}
	c := b.chunks[number/blockChunk]
	if c == nil {
		if b.chunks == nil {
			b.chunks = map[uint64]*[blockChunk]uint32{}
		}
		if len(b.chunks) >= blockChunks {
			return
		}
		c = new([blockChunk]uint32)
		b.chunks[number/blockChunk] = c
	}
	c[number%blockChunk] = uint32(t / 1000)
}

// of is the time of a block, or 0.
func (b *blockTimes) of(number uint64) chain.Time {
	if c := b.chunks[number/blockChunk]; c != nil {
		return chain.Time(c[number%blockChunk]) * 1000
	}
	return 0
}
