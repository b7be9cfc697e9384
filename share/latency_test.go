package share_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"bongsu/journal"
	"bongsu/stix"
)

// BenchmarkLatency measures, one statement at a time, from just before the
// append at the author to the receiver's follower holding the statement: two
// durable commits, with full sync, and the wire between. One clock: both nodes
// are in this process, over loopback with mutual TLS.
func BenchmarkLatency(b *testing.B) {
	seoul, europe, _ := pair(b, nodeOptions{}, nodeOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	from, err := europe.journal.Size(ctx, journal.LogJournal)
	if err != nil {
		b.Fatal(err)
	}
	type arrival struct {
		id string
		at time.Time
	}
	arrivals := make(chan arrival, 1024)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for batch, err := range europe.journal.Follow(ctx, journal.LogJournal, from, 100) {
			if err != nil {
				return
			}
			for _, st := range batch {
				if st.Type == "indicator" {
					arrivals <- arrival{st.ID, time.Now()}
				}
			}
		}
	}()
	var took, committed []time.Duration
	i := 0
	for b.Loop() {
		i++
		d := seoul.listing(i, stix.TLPAmber)
		began := time.Now()
		seoul.say(d)
		committed = append(committed, time.Since(began))
		a := <-arrivals
		if a.id != d.Object.ID {
			b.Fatalf("%s arrived, want %s", a.id, d.Object.ID)
		}
		took = append(took, a.at.Sub(began))
		time.Sleep(pauseBetween)
	}
	cancel()
	<-done
	report := func(list []time.Duration, name string) {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, name+"-p50-ms")
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, name+"-p99-ms")
	}
	report(committed, "append")
	report(took, "arrival")
}

// pauseBetween lets receipts of one statement pass before the next.
const pauseBetween = 3 * time.Millisecond

// BenchmarkCatchUp measures how fast a partner that was away gets what was
// said meanwhile.
func BenchmarkCatchUp(b *testing.B) {
	const many = 5000
	for b.Loop() {
		seoul, europe, _ := pair(b, nodeOptions{}, nodeOptions{})
		europe.end()
		var last journal.Entry
		for at := 0; at < many; at += 500 {
			drafts := make([]journal.Draft, 500)
			for i := range drafts {
				drafts[i] = seoul.listing(at+i, stix.TLPAmber)
			}
			last = seoul.say(drafts...)[499]
		}
		began := time.Now()
		europe.start()
		until(b, "all arrives", func() bool { return europe.has(seoul, last) })
		b.ReportMetric(many/time.Since(began).Seconds(), "statements/s")
		seoul.end()
		europe.end()
	}
}
