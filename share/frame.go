package share

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"bongsu/errs"
	"bongsu/journal"

	"github.com/go-json-experiment/json"
)

// Protocol is the version of requests and frames. A node refuses another.
const Protocol = 1

// frame is one line of a stream: JSON with exactly one member (FORMAT.md,
// "Frames").
type frame struct {
	Hello    *hello     `json:"hello,omitempty"`
	Batch    *batch     `json:"batch,omitempty"`
	Beat     *beat      `json:"beat,omitempty"`
	Cosigned *cosigned  `json:"cosigned,omitempty"`
	End      *endOfFeed `json:"end,omitempty"`
}

// hello opens each direction of a stream.
type hello struct {
	Protocol int       `json:"protocol"`
	Time     time.Time `json:"time"`
	Want     *uint64   `json:"want,omitempty"` // on an exchange: the position that the sender of hello asks for
}

// batch is journal.Batch on the wire.
type batch struct {
	First      uint64 `json:"first"`
	Items      []item `json:"items"`
	Size       uint64 `json:"size"`
	Checkpoint string `json:"checkpoint"`
}

type item struct {
	Envelope string       `json:"envelope"`
	Payload  *string      `json:"payload,omitempty"` // absent when erased at the author's
	Salt     journal.Salt `json:"salt"`
}

// beat says that a quiet stream lives, and how much its feed holds.
type beat struct {
	Time time.Time `json:"time"`
	Size uint64    `json:"size"`
}

// endOfFeed says why the sender ends the stream.
type endOfFeed struct {
	Code string `json:"code"` // errs.Kind's code
	Why  string `json:"why"`
	Hint string `json:"hint,omitempty"`
}

func (e *endOfFeed) err() error {
	return errs.New("feed", errs.KindOf(e.Code), "", "the partner ended the stream: "+printable(e.Why), printable(e.Hint))
}

func endWith(err error) *frame {
	var e *errs.Error
	why := err.Error()
	if errors.As(err, &e) && e.Why != "" {
		why = e.Why
	}
	return &frame{End: &endOfFeed{Code: errs.Is(err).Code(), Why: why, Hint: errs.Hint(err)}}
}

// append writes f as one line.
func (f *frame) append(b []byte) ([]byte, error) {
	w := bytes.NewBuffer(b)
	if err := json.MarshalWrite(w, f); err != nil {
		return nil, errs.Wrap("write frame", "", err)
	}
	w.WriteByte('\n')
	return w.Bytes(), nil
}

func batchFrame(b journal.Batch) *frame {
	out := &batch{First: b.First, Size: b.Size, Checkpoint: string(b.Checkpoint), Items: make([]item, len(b.Items))}
	for i, it := range b.Items {
		out.Items[i] = item{Envelope: string(it.Envelope), Salt: it.Salt}
		if it.Payload != nil {
			p := string(it.Payload)
			out.Items[i].Payload = &p
		}
	}
	return &frame{Batch: out}
}

// journalBatch turns a batch of the wire into the journal's, within limits.
func (b *batch) journalBatch(l Limits) (journal.Batch, error) {
	if len(b.Items) == 0 || len(b.Items) > l.BatchItems {
		return journal.Batch{}, errs.New("read feed", errs.Limit, "", fmt.Sprintf("a batch of %d statements, between 1 and %d are read", len(b.Items), l.BatchItems), "")
	}
	out := journal.Batch{First: b.First, Size: b.Size, Checkpoint: []byte(b.Checkpoint), Items: make([]journal.Item, len(b.Items))}
	total := 0
	for i, it := range b.Items {
		out.Items[i] = journal.Item{Envelope: []byte(it.Envelope), Salt: it.Salt}
		if it.Payload != nil {
			out.Items[i].Payload = []byte(*it.Payload)
			total += len(*it.Payload)
		}
	}
	if total > l.BatchBytes+l.StatementBytes {
		return journal.Batch{}, errs.New("read feed", errs.Limit, "", fmt.Sprintf("a batch of %d bytes", total), "")
	}
	return out, nil
}

// frames reads frames of at most max bytes each.
type frames struct {
	r   *bufio.Reader
	max int
	buf []byte
}

func newFrames(r io.Reader, max int) *frames {
	return &frames{r: bufio.NewReaderSize(r, 64<<10), max: max}
}

// next reads one frame. io.EOF means that the stream ended between frames.
func (fr *frames) next() (*frame, error) {
	line, err := fr.line()
	if err != nil {
		return nil, err
	}
	return parseFrame(line)
}

func (fr *frames) line() ([]byte, error) {
	fr.buf = fr.buf[:0]
	for {
		part, err := fr.r.ReadSlice('\n')
		if len(fr.buf)+len(part) > fr.max {
			return nil, errs.New("read feed", errs.Limit, "", fmt.Sprintf("a frame of more than %d bytes", fr.max), "")
		}
		fr.buf = append(fr.buf, part...)
		switch {
		case err == nil:
			return fr.buf[:len(fr.buf)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(fr.buf) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// parseFrame reads one line strictly: valid UTF-8, no key twice, no unknown
// member, exactly one kind of frame.
func parseFrame(line []byte) (*frame, error) {
	var f frame
	if err := json.Unmarshal(line, &f, json.RejectUnknownMembers(true)); err != nil {
		return nil, &errs.Error{Op: "read feed", Kind: errs.Invalid, Why: "a frame that is not one", Err: err}
	}
	n := 0
	for _, set := range []bool{f.Hello != nil, f.Batch != nil, f.Beat != nil, f.Cosigned != nil, f.End != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return nil, errs.New("read feed", errs.Invalid, "", "a frame without a kind, or of several kinds", "")
	}
	if f.Hello != nil && f.Hello.Protocol != Protocol {
		return nil, errs.New("read feed", errs.Invalid, "", fmt.Sprintf("the partner speaks version %d of the protocol, this node %d", f.Hello.Protocol, Protocol), "update the older of the two")
	}
	return &f, nil
}

// printable keeps a partner's text short and harmless in a terminal.
func printable(s string) string {
	const longest = 300
	out := make([]rune, 0, min(len(s), longest))
	for _, r := range s {
		if len(out) == longest {
			return string(out) + "..."
		}
		if r < 0x20 || r == 0x7f || r == 0xfffd || (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}
