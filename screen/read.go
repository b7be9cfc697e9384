package screen

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"unicode/utf8"

	"bongsu/chain"
	"bongsu/errs"
)

// MaxValue is the longest value that is read, in bytes (a URL may be long).
const MaxValue = 2048

// Type is what a value was read as.
type Type string

// The types.
const (
	TypeAccount Type = "account" // CAIP-10, or a bare address of a form that chain knows
	TypeDomain  Type = "domain"  // a host name, of a URL too
	TypeIP      Type = "ip"      // IPv4 or IPv6
	TypeEmail   Type = "email"
	TypeHash    Type = "hash" // MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal
	TypeText    Type = "text" // exact text: an address of a chain that bongsu does not know, as its author wrote it
)

// Reading is a value that was read: two spellings of one thing give the same
// Key. The zero is no reading.
type Reading struct {
	Type Type
	Text string // canonical: CAIP-10, ASCII host name in lower case, lower-case hex
	Key  Key
	Alt  Key // what the text may name besides: 40 hex digits are a SHA-1, or an EVM address without 0x; a URL is a host, or itself
}

// Read reads a value. Accounts: CAIP-10 ("eip155:1:0x..", "bitcoin:bc1..") or a
// bare address, EVM in any case, a mixed case only with its right EIP-55
// checksum. Host names: any case, IDNA (UTS 46, non-transitional), a trailing
// dot, a port or a whole URL around them. E-mail addresses; IP addresses; file
// hashes, with or without "sha256:" before them. Anything else is
// errs.Invalid, which says what is wrong.
func Read(text string) (Reading, error) {
	if a, k, ok := readEVM(text); ok {
		return Reading{Type: TypeAccount, Text: evmPrefix + string(a[:]), Key: k}, nil
	}
	if len(text) > MaxValue {
		return Reading{}, unreadable(text, "longer than 2048 bytes")
	}
	s := strings.TrimSpace(text)
	switch {
	case s == "":
		return Reading{}, unreadable(text, "empty")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, isControl):
		return Reading{}, unreadable("", "not plain UTF-8 text")
	case strings.Contains(s, "://"):
		return readURL(s)
	case strings.IndexByte(s, '@') >= 0:
		return readEmail(s)
	}
	if r, ok := readHash(s); ok {
		return r, nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return ipReading(a), nil
	}
	if strings.IndexByte(s, '.') >= 0 || !ascii(s) {
		return readHost(s)
	}
	a, err := chain.ParseAccount(s, "")
	if err != nil {
		return Reading{}, err
	}
	return accountReading(a), nil
}

// ReadAccount is the reading of an account.
func ReadAccount(a chain.Account) Reading { return accountReading(a) }

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

var hashNames = map[int]string{32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}

// readHash reads hexadecimal text of a known digest's length, "sha256:" or
// "SHA-256:" before it or not.
func readHash(s string) (Reading, bool) {
	name, digits, named := strings.Cut(s, ":")
	if !named {
		digits = s
	}
	want, ok := hashNames[len(digits)]
	if !ok || named && strings.ReplaceAll(strings.ToLower(name), "-", "") != want {
		return Reading{}, false
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return Reading{}, false
	}
	r := Reading{Type: TypeHash, Text: want + ":" + strings.ToLower(digits), Key: makeKey(tagHash, raw)}
	if len(raw) == 20 && !named {
		r.Alt = makeKey(tagEVM, raw)
	}
	return r, true
}

func ipReading(a netip.Addr) Reading {
	a = a.Unmap().WithZone("")
	return Reading{Type: TypeIP, Text: a.String(), Key: makeKey(tagIP, a.AsSlice())}
}

func accountReading(a chain.Account) Reading {
	return Reading{Type: TypeAccount, Text: a.String(), Key: accountKey(a)}
}

func unreadable(text, why string) error {
	if len(text) > 80 {
		text = strings.ToValidUTF8(text[:80], "") + "..."
	}
	return errs.New("screen", errs.Invalid, text, why,
		"give an address, a CAIP-10 account, a host name, an e-mail address or a file hash")
}
