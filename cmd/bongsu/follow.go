package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"bongsu/errs"
	"bongsu/ingest/bitcoin"
	"bongsu/ingest/ethereum"
	"bongsu/ingest/follow"
	"bongsu/ingest/signatures"
)

type followCmd struct {
	Ethereum followEthereumCmd `cmd:"" help:"Follow an EVM chain's node (JSON-RPC over HTTP or WebSocket)."`
	Bitcoin  followBitcoinCmd  `cmd:"" help:"Follow a Bitcoin node (JSON-RPC)."`
}

type followFlags struct {
	URL  string `arg:"" help:"The node: http, https, ws or wss; user and password in it are sent to the node."`
	From string `help:"First block to fetch where the ledger holds nothing to go on from: a number, or latest for the node's best block." default:"0" placeholder:"BLOCK"`
	Once bool   `help:"End when level with the node."`
}

// setup is what the flags say.
func (c *followFlags) setup(a *app, n *node, event func(follow.Event)) (follow.Setup, error) {
	s := follow.Setup{URL: c.URL, Ledger: follow.Into(n.ledger), HTTP: a.dialer(c.URL), Once: c.Once, Event: event}
	if c.From == "latest" {
		s.Latest = true
		return s, nil
	}
	var err error
	if s.From, err = strconv.ParseUint(c.From, 10, 64); err != nil {
		err = errs.New("follow", errs.Usage, c.From, "not a block", "write its number, or latest")
	}
	return s, err
}

type followEthereumCmd struct {
	followFlags
	Depth uint64 `help:"Call a block final with so many on top, instead of asking the node." placeholder:"N"`
}

func (followEthereumCmd) Help() string {
	return `Catches up, then follows live until interrupted: blocks, receipts, token transfers, and internal transfers where the node offers a call tracer (it says so where not). Blocks that are not final stay apart, and a reorganisation undoes them exactly. A node that goes away is asked again; a node that lies is refused.

Examples:
  bongsu follow ethereum ws://127.0.0.1:8546 --from 21895238
  bongsu follow ethereum http://127.0.0.1:8545 --once

A node in a private network needs its range in allow_nets of bongsu.toml.`
}

func (c *followEthereumCmd) Run(a *app) error {
	return a.following(&c.followFlags, followEthereum(c.Depth))
}

type followBitcoinCmd struct {
	followFlags
	Depth uint64 `help:"Confirmations that make a block final." default:"6" placeholder:"N"`
}

func (followBitcoinCmd) Help() string {
	return `Catches up, then follows live until interrupted.

Example:
  bongsu follow bitcoin http://user:password@127.0.0.1:8332 --from 800000`
}

func (c *followBitcoinCmd) Run(a *app) error {
	return a.following(&c.followFlags, followBitcoin(c.Depth))
}

// followFunc follows one node until ctx ends or the node is refused.
type followFunc func(context.Context, follow.Setup) error

func followEthereum(depth uint64) followFunc {
	return func(ctx context.Context, s follow.Setup) error {
		return ethereum.Follow(ctx, ethereum.Config{
			Setup: s, FinalDepth: depth, Keep: ethereum.Keep{Call: signatures.KeepCall, Log: signatures.KeepLog},
		})
	}
}

func followBitcoin(confirmations uint64) followFunc {
	return func(ctx context.Context, s follow.Setup) error {
		return bitcoin.Follow(ctx, bitcoin.Config{Setup: s, Confirmations: confirmations})
	}
}

// following opens the node and runs one follower, telling what happens.
func (a *app) following(c *followFlags, do followFunc) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // every block reported its own errors
	if err := n.ledger.MergeInBackground(a.ctx, func(err error) {
		if err != nil {
			a.note("the ledger was not merged, and will be later: %s", oneLine(err.Error()))
		}
	}); err != nil {
		return err
	}
	s, err := c.setup(a, n, (&progress{app: a}).tell)
	if err != nil {
		return err
	}
	return do(a.ctx, s)
}

// progress tells what a follower does, and how long catching up will take.
type progress struct {
	*app
	began time.Time // of catching up
	first uint64
}

// tell prints an event, as one line or as one JSON document a line.
func (a *progress) tell(e follow.Event) {
	if a.json {
		doc := map[string]any{"event": e.Kind.String(), "chain": e.Chain, "block": e.Block.Number, "last": e.Last, "head": e.Head, "live": e.Live, "added": e.Stats.Added}
		if e.Kind == follow.Planned {
			doc["fresh"] = e.Fresh
		}
		if e.Err != nil {
			doc["error"] = oneLine(e.Err.Error())
		}
		if e.Note != "" {
			doc["note"] = e.Note
		}
		json.NewEncoder(a.stdout).Encode(doc) //nolint:errcheck // a closed output ends the process by signal
		return
	}
	switch e.Kind {
	case follow.Retrying:
		a.note("%s; asked again in %s", oneLine(e.Err.Error()), e.Delay.Round(100*time.Millisecond))
	case follow.Noticed:
		a.note("%s: %s", e.Chain, e.Note)
	case follow.Planned:
		a.began, a.first = a.now(), e.Block.Number
		a.note("%s", plan(e))
	case follow.Applied:
		last := max(e.Last, e.Block.Number)
		fmt.Fprintf(a.stdout, "%s: blocks %d to %d of %d: %d transfers%s\n", e.Chain, e.Block.Number, last, e.Head, e.Stats.Added, a.left(last, e.Head))
	default:
		fmt.Fprintf(a.stdout, "%s: %s at block %d\n", e.Chain, e.Kind, e.Block.Number)
	}
}

// plan says what will be fetched.
func plan(e follow.Event) string {
	switch {
	case e.Block.Number > e.Last:
		return fmt.Sprintf("%s: the ledger is level with the node's block %d", e.Chain, e.Last)
	case e.Fresh:
		return fmt.Sprintf("%s: the ledger holds nothing to go on from: blocks %d to %d will be fetched; --from BLOCK begins later, --from latest at the newest", e.Chain, e.Block.Number, e.Last)
	}
	return fmt.Sprintf("%s: blocks %d to %d will be fetched", e.Chain, e.Block.Number, e.Last)
}

// longHaul is how many blocks have to be missing for an estimate of the time.
const longHaul = 1000

// left estimates how long catching up still takes, from how long it took so far.
func (a *progress) left(last, head uint64) string {
	took, done := a.now().Sub(a.began), last+1-a.first
	if last+longHaul > head || last < a.first || took < time.Second {
		return ""
	}
	left := time.Duration(float64(took) / float64(done) * float64(head-last))
	return fmt.Sprintf("; about %s left", left.Round(time.Minute))
}

// dialer connects only where the configuration allows: public addresses, this
// machine's loopback when the URL names it, and the ranges of allow_nets. The
// address is checked after the name was resolved, at each connection.
func (a *app) dialer(target string) *http.Client {
	d := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return a.mayDial(target, at.Addr().Unmap())
	}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 16, ResponseHeaderTimeout: 60 * time.Second}}
}

func (a *app) mayDial(target string, ip netip.Addr) error {
	for _, p := range a.config.AllowNets {
		if p.Contains(ip) {
			return nil
		}
	}
	if ip.IsLoopback() {
		if u, err := url.Parse(target); err == nil && (u.Hostname() == "localhost" || u.Hostname() == ip.String()) {
			return nil
		}
	}
	if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return errs.New("connect", errs.Permission, ip.String(), "not a public address", "add its range to allow_nets in bongsu.toml if it is meant")
	}
	return nil
}
