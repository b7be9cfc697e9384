package share

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"
)

// inbound is one stream of a partner's feed while it is read.
type inbound struct {
	s      *Service
	peer   peer
	id     string // of the agreement
	frames *frames
	ag     *agreement.Agreement
	looked time.Time // when ag was read

	moved bool    // statements came
	want  uint64  // position of the next statement
	pace  *bucket // statements
	idle  *bucket // frames without statements

	ctx     context.Context // of countersigning; ends with the stream
	cancel  context.CancelFunc
	due     *time.Timer // the last one that was set
	pending atomic.Bool // it has not fired yet
	wg      sync.WaitGroup
	greeted bool                                  // the stream's hello was read
	note    func(context.Context, cosigned) error // brings the author a countersigned checkpoint
}

// cosignAfter is how long a reader waits for more before it countersigns.
const cosignAfter = 300 * time.Millisecond

// reader starts reading a partner's feed from where the journal stands.
func (s *Service) reader(ctx context.Context, p peer, id string, r io.Reader, note func(context.Context, cosigned) error) (*inbound, error) {
	b, err := s.bundle(ctx, id)
	if err != nil {
		return nil, err
	}
	want, err := s.journal.ReceivedSize(ctx, p.ID, feedOf(id))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	return &inbound{
		ctx: ctx, cancel: cancel,
		s: s, peer: p, id: id, ag: b.ag, want: want, note: note,
		frames: newFrames(r, s.limits.FrameBytes()),
		pace:   newBucket(s.limits.PerMinute), idle: newBucket(s.limits.Frames),
	}, nil
}

// read takes frames until the stream ends. alive is called for each frame.
func (in *inbound) read(ctx context.Context, alive func()) error {
	for {
		f, err := in.frames.next()
		if err != nil {
			return err
		}
		alive()
		if in.greeted == (f.Hello != nil) {
			return errs.New("read feed", errs.Invalid, in.id, "a stream begins with one hello", "")
		}
		in.greeted = true
		switch {
		case f.Batch != nil:
			err = in.take(ctx, f.Batch)
		case f.End != nil:
			return f.End.err()
		default:
			if in.idle.take(in.s.clock(), 1) > 0 {
				return errs.New("read feed", errs.Limit, in.id, "a flood of frames without statements", "tell the partner")
			}
			err = in.other(ctx, f)
		}
		if err != nil {
			return err
		}
	}
}

// other handles frames that carry no statements.
func (in *inbound) other(ctx context.Context, f *frame) error {
	switch {
	case f.Beat != nil && f.Beat.Size < in.want:
		return errs.New("read feed", errs.Conflict, in.id, fmt.Sprintf("the partner's feed went back from %d statements to %d", in.want, f.Beat.Size), "its node lost some, or was restored from an old backup: ask it")
	case f.Cosigned != nil:
		return in.s.takeCosigned(ctx, in.peer, in.id, *f.Cosigned)
	}
	return nil
}

// take stores one batch: statements, position and the author's checkpoint in
// one transaction. What the agreement does not let in is refused by itself.
func (in *inbound) take(ctx context.Context, wire *batch) error {
	s := in.s
	b, err := wire.journalBatch(s.limits)
	if err != nil {
		return err
	}
	if b.First > in.want {
		return errs.New("read feed", errs.Conflict, in.id, fmt.Sprintf("statements %d to %d of the feed are missing", in.want, b.First), "the stream is taken up again from there")
	}
	if err := in.keepPace(ctx, len(b.Items)); err != nil {
		return err
	}
	if err := in.stillActive(ctx); err != nil {
		return err
	}
	for i := range b.Items {
		e, err := journal.ParseEnvelope(b.Items[i].Envelope)
		if err != nil {
			return errs.Wrap("read feed", in.id, err)
		}
		b.Items[i].Refused = in.refusal(e, b.Items[i])
	}
	received, err := s.journal.Receive(ctx, in.peer.ID, feedOf(in.id), b)
	if err != nil {
		return err
	}
	in.moved = true
	in.want = max(in.want, b.First+uint64(len(b.Items)))
	in.answer(received)
	s.sawNow(in.peer.ID)
	in.countersign()
	return nil
}

