package ledger

import "fmt"

// consistent walks the sheet once: every input's spent output is there and
// knows its spender, every point and every output that pays someone is found,
// and nothing else is listed.
func (c *coins) consistent(s *segment) error {
	ins, outs := uint32(0), uint32(0)
	var w inputBlock
	listed := uint64(0)
	for n := range uint32(c.Txs) {
		span := c.tx(n)
		if span.firstIn != ins || span.firstOut != outs {
			return fmt.Errorf("inputs and outputs of transaction %d are out of order", n)
		}
		for i := ins; i < ins+span.ins; i++ {
			if i == ins || i%coinRows == 0 {
				c.inputBlock(i/coinRows, &w)
			}
			if err := c.consistentInput(&w, i); err != nil {
				return err
			}
		}
		for o := outs; o < outs+span.outs; o++ {
			if i, ok := c.spender(o); ok && !c.spends(i, o) {
				return fmt.Errorf("output %d has a spender that does not spend it", o)
			}
			if account, _ := c.output(o); account != 0 {
				listed++
			}
			if c.txOfOutput(o) != n {
				return fmt.Errorf("output %d does not find its transaction", o)
			}
		}
		ins, outs = ins+span.ins, outs+span.outs
	}
	if uint64(ins) != c.Inputs || uint64(outs) != c.Outputs {
		return fmt.Errorf("%d inputs and %d outputs where the description has %d and %d", ins, outs, c.Inputs, c.Outputs)
	}
	return c.consistentLists(listed)
}

func (c *coins) consistentInput(w *inputBlock, i uint32) error {
	k := int(i % coinRows)
	if o, ok := w.output(k); ok {
		if _, ok := c.spender(o); uint64(o) >= c.Outputs || !ok && c.txOfOutput(o) <= c.txOfInput(i) {
			return fmt.Errorf("input %d spends output %d, which does not know it", i, o)
		}
		return nil
	}
	if w.ref[k] != coinRefPoint {
		return nil
	}
	p := w.place(k)
	if int(p) >= c.pointCount {
		return fmt.Errorf("input %d spends an output that is not listed", i)
	}
	found := false
	b := c.point(p)
	c.pointsOf(b[:coinIDLen], uint32(b[coinIDLen])|uint32(b[coinIDLen+1])<<8|uint32(b[coinIDLen+2])<<16|uint32(b[coinIDLen+3])<<24, func(j uint32) { found = found || j == i })
	if !found {
		return fmt.Errorf("input %d is not found by the output it spends", i)
	}
	return nil
}

// spends says whether input i spends output o of the segment.
func (c *coins) spends(i, o uint32) bool {
	if uint64(i) >= c.Inputs {
		return false
	}
	var w inputBlock
	c.inputBlock(i/coinRows, &w)
	got, ok := w.output(int(i % coinRows))
	return ok && got == o
}

// consistentLists reads every account's outputs.
func (c *coins) consistentLists(want uint64) error {
	total, accounts := uint64(0), uint64(0)
	var buf [bigBook]uint32
	for a := range c.dir.accounts() {
		accounts++
		l, _ := c.list(a)
		for j := range l.chunks() {
			for _, o := range l.chunk(j, &buf) {
				if uint64(o) >= c.Outputs {
					return fmt.Errorf("account %d is paid by an output behind the last", a)
				}
				if got, _ := c.output(o); got != a {
					return fmt.Errorf("account %d is listed with output %d, which pays another", a, o)
				}
				total++
			}
		}
	}
	if total != want || accounts != c.Accounts {
		return fmt.Errorf("%d outputs are listed by account where %d pay one", total, want)
	}
	return nil
}
