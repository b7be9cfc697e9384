package chain

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"math"
	"time"

	"bongsu/errs"

	"github.com/btcsuite/btcd/btcutil/base58"
)

// Time is milliseconds since 1970 UTC; no chain is as old as that, and 0 means
// that the time is not known.
type Time int64

// Std is the same instant as a time.Time in UTC; the zero for an unknown one.
func (t Time) Std() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// String is RFC 3339 in UTC, milliseconds only where there are any; empty for
// an unknown time.
func (t Time) String() string {
	b, _ := t.AppendText(nil) // it never fails
	return string(b)
}

// TimeOf is t cut to milliseconds; the zero is unknown.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// ParseTime reads RFC 3339, also with a space for its T as databases print it
// ("2025-02-21 14:16:11+00"), or "YYYY-MM-DD HH:MM:SS" in UTC.
func ParseTime(s string) (Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04:05 UTC", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07"} {
		if t, err := time.Parse(layout, s); err == nil {
			if y := t.UTC().Year(); y >= 1970 && y < 2200 {
				return TimeOf(t), nil
			}
		}
	}
	return 0, errs.New("time", errs.Invalid, clip(s), "not a time", "write 2025-02-21T14:16:11Z or 2025-02-21 14:16:11 (UTC)")
}

// MarshalText writes String.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what ParseTime reads, and nothing as unknown.
func (t *Time) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = 0
		return nil
	}
	v, err := ParseTime(string(b))
	if err == nil {
		*t = v
	}
	return err
}

// TxID is a transaction's hash or signature: 32 bytes on most chains, 64 on
// Solana. The zero means that the source gave none.
type TxID struct {
	n uint8
	b [64]byte
}

// NewTxID makes an id of 32 or 64 bytes.
func NewTxID(b []byte) (TxID, bool) {
	if len(b) != 32 && len(b) != 64 {
		return TxID{}, false
	}
	t := TxID{n: uint8(len(b))}
	copy(t.b[:], b)
	return t, true
}

// Hash32 is the id of a 32-byte transaction hash.
func Hash32(b [32]byte) TxID {
	t := TxID{n: 32}
	copy(t.b[:], b[:])
	return t
}

// maxSignature is the length of 64 bytes in base58, which takes time by the
// square of the length to decode.
const maxSignature = 88

// ParseTxID reads a transaction id as its chain writes it.
func ParseTxID(s string, id ID) (TxID, error) {
	switch n := len(s); {
	case id == Solana && n <= maxSignature:
		if t, ok := NewTxID(base58.Decode(s)); ok && t.n == 64 {
			return t, nil
		}
	case id != Solana && (n == 64 || n == 66 && (s[:2] == "0x" || s[:2] == "0X")):
		if raw, err := hex.DecodeString(s[n-64:]); err == nil {
			t, _ := NewTxID(raw)
			return t, nil
		}
	}
	return TxID{}, errs.New("transaction", errs.Invalid, clip(s), "not a transaction hash of "+string(id), "copy it whole from its source")
}

// IsZero says whether there is no id.
func (t TxID) IsZero() bool { return t.n == 0 }

// Raw returns the bytes; for bip122 chains in the order in which they are
// printed.
func (t TxID) Raw() []byte { return append([]byte(nil), t.b[:t.n]...) }

// AppendRaw appends the bytes to b.
func (t TxID) AppendRaw(b []byte) []byte { return append(b, t.b[:t.n]...) }

// Compare orders ids by their bytes, the zero first.
func (t TxID) Compare(u TxID) int { return bytes.Compare(t.b[:t.n], u.b[:u.n]) }

// Text is the id as the chain writes it: 0x and hex on eip155, hex on bip122
// and Tron, base58 on Solana; "" for the zero.
func (t TxID) Text(id ID) string {
	switch {
	case t.n == 0:
		return ""
	case t.n == 64:
		return base58.Encode(t.b[:64])
	case id.EVM():
		return "0x" + hex.EncodeToString(t.b[:t.n])
	}
	return hex.EncodeToString(t.b[:t.n])
}

// Kind says how an amount moved. It is part of the on-disk formats: append only.
type Kind uint8

