package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bongsu/durable"
	"bongsu/errs"

	"filippo.io/age"
)

// Names below the data folder. A private key's file is
// "<use>-<serial>.key"; the root's can be moved away.
const (
	keysFolder = "keys"
	rootFile   = "root.key"
	orgFile    = "org.json"
)

// How long certificates of node keys hold, and how far they are dated back for
// partners whose clocks run behind.
const (
	CertValidity = 10 * 365 * 24 * time.Hour
	CertBackdate = time.Hour
)

// Keys are an organisation's node keys, as read from DIR/keys: the private
// halves that this node works with and the public document. Immutable; safe
// for use by many goroutines.
type Keys struct {
	org  Org
	ed   map[uint64]ed25519.PrivateKey  // signing and TLS keys by serial
	seal map[uint64]*age.X25519Identity // sealing keys by serial
}

// RootPath is where Create leaves the root key of a data folder.
func RootPath(dir string) string { return filepath.Join(dir, keysFolder, rootFile) }

// Create makes an organisation in DIR/keys: a root key, signing, TLS and
// sealing keys certified for CertValidity, and the public document. Files have
// mode 0600, the folder 0700. An existing organisation is errs.Exist.
//
// Writes: the root key, the node keys, org.json last, each durable; a crash
// before the last leaves a folder that Load refuses and Create takes up again.
func Create(dir, name string, now time.Time) (*Keys, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, keysFolder)
	if _, err := os.Stat(filepath.Join(folder, orgFile)); err == nil {
		return nil, errs.New("init", errs.Exist, folder, "an organisation's keys are here already", "use another --data folder")
	}
	if err := durable.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	pub, root, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, errs.Wrap("init", folder, err)
	}
	if err := writeEd(filepath.Join(folder, rootFile), root); err != nil {
		return nil, err
	}
	o := Org{V: orgVersion, ID: IDOf(pub), Name: name, Root: pub}
	for _, use := range []Use{UseSign, UseTLS, UseSeal} {
		if err := certify(folder, &o, root, use, now); err != nil {
			return nil, err
		}
	}
	if err := publish(folder, &o, root, now); err != nil {
		return nil, err
	}
	return Load(dir)
}

// Replace makes and certifies a new key of a use. Older ones keep working for
// what they signed, and for opening what was sealed to them, until they expire
// or are revoked. rootPath names the root key's file, which may be on a medium
// of its own.
func Replace(dir, rootPath string, use Use, now time.Time) (*Keys, error) {
	return change(dir, rootPath, now, func(folder string, o *Org, root ed25519.PrivateKey) error {
		return certify(folder, o, root, use, now)
	})
}

// Revoke takes a certificate back from a moment on, which may lie in the past.
func Revoke(dir, rootPath string, serial uint64, since time.Time, reason string, now time.Time) (*Keys, error) {
	return change(dir, rootPath, now, func(_ string, o *Org, root ed25519.PrivateKey) error {
		if _, ok := o.Certificate(serial); !ok {
			return errs.New("revoke", errs.NotExist, fmt.Sprint(serial), "no certificate has this serial number", "see the document's certificates")
		}
		if len(reason) > MaxReason {
			return errs.New("revoke", errs.Limit, fmt.Sprint(serial), "the reason is too long", "shorten it")
		}
		r := Revocation{Org: o.ID, Serial: serial, Since: since.UTC(), Reason: reason}
		b, err := r.body()
		if err != nil {
			return err
		}
		r.Sig = ed25519.Sign(root, signed(ctxRevocation, b))
		o.Revoked = append(o.Revoked, r)
		return nil
	})
}

// change reads the document and the root key, lets fn add to the document and
// publishes it under the next number.
func change(dir, rootPath string, now time.Time, fn func(string, *Org, ed25519.PrivateKey) error) (*Keys, error) {
	folder := filepath.Join(dir, keysFolder)
	lock, err := durable.WaitLock(filepath.Join(folder, "lock"))
	if err != nil {
		return nil, err
	}
	defer lock.Unlock() //nolint:errcheck // the kernel drops it anyway
	k, err := Load(dir)
	if err != nil {
		return nil, err
	}
	root, err := readEd(rootPath)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(root.Public().(ed25519.PublicKey), k.org.Root) {
		return nil, errs.New("keys", errs.Forged, rootPath, "this is not the root key of "+k.org.Name, "name the file of the right root key")
	}
	o := k.org
	if err := fn(folder, &o, root); err != nil {
		return nil, err
	}
	if err := publish(folder, &o, root, now); err != nil {
		return nil, err
	}
	return Load(dir)
}

