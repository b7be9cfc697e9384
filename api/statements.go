package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"bongsu/errs"
	"bongsu/stix"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// appendBody is what POST /api/v1/statements takes: {"objects": [...]}, a STIX
// bundle, one STIX object, or {"list": {...}}.
type appendBody struct {
	List    *Listing         `json:"list"`
	Type    string           `json:"type"`
	ID      string           `json:"id"`
	Objects []jsontext.Value `json:"objects"`
}

// appendAnswer is its answer.
type appendAnswer struct {
	Statements []Appended `json:"statements"`
}

// appendStatements is POST /api/v1/statements. The answer leaves when the
// journal has the statements durably, each with the user who stated it.
func (s *Server) appendStatements(w http.ResponseWriter, r *http.Request) {
	out, err := s.takeStatements(w, r)
	if err != nil {
		s.problemOf(err).write(w)
		return
	}
	body, err := json.Marshal(appendAnswer{out})
	if err != nil {
		s.problemOf(errs.Wrap("append", "", err)).write(w)
		return
	}
	w.Header()["Content-Type"] = headerJSON
	w.WriteHeader(http.StatusCreated)
	w.Write(append(body, '\n')) //nolint:errcheck // the client has gone; the statements stand
}

func (s *Server) takeStatements(w http.ResponseWriter, r *http.Request) ([]Appended, error) {
	if s.cfg.Journal == nil {
		return nil, missing("the journal")
	}
	if p := jsonBody(r); p != nil {
		return nil, p
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(http.MaxBytesReader(w, r.Body, s.limits.BodyBytes)); err != nil {
		return nil, bodyError(err)
	}
	var body appendBody
	if err := strictJSON(raw.Bytes(), &body, s.limits.JSONDepth); err != nil {
		return nil, err
	}
	c := callOf(r.Context())
	user := c.who.name
	var out []Appended
	var err error
	switch {
	case body.List != nil && (body.Type != "" || body.Objects != nil):
		return nil, problem(422, errs.Invalid, "a listing and objects in one body", "send them apart")
	case body.List != nil:
		var one Appended
		if one, err = s.cfg.Journal.List(r.Context(), user, *body.List); err == nil {
			out = []Appended{one}
		}
	default:
		var objects [][]byte
		if objects, err = body.raw(raw.Bytes(), s.limits.Statements); err == nil {
			out, err = s.cfg.Journal.AppendObjects(r.Context(), user, objects)
		}
	}
	if err != nil {
		return nil, err
	}
	for i := range out {
		c.asked.Subject = append(c.asked.Subject, out[i].ID)
	}
	return out, nil
}

// raw are the objects of the body, one by one.
func (b *appendBody) raw(whole []byte, limit int) ([][]byte, error) {
	if b.Type != "" && b.Type != "bundle" {
		return [][]byte{whole}, nil
	}
	if len(b.Objects) == 0 {
		return nil, problem(422, errs.Invalid, "the body holds no statement", `send {"objects": [STIX objects]}, a bundle, one object, or {"list": {"value", "reason", "marking"}}`)
	}
	if len(b.Objects) > limit {
		return nil, problem(413, errs.Limit, fmt.Sprintf("more than %d objects", limit), "send fewer at once")
	}
	out := make([][]byte, len(b.Objects))
	for i := range b.Objects {
		out[i] = b.Objects[i]
	}
	return out, nil
}

// strictJSON reads untrusted JSON: depth bounded before anything is decoded,
// duplicate keys and invalid UTF-8 refused.
func strictJSON(text []byte, v any, depth int) error {
	if d := stix.Depth(text); d > depth {
		return problem(413, errs.Limit, fmt.Sprintf("JSON nested deeper than %d", depth), "send it flatter")
	}
	if err := jsonv2.Unmarshal(text, v); err != nil {
		return badJSON(err)
	}
	return nil
}

func missing(room string) *Problem {
	return problem(503, errs.Unavailable, room+" is not wired into this node", "ask its operator").with("Retry-After", "60")
}
