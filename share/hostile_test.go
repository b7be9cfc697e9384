package share_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/share"
	"bongsu/stix"
)

// impostor answers in a node's place, at its address, with the given keys.
func impostor(t *testing.T, address string, keys *identity.Keys, handler http.HandlerFunc) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := keys.TLS(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(handler)
	srv.Listener.Close()
	srv.Listener = l
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
}

// frames of a feed as a node would send them, to be spoiled.
type wireBatch struct {
	First      uint64     `json:"first"`
	Items      []wireItem `json:"items"`
	Size       uint64     `json:"size"`
	Checkpoint string     `json:"checkpoint"`
}

type wireItem struct {
	Envelope string `json:"envelope"`
	Payload  string `json:"payload,omitempty"`
	Salt     []byte `json:"salt"`
}

func wire(b journal.Batch) wireBatch {
	w := wireBatch{First: b.First, Size: b.Size, Checkpoint: string(b.Checkpoint)}
	for _, it := range b.Items {
		w.Items = append(w.Items, wireItem{string(it.Envelope), string(it.Payload), it.Salt[:]})
	}
	return w
}

func line(t *testing.T, kind string, v any) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{kind: v})
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// TestHostileAuthor: what a partner with the right keys can send instead of
// its feed, and what becomes of it. Nothing of it is stored, the node goes on,
// and the reason is named.
func TestHostileAuthor(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	first := seoul.say(seoul.listing(1, stix.TLPAmber))[0]
	until(t, "the first arrives", func() bool { return europe.has(seoul, first) })
	europe.end()
	// What the author would have sent next, and another history of the same.
	seoul.say(seoul.listing(2, stix.TLPAmber))
	next, err := seoul.journal.Batch(t.Context(), "feed/"+terms.ID, 1, 10)
	if err != nil || len(next.Items) != 1 {
		t.Fatalf("batch of %d, %v", len(next.Items), err)
	}
	whole, err := seoul.journal.Batch(t.Context(), "feed/"+terms.ID, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	seoul.end()
	hello := `{"hello":{"protocol":1,"time":"2026-11-23T00:00:00Z"}}` + "\n"
	good := line(t, "batch", wire(next))
	for _, c := range []struct {
		name, want string
		send       func() string
	}{
		{"a changed envelope", "do not add up", func() string {
			w := wire(next)
			w.Items[0].Envelope = strings.Replace(w.Items[0].Envelope, `"marking":"AMBER"`, `"marking":"GREEN"`, 1)
			return hello + line(t, "batch", w)
		}},
		{"a fork", "rewritten", func() string {
			w := wire(whole)
			w.Items[0].Envelope = strings.Replace(w.Items[0].Envelope, `"marking":"AMBER"`, `"marking":"GREEN"`, 1)
			return hello + line(t, "batch", w)
		}},
		{"another checkpoint", "another size", func() string {
			w := wire(next)
			w.Checkpoint = string(whole.Checkpoint)
			return hello + line(t, "batch", w)
		}},
		{"a forged checkpoint", "signed", func() string {
			w := wire(next)
			w.Checkpoint = strings.Replace(w.Checkpoint, "\n2\n", "\n3\n", 1)
			return hello + line(t, "batch", w)
		}},
		{"a gap", "missing", func() string {
			w := wire(next)
			w.First, w.Size = 7, 8
			return hello + line(t, "batch", w)
		}},
		{"a rollback", "went back", func() string {
			return hello + `{"beat":{"time":"2026-11-23T00:00:00Z","size":0}}` + "\n"
		}},
		{"a key twice", "duplicate", func() string {
			return hello + strings.Replace(good, `"first":1`, `"first":1,"first":1`, 1)
		}},
		{"invalid UTF-8", "a frame that is not one", func() string {
			return hello + strings.Replace(good, `AMBER`, "AMB\xff", 1)
		}},
		{"an unknown member", "unknown", func() string { return hello + `{"gift":{}}` + "\n" }},
		{"two kinds in one frame", "several kinds", func() string {
			return hello + `{"beat":{"time":"2026-11-23T00:00:00Z","size":9},"end":{"code":"other","why":"x"}}` + "\n"
		}},
		{"no hello", "begins with one hello", func() string { return good }},
		{"two hellos", "begins with one hello", func() string { return hello + hello }},
		{"another protocol", "version 2", func() string {
			return strings.Replace(hello, `"protocol":1`, `"protocol":2`, 1)
		}},
		{"no statements", "a batch of 0", func() string {
			w := wire(next)
			w.Items = nil
			return hello + line(t, "batch", w)
		}},
		{"too many statements", "a batch of", func() string {
			w := wire(next)
			for len(w.Items) <= share.DefaultLimits().BatchItems {
				w.Items = append(w.Items, wireItem{"{}", "{}", make([]byte, 32)})
			}
			return hello + line(t, "batch", w)
		}},
		{"an endless frame", "a frame of more than", func() string {
			return hello + strings.Repeat("x", 3000<<10)
		}},
		{"deep nesting", "a frame that is not one", func() string {
			return hello + `{"batch":` + strings.Repeat("[", 100_000) + "\n"
		}},
		{"a flood of beats", "flood", func() string {
			return hello + strings.Repeat(`{"beat":{"time":"2026-11-23T00:00:00Z","size":9}}`+"\n", 2000)
		}},
		{"an end with a terminal's escapes", "the partner ended the stream:  [2Jgone", func() string {
			return hello + `{"end":{"code":"limit","why":"\u001b[2Jgone"}}` + "\n"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := c.send()
			impostor(t, seoul.options.address, seoul.keys, answering(t, terms.ID, text))
			europe.options.limits = share.Limits{StatementBytes: 64 << 10, BatchBytes: 256 << 10, BatchItems: 100, Frames: 100}
			if strings.HasPrefix(c.name, "too many") {
				europe.options.limits = share.Limits{}
			}
			europe.start()
			defer europe.end()
			until(t, "the fault is named", func() bool {
				return strings.Contains(europe.status(seoul).Fault, c.want)
			})
			if n, err := europe.journal.ReceivedSize(t.Context(), seoul.keys.ID(), "feed/"+terms.ID); err != nil || n != 1 {
				t.Errorf("%d statements are stored, 1 was before: %v", n, err)
			}
		})
	}
	t.Run("then the feed itself", func(t *testing.T) {
		europe.options.limits = share.Limits{}
		europe.start()
		seoul.start()
		until(t, "the second arrives", func() bool { return europe.status(seoul).Received == 2 })
	})
}

// answering is a node that has nothing to say but one feed's text.
func answering(t *testing.T, id, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/feed/"+id {
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, `{"error":{"code":"unavailable","why":"not now"}}`)
			return
		}
		io.WriteString(w, text)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// TestForgedStatements: items that break their own rules are refused by
