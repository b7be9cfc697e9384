package journaltest

import (
	"crypto/sha256"
	"testing"
	"time"

	"bongsu/journal"
	"bongsu/stix"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// naiveRoot is RFC 6962 section 2.1 as it stands there.
func naiveRoot(leaves [][]byte) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	l, r := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

// merkleTree compares checkpoints and consistency proofs with the definition.
func merkleTree(t *testing.T, open OpenStore) {
	n := NewNode(t, open, "Agency", journal.Options{})
	var leaves [][]byte
	var roots []tlog.Hash
	for i := range 20 {
		e := n.Add(t, n.Listing(t, i, T0))[0]
		env, err := e.MarshalEnvelope()
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, env)
		note, err := n.Checkpoint(t.Context(), n.Keys.ID(), journal.LogJournal)
		if err != nil {
			t.Fatal(err)
		}
		cp, err := journal.OpenCheckpoint(n.Keys.Org(), journal.LogJournal, note)
		if err != nil || cp.Size != uint64(i)+1 || cp.Root != naiveRoot(leaves) {
			t.Fatalf("checkpoint %+v, %v, want root %v", cp, err, naiveRoot(leaves))
		}
		roots = append(roots, cp.Root)
	}
	for older := 1; older <= len(roots); older++ {
		for newer := older; newer <= len(roots); newer++ {
			p, err := n.ProveConsistency(t.Context(), journal.LogJournal, uint64(older), uint64(newer))
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(p, int64(newer), roots[newer-1], int64(older), roots[older-1]); err != nil {
				t.Fatalf("%d to %d: %v", older, newer, err)
			}
		}
	}
	if _, err := n.ProveConsistency(t.Context(), journal.LogJournal, 3, 21); err == nil {
		t.Error("a proof beyond the log's size")
	}
}

// model is a journal as plain maps: what the newest payload of an object is.
type model struct {
	newest map[string]string
	seqs   map[string]uint64
	erased map[uint64]bool
	shared map[uint64]bool
	size   uint64
}

// randomWalk appends, revises, shares, erases, passes on and reopens at
// random, and compares with the model; everything checks clean at the end.
func randomWalk(t *testing.T, open OpenStore) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := NewNode(t, open, "Agency", journal.Options{}), NewNode(t, open, "Exchange", journal.Options{})
		defer a.Close()
		defer func() { b.Close() }()
		Meet(t, a, b)
		m := model{map[string]string{}, map[string]uint64{}, map[uint64]bool{}, map[uint64]bool{}, 0}
		clock := T0
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			clock = clock.Add(time.Second)
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0, 1:
				m.state(t, a, a.Listing(t, rapid.IntRange(0, 5).Draw(rt, "domain"), clock))
			case 2:
				m.share(t, rt, a)
			case 3:
				m.erase(t, rt, a)
			case 4:
				pass(t, a, b)
			}
		}
		pass(t, a, b)
		for id, want := range m.newest {
			s, err := a.Get(t.Context(), id)
			if err != nil || string(s.Payload) != want {
				rt.Fatalf("%s: %q, %v, want %q", id, s.Payload, err, want)
			}
		}
		a.Clean(t)
		b.Clean(t)
		b.Close()
		b = OpenNode(t, open, b.Dir, b.Keys, journal.Options{})
		b.Clean(t)
		if t.Failed() {
			rt.FailNow()
		}
	})
}

func (m *model) state(t *testing.T, a *Node, o stix.Object) {
	e := a.Add(t, o)[0]
	m.newest[o.ID], m.seqs[o.ID] = string(o.Raw), e.Seq
	m.size = e.Seq + 1
}

func (m *model) share(t *testing.T, rt *rapid.T, a *Node) {
	if m.size == 0 {
		return
	}
	seq := rapid.Uint64Range(0, m.size-1).Draw(rt, "share")
	s, err := a.Read(t.Context(), journal.LogJournal, seq, 1)
	if err != nil {
		rt.Fatal(err)
	}
	newest, err := a.Get(t.Context(), s[0].ID)
	if err != nil {
		rt.Fatal(err)
	}
	if s[0].Erased || s[0].Act == journal.Erase || newest.Seq != seq {
		return
	}
	a.Share(t, feed, s[0].Entry)
	m.shared[seq] = true
}

func (m *model) erase(t *testing.T, rt *rapid.T, a *Node) {
	if m.size == 0 {
		return
	}
	seq := rapid.Uint64Range(0, m.size-1).Draw(rt, "erase")
	s, err := a.Read(t.Context(), journal.LogJournal, seq, 1)
	if err != nil {
		rt.Fatal(err)
	}
	if s[0].Erased || s[0].Act == journal.Erase {
		return
	}
	e, err := a.Erase(t.Context(), seq, "kim", "retention")
	if err != nil {
		rt.Fatal(err)
	}
	m.size = e.Seq + 1
	m.erased[seq] = true
	if m.seqs[s[0].ID] == seq {
		m.newest[s[0].ID] = ""
	}
}

// pass sends what the feed has, in batches of two, each twice.
func pass(t *testing.T, a, b *Node) {
	t.Helper()
	for {
		from, err := b.ReceivedSize(t.Context(), a.Keys.ID(), feed)
		if err != nil {
			t.Fatal(err)
		}
		x := batch(t, a, from, 2)
		if len(x.Items) == 0 {
			return
		}
		for range 2 {
			if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, x); err != nil {
				t.Fatal(err)
			}
		}
	}
}
