package share_test

import (
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"bongsu/journal"
	"bongsu/share"
	"bongsu/stix"
)

// proxy passes TCP on, badly: it delays, splits, and cuts connections after a
// random number of bytes. TLS makes anything else (bytes changed, repeated or
// out of order) a broken connection, which it also causes.
type proxy struct {
	listener net.Listener
	to       string
	wg       sync.WaitGroup

	mu    sync.Mutex // owns the fields below
	rand  *rand.Rand
	calm  bool // pass on without faults
	conns map[net.Conn]bool
}

func newProxy(t *testing.T, to string, seed uint64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, rand: rand.New(rand.NewPCG(seed, 1)), conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) draw(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rand.IntN(n)
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		d, err := net.Dial("tcp", p.to)
		if err != nil {
			c.Close()
			continue
		}
		p.mu.Lock()
		p.conns[c], p.conns[d] = true, true
		p.mu.Unlock()
		p.wg.Go(func() { p.pass(c, d) })
		p.wg.Go(func() { p.pass(d, c) })
	}
}

// pass copies one direction until its share of bytes is over.
func (p *proxy) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	left := 2000 + p.draw(60_000)
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf[:1+p.draw(len(buf))])
		if err != nil {
			return
		}
		p.mu.Lock()
		calm := p.calm
		p.mu.Unlock()
		part := buf[:n]
		if left -= n; left < 0 && !calm {
			switch p.draw(3) {
			case 0: // cut
				return
			case 1: // twice
				part = append(append([]byte{}, part...), part...)
			case 2: // a bit changed
				part[len(part)/2] ^= 4
			}
		}
		if !calm && p.draw(20) == 0 {
			time.Sleep(time.Duration(p.draw(3)) * time.Millisecond)
		}
		if _, err := to.Write(part); err != nil {
			return
		}
	}
}

