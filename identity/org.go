package identity

import (
	"crypto/ed25519"
	"time"

	"bongsu/errs"
)

// OrgID is an organisation's STIX identity id, "identity--<uuid>"; the UUID
// (version 5) is derived from its root public key.
type OrgID string

// Use is what a certified key may be used for.
type Use string

// The uses.
const (
	UseSign Use = "sign" // Ed25519: checkpoints, agreements, receipts
	UseTLS  Use = "tls"  // Ed25519: the node's end of a connection
	UseSeal Use = "seal" // age X25519: what only this organisation can open
)

// Certificate is the root's word that a key works for the organisation from
// NotBefore (inclusive) to NotAfter (exclusive).
type Certificate struct {
	Org       OrgID     `json:"org"`
	Serial    uint64    `json:"serial"` // from 1, never used twice
	Use       Use       `json:"use"`
	Key       string    `json:"key"` // Ed25519: 32 bytes in standard base64; seal: an age recipient ("age1...")
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Sig       []byte    `json:"sig"` // by the root
}

// Revocation is the root's word that a certificate is worth nothing for what
// happened at Since or later.
type Revocation struct {
	Org    OrgID     `json:"org"`
	Serial uint64    `json:"serial"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
	Sig    []byte    `json:"sig"` // by the root
}

// Org is an organisation's public document. Its JSON is the wire form.
type Org struct {
	V       int               `json:"v"` // 1
	ID      OrgID             `json:"id"`
	Name    string            `json:"name"`
	Root    ed25519.PublicKey `json:"root"`
	Number  uint64            `json:"number"` // of this document; a higher one replaces a lower one
	Issued  time.Time         `json:"issued"`
	Certs   []Certificate     `json:"certs"`
	Revoked []Revocation      `json:"revoked,omitempty"`
	Sig     []byte            `json:"sig"` // by the root, over all of the above
}

// Signature is a signature by a certified key.
type Signature struct {
	Serial uint64 `json:"serial"` // of the certificate
	Sig    []byte `json:"sig"`
}

// ParseOrg reads and verifies a document from outside: size, form, the id
// against the root, and every signature.
func ParseOrg(b []byte) (Org, error) { return Org{}, todo() }

// Verify checks the document's own signatures and rules, as ParseOrg does.
func (o Org) Verify() error { return todo() }

// Marshal is the document's canonical JSON (RFC 8785).
func (o Org) Marshal() ([]byte, error) { return nil, todo() }

// Fingerprint is Fingerprint(o.Root).
func (o Org) Fingerprint() string { return Fingerprint(o.Root) }

// Fingerprint is a root key's text to compare by voice: six groups of five
// digits, "12345 67890 ...", about 100 bits of a SHA-256 over the key. Digits,
// because they are read aloud alike in every language.
func Fingerprint(root ed25519.PublicKey) string { return "" }

// ValidAt returns the certificates of a use that held at t: dated around it
// and not revoked by it. Newest first.
func (o Org) ValidAt(use Use, t time.Time) []Certificate { return nil }

// VerifySignature checks a signature that a certified signing key made over a
// context and a message, at a time when that key held. Contexts are constants
// of the calling room, such as "agreement".
func (o Org) VerifySignature(context string, message []byte, s Signature, at time.Time) error {
	return todo()
}

// VerifyPeer is for tls.Config.VerifyPeerCertificate: it accepts only a leaf
// whose key is a TLS key certified by o's root and valid now.
func (o Org) VerifyPeer(now time.Time, rawCerts [][]byte) error { return todo() }

// Seal encrypts so that only the named organisations can open (age). Each must
// have a sealing key that is valid now.
func Seal(now time.Time, plaintext []byte, to ...Org) ([]byte, error) { return nil, todo() }

func todo() error { return errs.New("identity", errs.Internal, "", "not built yet", "") }
