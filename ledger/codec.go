package ledger

import (
	"encoding/binary"
	"math"

	"bongsu/chain"
	"bongsu/errs"
)

// encoder appends values in the encoding that FORMAT.md calls "fields":
// unsigned LEB128 integers, byte strings after their length, amounts as a
// length byte and big-endian bytes.
type encoder struct{ b []byte }

func (e *encoder) uint(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) byte(v byte)     { e.b = append(e.b, v) }
func (e *encoder) bytes(v []byte)  { e.uint(uint64(len(v))); e.b = append(e.b, v...) }
func (e *encoder) string(v string) { e.uint(uint64(len(v))); e.b = append(e.b, v...) }

// optional writes v, or 0 for the value that means none (all ones).
func (e *encoder) block(v uint64) { e.uint(v + 1) } // NoBlock wraps to 0
func (e *encoder) index(v uint32) { e.uint(uint64(v + 1)) }

func (e *encoder) time(t chain.Time, known bool) {
	if !known {
		e.uint(0)
		return
	}
	e.uint(uint64(t) + 1)
}

func (e *encoder) amount(a chain.Amount) {
	b := a.Bytes32()
	n := (a.BitLen() + 7) / 8
	e.byte(byte(n))
	e.b = append(e.b, b[32-n:]...)
}

func (e *encoder) tx(t chain.TxID) {
	start := len(e.b)
	e.byte(0)
	e.b = t.AppendRaw(e.b)
	e.b[start] = byte(len(e.b) - start - 1)
}

func (e *encoder) account(a chain.Account) {
	e.byte(byte(a.Form()))
	if a.IsZero() {
		return
	}
	e.string(string(a.Chain()))
	start := len(e.b)
	e.byte(0)
	e.b = a.AppendRaw(e.b)
	e.b[start] = byte(len(e.b) - start - 1)
}

func (e *encoder) hash(h Hash) { e.b = append(e.b, h[:]...) }

// decoder reads what encoder wrote. After the first failure every read gives
// a zero and err stays set: callers check it at the end of each element.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = errs.New("decode", errs.Corrupt, "", why, "")
	}
	d.b = nil
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail("a number is cut short")
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail("a field is longer than what is left")
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.take(1); len(v) == 1 {
		return v[0]
	}
	return 0
}

func (d *decoder) bytes() []byte  { return d.take(d.uint()) }
func (d *decoder) string() string { return string(d.bytes()) }
func (d *decoder) block() uint64  { return d.uint() - 1 }

func (d *decoder) index() uint32 {
	v := d.uint()
	if v > math.MaxUint32 {
		d.fail("an index is too large")
	}
	return uint32(v) - 1
}

func (d *decoder) time() (chain.Time, bool) {
	v := d.uint()
	if v == 0 {
		return 0, false
	}
	return chain.Time(v - 1), true
}

func (d *decoder) amount() chain.Amount {
	n := d.byte()
	a, ok := chain.AmountFromBytes(d.take(uint64(n)))
	if !ok {
		d.fail("an amount is too long")
	}
	return a
}

func (d *decoder) tx() chain.TxID {
	n := d.byte()
	if n == 0 {
		return chain.TxID{}
	}
	t, ok := chain.NewTxID(d.take(uint64(n)))
	if !ok {
		d.fail("a transaction id has a wrong length")
	}
	return t
}

func (d *decoder) account() chain.Account {
	form := chain.Form(d.byte())
	if form == chain.FormNone {
		return chain.Account{}
	}
	id := chain.ID(d.string())
	raw := d.take(uint64(d.byte()))
	a, ok := chain.NewAccount(id, form, raw)
	if !ok && d.err == nil {
		d.fail("an account has a wrong length or form")
	}
	return a
}

func (d *decoder) hash() Hash {
	var h Hash
	copy(h[:], d.take(32))
	return h
}

// count reads the length of a list whose elements take at least one byte each,
// so that a hostile length cannot make us allocate.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail("a list is longer than what is left")
		return 0
	}
	return int(n)
}

func encodeFacts(e *encoder, f *Facts) {
	e.uint(uint64(len(f.Transfers)))
	for i := range f.Transfers {
		encodeTransfer(e, &f.Transfers[i])
	}
	e.uint(uint64(len(f.Txs)))
	for i := range f.Txs {
		t := &f.Txs[i]
		e.string(string(t.Chain))
		e.tx(t.Tx)
		e.block(t.Block)
		e.index(t.Index)
		e.time(t.Time, t.HasTime)
		e.byte(byte(t.Status))
	}
	e.uint(uint64(len(f.Blocks)))
	for i := range f.Blocks {
		encodeBlock(e, &f.Blocks[i])
	}
	e.uint(uint64(len(f.Notes)))
	for i := range f.Notes {
		encodeNote(e, &f.Notes[i])
	}
	e.uint(uint64(len(f.UTXOs)))
	for i := range f.UTXOs {
		encodeUTXO(e, &f.UTXOs[i])
	}
	e.uint(uint64(len(f.Assets)))
	for _, a := range f.Assets {
		e.string(string(a.Asset))
		e.string(a.Symbol)
		e.byte(a.Decimals)
		e.string(a.Source)
	}
	e.uint(uint64(len(f.Claims)))
	for _, c := range f.Claims {
		encodeClaim(e, c)
	}
}

func encodeTransfer(e *encoder, t *chain.Transfer) {
	e.string(string(t.Chain))
	e.time(t.Time, t.Time != 0)
	e.block(t.Block)
	e.index(t.Index)
	e.tx(t.Tx)
	e.byte(byte(t.Kind))
	e.index(t.Ordinal)
	e.uint(uint64(t.Row))
	e.uint(uint64(t.Nth))
	e.account(t.From)
	e.account(t.To)
	e.string(string(t.Asset))
	e.amount(t.Amount)
}

