package stix

import (
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/identity"
)

// Run is a trace's run: object type bongsu-trace. Its id is deterministic:
// author, theft and digest.
type Run struct {
	Common
	Theft  string // incident id; "" for a trace from accounts
	Method string
	Digest string // of the result, "sha256:..."; names the file in DIR/traces
	Ledger string // digest of the ledger range
	Labels []string
	Totals []Amount // held in the end, by asset
}

// Sighting says that an indicator's value was seen by an organisation.
type Sighting struct {
	Common
	Of          string           // indicator id
	At          []identity.OrgID // where_sighted_refs
	First, Last time.Time
	Count       int
	Text        string
}

// Receipt states of a statement at the receiver.
const (
	Arrived = "arrived"
	Active  = "active"
	Acted   = "acted"
	Removed = "removed"
	Refused = "refused"
)

// Receipt is a receiver's word on a statement: object type bongsu-receipt. Its
// id is deterministic: author, feed, position and state.
type Receipt struct {
	Common
	Statement   string // STIX id
	Version     string // of the statement
	Feed        string // log name at the author's
	Position    uint64 // sequence in that feed
	State       string
	At          time.Time
	CommittedAt time.Time // the statement's own commit, as its author says
	Ms          float64   // At - CommittedAt in milliseconds, two clocks
	Reason      string    // for Refused
}

// Agreement is a countersigned agreement: object type bongsu-agreement.
type Agreement struct {
	Common
	Title    string
	Parties  []identity.OrgID
	State    string // "proposed", "active", "ended"
	From, To time.Time
	Document []byte // the signed document, as the agreement room writes it
}

// Partner is what we know of a partner: object type bongsu-partner. Its id is
// deterministic: author and organisation.
type Partner struct {
	Common
	Org         identity.OrgID
	Name        string
	Fingerprint string
	Address     string // host:port of its share listener, or ""
	Document    []byte // its identity.Org document
}

// LabelList is one source's list of labels: object type bongsu-label-list. Its
// id is deterministic: author and source.
type LabelList struct {
	Common
	Source string
	Name   string
	Digest string // of the content-addressed file, "sha256:..."
	Count  int
	Dated  time.Time
}

// Erasure says which payload was erased, and why: object type bongsu-erasure,
// the payload of a tombstone.
type Erasure struct {
	Common
	Statement  string // STIX id of what was erased
	Log        string
	Seq        uint64
	Commitment string // lower-case hex
	Reason     string
}

// Sealed carries another object, encrypted to its recipients (identity.Seal):
// object type bongsu-sealed. Its id is random and tells nothing.
type Sealed struct {
	Common
	To   []identity.OrgID
	Data []byte
}

// Note is a note on other objects.
type Note struct {
	Common
	Text string
	Of   []string // object_refs
}

// Organisation is an identity of class organization.
type Organisation struct {
	Common // ID is the OrgID
	Name   string
}

// Wallet is a cryptocurrency-wallet observable; its id follows the community
// extension, over the canonical spelling of the address. The chain stands in an
// extension of ours that does not contribute to the id.
type Wallet struct {
	Account chain.Account
	Marking TLP // TLPNone leaves it unmarked
}

// Object builds the bongsu-trace.
func (r Run) Object() (Object, error) {
	m := r.base(TypeRun, statementID(TypeRun, "trace", string(r.Author), r.Theft, r.Digest))
	m["method"], m["digest"] = r.Method, r.Digest
	set(m, "theft_ref", r.Theft)
	set(m, "ledger", r.Ledger)
	if len(r.Labels) > 0 {
		m["labels_digests"] = r.Labels
	}
	if len(r.Totals) > 0 {
		m["totals"] = r.Totals
	}
	return build(m)
}

// ReadRun reads a bongsu-trace.
func ReadRun(o Object) (Run, error) {
	var w struct {
		Theft  string   `json:"theft_ref"`
		Method string   `json:"method"`
		Digest string   `json:"digest"`
		Ledger string   `json:"ledger"`
		Labels []string `json:"labels_digests"`
		Totals []Amount `json:"totals"`
	}
	err := read(o, TypeRun, &w)
	return Run{Common: common(o), Theft: w.Theft, Method: w.Method, Digest: w.Digest, Ledger: w.Ledger, Labels: w.Labels, Totals: w.Totals}, err
}

