package main

import (
	"fmt"
	"time"

	"bongsu/chain"
)

// gather is how many random 8-byte reads a second the memory gives, from 512
// MB.
func gather() float64 {
	list := make([]uint64, 64<<20)
	for i := range list {
		list[i] = uint64(i) * 0x9e3779b97f4a7c15
	}
	const reads = 20_000_000
	start := time.Now()
	sum, x := uint64(0), uint64(88172645463325252)
	for range reads {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		sum += list[x&(64<<20-1)]
	}
	took := time.Since(start)
	if sum == 1 {
		fmt.Println()
	}
	return reads / took.Seconds()
}

func plainScan(n int) float64 {
	from, place, amount := make([]uint64, n), make([]uint64, n), make([]chain.Amount, n)
	for i := range from {
		from[i], place[i], amount[i] = uint64(i), uint64(i), chain.Units(uint64(i))
	}
	start := time.Now()
	sum := uint64(0)
	for i := range from {
		w, _ := amount[i].Uint64()
		sum += from[i] + place[i] + w
	}
	took := time.Since(start)
	if sum == 1 {
		fmt.Println()
	}
	return float64(n) / took.Seconds()
}