// themselves; the leaf is kept, and the author is told.
func TestForgedStatements(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	europe.end()
	seoul.say(seoul.listing(1, stix.TLPAmber), seoul.listing(2, stix.TLPAmber))
	b, err := seoul.journal.Batch(t.Context(), "feed/"+terms.ID, 0, 10)
	if err != nil || len(b.Items) != 2 {
		t.Fatalf("batch of %d, %v", len(b.Items), err)
	}
	seoul.end()
	w := wire(b)
	w.Items[0].Payload = strings.Replace(w.Items[0].Payload, "test", "TEST", 1)
	impostor(t, seoul.options.address, seoul.keys, answering(t, terms.ID,
		`{"hello":{"protocol":1,"time":"2026-11-23T00:00:00Z"}}`+"\n"+line(t, "batch", w)))
	europe.start()
	until(t, "the honest one arrives", func() bool { return europe.status(seoul).Received == 1 })
	until(t, "both are answered", func() bool {
		n := 0
		list, err := europe.journal.Read(t.Context(), "feed/"+terms.ID, 0, 10)
		for _, st := range list {
			o, oerr := st.Object()
			r, rerr := stix.ReadReceipt(o)
			if oerr == nil && rerr == nil && (r.State == stix.Arrived && r.Position == 1 || r.State == stix.Refused && r.Position == 0 && strings.Contains(r.Reason, "committed")) {
				n++
			}
		}
		return err == nil && n == 2
	})
}

// TestBeyondTheAgreement: a partner whose node lets more out than the
// agreement says is refused at the door.
func TestBeyondTheAgreement(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	o := seoul.listing(1, stix.TLPRed)
	o.Log, o.Recipients = "feed/"+terms.ID, []identity.OrgID{europe.keys.ID()}
	seoul.say(o) // straight onto the feed, past every rule
	until(t, "the refusal comes back", func() bool { return seoul.status(europe).Receipts.Refused == 1 })
	if st := europe.status(seoul); st.Received != 0 {
		t.Errorf("%d statements were taken", st.Received)
	}
}