// Object builds the sighting.
func (s Sighting) Object() (Object, error) {
	m := s.base("sighting", randomID("sighting"))
	m["sighting_of_ref"] = s.Of
	if len(s.At) > 0 {
		m["where_sighted_refs"] = s.At
	}
	setTime(m, "first_seen", s.First)
	setTime(m, "last_seen", s.Last)
	if s.Count > 0 {
		m["count"] = s.Count
	}
	set(m, "description", s.Text)
	return build(m)
}

// ReadSighting reads a sighting.
func ReadSighting(o Object) (Sighting, error) {
	var w struct {
		Of    string           `json:"sighting_of_ref"`
		At    []identity.OrgID `json:"where_sighted_refs"`
		First string           `json:"first_seen"`
		Last  string           `json:"last_seen"`
		Count int              `json:"count"`
		Text  string           `json:"description"`
	}
	if err := read(o, "sighting", &w); err != nil {
		return Sighting{}, err
	}
	if _, ok := SplitID(w.Of); !ok {
		return Sighting{}, errs.New("read sighting", errs.Invalid, o.ID, "sighting_of_ref is not an id", "correct the object at its source")
	}
	return Sighting{Common: common(o), Of: w.Of, At: w.At, First: optTime(w.First), Last: optTime(w.Last), Count: w.Count, Text: w.Text}, nil
}

// Object builds the bongsu-receipt.
func (r Receipt) Object() (Object, error) {
	m := r.base(TypeReceipt, statementID(TypeReceipt, "receipt", string(r.Author), r.Feed, utoa(r.Position), r.State))
	m["statement_ref"], m["feed"], m["position"], m["state"] = r.Statement, r.Feed, r.Position, r.State
	set(m, "statement_version", r.Version)
	setTime(m, "at", r.At)
	setTime(m, "statement_committed_at", r.CommittedAt)
	m["ms"] = r.Ms
	set(m, "reason", r.Reason)
	return build(m)
}

// ReadReceipt reads a bongsu-receipt.
func ReadReceipt(o Object) (Receipt, error) {
	var w struct {
		Statement string  `json:"statement_ref"`
		Version   string  `json:"statement_version"`
		Feed      string  `json:"feed"`
		Position  uint64  `json:"position"`
		State     string  `json:"state"`
		At        string  `json:"at"`
		Committed string  `json:"statement_committed_at"`
		Ms        float64 `json:"ms"`
		Reason    string  `json:"reason"`
	}
	err := read(o, TypeReceipt, &w)
	return Receipt{
		Common: common(o), Statement: w.Statement, Version: w.Version, Feed: w.Feed, Position: w.Position,
		State: w.State, At: optTime(w.At), CommittedAt: optTime(w.Committed), Ms: w.Ms, Reason: w.Reason,
	}, err
}

// Object builds the bongsu-agreement.
func (a Agreement) Object() (Object, error) {
	m := a.base(TypeAgreement, randomID(TypeAgreement))
	m["title"], m["party_refs"], m["state"] = a.Title, a.Parties, a.State
	setTime(m, "valid_from", a.From)
	setTime(m, "valid_until", a.To)
	if len(a.Document) > 0 {
		m["document"] = a.Document
	}
	return build(m)
}

// ReadAgreement reads a bongsu-agreement.
func ReadAgreement(o Object) (Agreement, error) {
	var w struct {
		Title    string           `json:"title"`
		Parties  []identity.OrgID `json:"party_refs"`
		State    string           `json:"state"`
		From     string           `json:"valid_from"`
		To       string           `json:"valid_until"`
		Document []byte           `json:"document"`
	}
	err := read(o, TypeAgreement, &w)
	return Agreement{
		Common: common(o), Title: w.Title, Parties: w.Parties, State: w.State,
		From: optTime(w.From), To: optTime(w.To), Document: w.Document,
	}, err
}

// Object builds the bongsu-partner.
func (p Partner) Object() (Object, error) {
	m := p.base(TypePartner, statementID(TypePartner, "partner", string(p.Author), string(p.Org)))
	m["organisation_ref"], m["name"], m["fingerprint"] = p.Org, p.Name, p.Fingerprint
	set(m, "address", p.Address)
	if len(p.Document) > 0 {
		m["document"] = p.Document
	}
	return build(m)
}

