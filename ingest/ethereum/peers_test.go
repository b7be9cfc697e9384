//go:build peers

package ethereum

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/ingest/follow"
	"bongsu/ingest/jsonrpc"
	"bongsu/ingest/peers"
	"bongsu/ledger"
)

// peer is a real node under test.
type peer struct {
	t        *testing.T
	rpc      *jsonrpc.Client
	http, ws string
	sender   address
	id       chain.ID
	gas      quantity
	undo     func(depth uint64) // reorganises so many blocks away
}

func (p *peer) call(out any, method string, params ...any) {
	p.t.Helper()
	if err := p.rpc.Call(context.Background(), out, method, params...); err != nil {
		p.t.Fatal(method, " ", err)
	}
}

// send sends a transaction and waits until it is in a block.
func (p *peer) send(to *address, value uint64, input []byte) *receipt {
	p.t.Helper()
	tx := map[string]any{"from": p.sender, "value": quantity(value), "input": data(input), "gas": p.gas}
	if to != nil {
		tx["to"] = *to
	}
	var h hash
	p.call(&h, "eth_sendTransaction", tx)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		var r *receipt
		if err := p.rpc.Call(context.Background(), &r, "eth_getTransactionReceipt", h); err == nil && r != nil {
			return r
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("transaction %s is in no block", h)
		}
	}
}

func (p *peer) deploy(name string, value uint64, args ...[]byte) address {
	p.t.Helper()
	r := p.send(nil, value, append(peers.Contract(p.t, name), slices.Concat(args...)...))
	if r.Contract == nil || *r.Status != 1 {
		p.t.Fatalf("%s was not deployed: %+v", name, r)
	}
	return *r.Contract
}

func word(v uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 24), v) }

func wordOf(a address) []byte { return append(make([]byte, 12), a[:]...) }

func method(signature string, args ...[]byte) []byte {
	sum := keccak([]byte(signature))
	return append(slices.Clone(sum[:4]), slices.Concat(args...)...)
}

// act makes one block after the other with all that can move, and says by
// transaction what it has to move beside the fee.
func (p *peer) act() map[hash][]string {
	coin := p.deploy("Coin", 0, word(1_000_000))
	picture := p.deploy("Picture", 0)
	mover, other := p.deploy("Mover", 77), p.deploy("Mover", 0)
	a, b := address{0xa1}, address{0xb2}
	want := map[hash][]string{}
	expect := func(r *receipt, failed bool, moves ...string) {
		p.t.Helper()
		if (*r.Status == 0) != failed {
			p.t.Errorf("transaction %s has status %d", r.TxHash, *r.Status)
		}
		want[r.TxHash] = moves
	}
	me := fmt.Sprintf("%x", p.sender[:2])
	at := fmt.Sprintf("%x", mover[:2])
	token := fmt.Sprintf("%x", coin[:2])
	expect(p.send(&a, 1000, nil), false, "native "+me+" a100 native 1000")
	expect(p.send(&coin, 0, method("transfer(address,uint256)", wordOf(a), word(400))), false, "token "+me+" a100 "+token+" 400")
	expect(p.send(&coin, 0, method("transfer(address,uint256)", wordOf(a), word(5_000_000))), true)
	expect(p.send(&picture, 0, method("mint(address,uint256)", wordOf(a), word(5))), false)
	expect(p.send(&mover, 11, method("split(address,address)", wordOf(a), wordOf(b))), false,
		"native "+me+" "+at+" native 11", "internal "+at+" a100 native 5", "internal "+at+" b200 native 6")
	expect(p.send(&mover, 13, method("attempt(address)", wordOf(a))), false, "native "+me+" "+at+" native 13")
	expect(p.send(&mover, 17, method("borrow(address)", wordOf(other))), false, "native "+me+" "+at+" native 17")
	expect(p.send(&mover, 19, method("fail()")), true)
	spawned := p.send(&mover, 23, method("spawn()"))
	box := p.spawnedBy(mover, 1)
	expect(spawned, false, "native "+me+" "+at+" native 23", "internal "+at+" "+box+" native 23")
	ended := p.send(&mover, 29, method("spawnAndEnd(address)", wordOf(b)))
	box = p.spawnedBy(mover, 2)
	expect(ended, false, "native "+me+" "+at+" native 29", "internal "+at+" "+box+" native 29", "internal "+box+" b200 native 29")
	expect(p.send(&p.sender, 31, nil), false, "native "+me+" "+me+" native 31")
	return want
}

