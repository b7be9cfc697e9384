//go:build peers

package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/ingest/jsonrpc"
	"bongsu/ingest/peers"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

// evm is a real Ethereum node under test. Its development account pays; the
// thief and those after him sign with keys of their own, because no node knows
// them.
type evm struct {
	t        *testing.T
	rpc      *jsonrpc.Client
	http, ws string
	id       uint64
	dev      string
	mark     func() any // remembers the chain as it is
	undo     func(any)  // takes it back to there
}

func (p *evm) call(out any, method string, params ...any) {
	p.t.Helper()
	if err := p.rpc.Call(context.Background(), out, method, params...); err != nil {
		p.t.Fatal(method, " ", err)
	}
}

func newEVM(t *testing.T, start func(testing.TB) (http, ws string)) *evm {
	http, ws := start(t)
	client, err := jsonrpc.New(http, jsonrpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	p := &evm{t: t, rpc: client, http: http, ws: ws}
	var id string
	p.call(&id, "eth_chainId")
	fmt.Sscanf(id, "0x%x", &p.id)
	var accounts []string
	p.call(&accounts, "eth_accounts")
	p.dev = accounts[0]
	return p
}

func (p *evm) head() (n uint64) {
	p.t.Helper()
	var text string
	p.call(&text, "eth_blockNumber")
	fmt.Sscanf(text, "0x%x", &n)
	return n
}

// mined waits until a transaction is in a block.
func (p *evm) mined(tx string) string {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		var r *struct {
			Status string `json:"status"`
		}
		if err := p.rpc.Call(context.Background(), &r, "eth_getTransactionReceipt", tx); err == nil && r != nil {
			if r.Status != "0x1" {
				p.t.Fatalf("transaction %s failed", tx)
			}
			return tx
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("transaction %s is in no block", tx)
		}
	}
}

// fund pays out of the development account, in whole ether.
func (p *evm) fund(to string, ether uint64) string {
	p.t.Helper()
	var tx string
	p.call(&tx, "eth_sendTransaction", map[string]any{"from": p.dev, "to": to, "value": "0x" + wei(ether).Text(16), "gas": "0x5208"})
	return p.mined(tx)
}

// wallet is a key that no node knows.
type wallet struct {
	key     *secp256k1.PrivateKey
	address string
	nonce   uint64
}

func newWallet(name string) *wallet {
	seed := keccak([]byte(name))
	key := secp256k1.PrivKeyFromBytes(seed)
	sum := keccak(key.PubKey().SerializeUncompressed()[1:])
	return &wallet{key: key, address: "0x" + hex.EncodeToString(sum[12:])}
}

func (p *evm) account(w *wallet) chain.Account {
	p.t.Helper()
	a, err := chain.ParseAccount(w.address, chain.ID(fmt.Sprintf("eip155:%d", p.id)))
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// pay sends ether with a signed transaction. again repeats the nonce of the one
// before, which a reorganisation took back.
func (p *evm) pay(w *wallet, to *wallet, ether uint64) string {
	p.t.Helper()
	var price string
	p.call(&price, "eth_gasPrice")
	gas, _ := new(big.Int).SetString(strings.TrimPrefix(price, "0x"), 16)
	gas.Mul(gas, big.NewInt(2+int64(ether))) // dearer than any it replaces
	target, _ := hex.DecodeString(to.address[2:])
	body := func(last ...*big.Int) []byte {
		var b []byte
		for _, v := range []*big.Int{new(big.Int).SetUint64(w.nonce), gas, big.NewInt(21000)} {
			b = rlp(b, v.Bytes())
		}
		b = rlp(rlp(rlp(b, target), wei(ether).Bytes()), nil)
		for _, v := range last {
			b = rlp(b, v.Bytes())
		}
		return rlpList(b)
	}
	id := new(big.Int).SetUint64(p.id)
	compact := ecdsa.SignCompact(w.key, keccak(body(id, new(big.Int), new(big.Int))), false)
	parity := new(big.Int).Add(new(big.Int).Lsh(id, 1), big.NewInt(35+int64(compact[0]-27)))
	raw := body(parity, new(big.Int).SetBytes(compact[1:33]), new(big.Int).SetBytes(compact[33:]))
	var tx string
	p.call(&tx, "eth_sendRawTransaction", "0x"+hex.EncodeToString(raw))
	w.nonce++
	return p.mined(tx)
}

func wei(ether uint64) *big.Int {
	return new(big.Int).Mul(new(big.Int).SetUint64(ether), big.NewInt(1_000_000_000_000_000_000))
}

func keccak(b []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	return h.Sum(nil)
}

// rlp appends a string (Yellow Paper, appendix B).
func rlp(out, b []byte) []byte {
	if len(b) == 1 && b[0] < 0x80 {
		return append(out, b[0])
	}
	return append(append(out, 0x80+byte(len(b))), b...)
}

func rlpList(body []byte) []byte {
	if len(body) < 56 {
		return append([]byte{0xc0 + byte(len(body))}, body...)
	}
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(body)))
	n := 8
	for size[8-n] == 0 {
		n--
	}
	return append(append([]byte{0xf7 + byte(n)}, size[8-n:]...), body...)
}

