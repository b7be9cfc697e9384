package api

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bongsu/errs"
	"bongsu/screen"

	json "github.com/go-json-experiment/json"
)

// screenBuffer is what one POST /screen needs; buffers are pooled.
type screenBuffer struct {
	body   bytes.Buffer
	values []string
	out    []byte
}

const maxPooled = 1 << 20 // larger buffers are left to the collector

func (s *Server) giveBack(b *screenBuffer) {
	if b.body.Cap() > maxPooled || cap(b.out) > maxPooled {
		return
	}
	clear(b.values)
	s.buffers.Put(b)
}

// screen is POST /api/v1/screen, the call that exchanges make for every
// deposit. It does not go through huma, whose reflection would cost more than
// the screening.
func (s *Server) screen(w http.ResponseWriter, r *http.Request) {
	b := s.buffers.Get().(*screenBuffer)
	defer s.giveBack(b)
	if p := jsonBody(r); p != nil {
		p.write(w)
		return
	}
	b.body.Reset()
	if _, err := b.body.ReadFrom(http.MaxBytesReader(w, r.Body, s.limits.ScreenBytes)); err != nil {
		s.problemOf(bodyError(err)).write(w)
		return
	}
	// One copy of the body; the values are parts of it. The audit keeps them
	// until it has encoded them, which is before the buffer is used again.
	text := b.body.String()
	var p *Problem
	if b.values, p = screenValues(b.values[:0], text, s.limits.ScreenValues); p != nil {
		p.write(w)
		return
	}
	c := callOf(r.Context())
	if p := s.spend(c.who, len(b.values)); p != nil {
		p.write(w)
		return
	}
	c.asked.Values = auditValues(b.values)
	b.out = append(b.out[:0], `{"results":`...)
	b.out = s.cfg.Screener.AppendJSON(b.out, b.values, func(i int, v screen.Verdict) { s.hit(c, b.values[i], v) })
	b.out = append(b.out, "}\n"...)
	h := w.Header()
	h["Content-Type"] = headerJSON
	h["Content-Length"] = []string{strconv.Itoa(len(b.out))}
	w.Write(b.out) //nolint:errcheck // the client has gone; nobody is left to tell
}

// hit notes a verdict that is not clear, for the audit and the pages.
func (s *Server) hit(c *call, value string, v screen.Verdict) {
	value = strings.Clone(clip(value, 200))
	c.asked.Hits = append(c.asked.Hits, Hit{value, v.String()})
	if v != screen.Invalid && s.events.wants(time.Now()) {
		s.Publish(Event{Kind: "screening", Data: Screening{Value: value, Verdict: v.String(), At: c.asked.At, By: c.asked.Who}})
	}
}

// Screening is the data of a screening event: a verdict that was not clear.
type Screening struct {
	Value   string    `json:"value"`
	Verdict string    `json:"verdict"`
	At      time.Time `json:"at"`
	By      string    `json:"by"` // as in the audit: "user:min"
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

func jsonBody(r *http.Request) *Problem {
	ct := r.Header.Get("Content-Type")
	if media, _, _ := strings.Cut(ct, ";"); !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return problem(415, errs.Usage, "the body is not announced as JSON", "send Content-Type: application/json")
	}
	return nil
}

func bodyError(err error) error {
	if isTimeout(err) {
		return err
	}
	if errs.Is(err) == errs.Other && err == io.ErrUnexpectedEOF {
		return errs.New("read the body", errs.Usage, "", "the body ended early", "send all of it")
	}
	return err
}

// screenValues reads {"values": [text, ...]}, by hand where the text is plain
// and strictly by the JSON package where it is not.
func screenValues(dst []string, text string, limit int) ([]string, *Problem) {
	values, ok := plainValues(dst, text, limit+1)
	if !ok {
		var doc struct {
			Values []string `json:"values"`
		}
		if err := json.UnmarshalRead(strings.NewReader(text), &doc, json.RejectUnknownMembers(true)); err != nil {
			return dst, badJSON(err)
		}
		if doc.Values == nil {
			return dst, problem(422, errs.Invalid, "the body has no values", `send {"values": ["0x...", ...]}`)
		}
		values = append(dst[:0], doc.Values...)
	}
	if len(values) > limit {
		return values, problem(413, errs.Limit, fmt.Sprintf("more than %d values", limit), "send fewer at once, or use /api/v1/screen/stream")
	}
	return values, nil
}

func badJSON(err error) *Problem {
	return problem(400, errs.Usage, "the body is not the JSON that this takes: "+clip(strings.ToValidUTF8(err.Error(), "?"), 300), "see /api/openapi.json")
}

// plainValues reads the body when it is nothing but {"values":[...]} with
// strings of plain ASCII without escapes; otherwise ok is false and the strict
// reader decides. It stops at limit values.
func plainValues(dst []string, text string, limit int) (_ []string, ok bool) {
	i := skip(text, 0)
	for _, part := range [...]string{"{", `"values"`, ":", "["} {
		if !strings.HasPrefix(text[i:], part) {
			return dst, false
		}
		i = skip(text, i+len(part))
	}
	if i < len(text) && text[i] == ']' {
		return dst, closed(text, i)
	}
	for len(dst) < limit {
		if i >= len(text) || text[i] != '"' {
			return dst, false
		}
		end, plain := plainString(text, i+1)
		if !plain {
			return dst, false
		}
		dst = append(dst, text[i+1:end])
		i = skip(text, end+1)
		if i >= len(text) {
			return dst, false
		}
		if text[i] == ']' {
			return dst, closed(text, i)
		}
		if text[i] != ',' {
			return dst, false
		}
		i = skip(text, i+1)
	}
	return dst, true
}

// closed says that nothing but the closing brackets follows text[i] = ']'.
func closed(text string, i int) bool {
	i = skip(text, i+1)
	return i < len(text) && text[i] == '}' && skip(text, i+1) == len(text)
}

func skip(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// plainString finds the closing quote of a string that needs no decoding.
func plainString(text string, i int) (end int, ok bool) {
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i, true
		case c < 0x20, c == '\\', c >= utf8.RuneSelf:
			return 0, false
		}
	}
	return 0, false
}
