package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dial opens a bare connection, for what no well-behaved client sends.
func (n *node) dial() net.Conn {
	n.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		n.t.Fatal(err)
	}
	return c
}

func (n *node) head(c *client, path, media string, length int) string {
	h := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nContent-Type: %s\r\n", path, strings.TrimPrefix(n.url, "http://"), c.auth, media)
	if length < 0 {
		return h + "Transfer-Encoding: chunked\r\n\r\n"
	}
	return h + fmt.Sprintf("Content-Length: %d\r\n\r\n", length)
}

// A body that never comes is given up, and holds no place afterwards.
func TestSlowBody(t *testing.T) {
	n := start(t, func(c *Config) { c.Limits.RequestTime, c.Limits.Concurrent = 100*time.Millisecond, 1 })
	holder := n.holder(0, ScopeScreen, ScopeWrite)
	for _, path := range []string{"/api/v1/screen", "/api/v1/statements"} {
		c := n.dial()
		fmt.Fprint(c, n.head(holder, path, "application/json", 1000)+`{"values":[`)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		if res.StatusCode != 408 || res.Header.Get("Content-Type") != problemType {
			t.Errorf("%s: %d %s", path, res.StatusCode, text)
		}
	}
	if res := holder.post("/api/v1/screen", oneValue); res.StatusCode != 200 {
		t.Errorf("afterwards: %d %s", res.StatusCode, res.body)
	}
}

// A client that ends its body early is told so, and nothing is screened.
func TestCutBody(t *testing.T) {
	n := start(t)
	c := n.dial()
	fmt.Fprint(c, n.head(n.holder(0, ScopeScreen), "/api/v1/screen", "application/json", 1000)+oneValue)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 400 {
		text, _ := io.ReadAll(res.Body)
		t.Errorf("%d %s", res.StatusCode, text)
	}
}

// A stream on which nothing comes is ended with a word why.
func TestIdleStream(t *testing.T) {
	n := start(t, func(c *Config) { c.Limits.StreamIdle = 100 * time.Millisecond })
	c := n.dial()
	fmt.Fprint(c, n.head(n.holder(0, ScopeScreen), "/api/v1/screen/stream", "application/x-ndjson", -1)+"c\r\n\"a.example\"\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"clear"`) || !strings.Contains(lines[1], `"status":408`) {
		t.Errorf("%s", text)
	}
	until(t, func() bool { return n.streams.Load() == 0 })
}

// A client that asks and never reads its answers stops being read, and is cut
// off: the node holds one buffer for it, not its backlog.
func TestStreamThatIsNotRead(t *testing.T) {
	n := start(t, func(c *Config) { c.Limits.StreamIdle = 300 * time.Millisecond })
	c := n.dial()
	fmt.Fprint(c, n.head(n.holder(0, ScopeScreen), "/api/v1/screen/stream", "application/x-ndjson", -1))
	line := strings.Repeat(`"`+bad+"\"\n", 1000)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(line), line)
	sent := 0
	for sent < 256<<20 {
		k, err := io.WriteString(c, chunk)
		sent += k
		if err != nil {
			break
		}
	}
	if sent >= 256<<20 {
		t.Error("256 MB of questions were taken while no answer was read")
	}
	until(t, func() bool { return n.streams.Load() == 0 })
}

func TestTooManyStreams(t *testing.T) {
	n := start(t, func(c *Config) { c.Limits.Streams = 1 })
	holder := n.holder(0, ScopeScreen, ScopeRead)
	c := n.dial()
	fmt.Fprint(c, n.head(holder, "/api/v1/screen/stream", "application/x-ndjson", -1))
	until(t, func() bool { return n.streams.Load() == 1 })
	res := holder.get("/api/v1/events")
	res.problem(429)
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	c.Close()
	until(t, func() bool { return n.streams.Load() == 0 })
}