// TestFaultyNetwork: whatever the network does, everything arrives, once and
// in order, and every receipt comes back.
func TestFaultyNetwork(t *testing.T) {
	for _, dialOut := range []bool{false, true} {
		name := map[bool]string{false: "each connects", true: "one connects for both"}[dialOut]
		t.Run(name, func(t *testing.T) {
			// A stream whose bytes were changed may wait for the rest of a record
			// that never comes: the heartbeat and the silence after it end it.
			limits := share.Limits{Requests: 1 << 20, Beat: 200 * time.Millisecond, Quiet: time.Second, HeaderTime: time.Second, RequestTime: time.Second}
			seoul := newNode(t, "Seoul Agency", nodeOptions{limits: limits})
			p := newProxy(t, seoul.options.address, 7)
			p.calm = true
			europe := newNode(t, "Europe Exchange", nodeOptions{dialOut: dialOut, limits: limits})
			inv, err := seoul.service.Invite(t.Context(), p.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := europe.service.Join(t.Context(), inv.Text); err != nil {
				t.Fatal(err)
			}
			agree(t, seoul, europe, share.Proposal{})
			p.mu.Lock()
			p.calm = false
			p.mu.Unlock()
			const many = 80
			var said, back []journal.Entry
			for i := range many {
				said = append(said, seoul.say(seoul.listing(i, stix.TLPAmber))...)
				if i%4 == 0 {
					back = append(back, europe.say(europe.listing(many+i, stix.TLPAmber))...)
				}
			}
			defer func() {
				if t.Failed() {
					x, y := seoul.status(europe), europe.status(seoul)
					t.Logf("the one: shared %d, received %d, unanswered %d, %+v, fault %q", x.Shared, x.Received, x.Unanswered, x.Receipts, x.Fault)
					t.Logf("the other: shared %d, received %d, unanswered %d, %+v, fault %q", y.Shared, y.Received, y.Unanswered, y.Receipts, y.Fault)
					if os.Getenv("DUMP") != "" {
						pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
					}
				}
			}()
			until(t, "all is exchanged and answered", func() bool {
				x, y := seoul.status(europe), europe.status(seoul)
				return x.Unanswered == 0 && y.Unanswered == 0 && x.Shared == many && y.Shared == len(back) && x.Received == len(back) && y.Received == many
			})
			onceInOrder(t, europe, seoul, said)
			onceInOrder(t, seoul, europe, back)
		})
	}
}

// onceInOrder checks that a node's journal holds exactly the given statements
// of another, in their order.
func onceInOrder(t *testing.T, at, author *node, want []journal.Entry) {
	t.Helper()
	var got []journal.Statement
	for from := uint64(0); ; {
		batch, err := at.journal.Read(t.Context(), journal.LogJournal, from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		from += uint64(len(batch))
		for _, st := range batch {
			if st.Author == author.keys.ID() && st.Type != stix.TypeReceipt {
				got = append(got, st)
			}
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s holds %d statements of %s, want %d", at.name, len(got), author.name, len(want))
	}
	for i, st := range got {
		if st.ID != want[i].ID || st.Version != want[i].Version {
			t.Fatalf("%s: statement %d is %s, want %s", at.name, i, st.ID, want[i].ID)
		}
	}
}

// TestPartition: what was said while a partner was away arrives when it is
// back, in order, before what is said then.
func TestPartition(t *testing.T) {
	seoul, europe, _ := pair(t, nodeOptions{}, nodeOptions{})
	var said []journal.Entry
	for i := range 30 {
		switch i {
		case 10:
			europe.end()
		case 20:
			europe.start()
		case 25:
			seoul.restart()
		}
		said = append(said, seoul.say(seoul.listing(i, stix.TLPAmber))...)
	}
	until(t, "all arrives and is answered", func() bool {
		return europe.status(seoul).Received == 30 && seoul.status(europe).Unanswered == 0
	})
	onceInOrder(t, europe, seoul, said)
}

// TestOldBackup: a node restored from an old backup is found out: its feed is
// shorter than what its partner holds.
func TestOldBackup(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	europe.end()
	c, base := client(t, europe.keys, seoul)
	seoul.say(seoul.listing(1, stix.TLPAmber))
	code, body := get(t, c, base+"/feed/"+terms.ID+"?after=5")
	if code != http.StatusConflict || !strings.Contains(body, "old backup") {
		t.Errorf("%d %s", code, body)
	}
}

// TestRebuiltView: the view made anew over an old journal says the same, and
// nothing goes onto a feed twice.
func TestRebuiltView(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	partners(t, seoul, europe)
	terms := agree(t, seoul, europe, share.Proposal{Template: "investigation"})
	red := seoul.listing(2, stix.TLPRed)
	red.Recipients = append(red.Recipients, europe.keys.ID())
	seoul.say(seoul.listing(1, stix.TLPAmber), red, seoul.listing(3, stix.TLPRed))
	until(t, "it is answered", func() bool { return seoul.status(europe).Unanswered == 0 })
	was := seoul.status(europe)
	size, err := seoul.journal.Size(t.Context(), "feed/"+terms.ID)
	if err != nil {
		t.Fatal(err)
	}
	seoul.end()
	europe.end()
	forget(t, seoul)
	seoul.options.silent = true
	seoul.start()
	if n, err := seoul.journal.Size(t.Context(), "feed/"+terms.ID); err != nil || n != size {
		t.Errorf("the feed holds %d entries, %d before: %v", n, size, err)
	}
	is := seoul.status(europe)
	if is.Shared != was.Shared || is.Withheld != was.Withheld || is.Receipts != was.Receipts || is.Unanswered != 0 || is.Received != was.Received {
		t.Errorf("now %+v, before %+v", is, was)
	}
}

// TestClocksApart: milliseconds are honest though the clocks differ.
func TestClocksApart(t *testing.T) {
	seoul, europe, _ := pair(t, nodeOptions{}, nodeOptions{shift: 30 * time.Second})
	until(t, "the clocks are compared", func() bool { return europe.status(seoul).Clock.Measured })
	seoul.say(seoul.listing(1, stix.TLPAmber))
	until(t, "it is answered", func() bool { return seoul.status(europe).Receipts.Arrived == 1 })
	if st := seoul.status(europe); st.P50 <= 0 || st.P50 > 20_000 {
		t.Errorf("%v ms between clocks 30 s apart", st.P50)
	}
	if c := europe.status(seoul).Clock; c.Offset > -29*time.Second || c.Offset < -31*time.Second || c.Uncertain <= 0 {
		t.Errorf("clock: %+v", c)
	}
}
