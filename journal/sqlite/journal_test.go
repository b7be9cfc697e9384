package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/sqlite"
	"bongsu/stix"
)

var t0 = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

// node is one organisation's journal in a folder.
type node struct {
	dir   string
	keys  *identity.Keys
	store journal.Store
	*journal.Journal
}

func newNode(t testing.TB, name string, opt journal.Options) *node {
	t.Helper()
	dir := t.TempDir()
	keys, err := identity.Create(dir, name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return openNode(t, dir, keys, opt)
}

func openNode(t testing.TB, dir string, keys *identity.Keys, opt journal.Options) *node {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), store, keys, opt)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{dir, keys, store, j}
	t.Cleanup(func() { n.close() })
	return n
}

func (n *node) close() {
	if n.store != nil {
		n.Journal.Close()
		n.store.Close()
		n.store = nil
	}
}

// listing is a listing of the n-th test domain.
func (n *node) listing(t testing.TB, i int, at time.Time) stix.Object {
	t.Helper()
	o, err := stix.Listing{
		Common: stix.Common{Author: n.keys.ID(), Created: t0, Modified: at, Marking: stix.TLPGreen},
		Domain: fmt.Sprintf("d%d.example", i), Reason: "test",
	}.Object()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (n *node) add(t testing.TB, objects ...stix.Object) []journal.Entry {
	t.Helper()
	var ds []journal.Draft
	for _, o := range objects {
		ds = append(ds, journal.Draft{Object: o, Actor: "kim", Basis: "GDPR 6(1)(e)", Purpose: "freeze"})
	}
	es, err := n.Append(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return es
}

func TestAppendRead(t *testing.T) {
	n := newNode(t, "Agency", journal.Options{})
	a, b := n.listing(t, 1, t0), n.listing(t, 2, t0)
	es := n.add(t, a, b)
	if len(es) != 2 || es[0].Seq != 0 || es[1].Seq != 1 || es[0].Marking != stix.TLPGreen || es[0].Author != n.keys.ID() {
		t.Fatalf("entries %+v", es)
	}
	got, err := n.Read(t.Context(), journal.LogJournal, 0, 10)
	if err != nil || len(got) != 2 || string(got[1].Payload) != string(b.Raw) || journal.Commit(got[0].Salt, got[0].Payload) != es[0].Commit {
		t.Fatalf("read %+v, %v", got, err)
	}
	s, err := n.Get(t.Context(), a.ID)
	if err != nil || s.Seq != 0 || s.Actor != "kim" {
		t.Fatalf("get %+v, %v", s, err)
	}
}

func BenchmarkAppend(b *testing.B) {
	n := newNode(b, "Agency", journal.Options{})
	var took []time.Duration
	i := 0
	for b.Loop() {
		o := n.listing(b, i, t0)
		i++
		start := time.Now()
		if _, err := n.Append(context.Background(), []journal.Draft{{Object: o}}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
