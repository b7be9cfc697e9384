package identity

import (
	"crypto/ed25519"
	"crypto/tls"
	"time"
)

// Keys are an organisation's node keys, as read from DIR/keys: the private
// halves that this node works with and the public document. Immutable; safe
// for use by many goroutines.
type Keys struct{}

// Create makes an organisation in DIR/keys: a root key, signing, TLS and
// sealing keys certified for ten years, and the public document. Files have
// mode 0600, the folder 0700. An existing organisation is errs.Exist.
func Create(dir, name string, now time.Time) (*Keys, error) { return nil, todo() }

// Load reads DIR/keys. The root key may be missing: everything but
// certification works without it.
func Load(dir string) (*Keys, error) { return nil, todo() }

// Org is the public document.
func (k *Keys) Org() Org { return Org{} }

// ID is the organisation's id.
func (k *Keys) ID() OrgID { return "" }

// Sign signs a message under a context with the newest signing key. The
// context keeps uses apart; see Org.VerifySignature.
func (k *Keys) Sign(context string, message []byte) (Signature, error) { return Signature{}, todo() }

// SigningKey is the newest valid signing key with its certificate, for formats
// with their own framing (signed notes).
func (k *Keys) SigningKey(now time.Time) (Certificate, ed25519.PrivateKey, error) {
	return Certificate{}, nil, todo()
}

// TLS is a certificate for mutual TLS 1.3 whose key the root certified: a
// self-signed X.509 wrapper, since partners pin the key (Org.VerifyPeer) and
// never a name or an authority.
func (k *Keys) TLS(now time.Time) (tls.Certificate, error) { return tls.Certificate{}, todo() }

// Open decrypts what Seal sealed to this organisation. The result is at most
// MaxSealed bytes.
func (k *Keys) Open(sealed []byte) ([]byte, error) { return nil, todo() }
