//go:build peers

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/ingest/bitcoin"
	"bongsu/ingest/jsonrpc"
	"bongsu/ingest/peers"

	"golang.org/x/crypto/ripemd160" //lint:ignore SA1019 Bitcoin's addresses are defined by it
)

// purse is a script that anybody can spend, so that payments need no key: P2SH
// of a small number. Each number is an address of its own.
type purse byte

func (w purse) redeem() []byte { return []byte{0x50 + byte(w)} }

func (w purse) script() []byte {
	sum := sha256.Sum256(w.redeem())
	h := ripemd160.New()
	h.Write(sum[:])
	return append(append([]byte{0xa9, 20}, h.Sum(nil)...), 0x87)
}

func (w purse) account() chain.Account {
	a, _ := bitcoin.Classify(chain.BitcoinSimnet, w.script())
	return a
}

type simnet struct {
	t        *testing.T
	rpc      *jsonrpc.Client
	url, p2p string
}

const miner, robber, halfway, desk, elsewhere = purse(1), purse(2), purse(3), purse(4), purse(5)

func newSimnet(t *testing.T) *simnet {
	n := &simnet{t: t}
	n.url, n.p2p = peers.Btcd(t, miner.account().Address())
	var err error
	if n.rpc, err = jsonrpc.New(n.url, jsonrpc.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.rpc.Close)
	return n
}

func (n *simnet) call(out any, method string, params ...any) {
	n.t.Helper()
	if err := n.rpc.Call(context.Background(), out, method, params...); err != nil {
		n.t.Fatal(method, " ", err)
	}
}

func (n *simnet) mine(blocks int) {
	n.t.Helper()
	n.call(nil, "generate", blocks)
}

func (n *simnet) height() (count uint64) {
	n.t.Helper()
	n.call(&count, "getblockcount")
	return count
}

// apart and join take a node from another, and back until they agree.
func (n *simnet) apart(other *simnet) {
	n.t.Helper()
	n.call(nil, "node", "disconnect", other.p2p)
	n.wait("the nodes stay connected", func() bool {
		var a, b int
		n.call(&a, "getconnectioncount")
		other.call(&b, "getconnectioncount")
		return a == 0 && b == 0
	})
}

func (n *simnet) join(other *simnet) {
	n.t.Helper()
	n.call(nil, "node", "connect", other.p2p, "temp")
	n.wait("the nodes do not agree", func() bool {
		var a, b string
		n.call(&a, "getbestblockhash")
		other.call(&b, "getbestblockhash")
		return a == b
	})
}

func (n *simnet) wait(what string, ok func() bool) {
	n.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatal(what)
		}
	}
}

// coin is an output and whose it is.
type coin struct {
	tx    bitcoin.Hash
	index uint32
	value uint64
	of    purse
}

// mined is the coin of a block.
func (n *simnet) mined(height int) coin {
	n.t.Helper()
	var name, text string
	n.call(&name, "getblockhash", height)
	n.call(&text, "getblock", name, 0)
	raw, err := hex.DecodeString(text)
	if err != nil {
		n.t.Fatal(err)
	}
	block, err := bitcoin.DecodeBlock(raw)
	if err != nil {
		n.t.Fatal(err)
	}
	return coin{block.Txs[0].ID, 0, block.Txs[0].Out[0].Value, miner}
}

// pay spends a coin: value goes to one purse and the rest to another.
func (n *simnet) pay(from coin, to purse, value uint64, rest purse) (paid, change coin) {
	n.t.Helper()
	raw := binary.LittleEndian.AppendUint32(nil, 1)
	wire := from.tx
	slices.Reverse(wire[:]) // a hash is written the other way round
	raw = append(append(raw, 1), wire[:]...)
	raw = binary.LittleEndian.AppendUint32(raw, from.index)
	raw = append(raw, 2, 1)
	raw = append(raw, from.of.redeem()...)
	raw = append(raw, 0xff, 0xff, 0xff, 0xff, 2)
	for _, out := range []coin{{value: value, of: to}, {value: from.value - value, of: rest}} {
		raw = binary.LittleEndian.AppendUint64(raw, out.value)
		raw = append(append(raw, byte(len(out.of.script()))), out.of.script()...)
	}
	raw = binary.LittleEndian.AppendUint32(raw, 0)
	n.call(nil, "sendrawtransaction", hex.EncodeToString(raw), true)
	tx, err := bitcoin.DecodeTx(raw)
	if err != nil {
		n.t.Fatal(err)
	}
	return coin{tx.ID, 0, value, to}, coin{tx.ID, 1, from.value - value, rest}
}

// TestVigilBtcd is the same promise on two Bitcoin nodes that mine apart and
// are joined again: the longer branch takes a movement back.
func TestVigilBtcd(t *testing.T) {
	const btc = 100_000_000
	a, b := newSimnet(t), newSimnet(t)
	a.mine(110)
	b.join(a)
	v := newVigil(t)
	stolen, _ := a.pay(a.mined(1), robber, 50*btc-1, miner)
	a.mine(4)
	follow := []string{"bitcoin", a.url, "--depth", "3", "--from", "0"}
	v.follow(follow...)
	theft := stolen.tx.String()
	v.state(v.d.agency, theft, desk.account())

	paid, _ := a.pay(stolen, halfway, 40*btc, robber)
	a.mine(1)
	v.await("moved " + halfway.account().Address() + " 40 provisional")
	v.verdict(halfway.account().String(), "watch")
	a.mine(2)
	v.await("moved " + halfway.account().Address() + " 40")
	v.verdict(halfway.account().String(), "block")
	b.wait("the second node lags", func() bool { return b.height() == a.height() })

	b.apart(a)
	a.pay(paid, desk, 30*btc, halfway)
	a.mine(1)
	v.await("reached-service " + desk.account().Address() + " 30 Cash Desk provisional")
	v.verdict(desk.account().String(), "watch")
	b.pay(paid, elsewhere, 20*btc, halfway)
	b.mine(2)
	b.join(a)
	v.await("reached-service "+desk.account().Address()+" 30 Cash Desk provisional revoked", "moved "+elsewhere.account().Address()+" 20 provisional")
	v.verdict(desk.account().String(), "clear")
	a.mine(2)
	v.await("moved " + elsewhere.account().Address() + " 20")
	v.verdict(elsewhere.account().String(), "block")
	if !v.saw(func(e followedLine) bool { return e.Event == "rolled back" }) {
		t.Error("the follower saw no reorganisation")
	}
	v.settled(theft, desk.account(), a.height(), follow...)
}
