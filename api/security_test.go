package api

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const oneValue = `{"values":["0x0000000000000000000000000000000000000001"]}`

func TestHeadersOfEveryAnswer(t *testing.T) {
	n := start(t)
	c := n.signedIn(Reader)
	for _, path := range []string{"/", "/assets/logo.svg", "/api/v1/session", "/api/v1/nothing", "/api/openapi.json", "/signin?token=no"} {
		h := c.get(path).Header
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy lacks %q: %s", path, part, csp)
			}
		}
		for k, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if h.Get(k) != want {
				t.Errorf("%s: %s is %q", path, k, h.Get(k))
			}
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: lets other origins in", path)
		}
		if strings.HasPrefix(path, "/api/v1/") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, h.Get("Cache-Control"))
		}
	}
}

func TestHost(t *testing.T) {
	n := start(t, func(c *Config) { c.Hosts = []string{"Node.Example:8443"} })
	c := n.stranger()
	for host, want := range map[string]int{
		"evil.example": 421, "127.0.0.1": 421, "127.0.0.1:1": 421, "127.0.0.1.evil.example": 421,
		"NODE.example:8443": 401, strings.Replace(strings.TrimPrefix(n.url, "http://"), "127.0.0.1", "localhost", 1): 401,
	} {
		if res := c.get("/api/v1/session", "Host", host); res.StatusCode != want {
			t.Errorf("Host %s: %d, want %d", host, res.StatusCode, want)
		}
	}
	c.get("/", "Host", "evil.example").problem(421)
}

func TestOrigin(t *testing.T) {
	n := start(t)
	c := n.signedIn(Admin)
	for _, origin := range []string{"http://evil.example", "null", strings.Replace(n.url, "http:", "https:", 1), "http://127.0.0.1:1", n.url + ".evil.example"} {
		c.post("/api/v1/screen", oneValue, "Origin", origin).problem(403)
		c.get("/api/v1/session", "Origin", origin).problem(403)
	}
	if res := c.post("/api/v1/screen", oneValue, "Origin", n.url); res.StatusCode != 200 {
		t.Errorf("our own origin: %d", res.StatusCode)
	}
	for _, site := range []string{"cross-site", "same-site"} {
		c.get("/api/v1/session", "Sec-Fetch-Site", site).problem(403)
	}
	if res := c.get("/", "Sec-Fetch-Site", "cross-site"); res.StatusCode != 200 {
		t.Errorf("a link from elsewhere to the first page: %d", res.StatusCode)
	}
}

func TestCSRF(t *testing.T) {
	n := start(t)
	c := n.signedIn(Admin)
	other := n.signedIn(Admin)
	for _, token := range []string{"", "wrong", other.csrf} {
		for _, path := range []string{"/api/v1/screen", "/api/v1/statements", "/api/v1/tokens", "/api/v1/screen/stream"} {
			c.post(path, oneValue, csrfHeader, token).problem(403)
		}
		c.do("DELETE", "/api/v1/session", "", csrfHeader, token).problem(403)
	}
	if len(n.journal.objects)+len(n.journal.lists) != 0 {
		t.Error("a write without the header reached the journal")
	}
	if res := c.post("/api/v1/screen", oneValue); res.StatusCode != 200 {
		t.Errorf("with the header: %d %s", res.StatusCode, res.body)
	}
}

func TestSignInLink(t *testing.T) {
	n := start(t)
	c := n.stranger()
	c.get("/signin").problem(401)
	c.get("/signin?token=guess").problem(401)
	link, err := n.SignInLink(n.url, User{"min", Reader})
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(link, n.url)
	res := c.get(path)
	cookie := res.Header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie lacks %s: %s", part, cookie)
		}
	}
	n.stranger().get(path).problem(401) // used once
	if res := c.get("/api/v1/session"); res.StatusCode != 200 {
		t.Errorf("after sign-in: %d", res.StatusCode)
	}
	link, err = n.SignInLink(n.url, User{"min", Reader})
	if err != nil {
		t.Fatal(err)
	}
	n.advance(DefaultLimits().SignInTime)
	n.stranger().get(strings.TrimPrefix(link, n.url)).problem(401) // expired
	for _, u := range []User{{"", Reader}, {"min", "root"}, {strings.Repeat("m", 101), Reader}} {
		if _, err := n.SignInLink(n.url, u); err == nil {
			t.Errorf("a link for %+v", u)
		}
	}
}

