// Package signatures lists the calls and events of EVM chains that say where
// money goes when no transfer does: wrapping of the chain's own coin, bridges
// and mixers. Imports and followers keep the call inputs and logs that it
// knows, in the ledger's sparse column of notes; rules that link transfers read
// them there.
//
// Invariants. The list is fixed data: each entry names its protocol and where
// the signature is written down. An entry with a signature text is that text's
// Keccak-256, which a test recomputes; one without is known by its first four
// bytes alone. A call is told by its input's first four bytes, an event by the
// first four of its first topic: what is kept may be another function or event
// that begins alike, so a rule that reads it checks the contract.
//
// It is not a decoder: what the bytes after a selector mean is the rule's
// business. ERC-20's Transfer is not here, because it is a transfer.
package signatures

import "bytes"

// Role is what a call or event does with money.
type Role uint8

// The roles. Append only.
const (
	Wrap   Role = iota + 1 // the chain's own coin for a token of the same worth, or back
	Bridge                 // money that leaves for another chain, or arrives from one
	Mixer                  // money that joins a pool, or leaves it
)

// String is the role's name.
func (r Role) String() string {
	switch r {
	case Wrap:
		return "wrap"
	case Bridge:
		return "bridge"
	case Mixer:
		return "mixer"
	}
	return "unknown"
}

// Signature is one call, event or memo.
type Signature struct {
	Protocol string
	Name     string  // of the function or event
	Text     string  // its canonical signature; "" where only ID is known
	ID       [4]byte // the first bytes of the signature's Keccak-256
	Role     Role
	Source   string // where it is written down
}

// Call finds the function that an input calls, by its first four bytes.
func Call(selector [4]byte) (Signature, bool) { return find(calls, selector) }

// Event finds the event that a log is of, by the first four bytes of its first
// topic.
func Event(topic [32]byte) (Signature, bool) { return find(events, [4]byte(topic[:4])) }

func find(list []Signature, id [4]byte) (Signature, bool) {
	for i := range list {
		if list[i].ID == id {
			return list[i], true
		}
	}
	return Signature{}, false
}

// KeepCall says whether a call's input is worth keeping, by its first four
// bytes: a known function's, or those of a memo in plain text, as a plain
// payment to a vault of THORChain carries one.
func KeepCall(selector [4]byte) bool {
	if _, known := Call(selector); known {
		return true
	}
	for _, m := range memos {
		if bytes.HasPrefix(selector[:], []byte(m)) {
			return true
		}
	}
	return false
}

// KeepLog says whether a log is worth keeping, by its first topic.
func KeepLog(topic [32]byte) bool {
	_, known := Event(topic)
	return known
}