// TestWrongKey: at the partner's address answers a node with another key.
func TestWrongKey(t *testing.T) {
	seoul, europe, _ := pair(t, nodeOptions{}, nodeOptions{})
	europe.end()
	seoul.end()
	other := newNode(t, "Impostor", nodeOptions{silent: true})
	impostor(t, seoul.options.address, other.keys, func(w http.ResponseWriter, r *http.Request) {
		// Whether the partner renewed its keys may be asked: the answer must be
		// signed by its root. This one is the impostor's own.
		if r.Method != http.MethodGet || r.URL.Path != "/organisation" {
			t.Errorf("%s was sent to a node with the wrong key", r.URL.Path)
		}
		document, err := other.keys.Org().Marshal()
		if err != nil {
			t.Error(err)
		}
		json.NewEncoder(w).Encode(map[string]json.RawMessage{"organisation": document})
	})
	europe.start()
	until(t, "the wrong key is named", func() bool {
		return strings.Contains(europe.status(seoul).Fault, "not one that Seoul Agency's root key certified")
	})
	if _, err := europe.service.Ping(t.Context(), "seoul"); errs.Is(err) != errs.Forged {
		t.Errorf("ping: %v", err)
	}
}

// client speaks to a node as an organisation would.
func client(t *testing.T, keys *identity.Keys, at *node) (*http.Client, string) {
	t.Helper()
	cert, err := keys.TLS(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}, "https://" + at.options.address
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestStrangers(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	stranger := newNode(t, "Stranger", nodeOptions{silent: true})
	c, base := client(t, stranger.keys, seoul)
	for _, path := range []string{"/ping", "/feed/" + terms.ID + "?after=0", "/exchange/" + terms.ID} {
		if code, body := get(t, c, base+path); code != http.StatusForbidden || !strings.Contains(body, "not certified") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _ := get(t, c, base+"/organisation"); code != http.StatusOK {
		t.Errorf("the public document: %d", code)
	}
	bare := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if resp, err := bare.Get(base + "/organisation"); err == nil {
		resp.Body.Close()
		t.Error("a client without a certificate was answered")
	}
	partner, base := client(t, europe.keys, seoul)
	for path, want := range map[string]int{
		"/feed/" + terms.ID + "?after=9":                 http.StatusConflict,
		"/feed/" + terms.ID + "?after=-1":                http.StatusBadRequest,
		"/feed/" + terms.ID:                              http.StatusBadRequest,
		"/feed/bongsu-agreement--unknown?after=0":        http.StatusNotFound,
		"/feed/" + strings.Repeat("a", 300) + "?after=0": http.StatusNotFound,
		"/nothing": http.StatusNotFound,
	} {
		if code, body := get(t, partner, base+path); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}
	post := func(path, body string) (int, string) {
		resp, err := partner.Post(base+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	for body, want := range map[string]int{
		`{"have":{},"have":{}}`:                              http.StatusBadRequest,
		`{"extra":1}`:                                        http.StatusBadRequest,
		strings.Repeat(" ", 5<<20) + `{}`:                    http.StatusTooManyRequests,
		`{"organisation":{"v":1},"have":{},"agreements":[]}`: http.StatusBadRequest,
	} {
		if code, answer := post("/sync", body); code != want {
			t.Errorf("sync %.40s: %d %s, want %d", body, code, answer, want)
		}
	}
	big, err := http.NewRequest(http.MethodGet, base+"/ping", nil)
	if err != nil {
		t.Fatal(err)
	}
	big.Header.Set("X-Filler", strings.Repeat("x", 64<<10))
	if resp, err := partner.Do(big); err == nil {
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("a header of 64 KiB: %d", resp.StatusCode)
		}
		resp.Body.Close()
	}
}

// TestForeignAgreement: a partner brings agreements that are not between the
// two, or that the other never proposed.
func TestForeignAgreement(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	partners(t, seoul, europe)
	bank := newNode(t, "Bank", nodeOptions{})
	partners(t, seoul, bank)
	theirs, err := seoul.service.Propose(t.Context(), share.Proposal{Partner: "Bank"})
	if err != nil {
		t.Fatal(err)
	}
	st, err := seoul.journal.Get(t.Context(), theirs.ID)
	if err != nil {
		t.Fatal(err)
	}
	o, err := st.Object()
	if err != nil {
		t.Fatal(err)
	}
	a, err := stix.ReadAgreement(o)
	if err != nil {
		t.Fatal(err)
	}
	own, err := europe.keys.Org().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"organisation": json.RawMessage(own), "have": map[string]string{}, "agreements": []string{string(a.Document)}})
	if err != nil {
		t.Fatal(err)
	}
	c, base := client(t, europe.keys, seoul)
	resp, err := c.Post(base+"/sync", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusForbidden || !strings.Contains(string(answer), "not the two of us") {
		t.Errorf("%d %s", resp.StatusCode, answer)
	}
}

// TestSlowReader: a reader that does not take what it asked for is cut off.
func TestSlowReader(t *testing.T) {
	limits := share.Limits{WriteTime: 300 * time.Millisecond}
	seoul, europe, terms := pair(t, nodeOptions{limits: limits}, nodeOptions{})
	europe.end()
	for i := range 25 { // far more than the sockets hold
		now := seoul.clock.now()
		o, err := stix.Note{
			Common: stix.Common{Author: seoul.keys.ID(), Created: now, Modified: now, Marking: stix.TLPClear},
			Text:   strings.Repeat("x", 900<<10), Of: []string{"indicator--5f2b9e3c-7b1f-4f43-9b1e-0a5b9a3f6f10"},
		}.Object()
		if err != nil {
			t.Fatal(i, err)
		}
		seoul.say(journal.Draft{Log: "feed/" + terms.ID, Object: o})
	}
	c, base := client(t, europe.keys, seoul)
	resp, err := c.Get(base + "/feed/" + terms.ID + "?after=0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	// Nothing is read until the other end has given up.
	until(t, "the stream is given up", func() bool { return seoul.service.Streams(europe.keys.ID()) == 0 })
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil {
		t.Errorf("the stream ended in an orderly way after %d bytes", n)
	}
}

func TestStreamsAndRequestsAreBounded(t *testing.T) {
	limits := share.Limits{StreamsEach: 3, Requests: 40}
	seoul, europe, terms := pair(t, nodeOptions{limits: limits}, nodeOptions{})
	europe.end()
	until(t, "no stream is open", func() bool { return seoul.service.Streams(europe.keys.ID()) == 0 })
	c, base := client(t, europe.keys, seoul)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	open := func() int {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/feed/"+terms.ID+"?after=0", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp.StatusCode
	}
	for i := range 3 {
		if code := open(); code != http.StatusOK {
			t.Fatalf("stream %d: %d", i, code)
		}
	}
	if code := open(); code != http.StatusTooManyRequests {
		t.Errorf("a fourth stream: %d", code)
	}
	for i := range 41 {
		code, body := get(t, c, base+"/ping")
		if code == http.StatusTooManyRequests {
			if !strings.Contains(body, "too many requests") {
				t.Errorf("%s", body)
			}
			return
		}
		if code != http.StatusOK {
			t.Fatalf("ping %d: %d", i, code)
		}
	}
	t.Error("requests are not bounded")
}

// TestStreamOutlivesRequestTime: the bound on requests is not one on streams.
func TestStreamOutlivesRequestTime(t *testing.T) {
	limits := share.Limits{RequestTime: 100 * time.Millisecond, Beat: 150 * time.Millisecond}
	seoul, europe, terms := pair(t, nodeOptions{limits: limits}, nodeOptions{})
	europe.end()
	c, base := client(t, europe.keys, seoul)
	resp, err := c.Get(base + "/feed/" + terms.ID + "?after=0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for i := range 5 { // hello and four beats: much longer than a request may take
		if !lines.Scan() {
			t.Fatalf("the stream ended after %d frames: %v", i, lines.Err())
		}
	}
}

// TestOneAddressCannotTakeAll: connections beyond the bound are closed at once.
func TestOneAddressCannotTakeAll(t *testing.T) {
	seoul := newNode(t, "Seoul Agency", nodeOptions{limits: share.Limits{FromOne: 3}})
	for range 3 {
		c, err := net.Dial("tcp", seoul.options.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	until(t, "a connection too many is closed", func() bool {
		c, err := net.Dial("tcp", seoul.options.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err = c.Read(make([]byte, 1))
		var slow net.Error
		return err != nil && !(errors.As(err, &slow) && slow.Timeout())
	})
}

// TestFloodIsPaced: more statements a minute than agreed are taken at the
// agreed pace, not lost and not all at once.
func TestFloodIsPaced(t *testing.T) {
	seoul, europe, _ := pair(t, nodeOptions{limits: share.Limits{BatchItems: 5}}, nodeOptions{limits: share.Limits{PerMinute: 300}})
	var drafts []journal.Draft
	for i := range 310 {
		drafts = append(drafts, seoul.listing(i, stix.TLPClear))
	}
	began := time.Now()
	seoul.say(drafts...)
	until(t, "all arrives", func() bool { return europe.status(seoul).Received == 310 })
	if took := time.Since(began); took < 800*time.Millisecond {
		t.Errorf("310 statements at 300 a minute took %s", took)
	}
}
