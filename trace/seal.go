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

func (r *Result) digest() (string, error) {
	text, err := r.canonical()
	if err != nil {
		return "", errs.Wrap("trace", "digest", err)
	}
	h := sha256.New()
	h.Write(text)
	return sumText(h), nil
}

// lineText is how many bytes one row of a result takes, about.
const lineText = 640

// canonical is the text that the digest is over.
func (r *Result) canonical() ([]byte, error) {
	if r.fits() {
		c := canonical{b: make([]byte, 0, lineText*(1+len(r.Holdings)+len(r.Exits)+len(r.Unfollowed)+len(r.Aside)))}
		c.result(r)
		return c.b, nil
	}
	return r.canonicalized()
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
