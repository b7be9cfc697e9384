package chain

import (
	"encoding/binary"
	"math/bits"
)

// IdentityHash is a 64-bit hash of everything that identifies the movement
// except Nth (see SameMovement). With a seed that the writer of the rows cannot
// know, it cannot be made to collide on purpose. It is no digest: it is not
// stable between versions and proves nothing.
func (t *Transfer) IdentityHash(seed uint64) uint64 {
	h := seed ^ uint64(t.Kind)<<56
	if t.Tx.n == 0 {
		h = mix(h^uint64(t.Time), 0x9e3779b97f4a7c15)
	}
	for i := 0; i < int(t.Tx.n); i += 16 {
		h = mix(h^binary.LittleEndian.Uint64(t.Tx.b[i:]), binary.LittleEndian.Uint64(t.Tx.b[i+8:])^0xa0761d6478bd642f)
	}
	h = t.From.hash(h)
	h = t.To.hash(h)
	w := t.Amount.u
	h = mix(h^w[0], w[1]^0xe7037ed1a0b428db)
	if w[2]|w[3] != 0 {
		h = mix(h^w[2], w[3]^0x8ebc6af09c88c6e3)
	}
	h = hashText(h, string(t.Asset))
	if t.Asset == "" {
		h = hashText(h, string(t.Chain))
	}
	return h
}

func (a *Account) hash(h uint64) uint64 {
	// Also for no account, so that a mint and a burn differ.
	h = mix(h^uint64(a.form)<<8^uint64(a.n), 0x94d049bb133111eb)
	for i := 0; i < int(a.n); i += 16 {
		h = mix(h^tail(a.raw[i:]), tail(a.raw[min(i+8, maxRaw):])^0x589965cc75374cc3)
	}
	return h
}

// tail reads up to eight bytes; the arrays behind it are zero after their end.
func tail(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var v uint64
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return v
}

func hashText(h uint64, s string) uint64 {
	h ^= uint64(len(s))
	for len(s) >= 8 {
		v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = mix(h^v, 0x1d8e4e27c47d124f)
		s = s[8:]
	}
	var v uint64
	for i := range len(s) {
		v |= uint64(s[i]) << (8 * i)
	}
	return mix(h^v, 0xeb44accab455d165)
}

// mix folds the 128-bit product, as wyhash does.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo ^ a
}
