package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bongsu/screen"

	"github.com/google/uuid"
)

type blockingCases struct{ blocked, release chan struct{} }

func (c blockingCases) Thefts(context.Context) ([]Theft, error) {
	c.blocked <- struct{}{}
	<-c.release
	return nil, nil
}

func (c blockingCases) Case(context.Context, string) (*Case, error) { return nil, nil }

type panickingCases struct{}

func (panickingCases) Thefts(context.Context) ([]Theft, error)     { panic("on purpose") }
func (panickingCases) Case(context.Context, string) (*Case, error) { return nil, nil }

func (n *node) list(values ...string) {
	s := screen.Statement{
		ID: "indicator--" + uuid.NewString(), Author: "identity--1", Version: n.clock(),
		Reason: screen.Reason{Kind: screen.Listing, Marking: "AMBER", Since: n.clock()},
	}
	for _, v := range values {
		r, err := screen.Read(v)
		if err != nil {
			n.t.Fatal(err)
		}
		s.Readings = append(s.Readings, r)
	}
	n.index.Put(s)
}

const bad, good = "0x00000000000000000000000000000000000000ba", "0x00000000000000000000000000000000000000ff"

func TestScreen(t *testing.T) {
	n := start(t)
	n.list(bad, "evil.example")
	for name, c := range map[string]*client{"session": n.signedIn(Reader), "token": n.holder(0, ScopeScreen)} {
		for _, body := range []string{
			`{"values":["` + bad + `","` + good + `","EVIL.example.","0x12"]}`,
			"\n { \"values\" : [ \"" + bad + "\" , \"" + good + "\",\t\"EVIL.example.\" , \"0x12\" ] } ",
			`{"values":["\u0030` + bad[1:] + `","` + good + `","EVIL\u002eexample.","0x12"]}`,
		} {
			var a struct {
				Results []screen.Result `json:"results"`
			}
			res := c.post("/api/v1/screen", body)
			res.decode(&a)
			var got []string
			for _, r := range a.Results {
				got = append(got, r.Verdict.String())
			}
			if !slices.Equal(got, []string{"block", "clear", "block", "invalid"}) {
				t.Errorf("%s: %v from %s", name, got, res.body)
			}
			if a.Results[1].Reasons == nil || a.Results[0].ReadAs != "eip155:1:"+bad || a.Results[0].Reasons[0].Kind != "listing" {
				t.Errorf("%s: %s", name, res.body)
			}
		}
		var a struct{ Results []screen.Result }
		if res := c.post("/api/v1/screen", `{"values":[]}`); res.StatusCode != 200 {
			t.Errorf("no values: %d", res.StatusCode)
		} else if res.decode(&a); a.Results == nil {
			t.Errorf("no values: %s", res.body)
		}
	}
}

func TestPlainValuesIsTheStrictReader(t *testing.T) {
	for _, text := range []string{
		`{"values":[]}`, `{"values":["a"]}`, `{"values":["a","b"]}`, `{"values":["a",]}`, `{"values":["a" "b"]}`, `{"values":["a"],}`,
		`{"values":["a"]}x`, `{"values":["a"]`, `{"values":["a`, `{"values"`, ``, `{`, `{"values":[,]}`, `{"values":["a"]]}`, `{"values":["\"]}`,
	} {
		got, fast := plainValues(nil, text, 10)
		var doc struct{ Values []string }
		valid := json.Unmarshal([]byte(text), &doc) == nil
		if fast && (!valid || !slices.Equal(got, doc.Values)) {
			t.Errorf("%q: %q, the strict reader %q, valid %v", text, got, doc.Values, valid)
		}
	}
}

