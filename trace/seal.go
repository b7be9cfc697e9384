package trace

import (
	"crypto/sha256"
	"encoding/json"
	"io"

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

func (r *Result) digest() (string, error) {
	h := sha256.New()
	if err := r.canonical(h); err != nil {
		return "", errs.Wrap("trace", "digest", err)
	}
	return sumText(h), nil
}

// canonical writes the text that the digest is over.
func (r *Result) canonical(to io.Writer) error {
	if r.fits() {
		c := canonical{to: to, b: make([]byte, 0, canonicalChunk+canonicalRow)}
		c.result(r)
		c.flush()
		return c.err
	}
	text, err := r.canonicalized()
	if err == nil {
		_, err = to.Write(text)
	}
	return err
}

// canonicalized is canonical for any result, step by step.
func (r *Result) canonicalized() ([]byte, error) {
	raw, err := json.Marshal(struct {
		*Result
		Digest    *struct{} `json:"digest,omitempty"`
		ElapsedMS *struct{} `json:"elapsed_ms,omitempty"`
	}{Result: r})
	if err != nil {
		return nil, err
	}
	text := jsontext.Value(raw)
	return text, text.Canonicalize()
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