func TestLinksForOthers(t *testing.T) {
	n := start(t)
	admin := n.signedIn(Admin)
	for _, c := range []*client{n.signedIn(Analyst), n.holder(0, ScopeRead, ScopeWrite, ScopeScreen)} {
		c.post("/api/v1/sign-in-links", `{"name":"ada","role":"admin"}`).problem(403)
	}
	for _, body := range []string{`{"name":"ada","role":"root"}`, `{"name":"","role":"reader"}`} {
		admin.post("/api/v1/sign-in-links", body).problem(422)
	}
	var made madeLink
	res := admin.post("/api/v1/sign-in-links", `{"name":"ada","role":"reader"}`)
	res.decode(&made)
	if res.StatusCode != 201 || !strings.HasPrefix(made.Link, n.url+"/signin?token=") || !made.Expires.After(n.clock()) {
		t.Fatalf("%d %s", res.StatusCode, res.body)
	}
	ada := n.stranger()
	ada.get(strings.TrimPrefix(made.Link, n.url))
	var s sessionAnswer
	ada.get("/api/v1/session").decode(&s)
	if s.User != (User{"ada", Reader}) {
		t.Errorf("%+v", s.User)
	}
}

func TestSecureCookie(t *testing.T) {
	n := start(t, func(c *Config) { c.Secure = true })
	link, err := n.SignInLink(n.url, User{"min", Reader})
	if err != nil {
		t.Fatal(err)
	}
	cookie := n.stranger().get(strings.TrimPrefix(link, n.url)).Header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-") || !strings.Contains(cookie, "; Secure") {
		t.Error(cookie)
	}
}

func TestSessionEnds(t *testing.T) {
	n := start(t)
	l := DefaultLimits()
	c := n.signedIn(Reader)
	for range 3 { // each use rolls it on
		n.advance(l.SessionIdle - time.Minute)
		if res := c.get("/api/v1/session"); res.StatusCode != 200 || res.Header.Get("Set-Cookie") == "" {
			t.Fatalf("in use: %d, cookie %q", res.StatusCode, res.Header.Get("Set-Cookie"))
		}
	}
	n.advance(l.SessionIdle)
	c.get("/api/v1/session").problem(401)

	c = n.signedIn(Reader)
	for range 30 {
		n.advance(l.SessionIdle - time.Minute)
		if c.get("/api/v1/session").StatusCode == 401 {
			break
		}
	}
	c.get("/api/v1/session").problem(401) // used all the time, yet not for ever

	c = n.signedIn(Reader)
	if res := c.do("DELETE", "/api/v1/session", ""); res.StatusCode != 204 {
		t.Fatalf("sign out: %d %s", res.StatusCode, res.body)
	}
	c.get("/api/v1/session").problem(401)
}

