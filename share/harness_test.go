package share_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/sqlite"
	"bongsu/share"
	"bongsu/stix"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("SHARE_TEST_CHILD") != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	// The HTTP server lingers half a second over a connection that it closes.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// node is one organisation's node, whole but for screening.
type node struct {
	t       testing.TB
	dir     string
	name    string
	keys    *identity.Keys
	store   journal.Store
	journal *journal.Journal
	view    *share.View
	service *share.Service
	clock   *clock
	options nodeOptions

	stop context.CancelFunc
	done chan error
}

// clock is the time of a test: the real one, moved.
type clock struct {
	mu    sync.Mutex
	shift time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.shift)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	c.shift += d
	c.mu.Unlock()
}

type nodeOptions struct {
	dialOut bool
	limits  share.Limits
	events  func(share.Event)
	silent  bool // Run is not started
	address string
	shift   time.Duration
	private bool // does not allow loopback
}

func newNode(t testing.TB, name string, o nodeOptions) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), name: name, clock: &clock{shift: o.shift}, options: o}
	var err error
	if n.keys, err = identity.Create(filepath.Join(n.dir, "keys"), name, n.clock.now()); err != nil {
		t.Fatal(err)
	}
	n.start()
	t.Cleanup(n.end)
	return n
}

// start opens the journal and runs the service.
func (n *node) start() {
	n.t.Helper()
	var err error
	if n.store, err = sqlite.Open(context.Background(), filepath.Join(n.dir, "journal.db")); err != nil {
		n.t.Fatal(err)
	}
	n.view = share.NewView(n.keys, n.clock.now)
	if n.journal, err = journal.Open(context.Background(), n.store, n.keys, journal.Options{Views: []journal.View{n.view}, Now: n.clock.now}); err != nil {
		n.t.Fatal(err)
	}
	n.service = n.newService()
	if n.options.silent {
		return
	}
	n.run()
}

func (n *node) newService() *share.Service {
	n.t.Helper()
	cfg := share.Config{
		Journal: n.journal, View: n.view, Keys: n.keys, Clock: n.clock.now, DialOut: n.options.dialOut,
		Limits: n.options.limits, OnEvent: n.options.events, Logger: slog.New(slog.NewTextHandler(n.logs(), nil)),
	}
	if !n.options.private {
		cfg.AllowNets = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	if !n.options.dialOut && !n.options.silent {
		address := "127.0.0.1:0"
		if n.options.address != "" {
			address = n.options.address // the same again after a restart
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			n.t.Fatal(err)
		}
		cfg.Listener, cfg.Address = l, l.Addr().String()
		n.options.address = cfg.Address
	}
	s, err := share.New(cfg)
	if err != nil {
		n.t.Fatal(err)
	}
	return s
}

func (n *node) logs() io.Writer {
	if testing.Verbose() {
		return prefixed{n.name}
	}
	return io.Discard
}

type prefixed struct{ name string }

func (p prefixed) Write(b []byte) (int, error) {
	fmt.Fprintf(os.Stderr, "%s: %s", p.name, b)
	return len(b), nil
}

func (n *node) run() {
	ctx, cancel := context.WithCancel(context.Background())
	n.stop, n.done = cancel, make(chan error, 1)
	go func() { n.done <- n.service.Run(ctx) }()
}

// end stops the node in an orderly way. It can be started again.
func (n *node) end() {
	if n.stop != nil {
		n.stop()
		if err := <-n.done; err != nil {
			n.t.Errorf("%s: run: %v", n.name, err)
		}
		n.stop = nil
	}
	if n.journal != nil {
		n.journal.Close()
		n.store.Close()
		n.journal = nil
	}
}

func (n *node) restart() {
	n.end()
	n.start()
}

// partners makes two nodes partners of each other.
func partners(t testing.TB, inviter, joiner *node) {
	t.Helper()
	inv, err := inviter.service.Invite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := joiner.service.Join(t.Context(), inv.Text)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != inviter.keys.ID() || p.Fingerprint != inv.Fingerprint {
		t.Fatalf("joined %+v", p)
	}
}

// agree makes an active agreement between two partners.
func agree(t testing.TB, a, b *node, p share.Proposal) share.Terms {
	t.Helper()
	p.Partner = string(b.keys.ID())
	terms, err := a.service.Propose(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the proposal arrives", func() bool {
		_, err := b.service.Show(t.Context(), terms.ID)
		return err == nil
	})
	if _, err := b.service.Sign(t.Context(), terms.ID, "analyst"); err != nil {
		t.Fatal(err)
	}
	until(t, "the agreement is active on both sides", func() bool {
		x, errX := a.service.Show(t.Context(), terms.ID)
		y, errY := b.service.Show(t.Context(), terms.ID)
		return errX == nil && errY == nil && x.State == "active" && y.State == "active"
	})
	return terms
}

// pair is two nodes with an active agreement.
func pair(t testing.TB, a, b nodeOptions) (seoul, europe *node, terms share.Terms) {
	t.Helper()
	seoul, europe = newNode(t, "Seoul Agency", a), newNode(t, "Europe Exchange", b)
	partners(t, seoul, europe)
	return seoul, europe, agree(t, seoul, europe, share.Proposal{})
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// until polls a condition; what names it in the failure.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("still waiting: %s", what)
}

// account makes the n-th of different accounts.
func account(t testing.TB, n int) chain.Account {
	t.Helper()
	sum := sha256.Sum256(fmt.Appendf(nil, "account %d", n))
	a, err := chain.ParseAccount(fmt.Sprintf("eip155:1:0x%x", sum[:20]), "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (n *node) listing(i int, marking stix.TLP) journal.Draft {
	n.t.Helper()
	now := n.clock.now()
	o, err := stix.Listing{
		Common:  stix.Common{Author: n.keys.ID(), Created: now, Modified: now, Marking: marking},
		Account: account(n.t, i), Reason: "test", Since: now,
	}.Object()
	if err != nil {
		n.t.Fatal(err)
	}
	return journal.Draft{Object: o, Marking: marking}
}

func (n *node) say(drafts ...journal.Draft) []journal.Entry {
	n.t.Helper()
	entries, err := n.journal.Append(context.Background(), drafts)
	if err != nil {
		n.t.Fatal(err)
	}
	return entries
}

// has reports whether the node holds a version of that author's statement.
func (n *node) has(author *node, e journal.Entry) bool {
	st, err := n.journal.GetBy(context.Background(), author.keys.ID(), e.ID)
	return err == nil && st.Version == e.Version
}

func (n *node) status(of *node) share.Status {
	n.t.Helper()
	list, err := n.service.Status(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, st := range list {
		if st.Partner.ID == of.keys.ID() {
			return st
		}
	}
	n.t.Fatalf("%s is no partner", of.name)
	return share.Status{}
}
