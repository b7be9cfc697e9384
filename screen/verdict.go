package screen

import (
	"time"

	"bongsu/chain"
	"bongsu/errs"
)

// Verdict is what screening answers, in rising order of severity, apart from
// Invalid. It is written as its lower-case name.
type Verdict uint8

// The verdicts. Append only: they cross the wire by name.
const (
	Clear   Verdict = iota // nothing is known against the value
	Watch                  // let it pass and look at it
	Hold                   // do not let it pass before a person decided
	Block                  // do not let it pass
	Invalid                // the value could not be read: nothing is known, and that is not Clear
)

var verdictNames = [...]string{"clear", "watch", "hold", "block", "invalid"}

// String is the verdict's name on the wire.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return verdictNames[Invalid]
}

// MarshalText writes String.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a name that String wrote.
func (v *Verdict) UnmarshalText(b []byte) error {
	for i, n := range verdictNames {
		if n == string(b) {
			*v = Verdict(i)
			return nil
		}
	}
	return errs.New("verdict", errs.Invalid, string(b), "not a verdict", "write clear, watch, hold, block or invalid")
}

// Kinds of a reason.
const (
	Listing  = "listing"  // somebody named the value itself
	Exposure = "exposure" // stolen funds touched it
)

// Places of an exposure: where a trace found the funds (see stix, the finding
// extension).
const (
	PlaceHolding    = "holding"
	PlacePassed     = "passed"
	PlaceExit       = "exit"
	PlaceIncomplete = "incomplete"
	PlaceUnfollowed = "unfollowed"
)

// The two bases of an exposure.
const (
	Observed = "observed"
	Inferred = "inferred"
)

// Money is an amount as JSON carries it: the asset by CAIP-19, a decimal
// string in whole units without trailing zeros, and the integer of base units.
type Money struct {
	Asset  chain.Asset `json:"asset"`
	Symbol string      `json:"symbol,omitempty"`
	Amount string      `json:"amount"`
	Base   string      `json:"base"`
}

// Reason is one thing the journal says about a value.
type Reason struct {
	Statement   string    `json:"statement"`             // STIX id of the indicator
	Author      string    `json:"author"`                // STIX identity id of who said so
	AuthorName  string    `json:"author_name,omitempty"` // as that identity names itself
	Marking     string    `json:"marking"`               // "TLP:AMBER"
	Since       time.Time `json:"since"`                 // the moment from which it counts, UTC
	Kind        string    `json:"kind"`                  // Listing or Exposure
	Verdict     Verdict   `json:"verdict"`               // what this reason alone leads to
	Theft       string    `json:"theft,omitempty"`       // STIX id of the theft of an exposure
	Place       string    `json:"place,omitempty"`       // of an exposure
	Account     string    `json:"account,omitempty"`     // CAIP-10 account named, where one was
	Amount      *Money    `json:"amount,omitempty"`      // what lies, left or passed there
	Origin      *Money    `json:"origin,omitempty"`      // the part of the theft it stands for
	Label       string    `json:"label,omitempty"`       // of the service, at an exit
	Basis       string    `json:"basis,omitempty"`       // Observed or Inferred, of an exposure
	Rule        string    `json:"rule,omitempty"`        // the link rule of an inferred exposure
	Provisional bool      `json:"provisional,omitempty"` // rests on blocks that are not final
	Text        string    `json:"text,omitempty"`        // the author's own words
	Until       time.Time `json:"until,omitzero"`        // the moment from which it no longer counts
}

// MaxReasons is how many reasons an answer shows: however often somebody names
// one value, screening it stays cheap and its answer short.
const MaxReasons = 32

// Result is the answer for one value.
type Result struct {
	Value   string      `json:"value"`           // as it was asked
	ReadAs  string      `json:"read_as"`         // canonical text (CAIP-10 of an account), or "invalid"
	Type    Type        `json:"type,omitempty"`  // what it was read as; empty when Invalid
	Verdict Verdict     `json:"verdict"`         // the most severe of the reasons', Clear without any
	Reasons []Reason    `json:"reasons"`         // most severe first; never nil
	More    int         `json:"more,omitempty"`  // reasons beyond MaxReasons, which count in the verdict all the same
	Error   *Unreadable `json:"error,omitempty"` // why the value is Invalid
}

// Unreadable says what is wrong with a value, and what to do.
type Unreadable struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}
