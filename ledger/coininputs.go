package ledger

import (
	"bufio"
	"encoding/binary"
	"io"

	"bongsu/chain"
	"bongsu/errs"
)

// replay reads the inputs that wait.
func (c *coinWriter) replay(use func(i uint64, in *coinIn)) error {
	r := &spooledInputs{r: bufio.NewReaderSize(io.NewSectionReader(c.spool.f, 0, c.spool.w.flushed), 1<<18)}
	for i := range c.info.Inputs {
		in := r.next()
		if r.err != nil {
			return errs.Wrap("import", c.spool.path, r.err)
		}
		use(i, in)
	}
	return nil
}

// spooledInputs reads what coinIn.appendTo wrote.
type spooledInputs struct {
	r   *bufio.Reader
	in  coinIn
	err error
}

func (r *spooledInputs) next() *coinIn {
	r.in = coinIn{}
	flags := r.byte()
	if flags&coinNoPrev == 0 {
		var id [coinIDLen]byte
		_, err := io.ReadFull(r.r, id[:])
		r.err = cmpErr(r.err, err)
		r.in.prev.Tx = chain.Hash32(id)
		r.in.prev.Index = uint32(r.uint())
	}
	if flags&coinStated != 0 {
		r.in.known, r.in.account = true, AccountRef(r.uint())
		var b [32]byte
		n := min(int(r.byte()), len(b))
		_, err := io.ReadFull(r.r, b[:n])
		r.err = cmpErr(r.err, err)
		r.in.value, _ = chain.AmountFromBytes(b[:n])
	}
	return &r.in
}

func (r *spooledInputs) byte() byte {
	b, err := r.r.ReadByte()
	r.err = cmpErr(r.err, err)
	return b
}

func (r *spooledInputs) uint() uint64 {
	v, err := binary.ReadUvarint(r.r)
	r.err = cmpErr(r.err, err)
	return v
}

// inputs writes the blocks of inputs.
func (c *coinWriter) inputs(refs []uint32) error {
	c.w.begin("ins")
	var e inputEncoder
	var at []uint64
	point := uint32(0)
	flush := func() {
		at = append(at, uint64(c.w.at()-c.w.start))
		c.w.write(e.encode(point, &c.packer))
		point += e.points
		e.reset()
	}
	err := c.replay(func(i uint64, in *coinIn) {
		e.add(refs[i], in)
		if len(e.refs) == coinRows {
			flush()
		}
	})
	if err != nil {
		return err
	}
	if len(e.refs) > 0 {
		flush()
	}
	writeUint64s(c.w, "insat", at)
	return nil
}

// inputEncoder packs a block of inputs.
type inputEncoder struct {
	refs   []uint32
	stated [tierBitmap]byte
	who    []uint64
	values []chain.Amount
	points uint32
	cols   []uint64
	b      []byte
}

func (e *inputEncoder) reset() {
	e.refs, e.who, e.values, e.points, e.stated = e.refs[:0], e.who[:0], e.values[:0], 0, [tierBitmap]byte{}
}

func (e *inputEncoder) add(ref uint32, in *coinIn) {
	i := len(e.refs)
	e.refs = append(e.refs, ref)
	if ref == coinRefPoint {
		e.points++
	}
	if in.known && ref < coinRefOutput { // else the output says it
		e.stated[i>>3] |= 1 << (i & 7)
		e.who, e.values = append(e.who, uint64(in.account)), append(e.values, in.value)
	}
}

func (e *inputEncoder) encode(point uint32, packer *valueEncoder) []byte {
	base := uint32(0) // the highest output spent: most are not far below it
	for _, r := range e.refs {
		if r >= coinRefOutput {
			base = max(base, r-coinRefOutput)
		}
	}
	e.cols = e.cols[:0]
	for _, r := range e.refs {
		v := uint64(r)
		if r >= coinRefOutput {
			v = zigzag(int64(base)-int64(r-coinRefOutput)) + coinRefOutput
		}
		e.cols = append(e.cols, v)
	}
	t, who, flags := planTier(e.cols), planTier(e.who), byte(0)
	if len(e.who) > 0 {
		flags = coinInStated
	}
	b := append(e.b[:0], byte(len(e.refs)), flags)
	b = binary.LittleEndian.AppendUint32(b, point)
	b = binary.LittleEndian.AppendUint32(b, base)
	b = append(b, t.low, t.high, t.lows, byte(len(e.who)), who.low, who.high, who.lows)
	var tail []byte
	b, tail = packer.append(b, nil, e.values)
	b = appendTier(b, t, e.cols)
	if flags != 0 {
		b = append(b, e.stated[:]...)
	}
	b = appendTier(b, who, e.who)
	e.b = append(b, tail...)
	return e.b
}
