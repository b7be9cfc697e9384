package journaltest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

const feed = "feed/agreement-1"

// pair is two partners, the first of which shared three listings.
func pair(t *testing.T, open OpenStore, opt journal.Options) (a, b *Node, shared []journal.Entry) {
	t.Helper()
	a, b = NewNode(t, open, "Agency", journal.Options{}), NewNode(t, open, "Exchange", opt)
	Meet(t, a, b)
	own := a.Add(t, a.Listing(t, 1, T0), a.Listing(t, 2, T0), a.Listing(t, 3, T0), a.Listing(t, 4, T0))
	return a, b, a.Share(t, feed, own[0], own[2], own[3])
}

func batch(t *testing.T, n *Node, from uint64, limit int) journal.Batch {
	t.Helper()
	b, err := n.Batch(t.Context(), feed, from, limit)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func receive(t *testing.T, open OpenStore) {
	a, b, _ := pair(t, open, journal.Options{Views: []journal.View{counter{1, ""}}})
	first := batch(t, a, 0, 2)
	if first.Size != 2 || len(first.Items) != 2 {
		t.Fatalf("batch of %d items, size %d", len(first.Items), first.Size)
	}
	got, err := b.Receive(t.Context(), a.Keys.ID(), feed, first)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range got {
		if r.Refused != "" || r.Duplicate || r.Entry == nil || r.Entry.Author != a.Keys.ID() || r.Entry.From.Seq != uint64(i) || r.Entry.Seq != uint64(i) {
			t.Errorf("received %+v", r)
		}
	}
	// The same again changes nothing, with or without what is new.
	if got, err = b.Receive(t.Context(), a.Keys.ID(), feed, first); err != nil || !got[0].Duplicate || got[0].Entry == nil {
		t.Errorf("again: %+v, %v", got, err)
	}
	all := batch(t, a, 0, 100)
	if got, err = b.Receive(t.Context(), a.Keys.ID(), feed, all); err != nil || !got[1].Duplicate || got[2].Duplicate || got[2].Entry == nil {
		t.Errorf("overlapping: %+v, %v", got, err)
	}
	if size, err := b.Size(t.Context(), journal.LogJournal); err != nil || size != 3 {
		t.Errorf("%d statements stand, %v", size, err)
	}
	if c := counted(t, b); c != 3 {
		t.Errorf("the view saw %d of 3", c)
	}
	if n, err := b.ReceivedSize(t.Context(), a.Keys.ID(), feed); err != nil || n != 3 {
		t.Errorf("received size %d, %v", n, err)
	}
	more := a.Share(t, feed, a.Add(t, a.Listing(t, 5, T0))...)
	a.Share(t, feed, a.Add(t, a.Listing(t, 6, T0))...)
	gap := batch(t, a, more[0].Seq+1, 10)
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, gap); errs.Is(err) != errs.Conflict || !strings.Contains(errs.Hint(err), "ask from 3") {
		t.Errorf("a gap: %v", err)
	}
	// The same object under our own name and theirs: ours is what Get gives.
	s, err := b.Get(t.Context(), a.Listing(t, 1, T0).ID)
	if err != nil || s.Author != a.Keys.ID() {
		t.Fatalf("get %+v, %v", s, err)
	}
	b.Add(t, a.Listing(t, 1, T0.Add(time.Second)))
	if s, err = b.Get(t.Context(), s.ID); err != nil || s.Author != b.Keys.ID() {
		t.Errorf("get after our own statement: %v, %v", s.Author, err)
	}
	if s, err = b.GetBy(t.Context(), a.Keys.ID(), s.ID); err != nil || s.Author != a.Keys.ID() {
		t.Errorf("get the partner's: %v, %v", s.Author, err)
	}
	a.Clean(t)
	b.Clean(t)
}

