package journaltest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

func appendRead(t *testing.T, open OpenStore) {
	n := NewNode(t, open, "Agency", journal.Options{})
	a, b := n.Listing(t, 1, T0), n.Listing(t, 2, T0)
	es := n.Add(t, a, b)
	if len(es) != 2 || es[0].Seq != 0 || es[1].Seq != 1 || es[0].Marking != stix.TLPGreen || es[0].Author != n.Keys.ID() {
		t.Fatalf("entries %+v", es)
	}
	got, err := n.Read(t.Context(), journal.LogJournal, 0, 10)
	if err != nil || len(got) != 2 || string(got[1].Payload) != string(b.Raw) || journal.Commit(got[0].Salt, got[0].Payload) != es[0].Commit {
		t.Fatalf("read %+v, %v", got, err)
	}
	if got[0].Salt == got[1].Salt {
		t.Error("two payloads share a salt")
	}
	s, err := n.Get(t.Context(), a.ID)
	if err != nil || s.Seq != 0 || s.Actor != "kim" || s.Basis != "GDPR 6(1)(e)" || s.Purpose != "freeze" {
		t.Fatalf("get %+v, %v", s, err)
	}
	if _, err := n.Get(t.Context(), "note--00000000-0000-4000-8000-000000000000"); errs.Is(err) != errs.NotExist {
		t.Errorf("get what is not there: %v", err)
	}
	if got, err := n.Read(t.Context(), journal.LogJournal, 2, 10); err != nil || len(got) != 0 {
		t.Errorf("read past the end: %v, %v", got, err)
	}
	if r := n.Clean(t); r.Entries != 2 || r.Checkpoints != 1 || r.Payloads != 2 || r.Checkpoint == nil {
		t.Errorf("report %+v", r)
	}
	n.Close()
	again := OpenNode(t, open, n.Dir, n.Keys, journal.Options{})
	if s, err := again.Get(t.Context(), b.ID); err != nil || string(s.Payload) != string(b.Raw) {
		t.Errorf("after reopening: %v", err)
	}
}

func versions(t *testing.T, open OpenStore) {
	n := NewNode(t, open, "Agency", journal.Options{})
	v1, v2 := n.Listing(t, 1, T0), n.Listing(t, 1, T0.Add(time.Second))
	n.Add(t, v1)
	if es := n.Add(t, v1); es[0].Seq != 0 {
		t.Errorf("the same again became entry %d", es[0].Seq)
	}
	n.Add(t, v2)
	if s, err := n.Get(t.Context(), v1.ID); err != nil || s.Version != v2.Version() {
		t.Errorf("newest version %s, %v", s.Version, err)
	}
	if _, err := n.Append(t.Context(), []journal.Draft{{Object: v1}}); errs.Is(err) != errs.Conflict {
		t.Errorf("an older version: %v", err)
	}
	l, err := stix.ReadListing(v2)
	if err != nil {
		t.Fatal(err)
	}
	l.Reason = "another"
	other, err := l.Object()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Append(t.Context(), []journal.Draft{{Object: other}}); errs.Is(err) != errs.Conflict {
		t.Errorf("another content under the same version: %v", err)
	}
	l.Modified, l.Revoked = T0.Add(2*time.Second), true
	revoked, err := l.Object()
	if err != nil {
		t.Fatal(err)
	}
	if es := n.Add(t, revoked); !es[0].Revoked {
		t.Error("the revocation is not marked")
	}
	all, err := n.Versions(t.Context(), v1.ID)
	if err != nil || len(all) != 3 || !all[2].Revoked {
		t.Errorf("%d versions, %v", len(all), err)
	}
	n.Clean(t)
}

