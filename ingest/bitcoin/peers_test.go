//go:build peers

package bitcoin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// btcd is a real node on simnet. Its coinbases pay a script that anybody can
// spend, so that payments need no key: P2SH of OP_1.
type btcd struct {
	t        *testing.T
	rpc      *jsonrpc.Client
	url, p2p string
}

var freeP2S = append(append([]byte{opHash160, 20}, hash160(free)...), opEqual)

func startBtcd(t *testing.T) *btcd {
	mining, _ := Classify(chain.BitcoinSimnet, freeP2S)
	url, p2p := peers.Btcd(t, mining.Address())
	client, err := jsonrpc.New(url, jsonrpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &btcd{t: t, rpc: client, url: url, p2p: p2p}
}

func (b *btcd) call(out any, method string, params ...any) {
	b.t.Helper()
	if err := b.rpc.Call(context.Background(), out, method, params...); err != nil {
		b.t.Fatal(method, " ", err)
	}
}

func (b *btcd) mine(blocks int) {
	b.t.Helper()
	b.call(nil, "generate", blocks)
}

func (b *btcd) best() (h Hash) {
	b.t.Helper()
	var text string
	b.call(&text, "getbestblockhash")
	h, err := ParseHash(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return h
}

// coinbaseAt is the transaction that made the coins of a block.
func (b *btcd) coinbaseAt(height int) *Tx {
	b.t.Helper()
	return &b.raw(height).Txs[0]
}

// raw is the block of a height as the node gives it.
func (b *btcd) raw(height int) *Block {
	b.t.Helper()
	var name, text string
	b.call(&name, "getblockhash", height)
	b.call(&text, "getblock", name, 0)
	raw, err := hex.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	block, err := DecodeBlock(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	return block
}

// pay spends free outputs and sends what the outputs say.
func (b *btcd) pay(in []OutPoint, out ...Out) *Tx {
	b.t.Helper()
	tx := &Tx{Out: out}
	for _, p := range in {
		tx.In = append(tx.In, In{Prev: p, Script: append([]byte{byte(len(free))}, free...), Sequence: 0xffffffff})
	}
	return b.send(serialize(tx, nil))
}

func (b *btcd) send(raw []byte) *Tx {
	b.t.Helper()
	b.call(nil, "sendrawtransaction", hex.EncodeToString(raw), true)
	tx, err := DecodeTx(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	return tx
}

// connect joins two nodes and waits until they agree.
func (b *btcd) connect(other *btcd) {
	b.t.Helper()
	b.call(nil, "node", "connect", other.p2p, "temp")
	for deadline := time.Now().Add(60 * time.Second); b.best() != other.best(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal("the nodes do not agree")
		}
	}
}

// check holds a ledger against the node: every output of the best chain, spent
// or not as the node's own set of unspent outputs has it.
func (b *btcd) check(l follow.Ledger) map[OutPoint]ledger.UTXOOut {
	b.t.Helper()
	ctx := context.Background()
	r, err := l.Reader(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	held, unspent, spent := map[OutPoint]ledger.UTXOOut{}, 0, 0
	var count int
	b.call(&count, "getblockcount")
	for height := 1; height <= count; height++ {
		for _, u := range b.block(r, height) {
			var in, out chain.Amount
			for _, i := range u.Inputs {
				if !u.Coinbase && !i.Known {
					b.t.Errorf("an input of %s is not joined", u.Tx.Text(chain.BitcoinSimnet))
				}
				in = in.MustAdd(i.Value)
			}
			for n, o := range u.Outputs {
				out = out.MustAdd(o.Value)
				p := OutPoint{Hash(u.Tx.Raw()), uint32(n)}
				held[p] = o
				var set *struct {
					Value float64 `json:"value"`
				}
				b.call(&set, "gettxout", p.Tx.String(), n, false)
				switch {
				case o.Account.IsZero(): // data: in nobody's set
				case (set != nil) != o.Spender.Tx.IsZero():
					b.t.Errorf("%s: unspent by the node: %v, spent in the ledger by %v", p, set != nil, o.Spender)
				case set != nil:
					unspent++
				default:
					spent++
				}
			}
			if !u.Coinbase && in.Less(out) {
				b.t.Errorf("%s pays more than it spends", u.Tx.Text(chain.BitcoinSimnet))
			}
		}
	}
	if unspent < count || spent < 5 {
		b.t.Errorf("only %d unspent and %d spent outputs were compared", unspent, spent)
	}
	cov, err := r.Coverage(ctx, chain.BitcoinSimnet)
	if err != nil || !cov.Complete(0, uint64(count), ledger.CoverUTXO) || cov.LastBlock != uint64(count) {
		b.t.Errorf("covers %+v of 0 to %d, %v", cov, count, err)
	}
	return held
}

// block reads a block's transactions, as the node lists them, from the ledger.
func (b *btcd) block(r ledger.Reader, height int) []ledger.UTXOTx {
	b.t.Helper()
	block := b.raw(height)
	var names []ledger.Tx
	for i := range block.Txs {
		names = append(names, ledger.Tx{Chain: chain.BitcoinSimnet, ID: block.Txs[i].ID.TxID()})
	}
	refs, err := r.TxRefs(context.Background(), names)
	if err != nil {
		b.t.Fatal(err)
	}
	txs, err := r.UTXOs(context.Background(), refs)
	if err != nil {
		b.t.Fatal(err)
	}
	for i, u := range txs {
		if u.Outputs == nil || u.Block != uint64(height) || int(u.Index) != i {
			b.t.Errorf("transaction %s stands at %d/%d in the ledger, at %d/%d in the chain", names[i].ID.Text(chain.BitcoinSimnet), u.Block, u.Index, height, i)
		}
	}
	return txs
}

func TestPeerBtcd(t *testing.T) {
	a, b := startBtcd(t), startBtcd(t)
	a.mine(310) // segregated witness is active on simnet from height 300 on
	b.connect(a)
	coins := func(height int) (OutPoint, uint64) {
		c := a.coinbaseAt(height)
		return OutPoint{c.ID, 0}, c.Out[0].Value
	}
	p1, v1 := coins(1)
	p2, v2 := coins(2)
	p3, v3 := coins(3)
	p4, v4 := coins(4)
	p5, v5 := coins(5)

	// Every kind of output, out of three inputs; then what was paid, spent on.
	key := unhex(t, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
	sum := sha256.Sum256(free)
	witness := append([]byte{op0, 32}, sum[:]...)
	kinds := a.pay([]OutPoint{p1, p2, p3},
		Out{v1 + v2, freeP2S},
		Out{1000, witness},
		Out{2000, append([]byte{op1, 32}, key[1:]...)},
		Out{3000, append(append([]byte{33}, key...), opCheckSig)},
		Out{4000, append(append([]byte{op1, 33}, key...), op1, opCheckMultisig)},
		Out{5000, append([]byte{op0, 20}, hash160(key)...)},
		Out{0, append([]byte{opReturn, 5}, "=:b:x"...)},
		Out{v3 - 15_000, freeP2S},
	)
	a.mine(1)
	segwit := &Tx{In: []In{{Prev: OutPoint{kinds.ID, 1}, Sequence: 0xffffffff}}, Out: []Out{{1000, freeP2S}}}
	spentOn := a.send(serialize(segwit, free))
	a.pay([]OutPoint{{kinds.ID, 0}, {kinds.ID, 7}}, Out{v1, freeP2S}, Out{v2 + v3 - 15_000, freeP2S})
	a.mine(1)

	l, err := ledger.Open(context.Background(), t.TempDir(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var told []string
	run := func() {
		t.Helper()
		told = nil
		err := Follow(context.Background(), Config{Setup: follow.Setup{URL: a.url, Ledger: follow.Into(l), Once: true, Event: func(e follow.Event) {
			if e.Kind == follow.RolledBack || e.Kind == follow.Level {
				told = append(told, fmt.Sprint(e.Kind, " ", e.Block.Number))
			}
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	run()
	held := a.check(follow.Into(l))
	if o := held[OutPoint{kinds.ID, 6}]; string(o.Data) != "=:b:x" || !o.Account.IsZero() {
		t.Errorf("the data output is %+v", o)
	}
	if o := held[OutPoint{kinds.ID, 1}]; Hash(o.Spender.Tx.Raw()) != spentOn.ID || o.Account.Form() != chain.FormWitness {
		t.Errorf("the witness output is %+v, want it spent by %s", o, spentOn.ID)
	}

	// Apart: a pays p4 to one, b to another and longer.
	b.call(nil, "node", "disconnect", a.p2p)
	waitAlone(a, b)
	onA := a.pay([]OutPoint{p4, p5}, Out{v4, append([]byte{op0, 20}, hash160(key)...)}, Out{v5, freeP2S})
	a.mine(2)
	run()
	if held := a.check(follow.Into(l)); held[OutPoint{onA.ID, 0}].Account.IsZero() {
		t.Error("the payment on the first branch is not held")
	}
	onB := b.pay([]OutPoint{p4}, Out{v4 - 7, freeP2S}, Out{7, append([]byte{opHash160, 20}, append(hash160(key), opEqual)...)})
	b.mine(4)

	// Joined again: b's branch wins, and the ledger follows.
	b.connect(a)
	run()
	if want := []string{"rolled back 312", "level 316"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	held = a.check(follow.Into(l))
	if held[OutPoint{onB.ID, 1}].Value != chain.Units(7) {
		t.Error("the payment on the winning branch is not held")
	}
	if _, ok := held[OutPoint{onA.ID, 0}]; ok {
		t.Error("the payment on the lost branch is in a block of the winning one")
	}
	last, final, err := l.Live(context.Background(), chain.BitcoinSimnet)
	if err != nil || Hash(last.Hash) != a.best() || final.Number != 311 {
		t.Errorf("the ledger's last block is %+v, final %+v, %v; want six confirmations", last, final, err)
	}
}

func waitAlone(nodes ...*btcd) {
	for _, n := range nodes {
		n.t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			var count int
			n.call(&count, "getconnectioncount")
			if count == 0 {
				break
			}
			if time.Now().After(deadline) {
				n.t.Fatal("the nodes stay connected")
			}
		}
	}
}
