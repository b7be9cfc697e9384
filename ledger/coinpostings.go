package ledger

import (
	"encoding/binary"
	"io"

	"bongsu/errs"
)

// coinPostings writes which outputs pay whom: as postingWriter does for rows,
// with one list for each account.
type coinPostings struct {
	c       *coinWriter
	set     rankedAccounts
	starts  []uint32      // where each one's entries begin
	entries table[uint32] // outputs, by account
	skips   []byte
	list    bitWriter
}

func (c *coinWriter) addresses() error {
	p := &coinPostings{c: c}
	defer p.entries.free()
	if err := p.gather(); err != nil {
		return err
	}
	p.set.write(c.w)
	p.write()
	return c.w.err
}

// each reads the accounts of all outputs back.
func (p *coinPostings) each(use func(a uint64, output uint32)) error {
	c := p.c
	c.w.flush()
	sec := c.w.trailer.Sections["outs"]
	ends := append(c.outAt[1:len(c.outAt):len(c.outAt)], uint64(sec.Len))
	buf := make([]byte, 0, 1<<20)
	var list [coinRows]uint64
	for k := 0; k < len(c.outAt); {
		from, n := c.outAt[k], k+1 // some blocks at once
		for n < len(ends) && ends[n]-from <= 1<<19 {
			n++
		}
		size := int(ends[n-1] - from)
		if cap(buf) < size+sheetSlack {
			buf = make([]byte, 0, size+sheetSlack)
		}
		buf = buf[:size+sheetSlack]
		if _, err := c.w.f.ReadAt(buf[:size], sec.At+int64(from)); err != nil && err != io.EOF {
			return errs.Wrap("import", c.w.name, err)
		}
		for ; k < n; k++ {
			b := buf[c.outAt[k]-from:]
			count := int(b[0])
			tier{b[1], b[2], b[3]}.all(b[coinOutHeader:], list[:count])
			for i, a := range list[:count] {
				if a != 0 {
					use(a, uint32(k*coinRows+i))
				}
			}
		}
	}
	return nil
}

// gather lists each account's outputs by counting sort.
func (p *coinPostings) gather() error {
	c := p.c
	if len(c.outAt) == 0 || c.highest == 0 {
		p.starts = make([]uint32, 1)
		return nil
	}
	first := uint64(c.lowest)
	c.info.FirstAccount = first
	p.set.first, p.set.words = first, make([]uint64, (uint64(c.highest)-first)/64+1)
	if err := p.each(func(a uint64, _ uint32) { p.set.words[(a-first)/64] |= 1 << ((a - first) % 64) }); err != nil {
		return err
	}
	total := p.set.count()
	c.info.Accounts = uint64(total)
	place := p.set.place
	p.starts = make([]uint32, total+2)
	if err := p.each(func(a uint64, _ uint32) { p.starts[place(a)+2]++ }); err != nil {
		return err
	}
	for i := 2; i < len(p.starts); i++ {
		p.starts[i] += p.starts[i-1]
	}
	p.entries = newTable[uint32](int(p.starts[len(p.starts)-1]))
	err := p.each(func(a uint64, output uint32) {
		n := place(a) + 1
		p.entries.list[p.starts[n]] = output
		p.starts[n]++
	})
	p.starts = p.starts[:total+1]
	return err
}

func (p *coinPostings) write() {
	w := newListWriter(p.c.w)
	for n := range len(p.starts) - 1 {
		outputs := p.entries.list[p.starts[n]:p.starts[n+1]]
		p.account(outputs)
		w.add(p.list.b, len(outputs) > bigBook)
	}
	w.finish()
	p.c.w.begin("skips")
	p.c.w.write(p.skips)
}

// account writes a list: count, Rice parameter, for a long one its first skip,
// and the distances.
func (p *coinPostings) account(outputs []uint32) {
	w := &p.list
	w.reset()
	if len(outputs) <= bigBook { // near
		w.put(0, 1)
	}
	w.gamma(uint64(len(outputs)))
	k := riceParameter(uint64(len(outputs)), uint64(outputs[len(outputs)-1]))
	w.put(uint64(k), 5)
	if len(outputs) > bigBook {
		w.put(uint64(len(p.skips)/coinSkipEntry), 32)
	}
	start := w.bitLen()
	prev := int64(-1)
	for i, o := range outputs {
		if i > 0 && i%bigBook == 0 {
			p.skips = binary.LittleEndian.AppendUint32(p.skips, uint32(prev))
			p.skips = binary.LittleEndian.AppendUint32(p.skips, uint32(w.bitLen()-start))
		}
		w.rice(uint64(int64(o)-prev-1), k)
		prev = int64(o)
	}
	w.align()
}