// ReadPartner reads a bongsu-partner.
func ReadPartner(o Object) (Partner, error) {
	var w struct {
		Org         identity.OrgID `json:"organisation_ref"`
		Name        string         `json:"name"`
		Fingerprint string         `json:"fingerprint"`
		Address     string         `json:"address"`
		Document    []byte         `json:"document"`
	}
	err := read(o, TypePartner, &w)
	return Partner{Common: common(o), Org: w.Org, Name: w.Name, Fingerprint: w.Fingerprint, Address: w.Address, Document: w.Document}, err
}

// Object builds the bongsu-label-list.
func (l LabelList) Object() (Object, error) {
	m := l.base(TypeLabelList, statementID(TypeLabelList, "label-list", string(l.Author), l.Source))
	m["source"], m["digest"], m["count"] = l.Source, l.Digest, l.Count
	set(m, "name", l.Name)
	setTime(m, "dated", l.Dated)
	return build(m)
}

// ReadLabelList reads a bongsu-label-list.
func ReadLabelList(o Object) (LabelList, error) {
	var w struct {
		Source string `json:"source"`
		Name   string `json:"name"`
		Digest string `json:"digest"`
		Count  int    `json:"count"`
		Dated  string `json:"dated"`
	}
	err := read(o, TypeLabelList, &w)
	return LabelList{Common: common(o), Source: w.Source, Name: w.Name, Digest: w.Digest, Count: w.Count, Dated: optTime(w.Dated)}, err
}

// Object builds the bongsu-erasure.
func (e Erasure) Object() (Object, error) {
	m := e.base(TypeErasure, statementID(TypeErasure, "erasure", string(e.Author), e.Log, utoa(e.Seq), e.Commitment))
	m["statement_ref"], m["log"], m["seq"], m["commitment"], m["reason"] = e.Statement, e.Log, e.Seq, e.Commitment, e.Reason
	return build(m)
}

// ReadErasure reads a bongsu-erasure.
func ReadErasure(o Object) (Erasure, error) {
	var w struct {
		Statement  string `json:"statement_ref"`
		Log        string `json:"log"`
		Seq        uint64 `json:"seq"`
		Commitment string `json:"commitment"`
		Reason     string `json:"reason"`
	}
	err := read(o, TypeErasure, &w)
	return Erasure{Common: common(o), Statement: w.Statement, Log: w.Log, Seq: w.Seq, Commitment: w.Commitment, Reason: w.Reason}, err
}

// Object builds the bongsu-sealed.
func (s Sealed) Object() (Object, error) {
	m := s.base(TypeSealed, randomID(TypeSealed))
	m["recipient_refs"], m["data"] = s.To, s.Data
	return build(m)
}

// ReadSealed reads a bongsu-sealed.
func ReadSealed(o Object) (Sealed, error) {
	var w struct {
		To   []identity.OrgID `json:"recipient_refs"`
		Data []byte           `json:"data"`
	}
	err := read(o, TypeSealed, &w)
	return Sealed{Common: common(o), To: w.To, Data: w.Data}, err
}

// Object builds the note.
func (n Note) Object() (Object, error) {
	m := n.base("note", randomID("note"))
	m["content"], m["object_refs"] = n.Text, n.Of
	return build(m)
}

// ReadNote reads a note.
func ReadNote(o Object) (Note, error) {
	var w struct {
		Text string   `json:"content"`
		Of   []string `json:"object_refs"`
	}
	err := read(o, "note", &w)
	return Note{Common: common(o), Text: w.Text, Of: w.Of}, err
}

// Object builds the identity.
func (g Organisation) Object() (Object, error) {
	m := g.base("identity", randomID("identity"))
	m["name"], m["identity_class"] = g.Name, "organization"
	return build(m)
}

// Object builds the cryptocurrency-wallet.
func (w Wallet) Object() (Object, error) {
	if w.Account.IsZero() {
		return Object{}, errs.New("wallet", errs.Usage, "", "no account is given", "give one")
	}
	m := map[string]any{
		"type": "cryptocurrency-wallet", "spec_version": "2.1", "id": WalletID(w.Account), "value": w.Account.Address(),
		"extensions": map[string]any{
			ExtWallet: map[string]any{"extension_type": "new-sco"},
			ExtChain:  map[string]any{"extension_type": "property-extension", "chain": w.Account.Chain()},
		},
	}
	if w.Marking != TLPNone {
		m["object_marking_refs"] = []string{w.Marking.MarkingID()}
	}
	return build(m)
}