// The kinds, in the order in which they happen inside one transaction.
const (
	KindNone       Kind = iota
	KindFee             // to the fee sink: To is the zero account
	KindNative          // the transaction's own value
	KindInternal        // a call's value inside a transaction
	KindToken           // a token contract's Transfer event
	KindAdjustment      // a balance that changed without a transfer: From or To is the zero account
)

var kindNames = [...]string{"", "fee", "native", "internal", "token", "adjustment"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "?"
}

// ParseKind reads a kind's name.
func ParseKind(s string) (Kind, error) {
	for i, n := range kindNames {
		if i > 0 && n == s {
			return Kind(i), nil
		}
	}
	return 0, errs.New("kind", errs.Invalid, clip(s), "not a kind of transfer", "use native, token, internal, fee or adjustment")
}

// Values of a place that a source does not give.
const (
	NoBlock   uint64 = math.MaxUint64
	NoIndex   uint32 = math.MaxUint32
	NoOrdinal uint32 = math.MaxUint32
)

// Transfer is one movement of one amount of one asset from one account to
// another. Time, Block and Index come from the source, or say that it had none
// (NoBlock, NoIndex); what a reader of a ledger gets has a block, which
// BlockInferred marks when the ledger and not a source supplied it.
type Transfer struct {
	Chain ID
	Time  Time
	Block uint64 // NoBlock when the source gave none
	Index uint32 // the transaction's index in its block, or NoIndex
	Tx    TxID
	Kind  Kind

	// Ordinal orders the movements of one kind inside one transaction: the log
	// index, or the rank of the trace address; NoOrdinal when the source gave
	// none. Row is then the rank of the row among the source's neighbouring
	// rows of the same transaction, the weakest evidence of order.
	Ordinal uint32
	Row     uint32

	// Nth counts equal movements (same chain, transaction, kind, from, to,
	// asset and amount) within the source's whole transaction, from 0.
	Nth uint32

	From, To Account // the zero: minted, burnt, fee sink, coinbase
	Asset    Asset
	Amount   Amount

	BlockInferred bool
}

// SameMovement says whether two rows state the same movement: they agree in
// everything that identifies one. Rows without a transaction id are identified
// by their time instead.
func (t Transfer) SameMovement(u Transfer) bool { return t.CompareIdentity(u) == 0 }

// CompareIdentity orders transfers by what identifies them.
func (t Transfer) CompareIdentity(u Transfer) int {
	if c := cmp.Compare(t.Chain, u.Chain); c != 0 {
		return c
	}
	if c := t.Tx.Compare(u.Tx); c != 0 {
		return c
	}
	if t.Tx.IsZero() {
		if c := cmp.Compare(t.Time, u.Time); c != 0 {
			return c
		}
	}
	return cmp.Or(
		cmp.Compare(t.Kind, u.Kind), t.From.Compare(u.From), t.To.Compare(u.To),
		cmp.Compare(t.Asset, u.Asset), t.Amount.Cmp(u.Amount), cmp.Compare(t.Nth, u.Nth),
	)
}

// Compare is chain order: block, index (none last), transaction (rows without
// an index by time first, which differs only where the block is inferred: an
// earlier payment must not follow a later one by the accident of its hash),
// then within the transaction kind, ordinal (none last), row, and finally content, so that
// the order of two different movements never depends on who imported them when.
// Transfers of different chains compare by time, then chain.
func (t Transfer) Compare(u Transfer) int {
	if t.Chain != u.Chain {
		return cmp.Or(cmp.Compare(t.Time, u.Time), cmp.Compare(t.Chain, u.Chain))
	}
	if c := cmp.Or(cmp.Compare(t.Block, u.Block), cmp.Compare(t.Index, u.Index)); c != 0 {
		return c
	}
	if t.Index == NoIndex {
		if c := cmp.Compare(t.Time, u.Time); c != 0 {
			return c
		}
	}
	return cmp.Or(
		t.Tx.Compare(u.Tx),
		cmp.Compare(t.Kind, u.Kind), cmp.Compare(t.Ordinal, u.Ordinal), cmp.Compare(t.Row, u.Row),
		t.CompareIdentity(u),
	)
}
