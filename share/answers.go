package share

import (
	"time"

	"bongsu/agreement"
	"bongsu/identity"
)

// Invitation is one invitation as it is handed out.
type Invitation struct {
	Text        string    // to paste into `partner join`; holds a secret
	Address     string    // host:port
	Fingerprint string    // of our root key, to compare by voice
	Expires     time.Time //
}

// Partner is one partner.
type Partner struct {
	ID          identity.OrgID
	Name        string
	Fingerprint string    // of its root key
	Address     string    // host:port, or "" when it connects to us only
	Since       time.Time // when it became one
}

// Pong is a partner's answer to Ping.
type Pong struct {
	Partner     Partner
	Version     int           // of the protocol
	RoundTrip   time.Duration // of one request on an open connection
	ClockOffset time.Duration // their clock minus ours, as good as Uncertain
	Uncertain   time.Duration // half the round trip
}

// Terms is one agreement with its standing.
type Terms struct {
	ID         string
	Digest     string // "sha256:...", what two people compare
	Title      string
	State      agreement.State
	Parties    [2]agreement.Party
	ValidFrom  time.Time
	ValidUntil time.Time
	HighestTLP string
	Kinds      []string
	Purposes   []string
	LegalBasis []string
	Onward     agreement.Onward
	Retention  int // days
	Words      string
	Policies   string // Cedar text
	SignedBy   []identity.OrgID
	EndReason  string // when ended
	Partner    Partner
	Delivered  bool // the partner has this very state of it
}

// Answer says whether one agreement lets a statement go to its partner.
type Answer struct {
	Partner   Partner
	Agreement string // id
	Title     string
	Purpose   string // for which it is allowed, or the first asked
	Decision  agreement.Decision
	Shared    bool // it is on the feed already
}

// Counts counts receipts by state.
type Counts struct {
	Arrived, Active, Acted, Removed, Refused int
}

// Status is what passed between this node and one partner.
type Status struct {
	Partner    Partner
	Agreements []Terms
	Shared     int                      // statements on our feeds to it, versions and revocations included
	Withheld   int                      // statements that no agreement with it let through
	Reasons    map[agreement.Reason]int // why; a statement counts once for each agreement that refused it
	Received   int                      // statements that it sent us
	Receipts   Counts                   // what it said of ours
	Unanswered int                      // shared statements of ours that it said nothing of
	Cosigned   uint64                   // leaves of our feeds that it countersigned, all feeds together
	P50, P99   float64                  // milliseconds from our commit to active there (arrived, where nothing became active), over the last 10,000
	Clock      Clock                    // how its times were compared with ours
	LastSeen   time.Time                // zero: never
	Fault      string                   // what stopped it, "" when nothing did
}

// Clock says how the times of two nodes were compared. Milliseconds in
// receipts are corrected by Offset where it is larger than Uncertain.
type Clock struct {
	Offset    time.Duration // their clock minus ours
	Uncertain time.Duration // half the shortest round trip seen
	Measured  bool
}

// Receipt is one partner's signed word on one statement.
type Receipt struct {
	Partner   Partner
	Statement string
	State     string    // stix.Arrived, ...
	At        time.Time // by their clock
	Ms        float64   // from our commit to At
	Reason    string    // for stix.Refused
}
