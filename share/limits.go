package share

import "time"

// Limits bound what one node takes from others. The zero of a field takes the
// value of DefaultLimits.
type Limits struct {
	StatementBytes int           // payload of one statement; a larger one of ours stays home, of others' is refused
	BatchBytes     int           // payloads of one batch, but for one statement more; the most that one stream holds unread
	BatchItems     int           // statements of one batch, and so of one transaction of the receiver
	PerMinute      int           // statements a minute taken from one partner; beyond it reading pauses
	Frames         int           // frames without statements a minute on one stream; beyond it the stream is refused
	StreamLife     time.Duration // a stream is ended after that and taken up again
	WriteTime      time.Duration // for one frame to be taken by a reader; a slower one is cut off
	Beat           time.Duration // between heartbeats of a quiet stream
	Quiet          time.Duration // without any frame for so long, a stream counts as dead
	StreamsEach    int           // streams of one partner at once
	Connections    int           // connections at once, all partners and strangers together
	FromOne        int           // connections at once from one address
	Strangers      int           // requests of unknown peers served at once
	Requests       int           // requests a minute of one partner
	HeaderBytes    int           // of one request
	HeaderTime     time.Duration // for a request's header to arrive
	BodyBytes      int64         // of one request's or answer's body that is no stream
	RequestTime    time.Duration // for one request that is no stream
	InviteLife     time.Duration // an invitation is good for
	Invites        int           // open invitations at once
}

// DefaultLimits are the limits when nothing else is said.
func DefaultLimits() Limits {
	return Limits{
		StatementBytes: 1 << 20, BatchBytes: 8 << 20, BatchItems: 500,
		PerMinute: 600_000, Frames: 600,
		StreamLife: time.Hour, WriteTime: 20 * time.Second, Beat: 10 * time.Second, Quiet: 35 * time.Second,
		StreamsEach: 16, Connections: 256, FromOne: 64, Strangers: 8, Requests: 600,
		HeaderBytes: 8 << 10, HeaderTime: 5 * time.Second, BodyBytes: 4 << 20, RequestTime: 15 * time.Second,
		InviteLife: 7 * 24 * time.Hour, Invites: 100,
	}
}

// FrameBytes is the longest frame that is read: a full batch of statements,
// each quoted once more and with its envelope.
func (l Limits) FrameBytes() int {
	return 2*(l.BatchBytes+l.StatementBytes) + l.BatchItems*frameOverhead + (64 << 10)
}

// frameOverhead is more than a typical envelope, salt and punctuation.
const frameOverhead = 4 << 10

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orInt(&l.StatementBytes, d.StatementBytes)
	orInt(&l.BatchBytes, d.BatchBytes)
	orInt(&l.BatchItems, d.BatchItems)
	orInt(&l.PerMinute, d.PerMinute)
	orInt(&l.Frames, d.Frames)
	orInt(&l.StreamLife, d.StreamLife)
	orInt(&l.WriteTime, d.WriteTime)
	orInt(&l.Beat, d.Beat)
	orInt(&l.Quiet, d.Quiet)
	orInt(&l.StreamsEach, d.StreamsEach)
	orInt(&l.Connections, d.Connections)
	orInt(&l.FromOne, d.FromOne)
	orInt(&l.Strangers, d.Strangers)
	orInt(&l.Requests, d.Requests)
	orInt(&l.HeaderBytes, d.HeaderBytes)
	orInt(&l.HeaderTime, d.HeaderTime)
	orInt(&l.BodyBytes, d.BodyBytes)
	orInt(&l.RequestTime, d.RequestTime)
	orInt(&l.InviteLife, d.InviteLife)
	orInt(&l.Invites, d.Invites)
	return l
}

func orInt[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v == 0 {
		*v = otherwise
	}
}
