package share

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"bongsu/errs"
	"bongsu/identity"

	"github.com/go-json-experiment/json"
)

// problem is the body of a refusal.
type problem struct {
	Error endOfFeed `json:"error"`
}

// statusOf maps kinds to HTTP; statuses are for the eye, the code counts.
func statusOf(k errs.Kind) int {
	switch k {
	case errs.Usage, errs.Invalid:
		return http.StatusBadRequest
	case errs.NotExist:
		return http.StatusNotFound
	case errs.Permission, errs.Forged:
		return http.StatusForbidden
	case errs.Exist, errs.Conflict:
		return http.StatusConflict
	case errs.Limit:
		return http.StatusTooManyRequests
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// refuse answers with an error. Causes inside this node are not told.
func refuse(w http.ResponseWriter, err error) {
	end := endWith(err).End
	if errs.Is(err) == errs.Other || errs.Is(err) == errs.Internal || errs.Is(err) == errs.Corrupt {
		end = &endOfFeed{Code: errs.Internal.Code(), Why: "the node could not do it"}
	}
	writeJSON(w, statusOf(errs.Is(err)), problem{*end})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","why":"the answer could not be written"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the peer may be gone; there is nobody to tell
}

// readBody reads a bounded JSON body strictly.
func readBody(body io.Reader, limit int64, v any) error {
	b, err := io.ReadAll(io.LimitReader(body, limit+1))
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		return &errs.Error{Op: "read request", Kind: errs.Unavailable, Err: err}
	}
	if err != nil || int64(len(b)) > limit {
		return errs.New("read request", errs.Limit, "", fmt.Sprintf("more than %d bytes", limit), "")
	}
	if err := json.Unmarshal(b, v, json.RejectUnknownMembers(true)); err != nil {
		return &errs.Error{Op: "read request", Kind: errs.Invalid, Why: "not what this request takes", Err: err}
	}
	return nil
}

// newClient makes a client for one node.
func (s *Service) newClient(org identity.Org) (*http.Client, error) {
	conf, err := s.clientTLS(org)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: s.dialer().DialContext, TLSClientConfig: conf, TLSHandshakeTimeout: s.limits.HeaderTime,
			MaxResponseHeaderBytes: int64(s.limits.HeaderBytes), DisableCompression: true,
			ResponseHeaderTimeout: s.limits.RequestTime, IdleConnTimeout: s.limits.Quiet, MaxIdleConnsPerHost: 2,
		},
	}, nil
}

// link is a client with where it leads.
type link struct {
	peer   peer
	client *http.Client
}

func (s *Service) link(p peer) (*link, error) {
	if p.Address == "" {
		return nil, errs.New("connect", errs.Unavailable, p.Name, "the partner gave no address: it connects to this node", "wait until it does")
	}
	c, err := s.newClient(p.org)
	if err != nil {
		return nil, err
	}
	return &link{p, c}, nil
}

func (l *link) close() { l.client.CloseIdleConnections() }

// do sends one request; v is the JSON to send, or nil.
func (l *link) do(ctx context.Context, method, path string, v any) (*http.Response, error) {
	var body io.Reader
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, errs.Wrap("request", path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+l.peer.Address+path, body)
	if err != nil {
		return nil, errs.Wrap("request", path, err)
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, connectionError(l.peer, err)
	}
	return resp, nil
}

// call is do with an answer of JSON into out (nil: ignored).
func (l *link) call(ctx context.Context, method, path string, in, out any, limit int64) error {
	resp, err := l.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return problemOf(l.peer, resp, limit)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, limit))
		return err
	}
	return readBody(resp.Body, limit, out)
}

func problemOf(p peer, resp *http.Response, limit int64) error {
	var pr problem
	if err := readBody(resp.Body, limit, &pr); err != nil || pr.Error.Why == "" {
		return errs.New("connect", errs.Unavailable, p.Name, fmt.Sprintf("the partner's node answers with status %d", resp.StatusCode), "check that the address leads to a bongsu node")
	}
	return errs.New("partner", errs.KindOf(pr.Error.Code), p.Name, "the partner's node refuses: "+printable(pr.Error.Why), printable(pr.Error.Hint))
}

// connectionError keeps the kind of what the dialer or the pinning said, and
// is errs.Unavailable for the rest.
func connectionError(p peer, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var e *errs.Error
	if errors.As(err, &e) {
		return &errs.Error{Op: "connect", Kind: errs.Is(e), Where: p.Name + " at " + p.Address, Why: e.Why, Hint: e.Hint, Err: e.Err}
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return &errs.Error{Op: "connect", Kind: errs.Unavailable, Where: p.Name + " at " + p.Address, Err: err, Hint: "check that its node runs and can be reached"}
}
