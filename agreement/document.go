package agreement

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Limits on a document. A document that breaks one is refused with errs.Limit.
const (
	MaxDocumentBytes = 256 << 10 // canonical JSON of one document
	MaxPolicyBytes   = 64 << 10  // Cedar text of one document
	MaxPolicies      = 64        // policies in that text
	MaxList          = 64        // entries of kinds, purposes, legal bases
	MaxText          = 4 << 10   // bytes of a title or of the plain words
)

// DocumentVersion is the version of the document that this package writes and
// the only one that it reads.
const DocumentVersion = 1

const documentType = "bongsu-agreement"

// Onward says whether what one party received may be passed on.
type Onward string

// The values of Onward.
const (
	OnwardNone     Onward = "none"     // stays with the party that received it
	OnwardPartners Onward = "partners" // may go to that party's partners, within their agreements and its marking
)

// Party is one side of an agreement.
type Party struct {
	ID          identity.OrgID `json:"id"`
	Name        string         `json:"name"`        // as the party calls itself
	Fingerprint string         `json:"fingerprint"` // of its root key, as identity prints it
}

// Terms is what a person agrees to, in fields that anybody can read. Times
// are UTC to the second.
type Terms struct {
	Title         string
	Parties       [2]Party // the proposing one first
	ValidFrom     time.Time
	ValidUntil    time.Time // exclusive; an agreement without an end is refused
	HighestTLP    stix.TLP
	Kinds         []string // STIX object types
	Purposes      []string // see Purposes
	LegalBasis    []string // accepted legal bases; empty: any, or none stated
	Onward        Onward
	RetentionDays int    // how long the receiver keeps what it received; 0: no limit agreed
	Template      string // the built-in template it was made from, or ""
	Words         string // the plain words of the policies
	Policies      string // Cedar text
}

// Document is an agreement's document, valid once it came from New or Parse.
// It is immutable.
type Document struct {
	terms   Terms
	id      string
	created time.Time
	raw     []byte
	digest  [sha256.Size]byte
	rules   *rules
}

// wire is the document's JSON (FORMAT.md, "Document").
type wire struct {
	Type          string   `json:"type"`
	Version       int      `json:"version"`
	ID            string   `json:"id"`
	Created       string   `json:"created"`
	Title         string   `json:"title"`
	Parties       []Party  `json:"parties"`
	ValidFrom     string   `json:"valid_from"`
	ValidUntil    string   `json:"valid_until"`
	HighestTLP    string   `json:"highest_tlp"`
	Kinds         []string `json:"kinds"`
	Purposes      []string `json:"purposes"`
	LegalBasis    []string `json:"legal_basis"`
	Onward        Onward   `json:"onward"`
	RetentionDays int      `json:"retention_days"`
	Template      string   `json:"template"`
	Words         string   `json:"words"`
	Policies      string   `json:"policies"`
}

// New makes the document of terms, proposed at now, with a new id. It returns
// errs.Invalid or errs.Limit naming the field that is wrong.
func New(terms Terms, now time.Time) (*Document, error) {
	return build(terms, "bongsu-agreement--"+uuid.NewString(), now)
}

func build(t Terms, id string, created time.Time) (*Document, error) {
	t.Kinds = sorted(t.Kinds)
	t.Purposes = sorted(t.Purposes)
	t.LegalBasis = sorted(t.LegalBasis)
	t.ValidFrom = t.ValidFrom.UTC().Truncate(time.Second)
	t.ValidUntil = t.ValidUntil.UTC().Truncate(time.Second)
	w := wire{
		Type: documentType, Version: DocumentVersion, ID: id,
		Created: stamp(created), Title: t.Title, Parties: t.Parties[:],
		ValidFrom: stamp(t.ValidFrom), ValidUntil: stamp(t.ValidUntil),
		HighestTLP: t.HighestTLP.String(), Kinds: t.Kinds, Purposes: t.Purposes, LegalBasis: t.LegalBasis,
		Onward: t.Onward, RetentionDays: t.RetentionDays, Template: t.Template, Words: t.Words, Policies: t.Policies,
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return nil, errs.Wrap("agreement", id, err)
	}
	v := jsontext.Value(raw)
	if err := v.Canonicalize(); err != nil {
		return nil, errs.Wrap("agreement", id, err)
	}
	return Parse(v)
}

// Parse reads a document in its canonical form. Any other form of the same
// JSON is refused, so that one document has one digest and one signature.
func Parse(raw []byte) (*Document, error) {
	const op = "read agreement"
	if len(raw) > MaxDocumentBytes {
		return nil, errs.New(op, errs.Limit, "", fmt.Sprintf("the document has %d bytes, at most %d are read", len(raw), MaxDocumentBytes), "")
	}
	canonical := slices.Clone(jsontext.Value(raw))
	if err := canonical.Canonicalize(); err != nil {
		return nil, &errs.Error{Op: op, Kind: errs.Invalid, Why: "not valid JSON", Err: err}
	}
	if string(canonical) != string(raw) {
		return nil, errs.New(op, errs.Invalid, "", "the document is not in its canonical form (RFC 8785)", "ask the partner to send it again")
	}
	var w wire
	if err := json.Unmarshal(raw, &w, json.RejectUnknownMembers(true)); err != nil {
		return nil, &errs.Error{Op: op, Kind: errs.Invalid, Why: "not an agreement", Err: err}
	}
	d := &Document{id: w.ID, raw: canonical, digest: sha256.Sum256(canonical)}
	if err := d.fill(w); err != nil {
		return nil, &errs.Error{Op: op, Kind: errs.Is(err), Where: w.ID, Err: err}
	}
	rules, err := compile(d)
	if err != nil {
		return nil, &errs.Error{Op: op, Kind: errs.Is(err), Where: w.ID, Err: err}
	}
	d.rules = rules
	return d, nil
}

