package follow_test

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/follow"
	"bongsu/ledger"
)

const testChain = chain.ID("eip155:31337")

// node is a chain node in memory whose chain a test bends at will.
type node struct {
	mu     sync.Mutex
	blocks map[ledger.Hash]*ledger.LiveBlock // all that ever were
	best   []ledger.Hash                     // by height
	final  int                               // height, or -1
	made   uint64

	// fault is asked before each answer; what it returns is the answer's error.
	fault func(method string) error
	// lie may change an answer.
	lie  func(method string, r follow.Ref) follow.Ref
	wait func(ctx context.Context) error
	asks int
}

func newNode(blocks int) *node {
	n := &node{blocks: map[ledger.Hash]*ledger.LiveBlock{}, final: -1}
	n.grow(blocks)
	return n
}

// grow adds blocks with one transfer each; every third transfer repeats in
// whatever block a branch has at that height.
func (n *node) grow(blocks int) {
	for range blocks {
		n.made++
		height := uint64(len(n.best))
		var parent ledger.Hash
		if height > 0 {
			parent = n.best[height-1]
		}
		var hash ledger.Hash
		binary.BigEndian.PutUint64(hash[:], n.made)
		hash[31] = 1
		seed := n.made
		if height%3 == 0 {
			seed = height << 32
		}
		at := chain.Time(1_700_000_000_000 + int64(height)*12_000)
		b := &ledger.LiveBlock{
			Block: ledger.BlockFact{Chain: testChain, Number: height, Hash: hash, Parent: parent, Time: at, HasTime: true},
			What:  ledger.CoverAll,
		}
		b.Facts.Transfers = []chain.Transfer{transfer(height, at, seed)}
		n.blocks[hash] = b
		n.best = append(n.best, hash)
	}
}

func transfer(height uint64, at chain.Time, seed uint64) chain.Transfer {
	var raw [32]byte
	binary.BigEndian.PutUint64(raw[8:], seed)
	raw[0] = 0xaa
	tx, _ := chain.NewTxID(raw[:])
	var a, b [20]byte
	binary.BigEndian.PutUint64(a[:], seed%5+1)
	binary.BigEndian.PutUint64(b[:], seed%3+100)
	return chain.Transfer{
		Chain: testChain, Time: at, Block: height, Index: 0, Tx: tx, Kind: chain.KindNative,
		From: chain.EVM(testChain, a), To: chain.EVM(testChain, b), Asset: testChain.Native(), Amount: chain.Units(seed + 1),
	}
}

// reorganise replaces the last depth blocks by others.
func (n *node) reorganise(depth, grown int) {
	n.best = n.best[:len(n.best)-depth]
	n.grow(grown)
}

func (n *node) ask(method string) error {
	n.asks++
	if n.fault != nil {
		return n.fault(method)
	}
	return nil
}

func (n *node) say(method string, hash ledger.Hash) (follow.Ref, error) {
	if err := n.ask(method); err != nil {
		return follow.Ref{}, err
	}
	b, ok := n.blocks[hash]
	if !ok {
		return follow.Ref{}, errs.New(method, errs.NotExist, "", "no such block", "")
	}
	r := follow.Ref{Number: b.Block.Number, Hash: hash, Parent: b.Block.Parent, Time: b.Block.Time}
	if n.lie != nil {
		r = n.lie(method, r)
	}
	return r, nil
}

func (n *node) Chain() chain.ID { return testChain }

func (n *node) Head(context.Context) (follow.Ref, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.say("head", n.best[len(n.best)-1])
}

func (n *node) ByNumber(_ context.Context, number uint64) (follow.Ref, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number >= uint64(len(n.best)) {
		return follow.Ref{}, errs.New("number", errs.NotExist, "", "no such height", "")
	}
	return n.say("number", n.best[number])
}

func (n *node) ByHash(_ context.Context, hash ledger.Hash) (follow.Ref, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.say("hash", hash)
}

func (n *node) Block(_ context.Context, ref follow.Ref) (*ledger.LiveBlock, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.ask("block"); err != nil {
		return nil, err
	}
	b := *n.blocks[ref.Hash]
	b.Facts.Transfers = slices.Clone(b.Facts.Transfers)
	return &b, nil
}

func (n *node) Final(_ context.Context, _ follow.Ref) (follow.Ref, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.final < 0 {
		return follow.Ref{}, false, nil
	}
	r, err := n.say("final", n.best[n.final])
	return r, err == nil, err
}

func (n *node) Wait(ctx context.Context) error { return n.wait(ctx) }

func unavailable(why string) error { return errs.New("ask", errs.Unavailable, "", why, "") }
