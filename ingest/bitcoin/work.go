package bitcoin

import (
	"bongsu/chain"

	"github.com/holiman/uint256"
)

// target expands the compact form of a target. It reports false for one that is
// negative, zero or beyond 256 bits.
func target(bits uint32) (uint256.Int, bool) {
	var t uint256.Int
	size, mantissa := int(bits>>24), bits&0x007fffff
	if bits&0x00800000 != 0 || mantissa == 0 {
		return t, false
	}
	if size <= 3 {
		t.SetUint64(uint64(mantissa) >> (8 * (3 - size)))
		return t, !t.IsZero()
	}
	if t.SetUint64(uint64(mantissa)); t.BitLen()+8*(size-3) > 256 {
		return uint256.Int{}, false
	}
	t.Lsh(&t, uint(8*(size-3)))
	return t, true
}

// Worked says whether the header's hash meets the target that it states. The
// target itself is the miner's word: the chain's difficulty is not recomputed.
func (h Header) Worked() bool {
	t, ok := target(h.Bits)
	if !ok {
		return false
	}
	var v uint256.Int
	v.SetBytes32(h.Hash[:])
	return !v.Gt(&t)
}

// easier says whether a target is easier than the easiest that a chain allows
// (Bitcoin Core's chainparams.cpp, powLimit): such a block costs nothing to make.
func easier(id chain.ID, bits uint32) bool {
	const usual, ofTests = 0x1d00ffff, 0x207fffff
	limit, _ := target(usual)
	if id == chain.BitcoinRegtest || id == chain.BitcoinSimnet {
		limit, _ = target(ofTests)
	}
	t, ok := target(bits)
	return ok && t.Gt(&limit)
}

// work is the number of hashes that a block stands for on average,
// 2^256/(target+1), computed as nodes do; zero for an invalid target.
func (h Header) work() uint256.Int {
	t, ok := target(h.Bits)
	if !ok {
		return uint256.Int{}
	}
	var not, one, w uint256.Int
	not.Not(&t)
	one.AddUint64(&t, 1)
	w.Div(&not, &one)
	return *w.AddUint64(&w, 1)
}
