package ledger

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// maxSegmentCoins is how many inputs or outputs end a segment (at a block's
// end): indexing them holds some 16 bytes for each in memory.
const maxSegmentCoins = 1 << 25

// maxSegmentData is how many bytes of payloads without an address end one.
const maxSegmentData = 256 << 20

// coinWriter writes a segment's sheet of inputs and outputs. Outputs stream
// into it; what an input spends is known when all transactions are, so inputs
// wait in a file beside it.
type coinWriter struct {
	disk    disk
	dir     string
	info    coinsInfo
	w       *sheetWriter
	spool   coinSpool
	txs     []byte   // section txs
	txAt    []uint64 // where its blocks begin
	outAt   []uint64
	first   longTable[uint32] // each transaction's first output
	blocks  []coinBlock
	pending struct { // of the open block of transactions
		firstIn, firstOut uint32
		ins, outs         []uint64
		coinbase          [tierBitmap]byte
	}
	accounts []uint64 // of the open block of outputs
	values   []chain.Amount
	b        []byte
	packer   valueEncoder
	dataAt   []byte
	data     encoder
	lowest   AccountRef
	highest  AccountRef
}

// coinBlock is a block of the chain: the first of its inputs and outputs.
type coinBlock struct{ place, ins, outs uint32 }

// coinSpool is the file in which a segment's inputs wait.
type coinSpool struct {
	f    file
	path string
	w    runWriter
}

func newCoinWriter(d disk, dir string, number uint64) (*coinWriter, error) {
	c := &coinWriter{disk: d, dir: dir, info: coinsInfo{Number: number}, lowest: math.MaxInt64, first: newLongTable[uint32]()}
	name := segmentFile(number, "utxo")
	var err error
	if c.w, err = newSheet(d, filepath.Join(dir, name), name); err != nil {
		return nil, err
	}
	c.w.begin("outs")
	c.spool.path = filepath.Join(dir, segmentFile(number, "ins"))
	if c.spool.f, err = d.create(c.spool.path); err != nil {
		c.w.abandon()
		return nil, err
	}
	c.spool.w = runWriter{f: c.spool.f, b: make([]byte, 0, runBuf)}
	return c, nil
}

func (c *coinWriter) full() bool {
	return c.info.Inputs >= maxSegmentCoins || c.info.Outputs >= maxSegmentCoins || len(c.data.b) >= maxSegmentData
}

// add appends the next transaction of the segment, whose block is the place-th;
// t is nil when it has no inputs and outputs.
func (c *coinWriter) add(place uint32, t *coinTx) error {
	if n := len(c.blocks); n == 0 || c.blocks[n-1].place != place {
		c.blocks = append(c.blocks, coinBlock{place, uint32(c.info.Inputs), uint32(c.info.Outputs)})
	}
	p := &c.pending
	if len(p.outs) == 0 {
		p.firstIn, p.firstOut = uint32(c.info.Inputs), uint32(c.info.Outputs)
	}
	c.first.add(uint32(c.info.Outputs))
	c.info.Txs++
	ins, outs := uint64(0), uint64(0)
	if t != nil {
		c.info.Held++
		ins, outs = uint64(len(t.ins)), uint64(len(t.outs))+1
		if t.coinbase {
			p.coinbase[len(p.outs)>>3] |= 1 << (len(p.outs) & 7)
		}
		for i := range t.ins {
			c.spool.w.spill()
			e := encoder{b: c.spool.w.b}
			t.ins[i].appendTo(&e, sameRef)
			c.spool.w.b = e.b
		}
		c.info.Inputs += ins
		for i := range t.outs {
			c.output(&t.outs[i])
		}
		if c.info.Inputs > math.MaxUint32 || c.info.Outputs > math.MaxUint32 {
			return errs.New("import", errs.Limit, "", "a block with more than four billion inputs or outputs", "check the source")
		}
	}
	p.ins, p.outs = append(p.ins, ins), append(p.outs, outs)
	if len(p.outs) == coinRows {
		c.flushTxs()
	}
	return cmpErr(c.w.err, c.spool.w.err)
}

func sameRef(a AccountRef) AccountRef { return a }

func (c *coinWriter) output(o *coinOut) {
	n := uint32(c.info.Outputs)
	c.info.Outputs++
	if o.account != 0 {
		c.lowest, c.highest = min(c.lowest, o.account), max(c.highest, o.account)
	}
	if len(o.data) > 0 {
		c.dataAt = binary.LittleEndian.AppendUint32(c.dataAt, n)
		c.dataAt = binary.LittleEndian.AppendUint64(c.dataAt, uint64(len(c.data.b)))
		c.data.bytes(o.data)
	}
	c.accounts, c.values = append(c.accounts, uint64(o.account)), append(c.values, o.value)
	if len(c.values) == coinRows {
		c.flushOutputs()
	}
}

func (c *coinWriter) flushOutputs() {
	if len(c.values) == 0 {
		return
	}
	c.outAt = append(c.outAt, uint64(c.w.at()-c.w.start))
	t := planTier(c.accounts)
	var head [coinOutHeader]byte
	h := append(head[:0], byte(len(c.values)), t.low, t.high, t.lows)
	body := appendTier(c.b[:0], t, c.accounts)
	h, body = c.packer.append(h, body, c.values)
	c.w.write(h)
	c.w.write(body)
	c.b, c.accounts, c.values = body, c.accounts[:0], c.values[:0]
}