func decodeTransfer(d *decoder) (t chain.Transfer) {
	t.Chain = chain.ID(d.string())
	t.Time, _ = d.time()
	t.Block, t.Index, t.Tx = d.block(), d.index(), d.tx()
	t.Kind, t.Ordinal = chain.Kind(d.byte()), d.index()
	t.Row, t.Nth = uint32(d.uint()), uint32(d.uint())
	t.From, t.To = d.account(), d.account()
	t.Asset, t.Amount = chain.Asset(d.string()), d.amount()
	return t
}

func encodeBlock(e *encoder, b *BlockFact) {
	e.string(string(b.Chain))
	e.uint(b.Number)
	e.hash(b.Hash)
	e.hash(b.Parent)
	e.time(b.Time, b.HasTime)
}

func decodeBlock(d *decoder) (b BlockFact) {
	b.Chain, b.Number = chain.ID(d.string()), d.uint()
	b.Hash, b.Parent = d.hash(), d.hash()
	b.Time, b.HasTime = d.time()
	return b
}

func encodeClaim(e *encoder, c Claim) {
	e.string(string(c.Chain))
	e.uint(c.From)
	e.uint(c.To)
	e.byte(byte(c.What))
}

func decodeClaim(d *decoder) Claim {
	return Claim{chain.ID(d.string()), d.uint(), d.uint(), Cover(d.byte())}
}

func encodeNote(e *encoder, n *NoteFact) {
	e.string(string(n.Chain))
	e.tx(n.Tx)
	e.block(n.place())
	if c := n.Call; c != nil {
		e.byte(1)
		e.index(c.Ordinal)
		e.account(c.From)
		e.account(c.To)
		e.bytes(c.Input)
		return
	}
	e.byte(2)
	e.index(n.Log.Index)
	e.account(n.Log.Address)
	e.uint(uint64(len(n.Log.Topics)))
	for _, t := range n.Log.Topics {
		e.hash(t)
	}
	e.bytes(n.Log.Data)
}

func decodeNote(d *decoder) (n NoteFact) {
	n.Chain, n.Tx = chain.ID(d.string()), d.tx()
	if b := d.block(); b != chain.NoBlock {
		n.Block, n.HasBlock = b, true
	}
	switch d.byte() {
	case 1:
		n.Call = &Call{Ordinal: d.index(), From: d.account(), To: d.account(), Input: append([]byte(nil), d.bytes()...)}
	case 2:
		l := &Log{Index: d.index(), Address: d.account()}
		for range d.count() {
			l.Topics = append(l.Topics, d.hash())
		}
		l.Data = append([]byte(nil), d.bytes()...)
		n.Log = l
	default:
		d.fail("a note is neither call nor log")
	}
	return n
}

func encodeUTXO(e *encoder, u *UTXOTx) {
	e.string(string(u.Chain))
	e.tx(u.Tx)
	e.block(u.Block)
	e.index(u.Index)
	e.time(u.Time, u.Time != 0)
	coinbase := byte(0)
	if u.Coinbase {
		coinbase = 1
	}
	e.byte(coinbase)
	e.uint(uint64(len(u.Inputs)))
	for i := range u.Inputs {
		in := &u.Inputs[i]
		e.tx(in.Prev.Tx)
		e.uint(uint64(in.Prev.Index))
		if !in.Known {
			e.byte(0)
			continue
		}
		e.byte(1)
		e.account(in.Account)
		e.amount(in.Value)
	}
	e.uint(uint64(len(u.Outputs)))
	for i := range u.Outputs {
		o := &u.Outputs[i]
		e.account(o.Account)
		e.amount(o.Value)
		e.bytes(o.Data)
	}
}

func decodeUTXO(d *decoder) (u UTXOTx) {
	u.Chain, u.Tx, u.Block, u.Index = chain.ID(d.string()), d.tx(), d.block(), d.index()
	u.Time, _ = d.time()
	u.Coinbase = d.byte() == 1
	for range d.count() {
		in := UTXOIn{Prev: OutPoint{d.tx(), uint32(d.uint())}}
		if d.byte() == 1 {
			in.Known, in.Account, in.Value = true, d.account(), d.amount()
		}
		u.Inputs = append(u.Inputs, in)
	}
	for range d.count() {
		o := UTXOOut{Account: d.account(), Value: d.amount()}
		if data := d.bytes(); len(data) > 0 {
			o.Data = append([]byte(nil), data...)
		}
		u.Outputs = append(u.Outputs, o)
	}
	return u
}

func decodeFacts(d *decoder) *Facts {
	f := &Facts{}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		f.Transfers = append(f.Transfers, decodeTransfer(d))
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		t := TxFact{Chain: chain.ID(d.string()), Tx: d.tx(), Block: d.block(), Index: d.index()}
		t.Time, t.HasTime = d.time()
		t.Status = TxStatus(d.byte())
		f.Txs = append(f.Txs, t)
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		f.Blocks = append(f.Blocks, decodeBlock(d))
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		f.Notes = append(f.Notes, decodeNote(d))
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		f.UTXOs = append(f.UTXOs, decodeUTXO(d))
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		f.Assets = append(f.Assets, chain.AssetInfo{Asset: chain.Asset(d.string()), Symbol: d.string(), Decimals: d.byte(), Source: d.string()})
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		f.Claims = append(f.Claims, decodeClaim(d))
	}
	return f
}
