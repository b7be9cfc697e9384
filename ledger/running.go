package ledger

import (
	"math/bits"

	"bongsu/chain"
)

// wide is a signed integer of 320 bits, lowest word first, two's complement:
// room for 2^63 amounts of 2^256.
type wide [5]uint64

func wideOf(a chain.Amount) wide {
	w := a.Words()
	return wide{w[0], w[1], w[2], w[3], 0}
}

func (a wide) add(b wide) (r wide) {
	var c uint64
	for i := range r {
		r[i], c = bits.Add64(a[i], b[i], c)
	}
	return r
}

func (a wide) sub(b wide) (r wide) {
	var c uint64
	for i := range r {
		r[i], c = bits.Sub64(a[i], b[i], c)
	}
	return r
}

func (a wide) negative() bool { return int64(a[4]) < 0 }

func (a wide) less(b wide) bool { return a.sub(b).negative() }

// amount is a as an amount; one too large is the largest, and false.
func (a wide) amount() (chain.Amount, bool) {
	if a[4] != 0 {
		return maxAmount, false
	}
	return chain.FromWords([4]uint64(a[:4])), true
}

// running is what a stretch of a book's rows does to its balance: a balance b
// before it becomes sum + max(b, depth) after it, where depth is how far below
// its start the sum of the rows' amounts falls. Two stretches combine.
type running struct{ sum, depth wide }

func (r *running) in(a chain.Amount) { r.sum = r.sum.add(wideOf(a)) }

func (r *running) out(a chain.Amount) {
	r.sum = r.sum.sub(wideOf(a))
	if below := (wide{}).sub(r.sum); r.depth.less(below) {
		r.depth = below
	}
}

// move books a row of an account; a transfer to oneself changes nothing.
func (r *running) move(w *Row, a AccountRef) {
	switch {
	case w.From == w.To:
	case w.To == a:
		r.in(w.Amount)
	default:
		r.out(w.Amount)
	}
}

// then is r followed by next.
func (r running) then(next running) running {
	depth := next.depth.sub(r.sum)
	if depth.less(r.depth) {
		depth = r.depth
	}
	return running{r.sum.add(next.sum), depth}
}

// balance is what an empty book holds after the stretch.
func (r running) balance() Balance {
	a, fits := r.sum.add(r.depth).amount()
	below, _ := r.depth.amount()
	return Balance{Amount: a, Below: below, Short: r.depth != (wide{}) || !fits}
}

// appendRunning writes it: for each of the two a byte (sign and the number of
// bytes) and the magnitude, lowest byte first.
func appendRunning(b []byte, r running) []byte {
	for _, v := range [2]wide{r.sum, r.depth} {
		sign := byte(0)
		if v.negative() {
			sign, v = 0x80, (wide{}).sub(v)
		}
		at := len(b)
		b = append(b, 0)
		n := 0
		for i := range 40 {
			if c := byte(v[i/8] >> (i % 8 * 8)); c != 0 {
				n = i + 1
			}
		}
		for i := range n {
			b = append(b, byte(v[i/8]>>(i%8*8)))
		}
		b[at] = sign | byte(n)
	}
	return b
}

func readRunning(b []byte) (r running) {
	for _, v := range [2]*wide{&r.sum, &r.depth} {
		n := int(b[0] & 0x3f)
		for i := range n {
			v[i/8] |= uint64(b[1+i]) << (i % 8 * 8)
		}
		if b[0]&0x80 != 0 {
			*v = (wide{}).sub(*v)
		}
		b = b[1+n:]
	}
	return r
}
