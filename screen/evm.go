package screen

import (
	"hash"
	"io"
	"sync"

	"bongsu/chain"

	"golang.org/x/crypto/sha3"
)

// EVM addresses are nearly everything that is screened, so they are read here
// without garbage; package chain reads the same texts with the same outcome,
// and a test holds the two to each other.

const (
	evmPrefix = string(chain.Ethereum) + ":"
	evmDigits = 40
	evmText   = 2 + evmDigits
)

// evm is a bare EVM address in lower case.
type evm [evmText]byte

// readEVM reads 0x and 40 hexadecimal digits, all lower, all upper, or in the
// case of their EIP-55 checksum. ok is false for anything else, which says
// nothing about what it is.
func readEVM(s string) (a evm, k Key, ok bool) {
	if len(s) != evmText || s[0] != '0' || s[1]|0x20 != 'x' {
		return a, k, false
	}
	k = Key{0: tagEVM, 1: 20}
	var upper, lower bool
	for i := range 20 {
		c, d := s[2+2*i], s[3+2*i]
		hi, lo := hexDigit[c], hexDigit[d]
		if hi|lo > 15 {
			return a, k, false
		}
		upper = upper || c-'A' < 6 || d-'A' < 6
		lower = lower || c-'a' < 6 || d-'a' < 6
		k[2+i] = hi<<4 | lo
		a[2+2*i], a[3+2*i] = "0123456789abcdef"[hi], "0123456789abcdef"[lo]
	}
	a[0], a[1] = '0', 'x'
	return a, k, !upper || !lower || s[1] == 'x' && a.checksummed(s)
}

// checksummed says whether s, the same address, has the case that EIP-55
// gives: a letter is upper case where the digit of the hash is 8 or more.
func (a *evm) checksummed(s string) bool {
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	h.Reset()
	h.in = [evmDigits]byte(a[2:])
	h.Write(h.in[:])
	if _, err := h.Read(h.out[:]); err != nil {
		return false
	}
	for i := range evmDigits {
		digit := h.out[i/2] >> 4
		if i%2 == 1 {
			digit = h.out[i/2] & 15
		}
		if c := a[2+i]; c >= 'a' && (s[2+i] != c) != (digit >= 8) {
			return false
		}
	}
	return true
}

// hasher is a Keccak-256 with its input and output, so that neither is
// allocated anew; reading it, unlike Sum, copies no state.
type hasher struct {
	keccak
	in  [evmDigits]byte
	out [32]byte
}

type keccak interface {
	hash.Hash
	io.Reader
}

var hashers = sync.Pool{New: func() any { return &hasher{keccak: sha3.NewLegacyKeccak256().(keccak)} }}

var hexDigit = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range byte(16) {
		t["0123456789abcdef"[i]], t["0123456789ABCDEF"[i]] = i, i
	}
	return t
}()
