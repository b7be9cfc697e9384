package ledger

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"sort"

	"bongsu/chain"
)

// coinsInfo describes a segment's sheet of inputs and outputs.
type coinsInfo struct {
	Number       uint64 `json:"number"`
	Txs          uint64 `json:"txs"`  // of the segment
	Held         uint64 `json:"held"` // of these, with inputs and outputs
	Inputs       uint64 `json:"inputs"`
	Outputs      uint64 `json:"outputs"`
	Points       uint64 `json:"points"`      // inputs whose spent output is not in the segment
	PointShift   uint   `json:"point_shift"` // buckets of the lookup of points
	FirstAccount uint64 `json:"first_account"`
	Accounts     uint64 `json:"accounts"` // that an output pays
}

// coins is what a segment holds of inputs and outputs: segment-N.utxo.
// FORMAT.md draws it. Inputs and outputs are numbered through the segment, in
// the order of its transactions.
type coins struct {
	coinsInfo
	sheet                      *sheet
	txData, txAt               []byte
	ins, insAt, points         []byte
	outs, outsAt               []byte
	spenders, spendersAt       []byte
	pointBuckets, pointOrder   []byte
	dataAt, data               []byte
	dir                        directory // of the outputs that pay each account
	skips                      []byte
	dataCount, pointCount      int
	txPages, inPages, outPages region
	pointPages, spenderPages   region
	bucketPages, orderPages    region
	dataPages                  region
}

// The columns of a sheet of inputs and outputs come in blocks of coinRows.
const (
	coinRows      = tierRows
	coinTxHeader  = 1 + 4 + 4 + 2*tierHeader + tierBitmap
	coinInHeader  = 1 + 1 + 4 + 4 + tierHeader + 1 + tierHeader + valuesHeader
	coinOutHeader = 1 + tierHeader + valuesHeader
	spenderHeader = 1 + 4 + tierHeader
	coinDataEntry = 4 + 8
	pointEntry    = coinIDLen + 4
	coinSkipEntry = 4 + 4
	coinInStated  = 1 // flag of a block of inputs: some are stated
	coinRefNone   = 0 // a coinbase's
	coinRefPoint  = 1 // in section points
	coinRefOutput = 2 // and beyond: an output of the segment
)

// attachCoins opens the sheet that a segment with inputs and outputs has.
func (s *segment) attachCoins(dir string) error {
	name := segmentFile(s.number, "utxo")
	c := &coins{}
	var err error
	if c.sheet, err = openSheet(dir+"/"+name, name, &c.coinsInfo); err != nil {
		return err
	}
	if c.Number != s.number || c.Txs != s.Txs || c.Inputs != s.Inputs || c.Outputs != s.Outputs {
		return corruptSheet(dir+"/"+name, "it belongs to another segment")
	}
	if err := c.attach(c.sheet.section); err != nil {
		return corruptSheet(dir+"/"+name, err.Error())
	}
	s.coins = c
	return c.verifySmall(s.idx.holds)
}

// attach finds the sections.
func (c *coins) attach(section func(string) []byte) error {
	for name, to := range map[string]*[]byte{
		"txs": &c.txData, "txat": &c.txAt, "ins": &c.ins, "insat": &c.insAt, "points": &c.points, "outs": &c.outs, "outsat": &c.outsAt,
		"spenders": &c.spenders, "spendersat": &c.spendersAt, "pointbuckets": &c.pointBuckets, "pointorder": &c.pointOrder,
		"dataat": &c.dataAt, "data": &c.data, "skips": &c.skips,
	} {
		if *to = section(name); len(*to) < sheetSlack {
			return fmt.Errorf("section %s is missing", name)
		}
	}
	if err := c.dir.attach(c.FirstAccount, section); err != nil {
		return err
	}
	c.dataCount = (len(c.dataAt) - sheetSlack) / coinDataEntry
	c.pointCount = (len(c.points) - sheetSlack) / pointEntry
	return nil
}

// at is the i-th offset in table, of an element that is made sure of.
func (r *region) at(table []byte, i uint32) uint64 {
	at := binary.LittleEndian.Uint64(table[uint64(i)*8:])
	r.touch(at)
	return at
}

// point is the p-th of section points.
func (c *coins) point(p uint32) []byte {
	at := uint64(p) * pointEntry
	c.pointPages.touch(at)
	return c.points[at:]
}

// coinSpan is where a transaction's inputs and outputs are.
type coinSpan struct {
	firstIn, firstOut uint32
	ins, outs         uint32
	held, coinbase    bool
}

