package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bongsu/errs"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"
)

// node answers every question by a function of method and first parameter.
func node(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, q question)) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		if err := json.UnmarshalRead(r.Body, &q); err != nil {
			t.Error(err)
		}
		answer(w, r, q)
	}))
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, url string, o Options) *Client {
	t.Helper()
	c, err := New(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestCall(t *testing.T) {
	s := node(t, func(w http.ResponseWriter, _ *http.Request, q question) {
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%d,"result":{"method":%q,"params":%d}}`, q.ID, q.Method, len(q.Params))
	})
	c := client(t, s.URL, Options{})
	for range 3 {
		var out struct {
			Method string `json:"method"`
			Params int    `json:"params"`
		}
		if err := c.Call(context.Background(), &out, "sum", 1, 2); err != nil || out.Method != "sum" || out.Params != 2 {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	if err := c.Call(context.Background(), nil, "sum"); err != nil {
		t.Error(err)
	}
}

func TestAnswersRefused(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		kind       errs.Kind
	}{
		{"an error", `{"id":1,"error":{"code":-32000,"message":"no"}}`, 200, errs.Unavailable},
		{"an error in a status of 500, as Bitcoin nodes give", `{"id":1,"result":null,"error":{"code":-8,"message":"no"}}`, 500, errs.Unavailable},
		{"an unknown method", `{"id":1,"error":{"code":-32601,"message":"no"}}`, 200, errs.NotExist},
		{"another's answer", `{"id":2,"result":1}`, 200, errs.Invalid},
		{"no id", `{"result":1}`, 200, errs.Invalid},
		{"neither result nor error", `{"id":1}`, 200, errs.Invalid},
		{"not JSON", `<html>`, 200, errs.Invalid},
		{"two names alike", `{"id":1,"result":1,"result":2}`, 200, errs.Invalid},
		{"broken text", "{\"id\":1,\"result\":\"\xff\"}", 200, errs.Invalid},
		{"of another type", `{"id":1,"result":"text"}`, 200, errs.Invalid},
		{"no credentials", ``, 401, errs.Permission},
		{"forbidden", ``, 403, errs.Permission},
		{"not there", ``, 404, errs.Usage},
		{"busy", ``, 503, errs.Unavailable},
		{"too often", ``, 429, errs.Unavailable},
		{"too long", `{"id":1,"result":"` + strings.Repeat("x", 5000) + `"}`, 200, errs.Limit},
		{"cut off", `{"id":1,"res`, 200, errs.Invalid},
		{"nested without end", strings.Repeat("[", 4000), 200, errs.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := node(t, func(w http.ResponseWriter, _ *http.Request, _ question) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(c.status)
				io.WriteString(w, c.body) //nolint:errcheck // the client notices
			})
			var out int
			err := client(t, s.URL+"/secret?key=hidden", Options{MaxAnswer: 4096}).Call(context.Background(), &out, "sum")
			if errs.Is(err) != c.kind {
				t.Errorf("%v (%s), want %s", err, errs.Is(err), c.kind)
			}
			if text := fmt.Sprint(err); strings.Contains(text, "secret") || strings.Contains(text, "hidden") {
				t.Errorf("the error tells the path: %s", text)
			}
			var after RetryAfter
			if asked := errors.As(err, &after); asked != (c.status == 429) || asked && time.Duration(after) != 7*time.Second {
				t.Errorf("come back in %v", time.Duration(after))
			}
		})
	}
}

func TestNullLeavesOut(t *testing.T) {
	s := node(t, func(w http.ResponseWriter, _ *http.Request, q question) {
		fmt.Fprintf(w, `{"id":%d,"result":null}`, q.ID)
	})
	out := 7
	if err := client(t, s.URL, Options{}).Call(context.Background(), &out, "sum"); err != nil || out != 7 {
		t.Errorf("%d, %v", out, err)
	}
}

func TestCredentials(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed, with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	redirect := false
	s := node(t, func(w http.ResponseWriter, r *http.Request, q question) {
		if u, p, ok := r.BasicAuth(); !ok || u != "me" || p != "p:w" {
			t.Errorf("credentials %q %q", u, p)
		}
		if redirect {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprintf(w, `{"id":%d,"result":1}`, q.ID)
	})
	c := client(t, strings.Replace(s.URL, "http://", "http://me:p%3Aw@", 1), Options{})
	if err := c.Call(context.Background(), nil, "sum"); err != nil {
		t.Error(err)
	}
	redirect = true
	if err := c.Call(context.Background(), nil, "sum"); errs.Is(err) != errs.Usage {
		t.Errorf("%v", err)
	}
	s.Close()
	err := c.Call(context.Background(), nil, "sum")
	for _, text := range []string{c.String(), fmt.Sprint(err)} {
		if strings.Contains(text, "p:w") || strings.Contains(text, "p%3Aw") {
			t.Errorf("tells the password: %s", text)
		}
	}
	if errs.Is(err) != errs.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestURLs(t *testing.T) {
	for _, bad := range []string{"", "localhost:8545", "ftp://host", "http://", "://", "file:///etc/passwd"} {
		if _, err := New(bad, Options{}); errs.Is(err) != errs.Usage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	release := make(chan struct{})
	s := node(t, func(http.ResponseWriter, *http.Request, question) { <-release })
	c := client(t, s.URL, Options{Timeout: time.Millisecond, HTTP: s.Client()})
	if err := c.Call(context.Background(), nil, "sum"); errs.Is(err) != errs.Unavailable {
		t.Errorf("%v", err)
	}
	close(release)
	s.Close()
}

// socket serves WebSocket connections by a function.
func socket(t *testing.T, serve func(ctx context.Context, c *websocket.Conn)) string {
	var all sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Add(1)
		defer all.Done()
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow() //nolint:errcheck // it is over either way
		serve(r.Context(), c)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); all.Wait(); s.Close() })
	return strings.Replace(s.URL, "http", "ws", 1)
}

func read(ctx context.Context, c *websocket.Conn) (q question, ok bool) {
	_, text, err := c.Read(ctx)
	return q, err == nil && json.Unmarshal(text, &q) == nil
}

func say(ctx context.Context, c *websocket.Conn, format string, args ...any) {
	c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)) //nolint:errcheck // the client notices
}

