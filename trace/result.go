package trace

import (
	"bongsu/chain"
)

// Amount is the JSON form of money: whole units for people, base units for
// machines.
type Amount struct {
	Asset  chain.Asset  `json:"asset"`
	Symbol string       `json:"symbol"` // "" when nobody registered one
	Amount string       `json:"amount"` // decimal text in whole units, no trailing zeros
	Base   chain.Amount `json:"base"`   // integer text in base units
}

// Basis says how sure a link is: on the ledger, or by a rule.
type Basis string

// The bases.
const (
	Observed Basis = "observed"
	Inferred Basis = "inferred"
)

// Rule names what made a link inferred.
type Rule string

// The rules.
const (
	RuleNone       Rule = ""            // observed
	RuleKnownFirst Rule = "known-first" // a spend beyond the known balance drew the known lots first
	RulePosition   Rule = "position"    // the transfer's block is inferred from its time
	RuleOrder      Rule = "order"       // the order inside one block is inferred, and it mattered
	RuleWithin     Rule = "within"      // that of calls and events inside one transaction is: what paid for an unwrap came before it
)

// Reason says which bound stopped a branch.
type Reason string

// The reasons.
const (
	ReasonDegree   Reason = "degree"   // the account sent more often than the bound
	ReasonFloor    Reason = "floor"    // the tainted amount that arrived is under the floor
	ReasonDepth    Reason = "depth"    // as many hops as the bound
	ReasonTime     Reason = "time"     // the account spent after the end of the trace
	ReasonContract Reason = "contract" // a contract of decentralised finance without a link
	ReasonInferred Reason = "inferred" // only observed links were asked for
)

// Holding is where tainted lots rest.
type Holding struct {
	Account chain.Account `json:"account"`
	Amount
	Origin      *Amount    `json:"origin,omitempty"` // nil with Poison
	Theft       string     `json:"theft"`
	Basis       Basis      `json:"basis"`
	Rule        Rule       `json:"rule,omitempty"` // the weakest that made it inferred
	Provisional bool       `json:"provisional"`    // rests on a block that is not final
	Since       chain.Time `json:"since,omitzero"` // arrival of the oldest lot still there
}

// Exit is tainted money that entered a service.
type Exit struct {
	Account  chain.Account `json:"account"`
	Label    string        `json:"label"`
	Category string        `json:"category"`
	Source   string        `json:"source"` // of the label
	Amount
	Origin      *Amount    `json:"origin,omitempty"`
	Theft       string     `json:"theft"`
	Basis       Basis      `json:"basis"`
	Rule        Rule       `json:"rule,omitempty"`
	Provisional bool       `json:"provisional"`
	First       chain.Time `json:"first,omitzero"`
	Last        chain.Time `json:"last,omitzero"`
}

// Unfollowed is tainted money that our own bounds left where it is.
type Unfollowed struct {
	Account chain.Account `json:"account"`
	Reason  Reason        `json:"reason"`
	Amount
	Origin      *Amount    `json:"origin,omitempty"`
	Theft       string     `json:"theft"`
	Basis       Basis      `json:"basis"`
	Rule        Rule       `json:"rule,omitempty"`
	Provisional bool       `json:"provisional"`
	Since       chain.Time `json:"since,omitzero"`
}

// Incomplete is a book that spent more than the ledger knows it had. The sums
// run over its spends from the first such spend on; Missing carries no taint.
type Incomplete struct {
	Account chain.Account `json:"account"`
	Spent   Amount        `json:"spent"`
	Known   Amount        `json:"known"`
	Missing Amount        `json:"missing"`
}

// Part is a share of a theft that ended outside any account: in fees, in
// adjustments, or collided with an earlier theft.
type Part struct {
	Amount
	Origin *Amount `json:"origin,omitempty"`
	Theft  string  `json:"theft"`
	Basis  Basis   `json:"basis"`
}

// Aside is transfers that were recognised as bait and set aside: they carry no
// taint and name no account that the money touched.
type Aside struct {
	Account chain.Account `json:"account"` // the account they would pull into the trace
	Touched chain.Account `json:"touched"` // the tainted account that they name as the other side
	Reason  AsideReason   `json:"reason"`
	Asset   chain.Asset   `json:"asset"`
	Symbol  string        `json:"symbol"`
	Count   int           `json:"count"`
	First   chain.Time    `json:"first,omitzero"`
	Last    chain.Time    `json:"last,omitzero"`
	Like    string        `json:"like,omitempty"` // the genuine account or asset that it imitates
}

// AsideReason says why transfers were set aside.
type AsideReason string

// The reasons for setting aside.
const (
	AsideZero     AsideReason = "zero-value"
	AsideFake     AsideReason = "fake-token" // the symbol of a registered asset on a foreign contract
	AsideLookLike AsideReason = "look-alike" // worthless, to or from an address made to look like a genuine one
	AsideDust     AsideReason = "dust"
)

