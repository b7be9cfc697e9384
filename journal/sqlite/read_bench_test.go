package sqlite_test

import (
	"testing"

	"bongsu/journal"
	"bongsu/journal/journaltest"
)

// fill appends n listings in one transaction.
func fill(b *testing.B, n *journaltest.Node, count int) {
	b.Helper()
	ds := make([]journal.Draft, count)
	for i := range ds {
		ds[i].Object = n.Listing(b, i, journaltest.T0)
	}
	if _, err := n.Append(b.Context(), ds); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkRead(b *testing.B) {
	n := journaltest.NewNode(b, open, "Agency", journal.Options{})
	const count = 5000
	fill(b, n, count)
	for b.Loop() {
		if got, err := n.Read(b.Context(), journal.LogJournal, 0, count); err != nil || len(got) != count {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/statement")
}

func BenchmarkCheck(b *testing.B) {
	n := journaltest.NewNode(b, open, "Agency", journal.Options{})
	const count = 5000
	fill(b, n, count)
	for b.Loop() {
		if r, err := n.Check(b.Context()); err != nil || r.Err() != nil {
			b.Fatal(err, r.Err())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/statement")
}

func BenchmarkReceive(b *testing.B) {
	from, to := journaltest.NewNode(b, open, "Agency", journal.Options{}), journaltest.NewNode(b, open, "Exchange", journal.Options{})
	journaltest.Meet(b, from, to)
	i := 0
	for b.Loop() {
		b.StopTimer()
		from.Share(b, "feed/x", from.Add(b, from.Listing(b, i, journaltest.T0))...)
		x, err := from.Batch(b.Context(), "feed/x", uint64(i), 1)
		if err != nil {
			b.Fatal(err)
		}
		i++
		b.StartTimer()
		if _, err := to.Receive(b.Context(), from.Keys.ID(), "feed/x", x); err != nil {
			b.Fatal(err)
		}
	}
}