// certify makes a key of a use, writes its private half and adds its
// certificate to the document.
func certify(folder string, o *Org, root ed25519.PrivateKey, use Use, now time.Time) error {
	c := Certificate{
		Org: o.ID, Serial: 1, Use: use,
		NotBefore: now.UTC().Truncate(time.Second).Add(-CertBackdate),
		NotAfter:  now.UTC().Truncate(time.Second).Add(CertValidity),
	}
	for _, old := range o.Certs {
		c.Serial = max(c.Serial, old.Serial+1)
	}
	name := filepath.Join(folder, keyFile(c))
	switch use {
	case UseSign, UseTLS:
		pub, priv, err := ed25519.GenerateKey(nil)
		if err != nil {
			return errs.Wrap("keys", name, err)
		}
		if err := writeEd(name, priv); err != nil {
			return err
		}
		c.Key = base64.StdEncoding.EncodeToString(pub)
	case UseSeal:
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return errs.Wrap("keys", name, err)
		}
		if err := durable.WriteFile(name, []byte(id.String()+"\n"), 0o600); err != nil {
			return err
		}
		c.Key = id.Recipient().String()
	default:
		return errs.New("keys", errs.Usage, string(use), "not a use of a key", "use sign, tls or seal")
	}
	b, err := c.body()
	if err != nil {
		return err
	}
	c.Sig = ed25519.Sign(root, signed(ctxCertificate, b))
	o.Certs = append(o.Certs[:len(o.Certs):len(o.Certs)], c)
	return nil
}

func keyFile(c Certificate) string { return fmt.Sprintf("%s-%d.key", c.Use, c.Serial) }

// publish signs the document under the next number and writes it.
func publish(folder string, o *Org, root ed25519.PrivateKey, now time.Time) error {
	o.Number++
	o.Issued = now.UTC().Truncate(time.Second)
	b, err := o.body()
	if err != nil {
		return err
	}
	o.Sig = ed25519.Sign(root, signed(ctxOrg, b))
	if err := o.Verify(); err != nil {
		return err
	}
	doc, err := o.Marshal()
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(folder, orgFile), append(doc, '\n'), 0o600)
}

// Load reads DIR/keys. The root key may be missing, as may keys of
// certificates that other nodes hold; what is there must fit its certificate
// and be readable by its owner only.
func Load(dir string) (*Keys, error) {
	folder := filepath.Join(dir, keysFolder)
	name := filepath.Join(folder, orgFile)
	doc, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil, errs.New("keys", errs.NotExist, folder, "no organisation here", "make one: bongsu init --name NAME")
	}
	if err != nil {
		return nil, errs.Wrap("keys", name, err)
	}
	o, err := ParseOrg(doc)
	if err != nil {
		return nil, errs.Wrap("keys", name, err)
	}
	k := &Keys{org: o, ed: map[uint64]ed25519.PrivateKey{}, seal: map[uint64]*age.X25519Identity{}}
	for _, c := range o.Certs {
		if err := k.load(folder, c); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// load reads the private half of one certificate, if it is here.
func (k *Keys) load(folder string, c Certificate) error {
	name := filepath.Join(folder, keyFile(c))
	if _, err := os.Lstat(name); os.IsNotExist(err) {
		return nil
	}
	mismatch := errs.New("keys", errs.Corrupt, name, "the key does not belong to its certificate", "restore the file from a backup, or replace the key with the root key")
	if c.Use != UseSeal {
		priv, err := readEd(name)
		if err != nil {
			return err
		}
		if !bytes.Equal(priv.Public().(ed25519.PublicKey), c.PublicKey()) {
			return mismatch
		}
		k.ed[c.Serial] = priv
		return nil
	}
	b, err := readSecret(name)
	if err != nil {
		return err
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(b)))
	if err != nil {
		return &errs.Error{Op: "keys", Kind: errs.Corrupt, Where: name, Why: "not an age identity", Hint: mismatch.Hint, Err: err}
	}
	if id.Recipient().String() != c.Key {
		return mismatch
	}
	k.seal[c.Serial] = id
	return nil
}

func writeEd(name string, key ed25519.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return errs.Wrap("keys", name, err)
	}
	return durable.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func readEd(name string) (ed25519.PrivateKey, error) {
	b, err := readSecret(name)
	if err != nil {
		return nil, err
	}
	bad := errs.New("keys", errs.Corrupt, name, "not an Ed25519 key in PEM (PKCS #8)", "restore the file from a backup")
	p, _ := pem.Decode(b)
	if p == nil || p.Type != "PRIVATE KEY" {
		return nil, bad
	}
	k, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	ed, ok := k.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, bad
	}
	return ed, nil
}

// readSecret reads a private key's file, refusing one that others can read.
func readSecret(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		kind := errs.Other
		if os.IsNotExist(err) {
			kind = errs.NotExist
		}
		return nil, &errs.Error{Op: "keys", Kind: kind, Where: name, Hint: "bring the key file back, or name where it is", Err: err}
	}
	if info.Mode().Perm()&0o077 != 0 || info.Mode()&fs.ModeType != 0 {
		return nil, errs.New("keys", errs.Permission, name, fmt.Sprintf("others can read this private key (mode %v)", info.Mode()), "chmod 600 it, and replace the key when others may have read it")
	}
	b, err := os.ReadFile(name)
	return b, errs.Wrap("keys", name, err)
}

// Org is the public document.
func (k *Keys) Org() Org { return k.org }

// ID is the organisation's id.
func (k *Keys) ID() OrgID { return k.org.ID }