// tx finds the inputs and outputs of transaction n.
func (c *coins) tx(n uint32) (s coinSpan) {
	b := c.txData[c.txPages.at(c.txAt, n/coinRows):]
	count, i := int(b[0]), int(n%coinRows)
	s.firstIn, s.firstOut = binary.LittleEndian.Uint32(b[1:]), binary.LittleEndian.Uint32(b[5:])
	s.coinbase = b[15+i>>3]>>(i&7)&1 == 1
	it, ot := tier{b[9], b[10], b[11]}, tier{b[12], b[13], b[14]}
	var list [coinRows]uint64
	it.all(b[coinTxHeader:], list[:i+1])
	s.ins = uint32(list[i])
	for _, v := range list[:i] {
		s.firstIn += uint32(v)
	}
	ot.all(b[coinTxHeader+it.size(count):], list[:i+1])
	if s.held = list[i] > 0; s.held {
		s.outs = uint32(list[i]) - 1
	}
	for _, v := range list[:i] {
		s.firstOut += uint32(max(v, 1) - 1)
	}
	if uint64(s.firstIn)+uint64(s.ins) > c.Inputs || uint64(s.firstOut)+uint64(s.outs) > c.Outputs {
		panic(damage("a transaction has inputs or outputs beyond the last"))
	}
	return s
}

// held says whether the segment has the inputs and outputs of transaction n.
func (c *coins) held(n uint32) bool { return c.tx(n).held }

// outputOf is the number of a transaction's output, if it has so many.
func (c *coins) outputOf(n, index uint32) (uint32, bool) {
	s := c.tx(n)
	return s.firstOut + index, s.held && index < s.outs
}

func (c *coins) txOfInput(i uint32) uint32  { return c.txOf(i, 1) }
func (c *coins) txOfOutput(o uint32) uint32 { return c.txOf(o, 5) }

// txOf is the transaction that an input or output belongs to; at is where a
// block of transactions says the number of its first.
func (c *coins) txOf(number uint32, at int) uint32 {
	blocks := int((c.Txs + coinRows - 1) / coinRows)
	k := uint32(sort.Search(blocks, func(k int) bool {
		return binary.LittleEndian.Uint32(c.txData[c.txPages.at(c.txAt, uint32(k))+uint64(at):]) > number
	})) - 1
	b := c.txData[c.txPages.at(c.txAt, k):]
	count := int(b[0])
	it := tier{b[9], b[10], b[11]}
	var list [coinRows]uint64
	first := binary.LittleEndian.Uint32(b[at:])
	if at == 1 {
		it.all(b[coinTxHeader:], list[:count])
	} else {
		tier{b[12], b[13], b[14]}.all(b[coinTxHeader+it.size(count):], list[:count])
		for i := range list[:count] {
			list[i] = max(list[i], 1) - 1
		}
	}
	for i, v := range list[:count] {
		if first += uint32(v); first > number {
			return k*coinRows + uint32(i)
		}
	}
	return k*coinRows + uint32(count-1)
}

// output is who an output pays, and how much.
func (c *coins) output(o uint32) (AccountRef, chain.Amount) {
	b := c.outs[c.outPages.at(c.outsAt, o/coinRows):]
	count, i := int(b[0]), int(o%coinRows)
	t := tier{b[1], b[2], b[3]}
	account := t.at(b[coinOutHeader:], i)
	return AccountRef(account), valueAt(b[4:], b[coinOutHeader+t.size(count):], count, i)
}

// dataOf is the payload of an output without an address.
func (c *coins) dataOf(o uint32) []byte {
	i := sort.Search(c.dataCount, func(i int) bool { return binary.LittleEndian.Uint32(c.dataAt[i*coinDataEntry:]) >= o })
	if i == c.dataCount || binary.LittleEndian.Uint32(c.dataAt[i*coinDataEntry:]) != o {
		return nil
	}
	from, to := binary.LittleEndian.Uint64(c.dataAt[i*coinDataEntry+4:]), uint64(len(c.data)-sheetSlack)
	if i+1 < c.dataCount {
		to = binary.LittleEndian.Uint64(c.dataAt[(i+1)*coinDataEntry+4:])
	}
	c.dataPages.touchTo(from, to)
	d := decoder{b: c.data[from:]}
	return d.bytes()
}

// spender is the segment's first input that spends an output.
func (c *coins) spender(o uint32) (uint32, bool) {
	b := c.spenders[c.spenderPages.at(c.spendersAt, o/coinRows):]
	v := tier{b[5], b[6], b[7]}.at(b[spenderHeader:], int(o%coinRows))
	return binary.LittleEndian.Uint32(b[1:]) + uint32(v) - 1, v > 0
}

// inputBlock is a block of inputs, read.
type inputBlock struct {
	n      int
	ref    [coinRows]uint64
	base   uint32
	point  uint32 // of the block's first in section points
	stated []byte // bitmap; nil: none
	b      []byte // the stated accounts' tier and what follows
	count  int    // of the stated
	who    tier
	values []byte // their header
}

func (c *coins) inputBlock(k uint32, w *inputBlock) {
	b := c.ins[c.inPages.at(c.insAt, k):]
	w.n, w.point, w.base = int(b[0]), binary.LittleEndian.Uint32(b[2:]), binary.LittleEndian.Uint32(b[6:])
	t := tier{b[10], b[11], b[12]}
	w.count, w.who, w.values = int(b[13]), tier{b[14], b[15], b[16]}, b[17:]
	t.all(b[coinInHeader:], w.ref[:w.n])
	at := coinInHeader + t.size(w.n)
	w.stated = nil
	if b[1]&coinInStated != 0 {
		w.stated = b[at : at+tierBitmap]
		w.b = b[at+tierBitmap:]
	}
}

