package screen

import (
	"crypto/sha256"

	"bongsu/chain"
)

// Key is what a value is looked up by: 32 bytes, the same for every spelling.
// Byte 0 is the tag. With the top bit of the tag clear, byte 1 is a length and
// the canonical bytes follow, padded with zeros; with it set, 31 bytes of
// SHA-256(tag || canonical bytes) follow. The zero is no key.
type Key [32]byte

const (
	tagEVM    = 1 // 20 bytes; no chain, so that all EVM chains meet
	tagOther  = 2 // form, network, raw
	tagDomain = 3
	tagEmail  = 4
	tagHash   = 5
	tagIP     = 6
	tagText   = 7

	keyInline = 30
	keyHashed = 0x80
)

func makeKey(tag byte, data []byte) Key {
	var k Key
	if len(data) <= keyInline {
		k[0], k[1] = tag, byte(len(data))
		copy(k[2:], data)
		return k
	}
	h := sha256.New()
	h.Write([]byte{tag})
	h.Write(data)
	var sum [32]byte
	h.Sum(sum[:0])
	k[0] = tag | keyHashed
	copy(k[1:], sum[:31])
	return k
}

func textKey(text string) Key { return makeKey(tagText, []byte(text)) }

func accountKey(a chain.Account) Key {
	var buf [128]byte
	if a.Form() == chain.FormEVM {
		return makeKey(tagEVM, a.AppendRaw(buf[:0]))
	}
	b := append(buf[:0], byte(a.Form()), network(a))
	if b[1] == netNamed {
		b = append(append(b, a.Chain()...), 0)
	}
	return makeKey(tagOther, a.AppendRaw(b))
}

const netNamed = 0xff

// network groups chains whose addresses look the same: a testnet and a regtest
// address in base58 cannot be told apart, so they share a key.
func network(a chain.Account) byte {
	switch a.Chain() {
	case chain.Bitcoin:
		return 1
	case chain.BitcoinTest:
		return 2
	case chain.BitcoinRegtest:
		if f := a.Form(); f == chain.FormP2PKH || f == chain.FormP2SH {
			return 2
		}
		return 3
	case chain.BitcoinSimnet:
		return 4
	case chain.Tron:
		return 5
	case chain.Solana:
		return 6
	}
	return netNamed
}
