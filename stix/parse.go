package stix

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"bongsu/errs"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// head is what Parse reads of every object.
type head struct {
	Type        string                    `json:"type"`
	ID          string                    `json:"id"`
	SpecVersion string                    `json:"spec_version"`
	Created     string                    `json:"created"`
	Modified    string                    `json:"modified"`
	Revoked     bool                      `json:"revoked"`
	CreatedBy   string                    `json:"created_by_ref"`
	Markings    []string                  `json:"object_marking_refs"`
	Extensions  map[string]jsontext.Value `json:"extensions"`
}

var typeName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,248}[a-z0-9]$`)

// versioned are the types of STIX 2.1 chapters 4 and 5, which must carry
// created and modified (section 3.2).
var versioned = map[string]bool{
	"attack-pattern": true, "campaign": true, "course-of-action": true, "grouping": true, "identity": true,
	"incident": true, "indicator": true, "infrastructure": true, "intrusion-set": true, "location": true,
	"malware": true, "malware-analysis": true, "note": true, "observed-data": true, "opinion": true,
	"report": true, "threat-actor": true, "tool": true, "vulnerability": true,
	"relationship": true, "sighting": true,
	TypeRun: true, TypeReceipt: true, TypeAgreement: true, TypePartner: true, TypeLabelList: true, TypeErasure: true,
	TypeSealed: true,
}

// Parse reads one object from untrusted bytes and validates it: size, depth,
// UTF-8, duplicate keys, id, type, times; for our own types and extensions the
// JSON schema too. The object keeps b. Errors are errs.Invalid or errs.Limit
// and name the object where it can be named.
func Parse(b []byte) (Object, error) {
	o, h, err := parseHead(b)
	if err != nil {
		return Object{}, err
	}
	if err := validateOurs(o, h.Extensions); err != nil {
		return Object{}, err
	}
	return o, nil
}

// Reparse reads bytes that Parse accepted before and that were kept safe since
// (under a commitment): the schemas are not applied again.
func Reparse(b []byte) (Object, error) {
	o, _, err := parseHead(b)
	return o, err
}

func parseHead(b []byte) (Object, head, error) {
	var h head
	if len(b) > MaxObject {
		return Object{}, h, errs.New("STIX object", errs.Limit, "", fmt.Sprintf("%d bytes; at most %d are read", len(b), MaxObject), "split it")
	}
	if d := Depth(b); d > MaxDepth {
		return Object{}, h, errs.New("STIX object", errs.Limit, "", fmt.Sprintf("nested %d deep; at most %d are read", d, MaxDepth), "flatten it")
	}
	if err := json.Unmarshal(b, &h); err != nil {
		return Object{}, h, &errs.Error{Op: "STIX object", Kind: errs.Invalid, Where: clip(h.ID), Why: jsonFault(err), Hint: "correct the JSON at its source", Err: err}
	}
	o := Object{ID: h.ID, Type: h.Type, Revoked: h.Revoked, CreatedBy: h.CreatedBy, Markings: h.Markings, Raw: b}
	if why := o.fill(h); why != "" {
		return Object{}, h, errs.New("STIX object", errs.Invalid, clip(h.ID), why, "correct the object at its source")
	}
	return o, h, nil
}

// jsonFault says in words what users meet most.
func jsonFault(err error) string {
	if strings.Contains(err.Error(), "duplicate object member") {
		return "the same key stands twice in one JSON object"
	}
	if strings.Contains(err.Error(), "invalid UTF-8") {
		return "not valid UTF-8"
	}
	return "not a JSON object of STIX's form"
}

// fill checks what h says and puts it into o; it returns what is wrong.
func (o *Object) fill(h head) string {
	if !typeName.MatchString(h.Type) {
		return fmt.Sprintf("type %.60q is not a type name", h.Type)
	}
	if typ, ok := SplitID(h.ID); !ok || typ != h.Type {
		return fmt.Sprintf("id %.120q is not %s--<uuid in lower case>", h.ID, h.Type)
	}
	if h.SpecVersion != "" && h.SpecVersion != "2.1" && h.SpecVersion != "2.0" {
		return fmt.Sprintf("spec_version %.20q; 2.1 is read", h.SpecVersion)
	}
	if h.CreatedBy != "" {
		if typ, ok := SplitID(h.CreatedBy); !ok || typ != "identity" {
			return "created_by_ref is not the id of an identity"
		}
	}
	if len(h.Markings) > 100 {
		return "more than 100 markings"
	}
	for _, m := range h.Markings {
		if typ, ok := SplitID(m); !ok || typ != "marking-definition" {
			return "object_marking_refs holds what is not the id of a marking"
		}
		if l, ok := TLPOf(m); ok {
			o.Marking = max(o.Marking, l)
		}
	}
	return o.fillTimes(h)
}

func (o *Object) fillTimes(h head) string {
	var err error
	if h.Created != "" {
		if o.Created, err = parseTime(h.Created); err != nil {
			return fmt.Sprintf("created %.40q is not a time in UTC (RFC 3339, ending in Z)", h.Created)
		}
	}
	if h.Modified != "" {
		if o.Modified, err = parseTime(h.Modified); err != nil {
			return fmt.Sprintf("modified %.40q is not a time in UTC (RFC 3339, ending in Z)", h.Modified)
		}
	}
	if versioned[h.Type] && (h.Created == "" || h.Modified == "") {
		return "created and modified are required for " + h.Type
	}
	if !o.Modified.IsZero() && (o.Created.IsZero() || o.Modified.Before(o.Created)) {
		return "modified is before created"
	}
	return ""
}

// parseTime reads a STIX timestamp (section 2.14): RFC 3339, UTC, Z.
func parseTime(s string) (time.Time, error) {
	if len(s) > 40 || !strings.HasSuffix(s, "Z") {
		return time.Time{}, errs.New("time", errs.Invalid, clip(s), "not a STIX timestamp", "")
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 {
		return time.Time{}, errs.New("time", errs.Invalid, clip(s), "not a STIX timestamp", "")
	}
	return t.UTC(), nil
}

// FormatTime writes a STIX timestamp with milliseconds, the form of created
// and modified.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// SplitID splits "indicator--<uuid>" into its type and says whether it is a
// well-formed id: a type name and a UUID in lower case.
func SplitID(id string) (typ string, ok bool) {
	typ, u, ok := strings.Cut(id, "--")
	if !ok || len(u) != 36 || u != strings.ToLower(u) || !typeName.MatchString(typ) {
		return "", false
	}
	if _, err := uuid.Parse(u); err != nil {
		return "", false
	}
	return typ, true
}

// Depth is how deep arrays and objects nest in b, whatever else b is: a bound
// to check before untrusted JSON is read.
func Depth(b []byte) int {
	deepest, d, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			d++
			deepest = max(deepest, d)
		case c == '}' || c == ']':
			d--
		}
	}
	return deepest
}

func clip(s string) string {
	if len(s) > 120 {
		return fmt.Sprintf("%.120q...", s)
	}
	return s
}
