package trace

import "bongsu/chain"

// fifo draws from the oldest lot on: the rule of Clayton's case (1816).
type fifo struct{ queue }

func (fifo) draw(b *book, a chain.Amount, out []lot) []lot {
	for !a.IsZero() {
		out, a = b.popHead(a, out)
	}
	return out
}
