package jsonrpc

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"
)

// firstBytes is overHTTP.first in this test.
const firstBytes = 10_000

// long answers every question with a text longer than firstBytes, and counts how
// many such answers are held at a time.
type long struct{ now, most atomic.Int64 }

func (l *long) RoundTrip(r *http.Request) (*http.Response, error) {
	var q question
	if err := json.UnmarshalRead(r.Body, &q); err != nil {
		return nil, err
	}
	text := `{"id":` + strconv.FormatUint(q.ID, 10) + `,"result":"` + strings.Repeat("a", firstBytes+1000) + `"}`
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: &longBody{r: strings.NewReader(text), left: firstBytes + 1, l: l}, Request: r}, nil
}

type longBody struct {
	r    io.Reader
	left int
	l    *long
	over bool
}

func (b *longBody) Read(p []byte) (int, error) {
	if b.left == 0 && !b.over {
		b.over = true
		if n := b.l.now.Add(1); n > b.l.most.Load() {
			b.l.most.Store(n)
		}
	}
	if b.left > 0 {
		p = p[:min(len(p), b.left)]
	}
	n, err := b.r.Read(p)
	b.left = max(0, b.left-n)
	return n, err
}

func (b *longBody) Close() error {
	if b.over {
		b.l.now.Add(-1)
	}
	return nil
}

// TestOneLargeAnswer: however many calls wait, one large answer is held at a time.
func TestOneLargeAnswer(t *testing.T) {
	var l long
	c := client(t, "http://node.example", Options{HTTP: &http.Client{Transport: &l}})
	over := c.transport.(*overHTTP)
	over.first = firstBytes
	var calls sync.WaitGroup
	for range 6 {
		calls.Go(func() {
			var out string
			if err := c.Call(context.Background(), &out, "m"); err != nil || len(out) != firstBytes+1000 {
				t.Errorf("%d bytes, %v", len(out), err)
			}
		})
	}
	calls.Wait()
	if n := l.most.Load(); n != 1 {
		t.Errorf("%d large answers were held at a time", n)
	}
	over.large <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Call(ctx, nil, "m"); err == nil {
		t.Error("a call that waited went on after its context had ended")
	}
}
