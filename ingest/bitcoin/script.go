package bitcoin

import (
	"crypto/sha256"

	"bongsu/chain"

	"golang.org/x/crypto/ripemd160" //lint:ignore SA1019 Bitcoin's addresses are defined by it
)

// ScriptType is the shape of an output script.
type ScriptType uint8

// The shapes. A script of any other shape is Nonstandard.
const (
	Nonstandard    ScriptType = iota
	P2PK                      // a public key and CHECKSIG
	P2PKH                     // a public key's hash
	P2SH                      // a script's hash (BIP 16)
	Multisig                  // m of n public keys, bare
	P2WPKH                    // witness version 0, 20 bytes (BIP 141)
	P2WSH                     // witness version 0, 32 bytes (BIP 141)
	P2TR                      // witness version 1, 32 bytes (BIP 341)
	P2A                       // witness version 1, the bytes 4e73: pay to anchor
	UnknownWitness            // a later witness version, or another length
	NullData                  // OP_RETURN: never spent, carries data
)

var scriptTypes = [...]string{
	"nonstandard", "pubkey", "pubkeyhash", "scripthash", "multisig", "witness_v0_keyhash",
	"witness_v0_scripthash", "witness_v1_taproot", "anchor", "witness_unknown", "nulldata",
}

// String is the name that Bitcoin Core's JSON uses.
func (t ScriptType) String() string {
	if int(t) < len(scriptTypes) {
		return scriptTypes[t]
	}
	return scriptTypes[Nonstandard]
}

// The opcodes that the shapes are made of.
const (
	op0             = 0x00
	op1             = 0x51
	op16            = 0x60
	opReturn        = 0x6a
	opDup           = 0x76
	opEqual         = 0x87
	opEqualVerify   = 0x88
	opHash160       = 0xa9
	opCheckSig      = 0xac
	opCheckMultisig = 0xae
)

// Classify says which shape an output script has and which account it pays. A
// bare public key pays the P2PKH account of that key; a script without an
// address, OP_RETURN included, pays the account of its own SHA-256.
func Classify(id chain.ID, script []byte) (chain.Account, ScriptType) {
	form, raw, kind := shape(script)
	if form == chain.FormNone {
		sum := sha256.Sum256(script)
		form, raw = chain.FormScript, sum[:]
	}
	a, _ := chain.NewAccount(id, form, raw)
	return a, kind
}

func shape(s []byte) (chain.Form, []byte, ScriptType) {
	n := len(s)
	switch {
	case n == 25 && s[0] == opDup && s[1] == opHash160 && s[2] == 20 && s[23] == opEqualVerify && s[24] == opCheckSig:
		return chain.FormP2PKH, s[3:23], P2PKH
	case n == 23 && s[0] == opHash160 && s[1] == 20 && s[22] == opEqual:
		return chain.FormP2SH, s[2:22], P2SH
	case n >= 4 && n <= 42 && (s[0] == op0 || s[0] >= op1 && s[0] <= op16) && int(s[1]) == n-2:
		return witnessShape(s)
	case n > 0 && s[0] == opReturn:
		return chain.FormNone, nil, NullData
	}
	if key := bareKey(s); key != nil {
		return chain.FormP2PKH, hash160(key), P2PK
	}
	if bareMultisig(s) {
		return chain.FormNone, nil, Multisig
	}
	return chain.FormNone, nil, Nonstandard
}

func witnessShape(s []byte) (chain.Form, []byte, ScriptType) {
	version, program := byte(0), s[2:]
	if s[0] != op0 {
		version = s[0] - op1 + 1
	}
	kind := UnknownWitness
	switch {
	case version == 0 && len(program) == 20:
		kind = P2WPKH
	case version == 0 && len(program) == 32:
		kind = P2WSH
	case version == 0: // no address form: such an output cannot be spent (BIP 141)
		return chain.FormNone, nil, Nonstandard
	case version == 1 && len(program) == 32:
		kind = P2TR
	case version == 1 && string(program) == "\x4e\x73":
		kind = P2A
	}
	return chain.FormWitness, append([]byte{version}, program...), kind
}

// bareKey returns the public key of a P2PK script, or nil.
func bareKey(s []byte) []byte {
	switch {
	case len(s) == 35 && s[0] == 33 && s[34] == opCheckSig && publicKey(s[1:34]):
		return s[1:34]
	case len(s) == 67 && s[0] == 65 && s[66] == opCheckSig && publicKey(s[1:66]):
		return s[1:66]
	}
	return nil
}

// publicKey says whether b has the form of a compressed, uncompressed or
// hybrid key. Whether the point lies on the curve is not checked.
func publicKey(b []byte) bool {
	switch len(b) {
	case 33:
		return b[0] == 2 || b[0] == 3
	case 65:
		return b[0] == 4 || b[0] == 6 || b[0] == 7
	}
	return false
}

func bareMultisig(s []byte) bool {
	if len(s) < 3 || s[len(s)-1] != opCheckMultisig {
		return false
	}
	m, n := int(s[0])-op1+1, int(s[len(s)-2])-op1+1
	if m < 1 || n < m || n > 16 {
		return false
	}
	keys := 0
	for rest := s[1 : len(s)-2]; len(rest) > 0; keys++ {
		size := int(rest[0])
		if size >= len(rest) || !publicKey(rest[1:1+size]) {
			return false
		}
		rest = rest[1+size:]
	}
	return keys == n
}

func hash160(b []byte) []byte {
	first := sha256.Sum256(b)
	h := ripemd160.New()
	h.Write(first[:])
	return h.Sum(nil)
}

// statedHeight reads the height that a coinbase script begins with (BIP 34).
func statedHeight(script []byte) (uint64, bool) {
	if len(script) == 0 {
		return 0, false
	}
	if script[0] >= op1 && script[0] <= op16 {
		return uint64(script[0]-op1) + 1, true
	}
	n := int(script[0])
	if n < 1 || n > 5 || len(script) < 1+n || script[n]&0x80 != 0 {
		return 0, false
	}
	h := uint64(0)
	for i, b := range script[1 : 1+n] {
		h |= uint64(b) << (8 * i)
	}
	return h, true
}
