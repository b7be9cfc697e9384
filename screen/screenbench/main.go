// Command screenbench measures the screening index beside a Go map with the
// same keys in the same run, and writes build/bench/screen.json.
//
// It fills an index with -keys listings of different accounts through the same
// door as the journal does, merges, then looks up keys that are there and keys
// that are not, in an order that the processor cannot guess. Figures are the
// median of -rounds. It is a measuring tool and is not shipped.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"bongsu/figures"
	"bongsu/screen"

	"github.com/google/uuid"
)

func main() {
	n := flag.Int("keys", 5_000_000, "listed accounts")
	rounds := flag.Int("rounds", 5, "rounds of lookups")
	probes := flag.Int("probes", 2_000_000, "lookups a round")
	out := flag.String("out", "build/bench/screen.json", "where the figures go")
	flag.Parse()
	if err := run(*n, *rounds, *probes, *out); err != nil {
		fmt.Fprintln(os.Stderr, "screenbench:", err)
		os.Exit(1)
	}
}

func run(n, rounds, probes int, out string) error {
	table := figures.Table{Out: os.Stdout}
	began := time.Now()
	x := fill(n)
	defer x.Close()
	table.Add("load", float64(n)/time.Since(began).Seconds(), "statements/s", 0, "")
	runtime.GC()

	st := x.Stats()
	before := heap()
	m := make(map[screen.Key]uint32, n)
	for i := range n {
		m[key(i)] = uint32(i)
	}
	mapBytes := float64(heap()-before) / float64(n)

	hits, misses := order(n, probes, 0), order(n, probes, n)
	hitKeys, missKeys := keysOf(hits), keysOf(misses)
	t := medians(rounds, probes,
		func() { sink += x.Named(hitKeys) }, func() { lookupMap(m, hitKeys) },
		func() { sink += x.Named(missKeys) }, func() { lookupMap(m, missKeys) },
		texts(x, misses))
	runtime.KeepAlive(m)

	table.Add("hit", t[0], "ns", t[1], "a Go map")
	table.Add("miss", t[2], "ns", t[3], "a Go map")
	table.Add("index", float64(st.IndexBytes)/float64(n), "bytes/key", mapBytes, "a Go map")
	table.Add("index and statements", float64(st.Bytes)/float64(n), "bytes/key", 0, "")
	table.Add("address text to JSON, clear", t[4], "ns", 0, "")
	runtime.KeepAlive(sink)
	return table.Write(out)
}

// address is the i-th account's text, spread over the whole space.
func address(i int) string {
	var b [20]byte
	binary.BigEndian.PutUint64(b[:], mix(uint64(i)))
	binary.BigEndian.PutUint64(b[8:], mix(uint64(i)+1<<40))
	binary.BigEndian.PutUint32(b[16:], uint32(mix(uint64(i)+1<<41)))
	return fmt.Sprintf("0x%x", b)
}

// mix is the finaliser of splitmix64.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func reading(i int) screen.Reading {
	r, err := screen.Read(address(i))
	if err != nil {
		panic(err)
	}
	return r
}

func key(i int) screen.Key { return reading(i).Key }

func fill(n int) *screen.Index {
	x := screen.New(screen.Config{})
	since := time.Date(2025, 2, 21, 0, 0, 0, 0, time.UTC)
	const step = 1000
	batch := make([]screen.Statement, 0, step)
	for i := range n {
		id := uuid.UUID{6: 0x40, 8: 0x80}
		binary.BigEndian.PutUint32(id[:], uint32(mix(uint64(i))))
		binary.BigEndian.PutUint32(id[12:], uint32(i))
		batch = append(batch, screen.Statement{
			ID: "indicator--" + id.String(), Author: fmt.Sprintf("identity--%d", i%50), Version: since, Readings: []screen.Reading{reading(i)},
			Reason: screen.Reason{Kind: screen.Listing, Marking: "TLP:AMBER", Since: since, Text: "listed by the benchmark"},
		})
		if len(batch) == step || i == n-1 {
			x.PutAll(batch)
			batch = batch[:0]
		}
	}
	x.Flush()
	return x
}

// order is probes numbers from base to base+n in random order.
func order(n, probes, base int) []int {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]int, probes)
	for i := range out {
		out[i] = base + r.IntN(n)
	}
	return out
}

// medians times works in turns, so that a busy moment of the machine meets all
// of them alike, and returns each one's median in nanoseconds a probe.
func medians(rounds, probes int, works ...func()) []float64 {
	times := make([][]float64, len(works))
	for range rounds {
		for i, work := range works {
			began := time.Now()
			work()
			times[i] = append(times[i], float64(time.Since(began).Nanoseconds())/float64(probes))
		}
	}
	out := make([]float64, len(works))
	for i := range times {
		slices.Sort(times[i])
		out[i] = times[i][rounds/2]
	}
	return out
}

func keysOf(which []int) []screen.Key {
	keys := make([]screen.Key, len(which))
	for i, w := range which {
		keys[i] = key(w)
	}
	return keys
}

// sink keeps the compiler from leaving the lookups out.
var sink int

func lookupMap(m map[screen.Key]uint32, keys []screen.Key) {
	for i := range keys {
		if _, ok := m[keys[i]]; ok {
			sink++
		}
	}
}

// texts is the whole way from address text to the answer's JSON.
func texts(x *screen.Index, which []int) func() {
	values := make([]string, len(which))
	for i, w := range which {
		values[i] = strings.Clone(address(w))
	}
	var dst []byte
	return func() {
		for part := range slices.Chunk(values, 100) {
			dst = x.AppendJSON(dst[:0], part, nil)
			sink += len(dst)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
