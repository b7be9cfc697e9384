package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"time"

	"bongsu/errs"

	"filippo.io/age"
)

// MaxSealed is the most that Open returns, in bytes.
const MaxSealed = 64 << 20

// Sign signs a message under a context, as of now, with the newest signing
// key. The context keeps uses apart; see Org.VerifySignature.
func (k *Keys) Sign(context string, message []byte) (Signature, error) {
	return k.SignAt(time.Now(), context, message)
}

// SignAt is Sign with the newest key that holds at the given time.
func (k *Keys) SignAt(now time.Time, context string, message []byte) (Signature, error) {
	c, priv, err := k.SigningKey(now)
	if err != nil {
		return Signature{}, err
	}
	return Signature{Serial: c.Serial, Sig: ed25519.Sign(priv, signed(context, message))}, nil
}

// SigningKey is the newest signing key that is here and holds at the given
// time, with its certificate: for formats with their own framing (signed
// notes). errs.Unavailable when there is none.
func (k *Keys) SigningKey(now time.Time) (Certificate, ed25519.PrivateKey, error) {
	return k.newest(UseSign, now)
}

func (k *Keys) newest(use Use, now time.Time) (Certificate, ed25519.PrivateKey, error) {
	for _, c := range k.org.ValidAt(use, now) {
		if priv, ok := k.ed[c.Serial]; ok {
			return c, priv, nil
		}
	}
	return Certificate{}, nil, errs.New("keys", errs.Unavailable, string(k.org.ID), "no valid "+string(use)+" key here",
		"certify a new one with the root key")
}

// TLS is a certificate for mutual TLS 1.3 whose key the root certified: a
// self-signed X.509 wrapper, since partners pin the key (Org.VerifyPeer) and
// never a name or an authority.
func (k *Keys) TLS(now time.Time) (tls.Certificate, error) {
	c, priv, err := k.newest(UseTLS, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: new(big.Int).SetUint64(c.Serial),
		Subject:      pkix.Name{CommonName: string(k.org.ID)},
		NotBefore:    c.NotBefore, NotAfter: c.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(nil, t, t, priv.Public(), priv)
	if err != nil {
		return tls.Certificate{}, errs.Wrap("keys", string(k.org.ID), err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, errs.Wrap("keys", string(k.org.ID), err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: priv, Leaf: leaf}, nil
}

// VerifyPeer is for tls.Config.VerifyPeerCertificate, with InsecureSkipVerify
// at the client and RequireAnyClientCert at the server: it accepts only a leaf
// whose key is a TLS key certified by o's root and valid now. The handshake
// itself proves that the peer holds the key. A failure is errs.Forged.
func (o Org) VerifyPeer(now time.Time, rawCerts [][]byte) error {
	refuse := func(why string) error {
		return errs.New("connection", errs.Forged, string(o.ID), why, "check with "+o.Name+" that its keys are the ones exchanged, and its newest document is here")
	}
	if len(rawCerts) == 0 {
		return refuse("the other end shows no certificate")
	}
	leaf, err := x509.ParseCertificate(rawCerts[0])
	if err != nil {
		return refuse("the other end's certificate cannot be read")
	}
	key, ok := leaf.PublicKey.(ed25519.PublicKey)
	if !ok {
		return refuse("the other end's key is not an Ed25519 key")
	}
	for _, c := range o.ValidAt(UseTLS, now) {
		if bytes.Equal(c.PublicKey(), key) {
			return nil
		}
	}
	return refuse("the other end's key is not one that " + o.Name + "'s root key certified for now")
}

// Seal encrypts so that only the named organisations can open (age). Each must
// have a sealing key that holds now.
func Seal(now time.Time, plaintext []byte, to ...Org) ([]byte, error) {
	if len(to) == 0 {
		return nil, errs.New("seal", errs.Usage, "", "no recipient is named", "name at least one organisation")
	}
	var rs []age.Recipient
	for _, o := range to {
		certs := o.ValidAt(UseSeal, now)
		if len(certs) == 0 {
			return nil, errs.New("seal", errs.Unavailable, string(o.ID), o.Name+" has no valid sealing key", "ask it for its newest document")
		}
		r, err := age.ParseX25519Recipient(certs[0].Key)
		if err != nil {
			return nil, errs.Wrap("seal", string(o.ID), err)
		}
		rs = append(rs, r)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, rs...)
	if err == nil {
		if _, err = w.Write(plaintext); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		return nil, errs.Wrap("seal", "", err)
	}
	return out.Bytes(), nil
}

// Open decrypts what Seal sealed to this organisation, with any sealing key
// that is here. errs.Permission when it is not for us, errs.Corrupt when it
// was changed, errs.Limit above MaxSealed bytes.
func (k *Keys) Open(sealed []byte) ([]byte, error) {
	ids := make([]age.Identity, 0, len(k.seal))
	for _, id := range k.seal {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, errs.New("open", errs.Unavailable, string(k.org.ID), "no sealing key here", "bring the key file back")
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err != nil {
		return nil, &errs.Error{Op: "open", Kind: errs.Permission, Where: string(k.org.ID), Why: "not sealed to us, or changed on the way", Hint: "ask the sender to seal it again", Err: err}
	}
	b, err := io.ReadAll(io.LimitReader(r, MaxSealed+1))
	if err != nil {
		return nil, &errs.Error{Op: "open", Kind: errs.Corrupt, Why: "the sealed text was changed", Hint: "ask the sender to seal it again", Err: err}
	}
	if len(b) > MaxSealed {
		return nil, errs.New("open", errs.Limit, "", fmt.Sprintf("more than %d bytes", MaxSealed), "ask the sender to split it")
	}
	return b, nil
}
