package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"bongsu/errs"
	"bongsu/screen"

	"go.uber.org/goleak"
)

// net/http waits half a second after it refused a request's rest before it
// closes the connection, longer than goleak waits.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// node is a server on a real port, with fakes for the rooms below.
type node struct {
	*Server
	t       *testing.T
	url     string
	index   *screen.Index
	journal *fakeJournal
	tokens  *Tokens
	dir     string
	log     *lockedBuffer
	mu      sync.Mutex
	now     time.Time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (n *node) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *node) advance(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

type fakeJournal struct {
	mu      sync.Mutex
	objects [][]byte
	lists   []Listing
	users   []string
	err     error
	events  chan Event
}

func (j *fakeJournal) AppendObjects(_ context.Context, user string, objects [][]byte) ([]Appended, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return nil, j.err
	}
	var out []Appended
	for _, o := range objects {
		j.objects = append(j.objects, bytes.Clone(o))
		j.users = append(j.users, user)
		out = append(out, Appended{ID: "indicator--1", Sequence: uint64(len(j.objects)), Committed: time.Unix(1, 123456789).UTC()})
	}
	return out, nil
}

func (j *fakeJournal) List(_ context.Context, user string, l Listing) (Appended, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lists = append(j.lists, l)
	j.users = append(j.users, user)
	return Appended{ID: "indicator--2", Committed: time.Unix(1, 123456789).UTC()}, nil
}

func (j *fakeJournal) Watch(ctx context.Context, event func(Event)) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-j.events:
			event(e)
		}
	}
}

type fakeCases struct{ err error }

func (c fakeCases) Thefts(context.Context) ([]Theft, error) {
	return []Theft{{ID: "incident--1", Title: "A theft", Fires: 3}}, c.err
}

func (c fakeCases) Case(_ context.Context, id string) (*Case, error) {
	if c.err != nil {
		return nil, c.err
	}
	if id != "incident--1" {
		return nil, errs.New("theft", errs.NotExist, id, "no such theft", "list them")
	}
	return &Case{Theft: Theft{ID: id, Fires: 2}, Trace: JSON(`{"digest":"sha256:00"}`), Labels: map[string][]Label{}}, nil
}

func start(t *testing.T, change ...func(*Config)) *node {
	t.Helper()
	n := &node{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), journal: &fakeJournal{events: make(chan Event)}, dir: t.TempDir(), log: &lockedBuffer{}}
	n.index = screen.New(screen.Config{Clock: n.clock})
	t.Cleanup(n.index.Close)
	audit, err := OpenAudit(filepath.Join(n.dir, "audit"), n.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { audit.Close() })
	if n.tokens, err = OpenTokens(filepath.Join(n.dir, "tokens.json"), n.clock); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Version: "test", Organisation: Organisation{ID: "identity--1", Name: "Agency", Fingerprint: "one two"},
		Screener: n.index, Journal: n.journal, Cases: fakeCases{}, Audit: audit, Tokens: n.tokens, Listen: ln.Addr().String(),
		Layout: func(_ context.Context, id, axis string) (JSON, error) { return JSON(`{"axis":"` + axis + `"}`), nil },
		Clock:  n.clock, Logger: slog.New(slog.NewTextHandler(n.log, nil)),
		Pages: fstest.MapFS{
			"index.html":              {Data: []byte("<!doctype html>first page")},
			"assets/app-abcd1234.js":  {Data: []byte("1")},
			"assets/logo.svg":         {Data: []byte("<svg/>")},
			"assets/font-ABCD_12-.js": {Data: []byte("2")},
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	if n.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	hs := n.HTTPServer()
	done := make(chan struct{})
	go func() {
		defer close(done)
		hs.Serve(ln) //nolint:errcheck // ends with Close
	}()
	t.Cleanup(func() {
		n.Close()
		hs.Close()
		<-done
	})
	n.url = "http://" + ln.Addr().String()
	return n
}

// client is one asker.
type client struct {
	n    *node
	http *http.Client
	csrf string
	auth string
}

func (n *node) stranger() *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	tr := &http.Transport{}
	n.t.Cleanup(tr.CloseIdleConnections)
	return &client{n: n, http: &http.Client{Jar: jar, Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (n *node) signedIn(role Role) *client {
	n.t.Helper()
	c := n.stranger()
	link, err := n.SignInLink(n.url, User{Name: "min", Role: role})
	if err != nil {
		n.t.Fatal(err)
	}
	res := c.get(strings.TrimPrefix(link, n.url))
	if res.StatusCode != 303 || res.Header.Get("Location") != "/" {
		n.t.Fatalf("sign-in: %d %v", res.StatusCode, res.Header)
	}
	var s sessionAnswer
	c.get("/api/v1/session").decode(&s)
	c.csrf = s.CSRF
	return c
}

func (n *node) holder(quota int, scopes ...Scope) *client {
	n.t.Helper()
	secret, _, err := n.tokens.Create(TokenInfo{Name: "machine", Scopes: scopes, Quota: quota})
	if err != nil {
		n.t.Fatal(err)
	}
	c := n.stranger()
	c.auth = "Bearer " + secret
	return c
}

type response struct {
	*http.Response
	t    *testing.T
	body string
}

func (r response) decode(v any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		r.t.Fatalf("%d %v: %s", r.StatusCode, err, r.body)
	}
}

// problem checks that the answer is a problem document of a status.
func (r response) problem(status int) Problem {
	r.t.Helper()
	var p Problem
	if r.StatusCode != status || r.Header.Get("Content-Type") != problemType {
		r.t.Fatalf("status %d %s, want a problem %d: %s", r.StatusCode, r.Header.Get("Content-Type"), status, r.body)
	}
	r.decode(&p)
	if p.Status != status || p.Title == "" || p.Type == "" || p.Code == "" || p.Detail == "" {
		r.t.Fatalf("not a whole problem: %s", r.body)
	}
	return p
}

func (c *client) do(method, path, body string, header ...string) response {
	c.n.t.Helper()
	req, err := http.NewRequest(method, c.n.url+path, strings.NewReader(body))
	if err != nil {
		c.n.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.csrf != "" {
		req.Header.Set(csrfHeader, c.csrf)
	}
	if c.auth != "" {
		req.Header.Set("Authorization", c.auth)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else if header[i+1] == "" {
			req.Header.Del(header[i])
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.n.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.n.t.Fatal(err)
	}
	return response{res, c.n.t, string(text)}
}

func (c *client) get(path string, header ...string) response {
	c.n.t.Helper()
	return c.do("GET", path, "", header...)
}

func (c *client) post(path, body string, header ...string) response {
	c.n.t.Helper()
	return c.do("POST", path, body, header...)
}
