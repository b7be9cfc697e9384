package journal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"bongsu/errs"
	"bongsu/identity"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxNote is the most bytes a checkpoint may have.
const MaxNote = 4 << 10

// Checkpoint is a signed tree head: a C2SP tlog-checkpoint whose origin is
// "<OrgID>/<log>", with one extension line "time <RFC 3339, microseconds>".
type Checkpoint struct {
	Org    identity.OrgID
	Log    string
	Size   uint64
	Root   tlog.Hash
	Time   time.Time
	Serial uint64 // of the certificate whose key signed
}

func origin(org identity.OrgID, log string) string { return string(org) + "/" + log }

// text is the note's text.
func (c Checkpoint) text() string {
	return origin(c.Org, c.Log) + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + c.Root.String() + "\n" +
		"time " + c.Time.UTC().Format(timeFormat) + "\n"
}

// noteKey is a note.Signer and note.Verifier of one certified key. The key's
// name in signed notes is the checkpoint's origin.
type noteKey struct {
	name   string
	public ed25519.PublicKey
	secret ed25519.PrivateKey // nil for verifying
}

// algEd25519 is the signature type of plain Ed25519 in signed notes.
const algEd25519 = 1

func (k noteKey) Name() string { return k.name }

// KeyHash is C2SP signed-note's key id: the first four bytes of
// SHA-256(name || "\n" || type || key).
func (k noteKey) KeyHash() uint32 {
	h := sha256.New()
	h.Write([]byte(k.name + "\n"))
	h.Write([]byte{algEd25519})
	h.Write(k.public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func (k noteKey) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(k.secret, msg), nil }

func (k noteKey) Verify(msg, sig []byte) bool { return ed25519.Verify(k.public, msg, sig) }

// signCheckpoint signs a tree head with the newest signing key.
func signCheckpoint(keys *identity.Keys, c Checkpoint) ([]byte, error) {
	cert, secret, err := keys.SigningKey(c.Time)
	if err != nil {
		return nil, err
	}
	msg, err := note.Sign(&note.Note{Text: c.text()}, noteKey{origin(c.Org, c.Log), cert.PublicKey(), secret})
	return msg, errs.Wrap("checkpoint", origin(c.Org, c.Log), err)
}

// OpenCheckpoint verifies a checkpoint of an organisation's log: one
// signature, by a signing key that its root certified and that held at the
// checkpoint's time. Anything else is errs.Forged.
func OpenCheckpoint(org identity.Org, log string, msg []byte) (Checkpoint, error) {
	c, holds, err := openCheckpoint(org, log, msg)
	if err == nil && !holds {
		return Checkpoint{}, forgedCheckpoint(org, log, fmt.Sprintf("certificate %d, whose key signed it, did not hold at %s: it was revoked, or is dated otherwise",
			c.Serial, c.Time.Format(time.RFC3339)), nil)
	}
	return c, err
}

// openCheckpoint verifies the signature by any key that the root ever
// certified, and says whether that key held at the checkpoint's time.
func openCheckpoint(org identity.Org, log string, msg []byte) (c Checkpoint, holds bool, err error) {
	if len(msg) > MaxNote {
		return c, false, forgedCheckpoint(org, log, "it is too long", nil)
	}
	if c, err = parseCheckpoint(org.ID, log, string(msg)); err != nil {
		return c, false, forgedCheckpoint(org, log, "it is malformed", err)
	}
	for _, cert := range org.Certs {
		if cert.Use != identity.UseSign {
			continue
		}
		n, err := note.Open(msg, note.VerifierList(noteKey{name: origin(org.ID, log), public: cert.PublicKey()}))
		if err != nil {
			continue
		}
		if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 || n.Text != c.text() || !strictNote(n, msg) {
			return c, false, forgedCheckpoint(org, log, "it has more or other parts than a checkpoint", nil)
		}
		c.Serial = cert.Serial
		return c, org.Holds(cert, c.Time), nil
	}
	return c, false, forgedCheckpoint(org, log, "no key that its root certified signed it", nil)
}

func forgedCheckpoint(org identity.Org, log, why string, err error) error {
	return &errs.Error{
		Op: "checkpoint", Kind: errs.Forged, Where: origin(org.ID, log), Why: why, Err: err,
		Hint: "do not trust it; ask " + org.Name + " by another way",
	}
}

// strictNote holds a note to its one spelling: base64 has spare bits that
// decoders overlook.
func strictNote(n *note.Note, msg []byte) bool {
	s := n.Sigs[0]
	raw, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
	return err == nil && string(msg) == n.Text+"\n\u2014 "+s.Name+" "+base64.StdEncoding.EncodeToString(raw)+"\n"
}

// parseCheckpoint reads a checkpoint's text without trusting it.
func parseCheckpoint(org identity.OrgID, log, msg string) (Checkpoint, error) {
	c := Checkpoint{Org: org, Log: log}
	bad := func(why string) (Checkpoint, error) {
		return Checkpoint{}, errs.New("checkpoint", errs.Invalid, "", why, "")
	}
	lines := strings.SplitN(msg, "\n", 6)
	if len(lines) < 6 || lines[4] != "" {
		return bad("not a checkpoint of four lines")
	}
	if lines[0] != origin(org, log) {
		return bad(fmt.Sprintf("its origin is %.120q", lines[0]))
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil || size > maxSeq || strconv.FormatUint(size, 10) != lines[1] {
		return bad("its size is not a number")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return bad("its root is not a hash")
	}
	at, ok := parseTime(strings.TrimPrefix(lines[3], "time "))
	if !ok || !strings.HasPrefix(lines[3], "time ") {
		return bad("it has no time")
	}
	c.Size, c.Root, c.Time = size, root, at
	return c, nil
}
