package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// chainNode is a chain node of a script, inside the test: an EVM chain that
// hashes in its own way, or Bitcoin's regtest with its blocks properly mined.
type chainNode struct {
	*httptest.Server
	make  func(n *chainNode, prev *made, pay []payment) *made
	reply func(n *chainNode, method string, params []any) (result any, code int)

	mu     sync.Mutex // owns the fields below
	best   []*made
	next   []payment // of the next block
	byHash map[string]*made
	forks  int
	lacks  map[string]bool
	lies   bool
}

// payment is one of an EVM chain, in whole ether.
type payment struct {
	from, to string
	ether    uint64
}

// pay makes a block with payments and returns the hash of the first one.
func (n *chainNode) pay(list ...payment) (tx string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next = list
	n.grow(1)
	return n.best[len(n.best)-1].block["transactions"].([]any)[0].(map[string]any)["hash"].(string)
}

func (n *chainNode) height() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return uint64(len(n.best) - 1)
}

// back takes the newest blocks away.
func (n *chainNode) back(depth int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.best = n.best[:len(n.best)-depth]
	n.forks++
}

// made is a block that a chainNode made, with what it says of it.
type made struct {
	height   int
	hash     string
	prev     string
	raw      []byte         // bitcoin
	block    map[string]any // ethereum
	receipts []any
	traces   []any
}

// scriptChainNode makes and moves chain nodes:
//
//	chainnode start NAME ethereum|bitcoin BLOCKS    $NAME is its URL
//	chainnode grow NAME BLOCKS
//	chainnode fork NAME DEPTH BLOCKS
//	chainnode lacks NAME METHOD                     the method is not offered
//	chainnode lies NAME                             it answers with other blocks than were asked for
func scriptChainNode(nodes *sync.Map) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 {
			ts.Fatalf("usage: chainnode start|grow|fork|lacks|lies NAME ...")
		}
		number := func(i int) int {
			n, err := strconv.Atoi(args[i])
			ts.Check(err)
			return n
		}
		key := ts.Getenv("WORK") + " " + args[1]
		if args[0] == "start" {
			n := newChainNode(args[2], number(3))
			ts.Defer(n.Close)
			nodes.Store(key, n)
			ts.Setenv(args[1], n.URL)
			return
		}
		v, ok := nodes.Load(key)
		if !ok {
			ts.Fatalf("no chain node %s", args[1])
		}
		n := v.(*chainNode)
		n.mu.Lock()
		defer n.mu.Unlock()
		switch args[0] {
		case "grow":
			n.grow(number(2))
		case "fork":
			n.best = n.best[:len(n.best)-number(2)]
			n.forks++
			n.grow(number(3))
		case "lacks":
			n.lacks[args[2]] = true
		case "lies":
			n.lies = true
		default:
			ts.Fatalf("chainnode %s?", args[0])
		}
	}
}

func newChainNode(kind string, blocks int) *chainNode {
	n := &chainNode{byHash: map[string]*made{}, lacks: map[string]bool{}, make: makeEVM, reply: replyEVM}
	if kind == "bitcoin" {
		n.make, n.reply = makeBitcoin, replyBitcoin
	}
	n.grow(blocks)
	n.Server = httptest.NewServer(http.HandlerFunc(n.serve))
	return n
}

func (n *chainNode) grow(blocks int) {
	for range blocks {
		var prev *made
		if len(n.best) > 0 {
			prev = n.best[len(n.best)-1]
		}
		b := n.make(n, prev, n.next)
		n.next = nil
		n.best, n.byHash[b.hash] = append(n.best, b), b
	}
}

func (n *chainNode) serve(w http.ResponseWriter, r *http.Request) {
	var q struct {
		ID     any
		Method string
		Params []any
	}
	if json.NewDecoder(r.Body).Decode(&q) != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	result, code := any(nil), -32601
	if !n.lacks[q.Method] {
		result, code = n.reply(n, q.Method, q.Params)
	}
	doc := map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": result}
	if code != 0 {
		doc = map[string]any{"jsonrpc": "2.0", "id": q.ID, "error": map[string]any{"code": code, "message": "no"}}
	}
	json.NewEncoder(w).Encode(doc) //nolint:errcheck // the client notices
}

func hashOf(parts ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return "0x" + hex.EncodeToString(sum[:])
}

