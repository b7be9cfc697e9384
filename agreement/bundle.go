package agreement

import (
	"bytes"
	"slices"

	"bongsu/errs"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxBundleBytes bounds a document with its signatures.
const MaxBundleBytes = 2*MaxDocumentBytes + 64<<10

// bundle is the JSON of an Agreement (FORMAT.md, "Bundle"). The document is
// carried as text, so that no reader on the way can change its bytes.
type bundle struct {
	Document   string      `json:"document"`
	Signatures []Signature `json:"signatures"`
	End        *End        `json:"end,omitempty"`
}

// Marshal writes the agreement with its signatures as canonical JSON.
func (a *Agreement) Marshal() ([]byte, error) {
	raw, err := json.Marshal(bundle{Document: string(a.Document.raw), Signatures: a.Signatures, End: a.End})
	if err != nil {
		return nil, errs.Wrap("write agreement", a.Document.id, err)
	}
	v := jsontext.Value(raw)
	if err := v.Canonicalize(); err != nil {
		return nil, errs.Wrap("write agreement", a.Document.id, err)
	}
	return v, nil
}

// ParseBundle reads what Marshal wrote, from anybody. The signatures are not
// verified yet (Verify).
func ParseBundle(raw []byte) (*Agreement, error) {
	const op = "read agreement"
	if len(raw) > MaxBundleBytes {
		return nil, errs.New(op, errs.Limit, "", "it is too long", "")
	}
	var b bundle
	if err := json.Unmarshal(raw, &b, json.RejectUnknownMembers(true)); err != nil {
		return nil, &errs.Error{Op: op, Kind: errs.Invalid, Why: "not an agreement with signatures", Err: err}
	}
	d, err := Parse([]byte(b.Document))
	if err != nil {
		return nil, err
	}
	if len(b.Signatures) > len(d.terms.Parties) {
		return nil, errs.New(op, errs.Invalid, d.id, "more signatures than parties", "")
	}
	return &Agreement{Document: d, Signatures: b.Signatures, End: b.End}, nil
}

// Merge adds what other has of the same document: signatures of parties that
// have not signed here, and the end. It reports whether anything was added,
// and returns errs.Conflict when the documents differ. Verify both before.
func (a *Agreement) Merge(other *Agreement) (added bool, err error) {
	if a.Document.digest != other.Document.digest {
		return false, errs.New("merge agreements", errs.Conflict, a.Document.id, "two documents under one id", "end it and propose a new one")
	}
	for _, s := range other.Signatures {
		if !a.SignedBy(s.Party) {
			a.Signatures, added = append(a.Signatures, s), true
		}
	}
	slices.SortFunc(a.Signatures, func(x, y Signature) int {
		return x.At.Compare(y.At)*2 + bytes.Compare([]byte(x.Party), []byte(y.Party))
	})
	if a.End == nil && other.End != nil {
		a.End, added = other.End, true
	}
	return added, nil
}
