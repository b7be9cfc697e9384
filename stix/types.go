package stix

import (
	"time"

	"bongsu/chain"
	"bongsu/identity"
)

// Amount is an amount in JSON: whole units for people, base units for exactness.
type Amount struct {
	Asset  chain.Asset `json:"asset"`  // CAIP-19
	Symbol string      `json:"symbol"` // "ETH"
	Amount string      `json:"amount"` // decimal in whole units, no trailing zeros
	Base   string      `json:"base"`   // integer in base units
}

// NewAmount writes an amount of a known asset.
func NewAmount(info chain.AssetInfo, a chain.Amount) Amount {
	return Amount{Asset: info.Asset, Symbol: info.Symbol, Amount: a.Decimal(info.Decimals), Base: a.Base()}
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

// Theft is an incident with our theft extension.
type Theft struct {
	Common
	Title     string
	Text      string // description, may be empty
	Amounts   []Amount
	Transfers []TheftTransfer
}

// TheftTransfer is one transfer by which funds were stolen.
type TheftTransfer struct {
	Chain  chain.ID      `json:"chain"`
	Tx     string        `json:"tx"` // as the chain writes it
	Time   chain.Time    `json:"time"`
	Block  *uint64       `json:"block,omitempty"` // nil when the source gives none
	From   chain.Account `json:"from,omitzero"`
	To     chain.Account `json:"to,omitzero"`
	Kind   string        `json:"kind"` // chain.Kind's name
	Asset  chain.Asset   `json:"asset"`
	Amount string        `json:"amount"` // base units
}

// Listing is an indicator that names an account, a domain or a file; exactly
// one of the three is set. Its id is deterministic: author and value.
type Listing struct {
	Common
	Account chain.Account
	Domain  string
	SHA256  string // lower-case hex
	Reason  string
	Since   time.Time // valid_from
	Theft   string    // incident id, or ""
}

// Place is where a trace found stolen funds.
type Place string

// The places.
const (
	Holding    Place = "holding"
	Passed     Place = "passed"
	Exit       Place = "exit"
	Incomplete Place = "incomplete"
	Unfollowed Place = "unfollowed"
)

// Finding is an indicator by which a trace says that stolen funds touched an
// account. Its id is deterministic: author, theft, account, asset and place.
type Finding struct {
	Common
	Theft       string // incident id
	Place       Place
	Account     chain.Account
	Amount      Amount
	Origin      Amount // the part of the theft it stands for
	Basis       string // "observed" or "inferred"
	Rule        string // by which rule, when inferred
	Provisional bool
	Since       time.Time // arrival of the oldest lot still there; valid_from
	First, Last time.Time // zero where they do not apply
	Label       string    // of the service, for exits
	Category    string
	Source      string // of the label
	Reason      string // why not followed, for unfollowed
	Trace       string // digest of the trace, "sha256:..."
}

// Run is a trace's run: object type bongsu-trace. Its id is deterministic:
// author, theft and digest.
type Run struct {
	Common
	Theft  string
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

// Note is a note on other objects.
type Note struct {
	Common
	Text string
	Of   []string // object_refs
}

// Wallet is a cryptocurrency-wallet observable; its id follows the community
// extension, over the canonical spelling of the address. The chain stands in an
// extension of ours that does not contribute to the id.
type Wallet struct {
	Account chain.Account
	Marking TLP
}

// Object builds the incident.
func (t Theft) Object() (Object, error) { return build(nil) }

// Object builds the indicator.
func (l Listing) Object() (Object, error) { return build(nil) }

// Object builds the indicator.
func (f Finding) Object() (Object, error) { return build(nil) }

// Object builds the bongsu-trace.
func (r Run) Object() (Object, error) { return build(nil) }

// Object builds the sighting.
func (s Sighting) Object() (Object, error) { return build(nil) }

// Object builds the bongsu-receipt.
func (r Receipt) Object() (Object, error) { return build(nil) }

// Object builds the bongsu-agreement.
func (a Agreement) Object() (Object, error) { return build(nil) }

// Object builds the bongsu-partner.
func (p Partner) Object() (Object, error) { return build(nil) }

// Object builds the bongsu-label-list.
func (l LabelList) Object() (Object, error) { return build(nil) }

// Object builds the note.
func (n Note) Object() (Object, error) { return build(nil) }

// Object builds the cryptocurrency-wallet.
func (w Wallet) Object() (Object, error) { return build(nil) }

// ReadTheft reads what Theft.Object wrote, on any node.
func ReadTheft(o Object) (Theft, error) { _, err := build(nil); return Theft{}, err }

// ReadFinding reads an indicator with the finding extension.
func ReadFinding(o Object) (Finding, error) { _, err := build(nil); return Finding{}, err }

// ReadListing reads an indicator with the listing extension.
func ReadListing(o Object) (Listing, error) { _, err := build(nil); return Listing{}, err }

// ReadRun reads a bongsu-trace.
func ReadRun(o Object) (Run, error) { _, err := build(nil); return Run{}, err }

// ReadSighting reads a sighting.
func ReadSighting(o Object) (Sighting, error) { _, err := build(nil); return Sighting{}, err }

// ReadReceipt reads a bongsu-receipt.
func ReadReceipt(o Object) (Receipt, error) { _, err := build(nil); return Receipt{}, err }

// ReadAgreement reads a bongsu-agreement.
func ReadAgreement(o Object) (Agreement, error) { _, err := build(nil); return Agreement{}, err }

// ReadPartner reads a bongsu-partner.
func ReadPartner(o Object) (Partner, error) { _, err := build(nil); return Partner{}, err }

// ReadLabelList reads a bongsu-label-list.
func ReadLabelList(o Object) (LabelList, error) { _, err := build(nil); return LabelList{}, err }

// ExposureKind tells a value that is named itself from one that stolen funds
// touched.
type ExposureKind string

// The kinds, as screening's reasons call them.
const (
	KindListing  ExposureKind = "listing"
	KindExposure ExposureKind = "exposure"
)

// Exposure is what one indicator says about screened values.
type Exposure struct {
	Kind        ExposureKind
	Accounts    []chain.Account // values that are accounts
	Values      []Value         // other values of the pattern: domains, hashes
	Statement   string          // the indicator's id
	Author      string          // created_by_ref
	Marking     TLP
	Revoked     bool      // takes the earlier version back
	From, Until time.Time // valid_from, valid_until (zero: open)
	Since       time.Time
	Reason      string
	Theft       string
	Place       Place  // for exposures
	Basis       string // "observed" or "inferred"; a listing is observed
	Provisional bool
	Amount      Amount
	Origin      Amount
	Label       string
}

// Value is one equality of a pattern that is no account.
type Value struct {
	Path  string // "domain-name:value", "file:hashes.'SHA-256'"
	Value string
}

// ReadExposure reads an indicator for screening, without looking anything up:
// our listings and findings, and any indicator whose pattern is an equality or
// an OR of equalities. Another indicator gives errs.Invalid; a revoked one
// reads the same with Revoked set. An EVM address without a chain is read on
// chain.Ethereum.
func ReadExposure(o Object) (Exposure, error) { _, err := build(nil); return Exposure{}, err }
