package ethereum

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/ledger"
)

// The values of JSON-RPC (execution-apis, "Hex value encoding"): a quantity is
// the shortest hexadecimal of a number, data is two digits a byte.

var (
	errQuantity = errors.New("not a quantity: 0x and hexadecimal digits")
	errData     = errors.New("not data: 0x and two hexadecimal digits a byte")
	errLength   = errors.New("data of another length")
)

// quantity is a number below 2^64.
type quantity uint64

func (q *quantity) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	v, err := strconv.ParseUint(digits, 16, 64)
	if !ok || err != nil || digits[0] == '+' {
		return errQuantity
	}
	*q = quantity(v)
	return nil
}

func (q quantity) MarshalText() ([]byte, error) {
	return []byte("0x" + strconv.FormatUint(uint64(q), 16)), nil
}

// amount is a number below 2^256.
type amount struct{ chain.Amount }

func (a *amount) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	if !ok || digits == "" || len(digits) > 64 {
		return errQuantity
	}
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return errQuantity
	}
	a.Amount, _ = chain.AmountFromBytes(raw)
	return nil
}

func (a amount) MarshalText() ([]byte, error) {
	b := a.Bytes32()
	digits := strings.TrimLeft(hex.EncodeToString(b[:]), "0")
	if digits == "" {
		digits = "0"
	}
	return []byte("0x" + digits), nil
}

// data is bytes of any length.
type data []byte

func (d *data) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	if !ok {
		return errData
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return errData
	}
	*d = raw
	return nil
}

func (d data) MarshalText() ([]byte, error) { return []byte("0x" + hex.EncodeToString(d)), nil }

func fixed(dst, text []byte) error {
	if len(text) != 2+2*len(dst) || text[0] != '0' || text[1] != 'x' {
		return errLength
	}
	if _, err := hex.Decode(dst, text[2:]); err != nil {
		return errData
	}
	return nil
}

// hash is 32 bytes.
type hash ledger.Hash

func (h *hash) UnmarshalText(b []byte) error { return fixed(h[:], b) }

func (h hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

func (h hash) tx() chain.TxID {
	id, _ := chain.NewTxID(h[:])
	return id
}

// address is 20 bytes.
type address [20]byte

func (a *address) UnmarshalText(b []byte) error { return fixed(a[:], b) }

func (a address) MarshalText() ([]byte, error) { return []byte("0x" + hex.EncodeToString(a[:])), nil }
