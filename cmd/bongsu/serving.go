package main

import (
	"encoding/json"
	"os"

	"bongsu/durable"
	"bongsu/errs"
)

// serving says where a running node listens: what `serve --json` prints, and,
// without the sign-in link, DIR/serving.json, by which commands beside it learn
// the address that an invitation has to name.
type serving struct {
	Listen      string `json:"listen"`
	ShareListen string `json:"share_listen"`
	SignIn      string `json:"sign_in,omitempty"`
}

const servingFile = "serving.json"

func (a *app) noteServing(s serving) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return durable.WriteFile(a.path(servingFile), append(b, '\n'), 0o600)
}

func (a *app) forgetServing() error {
	if err := os.Remove(a.path(servingFile)); err != nil && !os.IsNotExist(err) {
		return errs.Wrap("serve", a.path(servingFile), err)
	}
	return nil
}

// servingNow is the file of a running serve, or the zero. A crash leaves the
// file behind; then the address in it is where the node listened last.
func (a *app) servingNow() serving {
	var s serving
	if b, err := os.ReadFile(a.path(servingFile)); err == nil {
		json.Unmarshal(b, &s) //nolint:errcheck // a damaged file says nothing
	}
	return s
}
