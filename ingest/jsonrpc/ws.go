package jsonrpc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"bongsu/errs"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// overWS keeps one connection, made at the first call and again after it broke.
type overWS struct {
	shown, url string
	header     http.Header
	client     *http.Client
	max        int64

	mu   sync.Mutex
	conn *wsConn // nil before the first call and after a break
	ids  uint64
}

// wsConn is one connection. Its reader goroutine ends with it.
type wsConn struct {
	c    *websocket.Conn
	done chan struct{} // closed when the reader has ended

	mu      sync.Mutex
	waiting map[uint64]chan answer
	subs    map[string]*Subscription
	early   map[string]bool // subscriptions notified before their id was known
	err     error           // why it ended
}

// maxEarly bounds the notifications that come before the answer naming their
// subscription.
const maxEarly = 16

// A Subscription says when something happened. News holds at most one signal:
// several notifications that nobody waited for are one.
type Subscription struct {
	News chan struct{} // one signal: ask again
	Gone chan struct{} // closed when the connection ended
}

func (w *overWS) connect(ctx context.Context) (*wsConn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		select {
		case <-w.conn.done:
			w.conn = nil
		default:
			return w.conn, nil
		}
	}
	c, resp, err := websocket.Dial(ctx, w.url, &websocket.DialOptions{HTTPClient: w.client, HTTPHeader: w.header})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, refused(w.shown, "connect", resp)
		}
		return nil, gone(w.shown, "connect", err)
	}
	c.SetReadLimit(w.max)
	w.conn = &wsConn{
		c: c, done: make(chan struct{}), waiting: map[uint64]chan answer{},
		subs: map[string]*Subscription{}, early: map[string]bool{},
	}
	go w.conn.read()
	return w.conn, nil
}

func (c *wsConn) read() {
	for {
		_, text, err := c.c.Read(context.Background()) // ended by CloseNow
		var a answer
		if err == nil {
			err = json.Unmarshal(text, &a)
		}
		if err != nil {
			c.end(err)
			return
		}
		c.deliver(&a)
	}
}

func (c *wsConn) deliver(a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.Params != nil && a.ID == nil {
		id := a.Params.Subscription
		if s := c.subs[id]; s != nil {
			s.signal()
		} else if len(c.early) < maxEarly {
			c.early[id] = true
		}
		return
	}
	id, err := strconv.ParseUint(string(a.ID), 10, 64)
	if ch := c.waiting[id]; err == nil && ch != nil {
		delete(c.waiting, id)
		ch <- *a // buffered by one
	}
}

func (s *Subscription) signal() {
	select {
	case s.News <- struct{}{}:
	default:
	}
}

func (c *wsConn) end(err error) {
	c.c.CloseNow() //nolint:errcheck // it is over either way
	c.mu.Lock()
	c.err = err
	for _, s := range c.subs {
		close(s.Gone)
	}
	c.subs, c.waiting = nil, nil
	c.mu.Unlock()
	close(c.done)
}

func (w *overWS) call(ctx context.Context, method string, params []any, use func(jsontext.Value) error) error {
	c, err := w.connect(ctx)
	if err != nil {
		return err
	}
	result, err := w.ask(ctx, c, method, params)
	if err != nil {
		return err
	}
	return use(result)
}

func (w *overWS) ask(ctx context.Context, c *wsConn, method string, params []any) (jsontext.Value, error) {
	w.mu.Lock()
	w.ids++
	id := w.ids
	w.mu.Unlock()
	body, err := json.Marshal(question{"2.0", id, method, params})
	if err != nil {
		return nil, errs.Wrap(method, w.shown, err)
	}
	ch := make(chan answer, 1)
	c.mu.Lock()
	if c.waiting == nil {
		c.mu.Unlock()
		return nil, gone(w.shown, method, c.err)
	}
	c.waiting[id] = ch
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	if err := c.write(ctx, body); err != nil {
		return nil, gone(w.shown, method, err)
	}
	select {
	case a := <-ch:
		return check(w.shown, method, id, &a, nil)
	case <-c.done:
		if errors.Is(c.err, websocket.ErrMessageTooBig) {
			return nil, errs.Wrap(method, w.shown, tooLong(w.max))
		}
		return nil, gone(w.shown, method, c.err)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			c.c.CloseNow() //nolint:errcheck // a silent connection is given up; the next call makes another
		}
		return nil, gone(w.shown, method, ctx.Err())
	}
}

// write writes a question whole, until the call's deadline, though its asker may
// no longer want it: half of one would end the connection for everybody.
func (c *wsConn) write(ctx context.Context, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	whole := context.WithoutCancel(ctx)
	if at, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		whole, stop = context.WithDeadline(whole, at)
		defer stop()
	}
	return c.c.Write(whole, websocket.MessageText, body)
}

func (w *overWS) subscribe(ctx context.Context, namespace string, params []any) (*Subscription, error) {
	c, err := w.connect(ctx)
	if err != nil {
		return nil, err
	}
	result, err := w.ask(ctx, c, namespace+"_subscribe", params)
	if err != nil {
		return nil, err
	}
	var id string
	if err := json.Unmarshal(result, &id); err != nil {
		return nil, &errs.Error{Op: "subscribe", Kind: errs.Invalid, Where: w.shown, Why: "the answer names no subscription", Err: err}
	}
	s := &Subscription{News: make(chan struct{}, 1), Gone: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subs == nil {
		return nil, gone(w.shown, "subscribe", c.err)
	}
	c.subs[id] = s
	if c.early[id] {
		s.signal()
	}
	clear(c.early)
	return s, nil
}

func (w *overWS) close() {
	w.mu.Lock()
	c := w.conn
	w.conn = nil
	w.mu.Unlock()
	if c != nil {
		c.c.CloseNow() //nolint:errcheck // a node needs no farewell
		<-c.done
	}
}
