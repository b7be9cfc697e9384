package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"bongsu/errs"

	"filippo.io/age"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Limits on a public document from outside.
const (
	MaxOrg     = 256 << 10 // bytes of JSON
	MaxCerts   = 256       // certificates, and as many revocations
	MaxName    = 200       // bytes of an organisation's name
	MaxReason  = 500       // bytes of a revocation's reason
	orgVersion = 1
)

// OrgID is an organisation's STIX identity id, "identity--<uuid>"; the UUID
// (version 5) is derived from its root public key.
type OrgID string

// orgNamespace is the UUIDv5 namespace of OrgIDs.
var orgNamespace = uuid.MustParse("6a0f7c5e-8d52-4f0b-9a37-5a5d2f0e7b11")

// IDOf is the id of the organisation whose root key this is.
func IDOf(root ed25519.PublicKey) OrgID {
	return OrgID("identity--" + uuid.NewSHA1(orgNamespace, root).String())
}

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
	Sig       []byte    `json:"sig,omitempty"` // by the root
}

// PublicKey is the certified Ed25519 key, or nil for a sealing key.
func (c Certificate) PublicKey() ed25519.PublicKey {
	b, err := base64.StdEncoding.Strict().DecodeString(c.Key)
	if err != nil || len(b) != ed25519.PublicKeySize || c.Use == UseSeal {
		return nil
	}
	return b
}