func TestWebSocket(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	connections := 0
	url := socket(t, func(ctx context.Context, c *websocket.Conn) {
		connections++
		for {
			q, ok := read(ctx, c)
			switch {
			case !ok || q.Method == "hang up":
				return
			case q.Method == "wrong":
				say(ctx, c, `{"id":999,"result":1}`)
				say(ctx, c, `{"id":%d,"error":{"code":-32601,"message":"no"}}`, q.ID)
			case q.Method == "eth_subscribe":
				say(ctx, c, `{"method":"eth_subscription","params":{"subscription":"0x1","result":{}}}`) // too early
				say(ctx, c, `{"id":%d,"result":"0x1"}`, q.ID)
			case q.Method == "notify":
				say(ctx, c, `{"method":"eth_subscription","params":{"subscription":"0x1","result":{}}}`)
				say(ctx, c, `{"method":"eth_subscription","params":{"subscription":"0x1","result":{}}}`)
				say(ctx, c, `{"id":%d,"result":1}`, q.ID)
			default:
				say(ctx, c, `{"id":%d,"result":%v}`, q.ID, q.Params[0])
			}
		}
	})
	c := client(t, url, Options{})
	ctx := context.Background()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			var out int
			if err := c.Call(ctx, &out, "echo", i); err != nil || out != i {
				t.Errorf("%d: %d, %v", i, out, err)
			}
		})
	}
	all.Wait()
	if err := c.Call(ctx, nil, "wrong"); errs.Is(err) != errs.NotExist {
		t.Errorf("%v", err)
	}
	sub, err := c.Subscribe(ctx, "eth", "newHeads")
	if err != nil {
		t.Fatal(err)
	}
	<-sub.News // the early one
	if err := c.Call(ctx, nil, "notify"); err != nil {
		t.Fatal(err)
	}
	<-sub.News
	select {
	case <-sub.News:
		t.Error("two notifications that nobody waited for are two signals")
	default:
	}
	if err := c.Call(ctx, nil, "hang up"); errs.Is(err) != errs.Unavailable {
		t.Errorf("%v", err)
	}
	<-sub.Gone
	var out int
	if err := c.Call(ctx, &out, "echo", 5); err != nil || out != 5 || connections != 2 {
		t.Errorf("after the break: %d, %v, %d connections", out, err, connections)
	}
	c.Close()
	if err := c.Call(ctx, &out, "echo", 6); err != nil || out != 6 {
		t.Errorf("a closed client connects anew: %d, %v", out, err)
	}
	c.Close()
}

