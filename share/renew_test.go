package share_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"bongsu/identity"
	"bongsu/stix"
)

// TestChangedKeys: new TLS and signing keys, the old ones revoked: the two
// sides find each other again by the root key, whoever has the new keys.
func TestChangedKeys(t *testing.T) {
	for name, who := range map[string]func(seoul, europe *node) (renewed, other *node){
		"of the author":   func(s, e *node) (*node, *node) { return s, e },
		"of the receiver": func(s, e *node) (*node, *node) { return e, s },
	} {
		t.Run(name, func(t *testing.T) {
			seoul, europe, _ := pair(t, nodeOptions{}, nodeOptions{})
			n, other := who(seoul, europe)
			stolen := n.keys
			n.end()
			dir := filepath.Join(n.dir, "keys")
			for _, use := range []identity.Use{identity.UseTLS, identity.UseSign} {
				old := n.keys.Org().ValidAt(use, n.clock.now())[0].Serial
				var err error
				if n.keys, err = identity.Replace(dir, identity.RootPath(dir), use, n.clock.now()); err != nil {
					t.Fatal(err)
				}
				if n.keys, err = identity.Revoke(dir, identity.RootPath(dir), old, n.clock.now(), "stolen", n.clock.now()); err != nil {
					t.Fatal(err)
				}
			}
			n.start()
			there := seoul.say(seoul.listing(1, stix.TLPAmber))[0]
			back := europe.say(europe.listing(2, stix.TLPAmber))[0]
			until(t, "both directions work again", func() bool { return europe.has(seoul, there) && seoul.has(europe, back) })
			// Who stole the old key is a stranger now.
			c, base := client(t, stolen, other)
			if code, body := get(t, c, base+"/ping"); code != http.StatusForbidden {
				t.Errorf("the old key: %d %s", code, body)
			}
		})
	}
}
