package trace

import "bongsu/chain"

// lifo draws from the newest lot back. The receiver acquires the pieces in the
// order in which they were drawn.
type lifo struct{ queue }

func (lifo) draw(b *book, a chain.Amount, out []lot) []lot {
	for !a.IsZero() {
		out, a = b.popTail(a, out)
	}
	return out
}