// fill checks every field of w and keeps it.
func (d *Document) fill(w wire) error {
	if w.Type != documentType || w.Version != DocumentVersion {
		return invalid("type", fmt.Sprintf("%q version %d, this program reads %q version %d", w.Type, w.Version, documentType, DocumentVersion))
	}
	if !strings.HasPrefix(w.ID, documentType+"--") || uuid.Validate(strings.TrimPrefix(w.ID, documentType+"--")) != nil {
		return invalid("id", fmt.Sprintf("%q is not %s--<uuid>", w.ID, documentType))
	}
	if len(w.Parties) != 2 || w.Parties[0].ID == w.Parties[1].ID {
		return invalid("parties", "an agreement has two different parties")
	}
	for _, p := range w.Parties {
		if uuid.Validate(strings.TrimPrefix(string(p.ID), "identity--")) != nil || !strings.HasPrefix(string(p.ID), "identity--") || p.Name == "" || p.Fingerprint == "" {
			return invalid("parties", "each party has an identity id, a name and a fingerprint")
		}
	}
	var err error
	t := Terms{
		Title: w.Title, Parties: [2]Party(w.Parties), Kinds: w.Kinds, Purposes: w.Purposes, LegalBasis: w.LegalBasis,
		Onward: w.Onward, RetentionDays: w.RetentionDays, Template: w.Template, Words: w.Words, Policies: w.Policies,
	}
	for field, at := range map[string]*time.Time{"created": &d.created, "valid_from": &t.ValidFrom, "valid_until": &t.ValidUntil} {
		text := map[string]string{"created": w.Created, "valid_from": w.ValidFrom, "valid_until": w.ValidUntil}[field]
		if *at, err = time.Parse(time.RFC3339, text); err != nil || stamp(*at) != text {
			return invalid(field, fmt.Sprintf("%q is not a time as 2026-01-31T00:00:00Z", text))
		}
	}
	if t.HighestTLP, err = stix.ParseTLP(w.HighestTLP); err != nil || t.HighestTLP == stix.TLPNone || t.HighestTLP.String() != w.HighestTLP {
		return invalid("highest_tlp", fmt.Sprintf("%q is not a TLP 2.0 level", w.HighestTLP))
	}
	d.terms = t
	return t.check()
}

// check holds what must be true of terms whatever their form.
func (t *Terms) check() error {
	switch {
	case t.Title == "" || len(t.Title) > MaxText:
		return invalid("title", "a title is needed, of at most 4 KiB")
	case t.Words == "" || len(t.Words) > MaxText:
		return invalid("words", "the plain words are needed, at most 4 KiB")
	case !t.ValidUntil.After(t.ValidFrom):
		return invalid("valid_until", "it must be after valid_from")
	case t.Onward != OnwardNone && t.Onward != OnwardPartners:
		return invalid("onward", fmt.Sprintf("%q is neither %q nor %q", t.Onward, OnwardNone, OnwardPartners))
	case t.RetentionDays < 0 || t.RetentionDays > 36500:
		return invalid("retention_days", "between 0 (no limit agreed) and 36500")
	case len(t.Kinds) == 0:
		return invalid("kinds", "at least one kind of statement is needed")
	case len(t.Purposes) == 0:
		return invalid("purposes", "at least one purpose is needed")
	}
	for _, l := range []struct {
		name string
		list []string
	}{{"kinds", t.Kinds}, {"purposes", t.Purposes}, {"legal_basis", t.LegalBasis}} {
		if len(l.list) > MaxList {
			return errs.New("", errs.Limit, l.name, fmt.Sprintf("%d entries, at most %d", len(l.list), MaxList), "")
		}
		if !slices.IsSorted(l.list) || len(slices.Compact(slices.Clone(l.list))) != len(l.list) {
			return invalid(l.name, "entries are sorted and different")
		}
		for _, word := range l.list {
			if !isWord(word) {
				return invalid(l.name, fmt.Sprintf("%q: small letters, digits and hyphens only, at most 64", word))
			}
		}
	}
	return nil
}

// isWord reports whether s can stand for a kind, a purpose or a legal basis.
func isWord(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func invalid(field, why string) error { return errs.New("", errs.Invalid, field, why, "") }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func sorted(list []string) []string {
	out := append([]string{}, list...)
	slices.Sort(out)
	return slices.Compact(out)
}

// ID is "bongsu-agreement--<uuid>".
func (d *Document) ID() string { return d.id }

// Created is when it was proposed, to the second.
func (d *Document) Created() time.Time { return d.created }

// Terms returns the terms. The lists are the document's own: do not change them.
func (d *Document) Terms() Terms { return d.terms }

// Canonical returns the bytes that both parties sign (RFC 8785). Do not change them.
func (d *Document) Canonical() []byte { return d.raw }

// Digest is "sha256:<hex>" of the canonical bytes: what two people compare.
func (d *Document) Digest() string { return "sha256:" + hex.EncodeToString(d.digest[:]) }

// Other returns the party that is not id; ok is false when id is no party.
func (d *Document) Other(id identity.OrgID) (other Party, ok bool) {
	for i, p := range d.terms.Parties {
		if p.ID == id {
			return d.terms.Parties[1-i], true
		}
	}
	return Party{}, false
}
