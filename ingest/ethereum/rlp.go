package ethereum

import (
	"encoding/binary"

	"bongsu/chain"

	"golang.org/x/crypto/sha3"
)

// The part of RLP (Ethereum Yellow Paper, appendix B) that writes.

// rlpBytes appends a byte string.
func rlpBytes(out, b []byte) []byte {
	if len(b) == 1 && b[0] < 0x80 {
		return append(out, b[0])
	}
	return append(rlpHead(out, 0x80, len(b)), b...)
}

// rlpUint appends a number, without leading zeros.
func rlpUint(out []byte, v uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	return rlpBytes(out, trim(b[:]))
}

func rlpAmount(out []byte, a chain.Amount) []byte {
	b := a.Bytes32()
	return rlpBytes(out, trim(b[:]))
}

// rlpList appends a list whose items are encoded in body.
func rlpList(out, body []byte) []byte {
	return append(rlpHead(out, 0xc0, len(body)), body...)
}

func rlpHead(out []byte, base byte, n int) []byte {
	if n < 56 {
		return append(out, base+byte(n))
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	size := trim(b[:])
	return append(append(out, base+55+byte(len(size))), size...)
}

func trim(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

func keccak(parts ...[]byte) (sum hash) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
