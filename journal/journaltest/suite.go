// Package journaltest is the suite that every journal.Store passes: the whole
// journal, run over the store, with partners, views, erasures and proofs.
//
// It is for tests only. A store's own test calls Run and adds what only it can
// show (files, crashes, tampering).
package journaltest

import (
	"fmt"
	"testing"
	"time"

	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// OpenStore opens the store kept under a folder; twice the same folder gives
// the same rows.
type OpenStore func(t testing.TB, dir string) journal.Store

// T0 is a time of creation for test objects.
var T0 = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

// Node is one organisation with a journal of its own.
type Node struct {
	*journal.Journal
	Dir   string
	Keys  *identity.Keys
	Store journal.Store
}

// NewNode makes an organisation in a new folder and opens its journal; all is
// closed when the test ends.
func NewNode(t testing.TB, open OpenStore, name string, opt journal.Options) *Node {
	t.Helper()
	dir := t.TempDir()
	keys, err := identity.Create(dir, name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return OpenNode(t, open, dir, keys, opt)
}

// OpenNode opens the journal of an organisation that exists.
func OpenNode(t testing.TB, open OpenStore, dir string, keys *identity.Keys, opt journal.Options) *Node {
	t.Helper()
	n := &Node{Dir: dir, Keys: keys, Store: open(t, dir)}
	t.Cleanup(n.Close)
	var err error
	if n.Journal, err = journal.Open(t.Context(), n.Store, keys, opt); err != nil {
		t.Fatal(err)
	}
	return n
}

// Close closes the journal and its store; again is no harm.
func (n *Node) Close() {
	if n.Store == nil {
		return
	}
	if n.Journal != nil {
		n.Journal.Close()
	}
	n.Store.Close()
	n.Store = nil
}

// Meet gives two organisations each other's documents.
func Meet(t testing.TB, a, b *Node) {
	t.Helper()
	if err := a.PutOrg(t.Context(), b.Keys.Org()); err != nil {
		t.Fatal(err)
	}
	if err := b.PutOrg(t.Context(), a.Keys.Org()); err != nil {
		t.Fatal(err)
	}
}

// Listing is the node's listing of its i-th test domain.
func (n *Node) Listing(t testing.TB, i int, modified time.Time) stix.Object {
	t.Helper()
	o, err := stix.Listing{
		Common: stix.Common{Author: n.Keys.ID(), Created: T0, Modified: modified, Marking: stix.TLPGreen},
		Domain: fmt.Sprintf("d%d.example", i), Reason: "test",
	}.Object()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Add appends objects to the journal.
func (n *Node) Add(t testing.TB, objects ...stix.Object) []journal.Entry {
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

// Share repeats entries in a feed.
func (n *Node) Share(t testing.TB, feed string, entries ...journal.Entry) []journal.Entry {
	t.Helper()
	var ds []journal.Draft
	for _, e := range entries {
		ds = append(ds, journal.Draft{Log: feed, Of: &e})
	}
	es, err := n.Append(t.Context(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return es
}

// Clean checks the journal and fails the test for each problem.
func (n *Node) Clean(t testing.TB) journal.Report {
	t.Helper()
	r, err := n.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Errorf("%s: %s: %s", n.Keys.Org().Name, p.Where, p.What)
	}
	return r
}

// Run runs the suite.
func Run(t *testing.T, open OpenStore) {
	for name, test := range map[string]func(*testing.T, OpenStore){
		"append and read":     appendRead,
		"versions":            versions,
		"drafts refused":      draftsRefused,
		"atomic":              atomic,
		"follow":              follow,
		"views":               views,
		"view left behind":    viewBehind,
		"view answers":        viewAnswers,
		"owner":               owner,
		"receive":             receive,
		"receive forged":      receiveForged,
		"receive one refused": receiveRefused,
		"receive rotated key": receiveRotated,
		"revoked late":        revokedLate,
		"erase":               erase,
		"erase travels":       eraseTravels,
		"export":              export,
		"export flipped":      exportFlipped,
		"cosign":              cosign,
		"large batch":         largeBatch,
		"tree":                merkleTree,
		"random walk":         randomWalk,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}
