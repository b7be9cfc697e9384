package share

import (
	"net"
	"sync"
	"time"

	"bongsu/errs"
	"bongsu/identity"
)

// boundedListener closes connections beyond its places at once, so that a
// flood of them costs no more than an accept each, and one address cannot take
// all places from the others.
type boundedListener struct {
	net.Listener
	places int // all together
	each   int // from one address

	mu   sync.Mutex // owns the fields below
	open int
	from map[string]int
}

func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil {
			host = c.RemoteAddr().String()
		}
		if l.enter(host) {
			return &boundedConn{Conn: c, free: sync.OnceFunc(func() { l.leave(host) })}, nil
		}
		c.Close()
	}
}

func (l *boundedListener) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.places || l.from[host] >= l.each {
		return false
	}
	l.open++
	l.from[host]++
	return true
}

func (l *boundedListener) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.from[host]--; l.from[host] == 0 {
		delete(l.from, host)
	}
}

type boundedConn struct {
	net.Conn
	free func()
}

func (c *boundedConn) Close() error {
	err := c.Conn.Close()
	c.free()
	return err
}

// guard counts what partners and strangers ask for.
type guard struct {
	limits Limits
	clock  func() time.Time

	mu        sync.Mutex // owns the fields below
	strangers int
	streams   map[identity.OrgID]int
	requests  map[identity.OrgID]*bucket
	open      sync.WaitGroup // streams taken over from the HTTP server
}

func newGuard(l Limits, clock func() time.Time) *guard {
	return &guard{limits: l, clock: clock, streams: map[identity.OrgID]int{}, requests: map[identity.OrgID]*bucket{}}
}

func (g *guard) wait() { g.open.Wait() }

// stranger takes a place for a request of an unknown peer.
func (g *guard) stranger() (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.strangers >= g.limits.Strangers {
		return nil, errs.New("connect", errs.Limit, "", "too many unknown nodes at once", "try again in a minute")
	}
	g.strangers++
	return func() { g.mu.Lock(); g.strangers--; g.mu.Unlock() }, nil
}

// request counts one request of a partner.
func (g *guard) request(id identity.OrgID) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.requests[id]
	if b == nil {
		b = newBucket(g.limits.Requests)
		g.requests[id] = b
	}
	if b.take(g.clock(), 1) > 0 {
		return errs.New("connect", errs.Limit, string(id), "too many requests", "wait a minute")
	}
	return nil
}

// stream takes a place for a stream of a partner.
func (g *guard) stream(id identity.OrgID) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.streams[id] >= g.limits.StreamsEach {
		return nil, errs.New("feed", errs.Limit, string(id), "too many streams at once", "end some of them")
	}
	g.streams[id]++
	g.open.Add(1)
	return func() { g.mu.Lock(); g.streams[id]--; g.mu.Unlock(); g.open.Done() }, nil
}

// bucket is a token bucket of one minute. It is not safe for concurrent use.
type bucket struct {
	perMinute float64
	left      float64
	at        time.Time
}

func newBucket(perMinute int) *bucket {
	return &bucket{perMinute: float64(perMinute), left: float64(perMinute)}
}

// take takes n and returns 0, or takes nothing and says after how long it
// could. More than the whole bucket can be taken when it is full, as a debt.
func (b *bucket) take(now time.Time, n int) time.Duration {
	if !b.at.IsZero() && now.After(b.at) {
		b.left = min(b.perMinute, b.left+b.perMinute*now.Sub(b.at).Minutes())
	}
	b.at = now
	need := min(float64(n), b.perMinute)
	if b.left < need {
		return time.Duration((need - b.left) / b.perMinute * float64(time.Minute))
	}
	b.left -= float64(n)
	return 0
}

// Streams is how many streams a partner has open here now.
func (s *Service) Streams(partner identity.OrgID) int {
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	return s.guard.streams[partner]
}
