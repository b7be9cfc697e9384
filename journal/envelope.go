package journal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"
)

const envelopeVersion = 1

// timeFormat is the one spelling of times in envelopes and checkpoints: UTC,
// microseconds.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// envelope is the JSON of an Entry.
type envelope struct {
	V          int              `json:"v"`
	Log        string           `json:"log"`
	Seq        uint64           `json:"seq"`
	Act        Act              `json:"act"`
	ID         string           `json:"id"`
	Type       string           `json:"type"`
	Version    string           `json:"version,omitempty"`
	Revoked    bool             `json:"revoked,omitzero"`
	Author     identity.OrgID   `json:"author"`
	Actor      string           `json:"actor,omitempty"`
	Marking    stix.TLP         `json:"marking"`
	Recipients []identity.OrgID `json:"recipients,omitempty"`
	Basis      string           `json:"basis,omitempty"`
	Purpose    string           `json:"purpose,omitempty"`
	Time       string           `json:"time"`
	Commit     string           `json:"commit"`
	From       *source          `json:"from,omitempty"`
}

type source struct {
	Org  identity.OrgID `json:"org"`
	Log  string         `json:"log"`
	Seq  uint64         `json:"seq"`
	Leaf string         `json:"leaf"`
	Time string         `json:"time"`
}

// maxSeq keeps sequences within what JSON numbers and SQL integers hold
// exactly.
const maxSeq = 1 << 52

// MarshalEnvelope is the entry's canonical JSON: a leaf's data.
func (e Entry) MarshalEnvelope() ([]byte, error) {
	w := envelope{
		V: envelopeVersion, Log: e.Log, Seq: e.Seq, Act: e.Act, ID: e.ID, Type: e.Type, Version: e.Version, Revoked: e.Revoked,
		Author: e.Author, Actor: e.Actor, Marking: e.Marking, Recipients: e.Recipients, Basis: e.Basis, Purpose: e.Purpose,
		Time: e.Time.UTC().Format(timeFormat), Commit: e.Commit.String(),
	}
	if f := e.From; f != nil {
		w.From = &source{f.Org, f.Log, f.Seq, hex.EncodeToString(f.Leaf[:]), f.Time.UTC().Format(timeFormat)}
	}
	b, err := json.Marshal(w)
	if err != nil {
		return nil, &errs.Error{Op: "envelope", Kind: errs.Invalid, Where: e.ID, Err: err, Hint: "texts must be valid UTF-8"}
	}
	v := jsontext.Value(b)
	if err := v.Canonicalize(); err != nil {
		return nil, &errs.Error{Op: "envelope", Kind: errs.Internal, Where: e.ID, Err: err}
	}
	if len(v) > MaxEnvelope {
		return nil, errs.New("envelope", errs.Limit, e.ID, fmt.Sprintf("%d bytes; at most %d", len(v), MaxEnvelope), "name fewer recipients or shorten the purpose")
	}
	return v, nil
}

var logName = regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._/-]*$`)

func validLog(name string) bool { return len(name) <= MaxName && logName.MatchString(name) }

// ParseEnvelope reads an envelope from outside: canonical, bounded, every
// member known and of its own form. An error is errs.Invalid or errs.Limit.
func ParseEnvelope(b []byte) (Entry, error) {
	bad := func(why string, err error) (Entry, error) {
		return Entry{}, &errs.Error{Op: "envelope", Kind: errs.Invalid, Where: fmt.Sprintf("%.60q", b), Why: why, Err: err, Hint: "ask its author to send it again"}
	}
	if len(b) > MaxEnvelope {
		return Entry{}, errs.New("envelope", errs.Limit, "", fmt.Sprintf("%d bytes; at most %d", len(b), MaxEnvelope), "ask its author to send it again")
	}
	var w envelope
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil {
		return bad("not an envelope", err)
	}
	e, why := w.entry()
	if why != "" {
		return bad(why, nil)
	}
	// One entry has one spelling, so that a leaf says nothing beside it.
	if again, err := e.MarshalEnvelope(); err != nil || !bytes.Equal(again, b) {
		return bad("not in its canonical spelling", err)
	}
	return e, nil
}

// entry checks w and returns what is wrong with it.
func (w envelope) entry() (e Entry, why string) {
	e = Entry{
		Log: w.Log, Seq: w.Seq, Act: w.Act, ID: w.ID, Type: w.Type, Version: w.Version, Revoked: w.Revoked, Author: w.Author, Actor: w.Actor,
		Marking: w.Marking, Recipients: w.Recipients, Basis: w.Basis, Purpose: w.Purpose,
	}
	typ, ok := stix.SplitID(w.ID)
	switch {
	case w.V != envelopeVersion:
		return e, fmt.Sprintf("version %d of the format; this program reads %d", w.V, envelopeVersion)
	case !validLog(w.Log) || w.Seq >= maxSeq:
		return e, "no valid log and position"
	case w.Act != State && w.Act != Erase:
		return e, fmt.Sprintf("act %.20q is not known", w.Act)
	case !ok || typ != w.Type:
		return e, "the object's id is not one of its type"
	case !validVersion(w.Version):
		return e, "the version is not a time"
	case !validOrg(w.Author):
		return e, "the author is not the id of an organisation"
	case w.Marking == stix.TLPNone:
		return e, "no marking"
	}
	if why := textFault(w.Actor, w.Basis, w.Purpose); why != "" {
		return e, why
	}
	if len(w.Recipients) > MaxRecipients {
		return e, "too many recipients"
	}
	for _, r := range w.Recipients {
		if !validOrg(r) {
			return e, "a recipient is not the id of an organisation"
		}
	}
	if e.Time, ok = parseTime(w.Time); !ok {
		return e, "the time is not in UTC with microseconds"
	}
	if !fromHex(e.Commit[:], w.Commit) {
		return e, "the commitment is not a SHA-256"
	}
	if f := w.From; f != nil {
		e.From = &Source{Org: f.Org, Log: f.Log, Seq: f.Seq}
		e.From.Time, ok = parseTime(f.Time)
		if !ok || !validOrg(f.Org) || !validLog(f.Log) || f.Seq >= maxSeq || !fromHex(e.From.Leaf[:], f.Leaf) {
			return e, "its source is malformed"
		}
	}
	return e, ""
}

func textFault(texts ...string) string {
	for _, t := range texts {
		if len(t) > MaxText || !utf8.ValidString(t) {
			return fmt.Sprintf("an actor, basis or purpose is no text of at most %d bytes", MaxText)
		}
	}
	return ""
}

func validOrg(id identity.OrgID) bool {
	typ, ok := stix.SplitID(string(id))
	return ok && typ == "identity"
}

func validVersion(v string) bool {
	if v == "" {
		return true
	}
	const layout = "2006-01-02T15:04:05.000000000Z"
	t, err := time.Parse(layout, v)
	return err == nil && t.Format(layout) == v
}

func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(timeFormat, s)
	if err != nil || t.Format(timeFormat) != s || t.Year() < 1970 || t.Year() > 9998 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// fromHex fills dst from lower-case hex of exactly its length.
func fromHex(dst []byte, s string) bool {
	if len(s) != 2*len(dst) || s != strings.ToLower(s) {
		return false
	}
	_, err := hex.Decode(dst, []byte(s))
	return err == nil
}

// leafHash is the RFC 6962 hash of a leaf.
func leafHash(envelope []byte) tlog.Hash { return tlog.RecordHash(envelope) }