func receiveForged(t *testing.T, open OpenStore) {
	a, b, _ := pair(t, open, journal.Options{})
	mallory := NewNode(t, open, "Mallory", journal.Options{})
	good := batch(t, a, 0, 100)
	for name, change := range map[string]func(*journal.Batch){
		"payload and envelope of another": func(x *journal.Batch) { x.Items[1] = x.Items[0] },
		"items swapped":                   func(x *journal.Batch) { x.Items[0], x.Items[1] = x.Items[1], x.Items[0] },
		"an item left out":                func(x *journal.Batch) { x.Items, x.Size = x.Items[:2], 2 },
		"an item repeated":                func(x *journal.Batch) { x.Items, x.Size = append(x.Items, x.Items[2]), 4 },
		"a size that does not fit":        func(x *journal.Batch) { x.Size++ },
		"no checkpoint":                   func(x *journal.Batch) { x.Checkpoint = nil },
		"a checkpoint by another": func(x *journal.Batch) {
			text, _, _ := bytes.Cut(x.Checkpoint, []byte("\n\n"))
			mallory.Share(t, feed, mallory.Add(t, mallory.Listing(t, 1, T0))...)
			other, err := mallory.Checkpoint(t.Context(), mallory.Keys.ID(), feed)
			if err != nil {
				t.Fatal(err)
			}
			_, sig, _ := bytes.Cut(other, []byte("\n\n"))
			sig = bytes.Replace(sig, []byte(mallory.Keys.ID()), []byte(a.Keys.ID()), 1)
			x.Checkpoint = append(append(bytes.Clone(text), "\n\n"...), sig...)
		},
		"a changed marking": func(x *journal.Batch) {
			x.Items[0].Envelope = bytes.Replace(x.Items[0].Envelope, []byte("GREEN"), []byte("CLEAR"), 1)
		},
		"a changed position": func(x *journal.Batch) {
			x.Items[0].Envelope = bytes.Replace(x.Items[0].Envelope, []byte(`"seq":0`), []byte(`"seq":9`), 1)
		},
		"an envelope with a duplicate key": func(x *journal.Batch) {
			x.Items[0].Envelope = bytes.Replace(x.Items[0].Envelope, []byte(`{`), []byte(`{"seq":0,`), 1)
		},
	} {
		bad := good
		bad.Items = append([]journal.Item{}, good.Items...)
		change(&bad)
		if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, bad); errs.Is(err) != errs.Forged && errs.Is(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Receive(t.Context(), a.Keys.ID(), "feed/agreement-2", good); errs.Is(err) != errs.Forged {
		t.Errorf("as another feed: %v", err)
	}
	if _, err := b.Receive(t.Context(), mallory.Keys.ID(), feed, good); errs.Is(err) != errs.NotExist {
		t.Errorf("from an unknown organisation: %v", err)
	}
	if _, err := b.Receive(t.Context(), b.Keys.ID(), feed, good); errs.Is(err) != errs.Forged {
		t.Errorf("from ourselves: %v", err)
	}
	if size, err := b.Size(t.Context(), journal.LogJournal); err != nil || size != 0 {
		t.Errorf("%d forged statements stand, %v", size, err)
	}
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, good); err != nil {
		t.Errorf("the true batch after the forged ones: %v", err)
	}
	rewritten(t, open, a, b)
	b.Clean(t)
}

// rewritten: the author restores an older journal and goes on otherwise; the
// receiver, who saw the first truth, does not take the second.
func rewritten(t *testing.T, open OpenStore, a, b *Node) {
	t.Helper()
	dir := t.TempDir()
	fork := OpenNode(t, open, dir, a.Keys, journal.Options{})
	fork.Share(t, feed, fork.Add(t, a.Listing(t, 70, T0), a.Listing(t, 71, T0), a.Listing(t, 72, T0), a.Listing(t, 73, T0))...)
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, fork, 0, 100)); errs.Is(err) != errs.Forged || !strings.Contains(err.Error(), "rewritten") {
		t.Errorf("a rewritten feed: %v", err)
	}
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, fork, 3, 100)); errs.Is(err) != errs.Forged {
		t.Errorf("the end of a rewritten feed: %v", err)
	}
}

func receiveRefused(t *testing.T, open OpenStore) {
	a, b, _ := pair(t, open, journal.Options{})
	x := batch(t, a, 0, 100)
	x.Items[0].Payload = bytes.Replace(x.Items[0].Payload, []byte("d1.example"), []byte("d9.example"), 1)
	x.Items[1].Refused = "no rule of ours takes this"
	got, err := b.Receive(t.Context(), a.Keys.ID(), feed, x)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got[0].Refused, "committed") || got[1].Refused != "no rule of ours takes this" || got[2].Refused != "" || got[2].Entry == nil {
		t.Errorf("received %+v", got)
	}
	if r := b.Clean(t); r.Withheld != 2 {
		t.Errorf("report %+v", r)
	}
	// Another content under a version that stands is refused by itself.
	l, err := stix.ReadListing(a.Listing(t, 4, T0))
	if err != nil {
		t.Fatal(err)
	}
	l.Reason = "rewritten"
	o, err := l.Object()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Append(t.Context(), []journal.Draft{{Log: "feed/agreement-2", Object: o}}); err != nil {
		t.Fatal(err)
	}
	second, err := a.Batch(t.Context(), "feed/agreement-2", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, err = b.Receive(t.Context(), a.Keys.ID(), "feed/agreement-2", second); err != nil || !strings.Contains(got[0].Refused, "another content") {
		t.Errorf("another content: %+v, %v", got, err)
	}
	b.Clean(t)
}

