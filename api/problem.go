package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bongsu/errs"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is an RFC 9457 problem document. Type is "about:blank" (the title is
// the status' phrase); Code, Where and Hint are extension members.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty" doc:"what went wrong"`
	Code   string `json:"code" doc:"stable name of the kind of failure"`
	Where  string `json:"where,omitempty" doc:"the part of the request that is meant"`
	Hint   string `json:"hint,omitempty" doc:"what to do"`
	Ref    string `json:"ref,omitempty" doc:"names this failure in the operator's log"`

	header http.Header
}

const problemType = "application/problem+json"

func problem(status int, code errs.Kind, detail, hint string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code.Code(), Detail: detail, Hint: hint}
}

func (p *Problem) with(key, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(key, value)
	return p
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that go along, for huma.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is RFC 9457's, for huma.
func (p *Problem) ContentType(string) string { return problemType }

func (p *Problem) write(w http.ResponseWriter) {
	h := w.Header()
	for k, v := range p.header {
		h[k] = v
	}
	body, err := json.Marshal(p)
	if err != nil { // strings and an int always marshal
		panic("api: " + err.Error())
	}
	h.Set("Content-Type", problemType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	w.Write(body) //nolint:errcheck // the client has gone; nobody is left to tell
}

var statusOf = map[errs.Kind]int{
	errs.Usage: 400, errs.Invalid: 422, errs.NotExist: 404, errs.Exist: 409, errs.Permission: 403,
	errs.Limit: 413, errs.Conflict: 409, errs.Unavailable: 503, errs.Forged: 422,
}

// problemOf turns an error into what the asker may know of it: all of a
// mistake of his own, a reference to the log of anything else.
func (s *Server) problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return problem(413, errs.Limit, "the body is longer than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes", "send less at once")
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return problem(408, errs.Unavailable, "the request took too long", "send it again, or less at once")
	}
	kind := errs.Is(err)
	status, known := statusOf[kind]
	if !known {
		ref := s.random(6)
		s.log.Error("request failed", "ref", ref, "kind", kind.Code(), "err", err)
		p := problem(500, kind, "this node could not do it", "ask its operator to look up "+ref+" in the log")
		p.Ref = ref
		return p
	}
	p = problem(status, kind, err.Error(), errs.Hint(err))
	p.Where = errs.Where(err)
	if i := strings.LastIndex(p.Detail, "; "+p.Hint); i > 0 && p.Hint != "" {
		p.Detail = p.Detail[:i]
	}
	if status == 503 {
		p.with("Retry-After", "1")
	}
	return p
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// humaProblem gives huma's own errors (validation, negotiation) our form.
func (s *Server) humaProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	kind := errs.Invalid
	switch {
	case m.Status == 413:
		kind = errs.Limit
	case m.Status == 400, m.Status == 415:
		kind = errs.Usage
	case m.Status >= 500:
		return s.problemOf(errs.New("answer", errs.Internal, "", m.Detail, "")), nil
	}
	p := problem(m.Status, kind, m.Detail, "see /api/openapi.json for what this takes")
	for i, e := range m.Errors {
		if i == 0 {
			p.Where = e.Location
		}
		p.Detail += ": " + e.Message
		if i == 4 {
			break
		}
	}
	return p, nil
}

func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}
