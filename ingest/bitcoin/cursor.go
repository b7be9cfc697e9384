package bitcoin

import "encoding/binary"

// cursor reads little-endian fields. The first failure sticks in bad; what is
// read after it is zero.
type cursor struct {
	b   []byte
	at  int
	bad string
}

func (c *cursor) take(n int) []byte {
	if c.bad != "" {
		return nil
	}
	if n < 0 || n > len(c.b)-c.at {
		c.bad = "it ends too early"
		return nil
	}
	c.at += n
	return c.b[c.at-n : c.at : c.at]
}

func (c *cursor) skip(n int) { c.take(n) }

// peek is the byte n places ahead, or 255 beyond the end.
func (c *cursor) peek(n int) byte {
	if c.bad != "" || c.at+n >= len(c.b) {
		return 255
	}
	return c.b[c.at+n]
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// varInt reads a compact size; one longer than needed is refused, as nodes do.
func (c *cursor) varInt() uint64 {
	b := c.take(1)
	if b == nil {
		return 0
	}
	width := 0
	switch b[0] {
	case 0xfd:
		width = 2
	case 0xfe:
		width = 4
	case 0xff:
		width = 8
	default:
		return uint64(b[0])
	}
	v := uint64(0)
	for i, x := range c.take(width) {
		v |= uint64(x) << (8 * i)
	}
	if c.bad == "" && (v < 0xfd || width > 2 && v <= 0xffff || width > 4 && v <= 0xffffffff) {
		c.bad = "a length written longer than needed"
	}
	return v
}

// count reads how many items follow, each of at least size bytes, and refuses
// more than can be there, so that a length never allocates more than a small
// multiple of the bytes at hand.
func (c *cursor) count(size int) int {
	n := c.varInt()
	if c.bad != "" {
		return 0
	}
	if n > uint64((len(c.b)-c.at)/size) {
		c.bad = "it announces more items than its bytes can hold"
		return 0
	}
	return int(n)
}

func (c *cursor) varBytes() []byte {
	n := c.varInt()
	if c.bad == "" && n > uint64(len(c.b)-c.at) {
		c.bad = "it ends too early"
	}
	return c.take(int(n))
}

func (c *cursor) input() In {
	var in In
	if b := c.take(32); b != nil {
		in.Prev.Tx = fromWire(b)
	}
	in.Prev.Index = c.u32()
	in.Script = c.varBytes()
	in.Sequence = c.u32()
	return in
}

func (c *cursor) skipWitness(inputs int) {
	for range inputs {
		for range c.count(1) {
			c.varBytes()
		}
	}
}
