package trace

import "bongsu/chain"

// poison taints everything that shares a book with taint. The simulation turns
// clean money before a book acquires it (see sim.turn), so that a book is
// either wholly tainted or wholly clean; drawing is then first in, first out,
// which decides only which arrival a holding dates from.
type poison struct{ queue }

func (poison) draw(b *book, a chain.Amount, out []lot) []lot {
	return fifo{}.draw(b, a, out)
}