// confirm adds blocks on top, so that those below become final.
func (p *evm) confirm(blocks int) {
	p.t.Helper()
	for range blocks {
		p.fund("0x00000000000000000000000000000000000c0ffe", 1)
	}
}

// watched holds the main promise on a real node: what a theft's money does is
// stated with each block, provisional until final, taken back by a
// reorganisation, known to a partner at once; and what stands in the end is
// what a trace of the same chain taken in at once says.
func watched(t *testing.T, p *evm) {
	v := newVigil(t)
	thief, hop, service, other := newWallet("thief"), newWallet("hop"), newWallet("service"), newWallet("other")
	p.confirm(3)
	theft := p.fund(thief.address, 100)
	p.confirm(3)
	follow := []string{"ethereum", p.ws, "--depth", "2"}
	v.follow(follow...)
	v.state(v.d.agency, theft, p.account(service))

	p.pay(thief, hop, 40)
	v.await("moved " + hop.address + " 40 provisional")
	v.verdict(hop.address, "watch") // nothing that may vanish blocks anybody
	p.confirm(2)
	v.await("moved " + hop.address + " 40")
	v.verdict(hop.address, "block")

	before := p.mark()
	p.pay(hop, service, 30)
	v.await("reached-service " + service.address + " 30 Cash Desk provisional")
	v.verdict(service.address, "watch")
	p.undo(before)
	hop.nonce--
	p.pay(hop, other, 20)
	v.await("reached-service "+service.address+" 30 Cash Desk provisional revoked", "moved "+other.address+" 20 provisional")
	v.verdict(service.address, "clear")
	v.verdict(other.address, "watch")

	p.pay(hop, service, 10)
	v.await("reached-service " + service.address + " 10 Cash Desk provisional")
	p.confirm(2)
	v.await("moved "+other.address+" 20", "reached-service "+service.address+" 10 Cash Desk")
	v.verdict(other.address, "block")
	if !v.saw(func(e followedLine) bool { return e.Event == "rolled back" }) {
		t.Error("the follower saw no reorganisation")
	}
	v.settled(theft, p.account(service), p.head(), follow...)
}

func TestVigilAnvil(t *testing.T) {
	p := newEVM(t, peers.Anvil)
	p.mark = func() any {
		var snapshot string
		p.call(&snapshot, "evm_snapshot")
		return snapshot
	}
	p.undo = func(to any) { p.call(nil, "evm_revert", to) }
	watched(t, p)
}

func TestVigilGeth(t *testing.T) {
	p := newEVM(t, peers.Geth)
	p.mark = func() any { return p.head() }
	p.undo = func(to any) { p.call(nil, "debug_setHead", fmt.Sprintf("0x%x", to)) }
	watched(t, p)
}
