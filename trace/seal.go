package trace

import (
	"crypto/sha256"
	"encoding/json"

	"bongsu/errs"

	"github.com/go-json-experiment/json/jsontext"
)

// seal sets Digest: SHA-256 over the RFC 8785 text of the result without
// "digest" and "elapsed_ms" (definition 9).
func (r *Result) seal() error {
	d, err := r.digest()
	if err == nil {
		r.Digest = d
	}
	return err
}

func (r Result) digest() (string, error) {
	raw, err := json.Marshal(struct {
		*Result
		Digest    *struct{} `json:"digest,omitempty"`
		ElapsedMS *struct{} `json:"elapsed_ms,omitempty"`
	}{Result: &r})
	if err != nil {
		return "", errs.Wrap("trace", "digest", err)
	}
	text := jsontext.Value(raw)
	if err := text.Canonicalize(); err != nil {
		return "", errs.Wrap("trace", "digest", err)
	}
	h := sha256.New()
	h.Write(text)
	return sumText(h), nil
}

// Verify says whether the result's digest is that of its contents.
func (r *Result) Verify() error {
	d, err := r.digest()
	if err != nil {
		return err
	}
	if d != r.Digest {
		return errs.New("trace", errs.Corrupt, r.Digest, "the digest of the result's contents is "+d, "trace again; do not rely on this copy")
	}
	return nil
}
