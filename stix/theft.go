package stix

import (
	"fmt"
	"time"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Theft is an incident with our theft extension. Its short id is the
// incident's id, random unless given.
type Theft struct {
	Common
	Title     string
	Text      string // description, may be empty
	Amounts   []Amount
	Transfers []TheftTransfer
}

// TheftTransfer is one transfer by which funds were stolen.
type TheftTransfer struct {
	Chain chain.ID      `json:"chain"`
	Tx    string        `json:"tx,omitempty"`    // as the chain writes it
	Time  chain.Time    `json:"time,omitzero"`   // absent when nobody dates the block
	Block *uint64       `json:"block,omitempty"` // nil when the source gives none
	From  chain.Account `json:"from,omitzero"`
	To    chain.Account `json:"to,omitzero"`
	Kind  string        `json:"kind"` // chain.Kind's name
	// Ordinal is the output's index on a UTXO chain; nil elsewhere, and where
	// the receiver and the amount name the output.
	Ordinal *uint32     `json:"ordinal,omitempty"`
	Asset   chain.Asset `json:"asset"`
	Amount  string      `json:"amount"` // base units
}

type theftExt struct {
	ExtensionType string          `json:"extension_type"`
	Amounts       []Amount        `json:"amounts"`
	Transfers     []TheftTransfer `json:"transfers"`
}

// Object builds the incident.
func (t Theft) Object() (Object, error) {
	m := t.base("incident", randomID("incident"))
	m["name"] = t.Title
	set(m, "description", t.Text)
	m["extensions"] = map[string]any{
		ExtTheft: theftExt{"property-extension", t.Amounts, t.Transfers},
		ExtIncidentCore: map[string]any{
			"extension_type": "property-extension", "determination": "confirmed", "investigation_status": "open",
		},
	}
	return build(m)
}

// ReadTheft reads what Theft.Object wrote, on any node. An object that is none
// gives errs.Invalid, as all Read functions here do.
func ReadTheft(o Object) (Theft, error) {
	var w struct {
		Name        string                    `json:"name"`
		Description string                    `json:"description"`
		Extensions  map[string]jsontext.Value `json:"extensions"`
	}
	if err := read(o, "incident", &w); err != nil {
		return Theft{}, err
	}
	var e theftExt
	if err := readExt(o, w.Extensions, ExtTheft, &e); err != nil {
		return Theft{}, err
	}
	for i, tr := range e.Transfers {
		if err := tr.check(); err != nil {
			return Theft{}, errs.Wrap("theft", fmt.Sprintf("%s: transfer %d", o.ID, i+1), err)
		}
	}
	return Theft{Common: common(o), Title: w.Name, Text: w.Description, Amounts: e.Amounts, Transfers: e.Transfers}, nil
}

// check holds a transfer's parts to each other.
func (t TheftTransfer) check() error {
	if _, err := chain.ParseID(string(t.Chain)); err != nil {
		return err
	}
	if t.Tx != "" {
		if _, err := chain.ParseTxID(t.Tx, t.Chain); err != nil {
			return err
		}
	}
	if _, err := chain.ParseKind(t.Kind); err != nil {
		return err
	}
	if a, err := chain.ParseAsset(string(t.Asset)); err != nil || a.Chain() != t.Chain {
		return errs.New("transfer", errs.Invalid, string(t.Asset), "not an asset of "+string(t.Chain), "correct it at its source")
	}
	for _, a := range []chain.Account{t.From, t.To} {
		if !a.IsZero() && a.Chain() != t.Chain {
			return errs.New("transfer", errs.Invalid, a.String(), "not an account of "+string(t.Chain), "correct it at its source")
		}
	}
	_, err := chain.ParseBase(t.Amount)
	return err
}

// read checks the type and decodes the object.
func read(o Object, typ string, into any) error {
	if o.Type != typ {
		return errs.New("read "+typ, errs.Invalid, o.ID, "it is a "+o.Type, "")
	}
	if err := json.Unmarshal(o.Raw, into); err != nil {
		return &errs.Error{Op: "read " + typ, Kind: errs.Invalid, Where: o.ID, Why: "a property has the wrong form", Hint: "correct the object at its source", Err: err}
	}
	return nil
}

// readExt decodes one extension.
func readExt(o Object, exts map[string]jsontext.Value, id string, into any) error {
	raw, ok := exts[id]
	if !ok {
		return errs.New("read "+o.Type, errs.Invalid, o.ID, "it has no extension "+extNames[id], "")
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return &errs.Error{Op: "read " + o.Type, Kind: errs.Invalid, Where: o.ID, Why: "extension " + extNames[id] + " has the wrong form", Hint: "correct the object at its source", Err: err}
	}
	return nil
}

// optTime reads a timestamp that may be missing.
func optTime(s string) time.Time {
	if t, err := parseTime(s); err == nil {
		return t
	}
	return time.Time{}
}