func draftsRefused(t *testing.T, open OpenStore) {
	n := NewNode(t, open, "Agency", journal.Options{})
	o := n.Listing(t, 1, T0)
	many := make([]identity.OrgID, journal.MaxRecipients+1)
	for i := range many {
		many[i] = n.Keys.ID()
	}
	for name, d := range map[string]journal.Draft{
		"nothing":                {},
		"marking lowered":        {Object: o, Marking: stix.TLPClear},
		"red without recipients": {Object: o, Log: "feed/x", Marking: stix.TLPRed},
		"log name":               {Object: o, Log: "feed/\n"},
		"log name upwards":       {Object: o, Log: "/journal"},
		"long purpose":           {Object: o, Purpose: strings.Repeat("x", journal.MaxText+1)},
		"bad text":               {Object: o, Actor: "\xff"},
		"bad recipient":          {Object: o, Recipients: []identity.OrgID{"me"}},
		"many recipients":        {Object: o, Recipients: many},
	} {
		if _, err := n.Append(t.Context(), []journal.Draft{{Object: n.Listing(t, 2, T0)}, d}); err == nil || errs.Hint(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if size, err := n.Size(t.Context(), journal.LogJournal); err != nil || size != 0 {
		t.Errorf("%d entries stand after refusals, %v", size, err)
	}
	n.Clean(t)
}

func atomic(t *testing.T, open OpenStore) {
	n := NewNode(t, open, "Agency", journal.Options{})
	boom := errors.New("boom")
	err := n.Update(t.Context(), func(ctx context.Context, tx *journal.Tx) error {
		if _, err := tx.Append(ctx, journal.Draft{Object: n.Listing(t, 1, T0)}, journal.Draft{Log: "feed/x", Object: n.Listing(t, 1, T0)}); err != nil {
			return err
		}
		if size, err := tx.Size(ctx, "feed/x"); err != nil || size != 1 {
			t.Errorf("inside, the feed has %d entries, %v", size, err)
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	n.Add(t, n.Listing(t, 2, T0))
	if size, err := n.Size(t.Context(), "feed/x"); err != nil || size != 0 {
		t.Errorf("the feed of a failed transaction has %d entries, %v", size, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Append(ctx, []journal.Draft{{Object: n.Listing(t, 3, T0)}}); err == nil {
		t.Error("an append under a cancelled context")
	}
	n.Clean(t)
}

func follow(t *testing.T, open OpenStore) {
	a := NewNode(t, open, "Agency", journal.Options{Poll: time.Millisecond})
	other := OpenNode(t, open, a.Dir, a.Keys, journal.Options{})
	for i := range 5 {
		a.Add(t, a.Listing(t, i, T0))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var seen []uint64
	for batch, err := range a.Follow(ctx, journal.LogJournal, 2, 2) {
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range batch {
			seen = append(seen, s.Seq)
		}
		switch len(seen) {
		case 3: // the past is told; now live, from this handle and from another
			a.Add(t, a.Listing(t, 100, T0))
		case 4:
			other.Add(t, a.Listing(t, 101, T0))
		}
		if len(seen) == 5 {
			break
		}
	}
	if fmt.Sprint(seen) != "[2 3 4 5 6]" {
		t.Errorf("followed %v", seen)
	}
	cancelled, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range a.Follow(cancelled, journal.LogJournal, 7, 1) {
			t.Error("nothing was appended")
		}
	}()
	stop()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("a follower outlives its context")
	}
}

// counter is a view that counts statements by type and repeats green ones in
// a feed.
type counter struct {
	version int
	feed    string
}

func (counter) Name() string   { return "counter" }
func (c counter) Version() int { return c.version }

func (counter) Create(ctx context.Context, tx *journal.Tx) error {
	if err := tx.Exec(ctx, "DROP TABLE IF EXISTS counter_types"); err != nil {
		return err
	}
	return tx.Exec(ctx, "CREATE TABLE counter_types (type TEXT PRIMARY KEY, n INTEGER NOT NULL)")
}

func (c counter) Apply(ctx context.Context, tx *journal.Tx, ss []journal.Statement) error {
	for _, s := range ss {
		if err := tx.Exec(ctx, "INSERT INTO counter_types (type, n) VALUES (?, 1) ON CONFLICT (type) DO UPDATE SET n=counter_types.n+1", s.Type); err != nil {
			return err
		}
		if c.feed != "" && s.Marking == stix.TLPGreen && !s.Erased {
			if _, err := tx.Append(ctx, journal.Draft{Log: c.feed, Of: &s.Entry}); err != nil {
				return err
			}
		}
	}
	return nil
}

func counted(t *testing.T, n *Node) (count int) {
	t.Helper()
	err := n.Query(t.Context(), func(ctx context.Context, tx *journal.Tx) error {
		return tx.QueryRow(ctx, "SELECT n FROM counter_types WHERE type='indicator'").Scan(&count)
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func views(t *testing.T, open OpenStore) {
	n := NewNode(t, open, "Agency", journal.Options{Views: []journal.View{counter{1, "feed/x"}}})
	for i := range 3 {
		n.Add(t, n.Listing(t, i, T0))
	}
	if c := counted(t, n); c != 3 {
		t.Errorf("the view counted %d of 3", c)
	}
	feed, err := n.Read(t.Context(), "feed/x", 0, 10)
	if err != nil || len(feed) != 3 || feed[2].Log != "feed/x" || feed[2].Seq != 2 || feed[2].Payload == nil || feed[0].Actor != "" {
		t.Errorf("the view's feed %+v, %v", feed, err)
	}
	if r := n.Clean(t); r.Logs != 2 || r.Checkpoints != 6 {
		t.Errorf("report %+v", r)
	}
	n.Close()
	// Another version is built anew from the first statement on.
	again := OpenNode(t, open, n.Dir, n.Keys, journal.Options{Views: []journal.View{counter{2, ""}}})
	if c := counted(t, again); c != 3 {
		t.Errorf("the rebuilt view counted %d of 3", c)
	}
}

func viewBehind(t *testing.T, open OpenStore) {
	with := NewNode(t, open, "Agency", journal.Options{Views: []journal.View{counter{1, "feed/x"}}})
	without := OpenNode(t, open, with.Dir, with.Keys, journal.Options{})
	with.Add(t, with.Listing(t, 0, T0))
	for i := 1; i < 5; i++ {
		without.Add(t, with.Listing(t, i, T0))
	}
	with.Add(t, with.Listing(t, 5, T0))
	if c := counted(t, with); c != 6 {
		t.Errorf("the view counted %d of 6", c)
	}
	if size, err := with.Size(t.Context(), "feed/x"); err != nil || size != 6 {
		t.Errorf("the view's feed has %d of 6, %v", size, err)
	}
	with.Clean(t)
}

// echo is a view that answers each indicator with a note in the journal, and
// writes down what it saw.
type echo struct{ author identity.OrgID }

func (echo) Name() string { return "echo" }
func (echo) Version() int { return 1 }

func (echo) Create(ctx context.Context, tx *journal.Tx) error {
	return tx.Exec(ctx, "CREATE TABLE echo_seen (seq INTEGER NOT NULL)")
}

func (v echo) Apply(ctx context.Context, tx *journal.Tx, ss []journal.Statement) error {
	for _, s := range ss {
		if err := tx.Exec(ctx, "INSERT INTO echo_seen (seq) VALUES (?)", int64(s.Seq)); err != nil {
			return err
		}
		if s.Type != "indicator" {
			continue
		}
		o, err := stix.Note{Common: stix.Common{Author: v.author, Modified: T0}, Text: "seen", Of: []string{s.ID}}.Object()
		if err != nil {
			return err
		}
		if _, err := tx.Append(ctx, journal.Draft{Object: o}); err != nil {
			return err
		}
	}
	return nil
}

// viewAnswers: a view that appends to the journal sees every statement once,
// its own answers included, also when it has to catch up.
func viewAnswers(t *testing.T, open OpenStore) {
	without := NewNode(t, open, "Agency", journal.Options{})
	without.Add(t, without.Listing(t, 0, T0), without.Listing(t, 1, T0))
	with := OpenNode(t, open, without.Dir, without.Keys, journal.Options{Views: []journal.View{echo{without.Keys.ID()}}})
	with.Add(t, with.Listing(t, 2, T0))
	without.Add(t, with.Listing(t, 3, T0), with.Listing(t, 4, T0))
	with.Add(t, with.Listing(t, 5, T0))
	var seen, distinct, size int
	err := with.Query(t.Context(), func(ctx context.Context, tx *journal.Tx) error {
		n, err := tx.Size(ctx, journal.LogJournal)
		size = int(n)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT count(*), count(DISTINCT seq) FROM echo_seen").Scan(&seen, &distinct)
	})
	if err != nil || size != 12 || seen != 12 || distinct != 12 {
		t.Errorf("of %d statements the view saw %d, %d of them different (%v); want 12", size, seen, distinct, err)
	}
	with.Clean(t)
}

func owner(t *testing.T, open OpenStore) {
	a := NewNode(t, open, "Agency", journal.Options{})
	b := NewNode(t, open, "Other", journal.Options{})
	if _, err := journal.Open(t.Context(), a.Store, b.Keys, journal.Options{}); errs.Is(err) != errs.Conflict {
		t.Errorf("another organisation's keys: %v", err)
	}
	if err := a.PutOrg(t.Context(), b.Keys.Org()); err != nil {
		t.Fatal(err)
	}
	if o, err := a.OrgByID(t.Context(), b.Keys.ID()); err != nil || o.Name != "Other" {
		t.Errorf("stored document %+v, %v", o, err)
	}
	renewed, err := identity.Replace(b.Dir, identity.RootPath(b.Dir), identity.UseSign, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.PutOrg(t.Context(), renewed.Org()); err != nil {
		t.Fatal(err)
	}
	if err := a.PutOrg(t.Context(), b.Keys.Org()); errs.Is(err) != errs.Conflict {
		t.Errorf("an older document: %v", err)
	}
	forged := renewed.Org()
	forged.Name = "Mallory"
	if err := a.PutOrg(t.Context(), forged); errs.Is(err) != errs.Forged {
		t.Errorf("a changed document: %v", err)
	}
	a.Clean(t)
}