// Revocation is the root's word that a certificate is worth nothing for what
// happened at Since or later.
type Revocation struct {
	Org    OrgID     `json:"org"`
	Serial uint64    `json:"serial"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
	Sig    []byte    `json:"sig,omitempty"` // by the root
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
	Sig     []byte            `json:"sig,omitempty"` // by the root, over all of the above
}

// Signature is a signature by a certified key.
type Signature struct {
	Serial uint64 `json:"serial"` // of the certificate
	Sig    []byte `json:"sig"`
}

// The contexts of the root's signatures.
const (
	ctxCertificate = "root/certificate"
	ctxRevocation  = "root/revocation"
	ctxOrg         = "root/org"
)

// signed is what is really signed: a tag that no other format begins with,
// the context, and the message. Contexts hold no NUL, so the text is
// unambiguous.
func signed(context string, message []byte) []byte {
	b := make([]byte, 0, 16+len(context)+len(message))
	b = append(b, "bongsu-v1\x00"...)
	b = append(b, context...)
	b = append(b, 0)
	return append(b, message...)
}

// canonical is the RFC 8785 text of v.
func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, errs.Wrap("identity", "", err)
	}
	c := jsontext.Value(b)
	if err := c.Canonicalize(); err != nil {
		return nil, errs.Wrap("identity", "", err)
	}
	return c, nil
}

func (c Certificate) body() ([]byte, error) { c.Sig = nil; return canonical(c) }
func (r Revocation) body() ([]byte, error)  { r.Sig = nil; return canonical(r) }
func (o Org) body() ([]byte, error)         { o.Sig = nil; return canonical(o) }

// ParseOrg reads and verifies a document from outside: size, form, the id
// against the root, and every signature. Members it does not know are refused:
// nothing unsigned or ununderstood rides along.
func ParseOrg(b []byte) (Org, error) {
	const op = "organisation document"
	if len(b) > MaxOrg {
		return Org{}, errs.New(op, errs.Limit, "", fmt.Sprintf("%d bytes; at most %d are read", len(b), MaxOrg), "ask the partner for a valid document")
	}
	var o Org
	if err := json.Unmarshal(b, &o, json.RejectUnknownMembers(true)); err != nil {
		return Org{}, &errs.Error{Op: op, Kind: errs.Invalid, Why: "not an organisation document", Hint: "copy it whole from its source", Err: err}
	}
	// One document has one spelling: base64 with other spare bits, or times in
	// another form, would verify and yet be other bytes.
	again, err := o.Marshal()
	if err != nil {
		return Org{}, err
	}
	given := jsontext.Value(b).Clone()
	if err := given.Canonicalize(); err != nil || !bytes.Equal(given, again) {
		return Org{}, errs.New(op, errs.Invalid, string(o.ID), "not in its canonical spelling", "copy it whole from its source")
	}
	if err := o.Verify(); err != nil {
		return Org{}, err
	}
	return o, nil
}

// Verify checks the document's own rules and signatures, as ParseOrg does.
// errs.Forged when a signature or the id does not hold, errs.Invalid for the
// rest.
func (o Org) Verify() error {
	bad := func(kind errs.Kind, why string) error {
		return errs.New("organisation document", kind, string(o.ID), why, "ask the organisation for its document again and compare the fingerprint by voice")
	}
	switch {
	case o.V != orgVersion:
		return bad(errs.Invalid, fmt.Sprintf("version %d of the format; this program reads %d", o.V, orgVersion))
	case len(o.Root) != ed25519.PublicKeySize:
		return bad(errs.Invalid, "the root key is not an Ed25519 key")
	case o.ID != IDOf(o.Root):
		return bad(errs.Forged, "the id does not belong to the root key")
	case o.Number == 0 || o.Issued.IsZero():
		return bad(errs.Invalid, "it has no number or no date")
	case len(o.Certs) > MaxCerts || len(o.Revoked) > MaxCerts:
		return bad(errs.Limit, "too many certificates")
	}
	if err := checkName(o.Name); err != nil {
		return err
	}
	if b, err := o.body(); err != nil || !ed25519.Verify(o.Root, signed(ctxOrg, b), o.Sig) {
		return bad(errs.Forged, "it is not signed by its root key")
	}
	seen := map[uint64]bool{}
	for _, c := range o.Certs {
		if why := c.fault(o); why != "" {
			return bad(errs.Invalid, fmt.Sprintf("certificate %d: %s", c.Serial, why))
		}
		if seen[c.Serial] {
			return bad(errs.Invalid, fmt.Sprintf("certificate %d occurs twice", c.Serial))
		}
		seen[c.Serial] = true
		if b, err := c.body(); err != nil || !ed25519.Verify(o.Root, signed(ctxCertificate, b), c.Sig) {
			return bad(errs.Forged, fmt.Sprintf("certificate %d is not signed by the root key", c.Serial))
		}
	}
	for _, r := range o.Revoked {
		if r.Org != o.ID || !seen[r.Serial] || r.Since.IsZero() || len(r.Reason) > MaxReason {
			return bad(errs.Invalid, fmt.Sprintf("revocation of %d does not fit the document", r.Serial))
		}
		if b, err := r.body(); err != nil || !ed25519.Verify(o.Root, signed(ctxRevocation, b), r.Sig) {
			return bad(errs.Forged, fmt.Sprintf("revocation of %d is not signed by the root key", r.Serial))
		}
	}
	return nil
}

// fault says what is wrong with a certificate, signature aside.
func (c Certificate) fault(o Org) string {
	switch {
	case c.Org != o.ID:
		return "it names another organisation"
	case c.Serial == 0:
		return "it has no serial number"
	case !c.NotBefore.Before(c.NotAfter):
		return "it ends before it begins"
	}
	switch c.Use {
	case UseSign, UseTLS:
		if c.PublicKey() == nil {
			return "its key is not an Ed25519 key"
		}
	case UseSeal:
		if _, err := age.ParseX25519Recipient(c.Key); err != nil {
			return "its key is not an age recipient"
		}
	default:
		return "use " + string(c.Use) + " is not known"
	}
	return ""
}

// checkName holds an organisation's name to one printable line.
func checkName(name string) error {
	ok := name != "" && len(name) <= MaxName && strings.TrimSpace(name) == name
	for _, r := range name {
		ok = ok && unicode.IsPrint(r)
	}
	if !ok {
		return errs.New("organisation name", errs.Invalid, fmt.Sprintf("%.40q", name), "not one printable line of 1 to 200 bytes", "choose a plain name")
	}
	return nil
}

// Marshal is the document's canonical JSON (RFC 8785).
func (o Org) Marshal() ([]byte, error) { return canonical(o) }

// Fingerprint is Fingerprint(o.Root).
func (o Org) Fingerprint() string { return Fingerprint(o.Root) }

// Fingerprint is a root key's text to compare by voice: six groups of five
// digits, "12345 67890 ...", about 100 bits of a SHA-256 over the key, so that
// making another key with the same text is out of reach (2^99 tries). Digits,
// because they are read aloud alike in every language.
func Fingerprint(root ed25519.PublicKey) string {
	sum := sha256.Sum256(signed("fingerprint", root))
	groups := make([]string, 6)
	for i := range groups {
		var w [8]byte
		copy(w[3:], sum[5*i:5*i+5]) // 40 bits a group: the bias of the remainder is below 2^-23
		groups[i] = fmt.Sprintf("%05d", binary.BigEndian.Uint64(w[:])%100_000)
	}
	return strings.Join(groups, " ")
}

// SameFingerprint compares two fingerprints as people type them: only digits
// count.
func SameFingerprint(a, b string) bool {
	a, b = onlyDigits(a), onlyDigits(b)
	return len(a) == 30 && a == b
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// Holds says whether a certificate works at t: dated around it and not revoked
// by it.
func (o Org) Holds(c Certificate, t time.Time) bool {
	if t.Before(c.NotBefore) || !t.Before(c.NotAfter) {
		return false
	}
	for _, r := range o.Revoked {
		if r.Serial == c.Serial && !t.Before(r.Since) {
			return false
		}
	}
	return true
}

// ValidAt returns the certificates of a use that held at t. Newest first.
func (o Org) ValidAt(use Use, t time.Time) []Certificate {
	var out []Certificate
	for _, c := range o.Certs {
		if c.Use == use && o.Holds(c, t) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Certificate) int { return int(int64(b.Serial) - int64(a.Serial)) })
	return out
}

// Certificate is the certificate with a serial number.
func (o Org) Certificate(serial uint64) (Certificate, bool) {
	for _, c := range o.Certs {
		if c.Serial == serial {
			return c, true
		}
	}
	return Certificate{}, false
}

// VerifySignature checks a signature that a certified signing key made over a
// context and a message, at a time when that key held. Contexts are constants
// of the calling room, such as "agreement". A failure is errs.Forged.
func (o Org) VerifySignature(context string, message []byte, s Signature, at time.Time) error {
	c, ok := o.Certificate(s.Serial)
	switch {
	case !ok || c.Use != UseSign:
		return o.forged(fmt.Sprintf("no signing certificate %d", s.Serial))
	case !o.Holds(c, at):
		return o.forged(fmt.Sprintf("signing certificate %d did not hold at %s: expired, not yet valid, or revoked", s.Serial, at.UTC().Format(time.RFC3339)))
	case !ed25519.Verify(c.PublicKey(), signed(context, message), s.Sig):
		return o.forged("the signature does not hold")
	}
	return nil
}

func (o Org) forged(why string) error {
	return errs.New("signature", errs.Forged, string(o.ID), why, "do not trust it; ask "+o.Name+" by another way")
}

// Supersedes says whether o may replace old: the same root, a higher number,
// and every certificate and revocation of old still there, unchanged. A root
// adds to its word and never unsays it.
func (o Org) Supersedes(old Org) bool {
	if o.ID != old.ID || !bytes.Equal(o.Root, old.Root) || o.Number <= old.Number {
		return false
	}
	for _, c := range old.Certs {
		n, ok := o.Certificate(c.Serial)
		if !ok || !bytes.Equal(n.Sig, c.Sig) {
			return false
		}
	}
	for _, r := range old.Revoked {
		if !slices.ContainsFunc(o.Revoked, func(n Revocation) bool { return bytes.Equal(n.Sig, r.Sig) }) {
			return false
		}
	}
	return true
}
