package stix

import (
	"encoding/hex"
	"strings"
	"time"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/go-json-experiment/json/jsontext"
)

// Paths of the patterns that we write.
const (
	PathWallet = "cryptocurrency-wallet:value"
	PathDomain = "domain-name:value"
	PathSHA256 = "file:hashes.'SHA-256'"
)

// Listing is an indicator that names an account, a domain or a file; exactly
// one of the three is set. Its id is deterministic: author and value.
type Listing struct {
	Common
	Account chain.Account
	Domain  string
	SHA256  string // lower-case hex
	Reason  string
	Since   time.Time // valid_from; zero is Modified
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

// How a link is known.
const (
	Observed = "observed"
	Inferred = "inferred"
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
	Basis       string // Observed or Inferred
	Rule        string // by which rule, when inferred
	Provisional bool
	Since       time.Time // arrival of the oldest lot still there; valid_from; zero is Modified
	First, Last time.Time // zero where they do not apply
	Label       string    // of the service, for exits
	Category    string
	Source      string // of the label
	Reason      string // why not followed, for unfollowed
	Trace       string // digest of the trace, "sha256:..."
}

type listingExt struct {
	ExtensionType string        `json:"extension_type"`
	Account       chain.Account `json:"account,omitzero"`
	Reason        string        `json:"reason,omitempty"`
	Theft         string        `json:"theft_ref,omitempty"`
}

type findingExt struct {
	ExtensionType string        `json:"extension_type"`
	Theft         string        `json:"theft_ref"`
	Place         Place         `json:"place"`
	Account       chain.Account `json:"account"`
	Amount        Amount        `json:"amount,omitzero"`
	Origin        Amount        `json:"origin,omitzero"`
	Basis         string        `json:"basis"`
	Rule          string        `json:"rule,omitempty"`
	Provisional   bool          `json:"provisional"`
	Since         string        `json:"since,omitempty"`
	First         string        `json:"first,omitempty"`
	Last          string        `json:"last,omitempty"`
	Label         string        `json:"label,omitempty"`
	Category      string        `json:"category,omitempty"`
	Source        string        `json:"source,omitempty"`
	Reason        string        `json:"reason,omitempty"`
	Trace         string        `json:"trace,omitempty"`
}

// FindingID is the id under which an author states one finding, run after run.
func FindingID(f Finding) string {
	return statementID("indicator", "finding", string(f.Author), f.Theft, f.Account.String(), string(f.Amount.Asset), string(f.Place))
}

// ListingID is the id under which an author lists one value.
func ListingID(l Listing) string {
	path, value := l.value()
	if !l.Account.IsZero() {
		value = l.Account.String()
	}
	return statementID("indicator", "listing", string(l.Author), path, value)
}

func (l Listing) value() (path, value string) {
	switch {
	case !l.Account.IsZero():
		return PathWallet, l.Account.Address()
	case l.Domain != "":
		return PathDomain, l.Domain
	}
	return PathSHA256, l.SHA256
}

// Object builds the indicator.
func (l Listing) Object() (Object, error) {
	set1 := 0
	for _, given := range []bool{!l.Account.IsZero(), l.Domain != "", l.SHA256 != ""} {
		if given {
			set1++
		}
	}
	if set1 != 1 {
		return Object{}, errs.New("listing", errs.Usage, "", "not exactly one of account, domain and file hash is given", "give one")
	}
	l.Domain, l.SHA256 = strings.ToLower(l.Domain), strings.ToLower(l.SHA256)
	if raw, err := hex.DecodeString(l.SHA256); err != nil || (l.SHA256 != "" && len(raw) != 32) {
		return Object{}, errs.New("listing", errs.Invalid, clip(l.SHA256), "not a SHA-256 in hex", "give 64 hex digits")
	}
	m := l.indicator(ListingID(l), l.Since)
	m["name"] = "Listed: " + l.Reason
	if l.Reason == "" {
		delete(m, "name")
	}
	path, value := l.value()
	m["pattern"] = equality(path, value)
	m["extensions"] = map[string]any{ExtListing: listingExt{"property-extension", l.Account, l.Reason, l.Theft}}
	return build(m)
}

// indicator is the base of an indicator valid from a time on.
func (c Common) indicator(id string, from time.Time) map[string]any {
	m := c.base("indicator", id)
	m["pattern_type"], m["pattern_version"] = "stix", "2.1"
	if from.IsZero() {
		from = c.Modified
	}
	m["valid_from"] = FormatTime(from)
	return m
}

// Object builds the indicator.
func (f Finding) Object() (Object, error) {
	if f.Account.IsZero() {
		return Object{}, errs.New("finding", errs.Usage, "", "no account is given", "give one")
	}
	m := f.indicator(FindingID(f), f.Since)
	m["name"] = "Stolen funds: " + string(f.Place)
	m["pattern"] = equality(PathWallet, f.Account.Address())
	m["extensions"] = map[string]any{ExtFinding: f.ext()}
	return build(m)
}

func (f *Finding) ext() findingExt {
	return findingExt{
		ExtensionType: "property-extension", Theft: f.Theft, Place: f.Place, Account: f.Account,
		Amount: f.Amount, Origin: f.Origin, Basis: f.Basis, Rule: f.Rule, Provisional: f.Provisional,
		Since: exactTime(f.Since), First: exactTime(f.First), Last: exactTime(f.Last),
		Label: f.Label, Category: f.Category, Source: f.Source, Reason: f.Reason, Trace: f.Trace,
	}
}

// indicatorWire is what is read of an indicator.
type indicatorWire struct {
	Name        string                    `json:"name"`
	Description string                    `json:"description"`
	Pattern     string                    `json:"pattern"`
	PatternType string                    `json:"pattern_type"`
	ValidFrom   string                    `json:"valid_from"`
	ValidUntil  string                    `json:"valid_until"`
	Extensions  map[string]jsontext.Value `json:"extensions"`
}

// ReadListing reads an indicator with the listing extension.
func ReadListing(o Object) (Listing, error) {
	var w indicatorWire
	if err := read(o, "indicator", &w); err != nil {
		return Listing{}, err
	}
	return readListing(o, w)
}

func readListing(o Object, w indicatorWire) (Listing, error) {
	var e listingExt
	if err := readExt(o, w.Extensions, ExtListing, &e); err != nil {
		return Listing{}, err
	}
	l := Listing{Common: common(o), Account: e.Account, Reason: e.Reason, Since: optTime(w.ValidFrom), Theft: e.Theft}
	values, err := Equalities(w.Pattern)
	if err != nil {
		return Listing{}, errs.Wrap("listing", o.ID, err)
	}
	bad := errs.New("listing", errs.Invalid, o.ID, "its pattern names something else than its extension", "correct the object at its source")
	if len(values) != 1 {
		return Listing{}, bad
	}
	switch v := values[0]; {
	case v.Path == PathWallet && !e.Account.IsZero() && v.Value == e.Account.Address():
	case v.Path == PathDomain && e.Account.IsZero():
		l.Domain = v.Value
	case v.Path == PathSHA256 && e.Account.IsZero():
		l.SHA256 = v.Value
	default:
		return Listing{}, bad
	}
	return l, nil
}

// ReadFinding reads an indicator with the finding extension.
func ReadFinding(o Object) (Finding, error) {
	var w indicatorWire
	if err := read(o, "indicator", &w); err != nil {
		return Finding{}, err
	}
	return readFinding(o, w)
}

func readFinding(o Object, w indicatorWire) (Finding, error) {
	var e findingExt
	if err := readExt(o, w.Extensions, ExtFinding, &e); err != nil {
		return Finding{}, err
	}
	if values, err := Equalities(w.Pattern); err != nil || len(values) != 1 || values[0] != (Value{PathWallet, e.Account.Address()}) {
		return Finding{}, errs.New("finding", errs.Invalid, o.ID, "its pattern names something else than its extension", "correct the object at its source")
	}
	if err := checkAmounts("finding", o.ID, e.Amount, e.Origin); err != nil {
		return Finding{}, err
	}
	return Finding{
		Common: common(o), Theft: e.Theft, Place: e.Place, Account: e.Account, Amount: e.Amount, Origin: e.Origin,
		Basis: e.Basis, Rule: e.Rule, Provisional: e.Provisional,
		Since: optTime(e.Since), First: optTime(e.First), Last: optTime(e.Last),
		Label: e.Label, Category: e.Category, Source: e.Source, Reason: e.Reason, Trace: e.Trace,
	}, nil
}
