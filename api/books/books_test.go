package books_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bongsu/api"
	"bongsu/api/books"
	"bongsu/chain"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/sqlite"
	"bongsu/labels"
	"bongsu/ledger/model"
	"bongsu/screen"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var day = time.Date(2025, 2, 21, 15, 0, 0, 0, time.UTC)

// desk is one organisation's journal with what this package makes of it.
type desk struct {
	t          *testing.T
	dir        string
	journal    *journal.Journal
	statements *books.Statements
	cases      *books.Cases
	traces     trace.Store
	labels     labels.Store
	now        time.Time
}

func (d *desk) clock() time.Time { return d.now }

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), now: day}
	keys, err := identity.Create(filepath.Join(d.dir, "keys"), "Agency", day.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(d.dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if d.journal, err = journal.Open(context.Background(), store, keys, journal.Options{Now: d.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.journal.Close() })
	d.statements = books.NewStatements(d.journal, d.clock)
	d.traces, d.labels = trace.Store{Dir: filepath.Join(d.dir, "traces")}, labels.Store{Dir: filepath.Join(d.dir, "labels")}
	d.cases = books.NewCases(books.Config{Journal: d.journal, Traces: d.traces, Labels: d.labels})
	return d
}

func (d *desk) own() identity.OrgID { return d.journal.Org().ID }

func (d *desk) append(o stix.Object, err error) journal.Entry {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	es, err := d.journal.Append(d.t.Context(), []journal.Draft{{Object: o}})
	if err != nil {
		d.t.Fatal(err)
	}
	return es[0]
}

const value = "0x00000000000000000000000000000000000000ba"

func TestListedIsScreened(t *testing.T) {
	d := open(t)
	x := screen.New(screen.Config{Clock: d.clock})
	defer x.Close()
	verdict := func() screen.Result {
		t.Helper()
		if err := x.Load(t.Context(), d.journal); err != nil {
			t.Fatal(err)
		}
		return x.Screen([]string{value})[0]
	}
	if got := verdict(); got.Verdict != screen.Clear {
		t.Fatalf("%+v", got)
	}
	first, err := d.statements.List(t.Context(), "user:min", api.Listing{Value: strings.ToUpper(value[2:]), Marking: "green"})
	if err == nil {
		t.Fatalf("an address without 0x was listed: %+v", first)
	}
	if first, err = d.statements.List(t.Context(), "user:min", api.Listing{Value: value, Reason: "theft", Marking: "green"}); err != nil {
		t.Fatal(err)
	}
	got := verdict()
	if got.Verdict != screen.Block || got.Reasons[0].Statement != first.ID || got.Reasons[0].Marking != "TLP:GREEN" || got.Reasons[0].AuthorName != "Agency" || got.Reasons[0].Text != "theft" {
		t.Fatalf("%+v", got)
	}
	again, err := d.statements.List(t.Context(), "user:ada", api.Listing{Value: "eip155:1:" + value, Reason: "still"}) // within the same millisecond
	if err != nil {
		t.Fatal(err)
	}
	if got := verdict(); again.ID != first.ID || len(got.Reasons) != 1 || got.Reasons[0].Text != "still" || got.Reasons[0].Marking != "TLP:AMBER" {
		t.Fatalf("%s then %s: %+v", first.ID, again.ID, got)
	}
	st, err := d.journal.Get(t.Context(), first.ID)
	if err != nil || st.Actor != "user:ada" || !again.Committed.Equal(st.Time) {
		t.Errorf("%+v, %v", st.Entry, err)
	}
	entry, err := d.journal.Erase(t.Context(), again.Sequence, "user:ada", "retention")
	if err != nil {
		t.Fatalf("%+v, %v", entry, err)
	}
	if got := verdict(); got.Verdict != screen.Clear {
		t.Errorf("after the erasure: %+v", got)
	}
}

func TestListRefuses(t *testing.T) {
	d := open(t)
	for _, l := range []api.Listing{
		{Value: ""},
		{Value: "0x12"},
		{Value: "0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045"},
		{Value: "a@b.example"},
		{Value: "192.0.2.1"},
		{Value: value, Marking: "purple"},
		{Value: value, Reason: strings.Repeat("x", 2001)},
	} {
		if got, err := d.statements.List(t.Context(), "user:min", l); err == nil {
			t.Errorf("%.60v was listed: %+v", l, got)
		}
	}
	for _, v := range []string{"Evil.Example.", "sha256:" + strings.Repeat("ab", 32), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"} {
		if _, err := d.statements.List(t.Context(), "user:min", api.Listing{Value: v}); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

func TestAppendObjects(t *testing.T) {
	d := open(t)
	note, err := stix.Note{Common: stix.Common{Author: d.own(), Modified: day}, Text: "a note", Of: []string{"incident--7d6e4c3a-0f0b-4d8e-9a55-0d9d1f2b3c4d"}}.Object()
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.statements.AppendObjects(t.Context(), "token:1", [][]byte{note.Raw})
	if err != nil || len(out) != 1 || out[0].ID != note.ID {
		t.Fatalf("%+v, %v", out, err)
	}
	if st, err := d.journal.Get(t.Context(), note.ID); err != nil || st.Actor != "token:1" || string(st.Payload) != string(note.Raw) {
		t.Errorf("%+v, %v", st.Entry, err)
	}
	size, err := d.journal.Size(t.Context(), journal.LogJournal)
	if err != nil {
		t.Fatal(err)
	}
	other := identity.OrgID("identity--825ee3a1-ab1d-570a-a8ce-a2332b7505bd")
	partner, err := stix.Partner{Common: stix.Common{Author: d.own(), Modified: day}, Org: other, Name: "Evil", Fingerprint: "00000 11111 22222 33333 44444 55555"}.Object()
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := stix.Listing{Common: stix.Common{Author: other, Modified: day, Revoked: true}, Domain: "evil.example"}.Object()
	if err != nil {
		t.Fatal(err)
	}
	for name, objects := range map[string][][]byte{
		"a partner": {partner.Raw}, "another's revocation": {revoked.Raw}, "no STIX": {[]byte(`{"a":1}`)}, "twice": {[]byte(`{"type":"note","type":"note"}`)},
		"a good one with a bad one": {[]byte(strings.Replace(string(note.Raw), "a note", "b note", 1)), []byte("{}")},
	} {
		if out, err := d.statements.AppendObjects(t.Context(), "token:1", objects); err == nil {
			t.Errorf("%s went in: %+v", name, out)
		}
	}
	if now, err := d.journal.Size(t.Context(), journal.LogJournal); err != nil || now != size {
		t.Errorf("the journal grew from %d to %d, %v", size, now, err)
	}
}

func acct(n byte) chain.Account { return chain.EVM(chain.Ethereum, [20]byte{n, 19: n}) }

func move(block uint64, from, to byte, eth uint64) chain.Transfer {
	tx, _ := chain.NewTxID(append(make([]byte, 31), byte(block)))
	wei, _ := chain.ParseDecimal("1", 18)
	wei, _ = wei.MulDiv(chain.Units(eth), chain.Units(1))
	return chain.Transfer{
		Chain: chain.Ethereum, Time: chain.Time(1_700_000_000_000 + block*12_000), Block: block, Index: 1, Tx: tx, Kind: chain.KindNative,
		Ordinal: chain.NoOrdinal, From: acct(from), To: acct(to), Asset: chain.Ethereum.Native(), Amount: wei,
	}
}

// theft states a theft of 100 ETH, of which 60 went on.
func (d *desk) theft() (id string, transfers []chain.Transfer) {
	d.t.Helper()
	transfers = []chain.Transfer{move(1, 9, 1, 100), move(2, 1, 2, 60)}
	o, err := findings.Incident(stix.Common{Author: d.own(), Modified: day, Marking: stix.TLPGreen}, trace.Theft{Title: "A theft", Transfers: transfers[:1]}, chain.NewRegistry())
	d.append(o, err)
	return o.ID, transfers
}

func (d *desk) trace(id string, transfers []chain.Transfer) *trace.Run {
	d.t.Helper()
	r, err := model.Of(transfers...)
	if err != nil {
		d.t.Fatal(err)
	}
	set, err := d.labels.Load()
	if err != nil {
		d.t.Fatal(err)
	}
	run, err := trace.Follow(d.t.Context(), r, set, trace.Request{Thefts: []trace.Theft{{ID: id, Title: "A theft", Transfers: transfers[:1]}}})
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.traces.Save(run); err != nil {
		d.t.Fatal(err)
	}
	nothing := findings.Said{Get: func(id string) (stix.Object, error) {
		return stix.Object{}, errs.New("test", errs.NotExist, id, "nothing was stated before", "")
	}}
	drafts, err := findings.Drafts(stix.Common{Author: d.own(), Modified: day, Marking: stix.TLPGreen}, run, nil, nothing, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.journal.Append(d.t.Context(), drafts); err != nil {
		d.t.Fatal(err)
	}
	return run
}

func TestThefts(t *testing.T) {
	d := open(t)
	if list, err := d.cases.Thefts(t.Context()); err != nil || list == nil || len(list) != 0 {
		t.Fatalf("%v, %v", list, err)
	}
	id, transfers := d.theft()
	list, err := d.cases.Thefts(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	th := list[0]
	if th.ID != id || th.Title != "A theft" || th.Fires != findings.FiresStated || th.AuthorName != "Agency" || th.Marking != "TLP:GREEN" ||
		th.Amounts[0].Amount != "100" || th.Digest != "" || th.Traced != nil || th.Where == nil || th.HoldingsTotal == nil {
		t.Errorf("%+v", th)
	}
	run := d.trace(id, transfers)
	if list, err = d.cases.Thefts(t.Context()); err != nil {
		t.Fatal(err)
	}
	th = list[0]
	if th.Digest != run.Result.Digest || th.Traced == nil || th.Accounts != run.Result.Accounts || th.Transfers != 2 || th.Fires != findings.FiresMoving {
		t.Errorf("%+v", th)
	}
	if len(th.HoldingsTotal) != 1 || th.HoldingsTotal[0].Amount != "100" || th.HoldingsTotal[0].Symbol != "ETH" || th.Where[0].Place != "holding" || th.Where[0].Accounts != 2 {
		t.Errorf("%+v", th.Where)
	}
}

func TestCase(t *testing.T) {
	d := open(t)
	id, transfers := d.theft()
	if _, err := d.cases.Case(t.Context(), "incident--00000000-0000-4000-8000-000000000000"); errs.Is(err) != errs.NotExist {
		t.Errorf("%v", err)
	}
	c, err := d.cases.Case(t.Context(), id)
	if err != nil || len(c.Trace) != 0 || len(c.Movements) != 1 || c.Movements[0].Amount.Amount != "100" || c.Movements[0].Block != 1 || c.Movements[0].From != acct(9).String() {
		t.Fatalf("%+v, %v", c, err)
	}
	_, err = d.labels.Import("labels.csv", []byte("account,label,source,category,confidence\n"+acct(2).String()+",Some exchange,https://list.example,exchange,service_data\n"), labels.FormatCSV)
	if err != nil {
		t.Fatal(err)
	}
	run := d.trace(id, transfers)
	if c, err = d.cases.Case(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	var shown trace.Result
	if err := json.Unmarshal(c.Trace, &shown); err != nil || shown.Digest != run.Result.Digest {
		t.Errorf("%s, %v", c.Trace, err)
	}
	ls := c.Labels[acct(2).String()]
	if len(ls) != 1 || ls[0].Label != "Some exchange" || !ls[0].Deciding || ls[0].Category != "exchange" {
		t.Errorf("%+v", c.Labels)
	}
	if c.Theft.Fires != findings.FiresCashing || c.Statements != 2 {
		t.Errorf("%+v, %d statements", c.Theft, c.Statements)
	}
	p, err := d.cases.Picture(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Sources, []chain.Account{acct(9)}) || len(p.Flows) != 2 {
		t.Errorf("%+v", p)
	}
	kinds := map[string]string{}
	for _, a := range p.Accounts {
		kinds[a.Account.String()] += a.Kind + " " + a.Label
	}
	if kinds[acct(1).String()] != "holding " || kinds[acct(2).String()] != "exchange Some exchange" || len(kinds) != 2 {
		t.Errorf("%v", kinds)
	}
}

// News of a watch is told with its author, the newest first, until it is taken back.
func TestNews(t *testing.T) {
	d := open(t)
	id, _ := d.theft()
	state := func(at time.Duration, event stix.MovementEvent, version int, change func(*stix.Movement)) {
		t.Helper()
		eth, _ := chain.NewRegistry().Info(chain.Ethereum.Native())
		m := stix.Movement{
			Common: stix.Common{Author: d.own(), Created: day, Modified: day.Add(time.Duration(version) * time.Second), Marking: stix.TLPGreen},
			Theft:  id, Event: event, Account: acct(2), From: []chain.Account{acct(1)}, Senders: 1,
			Amount: stix.NewAmount(eth, chain.Units(70)), Tx: "0x" + strings.Repeat("0d", 32), Block: 7, At: day.Add(at), Basis: stix.Observed,
		}
		change(&m)
		d.append(m.Object())
	}
	state(time.Minute, stix.ReachedService, 0, func(m *stix.Movement) {
		m.Label, m.Source, m.Provisional = "Some exchange", "https://list.example", true
	})
	woke := func(m *stix.Movement) { m.IdleDays = 12 }
	state(time.Hour, stix.Woke, 0, woke)
	c, err := d.cases.Case(t.Context(), id)
	if err != nil || len(c.News) != 2 || c.NewsTotal != 2 || c.Statements != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	if n := c.News[0]; n.Event != "woke" || n.IdleDays != 12 || !n.Time.Equal(day.Add(time.Hour)) || n.Provisional {
		t.Errorf("%+v", n)
	}
	if n := c.News[1]; n.Event != "reached-service" || n.Label != "Some exchange" || n.LabelSource != "https://list.example" || !n.Provisional ||
		n.AuthorName != "Agency" || n.Marking != "TLP:GREEN" || n.Account != acct(2).String() || !slices.Equal(n.From, []string{acct(1).String()}) ||
		n.Amount.Base != "70" || n.Origin != nil || n.Block != 7 || n.Stated.IsZero() {
		t.Errorf("%+v", n)
	}
	state(2*time.Hour, stix.Moved, 0, func(m *stix.Movement) {
		m.From, m.Senders, m.Link, m.Via = nil, 0, stix.LinkWrap, acct(7)
	})
	if c, err = d.cases.Case(t.Context(), id); err != nil || len(c.News) != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	if n := c.News[0]; n.Event != "moved" || n.Link != "wrap" || n.Via != acct(7).String() || len(n.From) != 0 || n.Senders != 0 || c.News[1].Link != "" || c.News[1].Via != "" {
		t.Errorf("%+v", c.News[:2])
	}
	state(time.Hour, stix.Woke, 1, func(m *stix.Movement) { woke(m); m.Revoked = true })
	if c, err = d.cases.Case(t.Context(), id); err != nil || len(c.News) != 2 || c.News[1].Event != "reached-service" {
		t.Errorf("after a reorganisation: %+v, %v", c, err)
	}
}

// A theft traced elsewhere is drawn from the findings alone.
func TestPictureWithoutARun(t *testing.T) {
	d := open(t)
	id, transfers := d.theft()
	d.trace(id, transfers)
	d.cases = books.NewCases(books.Config{Journal: d.journal, Traces: trace.Store{Dir: filepath.Join(d.dir, "none")}, Labels: d.labels})
	p, err := d.cases.Picture(t.Context(), id)
	if err != nil || len(p.Accounts) != 2 || len(p.Flows) != 1 || p.Accounts[0].Kind != "holding" || len(p.Accounts[0].Amounts) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	list, err := d.cases.Thefts(t.Context())
	if err != nil || list[0].HoldingsTotal[0].Amount != "100" || list[0].Accounts != 2 || list[0].Digest != "" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestRevokedAndErased(t *testing.T) {
	d := open(t)
	id, transfers := d.theft()
	d.trace(id, transfers)
	stated, err := d.journal.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for seq := uint64(0); ; seq++ {
		batch, err := d.journal.Read(t.Context(), journal.LogJournal, seq, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		if batch[0].Type == "indicator" {
			if live++; live == 1 {
				if _, err := d.journal.Erase(t.Context(), seq, "user:min", "retention"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	c, err := d.cases.Case(t.Context(), id)
	if err != nil || live != 2 || c.Statements != 1 {
		t.Fatalf("%d findings, of which live %d, %v", live, c.Statements, err)
	}
	if _, err := d.journal.Erase(t.Context(), stated.Seq, "user:min", "retention"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.cases.Case(t.Context(), id); errs.Is(err) != errs.NotExist {
		t.Errorf("an erased theft is shown: %v", err)
	}
	fresh := books.NewCases(books.Config{Journal: d.journal, Traces: d.traces, Labels: d.labels})
	if list, err := fresh.Thefts(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("an erased theft is shown when read anew: %+v, %v", list, err)
	}
}

func TestWatch(t *testing.T) {
	d := open(t)
	d.theft() // before the watch: not told
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events := make(chan api.Event, 64)
	ended := make(chan error, 1)
	go func() { ended <- d.statements.Watch(ctx, func(e api.Event) { events <- e }) }()
	next := func(kind string) books.Change {
		t.Helper()
		for {
			select {
			case e := <-events:
				if e.Kind == kind {
					return e.Data.(books.Change)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("no %s event", kind)
			}
		}
	}
	// The watch begins at some moment after the call; say something until it hears.
	heard := make(chan struct{})
	go func() {
		for i := 0; ; i++ {
			select {
			case <-heard:
				return
			case <-time.After(5 * time.Millisecond):
				o, err := stix.Note{Common: stix.Common{Author: d.own(), Modified: day.Add(time.Duration(i) * time.Second)}, Text: "x", Of: []string{"incident--7d6e4c3a-0f0b-4d8e-9a55-0d9d1f2b3c4d"}}.Object()
				if err == nil {
					_, err = d.journal.Append(ctx, []journal.Draft{{Object: o}})
				}
				if err != nil {
					return
				}
			}
		}
	}()
	next("journal")
	close(heard)
	id, transfers := d.theft2()
	if c := next("theft"); !slices.Contains(c.About, id) {
		t.Errorf("%+v", c)
	}
	d.trace(id, transfers)
	if c := next("finding"); c.Count != 2 || !slices.Equal(c.About, []string{id}) {
		t.Errorf("%+v", c)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// theft2 states another theft.
func (d *desk) theft2() (id string, transfers []chain.Transfer) {
	d.t.Helper()
	transfers = []chain.Transfer{move(11, 8, 3, 100), move(12, 3, 4, 60)}
	o, err := findings.Incident(stix.Common{Author: d.own(), Modified: day.Add(time.Second), Marking: stix.TLPGreen}, trace.Theft{Title: "Another", Transfers: transfers[:1]}, chain.NewRegistry())
	d.append(o, err)
	return o.ID, transfers
}

// What the audit held when its head was anchored in the journal cannot be
// taken out of it unseen, not even from its end.
func TestAnchoredAudit(t *testing.T) {
	d := open(t)
	dir := filepath.Join(d.dir, "audit")
	a, err := api.OpenAudit(dir, d.clock)
	if err != nil {
		t.Fatal(err)
	}
	if err := books.CheckAudit(t.Context(), d.journal, dir); err != nil {
		t.Fatalf("before anything: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Anchor(ctx, 5*time.Millisecond, books.Anchor(d.journal, nil)) }()
	grow := func() {
		t.Helper()
		before, err := d.journal.Size(t.Context(), journal.LogAudit)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Record(&api.Asked{Who: "user:min", Path: "/api/v1/screen"}); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			now, err := d.journal.Size(t.Context(), journal.LogAudit)
			if err != nil {
				t.Fatal(err)
			}
			if now > before {
				return
			}
			if time.Now().After(end) {
				t.Fatal("no head was anchored")
			}
		}
	}
	grow()
	file := filepath.Join(dir, "audit-000001.log")
	short, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	grow()
	if err := a.Record(&api.Asked{Who: "user:ada"}); err != nil {
		t.Fatal(err)
	}
	cancel() // the last record is anchored on the way out
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n, err := d.journal.Size(t.Context(), journal.LogAudit); err != nil || n != 3 {
		t.Errorf("%d heads, %v", n, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := books.CheckAudit(t.Context(), d.journal, dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, short, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := api.ReadAudit(dir, func(api.Asked) error { return nil }); err != nil {
		t.Fatalf("the cut is not clean: %v", err)
	}
	if err := books.CheckAudit(t.Context(), d.journal, dir); errs.Is(err) != errs.Corrupt {
		t.Errorf("records cut off the end: %v", err)
	}
}
