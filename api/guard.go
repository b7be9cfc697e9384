package api

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"bongsu/errs"
)

// allowed are the Host values and origins that are ours: those configured, and
// the loopback names of the port that is listened on.
func allowed(cfg Config) (hosts, origins map[string]bool, err error) {
	hosts, origins = map[string]bool{}, map[string]bool{}
	list := append([]string(nil), cfg.Hosts...)
	if cfg.Listen != "" {
		_, port, err := net.SplitHostPort(cfg.Listen)
		if err != nil {
			return nil, nil, errs.New("api", errs.Usage, cfg.Listen, "not a host and port", "write 127.0.0.1:8420")
		}
		list = append(list, "127.0.0.1:"+port, "localhost:"+port, "[::1]:"+port)
	}
	scheme := "http://"
	if cfg.Secure {
		scheme = "https://"
	}
	for _, h := range list {
		h = strings.ToLower(h)
		hosts[h], origins[scheme+h] = true, true
	}
	if len(hosts) == 0 {
		return nil, nil, errs.New("api", errs.Usage, "hosts", "no Host is allowed, so nothing could be answered", "name the address that is listened on, or the hosts")
	}
	return hosts, origins, nil
}

// The policy of the pages: nothing but our own files, no inline script or
// style, no string made into code, no framing.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

func secureHeaders(h http.Header) {
	h["Content-Security-Policy"] = headerPolicy
	h["X-Content-Type-Options"] = headerNosniff
	h["Referrer-Policy"] = headerReferrer
	h["Cross-Origin-Opener-Policy"] = headerSameOrigin
	h["Cross-Origin-Resource-Policy"] = headerSameOrigin
	h["Cache-Control"] = headerNoStore
}

// Shared by every answer; net/http only reads them.
var (
	headerPolicy     = []string{contentPolicy}
	headerNosniff    = []string{"nosniff"}
	headerReferrer   = []string{"no-referrer"}
	headerSameOrigin = []string{"same-origin"}
	headerNoStore    = []string{"no-store"}
	headerJSON       = []string{"application/json"}
)

// ServeHTTP checks what concerns every request, then routes it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.caught(w, r)
	secureHeaders(w.Header())
	if !s.hosts[strings.ToLower(r.Host)] {
		problem(421, errs.Permission, "this node does not answer for the host named in the request",
			"open the address that it listens on, or add the host to its configuration").write(w)
		return
	}
	if p := s.foreign(r); p != nil {
		p.write(w)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// foreign refuses what another site's page sent: a wrong Origin anywhere, and
// any call of the API that the browser says came from elsewhere.
func (s *Server) foreign(r *http.Request) *Problem {
	refused := problem(403, errs.Permission, "the request comes from another site's page", "use this node's own pages, or a token outside a browser")
	if o, ok := r.Header["Origin"]; ok && (len(o) != 1 || !s.origins[strings.ToLower(o[0])]) {
		return refused
	}
	if site := r.Header.Get("Sec-Fetch-Site"); strings.HasPrefix(r.URL.Path, "/api/") && site != "" && site != "same-origin" && site != "none" {
		return refused
	}
	return nil
}

// caught turns a panic into a 500 and a line in the log; the node lives on.
func (s *Server) caught(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	ref := s.random(6)
	s.log.Error("panic while answering", "ref", ref, "path", r.URL.Path, "panic", v, "stack", stack())
	p := problem(500, errs.Internal, "this node could not do it", "ask its operator to look up "+ref+" in the log")
	p.Ref = ref
	p.write(w)
}

// call is one admitted request.
type call struct {
	who      *principal
	host     string // that was asked; one of ours
	asked    Asked
	recorded bool // the audit has it already
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// guarded admits a request to h: who asks, with which scope, the CSRF header,
// a place among the concurrent ones, limits on time and body, and the audit.
func (s *Server) guarded(scope Scope, stream bool, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := s.clock()
		c := &call{host: strings.ToLower(r.Host), asked: Asked{At: now.UTC(), Who: "-", From: r.RemoteAddr, Method: clip(r.Method, 20), Path: clip(r.URL.Path, maxAuditPath)}}
		out := &recorder{ResponseWriter: w}
		defer func() { s.account(c, out) }()
		p := s.unaudited()
		if p == nil {
			c.who, p = s.authenticate(out, r, now)
		}
		if p == nil {
			c.asked.Who = c.who.name
			p = c.who.may(scope, r)
		}
		if p != nil {
			p.write(out)
			return
		}
		leave, p := s.enter(r.Context(), stream)
		if p != nil {
			p.write(out)
			return
		}
		defer leave()
		ctx := context.WithValue(r.Context(), callKey{}, c)
		if !stream {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.limits.RequestTime)
			defer cancel()
			rc := http.NewResponseController(w)
			end := time.Now().Add(s.limits.RequestTime)
			// A writer without deadlines (a test's recorder) has no connection
			// that could hang.
			_ = rc.SetReadDeadline(end)
			_ = rc.SetWriteDeadline(end.Add(5 * time.Second))
		}
		h(out, r.WithContext(ctx))
	}
}

// enter takes one of the places for requests served at once, or one for a
// stream; without one within the limits the answer is 429.
func (s *Server) enter(ctx context.Context, stream bool) (leave func(), _ *Problem) {
	busy := func() *Problem {
		return problem(429, errs.Limit, "too many requests at once", "send it again after the time in Retry-After").with("Retry-After", "1")
	}
	if stream {
		if int(s.streams.Add(1)) > s.limits.Streams {
			s.streams.Add(-1)
			return nil, busy()
		}
		return func() { s.streams.Add(-1) }, nil
	}
	leave = func() { <-s.places }
	select {
	case s.places <- struct{}{}:
		return leave, nil
	default:
	}
	if int(s.waiting.Add(1)) > s.limits.Waiting {
		s.waiting.Add(-1)
		return nil, busy()
	}
	defer s.waiting.Add(-1)
	t := time.NewTimer(s.limits.WaitTime)
	defer t.Stop()
	select {
	case s.places <- struct{}{}:
		return leave, nil
	case <-t.C:
		return nil, busy()
	case <-ctx.Done():
		return nil, problem(408, errs.Unavailable, "the client went away", "")
	}
}

// unaudited refuses everything while the audit cannot be written: nobody is
// answered unseen.
func (s *Server) unaudited() *Problem {
	err := s.cfg.Audit.Err()
	if err == nil {
		return nil
	}
	s.log.Error("the audit cannot be written, so nothing is answered", "err", err)
	return problem(503, errs.Unavailable, "this node cannot write its audit", "ask its operator to look at the log and the disk").with("Retry-After", "60")
}

// recordNow writes the audit's record of a call and waits until it is durable,
// for what must not be lost: who made or withdrew a token.
func (s *Server) recordNow(ctx context.Context, c *call) error {
	c.asked.Status, c.recorded = http.StatusOK, true
	if err := s.cfg.Audit.Record(&c.asked); err != nil {
		return err
	}
	return s.cfg.Audit.Sync(ctx)
}

// account writes the audit's record of a call, whatever became of it.
func (s *Server) account(c *call, out *recorder) {
	if c.recorded {
		return
	}
	c.asked.Status = out.status
	if c.who == nil && !s.strangers.admit(&c.asked) {
		return
	}
	if err := s.cfg.Audit.Record(&c.asked); err != nil {
		s.log.Error("the audit did not take a record", "err", err, "who", c.asked.Who, "path", c.asked.Path)
	}
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader sets the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write writes the body, with status 200 when none was set.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = 200
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func stack() string { return string(debug.Stack()) }
