package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"
)

// The names of logs. A log's origin, the first line of its checkpoints, is
// "<OrgID>/<log name>".
const (
	LogJournal = "journal"
	LogAudit   = "audit"
	FeedPrefix = "feed/" // FeedPrefix + agreement id
)

// Limits of one append and one received batch.
const (
	MaxEnvelope   = 16 << 10 // bytes of one envelope
	MaxBatch      = 10_000   // statements in one Append or Receive
	MaxBatchBytes = 64 << 20 // their payloads together
	MaxName       = 200      // bytes of a log's name
	MaxText       = 1_000    // bytes of an actor, basis or purpose
	MaxRecipients = 100      // named recipients of one statement
)

// Act says what an entry does.
type Act string

// The acts. A revocation is a version of an object with "revoked": true and
// therefore a State.
const (
	State Act = "state" // states an object, or a version of it
	Erase Act = "erase" // the tombstone of an entry whose payload was erased; its payload is the reason
)

// Draft is what a caller hands to Append; the journal adds sequence, time,
// salt and commitment. The author is always the journal's own organisation.
type Draft struct {
	Log        string           // "" is LogJournal
	Object     stix.Object      // what is stated
	Of         *Entry           // for feeds: repeat this entry's object with its own salt and payload row, so that erasing one erases both; then Object may be zero
	Actor      string           // who inside the organisation did it; "" for the node itself
	Marking    stix.TLP         // TLPNone takes the object's own, or stix.DefaultTLP; never below the object's own
	Recipients []identity.OrgID // named recipients; RED needs at least one when it goes into a feed
	Basis      string           // legal basis, free text or a term of the agreement
	Purpose    string
}

// Source is where a received statement came from.
type Source struct {
	Org  identity.OrgID
	Log  string
	Seq  uint64
	Leaf tlog.Hash // RFC 6962 leaf hash of the author's envelope
	Time time.Time // committed by the author at, by his clock
}

// Entry is an envelope: what a log's leaf says. Its canonical JSON (RFC 8785)
// is the leaf's data.
type Entry struct {
	Log        string           // name of the log that holds it
	Seq        uint64           // position in that log, from 0
	Act        Act              //
	ID         string           // STIX id of the object
	Type       string           // STIX type
	Version    string           // stix.Object.Version; "" for unversioned objects
	Revoked    bool             // this version revokes the object
	Author     identity.OrgID   // who says so
	Actor      string           // who at the author's; "" when the author does not say
	Marking    stix.TLP         //
	Recipients []identity.OrgID //
	Basis      string           // legal basis
	Purpose    string           //
	Time       time.Time        // committed at, UTC, microseconds, never going back within a log
	Commit     Commitment       // SHA-256(salt || payload)
	From       *Source          // for received statements in LogJournal
}

// Statement is an entry with its payload, or without one once erased.
type Statement struct {
	Entry
	Payload jsontext.Value // the object's raw JSON; nil when erased
	Salt    Salt
	Erased  bool
}

// Object parses the payload. An erased statement gives errs.NotExist.
func (s Statement) Object() (stix.Object, error) {
	if s.Erased {
		return stix.Object{}, errs.New("journal", errs.NotExist, s.ID, "its payload was erased", "")
	}
	return stix.Reparse(s.Payload)
}

// Commitment is SHA-256(salt || payload).
type Commitment [32]byte

// String is the commitment in lower-case hex.
func (c Commitment) String() string { return hex.EncodeToString(c[:]) }

// Salt is 32 random bytes, drawn for each payload.
type Salt [32]byte

// Commit is the commitment to a payload under a salt.
func Commit(salt Salt, payload []byte) Commitment {
	h := sha256.New()
	h.Write(salt[:])
	h.Write(payload)
	return Commitment(h.Sum(nil))
}
