package screen

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

const (
	agency   identity.OrgID = "identity--00000000-0000-4000-8000-00000000000a"
	exchange identity.OrgID = "identity--00000000-0000-4000-8000-00000000000b"
)

// memory is a journal in memory, as far as the index reads one.
type memory struct {
	mu      sync.Mutex
	entries []journal.Statement
	grown   chan struct{}
}

func newMemory() *memory { return &memory{grown: make(chan struct{})} }

func (m *memory) add(t *testing.T, author identity.OrgID, o stix.Object, err error) journal.Statement {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	marking := o.Marking
	if marking == stix.TLPNone {
		marking = stix.DefaultTLP
	}
	return m.append(journal.Statement{
		Entry:   journal.Entry{Act: journal.State, ID: o.ID, Type: o.Type, Version: o.Version(), Revoked: o.Revoked, Author: author, Marking: marking, Time: epoch},
		Payload: o.Raw,
	})
}

func (m *memory) append(st journal.Statement) journal.Statement {
	m.mu.Lock()
	defer m.mu.Unlock()
	st.Seq = uint64(len(m.entries))
	m.entries = append(m.entries, st)
	close(m.grown)
	m.grown = make(chan struct{})
	return st
}

// erase does what Journal.Erase does.
func (m *memory) erase(t *testing.T, st journal.Statement) {
	t.Helper()
	m.mu.Lock()
	m.entries[st.Seq].Payload, m.entries[st.Seq].Erased = nil, true
	m.mu.Unlock()
	e := stix.Erasure{Common: stix.Common{Author: agency, Modified: epoch.Add(time.Hour)}, Statement: st.ID, Log: journal.LogJournal, Seq: st.Seq, Commitment: strings.Repeat("00", 32), Reason: "retention"}
	o, err := e.Object()
	if err != nil {
		t.Fatal(err)
	}
	m.append(journal.Statement{Entry: journal.Entry{Act: journal.Erase, ID: o.ID, Type: o.Type, Version: o.Version(), Author: agency, Time: epoch}, Payload: o.Raw})
}

func (m *memory) Size(context.Context, string) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.entries)), nil
}