// output is the number of the output that input i spends, when that is the
// segment's own.
func (w *inputBlock) output(i int) (uint32, bool) {
	if w.ref[i] < coinRefOutput {
		return 0, false
	}
	return w.base - uint32(unzigzag(w.ref[i]-coinRefOutput)), true
}

// place is the number of input i in section points.
func (w *inputBlock) place(i int) uint32 {
	p := w.point
	for _, r := range w.ref[:i] {
		if r == coinRefPoint {
			p++
		}
	}
	return p
}

// statement is what a source stated of input i.
func (w *inputBlock) statement(i int) (AccountRef, chain.Amount, bool) {
	if w.stated == nil || w.stated[i>>3]>>(i&7)&1 == 0 {
		return 0, chain.Amount{}, false
	}
	k := bits.OnesCount64(binary.LittleEndian.Uint64(w.stated) & (1<<(uint(i)&63) - 1))
	return AccountRef(w.who.at(w.b, k)), valueAt(w.values, w.b[w.who.size(w.count):], w.count, k), true
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// read fills in the transaction n of a segment; for each input it gives the
// number of the segment's own output that it spends, plus one, or 0.
func (c *coins) read(s *segment, n uint32, into *coinTx) (local []uint32) {
	span := c.tx(n)
	into.coinbase = span.coinbase
	into.ins, into.outs = into.ins[:0], into.outs[:0]
	local = make([]uint32, 0, span.ins)
	var w inputBlock
	for i := span.firstIn; i < span.firstIn+span.ins; i++ {
		if i == span.firstIn || i%coinRows == 0 {
			c.inputBlock(i/coinRows, &w)
		}
		in, k := coinIn{}, int(i%coinRows)
		own := uint32(0)
		if o, ok := w.output(k); ok {
			own = o + 1
			m := c.txOfOutput(o)
			in.prev.Tx, _ = chain.NewTxID(s.idBytes(m))
			in.prev.Index = o - c.tx(m).firstOut
		} else if w.ref[k] == coinRefPoint {
			p := c.point(w.place(k))
			in.prev.Tx, _ = chain.NewTxID(p[:coinIDLen])
			in.prev.Index = binary.LittleEndian.Uint32(p[coinIDLen:])
		}
		in.account, in.value, in.known = w.statement(k)
		into.ins, local = append(into.ins, in), append(local, own)
	}
	for o := span.firstOut; o < span.firstOut+span.outs; o++ {
		account, value := c.output(o)
		out := coinOut{account: account, value: value}
		if account == 0 {
			out.data = append([]byte(nil), c.dataOf(o)...)
		}
		into.outs = append(into.outs, out)
	}
	return local
}

// readCoins fills in the inputs and outputs of transaction n of a segment.
func (t *mergedTx) readCoins(s *segment, n uint32) {
	if t.coins = nil; s.coins != nil && s.coins.held(n) {
		t.coins = &coinTx{}
		s.coins.read(s, n, t.coins)
	}
}

// pointsOf calls use with the inputs that spend an output that was not in the
// segment, in their order.
func (c *coins) pointsOf(id []byte, index uint32, use func(input uint32)) {
	if c.pointCount == 0 {
		return
	}
	bucket := binary.BigEndian.Uint64(id) >> c.PointShift
	c.bucketPages.touch(bucket * 4)
	from, to := binary.LittleEndian.Uint32(c.pointBuckets[bucket*4:]), binary.LittleEndian.Uint32(c.pointBuckets[bucket*4+4:])
	for ; from < to; from++ {
		c.orderPages.touch(uint64(from) * 4)
		p := binary.LittleEndian.Uint32(c.pointOrder[uint64(from)*4:])
		b := c.point(p)
		if string(b[:coinIDLen]) == string(id) && binary.LittleEndian.Uint32(b[coinIDLen:]) == index {
			use(c.inputOfPoint(p))
		}
	}
}

// inputOfPoint is the input that the p-th point belongs to.
func (c *coins) inputOfPoint(p uint32) uint32 {
	blocks := int((c.Inputs + coinRows - 1) / coinRows)
	k := uint32(sort.Search(blocks, func(k int) bool {
		return binary.LittleEndian.Uint32(c.ins[c.inPages.at(c.insAt, uint32(k))+2:]) > p
	})) - 1
	var w inputBlock
	c.inputBlock(k, &w)
	for i, r := range w.ref[:w.n] {
		if r == coinRefPoint {
			if w.point == p {
				return k*coinRows + uint32(i)
			}
			w.point++
		}
	}
	return k*coinRows + uint32(w.n) // no such: the caller's lookup fails
}
