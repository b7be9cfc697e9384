package api

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"bongsu/errs"
	"bongsu/screen"

	json "github.com/go-json-experiment/json"
)

// streamBatch is how many lines are screened together, while they lie in the
// buffer already: a slow asker gets each answer at once.
const streamBatch = 256

// screenStream is POST /api/v1/screen/stream: NDJSON in, NDJSON out, in order,
// with one bounded buffer each way. A reader that does not take its answers
// stops the reading of its questions (TCP does the rest); one that does
// nothing for Limits.StreamIdle is cut off.
func (s *Server) screenStream(w http.ResponseWriter, r *http.Request) {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/x-ndjson") {
		problem(415, errs.Usage, "the body is not announced as NDJSON", "send Content-Type: application/x-ndjson").write(w)
		return
	}
	rc := http.NewResponseController(w)
	if err := rc.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.problemOf(err).write(w)
		return
	}
	st := &lineStream{s: s, c: callOf(r.Context()), w: w, rc: rc, in: bufio.NewReaderSize(r.Body, s.limits.StreamLine)}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	if err := rc.Flush(); err != nil { // askers wait for this before they write
		return
	}
	stop := make(chan struct{})
	defer close(stop)
	s.tasks.Go(func() { // Close ends the stream, wherever it waits
		select {
		case <-s.ctx.Done():
			past := time.Unix(1, 0)
			_ = rc.SetReadDeadline(past) // without deadlines there is no connection to wait on
			_ = rc.SetWriteDeadline(past)
		case <-stop:
		}
	})
	if err := st.run(); err != nil && !errors.Is(err, io.EOF) && s.ctx.Err() == nil {
		st.fail(s.problemOf(bodyError(err)))
	}
}

// lineStream is one screening stream.
type lineStream struct {
	s      *Server
	c      *call
	w      io.Writer
	rc     *http.ResponseController
	in     *bufio.Reader
	out    []byte
	values []string
	bad    map[int]error // lines that could not be read, by place in values
}

func (st *lineStream) run() error {
	for st.s.ctx.Err() == nil {
		idle := time.Now().Add(st.s.limits.StreamIdle)
		_ = st.rc.SetReadDeadline(idle)
		end := st.gather()
		if len(st.values) > 0 {
			if !st.s.stands(st.c.who) {
				st.fail(unauthorised("the session or token has ended", "begin again with another"))
				return nil
			}
			if p := st.s.spend(st.c.who, len(st.values)); p != nil {
				st.fail(p)
				return nil
			}
			st.answer()
			_ = st.rc.SetWriteDeadline(time.Now().Add(st.s.limits.StreamIdle))
			if _, err := st.w.Write(st.out); err != nil {
				return io.EOF // the client has gone
			}
			if err := st.rc.Flush(); err != nil {
				return io.EOF
			}
		}
		if end != nil {
			return end
		}
	}
	return nil
}

// gather reads one line, and those that are in the buffer already.
func (st *lineStream) gather() error {
	st.values, st.bad = st.values[:0], nil
	for len(st.values) < streamBatch {
		line, err := st.in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			st.add("", errs.New("screen", errs.Limit, "", "the line is longer than any value", "send one value a line"))
			for err == bufio.ErrBufferFull {
				_, err = st.in.ReadSlice('\n')
			}
		} else if line = bytes.TrimSpace(line); len(line) > 0 {
			st.add(lineValue(line))
		}
		if err != nil {
			return err
		}
		if st.in.Buffered() == 0 || bytes.IndexByte(st.buffered(), '\n') < 0 {
			if len(st.values) > 0 {
				return nil
			}
		}
	}
	return nil
}

func (st *lineStream) buffered() []byte {
	b, _ := st.in.Peek(st.in.Buffered())
	return b
}

func (st *lineStream) add(value string, err error) {
	if err != nil {
		if st.bad == nil {
			st.bad = map[int]error{}
		}
		st.bad[len(st.values)] = err
	}
	st.values = append(st.values, value)
}

// lineValue reads {"value": text} or a bare JSON string.
func lineValue(line []byte) (string, error) {
	var v string
	var err error
	if line[0] == '"' {
		err = json.Unmarshal(line, &v)
	} else {
		var doc struct {
			Value *string `json:"value"`
		}
		err = json.Unmarshal(line, &doc, json.RejectUnknownMembers(true))
		if err == nil && doc.Value == nil {
			err = errors.New("no value")
		}
		if doc.Value != nil {
			v = *doc.Value
		}
	}
	if err != nil {
		return "", errs.New("screen", errs.Usage, "", "the line is not a value: "+clip(strings.ToValidUTF8(err.Error(), "?"), 200), `send {"value": "0x..."} on a line of its own`)
	}
	return v, nil
}

// answer puts one line for each value into out.
func (st *lineStream) answer() {
	st.out = st.out[:0]
	rec := Asked{At: st.s.clock().UTC(), Who: st.c.asked.Who, From: st.c.asked.From, Method: st.c.asked.Method, Path: st.c.asked.Path, Status: 200}
	part := &call{who: st.c.who, asked: rec}
	one := make([]string, 1)
	for i, v := range st.values {
		if err := st.bad[i]; err != nil {
			st.out = appendInvalid(st.out, err)
			continue
		}
		one[0] = v
		from := len(st.out)
		st.out = st.s.cfg.Screener.AppendJSON(st.out, one, func(_ int, verdict screen.Verdict) { st.s.hit(part, v, verdict) })
		// An array of one: its brackets become nothing and the line's end.
		copy(st.out[from:], st.out[from+1:])
		st.out = st.out[:len(st.out)-1]
		st.out[len(st.out)-1] = '\n'
		part.asked.Values = append(part.asked.Values, v)
	}
	if err := st.s.cfg.Audit.Record(&part.asked); err != nil {
		st.s.log.Error("the audit did not take a record", "err", err, "who", part.asked.Who, "path", part.asked.Path)
	}
}

func appendInvalid(dst []byte, err error) []byte {
	text, merr := stdjson.Marshal(screen.Result{
		ReadAs: screen.Invalid.String(), Verdict: screen.Invalid, Reasons: []screen.Reason{},
		Error: &screen.Unreadable{Code: errs.Is(err).Code(), Message: fmt.Sprint(err), Hint: errs.Hint(err)},
	})
	if merr != nil { // strings always marshal
		panic("api: " + merr.Error())
	}
	return append(append(dst, text...), '\n')
}

// fail ends the stream with a line that says why.
func (st *lineStream) fail(p *Problem) {
	text, err := stdjson.Marshal(map[string]*Problem{"error": p})
	if err != nil {
		panic("api: " + err.Error())
	}
	_ = st.rc.SetWriteDeadline(time.Now().Add(5 * time.Second))
	st.w.Write(append(text, '\n')) //nolint:errcheck // the client may be gone
	st.rc.Flush()                  //nolint:errcheck // the same
}
