package journal

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"bongsu/errs"
	"bongsu/identity"
)

// algCosignature is the signature type of C2SP tlog-cosignature (cosignature/v1).
const algCosignature = 4

// Cosign signs a partner's newest checkpoint that we stored (C2SP
// tlog-cosignature): our word that we saw this tree, which its author keeps as
// evidence. The answer is one signature line, to be appended to the note.
func (j *Journal) Cosign(ctx context.Context, org identity.OrgID, log string) ([]byte, error) {
	msg, err := j.Checkpoint(ctx, org, log)
	if err != nil {
		return nil, err
	}
	now := j.opt.Now()
	cert, secret, err := j.keys.SigningKey(now)
	if err != nil {
		return nil, err
	}
	sig := ed25519.Sign(secret, cosigned(msg, uint64(now.Unix())))
	raw := binary.BigEndian.AppendUint32(nil, cosignKeyHash(j.own, cert.PublicKey()))
	raw = binary.BigEndian.AppendUint64(raw, uint64(now.Unix()))
	return []byte("\u2014 " + string(j.own) + " " + base64.StdEncoding.EncodeToString(append(raw, sig...)) + "\n"), nil
}

// cosigned is the text that a cosignature signs: the note's text without its
// signatures, under a header with the time.
func cosigned(msg []byte, at uint64) []byte {
	text, _, _ := strings.Cut(string(msg), "\n\n")
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s\n", at, text)
}

func cosignKeyHash(org identity.OrgID, key ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(string(org) + "\n"))
	h.Write([]byte{algCosignature})
	h.Write(key)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// VerifyCosignature checks that org cosigned a checkpoint, and says when. A
// failure is errs.Forged.
func VerifyCosignature(org identity.Org, checkpoint, line []byte) (time.Time, error) {
	forged := errs.New("cosignature", errs.Forged, string(org.ID), "it is not one by a key of "+org.Name, "ask the partner to confirm the checkpoint again")
	rest, ok := strings.CutPrefix(string(line), "\u2014 "+string(org.ID)+" ")
	b64, ok2 := strings.CutSuffix(rest, "\n")
	raw, err := base64.StdEncoding.Strict().DecodeString(b64)
	if !ok || !ok2 || err != nil || len(raw) != 4+8+ed25519.SignatureSize {
		return time.Time{}, forged
	}
	unix := binary.BigEndian.Uint64(raw[4:])
	if unix > 1<<40 {
		return time.Time{}, forged
	}
	at := time.Unix(int64(unix), 0).UTC()
	for _, c := range org.ValidAt(identity.UseSign, at) {
		if cosignKeyHash(org.ID, c.PublicKey()) == binary.BigEndian.Uint32(raw) && ed25519.Verify(c.PublicKey(), cosigned(checkpoint, unix), raw[12:]) {
			return at, nil
		}
	}
	return time.Time{}, forged
}
