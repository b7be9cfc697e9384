package chain

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"strings"

	"bongsu/errs"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"golang.org/x/crypto/sha3"
)

// Form is the shape of an address on its chain. It is part of the on-disk
// formats: append only.
type Form uint8

// The forms.
const (
	FormNone    Form = iota
	FormEVM          // 20 bytes
	FormP2PKH        // hash160 of a key
	FormP2SH         // hash160 of a script
	FormWitness      // version byte, then the witness program (2 to 40 bytes)
	FormScript       // SHA-256 of an output script that has no address
	FormTron         // 20 bytes after the 0x41 prefix
	FormSolana       // 32 bytes
)

const maxRaw = 41

// Account is a CAIP-10 account: an address on one chain. It is comparable; the
// zero is no account. Two spellings of one address are the same Account.
type Account struct {
	chain ID
	form  Form
	n     uint8
	raw   [maxRaw]byte
}

// NewAccount builds an account from its form and raw bytes (see Form). It
// reports false for a length that the form does not have.
func NewAccount(id ID, form Form, raw []byte) (Account, bool) {
	ok := false
	switch form {
	case FormEVM, FormP2PKH, FormP2SH, FormTron:
		ok = len(raw) == 20
	case FormWitness:
		// Version 0 has two lengths alone (BIP 141): another has no address.
		ok = len(raw) >= 3 && len(raw) <= maxRaw && raw[0] <= 16 && (raw[0] > 0 || len(raw) == 21 || len(raw) == 33)
	case FormScript, FormSolana:
		ok = len(raw) == 32
	}
	if !ok || id == "" {
		return Account{}, false
	}
	a := Account{chain: id, form: form, n: uint8(len(raw))}
	copy(a.raw[:], raw)
	return a, true
}

// EVM is the account of a 20-byte address on an eip155 chain.
func EVM(id ID, addr [20]byte) Account {
	a := Account{chain: id, form: FormEVM, n: 20}
	copy(a.raw[:], addr[:])
	return a
}

// Chain is the account's chain.
func (a Account) Chain() ID { return a.chain }

// Form is the shape of its address.
func (a Account) Form() Form { return a.form }

// Raw returns the bytes behind the address, as NewAccount takes them.
func (a Account) Raw() []byte { return append([]byte(nil), a.raw[:a.n]...) }

// AppendRaw appends those bytes to b.
func (a Account) AppendRaw(b []byte) []byte { return append(b, a.raw[:a.n]...) }

// IsZero says whether a is no account.
func (a Account) IsZero() bool { return a.form == FormNone }

// IsNull says whether a is the all-zero EVM address, which nobody holds a key
// for. In a token's Transfer event it stands for no account: the other end of a
// mint or a burn (ERC-20, section Events). A native transfer to it is one.
func (a Account) IsNull() bool { return a.form == FormEVM && a.raw == [maxRaw]byte{} }

// On is the same address on another chain of the same namespace.
func (a Account) On(id ID) Account { a.chain = id; return a }

// Compare orders accounts by chain, form and bytes.
func (a Account) Compare(b Account) int {
	if c := cmp.Compare(a.chain, b.chain); c != 0 {
		return c
	}
	if c := cmp.Compare(a.form, b.form); c != 0 {
		return c
	}
	return bytes.Compare(a.raw[:a.n], b.raw[:b.n])
}

// String is the CAIP-10 text, EVM and bech32 addresses in lower case. The zero
// prints "".
func (a Account) String() string {
	if a.IsZero() {
		return ""
	}
	return string(a.chain) + ":" + a.Address()
}

// Address is the text of the address alone, in the chain's canonical spelling.
func (a Account) Address() string {
	raw := a.raw[:a.n]
	switch a.form {
	case FormEVM:
		return "0x" + hex.EncodeToString(raw)
	case FormP2PKH:
		return base58.CheckEncode(raw, utxoParams[a.chain].p2pkh)
	case FormP2SH:
		return base58.CheckEncode(raw, utxoParams[a.chain].p2sh)
	case FormWitness:
		return witnessText(utxoParams[a.chain].hrp, raw[0], raw[1:])
	case FormScript:
		return "script-" + hex.EncodeToString(raw)
	case FormTron:
		return base58.CheckEncode(raw, 0x41)
	case FormSolana:
		return base58.Encode(raw)
	}
	return ""
}

// Checksummed is Address with the EIP-55 case for EVM addresses.
func (a Account) Checksummed() string {
	if a.form != FormEVM {
		return a.Address()
	}
	return eip55(a.raw[:20])
}

func witnessText(hrp string, version byte, program []byte) string {
	five, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		return ""
	}
	data := append([]byte{version}, five...)
	encode := bech32.Encode
	if version > 0 {
		encode = bech32.EncodeM // BIP 350
	}
	s, err := encode(hrp, data)
	if err != nil {
		return ""
	}
	return s
}

func eip55(raw []byte) string {
	text := hex.EncodeToString(raw)
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(text))
	sum := hex.EncodeToString(h.Sum(nil))
	out := []byte(text)
	for i := range out {
		if out[i] >= 'a' && sum[i] >= '8' {
			out[i] -= 'a' - 'A'
		}
	}
	return "0x" + string(out)
}