func receiveRotated(t *testing.T, open OpenStore) {
	a, b, _ := pair(t, open, journal.Options{})
	stolen := batch(t, a, 0, 100)
	root := identity.RootPath(a.Dir)
	if _, err := identity.Revoke(a.Dir, root, 1, time.Now(), "stolen", time.Now()); err != nil {
		t.Fatal(err)
	}
	keys, err := identity.Replace(a.Dir, root, identity.UseSign, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.PutOrg(t.Context(), keys.Org()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, stolen); errs.Is(err) != errs.Forged {
		t.Errorf("signed by a revoked key, seen after: %v", err)
	}
	a.Close()
	again := OpenNode(t, open, a.Dir, keys, journal.Options{})
	again.Share(t, feed, again.Add(t, a.Listing(t, 50, T0))...)
	if got, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, again, 0, 100)); err != nil || len(got) != 4 {
		t.Errorf("signed by the new key: %v", err)
	}
	again.Clean(t) // what the old key signed before its revocation stays proven
	b.Clean(t)
}

// revokedLate: the theft of a key is noticed after it signed; what the node
// itself signed since then is proven by the new key, and nothing is lost.
func revokedLate(t *testing.T, open OpenStore) {
	a, b, shared := pair(t, open, journal.Options{})
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 0, 100)); err != nil {
		t.Fatal(err)
	}
	root := identity.RootPath(a.Dir)
	if _, err := identity.Replace(a.Dir, root, identity.UseSign, time.Now()); err != nil {
		t.Fatal(err)
	}
	keys, err := identity.Revoke(a.Dir, root, 1, time.Now().Add(-30*time.Minute), "stolen half an hour ago", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	a = OpenNode(t, open, a.Dir, keys, journal.Options{})
	if r := a.Clean(t); r.Superseded != 0 {
		t.Errorf("the newest checkpoints were not signed again: %+v", r)
	}
	doc, err := a.Export(t.Context(), []string{shared[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := journal.Verify(doc, journal.VerifyOptions{}); err != nil || v[0].Entry.ID != shared[0].ID {
		t.Errorf("proof by the new key: %v", err)
	}
	// The partner's copy is covered again by the next batch.
	if err := b.PutOrg(t.Context(), keys.Org()); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Check(t.Context()); err != nil || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "revoked") {
		t.Errorf("the partner's check before: %+v, %v", r.Problems, err)
	}
	if _, err := b.Export(t.Context(), []string{shared[0].ID}); errs.Is(err) != errs.Forged {
		t.Errorf("the partner's export before: %v", err)
	}
	a.Share(t, feed, a.Add(t, a.Listing(t, 80, T0))...)
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 3, 100)); err != nil {
		t.Fatal(err)
	}
	if r := b.Clean(t); r.Superseded != 1 {
		t.Errorf("the partner's check after: %+v", r)
	}
	if doc, err = b.Export(t.Context(), []string{shared[0].ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Verify(doc, journal.VerifyOptions{}); err != nil {
		t.Error(err)
	}
}

func erase(t *testing.T, open OpenStore) {
	a, _, shared := pair(t, open, journal.Options{})
	tomb, err := a.Erase(t.Context(), 0, "kim", "GDPR 17")
	if err != nil || tomb.Act != journal.Erase || tomb.Seq != 4 || tomb.Type != stix.TypeErasure {
		t.Fatalf("tombstone %+v, %v", tomb, err)
	}
	s, err := a.Get(t.Context(), shared[0].ID)
	if err != nil || !s.Erased || s.Payload != nil || s.Salt != (journal.Salt{}) {
		t.Errorf("erased statement %+v, %v", s, err)
	}
	if _, err := s.Object(); errs.Is(err) != errs.NotExist {
		t.Errorf("the erased object: %v", err)
	}
	if x := batch(t, a, 0, 100); len(x.Items) != 4 || x.Items[0].Payload != nil || !bytes.Contains(x.Items[3].Payload, []byte(shared[0].Commit.String())) {
		t.Errorf("the feed after erasure: %+v", x)
	}
	for seq, want := range map[uint64]errs.Kind{0: errs.Exist, tomb.Seq: errs.Usage, 99: errs.NotExist} {
		if _, err := a.Erase(t.Context(), seq, "kim", "x"); errs.Is(err) != want {
			t.Errorf("erasing %d: %v", seq, err)
		}
	}
	if r := a.Clean(t); r.Erased != 2 {
		t.Errorf("report %+v", r)
	}
	if _, err := a.Append(t.Context(), []journal.Draft{{Object: a.Listing(t, 1, T0)}}); errs.Is(err) != errs.Conflict {
		t.Errorf("the erased version again: %v", err)
	}
	a.Add(t, a.Listing(t, 1, T0.Add(time.Second)))
	doc, err := a.Export(t.Context(), []string{"journal/0"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := journal.Verify(doc, journal.VerifyOptions{})
	if err != nil || !v[0].Erased || v[0].Reason != "GDPR 17" || v[0].Entry.ID != shared[0].ID {
		t.Errorf("proof of an erased statement: %+v, %v", v, err)
	}
	if bytes.Contains(doc, []byte("d1.example")) {
		t.Error("the export of an erased statement holds what was erased")
	}
}

func eraseTravels(t *testing.T, open OpenStore) {
	a, b, shared := pair(t, open, journal.Options{})
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 0, 100)); err != nil {
		t.Fatal(err)
	}
	got, err := b.Get(t.Context(), shared[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	b.Share(t, "feed/onward", got.Entry)
	if _, err := a.Erase(t.Context(), 0, "kim", "GDPR 17"); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 3, 100)); err != nil || r[0].Refused != "" || r[0].Sent.Act != journal.Erase {
		t.Fatalf("received tombstone %+v, %v", r, err)
	}
	if got, err = b.Get(t.Context(), shared[0].ID); err != nil || !got.Erased {
		t.Errorf("the partner keeps what was erased: %+v, %v", got, err)
	}
	onward, err := b.Read(t.Context(), "feed/onward", 0, 10)
	if err != nil || len(onward) != 2 || !onward[0].Erased || onward[1].Act != journal.Erase {
		t.Errorf("the onward feed %+v, %v", onward, err)
	}
	if r := b.Clean(t); r.Erased != 3 {
		t.Errorf("report %+v", r)
	}
	doc, err := b.Export(t.Context(), []string{"journal/0"})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := journal.Verify(doc, journal.VerifyOptions{}); err != nil || !v[0].Erased || v[0].ReceivedBy != b.Keys.ID() {
		t.Errorf("proof of what a partner erased: %+v, %v", v, err)
	}
	// A third party who joins late gets the leaf without the payload.
	c := NewNode(t, open, "Late", journal.Options{})
	Meet(t, a, c)
	r, err := c.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 0, 100))
	if err != nil || !r[0].Erased || r[0].Entry != nil || r[1].Entry == nil {
		t.Errorf("received late: %+v, %v", r, err)
	}
	c.Clean(t)
}

