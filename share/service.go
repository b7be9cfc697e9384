package share

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
)

// Config is what a Service is made of.
type Config struct {
	Journal *journal.Journal // opened with View among its views
	View    *View            // that view
	Keys    *identity.Keys
	Clock   func() time.Time // time.Now
	Logger  *slog.Logger     // slog.Default
	Listen  string           // host:port to listen on in Run; "" does not listen
	// Listener is listened on instead of Listen when it is given.
	Listener net.Listener
	// Address is how partners reach this node, host:port; "" takes Listen's.
	Address string
	// DialOut says that partners cannot connect to this node: it connects to
	// them, for both directions on one connection.
	DialOut bool
	// AllowNets are the private, loopback and link-local ranges where partners
	// may be. A node that itself listens on loopback may reach loopback.
	AllowNets []netip.Prefix
	Limits    Limits
	// OnEvent, when given, is told of what a page may show at once. It must
	// not block.
	OnEvent func(Event)
}

// Event is one thing that just happened.
type Event struct {
	Kind      string         // "receipt", "arrived", "partner", "agreement", "fault"
	Partner   identity.OrgID //
	Statement string         // STIX id, or ""
	State     string         // of the receipt or the agreement
	Why       string         // for a fault
	At        time.Time      //
	Ms        float64        // for receipts, as Receipt.Ms
}

// Service shares one node's statements. Its methods may be called from any
// goroutine, with or without Run.
type Service struct {
	cfg     Config
	journal *journal.Journal
	view    *View
	keys    *identity.Keys
	clock   func() time.Time
	log     *slog.Logger
	limits  Limits
	address string // host:port told to partners, or ""
	allowed []netip.Prefix

	receipts *receiptQueue
	guard    *guard
	changed  chan struct{} // capacity 1: something about partners or agreements changed
	behind   chan struct{} // capacity 1: a feed may be behind

	mu      sync.Mutex // owns the fields below
	addr    net.Addr
	running bool
	known   []peer // partners as Run last read them
	clocks  map[identity.OrgID]Clock
	faults  map[task]fault
	orgs    map[[32]byte]identity.Org    // verified documents by SHA-256
	seen    map[identity.OrgID]time.Time // last contact, not yet written
}

// New makes a service. Nothing runs and nothing is listened on before Run.
func New(cfg Config) (*Service, error) {
	if cfg.Journal == nil || cfg.View == nil || cfg.Keys == nil {
		return nil, errs.New("share", errs.Internal, "", "a journal, a view and keys are needed", "")
	}
	s := &Service{
		cfg: cfg, journal: cfg.Journal, view: cfg.View, keys: cfg.Keys, clock: cfg.Clock, log: cfg.Logger,
		limits: cfg.Limits.withDefaults(), address: cfg.Address, allowed: slices.Clone(cfg.AllowNets),
		changed: make(chan struct{}, 1), behind: make(chan struct{}, 1),
		clocks: map[identity.OrgID]Clock{}, faults: map[task]fault{}, seen: map[identity.OrgID]time.Time{}, orgs: map[[32]byte]identity.Org{},
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.receipts = newReceiptQueue()
	s.guard = newGuard(s.limits, s.clock)
	listen := cfg.Listen
	if cfg.Listener != nil {
		listen = cfg.Listener.Addr().String()
	}
	if s.address == "" {
		s.address = reachable(listen)
	}
	if s.address != "" {
		if err := checkAddress(s.address); err != nil {
			return nil, err
		}
	}
	if isLoopback(listen) {
		s.allowed = append(s.allowed, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	return s, nil
}

// reachable is what partners may be told of a listening address: nothing when
// its port is chosen later or its host is "any".
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || host == "" || port == "0" {
		return ""
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
		return ""
	}
	return listen
}

func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Addr is the address listened on, once Run listens; nil before.
func (s *Service) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

func (s *Service) event(e Event) {
	if s.cfg.OnEvent != nil {
		e.At = s.clock().UTC()
		s.cfg.OnEvent(e)
	}
}

// poke lets Run look again at partners and agreements.
func (s *Service) poke() { wake(s.changed) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Limits are the limits in force.
func (s *Service) Limits() Limits { return s.limits }