// Range is what part of a chain's ledger the trace read.
type Range struct {
	Chain  chain.ID `json:"chain"`
	From   uint64   `json:"from"`
	To     uint64   `json:"to"`
	Gaps   int      `json:"gaps"`   // block ranges inside that the ledger lacks
	Digest string   `json:"digest"` // "sha256:..." of the transfers read, in order, and of the range
}

// Result is the contract's "trace" object. Every array is sorted by account,
// asset, theft, then its further keys, and is never null.
type Result struct {
	Method      Method       `json:"method"`
	Accounts    int          `json:"accounts"`  // that received taint
	Transfers   int          `json:"transfers"` // that carried it, the theft's own included
	Holdings    []Holding    `json:"holdings"`
	Exits       []Exit       `json:"exits"`
	Unfollowed  []Unfollowed `json:"unfollowed"`
	Incomplete  []Incomplete `json:"incomplete"`
	Fees        []Part       `json:"fees"`
	Adjustments []Part       `json:"adjustments"`
	Collided    []Part       `json:"collided"`
	Turned      []Amount     `json:"turned"` // clean money tainted by mixing (Poison only)
	Aside       []Aside      `json:"aside"`
	Ledger      []Range      `json:"ledger"`
	Labels      []string     `json:"labels"`          // digests of the lists, sorted
	Links       []string     `json:"links,omitempty"` // digest of the list of links, where one took part in what was read
	Conserved   bool         `json:"conserved"`
	Digest      string       `json:"digest"` // see Result.Seal
	ElapsedMS   float64      `json:"elapsed_ms"`
}

// Flow is one transfer's taint of one theft, stolen asset and basis.
type Flow struct {
	Theft       string        `json:"theft"`
	From        chain.Account `json:"from,omitzero"` // the zero: mint, coinbase
	To          chain.Account `json:"to,omitzero"`   // the zero: fees, burnt
	Asset       chain.Asset   `json:"asset"`
	Amount      chain.Amount  `json:"amount"` // base units
	OriginAsset chain.Asset   `json:"origin_asset,omitempty"`
	Origin      chain.Amount  `json:"origin"`
	Total       chain.Amount  `json:"total"` // the whole transfer, clean part included
	Tx          string        `json:"tx"`
	Time        chain.Time    `json:"time,omitzero"`
	Block       uint64        `json:"block"`
	Kind        string        `json:"kind"`
	Ordinal     *uint32       `json:"ordinal,omitempty"` // as in chain.Transfer; nil when no source gave one
	Basis       Basis         `json:"basis"`
	Rule        Rule          `json:"rule,omitempty"`
	Link        Link          `json:"link,omitempty"` // of a movement from From to From that changed the asset, and at Via
	Via         chain.Account `json:"via,omitzero"`   // the contract that did it
	Hop         int           `json:"hop"`            // 0 for the theft's own transfers; a link adds none
	Parents     []int         `json:"parents"`        // indexes of the flows that brought the lots it was drawn from; none for the theft's own
}

// Run is a whole trace on record: what was asked, what came out, and the flows
// between. Encode writes it down; a run replayed on the same ledger gives the
// same bytes.
type Run struct {
	Version int     // of the written form, FORMAT.md
	Request Request // as normalised
	Stolen  []Part  // per theft and asset: what the sums are checked against
	Result  Result
	Flows   []Flow // in chain order; poison's theft by theft
	Read    uint64 // transfers read: those of the books that were open
	Lots    []Lot  // what lies in books at the end, lot by lot
	Assets  []Asset
	Finals  map[chain.ID]uint64 // last final block, when it was traced, of each chain followed live
}

// Lot is a part of a holding and the flow that brought it.
type Lot struct {
	Account chain.Account `json:"account"`
	Asset   chain.Asset   `json:"asset"`
	Theft   string        `json:"theft"`
	Amount  chain.Amount  `json:"amount"` // base units
	Flow    int           `json:"flow"`   // index into Flows; with haircut the first of those that share the lot
}

// Asset is what a run knows of an asset that its amounts are in.
type Asset struct {
	Asset    chain.Asset `json:"asset"`
	Symbol   string      `json:"symbol"`
	Decimals uint8       `json:"decimals"`
	Known    bool        `json:"known"` // false: amounts are written in base units
}

// Amount writes base units of one of the run's assets.
func (r *Run) Amount(asset chain.Asset, base chain.Amount) Amount {
	for _, a := range r.Assets {
		if a.Asset == asset {
			return Amount{Asset: asset, Symbol: a.Symbol, Amount: base.Decimal(a.Decimals), Base: base}
		}
	}
	return Amount{Asset: asset, Amount: base.Base(), Base: base}
}
