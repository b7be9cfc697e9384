package jsonrpc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"bongsu/errs"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type overHTTP struct {
	shown, url string
	header     http.Header
	client     *http.Client
	max        int64
	first      int64         // bytes of an answer that are read whatever others are
	large      chan struct{} // holds something while an answer beyond first is read and decoded
	ids        atomic.Uint64
}

// largeAnswer is overHTTP.first: the answers for most blocks are shorter.
const largeAnswer = 16 << 20

func (h *overHTTP) close() { h.client.CloseIdleConnections() }

func (h *overHTTP) subscribe(context.Context, string, []any) (*Subscription, error) {
	return nil, errs.New("subscribe", errs.Usage, h.shown, "HTTP carries no notifications", "use the node's WebSocket URL")
}

func (h *overHTTP) call(ctx context.Context, method string, params []any, use func(jsontext.Value) error) error {
	id := h.ids.Add(1)
	body, err := json.Marshal(question{"2.0", id, method, params})
	if err != nil {
		return errs.Wrap(method, h.shown, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return errs.Wrap(method, h.shown, withoutURL(err))
	}
	for k, v := range h.header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.client.Do(req)
	if err != nil {
		return gone(h.shown, method, err)
	}
	text, release, err := h.read(ctx, resp.Body)
	defer release()
	defer resp.Body.Close()
	if err != nil {
		if errs.Is(err) == errs.Limit {
			return errs.Wrap(method, h.shown, err)
		}
		return gone(h.shown, method, err)
	}
	result, err := h.result(method, id, resp, text)
	if err != nil {
		return err
	}
	return use(result)
}

func (h *overHTTP) result(method string, id uint64, resp *http.Response, text []byte) (jsontext.Value, error) {
	var a answer
	bad := json.Unmarshal(text, &a)
	// Bitcoin nodes put an RPC error into an answer of status 500 or 404.
	if bad == nil && a.Error != nil {
		return nil, rpcError(h.shown, method, a.Error)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refused(h.shown, method, resp)
	}
	return check(h.shown, method, id, &a, bad)
}

// check holds that an answer is one, and to this question.
func check(shown, method string, id uint64, a *answer, bad error) (jsontext.Value, error) {
	switch {
	case bad != nil:
		return nil, &errs.Error{
			Op: method, Kind: errs.Invalid, Where: shown, Why: "the answer is not JSON-RPC", Err: bad,
			Hint: "check that the URL is that of a node",
		}
	case string(a.ID) != strconv.FormatUint(id, 10):
		return nil, errs.New(method, errs.Invalid, shown, "the answer belongs to another question", "check what stands between here and the node")
	case a.Error != nil:
		return nil, rpcError(shown, method, a.Error)
	case a.Result == nil:
		return nil, errs.New(method, errs.Invalid, shown, "the answer has neither result nor error", "check that the URL is that of a node")
	}
	return a.Result, nil
}

func refused(shown, method string, resp *http.Response) error {
	e := &errs.Error{Op: method, Kind: errs.Unavailable, Where: shown, Why: "the node answered with HTTP status " + strconv.Itoa(resp.StatusCode)}
	switch c := resp.StatusCode; {
	case c == http.StatusUnauthorized || c == http.StatusForbidden:
		e.Kind, e.Hint = errs.Permission, "put the node's user and password, or its token, into the URL"
	case c == http.StatusTooManyRequests:
		e.Hint = "the node limits how often it may be asked"
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			e.Err = RetryAfter(time.Duration(min(s, 600)) * time.Second)
		}
	case c >= 300 && c < 500:
		e.Kind, e.Hint = errs.Usage, "check the URL; redirects are not followed"
	}
	return e
}

// RetryAfter is the cause of a refusal by a node that said when to come back.
type RetryAfter time.Duration

func (r RetryAfter) Error() string { return "come back in " + time.Duration(r).String() }

// read reads an answer. What goes beyond its first bytes waits until no other does, and
// keeps others waiting until release is called.
func (h *overHTTP) read(ctx context.Context, r io.Reader) (text []byte, release func(), err error) {
	release = func() {}
	first := min(h.max, h.first)
	text, err = io.ReadAll(io.LimitReader(r, first+1))
	if err != nil || int64(len(text)) <= first {
		return text, release, err
	}
	if first == h.max {
		return nil, release, tooLong(h.max)
	}
	select {
	case h.large <- struct{}{}:
		release = func() { <-h.large }
	case <-ctx.Done():
		return nil, release, ctx.Err()
	}
	all := bytes.NewBuffer(text)
	_, err = all.ReadFrom(io.LimitReader(r, h.max+1-int64(len(text))))
	if err == nil && int64(all.Len()) > h.max {
		err = tooLong(h.max)
	}
	return all.Bytes(), release, err
}

func tooLong(limit int64) error {
	return errs.New("", errs.Limit, "", fmt.Sprintf("the answer is longer than %d bytes", limit), "")
}
