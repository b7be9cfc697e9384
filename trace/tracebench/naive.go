package main

import (
	"math/bits"

	"bongsu/figures"
)

// naiveLoop is what any time-ordered walk over rows in memory costs: for each
// step the least of a heap is replaced, and two reads at random places depend
// on each other. The memory is as large as the ledger, so that for a large one
// both reads leave the caches, as a row's would.
func naiveLoop(steps, cursors int, bytes uint64) float64 {
	memory := make([]uint64, max(bytes/8, 1<<17))
	x := uint64(88172645463325252)
	for i := range memory {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		memory[i] = x
	}
	at := func(x uint64) uint64 {
		hi, _ := bits.Mul64(x*0x9e3779b97f4a7c15, uint64(len(memory)))
		return memory[hi]
	}
	heap := make([]uint64, max(cursors, 1))
	for i := range heap {
		heap[i] = uint64(i)
	}
	start := figures.ProcessorTime()
	for range steps {
		heap[0] += at(at(heap[0]))>>16 + 1
		for i := 0; ; {
			c := 2*i + 1
			if c >= len(heap) {
				break
			}
			if c+1 < len(heap) && heap[c+1] < heap[c] {
				c++
			}
			if heap[c] >= heap[i] {
				break
			}
			heap[i], heap[c] = heap[c], heap[i]
			i = c
		}
	}
	return float64(steps) / (figures.ProcessorTime() - start).Seconds()
}
