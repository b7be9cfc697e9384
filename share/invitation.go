package share

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net"
	"strings"
	"unicode"

	"bongsu/errs"
)

// An invitation is "bongsu1-" and base32 (RFC 4648, small letters, no
// padding) of: version 1 (1 byte), the inviter's root public key (32), the
// secret (20), the address (rest but 4), and the first 4 bytes of the SHA-256
// of all before them (FORMAT.md, "Invitation").
const (
	invitePrefix  = "bongsu1-"
	inviteVersion = 1
	secretBytes   = 20
	maxInvite     = 1024 // bytes of an invitation's text
	maxAddress    = 255 + 6
)

type invitation struct {
	root    ed25519.PublicKey
	secret  [secretBytes]byte
	address string // host:port
}

var inviteBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func newInvitation(root ed25519.PublicKey, address string) (invitation, error) {
	inv := invitation{root: root, address: address}
	if err := checkAddress(address); err != nil {
		return inv, err
	}
	_, err := rand.Read(inv.secret[:])
	return inv, err
}

// hash is all that the inviting node keeps of the secret.
func (inv invitation) hash() []byte { return hashSecret(inv.secret[:]) }

func hashSecret(secret []byte) []byte {
	h := sha256.Sum256(append([]byte("bongsu-invitation/1\n"), secret...))
	return h[:]
}

func (inv invitation) text() string {
	b := append([]byte{inviteVersion}, inv.root...)
	b = append(b, inv.secret[:]...)
	b = append(b, inv.address...)
	sum := sha256.Sum256(b)
	return invitePrefix + inviteBase32.EncodeToString(append(b, sum[:4]...))
}

// parseInvitation reads the text that a person pasted: white space and line
// breaks inside do not matter, nor does case.
func parseInvitation(text string) (invitation, error) {
	var inv invitation
	bad := func(why string) (invitation, error) {
		return invitation{}, errs.New("read invitation", errs.Invalid, "", why, "copy the whole text, from "+invitePrefix+" to its end")
	}
	if len(text) > maxInvite {
		return bad(fmt.Sprintf("it is longer than %d bytes", maxInvite))
	}
	text = strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text))
	encoded, ok := strings.CutPrefix(text, invitePrefix)
	if !ok {
		return bad("it does not begin with " + invitePrefix)
	}
	b, err := inviteBase32.DecodeString(encoded)
	const head = 1 + ed25519.PublicKeySize + secretBytes
	if err != nil || len(b) < head+4 || inviteBase32.EncodeToString(b) != encoded {
		return bad("it is cut or mistyped")
	}
	body, sum := b[:len(b)-4], sha256.Sum256(b[:len(b)-4])
	if string(sum[:4]) != string(b[len(b)-4:]) {
		return bad("it is cut or mistyped: its check does not hold")
	}
	if body[0] != inviteVersion {
		return bad(fmt.Sprintf("it is of version %d, this program reads %d", body[0], inviteVersion))
	}
	inv.root = ed25519.PublicKey(body[1 : 1+ed25519.PublicKeySize])
	copy(inv.secret[:], body[1+ed25519.PublicKeySize:head])
	inv.address = string(body[head:])
	if err := checkAddress(inv.address); err != nil {
		return invitation{}, err
	}
	return inv, nil
}

// checkAddress accepts host:port with a host of plain letters, as a partner or
// a person may give it.
func checkAddress(address string) error {
	bad := errs.New("address", errs.Invalid, printable(address), "not host:port", "give the address as node.example.org:8421")
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" || len(address) > maxAddress {
		return bad
	}
	for _, c := range host {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == ':' || c == '%' || c == '_') {
			return bad
		}
	}
	var n int
	if _, err := fmt.Sscanf(port, "%d", &n); err != nil || n < 1 || n > 65535 || fmt.Sprint(n) != port {
		return bad
	}
	return nil
}