func export(t *testing.T, open OpenStore) {
	a, b, shared := pair(t, open, journal.Options{})
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 0, 100)); err != nil {
		t.Fatal(err)
	}
	print := a.Keys.Org().Fingerprint()
	for name, n := range map[string]*Node{"the author's": a, "the receiver's": b} {
		doc, err := n.Export(t.Context(), []string{shared[0].ID, shared[1].ID})
		if err != nil {
			t.Fatal(err)
		}
		v, err := journal.Verify(doc, journal.VerifyOptions{Fingerprint: print})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(v) != 2 || v[0].Author != a.Keys.ID() || v[0].Name != "Agency" || v[0].Fingerprint != print || v[0].Object.ID != shared[0].ID || v[0].SignedAt.IsZero() {
			t.Errorf("%s: verified %+v", name, v)
		}
		if received := n == b; (v[0].ReceivedBy == b.Keys.ID()) != received || v[0].ReceivedAt.IsZero() == received {
			t.Errorf("%s: received by %q at %v", name, v[0].ReceivedBy, v[0].ReceivedAt)
		}
		if _, err := journal.Verify(doc, journal.VerifyOptions{Fingerprint: b.Keys.Org().Fingerprint()}); errs.Is(err) != errs.Forged {
			t.Errorf("%s: another's fingerprint: %v", name, err)
		}
	}
	for id, want := range map[string]errs.Kind{"indicator--none": errs.NotExist, "journal/99": errs.NotExist, "journal/x": errs.Usage, "nolog/0": errs.NotExist} {
		if _, err := a.Export(t.Context(), []string{id}); errs.Is(err) != want {
			t.Errorf("export of %s: %v", id, err)
		}
	}
	if _, err := a.Export(t.Context(), nil); errs.Is(err) != errs.Usage {
		t.Errorf("export of nothing: %v", err)
	}
}