// TestSilentWebSocket holds that a connection over which nothing comes any more
// is replaced by another.
func TestSilentWebSocket(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	var mu sync.Mutex
	connections := 0
	url := socket(t, func(ctx context.Context, c *websocket.Conn) {
		mu.Lock()
		connections++
		silent := connections == 1
		mu.Unlock()
		for {
			q, ok := read(ctx, c)
			if !ok {
				return
			}
			if !silent {
				say(ctx, c, `{"id":%d,"result":1}`, q.ID)
			}
		}
	})
	c := client(t, url, Options{Timeout: 100 * time.Millisecond})
	if err := c.Call(context.Background(), nil, "sum"); errs.Is(err) != errs.Unavailable {
		t.Errorf("%v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); c.Call(context.Background(), nil, "sum") != nil; {
		if time.Now().After(deadline) {
			t.Fatal("no call succeeds after a silent connection")
		}
	}
	c.Close()
}

// TestCancelledQuestion holds that a question given up while it is written
// leaves the connection to the others.
func TestCancelledQuestion(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	var connections atomic.Int32
	begun, release := make(chan struct{}), make(chan struct{})
	url := socket(t, func(ctx context.Context, c *websocket.Conn) {
		if connections.Add(1) == 1 {
			c.SetReadLimit(-1)
			_, r, err := c.Reader(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			close(begun)
			<-release
			io.Copy(io.Discard, r) //nolint:errcheck // the next read says what is wrong
		}
		for {
			q, ok := read(ctx, c)
			if !ok {
				return
			}
			say(ctx, c, `{"id":%d,"result":1}`, q.ID)
		}
	})
	c := client(t, url, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Call(ctx, nil, "sum", strings.Repeat("x", 32<<20)) }() // more than sockets hold
	<-begun
	cancel()
	time.Sleep(20 * time.Millisecond) // for whoever watches the context
	close(release)
	if err := <-ended; errs.Is(err) != errs.Unavailable && err != nil {
		t.Errorf("the question given up: %v", err)
	}
	if err := c.Call(context.Background(), nil, "sum"); err != nil || connections.Load() != 1 {
		t.Errorf("the next: %v, over %d connections", err, connections.Load())
	}
	c.Close()
}

func TestWebSocketBreaks(t *testing.T) {
	for _, c := range []struct {
		name string
		say  string
		kind errs.Kind
	}{
		{"not JSON", "<html>", errs.Unavailable},
		{"too long", `{"id":1,"result":"` + strings.Repeat("x", 5000) + `"}`, errs.Limit},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() { goleak.VerifyNone(t) })
			url := socket(t, func(ctx context.Context, conn *websocket.Conn) {
				if _, ok := read(ctx, conn); ok {
					say(ctx, conn, "%s", c.say)
					read(ctx, conn)
				}
			})
			cl := client(t, url, Options{MaxAnswer: 4096})
			if err := cl.Call(context.Background(), nil, "sum"); errs.Is(err) != c.kind {
				t.Errorf("%v (%s), want %s", err, errs.Is(err), c.kind)
			}
			cl.Close()
		})
	}
	c := client(t, "ws://127.0.0.1:1/secret", Options{})
	if err := c.Call(context.Background(), nil, "sum"); errs.Is(err) != errs.Unavailable || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if _, err := client(t, "http://127.0.0.1:1", Options{}).Subscribe(context.Background(), "eth"); errs.Is(err) != errs.Usage {
		t.Errorf("%v", err)
	}
}
