package identity_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/identity"
)

var t0 = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

func create(t *testing.T, name string) (string, *identity.Keys) {
	t.Helper()
	dir := t.TempDir()
	k, err := identity.Create(dir, name, t0)
	if err != nil {
		t.Fatal(err)
	}
	return dir, k
}

func TestCreateLoad(t *testing.T) {
	dir, k := create(t, "Seoul Agency")
	again, err := identity.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != k.ID() || again.Org().Name != "Seoul Agency" {
		t.Fatalf("loaded %v, created %v", again.Org(), k.Org())
	}
	files, err := os.ReadDir(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 5 {
		t.Errorf("%d files in keys, want root, three keys and the document", len(files))
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", f.Name(), info.Mode(), err)
		}
	}
	if _, err := identity.Create(dir, "Other", t0); errs.Is(err) != errs.Exist {
		t.Errorf("a second organisation in the folder: %v", err)
	}
	for _, name := range []string{"", " x", "a\nb", strings.Repeat("x", 201)} {
		if _, err := identity.Create(t.TempDir(), name, t0); errs.Is(err) != errs.Invalid {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if _, err := identity.Load(t.TempDir()); errs.Is(err) != errs.NotExist || errs.Hint(err) == "" {
		t.Errorf("empty folder: %v", err)
	}
}

func TestRootOffline(t *testing.T) {
	dir, _ := create(t, "Agency")
	away := filepath.Join(t.TempDir(), "usb.key")
	if err := os.Rename(identity.RootPath(dir), away); err != nil {
		t.Fatal(err)
	}
	k, err := identity.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.SignAt(t0, "test", []byte("m")); err != nil {
		t.Errorf("signing without the root key: %v", err)
	}
	if _, err := identity.Replace(dir, identity.RootPath(dir), identity.UseSign, t0); errs.Is(err) != errs.NotExist {
		t.Errorf("rotation without the root key: %v", err)
	}
	// A thief has the node's keys: the signing key in the root's place is refused.
	if _, err := identity.Replace(dir, filepath.Join(dir, "keys", "sign-1.key"), identity.UseSign, t0); errs.Is(err) != errs.Forged {
		t.Errorf("a node key rotated itself: %v", err)
	}
	k2, err := identity.Replace(dir, away, identity.UseSign, t0.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if !k2.Org().Supersedes(k.Org()) || k.Org().Supersedes(k2.Org()) {
		t.Error("the newer document does not replace the older")
	}
	s, err := k2.SignAt(t0.Add(time.Hour), "test", []byte("m"))
	if err != nil || s.Serial != 4 {
		t.Errorf("signed with certificate %d (%v), want the new one, 4", s.Serial, err)
	}
}

func TestRevocation(t *testing.T) {
	dir, k := create(t, "Agency")
	msg := []byte("what was said")
	old, err := k.SignAt(t0, "test", msg)
	if err != nil {
		t.Fatal(err)
	}
	since := t0.Add(24 * time.Hour)
	k2, err := identity.Revoke(dir, identity.RootPath(dir), old.Serial, since, "laptop stolen", t0.Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	o := k2.Org()
	if err := o.VerifySignature("test", msg, old, since.Add(-time.Nanosecond)); err != nil {
		t.Errorf("signed before the revocation: %v", err)
	}
	if err := o.VerifySignature("test", msg, old, since); errs.Is(err) != errs.Forged {
		t.Errorf("signed at the revocation: %v", err)
	}
	if _, err := k2.SignAt(since, "test", msg); errs.Is(err) != errs.Unavailable {
		t.Errorf("signing with the revoked key: %v", err)
	}
	if _, err := identity.Revoke(dir, identity.RootPath(dir), 99, since, "", t0); errs.Is(err) != errs.NotExist {
		t.Errorf("revoking what is not there: %v", err)
	}
}

func TestSignatureBindings(t *testing.T) {
	_, k := create(t, "Agency")
	_, other := create(t, "Agency")
	msg := []byte("m")
	s, err := k.SignAt(t0, "agreement", msg)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"other context":      k.Org().VerifySignature("receipt", msg, s, t0),
		"context moved":      k.Org().VerifySignature("agreemen", []byte("t\x00m"), s, t0),
		"other message":      k.Org().VerifySignature("agreement", []byte("n"), s, t0),
		"other organisation": other.Org().VerifySignature("agreement", msg, s, t0),
		"TLS key's serial":   k.Org().VerifySignature("agreement", msg, identity.Signature{Serial: 2, Sig: s.Sig}, t0),
		"before the key":     k.Org().VerifySignature("agreement", msg, s, t0.Add(-2*time.Hour)),
		"after the key":      k.Org().VerifySignature("agreement", msg, s, t0.Add(identity.CertValidity)),
	} {
		if errs.Is(err) != errs.Forged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := k.Org().VerifySignature("agreement", msg, s, t0); err != nil {
		t.Error(err)
	}
}

// Every changed byte of a document is refused, and so is one whose parts were
// taken from another.
func TestDocumentTampering(t *testing.T) {
	_, k := create(t, "Agency")
	doc, err := k.Org().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := identity.ParseOrg(doc); err != nil {
		t.Fatal(err)
	}
	for i := range doc {
		bad := bytes.Clone(doc)
		bad[i] ^= 1
		if o, err := identity.ParseOrg(bad); err == nil {
			again, _ := o.Marshal()
			t.Fatalf("byte %d changed unseen: %s (%v)", i, bad[max(0, i-20):min(len(bad), i+20)], bytes.Equal(again, doc))
		}
	}
	_, mallory := create(t, "Mallory")
	forged := k.Org()
	forged.Certs = append([]identity.Certificate{}, mallory.Org().Certs...)
	if err := forged.Verify(); err == nil {
		t.Error("another organisation's certificates were accepted")
	}
	forged = mallory.Org()
	forged.ID = k.ID()
	if err := forged.Verify(); errs.Is(err) != errs.Forged {
		t.Errorf("another's id: %v", err)
	}
	dup := bytes.Replace(doc, []byte(`{"certs"`), []byte(`{"v":1,"certs"`), 1)
	if _, err := identity.ParseOrg(dup); errs.Is(err) != errs.Invalid {
		t.Errorf("duplicate key: %v", err)
	}
	extra := bytes.Replace(doc, []byte(`{"certs"`), []byte(`{"admin":true,"certs"`), 1)
	if _, err := identity.ParseOrg(extra); errs.Is(err) != errs.Invalid {
		t.Errorf("unknown member: %v", err)
	}
	if _, err := identity.ParseOrg(make([]byte, identity.MaxOrg+1)); errs.Is(err) != errs.Limit {
		t.Errorf("too large: %v", err)
	}
}

func TestKeyFiles(t *testing.T) {
	dir, _ := create(t, "Agency")
	name := filepath.Join(dir, "keys", "sign-1.key")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.Load(dir); errs.Is(err) != errs.Permission {
		t.Errorf("readable key: %v", err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(dir, "keys", "tls-2.key"))
	if err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string][]byte{"another's key": other, "nothing": nil, "half": good[:len(good)/2]} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := identity.Load(dir); errs.Is(err) != errs.Corrupt {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A crash before the document was written leaves no organisation, and Create
// takes the folder up again.
func TestCreateAfterCrash(t *testing.T) {
	dir, k := create(t, "Agency")
	if err := os.Remove(filepath.Join(dir, "keys", "org.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.Load(dir); errs.Is(err) != errs.NotExist {
		t.Errorf("load without a document: %v", err)
	}
	again, err := identity.Create(dir, "Agency", t0)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() == k.ID() {
		t.Error("the half-made organisation's root key was kept")
	}
	if _, err := again.SignAt(t0, "test", nil); err != nil {
		t.Error(err)
	}
}

// After each key is replaced, what the old ones signed verifies and what was
// sealed to them opens; new connections use the new key, old ones still pin.
func TestReplaceEveryUse(t *testing.T) {
	dir, k := create(t, "Agency")
	signature, err := k.SignAt(t0, "test", []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := identity.Seal(t0, []byte("secret"), k.Org())
	if err != nil {
		t.Fatal(err)
	}
	oldTLS, err := k.TLS(t0)
	if err != nil {
		t.Fatal(err)
	}
	later := t0.Add(time.Hour)
	for _, use := range []identity.Use{identity.UseSign, identity.UseTLS, identity.UseSeal} {
		if k, err = identity.Replace(dir, identity.RootPath(dir), use, later); err != nil {
			t.Fatal(err)
		}
		if got := k.Org().ValidAt(use, later); len(got) != 2 || got[0].Serial < got[1].Serial {
			t.Errorf("%s: certificates %+v, want the new one first", use, got)
		}
	}
	o := k.Org()
	if err := o.VerifySignature("test", []byte("m"), signature, t0); err != nil {
		t.Error(err)
	}
	if got, err := k.Open(sealed); err != nil || string(got) != "secret" {
		t.Errorf("sealed to the old key: %q, %v", got, err)
	}
	newTLS, err := k.TLS(later)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(newTLS.Certificate[0], oldTLS.Certificate[0]) {
		t.Error("connections still use the old key")
	}
	for _, c := range []tls.Certificate{oldTLS, newTLS} {
		if err := o.VerifyPeer(later, c.Certificate); err != nil {
			t.Error(err)
		}
	}
	if k, err = identity.Revoke(dir, identity.RootPath(dir), 2, later, "stolen", later); err != nil {
		t.Fatal(err)
	}
	if err := k.Org().VerifyPeer(later, oldTLS.Certificate); errs.Is(err) != errs.Forged {
		t.Errorf("a revoked TLS key: %v", err)
	}
	if _, err := identity.Replace(dir, identity.RootPath(dir), "admin", later); errs.Is(err) != errs.Usage {
		t.Errorf("an unknown use: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	root := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)).Public().(ed25519.PublicKey)
	got := identity.Fingerprint(root)
	if want := "84957 98319 66266 64748 85712 60377"; got != want {
		t.Errorf("fingerprint %q, want %q", got, want)
	}
	if !identity.SameFingerprint(got, strings.ReplaceAll(got, " ", "-")) || identity.SameFingerprint("", "") ||
		identity.SameFingerprint(got, got[:len(got)-1]) {
		t.Error("comparison of typed fingerprints")
	}
	if id, want := identity.IDOf(root), identity.OrgID("identity--825ee3a1-ab1d-570a-a8ce-a2332b7505bd"); id != want {
		t.Errorf("id %q, want %q", id, want)
	}
}

func TestSeal(t *testing.T) {
	_, a := create(t, "A")
	_, b := create(t, "B")
	_, c := create(t, "C")
	sealed, err := identity.Seal(t0, []byte("for two"), a.Org(), b.Org())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*identity.Keys{a, b} {
		if got, err := k.Open(sealed); err != nil || string(got) != "for two" {
			t.Errorf("open: %q, %v", got, err)
		}
	}
	if _, err := c.Open(sealed); errs.Is(err) != errs.Permission {
		t.Errorf("a stranger opened it: %v", err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := a.Open(sealed); err == nil {
		t.Error("a changed byte went unseen")
	}
	if _, err := identity.Seal(t0, nil); errs.Is(err) != errs.Usage {
		t.Error("sealed to nobody")
	}
}

// handshake runs mutual TLS over loopback, each side pinning the document it was
// given for the other.
func handshake(t *testing.T, server, client *identity.Keys, seenByServer, seenByClient identity.Org) (serverErr, clientErr error) {
	t.Helper()
	now := time.Now()
	config := func(k *identity.Keys, peer identity.Org) *tls.Config {
		cert, err := k.TLS(now)
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13,
			InsecureSkipVerify: true, ClientAuth: tls.RequireAnyClientCert,
			VerifyConnection: func(s tls.ConnectionState) error {
				return peer.VerifyPeer(now, [][]byte{s.PeerCertificates[0].Raw})
			},
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	a, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	deadline := time.Now().Add(10 * time.Second)
	a.SetDeadline(deadline) //nolint:errcheck // a failure shows below
	b.SetDeadline(deadline) //nolint:errcheck // a failure shows below
	done := make(chan error, 1)
	go func() {
		s := tls.Server(a, config(server, seenByServer))
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte{1})
		}
		a.Close()
		done <- err
	}()
	c := tls.Client(b, config(client, seenByClient))
	if clientErr = c.Handshake(); clientErr == nil {
		_, clientErr = c.Read(make([]byte, 1))
	}
	b.Close()
	return <-done, clientErr
}

func TestMutualTLS(t *testing.T) {
	mk := func(name string) *identity.Keys {
		k, err := identity.Create(t.TempDir(), name, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	a, b, mallory := mk("A"), mk("B"), mk("Mallory")
	if s, c := handshake(t, a, b, b.Org(), a.Org()); s != nil || c != nil {
		t.Errorf("partners: server %v, client %v", s, c)
	}
	if s, _ := handshake(t, a, mallory, b.Org(), a.Org()); errs.Is(s) != errs.Forged {
		t.Errorf("the server took a stranger: %v", s)
	}
	if _, c := handshake(t, mallory, b, b.Org(), a.Org()); errs.Is(c) != errs.Forged {
		t.Errorf("the client took a stranger: %v", c)
	}
	if err := a.Org().VerifyPeer(time.Now(), nil); errs.Is(err) != errs.Forged {
		t.Error("no certificate at all")
	}
}

func FuzzParseOrg(f *testing.F) {
	k, err := identity.Create(f.TempDir(), "Agency", t0)
	if err != nil {
		f.Fatal(err)
	}
	doc, _ := k.Org().Marshal()
	f.Add(doc)
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := identity.ParseOrg(b)
		if err != nil {
			return
		}
		again, err := o.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := identity.ParseOrg(again); err != nil {
			t.Fatalf("what was accepted does not survive a round trip: %v", err)
		}
	})
}
