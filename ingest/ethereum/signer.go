package ethereum

import (
	"bongsu/chain"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// signer recovers the account that signed a transaction: the sender is in no
// hash, so that only the signature says who it is. ok is false where there is
// no valid signature, or the type's encoding is not known here.
func (t *transaction) signer() (a address, ok bool) {
	v, fits := t.parity().Uint64()
	kind := t.kind()
	if !fits || kind > typeSetCode {
		return a, false
	}
	body := t.body()
	prefix := []byte{byte(kind)}
	if kind == typeLegacy {
		prefix = nil
		switch {
		case v >= 35: // EIP-155: the chain is in v, and was signed
			body = rlpUint(rlpUint(rlpUint(body, (v-35)/2), 0), 0)
			v = (v - 35) % 2
		case v == 27 || v == 28:
			v -= 27
		default:
			return a, false
		}
	}
	if v > 1 {
		return a, false
	}
	signed := keccak(rlpList(prefix, body))
	return recovered(signed, byte(v), t.R.Amount, t.S.Amount)
}

// recovered is the address of the key that signed a hash (Yellow Paper,
// appendix F).
func recovered(signed hash, parity byte, r, s chain.Amount) (a address, ok bool) {
	var compact [65]byte
	compact[0] = 27 + parity // of a key that is not compressed
	rb, sb := r.Bytes32(), s.Bytes32()
	copy(compact[1:], rb[:])
	copy(compact[33:], sb[:])
	key, _, err := ecdsa.RecoverCompact(compact[:], signed[:])
	if err != nil {
		return a, false
	}
	sum := keccak(key.SerializeUncompressed()[1:])
	return address(sum[12:]), true
}
