package trace

import (
	"bongsu/chain"
	"bongsu/errs"
)

// Method is how taint is shared out when a book holds clean and tainted lots.
type Method string

// The methods.
const (
	FIFO    Method = "fifo"    // first in, first out
	LIFO    Method = "lifo"    // last in, first out
	Haircut Method = "haircut" // by amount
	Poison  Method = "poison"  // any taint taints the whole book
	TIHO    Method = "tiho"    // tainted in, highest out
)

// Methods lists them in a fixed order.
func Methods() []Method { return []Method{FIFO, LIFO, Haircut, Poison, TIHO} }

// ParseMethod reads a method's name; "" is FIFO.
func ParseMethod(s string) (Method, error) {
	if s == "" {
		return FIFO, nil
	}
	for _, m := range Methods() {
		if string(m) == s {
			return m, nil
		}
	}
	return "", errs.New("trace", errs.Usage, s, "not a tracing method", "use fifo, lifo, haircut, poison or tiho")
}

// FeeRule says what becomes of taint that pays a UTXO chain's fee.
type FeeRule string

// The fee rules. On account chains fees always end in the sink.
const (
	FeesSink     FeeRule = "sink"     // it ends in fees
	FeesCoinbase FeeRule = "coinbase" // it goes on through the block's coinbase
)

// ParseFeeRule reads a rule's name; "" is FeesSink.
func ParseFeeRule(s string) (FeeRule, error) {
	switch FeeRule(s) {
	case "", FeesSink:
		return FeesSink, nil
	case FeesCoinbase:
		return FeesCoinbase, nil
	}
	return "", errs.New("trace", errs.Usage, s, "not a fee rule", "use sink or coinbase")
}

// Theft is a list of transfers by which funds were stolen. Its whole amount is
// tainted from the moment of each transfer, at the receiver; the sender's book
// is never opened. On a UTXO chain a transfer names one output: Tx, Ordinal
// (the output's index) and Amount, From the zero account.
type Theft struct {
	ID        string           // the incident's short id; unique in a request
	Title     string           //
	Amounts   []chain.Money    // as stated; empty takes the sum of the transfers
	Transfers []chain.Transfer // in any order
}

// Source makes an account a theft of its own: everything that it sends from
// Since on is stolen. Its own books are never opened; what comes back to it
// rests there. On a UTXO chain it sends what its outputs hold when they are
// spent, less the change of its own payment. The theft's id is the account's
// CAIP-10 text.
type Source struct {
	Account chain.Account
	Since   chain.Time  // zero: from the ledger's start
	Asset   chain.Asset // zero: every asset
}

// Bounds are where following stops. What was not followed is recorded as
// unfollowed with its amounts. The zero bounds nothing.
type Bounds struct {
	MaxDegree int           // sends of an account, up to the moment: transfers, or on a UTXO chain transactions that spend its outputs; 0: no bound
	MinAmount []chain.Money // per asset; a smaller tainted arrival is not followed
	MaxHops   int           // transfers after the theft's own; 0: no bound
	Until     chain.Time    // transfers after it are not read; zero: no bound
}

// Request is what to follow, and how. Its JSON form is part of a stored run.
type Request struct {
	Thefts  []Theft
	Sources []Source
	Method  Method  // "" is FIFO
	Fees    FeeRule // "" is FeesSink
	Bounds  Bounds
	// SkipAside leaves out the search for bait: the result's Aside is empty.
	SkipAside bool

	// Heads bounds the ledger: no block of a chain after the one named is read.
	// A chain without one is read to its end. Replay sets them.
	Heads map[chain.ID]uint64

	ObservedOnly bool // lots that would go on as inferred stay as unfollowed, reason "inferred"

	// Backward asks where money came from: Thefts are then deposits, and the
	// result's holdings, exits and unfollowed are the places that contributed.
	Backward bool

	reading reading // tests choose it
	flows   int     // 0: MaxFlows; tests choose less
	runs    int     // 0: mostRuns; tests choose less
}
