package ledger

import (
	"math/bits"
	"slices"
)

// fanOut is how many layers of a like size are merged into one: a row is
// merged again once for each eightfold growth of the head.
const fanOut = 8

const (
	// smallLayer is how many rows and transactions a commit merges itself when
	// somebody else does so beside it: what takes less than a millisecond.
	smallLayer = 1 << 10
	// manyLayers is how many there may be until commits merge them whatever
	// their size: every reader looks through all.
	manyLayers = 64
)

// squash merges the highest layers when there are fanOut of a like size.
func (h *head) squash() {
	for {
		from, to := h.alike()
		if from == to || to < len(h.layers) || h.beside && len(h.layers) < manyLayers && weigh(h.layers[from:to]) > smallLayer {
			return
		}
		h.layers = append(slices.Clip(h.layers[:from]), mergeLayers(h.layers[from:], h.names))
	}
}

// alike are the highest fanOut layers or more that follow one another and are
// of a like size; an empty range when there are none.
func (h *head) alike() (from, to int) {
	for to = len(h.layers); to > 0; to-- {
		level, low := h.layers[to-1].level(), 0
		if to > h.fence {
			low = h.fence
		}
		from = to - 1
		for from > low && h.layers[from-1].level() <= level {
			from--
		}
		if to-from >= fanOut {
			return from, to
		}
	}
	return 0, 0
}

func weigh(layers []*layer) (n int) {
	for _, l := range layers {
		n += len(l.rows) + len(l.txs)
	}
	return n
}

// level grows by one with each eightfold size.
func (l *layer) level() int {
	return bits.Len(uint(len(l.rows)+len(l.txs))>>9) / 3
}

// squashBeside merges what commits left, while they go on: layers do not
// change, and those above stand over the merged one as they stood over its
// parts. The view stays the same, so nobody is told.
func (l *Ledger) squashBeside() {
	for {
		l.mu.Lock()
		h := l.head
		from, to := h.alike()
		layers, nm := slices.Clone(h.layers[from:to]), h.names
		l.mu.Unlock()
		if len(layers) == 0 {
			return
		}
		merged := mergeLayers(layers, nm)
		l.mu.Lock()
		if l.head == h && len(h.layers) >= to && slices.Equal(h.layers[from:to], layers) {
			h.layers = slices.Concat(h.layers[:from], []*layer{merged}, h.layers[to:])
			if to <= h.fence {
				h.fence -= to - from - 1
			}
			l.current = nil
		}
		l.mu.Unlock()
	}
}