// makeEVM makes a block with payments, one wei and one more at each height
// where none are given. A payment's transaction is named by what it pays, so
// that it keeps its name on another branch.
func makeEVM(n *chainNode, prev *made, pay []payment) *made {
	b := &made{prev: "0x" + fmt.Sprintf("%064d", 0)}
	if prev != nil {
		b.height, b.prev = prev.height+1, prev.hash
	}
	b.hash = hashOf("block", b.height, n.forks, b.prev)
	height, bloom := fmt.Sprintf("0x%x", b.height), "0x"+fmt.Sprintf("%0512d", 0)
	txs := []any{}
	add := func(name, from, to, value string) {
		i, used := fmt.Sprintf("0x%x", len(txs)), fmt.Sprintf("0x%x", 21000*(len(txs)+1))
		txs = append(txs, map[string]any{
			"hash": name, "blockHash": b.hash, "blockNumber": height, "transactionIndex": i, "type": "0x0", "from": from, "to": to, "value": value,
			"nonce": height, "gas": "0x5208", "gasPrice": "0x0", "input": "0x", "v": "0x1b", "r": "0x1", "s": "0x1",
		})
		b.receipts = append(b.receipts, map[string]any{
			"transactionHash": name, "blockHash": b.hash, "transactionIndex": i, "type": "0x0", "status": "0x1", "gasUsed": "0x5208",
			"cumulativeGasUsed": used, "effectiveGasPrice": "0x0", "logsBloom": bloom, "logs": []any{},
		})
		b.traces = append(b.traces, map[string]any{"txHash": name, "result": map[string]any{"type": "CALL", "from": from, "to": to, "value": value, "input": "0x"}})
	}
	for _, p := range pay {
		wei := new(big.Int).Mul(new(big.Int).SetUint64(p.ether), big.NewInt(1e18))
		add(hashOf("pay", p.from, p.to, p.ether), p.from, p.to, "0x"+wei.Text(16))
	}
	if len(pay) == 0 {
		add(hashOf("tx", b.height, n.forks), "0x"+fmt.Sprintf("%040x", 0xa), "0x"+fmt.Sprintf("%040x", 0xb), fmt.Sprintf("0x%x", b.height+1))
	}
	b.block = map[string]any{
		"hash": b.hash, "parentHash": b.prev, "number": height, "timestamp": fmt.Sprintf("0x%x", 1_700_000_000+12*b.height),
		"gasLimit": "0x1c9c380", "gasUsed": fmt.Sprintf("0x%x", 21000*len(txs)), "difficulty": "0x0", "logsBloom": bloom, "extraData": "0x",
		"nonce": "0x0000000000000000", "transactions": txs,
	}
	return b
}

func replyEVM(n *chainNode, method string, params []any) (any, int) {
	b := func(key any) *made {
		switch text, _ := key.(string); text {
		case "latest":
			return n.best[len(n.best)-1]
		case "finalized":
			return n.best[max(0, len(n.best)-3)]
		default:
			if found := n.byHash[text]; found != nil {
				return found
			}
			h, err := strconv.ParseUint(text, 0, 32)
			if err != nil || int(h) >= len(n.best) {
				return nil
			}
			return n.best[h]
		}
	}
	switch method {
	case "eth_chainId":
		return "0x89", 0 // Polygon, whose blocks need not hash as Ethereum's do
	case "eth_getBlockByNumber", "eth_getBlockByHash":
		if found := b(params[0]); found != nil {
			if n.lies && method == "eth_getBlockByHash" {
				return n.best[0].block, 0
			}
			return found.block, 0
		}
		return nil, 0
	case "eth_getBlockReceipts":
		return b(params[0]).receipts, 0
	case "debug_traceBlockByHash":
		return b(params[0]).traces, 0
	}
	return nil, -32601
}

// makeBitcoin mines a block of regtest whose coinbase pays to a script of its
// height. Block 0 is not real: a script starts above it.
func makeBitcoin(n *chainNode, prev *made, _ []payment) *made {
	if prev == nil {
		return &made{hash: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"}
	}
	b := &made{height: prev.height + 1, prev: prev.hash}
	tx := binary.LittleEndian.AppendUint32(nil, 1)
	tx = append(append(tx, 1), make([]byte, 32)...)
	tx = append(tx, 0xff, 0xff, 0xff, 0xff, 6, 3, byte(b.height), byte(b.height>>8), 0, 1, byte(n.forks), 0xff, 0xff, 0xff, 0xff, 1)
	tx = binary.LittleEndian.AppendUint64(tx, 5_000_000_000)
	sum := sha256.Sum256(fmt.Append(nil, "to ", b.height))
	tx = append(append(append(tx, 25, 0x76, 0xa9, 20), sum[:20]...), 0x88, 0xac)
	tx = append(tx, 0, 0, 0, 0)
	head := binary.LittleEndian.AppendUint32(nil, 4)
	head = append(append(head, reversed(prev.hash)...), twice(tx)...)
	head = binary.LittleEndian.AppendUint32(head, uint32(1_700_000_000+600*b.height))
	head = binary.LittleEndian.AppendUint32(head, 0x207fffff)
	for nonce := uint32(0); ; nonce++ {
		whole := binary.LittleEndian.AppendUint32(head[:len(head):len(head)], nonce)
		if sum := twice(whole); sum[31] < 0x7f {
			b.hash = hex.EncodeToString(reversed(hex.EncodeToString(sum)))
			b.raw = append(append(whole, 1), tx...)
			return b
		}
	}
}

func twice(b []byte) []byte {
	sum := sha256.Sum256(b)
	sum = sha256.Sum256(sum[:])
	return sum[:]
}

func reversed(text string) []byte {
	b, _ := hex.DecodeString(text)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

func replyBitcoin(n *chainNode, method string, params []any) (any, int) {
	switch method {
	case "getbestblockhash":
		return n.best[len(n.best)-1].hash, 0
	case "getblockhash":
		h := int(params[0].(float64))
		if h >= len(n.best) {
			return nil, -8
		}
		return n.best[h].hash, 0
	}
	if len(params) == 0 {
		return nil, -32601
	}
	b := n.byHash[fmt.Sprint(params[0])]
	if b == nil || b.raw == nil {
		return nil, -5
	}
	switch method {
	case "getblock":
		if len(params) > 1 && params[1] != float64(0) {
			return nil, -32601 // spent outputs are not told
		}
		return hex.EncodeToString(b.raw), 0
	case "getblockheader":
		u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(b.raw[at:]) }
		return map[string]any{
			"hash": b.hash, "height": b.height, "version": u32(0), "previousblockhash": b.prev,
			"merkleroot": hex.EncodeToString(reversed(hex.EncodeToString(b.raw[36:68]))), "time": u32(68), "bits": fmt.Sprintf("%08x", u32(72)), "nonce": u32(76),
		}, 0
	}
	return nil, -32601
}
