package stix

import (
	"time"

	"bongsu/errs"
	"bongsu/identity"
)

// Object types of our own (new-sdo by extension).
const (
	TypeRun       = "bongsu-trace"
	TypeReceipt   = "bongsu-receipt"
	TypeAgreement = "bongsu-agreement"
	TypePartner   = "bongsu-partner"
	TypeLabelList = "bongsu-label-list"
	TypeErasure   = "bongsu-erasure"
	TypeSealed    = "bongsu-sealed"
)

// Extension definitions: those of others that we write, then our own.
const (
	ExtWallet       = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7" // cryptocurrency-wallet, new-sco
	ExtIncidentCore = "extension-definition--ef765651-680c-498d-9894-99799f2fa126" // OASIS incident core

	ExtTheft     = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e01"
	ExtListing   = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e02"
	ExtFinding   = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e03"
	ExtChain     = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e04"
	ExtRun       = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e05"
	ExtReceipt   = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e06"
	ExtAgreement = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e07"
	ExtPartner   = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e08"
	ExtLabelList = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e09"
	ExtErasure   = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e0a"
	ExtSealed    = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e0b"
	ExtMovement  = "extension-definition--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e0c"
)

// extensionOf is the extension that makes each of our own types.
var extensionOf = map[string]string{
	TypeRun: ExtRun, TypeReceipt: ExtReceipt, TypeAgreement: ExtAgreement, TypePartner: ExtPartner,
	TypeLabelList: ExtLabelList, TypeErasure: ExtErasure, TypeSealed: ExtSealed,
}

// Common is what every statement of ours carries. Created defaults to
// Modified; give the first version's Created when making a new version.
type Common struct {
	ID       string         // "" lets the builder choose: deterministic where the type's doc says so, else random
	Author   identity.OrgID // created_by_ref
	Created  time.Time      // to the millisecond
	Modified time.Time
	Revoked  bool
	Marking  TLP // object_marking_refs; TLPNone is DefaultTLP
}

// base is the start of an object of a versioned type.
func (c Common) base(typ, id string) map[string]any {
	if c.ID != "" {
		id = c.ID
	}
	created, marking := c.Created, c.Marking
	if created.IsZero() {
		created = c.Modified
	}
	if marking == TLPNone {
		marking = DefaultTLP
	}
	m := map[string]any{
		"type": typ, "spec_version": "2.1", "id": id,
		"created": FormatTime(created), "modified": FormatTime(c.Modified),
		"object_marking_refs": []string{marking.MarkingID()},
	}
	set(m, "created_by_ref", string(c.Author))
	if c.Revoked {
		m["revoked"] = true
	}
	if ext, ok := extensionOf[typ]; ok {
		m["extensions"] = map[string]any{ext: map[string]any{"extension_type": "new-sdo"}}
	}
	return m
}

// common reads back what base wrote.
func common(o Object) Common {
	return Common{
		ID: o.ID, Author: identity.OrgID(o.CreatedBy), Created: o.Created, Modified: o.Modified,
		Revoked: o.Revoked, Marking: o.Marking,
	}
}

// set puts a text where there is one: STIX has no empty properties.
func set(m map[string]any, key, value string) {
	if value != "" {
		m[key] = value
	}
}

func setTime(m map[string]any, key string, t time.Time) {
	if !t.IsZero() {
		m[key] = t.UTC().Format("2006-01-02T15:04:05.999999Z")
	}
}

// build encodes an object of ours canonically and validates it like one from
// outside.
func build(m map[string]any) (Object, error) {
	if m["created"] == FormatTime(time.Time{}) || m["modified"] == FormatTime(time.Time{}) {
		return Object{}, errs.New("STIX object", errs.Usage, "", "no time of modification was given", "set Modified")
	}
	b, err := canonicalOf(m)
	if err != nil {
		return Object{}, err
	}
	return Parse(b)
}
