package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"bongsu/errs"

	"github.com/BurntSushi/toml"
)

// config is DIR/bongsu.toml. Each value can be overridden by the environment
// variable BONGSU_<NAME in capitals>, and that by the command's flag.
type config struct {
	// Listen is the address of the workspace and the HTTP interface.
	Listen string `toml:"listen"`
	// ShareListen is the address at which partners reach this node.
	ShareListen string `toml:"share_listen"`
	// ShareAddress is what invitations tell partners to dial, when it differs
	// from ShareListen (a name, a forwarded port).
	ShareAddress string `toml:"share_address"`
	// Hosts are further names under which the workspace may be opened.
	Hosts []string `toml:"hosts"`
	// AllowNets are the private, loopback and link-local ranges, as CIDR, in
	// which partners and chain nodes may be dialled. Nothing outside the public
	// Internet is dialled otherwise; a node that itself listens on loopback may
	// reach loopback.
	AllowNets []netip.Prefix `toml:"allow_nets"`
	// User is who acts on this node when a command is run by hand.
	User string `toml:"user"`
	// CheckpointRows is how many rows an import that was killed may have to read
	// again: a smaller number costs speed. 0 leaves it to the import.
	CheckpointRows int `toml:"checkpoint_rows"`
	// Follow are the chain nodes that serve follows by itself: [[follow]]
	// tables.
	Follow []followed `toml:"follow"`
}

// followed is one chain node that serve follows.
type followed struct {
	Chain string `toml:"chain"` // "ethereum" (any EVM chain) or "bitcoin"
	URL   string `toml:"url"`   // of its JSON-RPC, with user and password where it needs them
	From  string `toml:"from"`  // as follow's --from
	Depth uint64 `toml:"depth"` // as follow's --depth
}

// loadConfig reads DIR/bongsu.toml, when there is one, and the environment.
func loadConfig(dir string, getenv func(string) string) (config, error) {
	c := config{Listen: "127.0.0.1:8420", ShareListen: "127.0.0.1:8421", User: "operator"}
	name := filepath.Join(dir, "bongsu.toml")
	data, err := os.ReadFile(name)
	switch {
	case os.IsNotExist(err):
	case err != nil:
		return c, errs.Wrap("configuration", name, err)
	default:
		meta, err := toml.Decode(string(data), &c)
		if err != nil {
			return c, errs.New("configuration", errs.Invalid, name, err.Error(), "mend the file; bongsu serve --help lists the settings")
		}
		if keys := meta.Undecoded(); len(keys) > 0 {
			return c, errs.New("configuration", errs.Invalid, name, "unknown setting "+keys[0].String(),
				"the settings are: listen, share_listen, share_address, hosts, allow_nets, user, checkpoint_rows, and [[follow]] with chain, url, from, depth")
		}
	}
	for name, to := range map[string]*string{
		"BONGSU_LISTEN": &c.Listen, "BONGSU_SHARE_LISTEN": &c.ShareListen,
		"BONGSU_SHARE_ADDRESS": &c.ShareAddress, "BONGSU_USER": &c.User,
	} {
		if v := getenv(name); v != "" {
			*to = v
		}
	}
	if v := getenv("BONGSU_CHECKPOINT_ROWS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return c, errs.New("configuration", errs.Usage, "BONGSU_CHECKPOINT_ROWS", "not a number of rows", "write digits alone, or leave it out")
		}
		c.CheckpointRows = n
	}
	if v := getenv("BONGSU_HOSTS"); v != "" {
		c.Hosts = strings.Split(v, ",")
		sort.Strings(c.Hosts)
	}
	return c, nil
}