// exportFlipped changes every byte of an exported document, by one bit and
// many by another, and cuts it at many lengths.
func exportFlipped(t *testing.T, open OpenStore) {
	a, b, shared := pair(t, open, journal.Options{})
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 0, 100)); err != nil {
		t.Fatal(err)
	}
	doc, err := b.Export(t.Context(), []string{shared[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Verify(doc, journal.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(doc)
	for i := range doc {
		for _, mask := range []byte{0x01, 0x20} {
			if mask == 0x20 && i%16 != 0 {
				continue
			}
			bad[i] = doc[i] ^ mask
			if _, err := journal.Verify(bad, journal.VerifyOptions{}); err == nil {
				t.Fatalf("byte %d changed from %q to %q unseen, in %q", i, doc[i], bad[i], doc[max(0, i-30):min(len(doc), i+30)])
			}
		}
		bad[i] = doc[i]
		if i%11 != 0 {
			continue
		}
		if _, err := journal.Verify(doc[:i], journal.VerifyOptions{}); err == nil {
			t.Fatalf("cut at %d unseen", i)
		}
	}
	for _, more := range []string{" ", "\n", "{}"} {
		if _, err := journal.Verify(append(bytes.Clone(doc), more...), journal.VerifyOptions{}); err == nil {
			t.Fatalf("%q added unseen", more)
		}
	}
}

func cosign(t *testing.T, open OpenStore) {
	a, b, _ := pair(t, open, journal.Options{})
	if _, err := b.Cosign(t.Context(), a.Keys.ID(), feed); errs.Is(err) != errs.NotExist {
		t.Errorf("cosigning what was not received: %v", err)
	}
	if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, batch(t, a, 0, 100)); err != nil {
		t.Fatal(err)
	}
	line, err := b.Cosign(t.Context(), a.Keys.ID(), feed)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := a.Checkpoint(t.Context(), a.Keys.ID(), feed)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := journal.VerifyCosignature(b.Keys.Org(), cp, line); err != nil || time.Since(at) > time.Minute {
		t.Errorf("cosignature at %v, %v", at, err)
	}
	if _, err := journal.VerifyCosignature(a.Keys.Org(), cp, line); errs.Is(err) != errs.Forged {
		t.Errorf("another's cosignature: %v", err)
	}
	a.Share(t, feed, a.Add(t, a.Listing(t, 9, T0))...)
	if cp, err = a.Checkpoint(t.Context(), a.Keys.ID(), feed); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.VerifyCosignature(b.Keys.Org(), cp, line); errs.Is(err) != errs.Forged {
		t.Errorf("the cosignature of another checkpoint: %v", err)
	}
}

func largeBatch(t *testing.T, open OpenStore) {
	a, b := NewNode(t, open, "Agency", journal.Options{}), NewNode(t, open, "Exchange", journal.Options{})
	Meet(t, a, b)
	const n = 300
	var ds []journal.Draft
	for i := range n {
		ds = append(ds, journal.Draft{Object: a.Listing(t, i, T0)}, journal.Draft{Log: feed, Object: a.Listing(t, i, T0)})
	}
	if _, err := a.Append(t.Context(), ds); err != nil {
		t.Fatal(err)
	}
	for from := uint64(0); from < n; {
		x := batch(t, a, from, 70)
		if _, err := b.Receive(t.Context(), a.Keys.ID(), feed, x); err != nil {
			t.Fatal(err)
		}
		from = x.Size
	}
	if r := a.Clean(t); r.Checkpoints != 2 {
		t.Errorf("one transaction made %d checkpoints", r.Checkpoints)
	}
	b.Clean(t)
}