func (c *coinWriter) flushTxs() {
	p := &c.pending
	if len(p.outs) == 0 {
		return
	}
	c.txAt = append(c.txAt, uint64(len(c.txs)))
	it, ot := planTier(p.ins), planTier(p.outs)
	b := append(c.txs, byte(len(p.outs)))
	b = binary.LittleEndian.AppendUint32(b, p.firstIn)
	b = binary.LittleEndian.AppendUint32(b, p.firstOut)
	b = append(b, it.low, it.high, it.lows, ot.low, ot.high, ot.lows)
	b = append(b, p.coinbase[:]...)
	b = appendTier(b, it, p.ins)
	c.txs = appendTier(b, ot, p.outs)
	p.ins, p.outs, p.coinbase = p.ins[:0], p.outs[:0], [tierBitmap]byte{}
}

// finishIn is finish for the segment whose other sheets lie in dir.
func (c *coinWriter) finishIn(dir string, number uint64) (int64, error) {
	s, err := openSheets(dir, number)
	if err != nil {
		c.abandon()
		return 0, err
	}
	return c.finish(s)
}

// finish resolves the inputs and writes the rest of the sheet. s is the
// segment with its other sheets, complete.
func (c *coinWriter) finish(s *segment) (int64, error) {
	c.flushOutputs()
	c.flushTxs()
	c.spool.w.flush()
	if err := c.spool.w.err; err != nil {
		c.abandon()
		return 0, errs.Wrap("write", c.spool.path, err)
	}
	writeUint64s(c.w, "outsat", c.outAt)
	c.w.begin("txs")
	c.w.write(c.txs)
	writeUint64s(c.w, "txat", c.txAt)
	c.w.begin("dataat")
	c.w.write(c.dataAt)
	c.w.begin("data")
	c.w.write(c.data.b)
	spent := newTable[uint32](int(c.info.Inputs))
	defer spent.free()
	err := c.resolve(s, spent.list)
	if err == nil {
		err = c.inputs(spent.list)
	}
	if err != nil {
		c.abandon()
		return 0, err
	}
	c.spenders(spent.list)
	spent.free()
	if err := c.addresses(); err != nil {
		c.abandon()
		return 0, err
	}
	size, err := c.w.close(&c.info)
	return size, cmpErr(err, c.spool.f.Close(), c.disk.remove(c.spool.path))
}

func (c *coinWriter) abandon() {
	c.first.free()
	c.w.abandon()
	c.spool.f.Close()
}

// resolve finds the outputs that inputs spend, as coinRef values with outputs
// by number, and writes the points of those that are not in the segment.
func (c *coinWriter) resolve(s *segment, refs []uint32) error {
	defer c.first.free()
	c.w.begin("points")
	var prefixes []uint32 // of the points' ids
	err := c.replay(func(i uint64, in *coinIn) {
		if in.prev.Tx.IsZero() {
			refs[i] = coinRefNone
			return
		}
		if n, ok := s.findID(in.prev.Tx); ok {
			next := uint32(c.info.Outputs)
			if int(n)+1 < c.first.len() {
				next = *c.first.at(int(n) + 1)
			}
			if o := uint64(*c.first.at(int(n))) + uint64(in.prev.Index); o < uint64(next) {
				refs[i] = uint32(o) + coinRefOutput
				return
			}
		}
		refs[i] = coinRefPoint
		var b [pointEntry]byte
		in.prev.Tx.AppendRaw(b[:0])
		binary.LittleEndian.PutUint32(b[coinIDLen:], in.prev.Index)
		c.w.write(b[:])
		prefixes = append(prefixes, binary.BigEndian.Uint32(b[:]))
	})
	if err != nil {
		return err
	}
	c.info.Points, c.info.PointShift = uint64(len(prefixes)), max(32, txShift(uint64(len(prefixes))))
	c.lookup(prefixes)
	return nil
}

// lookup writes the points by the top bits of their ids.
func (c *coinWriter) lookup(prefixes []uint32) {
	shift := c.info.PointShift - 32
	counts := make([]uint32, 1<<(32-shift)+1)
	for _, p := range prefixes {
		counts[p>>shift+1]++
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	order, next := make([]uint32, len(prefixes)), slices.Clone(counts)
	for i, p := range prefixes {
		order[next[p>>shift]] = uint32(i)
		next[p>>shift]++
	}
	writeUint32s(c.w, "pointbuckets", counts)
	writeUint32s(c.w, "pointorder", order)
}

// spenders writes for each output the first input that spends it and is not in
// a block before its own.
func (c *coinWriter) spenders(refs []uint32) {
	spender := newTable[uint32](int(c.info.Outputs))
	defer spender.free()
	by := spender.list
	for k := range c.blocks {
		from, to, born := c.blocks[k].ins, uint32(c.info.Inputs), uint32(c.info.Outputs)
		if k+1 < len(c.blocks) {
			to, born = c.blocks[k+1].ins, c.blocks[k+1].outs
		}
		for i := from; i < to; i++ {
			if r := refs[i]; r >= coinRefOutput && r-coinRefOutput < born && by[r-coinRefOutput] == 0 {
				by[r-coinRefOutput] = i + 1
			}
		}
	}
	c.w.begin("spenders")
	var at []uint64
	var cols [coinRows]uint64
	for from := 0; from < len(by); from += coinRows {
		part := by[from:min(from+coinRows, len(by))]
		base := uint32(math.MaxUint32)
		for _, v := range part {
			if v > 0 {
				base = min(base, v-1)
			}
		}
		for i, v := range part {
			if cols[i] = 0; v > 0 {
				cols[i] = uint64(v-1-base) + 1
			}
		}
		at = append(at, uint64(c.w.at()-c.w.start))
		t := planTier(cols[:len(part)])
		b := append(c.b[:0], byte(len(part)))
		b = binary.LittleEndian.AppendUint32(b, base)
		b = append(b, t.low, t.high, t.lows)
		c.b = appendTier(b, t, cols[:len(part)])
		c.w.write(c.b)
	}
	writeUint64s(c.w, "spendersat", at)
}