func FuzzScreenBody(f *testing.F) {
	f.Add(`{"values":["a","b"]}`)
	f.Add(" {\t\"values\" :\n[ ] } ")
	f.Add(`{"values":["\u0061"],"x":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		fast, ok := plainValues(nil, text, 100)
		if !ok {
			return
		}
		var doc struct {
			Values []string `json:"values"`
		}
		if len(fast) == 100 {
			return // stopped at its limit: the rest was not looked at
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil || !slices.Equal(fast, doc.Values) {
			t.Fatalf("%q: %q, want %q, %v", text, fast, doc.Values, err)
		}
	})
}

func TestScreenStream(t *testing.T) {
	n := start(t)
	n.list(bad)
	c := n.holder(0, ScopeScreen)
	lines := []string{`{"value":"` + bad + `"}`, `"` + good + `"`, "", `{"value":1}`, `{"value":"x","value":"y"}`, `{"values":[]}`, `{`, "\"" + strings.Repeat("a", 10_000) + "\"", `"0x12"`, `{"value":"` + bad + `"}`}
	want := []string{"block", "clear", "invalid", "invalid", "invalid", "invalid", "invalid", "invalid", "block"}
	res := c.post("/api/v1/screen/stream", strings.Join(lines, "\n"), "Content-Type", "application/x-ndjson")
	var got []string
	for line := range strings.Lines(res.body) {
		var r screen.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		got = append(got, r.Verdict.String())
	}
	if res.StatusCode != 200 || !slices.Equal(got, want) {
		t.Errorf("%d %v, want %v", res.StatusCode, got, want)
	}
}

// Each answer comes before the next question is asked, and a long stream does
// not need memory for more than a line.
func TestScreenStreamAnswersAtOnce(t *testing.T) {
	n := start(t)
	n.list(bad)
	c := n.holder(0, ScopeScreen)
	r, w := io.Pipe()
	req, err := http.NewRequest("POST", n.url+"/api/v1/screen/stream", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Authorization", c.auth)
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answers := bufio.NewReader(res.Body)
	for i, want := range []string{"block", "clear", "block"} {
		v := bad
		if want == "clear" {
			v = good
		}
		fmt.Fprintf(w, "%q\n", v)
		line, err := answers.ReadString('\n')
		if err != nil || !strings.Contains(line, `"verdict":"`+want+`"`) {
			t.Fatalf("answer %d: %v %s", i, err, line)
		}
	}
	w.Close()
	if _, err := answers.ReadString('\n'); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

func TestScreenStreamQuota(t *testing.T) {
	n := start(t)
	c := n.holder(2, ScopeScreen)
	res := c.post("/api/v1/screen/stream", "\"a.example\"\n\"a.example\"\n\"a.example\"\n", "Content-Type", "application/x-ndjson")
	if !strings.Contains(res.body, `"status":429`) {
		t.Errorf("%s", res.body)
	}
}

func TestCloseEndsStreams(t *testing.T) {
	n := start(t)
	c := n.holder(0, ScopeScreen, ScopeRead)
	r, w := io.Pipe()
	defer w.Close()
	ended := make(chan struct{}, 2)
	for path, body := range map[string]io.Reader{"/api/v1/screen/stream": r, "/api/v1/events": nil} {
		method := "POST"
		if body == nil {
			method = "GET"
		}
		req, err := http.NewRequest(method, n.url+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		req.Header.Set("Authorization", c.auth)
		go func() {
			if res, err := c.http.Do(req); err == nil {
				io.Copy(io.Discard, res.Body) //nolint:errcheck // it is cut
				res.Body.Close()
			}
			ended <- struct{}{}
		}()
	}
	until(t, func() bool { return n.streams.Load() == 2 })
	n.Server.Close()
	for range 2 {
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatal("a stream outlived Close")
		}
	}
}

func TestStatements(t *testing.T) {
	n := start(t)
	c := n.signedIn(Analyst)
	var a appendAnswer
	res := c.post("/api/v1/statements", `{"list":{"value":"`+bad+`","reason":"theft","marking":"green"}}`)
	res.decode(&a)
	if res.StatusCode != 201 || len(a.Statements) != 1 || a.Statements[0].Committed.Nanosecond() != 123456789 {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
	object := `{"type":"indicator","id":"indicator--1","x":{"b":1,"a":[1.50]}}`
	for _, body := range []string{object, `{"objects":[` + object + `]}`, `{"type":"bundle","id":"bundle--1","objects":[` + object + `]}`} {
		n.journal.objects = nil
		if res := c.post("/api/v1/statements", body); res.StatusCode != 201 {
			t.Errorf("%d %s", res.StatusCode, res.body)
		}
		if len(n.journal.objects) != 1 || string(n.journal.objects[0]) != object {
			t.Errorf("the journal got %s", n.journal.objects)
		}
	}
	if l := n.journal.lists[0]; l.Value != bad || l.Reason != "theft" || l.Marking != "green" || n.journal.users[0] != "user:min" {
		t.Errorf("%+v by %v", l, n.journal.users)
	}
}

func TestReads(t *testing.T) {
	n := start(t)
	c := n.signedIn(Reader)
	var s sessionAnswer
	c.get("/api/v1/session").decode(&s)
	if s.Organisation.Name != "Agency" || s.User.Role != Reader || s.CSRF == "" || s.Version != "test" {
		t.Errorf("%+v", s)
	}
	if res := c.get("/api/v1/thefts"); res.StatusCode != 200 || !strings.Contains(res.body, `"title":"A theft"`) {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
	if res := c.get("/api/v1/thefts/incident--1"); res.StatusCode != 200 || !strings.Contains(res.body, `"trace":{"digest":"sha256:00"}`) {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
	c.get("/api/v1/thefts/incident--2").problem(404)
	for query, axis := range map[string]string{"": "time", "?axis=hops": "hops"} {
		if res := c.get("/api/v1/thefts/incident--1/graph" + query); res.StatusCode != 200 || strings.TrimSpace(res.body) != `{"axis":"`+axis+`"}` {
			t.Errorf("%d %s", res.StatusCode, res.body)
		}
	}
	c.get("/api/v1/thefts/incident--1/graph?axis=sideways").problem(422)
	for path, want := range map[string]string{"/api/v1/partners": `{"partners":[]}`, "/api/v1/statements/x/receipts": `{"receipts":[]}`} {
		if res := c.get(path); strings.TrimSpace(res.body) != want {
			t.Errorf("%s: %s", path, res.body)
		}
	}
}

func TestEvents(t *testing.T) {
	n := start(t)
	c := n.holder(0, ScopeRead)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", n.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", c.auth)
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	next := func(want string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == want {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", want, lines.Err())
	}
	next("retry: 2000")
	n.journal.events <- Event{"theft", map[string]string{"id": "incident--1"}}
	next("event: theft")
	next(`data: {"id":"incident--1"}`)
	n.list(bad)
	n.holder(0, ScopeScreen).post("/api/v1/screen", `{"values":["`+bad+`"]}`)
	next("event: screening")
	cancel()
	until(t, func() bool { return n.streams.Load() == 0 })
}

func TestSlowListenerIsCutOff(t *testing.T) {
	h := newHub(2)
	l := h.join()
	for i := range 3 {
		if err := h.publish(Event{"journal", i}); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	for range l.events { // ends: the channel was closed
		got++
	}
	if got != 2 || len(h.listeners) != 0 {
		t.Errorf("%d events, %d listeners", got, len(h.listeners))
	}
}

// Who is signed out or withdrawn hears and screens nothing more, also on a
// stream that was open before.
func TestStreamsEndWithTheirRight(t *testing.T) {
	n := start(t, func(c *Config) { c.Limits.Beat = 5 * time.Millisecond })
	for name, c := range map[string]*client{"session": n.signedIn(Reader), "token": n.holder(0, ScopeRead, ScopeScreen)} {
		open := func(method, path string, body io.Reader) *http.Response {
			t.Helper()
			req, err := http.NewRequest(method, n.url+path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-ndjson")
			if c.auth != "" {
				req.Header.Set("Authorization", c.auth)
			}
			req.Header.Set(csrfHeader, c.csrf)
			res, err := c.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		events := open("GET", "/api/v1/events", nil)
		r, w := io.Pipe()
		screening := open("POST", "/api/v1/screen/stream", r)
		answers := bufio.NewReader(screening.Body)
		fmt.Fprintln(w, `"a.example"`)
		if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, `"clear"`) {
			t.Fatalf("%s: %s, %v", name, line, err)
		}
		if c.auth == "" {
			c.do("DELETE", "/api/v1/session", "")
		} else if err := n.tokens.Withdraw(strings.Split(c.auth, "_")[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, events.Body); err != nil { // ends
			t.Errorf("%s: %v", name, err)
		}
		fmt.Fprintln(w, `"a.example"`)
		if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, `"status":401`) {
			t.Errorf("%s: after the end: %s, %v", name, line, err)
		}
		w.Close()
		events.Body.Close()
		screening.Body.Close()
	}
}

// An event that is no JSON is the caller's mistake and ends nothing.
func TestUnsendableEvent(t *testing.T) {
	n := start(t)
	n.Publish(Event{Kind: "journal", Data: func() {}})
	if !strings.Contains(n.log.String(), "an event cannot be sent") {
		t.Error("nothing in the log")
	}
}

func TestOpenAPI(t *testing.T) {
	n := start(t)
	res := n.stranger().get("/api/openapi.json")
	var doc struct {
		OpenAPI    string `json:"openapi"`
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	res.decode(&doc)
	if res.StatusCode != 200 || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%d %s", res.StatusCode, doc.OpenAPI)
	}
	for _, want := range []string{
		"post /screen", "post /screen/stream", "post /statements", "get /events", "get /session", "delete /session", "get /thefts",
		"get /thefts/{id}", "get /thefts/{id}/graph", "get /partners", "get /statements/{id}/receipts", "get /tokens", "post /tokens", "delete /tokens/{id}",
	} {
		method, path, _ := strings.Cut(want, " ")
		op := doc.Paths["/api/v1"+path][method]
		if op == nil || op["operationId"] == nil || op["responses"].(map[string]any)["default"] == nil {
			t.Errorf("%s is missing or incomplete: %v", want, op)
		}
	}
	var refs func(v any)
	refs = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && doc.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")] == nil {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, x := range v {
				refs(x)
			}
		case []any:
			for _, x := range v {
				refs(x)
			}
		}
	}
	var whole any
	res.decode(&whole)
	refs(whole)
}

func TestAuditOfCalls(t *testing.T) {
	n := start(t)
	n.list(bad)
	c := n.signedIn(Analyst)
	c.post("/api/v1/screen", `{"values":["`+bad+`","`+good+`"]}`)
	c.post("/api/v1/screen/stream", `"`+bad+`"`, "Content-Type", "application/x-ndjson")
	c.post("/api/v1/statements", `{"list":{"value":"`+bad+`"}}`)
	n.stranger().get("/api/v1/thefts")
	if err := n.cfg.Audit.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := ReadAudit(filepath.Join(n.dir, "audit"), func(a Asked) error {
		got = append(got, fmt.Sprint(a.Who, " ", a.Method, " ", a.Path, " ", a.Status, " ", len(a.Values), " ", len(a.Hits), " ", a.Subject))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"user:min GET /signin 303 0 0 []", "user:min POST /api/v1/screen 200 2 1 []", "user:min POST /api/v1/screen/stream 200 1 1 []",
		"user:min POST /api/v1/statements 201 0 0 [indicator--2]", "- GET /api/v1/thefts 401 0 0 []",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("the audit lacks %q:\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func FuzzLineValue(f *testing.F) {
	for _, s := range []string{`"a"`, `{"value":"a"}`, `{"value":null}`, `{"value":"a","value":"b"}`, `"\ud800"`, "{", `{"x":[[[]]]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return
		}
		v, err := lineValue(line)
		if err != nil {
			return
		}
		var plain string
		var doc struct{ Value *string }
		if json.Unmarshal(line, &plain) != nil && (json.Unmarshal(line, &doc) != nil || doc.Value == nil) {
			t.Fatalf("%q was read as %q, which is no JSON of a value", line, v)
		}
		if doc.Value != nil {
			plain = *doc.Value
		}
		if v != plain || !utf8.ValidString(v) {
			t.Fatalf("%q was read as %q, not %q", line, v, plain)
		}
	})
}
