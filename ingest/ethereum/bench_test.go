package ethereum

import (
	"context"
	"testing"
	"time"

	"bongsu/ingest/follow"
	"bongsu/ledger"
)

const transfersABlock = 300

func busyBlock(seed uint64) []move {
	moves := make([]move, transfersABlock/2)
	for i := range moves {
		v := seed*1000 + uint64(i)
		moves[i] = move{from: byte(v%200) + 1, to: byte(v%191) + 1, value: v + 1, logs: []event{erc20(0x77, byte(v%120)+1, byte(v%101)+1, v)}}
	}
	return moves
}

// BenchmarkCatchUp follows blocks of 300 transfers (and a fee for each two)
// that are final into a ledger on the disk, all checks included.
func BenchmarkCatchUp(b *testing.B) {
	const blocks = 200
	s := newServer(b)
	for i := range blocks {
		s.chain.grow(busyBlock(uint64(i))...)
	}
	s.final = blocks - 1
	var rows uint64
	for b.Loop() {
		l, err := ledger.Open(context.Background(), b.TempDir(), ledger.Options{})
		if err != nil {
			b.Fatal(err)
		}
		rows = 0
		err = Follow(context.Background(), Config{Setup: follow.Setup{URL: s.URL, Ledger: follow.Into(l), Once: true, HTTP: s.Client(), Event: func(e follow.Event) { rows += e.Stats.Added }}})
		if err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "transfers/s")
	b.ReportMetric(blocks*float64(b.N)/b.Elapsed().Seconds(), "blocks/s")
}

// BenchmarkNewBlock times a new block of 300 transfers from its announcement
// over WebSocket until it is checked, durable and visible.
func BenchmarkNewBlock(b *testing.B) {
	s := newServer(b)
	s.chain.grow()
	l, err := ledger.Open(context.Background(), b.TempDir(), ledger.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	level, ended := make(chan struct{}, 1<<16), make(chan error, 1)
	c := config(s, follow.Into(l), overWS, func(c *Config) {
		c.Once = false
		c.Event = func(e follow.Event) {
			if e.Kind == follow.Level {
				level <- struct{}{}
			}
		}
	})
	go func() { ended <- Follow(ctx, c) }()
	<-level
	for s.subscribers() == 0 {
		time.Sleep(time.Millisecond)
	}
	n := uint64(0)
	for b.Loop() {
		b.StopTimer()
		n++
		s.change(func() { s.chain.grow(busyBlock(n)...) })
		b.StartTimer()
		s.announce()
		<-level
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