// ParseAccount reads a CAIP-10 account or a bare address. def is the chain of
// a bare address whose form fits several chains (all eip155 chains share one
// form); with def empty, an EVM address is read on Ethereum mainnet. A bare
// address whose form contradicts def is refused, as is a wrong checksum.
func ParseAccount(s string, def ID) (Account, error) {
	text := strings.TrimSpace(s)
	if len(text) > 200 {
		return Account{}, badAddress(text, "longer than any address")
	}
	id := def
	if i := strings.LastIndexByte(text, ':'); i > 0 {
		var err error
		if id, err = ParseID(text[:i]); err != nil {
			return Account{}, err
		}
		text = text[i+1:]
	}
	if id == "" {
		if id = guessChain(text); id == "" {
			return Account{}, badAddress(text, "no chain that bongsu knows has addresses of this form")
		}
	}
	return parseOn(id, text)
}

func guessChain(text string) ID {
	low := strings.ToLower(text)
	if strings.HasPrefix(low, "0x") && len(text) == 42 {
		return Ethereum
	}
	for id, p := range utxoParams {
		if strings.HasPrefix(low, p.hrp+"1") {
			return id
		}
	}
	if raw, version, err := base58.CheckDecode(text); err == nil && len(raw) == 20 {
		switch version {
		case 0x00, 0x05:
			return Bitcoin
		case 0x41:
			return Tron
		case 0x6f, 0xc4:
			return BitcoinTest
		}
		return ""
	}
	// A damaged Bitcoin or Tron address is refused as such, rather than read
	// as something else; 25 bytes are never a Solana key.
	if n := len(base58.Decode(text)); n == 32 {
		return Solana
	} else if n == 25 {
		if text[0] == 'T' {
			return Tron
		}
		return Bitcoin
	}
	return ""
}

func parseOn(id ID, text string) (Account, error) {
	switch {
	case id.EVM() && known(id):
		return parseEVM(id, text)
	case id.UTXO() && known(id):
		return parseUTXO(id, text)
	case id == Tron:
		return parseTron(text)
	case id == Solana:
		if raw := base58.Decode(text); len(raw) == 32 {
			a, _ := NewAccount(Solana, FormSolana, raw)
			return a, nil
		}
		return Account{}, badAddress(text, "a Solana address is 32 bytes in base58")
	}
	return Account{}, badAddress(text, "chain "+string(id)+" has no address form here")
}

func parseEVM(id ID, text string) (Account, error) {
	if len(text) != 42 || (text[:2] != "0x" && text[:2] != "0X") {
		return Account{}, badAddress(text, "an EVM address is 0x and 40 hexadecimal digits")
	}
	var raw [20]byte
	if _, err := hex.Decode(raw[:], []byte(text[2:])); err != nil {
		return Account{}, badAddress(text, "an EVM address is 0x and 40 hexadecimal digits")
	}
	digits := text[2:]
	if digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && "0x"+digits != eip55(raw[:]) {
		return Account{}, badAddress(text, "its EIP-55 checksum is wrong: a letter or digit was changed")
	}
	return EVM(id, raw), nil
}

func parseUTXO(id ID, text string) (Account, error) {
	p := utxoParams[id]
	if h, ok := strings.CutPrefix(text, "script-"); ok && len(h) == 64 && h == strings.ToLower(h) {
		if raw, err := hex.DecodeString(h); err == nil {
			a, _ := NewAccount(id, FormScript, raw)
			return a, nil
		}
	}
	if strings.HasPrefix(strings.ToLower(text), p.hrp+"1") {
		return parseWitness(id, p, text)
	}
	raw, version, err := base58.CheckDecode(text)
	if err == nil && len(raw) == 20 && (version == p.p2pkh || version == p.p2sh) {
		form := FormP2PKH
		if version == p.p2sh {
			form = FormP2SH
		}
		a, _ := NewAccount(id, form, raw)
		return a, nil
	}
	if err == base58.ErrChecksum {
		return Account{}, badAddress(text, "its base58 checksum is wrong: a character was changed")
	}
	return Account{}, badAddress(text, "not an address of chain "+string(id))
}

// parseWitness follows BIP 173 and BIP 350: version 0 has a bech32 checksum
// and 20 or 32 bytes, later versions have bech32m and 2 to 40 bytes.
func parseWitness(id ID, p params, text string) (Account, error) {
	hrp, data, enc, err := bech32.DecodeGeneric(text)
	if err != nil || hrp != p.hrp || len(data) < 1 {
		return Account{}, badAddress(text, "its bech32 checksum or form is wrong")
	}
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	version := data[0]
	switch {
	case err != nil, version > 16, len(program) < 2, len(program) > 40,
		version == 0 && (enc != bech32.Version0 || (len(program) != 20 && len(program) != 32)),
		version > 0 && enc != bech32.VersionM:
		return Account{}, badAddress(text, "not a valid segregated witness address (BIP 173, BIP 350)")
	}
	a, _ := NewAccount(id, FormWitness, append([]byte{version}, program...))
	return a, nil
}

func parseTron(text string) (Account, error) {
	raw, version, err := base58.CheckDecode(text)
	if err == nil && version == 0x41 && len(raw) == 20 {
		a, _ := NewAccount(Tron, FormTron, raw)
		return a, nil
	}
	if h, ok := strings.CutPrefix(text, "41"); ok && len(h) == 40 {
		if raw, err := hex.DecodeString(h); err == nil {
			a, _ := NewAccount(Tron, FormTron, raw)
			return a, nil
		}
	}
	return Account{}, badAddress(text, "a Tron address is T and 33 base58 characters with a checksum")
}

func badAddress(text, why string) error {
	return errs.New("address", errs.Invalid, clip(text), why, "check it against its source, or name the chain with --chain")
}

// MarshalText writes the CAIP-10 text.
func (a Account) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote; empty text is the zero.
func (a *Account) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Account{}
		return nil
	}
	v, err := ParseAccount(string(b), "")
	if err == nil {
		*a = v
	}
	return err
}