// spawnedBy is the address of the n-th contract that a contract made
// (Yellow Paper, equation 87).
func (p *peer) spawnedBy(a address, n uint64) string {
	sum := keccak(rlpList(nil, rlpUint(rlpBytes(nil, a[:]), n)))
	return fmt.Sprintf("%x", sum[12:14])
}

// check holds what a ledger has against the node's own books: the balance of
// every account that moved, in ether and in tokens, to the last unit.
func (p *peer) check(l follow.Ledger, want map[hash][]string) {
	p.t.Helper()
	ctx := context.Background()
	r, err := l.Reader(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Close()
	var all []chain.Transfer
	err = r.Scan(ctx, p.id, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		some, err := ledger.Expand(ctx, r, rows)
		all = append(all, some...)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.checkMoves(all, want)
	p.checkBalances(all)
	var head header
	p.call(&head, "eth_getBlockByNumber", "latest", false)
	cov, err := r.Coverage(ctx, p.id)
	if err != nil || !cov.Complete(0, uint64(head.Number), ledger.CoverAll) {
		p.t.Errorf("covers %+v of 0 to %d, %v", cov.Ranges, head.Number, err)
	}
}

func (p *peer) checkMoves(all []chain.Transfer, want map[hash][]string) {
	p.t.Helper()
	name := func(a chain.Account) string { return a.Address()[2:6] }
	got := map[hash][]string{}
	for _, t := range all {
		if t.Kind == chain.KindFee {
			continue
		}
		asset := "native"
		if c := t.Asset.Contract(); !c.IsZero() {
			asset = name(c)
		}
		if t.From.IsZero() || t.To.IsZero() || name(t.From) == "0000" {
			continue // minted
		}
		h := hash(t.Tx.Raw())
		got[h] = append(got[h], fmt.Sprintf("%s %s %s %s %s", t.Kind, name(t.From), name(t.To), asset, t.Amount.Base()))
	}
	for tx, moves := range want {
		if !slices.Equal(got[tx], moves) {
			p.t.Errorf("transaction %s moved %q, want %q", tx, got[tx], moves)
		}
	}
}

type book struct {
	account chain.Account
	asset   chain.Asset
}

func (p *peer) checkBalances(all []chain.Transfer) {
	p.t.Helper()
	in, out := map[book]chain.Amount{}, map[book]chain.Amount{}
	for _, t := range all {
		in[book{t.To, t.Asset}] = in[book{t.To, t.Asset}].MustAdd(t.Amount)
		out[book{t.From, t.Asset}] = out[book{t.From, t.Asset}].MustAdd(t.Amount)
	}
	var first header
	p.call(&first, "eth_getBlockByNumber", "latest", false)
	p.checkSigned()
	books := 0
	for b := range in {
		if _, ok := out[b]; !ok {
			out[b] = chain.Amount{}
		}
	}
	for b, spent := range out {
		if b.account.IsZero() || address(b.account.Raw()) == first.Miner || address(b.account.Raw()) == (address{}) {
			continue // mints and fees; what a block's producer earns is not followed
		}
		before, after := p.balance(b, "0x0"), p.balance(b, "latest")
		if before.MustAdd(in[b]) != after.MustAdd(spent) {
			p.t.Errorf("%s of %s: %s before, %s in, %s out, but the node says %s", b.asset, b.account,
				before.Base(), in[b].Base(), spent.Base(), after.Base())
		}
		books++
	}
	if books < 5 {
		p.t.Errorf("only %d books were compared", books)
	}
}

// checkSigned recovers the senders of the newest blocks from the signatures.
func (p *peer) checkSigned() {
	p.t.Helper()
	var head header
	p.call(&head, "eth_getBlockByNumber", "latest", false)
	signed := 0
	for n := uint64(1); n <= uint64(head.Number); n++ {
		var b block
		p.call(&b, "eth_getBlockByNumber", quantity(n), true)
		if err := b.checkSenders(); err != nil {
			p.t.Error(err)
		}
		signed += len(b.Transactions)
	}
	if signed < 10 {
		p.t.Errorf("only %d signatures were seen", signed)
	}
}

func (p *peer) balance(b book, at string) chain.Amount {
	p.t.Helper()
	c := b.asset.Contract()
	if c.IsZero() {
		var a amount
		p.call(&a, "eth_getBalance", address(b.account.Raw()), at)
		return a.Amount
	}
	if at != "latest" {
		return chain.Amount{} // the contract was not there yet
	}
	var raw data
	p.call(&raw, "eth_call", map[string]any{"to": address(c.Raw()), "input": data(method("balanceOf(address)", wordOf(address(b.account.Raw()))))}, at)
	a, _ := chain.AmountFromBytes(raw)
	return a
}

// exercise holds one node's answers: caught up in one go, then followed live
// over WebSocket through a reorganisation.
func exercise(t *testing.T, p *peer) {
	var id quantity
	p.call(&id, "eth_chainId")
	p.id = chain.ID(fmt.Sprintf("eip155:%d", id))
	want := p.act()
	open := func() follow.Ledger {
		l, err := ledger.Open(context.Background(), t.TempDir(), ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return follow.Into(l)
	}
	for _, url := range []string{p.http, p.ws} {
		l := open()
		if err := Follow(context.Background(), Config{Setup: follow.Setup{URL: url, Ledger: l, Once: true}}); err != nil {
			t.Fatal(err)
		}
		p.check(l, want)
	}
	l := open()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, ended := make(chan follow.Event, 10_000), make(chan error, 1)
	go func() {
		ended <- Follow(ctx, Config{Setup: follow.Setup{URL: p.ws, Ledger: l, Event: func(e follow.Event) { events <- e }}})
	}()
	rolled := 0
	level := func() {
		t.Helper()
		var head header
		p.call(&head, "eth_getBlockByNumber", "latest", false)
		deadline := time.After(30 * time.Second)
		for {
			select {
			case e := <-events:
				if e.Kind == follow.RolledBack {
					rolled++
				}
				if e.Kind == follow.Level && hash(e.Block.Hash) == head.Hash {
					return
				}
			case err := <-ended:
				t.Fatalf("ended: %v", err)
			case <-deadline:
				t.Fatalf("block %d was not reached", head.Number)
			}
		}
	}
	level()
	gone := p.send(&address{0xc3}, 41, nil)
	p.send(&address{0xc4}, 42, nil)
	level()
	p.undo(2)
	kept := p.send(&address{0xc5}, 43, nil)
	p.send(&address{0xc5}, 44, nil)
	p.send(&address{0xc5}, 45, nil)
	level()
	if rolled == 0 {
		t.Error("no reorganisation was seen")
	}
	want[kept.TxHash] = []string{fmt.Sprintf("native %x c500 native 43", p.sender[:2])}
	// A node may take an undone transaction up again, in another block.
	var again *receipt
	p.call(&again, "eth_getTransactionReceipt", gone.TxHash)
	want[gone.TxHash] = nil
	if again != nil {
		want[gone.TxHash] = []string{fmt.Sprintf("native %x c300 native 41", p.sender[:2])}
	}
	p.check(l, want)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func connectPeer(t *testing.T, start func(testing.TB) (http, ws string)) *peer {
	http, ws := start(t)
	client, err := jsonrpc.New(http, jsonrpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	p := &peer{t: t, rpc: client, http: http, ws: ws, gas: 2_000_000}
	var accounts []address
	p.call(&accounts, "eth_accounts")
	p.sender = accounts[0]
	return p
}

func TestPeerAnvil(t *testing.T) {
	p := connectPeer(t, peers.Anvil)
	p.undo = func(depth uint64) { p.call(nil, "anvil_reorg", depth, []any{}) }
	exercise(t, p)
}

func TestPeerGeth(t *testing.T) {
	p := connectPeer(t, peers.Geth)
	p.undo = func(depth uint64) {
		var head header
		p.call(&head, "eth_getBlockByNumber", "latest", false)
		p.call(nil, "debug_setHead", quantity(uint64(head.Number)-depth))
	}
	exercise(t, p)
}