// stillActive looks at the agreement as it stands, at most every activeFor.
func (in *inbound) stillActive(ctx context.Context) error {
	if now := time.Now(); now.Sub(in.looked) > activeFor {
		b, err := in.s.bundle(ctx, in.id)
		if err != nil {
			return err
		}
		in.ag, in.looked = b.ag, now
	}
	if state := in.ag.State(in.s.clock()); state != agreement.Active {
		return errs.New("read feed", errs.Permission, in.id, "the agreement is "+string(state), "nothing passes under it")
	}
	return nil
}

// activeFor is how long a stream takes an agreement to be as it last stood.
// What is on a feed was let through when it was put there.
const activeFor = 100 * time.Millisecond

// keepPace pauses reading while the partner is over its statements a minute;
// the connection's own flow control holds it back meanwhile.
func (in *inbound) keepPace(ctx context.Context, n int) error {
	for {
		wait := in.pace.take(in.s.clock(), n)
		if wait == 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// refusal says why a statement of the partner is not taken, or "".
func (in *inbound) refusal(e journal.Entry, it journal.Item) string {
	s := in.s
	switch {
	case e.Act == journal.Erase || it.Payload == nil:
		return ""
	case len(it.Payload) > s.limits.StatementBytes:
		return fmt.Sprintf("it has %d bytes, at most %d are taken", len(it.Payload), s.limits.StatementBytes)
	case e.Author != in.peer.ID:
		return "its author is not the partner"
	case e.Type == stix.TypeReceipt:
		return ""
	case e.Type == stix.TypePartner || e.Type == stix.TypeAgreement:
		return "statements of this kind are not taken from partners"
	}
	about := statementOf(e)
	sealed := e.Type == stix.TypeSealed
	if sealed {
		about.Kind = in.ag.Document.Terms().Kinds[0] // what is inside is judged when it is opened
	}
	if d, _ := ask(in.ag, about, s.keys.ID(), sealed, s.clock()); !d.Allowed {
		return "the agreement does not let it in: " + d.Why
	}
	return ""
}

// answer queues a receipt for each statement. One that came before was
// answered before, unless this node ended in between: the receipt is made only
// when it is missing.
func (in *inbound) answer(received []journal.Received) {
	for _, r := range received {
		a := answer{
			org: in.peer.ID, feed: feedOf(in.id), pos: r.Seq, statement: r.Sent.ID, version: r.Sent.Version,
			committed: r.Sent.Time, at: in.s.clock(), state: stix.Arrived,
		}
		switch {
		case r.Refused != "":
			a.state, a.reason = stix.Refused, r.Refused
			in.s.log.Warn("refused a statement", "partner", in.peer.ID, "statement", a.statement, "why", r.Refused)
		case r.Sent.Act != journal.State || r.Sent.Type == stix.TypeReceipt:
			continue
		case r.Entry != nil && !r.Duplicate:
			a.at = r.Entry.Time
			in.s.event(Event{Kind: "arrived", Partner: in.peer.ID, Statement: a.statement})
		}
		in.s.receipts.add(a)
	}
}

// countersign signs the newest checkpoint of the feed soon, once for all that
// comes until then, and brings it to the author: he then holds our word on
// what we saw.
func (in *inbound) countersign() {
	if in.pending.Swap(true) {
		return
	}
	in.wg.Add(1)
	in.due = time.AfterFunc(cosignAfter, func() {
		defer in.wg.Done()
		in.pending.Store(false)
		c, err := in.s.cosign(in.ctx, in.peer.ID, feedOf(in.id))
		if err == nil {
			err = in.note(in.ctx, c)
		}
		if err != nil && in.ctx.Err() == nil {
			in.s.log.Info("a countersigned checkpoint was not delivered", "partner", in.peer.ID, "err", err)
		}
	})
}

// close ends countersigning.
func (in *inbound) close() {
	in.cancel()
	if in.due != nil && in.due.Stop() {
		in.wg.Done()
	}
	in.wg.Wait()
}