func (m *memory) Read(_ context.Context, _ string, from uint64, limit int) ([]journal.Statement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if from >= uint64(len(m.entries)) {
		return nil, nil
	}
	rest := m.entries[from:]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (m *memory) Versions(_ context.Context, id string) (out []journal.Statement, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, st := range m.entries {
		if st.ID == id {
			out = append(out, st)
		}
	}
	return out, nil
}

func (m *memory) Follow(ctx context.Context, log string, from uint64, limit int) iter.Seq2[[]journal.Statement, error] {
	return func(yield func([]journal.Statement, error) bool) {
		for {
			m.mu.Lock()
			grown := m.grown
			m.mu.Unlock()
			batch, _ := m.Read(ctx, log, from, limit)
			if len(batch) > 0 {
				from += uint64(len(batch))
				if !yield(batch, nil) {
					return
				}
				continue
			}
			select {
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			case <-grown:
			}
		}
	}
}

func (m *memory) Org() identity.Org { return identity.Org{ID: agency, Name: "Agency"} }

func (m *memory) OrgByID(_ context.Context, id identity.OrgID) (identity.Org, error) {
	if id == exchange {
		return identity.Org{ID: exchange, Name: "Exchange"}, nil
	}
	return identity.Org{}, errs.New("organisation", errs.NotExist, string(id), "not known", "")
}

func account(n int) chain.Account {
	a, err := chain.ParseAccount(address(n), "")
	if err != nil {
		panic(err)
	}
	return a
}

func listed(n int, author identity.OrgID, modified time.Time, revoked bool) (stix.Object, error) {
	return stix.Listing{
		Common:  stix.Common{Author: author, Created: epoch, Modified: modified, Revoked: revoked, Marking: stix.TLPAmber},
		Account: account(n), Reason: "theft of funds", Since: epoch,
	}.Object()
}

func load(t *testing.T, m *memory) *Index {
	t.Helper()
	x := newTest(t, Config{})
	if err := x.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestListingsOfTheJournal(t *testing.T) {
	m := newMemory()
	o, err := listed(1, exchange, epoch, false)
	m.add(t, exchange, o, err)
	o, err = stix.Listing{Common: stix.Common{Author: agency, Modified: epoch}, Domain: "evil.example"}.Object()
	m.add(t, agency, o, err)
	o, err = stix.Note{Common: stix.Common{Author: agency, Modified: epoch}, Text: "a note", Of: []string{o.ID}}.Object()
	m.add(t, agency, o, err)
	got := load(t, m).Screen([]string{address(1), "Evil.example", address(2)})
	r := got[0].Reasons
	if len(r) != 1 || r[0].Author != string(exchange) || r[0].AuthorName != "Exchange" || r[0].Marking != "TLP:AMBER" || r[0].Kind != Listing ||
		r[0].Text != "theft of funds" || !r[0].Since.Equal(epoch) || got[0].Verdict != Block {
		t.Errorf("%+v", got[0])
	}
	if got[1].Verdict != Block || got[1].Reasons[0].AuthorName != "Agency" || got[1].Reasons[0].Marking != "TLP:AMBER+STRICT" {
		t.Errorf("%+v", got[1])
	}
	if got[2].Verdict != Clear {
		t.Errorf("%+v", got[2])
	}
}

func TestFindingsOfTheJournal(t *testing.T) {
	m := newMemory()
	eth := stix.Amount{Asset: "eip155:1/slip44:60", Symbol: "ETH", Amount: "10000", Base: "10000000000000000000000"}
	for i, f := range []stix.Finding{
		{Place: stix.Holding, Basis: stix.Observed},
		{Place: stix.Holding, Basis: stix.Inferred, Rule: "known-first"},
		{Place: stix.Passed, Basis: stix.Observed},
		{Place: stix.Holding, Basis: stix.Observed, Provisional: true},
		{Place: stix.Exit, Basis: stix.Observed, Label: "Some exchange", Category: "exchange", Source: "a list"},
	} {
		f.Common = stix.Common{Author: agency, Modified: epoch, Marking: stix.TLPGreen}
		f.Theft, f.Account, f.Amount, f.Origin, f.Since = "incident--"+uuid.Nil.String(), account(i), eth, eth, epoch.Add(-time.Hour)
		o, err := f.Object()
		m.add(t, agency, o, err)
	}
	x := load(t, m)
	for i, want := range []Verdict{Block, Hold, Watch, Watch, Watch} {
		got := x.Screen([]string{address(i)})[0]
		if got.Verdict != want || len(got.Reasons) != 1 {
			t.Errorf("finding %d: %+v, want %v", i, got, want)
			continue
		}
		r := got.Reasons[0]
		if r.Kind != Exposure || r.Theft == "" || r.Amount == nil || *r.Amount != Money(eth) || r.Origin == nil || !r.Since.Equal(epoch.Add(-time.Hour)) {
			t.Errorf("finding %d: %+v", i, r)
		}
	}
	if r := x.Screen([]string{address(1)})[0].Reasons[0]; r.Rule != "known-first" || r.Basis != Inferred {
		t.Errorf("%+v", r)
	}
	if r := x.Screen([]string{address(4)})[0].Reasons[0]; r.Label != "Some exchange" {
		t.Errorf("%+v", r)
	}
}

// The object's created_by_ref is the author's word; the journal has the proof.
func TestAuthorIsTheProvenOne(t *testing.T) {
	m := newMemory()
	o, err := listed(1, agency, epoch, false)
	m.add(t, agency, o, err)
	o, err = listed(1, agency, epoch.Add(time.Minute), true) // the exchange sends a revocation in the agency's name
	m.add(t, exchange, o, err)
	if got := load(t, m).Screen([]string{address(1)})[0]; got.Verdict != Block || got.Reasons[0].Author != string(agency) {
		t.Errorf("%+v", got)
	}
}

func TestRevocationAndErasure(t *testing.T) {
	m := newMemory()
	x := newTest(t, Config{})
	at := func(want ...Verdict) {
		t.Helper()
		if err := x.Load(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		fresh := load(t, m)
		for n, w := range want {
			if got := x.Screen([]string{address(n)})[0].Verdict; got != w {
				t.Errorf("value %d: %v, want %v", n, got, w)
			}
			if got := fresh.Screen([]string{address(n)})[0].Verdict; got != w {
				t.Errorf("value %d, loaded anew: %v, want %v", n, got, w)
			}
		}
	}
	o, err := listed(0, agency, epoch, false)
	m.add(t, agency, o, err)
	o, err = listed(1, exchange, epoch, false)
	old := m.add(t, exchange, o, err)
	at(Block, Block)
	o, err = listed(0, agency, epoch.Add(time.Second), true)
	m.add(t, agency, o, err)
	at(Clear, Block)
	o, err = listed(1, exchange, epoch.Add(time.Second), false)
	newer := m.add(t, exchange, o, err)
	m.erase(t, old) // an older version's payload: the newer stands
	at(Clear, Block)
	m.erase(t, newer)
	at(Clear, Clear)
	o, err = listed(0, agency, epoch.Add(2*time.Second), false)
	m.add(t, agency, o, err)
	at(Block, Clear)
}

func pattern(text string) stix.Object {
	o, err := stix.Parse(fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--%s","created":"2025-02-21T14:00:00.000Z","modified":"2025-02-21T14:00:00.000Z","valid_from":"2025-02-21T14:00:00Z","pattern_type":"stix","pattern":%q}`,
		uuid.NewSHA1(uuid.Nil, []byte(text)), text))
	if err != nil {
		panic(err)
	}
	return o
}

func TestForeignPatterns(t *testing.T) {
	m := newMemory()
	for _, p := range []string{
		"[cryptocurrency-wallet:value = '0x00000000000000000000000000000000000000AA' OR domain-name:value = 'B\u00fccher.example.']",
		"[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e'] OR [email-addr:value = 'Mule@bank.example']",
		"[ipv4-addr:value = '192.0.2.7']", "[url:value = 'https://shared.example/evil']", "[user-account:user_id = 'c.example']",
		"[cryptocurrency-wallet:value = 'an address of an unknown chain']",
	} {
		m.add(t, agency, pattern(p), nil)
	}
	x := load(t, m)
	for v, want := range map[string]Verdict{
		address(0xaa): Block, "xn--bcher-kva.example": Block, "D41D8CD98F00B204E9800998ECF8427E": Block, "mule@BANK.example": Block, "192.0.2.7": Block,
		"https://shared.example/evil": Block, "https://shared.example/good": Clear, "shared.example": Clear, "c.example": Clear, "an address of an unknown chain": Block,
	} {
		if got := x.Screen([]string{v})[0]; got.Verdict != want {
			t.Errorf("%s: %+v, want %v", v, got, want)
		}
	}
}

// A statement that cannot be screened with is left out with a word in the log,
// and stops nothing; its earlier version no longer counts.
func TestUnreadableStatement(t *testing.T) {
	m := newMemory()
	var log bytes.Buffer
	x := newTest(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	good := pattern("[domain-name:value = 'a.example']")
	m.add(t, agency, good, nil)
	o := pattern("[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']")
	o.ID, o.Modified = good.ID, epoch.Add(time.Hour)
	m.add(t, agency, o, nil)
	m.add(t, agency, pattern("[domain-name:value = 'c.example']"), nil)
	if err := x.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := x.Screen([]string{"a.example", "c.example"}); got[0].Verdict != Clear || got[1].Verdict != Block {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(log.String(), good.ID) {
		t.Errorf("nothing in the log: %s", log.String())
	}
}

func TestFollow(t *testing.T) {
	m := newMemory()
	o, err := listed(0, exchange, epoch, false)
	m.add(t, exchange, o, err)
	active := make(chan string, 16)
	var x *Index
	x = newTest(t, Config{OnActive: func(id, author string) {
		if got := x.Screen([]string{address(0)})[0].Verdict; got != Block {
			t.Errorf("said to be active, screened as %v", got)
		}
		active <- id + " " + author
	}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Follow(ctx, m) }()
	wait := func(want string) {
		t.Helper()
		select {
		case got := <-active:
			if got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s did not become active", want)
		}
	}
	wait(o.ID + " " + string(exchange))
	o, err = listed(1, agency, epoch, false)
	m.add(t, agency, o, err)
	wait(o.ID + " " + string(agency))
	o, err = listed(1, agency, epoch.Add(time.Second), true)
	m.add(t, agency, o, err)
	o, err = listed(2, agency, epoch, false)
	m.add(t, agency, o, err)
	wait(o.ID + " " + string(agency)) // a revocation is not said to be active
	if got := x.Screen([]string{address(1)})[0].Verdict; got != Clear {
		t.Errorf("after the revocation: %v", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if x.Position() != 4 {
		t.Errorf("position %d", x.Position())
	}
}

// Whatever was said, revoked and erased in whatever order: an index that
// followed, one that is loaded anew, and the plain reading of the journal agree.
func TestFollowedEqualsLoadedEqualsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		followed := New(Config{OverlayMax: rapid.IntRange(1, 20).Draw(rt, "overlay"), Clock: func() time.Time { return epoch.Add(time.Hour) }})
		defer followed.Close()
		version := 0
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			author := rapid.SampledFrom([]identity.OrgID{agency, exchange}).Draw(rt, "author")
			n := rapid.IntRange(0, 4).Draw(rt, "account")
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0, 1:
				version++
				o, err := listed(n, author, epoch.Add(time.Duration(version)*time.Millisecond), false)
				m.add(t, author, o, err)
			case 2:
				version++
				o, err := listed(n, author, epoch.Add(time.Duration(version)*time.Millisecond), true)
				m.add(t, author, o, err)
			case 3:
				if st := m.entries; len(st) > 0 {
					if e := st[rapid.IntRange(0, len(st)-1).Draw(rt, "entry")]; e.Act == journal.State && !e.Erased {
						m.erase(t, e)
					}
				}
			}
			if rapid.Bool().Draw(rt, "follow") {
				if err := followed.Load(t.Context(), m); err != nil {
					rt.Fatal(err)
				}
			}
		}
		loaded := New(Config{Clock: followed.clock})
		defer loaded.Close()
		for _, x := range []*Index{followed, loaded} {
			if err := x.Load(t.Context(), m); err != nil {
				rt.Fatal(err)
			}
		}
		for n := range 5 {
			want := m.listedBy(n)
			for name, x := range map[string]*Index{"followed": followed, "loaded": loaded} {
				got := []string{}
				for _, r := range x.Screen([]string{address(n)})[0].Reasons {
					got = append(got, r.Author)
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					rt.Fatalf("account %d, %s: named by %v, want %v", n, name, got, want)
				}
			}
		}
	})
}

// listedBy is who names an account by the journal: the authors whose latest
// version is neither revoked nor erased.
func (m *memory) listedBy(n int) []string {
	out := []string{}
	for _, author := range []identity.OrgID{agency, exchange} {
		o, err := listed(n, author, epoch, false)
		if err != nil {
			panic(err)
		}
		var latest *journal.Statement
		for i := range m.entries {
			if e := &m.entries[i]; e.Act == journal.State && e.ID == o.ID && e.Author == author {
				latest = e
			}
		}
		if latest != nil && !latest.Revoked && !latest.Erased {
			out = append(out, string(author))
		}
	}
	slices.Sort(out)
	return out
}
