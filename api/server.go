package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"bongsu/errs"
)

// User is who signed in, and as what.
type User struct {
	Name string `json:"name"`
	Role Role   `json:"role,omitempty" enum:"reader,analyst,admin" doc:"absent for a token"`
}

// Role is what a person may do: a reader reads and screens, an analyst writes
// statements too, an admin manages tokens too.
type Role string

// The roles.
const (
	Reader  Role = "reader"
	Analyst Role = "analyst"
	Admin   Role = "admin"
)

// Server is the handler. Make it with New, end it with Close.
type Server struct {
	cfg     Config
	limits  Limits
	log     *slog.Logger
	clock   func() time.Time
	origins map[string]bool // "http://127.0.0.1:8420"
	hosts   map[string]bool // "127.0.0.1:8420"

	mux       *http.ServeMux
	sessions  *sessions
	events    *hub
	pages     *pages
	places    chan struct{} // one token for each request being served
	waiting   atomic.Int32  // requests waiting for a place
	streams   atomic.Int32  // open streams
	quotas    quotas
	strangers strangers
	buffers   sync.Pool // *screenBuffer

	randMu sync.Mutex // owns rand
	rand   io.Reader

	ctx    context.Context // ends with Close; streams follow it
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// New makes the server and starts what it needs in the background: the watch
// on the journal that feeds /api/v1/events. Close ends it.
func New(cfg Config) (*Server, error) {
	if cfg.Screener == nil || cfg.Audit == nil || cfg.Organisation.ID == "" {
		return nil, errs.New("api", errs.Internal, "", "Organisation, Screener and Audit are needed", "wire them")
	}
	s := &Server{cfg: cfg, limits: cfg.Limits.withDefaults(), log: cfg.Logger, clock: cfg.Clock, rand: cfg.Rand, mux: http.NewServeMux()}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	var err error
	if s.hosts, s.origins, err = allowed(cfg); err != nil {
		return nil, err
	}
	if s.pages, err = readPages(cfg.Pages); err != nil {
		return nil, err
	}
	s.places = make(chan struct{}, s.limits.Concurrent)
	s.sessions = newSessions(s.limits)
	s.events = newHub(s.limits.EventsBehind)
	s.quotas.init()
	s.buffers.New = func() any { return new(screenBuffer) }
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.routes()
	if cfg.Journal != nil {
		s.tasks.Go(s.watch)
	}
	return s, nil
}

// Close ends every stream and background task, and waits for them.
func (s *Server) Close() error {
	s.cancel()
	s.tasks.Wait()
	return nil
}

// HTTPServer is an http.Server for this handler with its header and idle
// limits set; the caller gives it a listener. Deadlines for bodies and answers
// are set for each request, because streams have others.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.limits.HeaderTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    s.limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Publish sends an event to everybody who listens at /api/v1/events. It never
// blocks: a listener that lags too far behind is cut off and reconnects.
// Data that is no JSON is a mistake of the caller's; it is logged and not sent.
func (s *Server) Publish(e Event) {
	if err := s.events.publish(e); err != nil {
		s.log.Error("an event cannot be sent", "kind", e.Kind, "err", err)
	}
}

// watch turns the journal's appends into events until Close.
func (s *Server) watch() {
	for s.ctx.Err() == nil {
		err := s.cfg.Journal.Watch(s.ctx, s.Publish)
		if s.ctx.Err() != nil {
			return
		}
		s.log.Warn("the watch on the journal ended; starting it again", "err", err)
		select {
		case <-s.ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// random is n random bytes as text.
func (s *Server) random(n int) string {
	b := make([]byte, n)
	s.randMu.Lock()
	_, err := io.ReadFull(s.rand, b)
	s.randMu.Unlock()
	if err != nil { // without randomness no secret can be made
		panic("api: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	or(&l.ScreenValues, d.ScreenValues)
	or(&l.ScreenBytes, d.ScreenBytes)
	or(&l.StreamLine, d.StreamLine)
	or(&l.BodyBytes, d.BodyBytes)
	or(&l.JSONDepth, d.JSONDepth)
	or(&l.Statements, d.Statements)
	or(&l.Concurrent, d.Concurrent)
	or(&l.Waiting, d.Waiting)
	or(&l.WaitTime, d.WaitTime)
	or(&l.RequestTime, d.RequestTime)
	or(&l.StreamIdle, d.StreamIdle)
	or(&l.Beat, d.Beat)
	or(&l.Streams, d.Streams)
	or(&l.Sessions, d.Sessions)
	or(&l.SessionIdle, d.SessionIdle)
	or(&l.SessionTime, d.SessionTime)
	or(&l.SignInTime, d.SignInTime)
	or(&l.EventsBehind, d.EventsBehind)
	or(&l.HeaderBytes, d.HeaderBytes)
	or(&l.HeaderTimeout, d.HeaderTimeout)
	return l
}

func or[T comparable](v *T, other T) {
	var zero T
	if *v == zero {
		*v = other
	}
}