func TestSessionsAreBounded(t *testing.T) {
	n := start(t, func(c *Config) { c.Limits.Sessions = 2 })
	first := n.signedIn(Reader)
	n.advance(time.Second)
	second := n.signedIn(Reader)
	n.advance(time.Second)
	n.signedIn(Reader)
	first.get("/api/v1/session").problem(401)
	if res := second.get("/api/v1/session"); res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
	for range 2 {
		if _, err := n.SignInLink(n.url, User{"min", Reader}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.SignInLink(n.url, User{"min", Reader}); err == nil {
		t.Error("unused links without limit")
	}
}

func TestNobodyWithoutCredentials(t *testing.T) {
	n := start(t)
	c := n.stranger()
	for _, path := range []string{"/session", "/thefts", "/thefts/x", "/thefts/x/graph", "/partners", "/statements/x/receipts", "/events", "/tokens", "/status"} {
		res := c.get("/api/v1" + path)
		res.problem(401)
		if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: no WWW-Authenticate", path)
		}
	}
	for _, path := range []string{"/screen", "/screen/stream", "/statements", "/tokens", "/sign-in-links"} {
		c.post("/api/v1"+path, oneValue).problem(401)
	}
	for _, auth := range []string{"Bearer", "Bearer x", "Basic abc", "Bearer bongsu_000000000000_x", "bongsu_x_y"} {
		c.get("/api/v1/session", "Authorization", auth).problem(401)
	}
}

func TestSessionAndTokenTogether(t *testing.T) {
	n := start(t)
	c := n.signedIn(Reader)
	c.get("/api/v1/session", "Authorization", n.holder(0, ScopeRead).auth).problem(400)
}

func TestScopes(t *testing.T) {
	n := start(t)
	calls := map[Scope]func(c *client) response{
		ScopeScreen: func(c *client) response { return c.post("/api/v1/screen", oneValue) },
		ScopeRead:   func(c *client) response { return c.get("/api/v1/thefts") },
		ScopeWrite: func(c *client) response {
			return c.post("/api/v1/statements", `{"list":{"value":"0x0000000000000000000000000000000000000001"}}`)
		},
		ScopeAdmin: func(c *client) response { return c.get("/api/v1/tokens") },
	}
	for _, have := range allScopes {
		c := n.holder(0, have)
		for need, call := range calls {
			res := call(c)
			if have == need && res.StatusCode/100 != 2 {
				t.Errorf("token with %s: %d %s", have, res.StatusCode, res.body)
			}
			if have != need {
				res.problem(403)
			}
		}
	}
	for role, want := range roleScopes {
		c := n.signedIn(role)
		for need, call := range calls {
			allowed := false
			for _, s := range want {
				allowed = allowed || s == need
			}
			if got := call(c).StatusCode/100 == 2; got != allowed {
				t.Errorf("%s, %s: allowed %v", role, need, got)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	n := start(t)
	admin := n.signedIn(Admin)
	for _, body := range []string{`{"name":"","scopes":["read"]}`, `{"name":"x","scopes":[]}`, `{"name":"x","scopes":["root"]}`, `{"name":"x","scopes":["read"],"quota":-1}`, `{"name":"x","scopes":["read"],"more":1}`} {
		if res := admin.post("/api/v1/tokens", body); res.StatusCode/100 != 4 {
			t.Errorf("%s: %d", body, res.StatusCode)
		}
	}
	admin.post("/api/v1/tokens", `{"name":"x","name":"y","scopes":["read"]}`).problem(400)
	var made madeToken
	res := admin.post("/api/v1/tokens", `{"name":"exchange","scopes":["read"],"days":1}`)
	res.decode(&made)
	if res.StatusCode != 201 || made.Secret == "" || made.Token.By != "user:min" {
		t.Fatalf("%d %s", res.StatusCode, res.body)
	}
	file := filepath.Join(n.dir, "tokens.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), strings.SplitN(made.Secret, "_", 3)[2]) {
		t.Error("the secret lies in the file")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	c := n.stranger()
	c.auth = "Bearer " + made.Secret
	if res := c.get("/api/v1/session"); res.StatusCode != 200 || strings.Contains(res.body, "csrf") {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
	c.get("/api/v1/session", "Authorization", c.auth+"x").problem(401)
	n.advance(24 * time.Hour)
	c.get("/api/v1/session").problem(401) // expired

	c = n.holder(0, ScopeRead)
	id := strings.Split(c.auth, "_")[1]
	if res := n.signedIn(Admin).do("DELETE", "/api/v1/tokens/"+id, ""); res.StatusCode != 204 {
		t.Fatalf("withdraw: %d %s", res.StatusCode, res.body)
	}
	c.get("/api/v1/session").problem(401)
	n.signedIn(Admin).do("DELETE", "/api/v1/tokens/"+id, "").problem(404)
}

// Another process on the same folder makes and withdraws tokens too.
func TestTokensOfAnotherProcess(t *testing.T) {
	n := start(t)
	other, err := OpenTokens(filepath.Join(n.dir, "tokens.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, info, err := other.Create(TokenInfo{Name: "cli", Scopes: []Scope{ScopeRead}})
	if err != nil {
		t.Fatal(err)
	}
	c := n.stranger()
	c.auth = "Bearer " + secret
	until(t, func() bool { return c.get("/api/v1/session").StatusCode == 200 })
	if err := other.Withdraw(info.ID); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return c.get("/api/v1/session").StatusCode == 401 })
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come about within 10 s")
		}
	}
}

func TestDamagedTokenFile(t *testing.T) {
	for name, text := range map[string]string{
		"cut": `{"version":1,"tokens":[{"id":"a"`, "version": `{"version":2,"tokens":[]}`, "twice": `{"version":1,"version":1,"tokens":[]}`,
		"hash": `{"version":1,"tokens":[{"id":"a","name":"n","scopes":["read"],"quota":0,"created":"2026-01-01T00:00:00Z","sha256":"00"}]}`,
	} {
		file := filepath.Join(t.TempDir(), "tokens.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenTokens(file, nil); err == nil {
			t.Errorf("%s: a damaged file was read", name)
		}
	}
}

func TestQuota(t *testing.T) {
	n := start(t)
	c := n.holder(60, ScopeScreen)
	body := func(k int) string {
		return `{"values":[` + strings.TrimSuffix(strings.Repeat(`"a.example",`, k), ",") + `]}`
	}
	if res := c.post("/api/v1/screen", body(60)); res.StatusCode != 200 {
		t.Fatalf("within the quota: %d %s", res.StatusCode, res.body)
	}
	res := c.post("/api/v1/screen", body(30))
	res.problem(429)
	if res.Header.Get("Retry-After") != "30" {
		t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
	}
	n.advance(30 * time.Second)
	if res := c.post("/api/v1/screen", body(30)); res.StatusCode != 200 {
		t.Errorf("after the wait: %d", res.StatusCode)
	}
	c.post("/api/v1/screen", body(61)).problem(429)
}

func TestOverload(t *testing.T) {
	blocked, release := make(chan struct{}, 8), make(chan struct{})
	n := start(t, func(c *Config) {
		c.Limits.Concurrent, c.Limits.Waiting, c.Limits.WaitTime = 1, 1, 10*time.Second
		c.Cases = blockingCases{blocked, release}
	})
	c := n.holder(0, ScopeRead)
	results := make(chan response, 2)
	go func() { results <- c.get("/api/v1/thefts") }()
	<-blocked
	go func() { results <- c.get("/api/v1/thefts") }() // waits for the place
	until(t, func() bool { return n.waiting.Load() == 1 })
	res := n.holder(0, ScopeRead).get("/api/v1/thefts")
	res.problem(429)
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(release)
	for range 2 {
		if res := <-results; res.StatusCode != 200 {
			t.Errorf("%d %s", res.StatusCode, res.body)
		}
	}
}

func TestHostileBodies(t *testing.T) {
	n := start(t, func(c *Config) { c.Limits.ScreenBytes, c.Limits.BodyBytes = 100_000, 100_000 })
	c := n.signedIn(Admin)
	for name, b := range map[string]struct {
		body string
		want int
	}{
		"empty":           {"{}", 422},
		"null":            {"null", 422},
		"no JSON":         {"values", 400},
		"cut":             {`{"values":["a.example"`, 400},
		"after the end":   {`{"values":["a.example"]} {}`, 400},
		"twice":           {`{"values":["a.example"],"values":["b.example"]}`, 400},
		"unknown":         {`{"values":["a.example"],"x":1}`, 400},
		"numbers":         {`{"values":[1]}`, 400},
		"nested":          {`{"values":` + strings.Repeat("[", 40000) + strings.Repeat("]", 40000) + `}`, 400},
		"invalid UTF-8":   {"{\"values\":[\"\xff.example\"]}", 400},
		"lone surrogate":  {`{"values":["\ud800.example"]}`, 400},
		"too many":        {`{"values":[` + strings.Repeat(`"a",`, 1000) + `"a"]}`, 413},
		"too many, plain": {`{"values":[` + strings.Repeat(`"\u0061",`, 1000) + `"a"]}`, 413},
		"too long":        {`{"values":["` + strings.Repeat("a", 100_000) + `"]}`, 413},
	} {
		if res := c.post("/api/v1/screen", b.body); res.StatusCode != b.want {
			t.Errorf("screen, %s: %d, want %d: %.200s", name, res.StatusCode, b.want, res.body)
		} else {
			res.problem(b.want)
		}
	}
	for name, b := range map[string]struct {
		body string
		want int
	}{
		"empty":         {"{}", 422},
		"deep":          {`{"objects":[` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `]}`, 413},
		"twice":         {`{"objects":[],"objects":[]}`, 400},
		"twice, inside": {`{"objects":[{"a":1,"a":2}]}`, 400},
		"both":          {`{"objects":[{}],"list":{"value":"x"}}`, 422},
		"too long":      {`{"objects":["` + strings.Repeat("a", 100_000) + `"]}`, 413},
	} {
		if res := c.post("/api/v1/statements", b.body); res.StatusCode != b.want {
			t.Errorf("statements, %s: %d, want %d: %.200s", name, res.StatusCode, b.want, res.body)
		} else {
			res.problem(b.want)
		}
	}
	if n.journal.objects != nil {
		t.Error("the journal was asked")
	}
	c.post("/api/v1/screen", oneValue, "Content-Type", "text/plain").problem(415)
	c.post("/api/v1/statements", oneValue, "Content-Type", "application/x-www-form-urlencoded").problem(415)
	c.post("/api/v1/screen/stream", oneValue).problem(415)
}

func TestUnknownPathsAndMethods(t *testing.T) {
	n := start(t)
	c := n.signedIn(Admin)
	c.get("/api/v1/nothing").problem(404)
	c.get("/api/").problem(404)
	c.get("/nothing").problem(404)
	c.get("/assets/").problem(404)
	c.get("/..%2fgo.mod").problem(404)
	res := c.get("/api/v1/screen")
	res.problem(405)
	if res.Header.Get("Allow") != "POST" {
		t.Errorf("Allow %q", res.Header.Get("Allow"))
	}
	c.post("/", "x").problem(405)
	c.do("PUT", "/api/v1/session", "x").problem(405)
	c.do("OPTIONS", "/api/v1/session", "").problem(405)
}

// What an operator should know stays in the log.
func TestInternalErrorsDoNotLeak(t *testing.T) {
	n := start(t, func(c *Config) { c.Cases = fakeCases{os.ErrPermission} })
	p := n.signedIn(Reader).get("/api/v1/thefts").problem(500)
	if text, _ := json.Marshal(p); strings.Contains(string(text), "permission") || p.Ref == "" {
		t.Errorf("%s", text)
	}
	if !strings.Contains(n.log.String(), p.Ref) || !strings.Contains(n.log.String(), "permission denied") {
		t.Errorf("the log lacks the cause: %s", n.log)
	}
	n = start(t, func(c *Config) { c.Cases = panickingCases{} })
	p = n.signedIn(Reader).get("/api/v1/thefts").problem(500)
	if !strings.Contains(n.log.String(), "on purpose") || p.Ref == "" {
		t.Error("a panic did not reach the log")
	}
}

func TestWithoutHosts(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a server without rooms")
	}
}

func TestPages(t *testing.T) {
	n := start(t)
	c := n.stranger()
	res := c.get("/")
	if res.StatusCode != 200 || !strings.Contains(res.body, "first page") || res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, res.body)
	}
	if again := c.get("/", "If-None-Match", res.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("with the tag: %d", again.StatusCode)
	}
	for path, want := range map[string]string{"/assets/app-abcd1234.js": "public, max-age=31536000, immutable", "/assets/logo.svg": "no-cache"} {
		res := c.get(path)
		if res.StatusCode != 200 || res.Header.Get("Cache-Control") != want {
			t.Errorf("%s: %d %q", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
	n = start(t, func(c *Config) { c.Pages = nil })
	if res := n.stranger().get("/"); res.StatusCode != 200 || !strings.Contains(res.body, "built without its pages") || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
}

func TestHeaderLimits(t *testing.T) {
	n := start(t)
	hs := n.HTTPServer()
	if hs.ReadHeaderTimeout == 0 || hs.MaxHeaderBytes == 0 || hs.IdleTimeout == 0 {
		t.Errorf("%+v", hs)
	}
	req, err := http.NewRequest("GET", n.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("a", 1<<20))
	res, err := n.stranger().http.Do(req)
	if err == nil {
		res.Body.Close()
		if res.StatusCode != 431 {
			t.Errorf("%d", res.StatusCode)
		}
	}
}
