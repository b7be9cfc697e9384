//go:build peers

package peers

import (
	"regexp"
	"strings"
	"testing"
)

// Anvil starts anvil and returns its addresses.
func Anvil(t testing.TB) (http, ws string) {
	t.Helper()
	at := Start(t, "anvil", []*regexp.Regexp{regexp.MustCompile(`Listening on (\S+)`)}, "--port", "0")
	return "http://" + at[0], "ws://" + at[0]
}

// Geth starts geth as a development chain and returns its addresses.
func Geth(t testing.TB) (http, ws string) {
	t.Helper()
	at := Start(t, "geth", []*regexp.Regexp{
		regexp.MustCompile(`HTTP server started\s+endpoint=(\S+)`), regexp.MustCompile(`WebSocket enabled\s+url=(\S+)`),
	}, "--dev", "--datadir", t.TempDir(), "--http", "--http.port", "0", "--http.api", "eth,debug,net",
		"--ws", "--ws.port", "0", "--ws.api", "eth,debug,net", "--ipcdisable", "--nodiscover", "--port", "0", "--authrpc.port", "0")
	return "http://" + strings.TrimPrefix(at[0], "http://"), at[1]
}

// Btcd starts btcd on simnet, whose blocks pay an address, and returns the URL
// of its RPC and the address for other nodes.
func Btcd(t testing.TB, pays string) (url, p2p string) {
	t.Helper()
	dir := t.TempDir()
	at := Start(t, "btcd", []*regexp.Regexp{
		regexp.MustCompile(`RPC server listening on (127\.0\.0\.1:\d+)`), regexp.MustCompile(`Server listening on (127\.0\.0\.1:\d+)`),
	}, "--simnet", "--datadir="+dir, "--logdir="+dir, "--configfile="+dir+"/none", "--notls", "--rpcuser=peer", "--rpcpass=peer",
		"--rpclisten=127.0.0.1:0", "--listen=127.0.0.1:0", "--miningaddr="+pays, "--nobanning", "--relaynonstd", "--minrelaytxfee=0", "--blockprioritysize=50000")
	return "http://peer:peer@" + at[0], at[1]
}
