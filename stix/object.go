package stix

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits on one object from outside.
const (
	MaxObject = 4 << 20 // bytes of JSON
	MaxDepth  = 32      // nested arrays and objects
)

// Object is one STIX 2.1 object: its raw JSON, and what was read from it. The
// zero is no object. Raw is shared, never changed.
type Object struct {
	ID        string    // "indicator--<uuid>"
	Type      string    // "indicator"
	Created   time.Time // zero for observables and other objects without it
	Modified  time.Time // zero where the type is not versioned
	Revoked   bool
	CreatedBy string   // created_by_ref, or ""
	Marking   TLP      // the highest TLP level among object_marking_refs; TLPNone when there is none
	Markings  []string // object_marking_refs as they stand
	Raw       jsontext.Value
}

// IsZero says whether there is no object.
func (o Object) IsZero() bool { return o.ID == "" }

// Version is Modified (else Created) as text of fixed width whose order is the
// order in time: "2026-11-23T11:00:00.000000000Z". It is "" for objects
// without versions (observables).
func (o Object) Version() string {
	t := o.Modified
	if t.IsZero() {
		t = o.Created
	}
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
}
