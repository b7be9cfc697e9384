// Package graph lays the money of one theft out as a picture that is the same
// every time: accounts from left to right by hops or by time, what moved
// between them as lines.
//
// Invariants: the result depends on the set of accounts and flows given, never
// on their order; no two nodes overlap; by time, a node that was reached later
// never stands further left; every sum shown is exact. A layout of more than
// MaxNodes accounts is aggregated by (parent, kind) and says so.
//
// It draws nothing, follows nothing and knows no journal: package trace decides
// what is tainted, the pages draw.
package graph

import "bongsu/chain"

// Limits.
const (
	// MaxNodes is the number of accounts that are shown one by one; with more,
	// the small ones are put together.
	MaxNodes = 2000
	// MaxTxs is the number of transactions that an edge names; Count has all.
	MaxTxs = 20
)

// Axis is what x means.
type Axis string

// The axes.
const (
	ByTime Axis = "time"
	ByHops Axis = "hops"
)

// ParseAxis reads an axis; anything but "hops" is ByTime, the default.
func ParseAxis(s string) Axis {
	if s == string(ByHops) {
		return ByHops
	}
	return ByTime
}

// Kind is what an account is in a theft. It decides shape and colour.
type Kind string

// The kinds.
const (
	Source     Kind = "source"     // the money was stolen from here
	Passed     Kind = "passed"     // it went through and is gone
	Holding    Kind = "holding"    // it rests here
	Exchange   Kind = "exchange"   // an exit: a service that can be asked
	Mixer      Kind = "mixer"      // an exit into a mixing service
	Bridge     Kind = "bridge"     // an exit to another chain
	Unfollowed Kind = "unfollowed" // our own bounds stopped here
	Incomplete Kind = "incomplete" // spends rest on what the ledger lacks
	Aside      Kind = "aside"      // set aside by an analyst
)

// Input is what is drawn. The zero gives an empty graph.
type Input struct {
	// Sources are the accounts that the theft's transfers leave from.
	Sources []chain.Account
	// Accounts says what is known of accounts. One that only Flows names
	// counts as Passed (or Source); one given twice is summed, and of two
	// kinds the one further down the list of kinds above stays.
	Accounts []Account
	// Flows are the tainted movements, one a transfer or link, the theft's own
	// included. Flows of one (from, to, basis) become one edge.
	Flows []Flow
	// Assets knows symbols and decimals. An asset that it lacks is shown in
	// base units under its CAIP-19 name.
	Assets *chain.Registry
}

// Account is what is known of one account.
type Account struct {
	Account     chain.Account
	Kind        Kind
	Label       string        // the deciding label: "Binance 14"; empty when none
	LabelSource string        // who says so
	Amounts     []chain.Money // stolen funds that rest or ended here
	Origin      []chain.Money // the part of the theft they stand for
	Since       chain.Time    // arrival of the oldest lot still here; 0 unknown
}

// Flow is one tainted movement.
type Flow struct {
	From, To chain.Account
	Money    chain.Money
	Tx       string // as the chain writes it; empty when the source gave none
	Time     chain.Time
	Inferred bool   // by a rule rather than seen on the ledger
	Rule     string // the rule, when inferred
}

// Graph is the picture, ready for JSON. Lengths are in units of one row: nodes
// of one column are at least 1 apart. X grows to the right, Y downwards; both
// start at 0. A page may stretch X or Y, never squeeze one, without making nodes
// overlap. Node order and edge order are fixed (by id).
type Graph struct {
	Axis       Axis    `json:"axis"`
	From       string  `json:"from,omitempty"` // RFC 3339, first movement
	To         string  `json:"to,omitempty"`   // last movement
	Width      float64 `json:"width"`
	Height     float64 `json:"height"`
	Accounts   int     `json:"accounts"`   // before aggregation
	Aggregated bool    `json:"aggregated"` // some nodes stand for several accounts
	Nodes      []Node  `json:"nodes"`
	Edges      []Edge  `json:"edges"`
	Ticks      []Tick  `json:"ticks"`
	Fans       []Fan   `json:"fans"`
}

// Node is an account, or Members of them.
type Node struct {
	ID          string   `json:"id"`    // CAIP-10, or "group:..." for several
	Short       string   `json:"short"` // the address shortened in the middle
	Label       string   `json:"label,omitempty"`
	LabelSource string   `json:"label_source,omitempty"`
	Kind        Kind     `json:"kind"`
	X           float64  `json:"x"`
	Y           float64  `json:"y"`
	Size        float64  `json:"size"` // radius, by the logarithm of what rests here
	Hop         int      `json:"hop"`
	Loose       bool     `json:"loose,omitempty"` // no movement touches it here: how far it is from a source is not known
	Amounts     []Amount `json:"amounts"`
	Origin      []Amount `json:"origin"`
	Since       string   `json:"since,omitempty"`
	First       string   `json:"first,omitempty"`     // first tainted arrival
	Lookalike   []string `json:"lookalike,omitempty"` // other accounts here that a glance confuses with this one
	Members     int      `json:"members"`             // accounts it stands for, 1 as a rule
	Sample      []string `json:"sample,omitempty"`    // the first few of several
}

// Edge is everything that moved from one node to another on one basis.
type Edge struct {
	ID      string   `json:"id"`
	From    string   `json:"from"`
	To      string   `json:"to"`
	Amounts []Amount `json:"amounts"` // summed by asset
	Count   int      `json:"count"`   // movements
	First   string   `json:"first,omitempty"`
	Last    string   `json:"last,omitempty"`
	Txs     []string `json:"txs"`
	Basis   string   `json:"basis"` // observed, inferred
	Rule    string   `json:"rule,omitempty"`
	Width   float64  `json:"width"` // 1 to 6, by the logarithm of the amount
}

// Tick is a mark of the axis: a time, or a number of hops.
type Tick struct {
	X     float64 `json:"x"`
	Time  string  `json:"time,omitempty"`
	Hop   int     `json:"hop,omitempty"`
	Break bool    `json:"break,omitempty"` // idle time before it was cut short
}

// Fan is one account that sent the same amount to many: the page writes
// "40 x 10,000 ETH" once instead of forty times.
type Fan struct {
	From   string   `json:"from"`
	Nodes  []string `json:"nodes"`
	Amount Amount   `json:"amount"` // each
	First  string   `json:"first,omitempty"`
	Last   string   `json:"last,omitempty"`
}

// Amount is an amount as the API writes it: decimal text in whole units, and
// base units.
type Amount struct {
	Asset  string `json:"asset"`
	Symbol string `json:"symbol"`
	Amount string `json:"amount"`
	Base   string `json:"base"`
}

// Layout places accounts and flows along an axis.
func Layout(in Input, axis Axis) Graph {
	b := collect(in)
	b.aggregate()
	if axis == ByHops {
		b.placeByHops()
	} else {
		axis = ByTime
		b.placeByTime()
	}
	return b.graph(axis)
}
