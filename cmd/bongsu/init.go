package main

import (
	"fmt"
	"io"

	"bongsu/durable"
	"bongsu/errs"
	"bongsu/identity"
)

type initCmd struct {
	Name string `required:"" help:"The organisation's name, as partners see it." placeholder:"NAME"`
}

func (initCmd) Help() string {
	return `Makes an organisation: a root key, the signing, TLS and sealing keys that it certifies, and the data folder.

Examples:
  bongsu init --name "Example CERT"
  bongsu init --name "Example Exchange" --data /srv/bongsu

Keep the root key (DIR/keys/root.key) offline: the node works without it, and it alone can replace or revoke the node's keys.`
}

func (c *initCmd) Run(a *app) error {
	if c.Name == "" {
		return errs.New("init", errs.Usage, "--name", "an organisation needs a name", "write it as partners know it")
	}
	if err := durable.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	keys, err := identity.Create(a.dir, c.Name, a.now())
	if err != nil {
		return err
	}
	n, err := openNode(a) // makes the two books, so that a broken disk shows now
	if err != nil {
		return err
	}
	if err := n.close(); err != nil {
		return err
	}
	org := keys.Org()
	doc := map[string]any{"id": org.ID, "name": org.Name, "fingerprint": org.Fingerprint(), "data": a.dir}
	return a.print(doc, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n  id           %s\n  fingerprint  %s\n  data         %s\n", org.Name, org.ID, org.Fingerprint(), a.dir)
		fmt.Fprintf(w, "Partners compare the fingerprint by voice. Next: bongsu serve --data %s\n", a.dir)
	})
}
