package bitcoin

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/follow"
	"bongsu/ingest/jsonrpc"
	"bongsu/ledger"
)

// Node is a Bitcoin Core or btcd node, asked over JSON-RPC for raw blocks, which
// are checked here. It implements follow.Node.
type Node struct {
	rpc   *jsonrpc.Client
	id    chain.ID
	depth uint64
	poll  time.Duration
	sleep func(context.Context, time.Duration) error

	wantSpent atomic.Bool  // ask for spent outputs
	note      func(string) // tells something once; called by one fetch at a time
}

// Confirmations is how many blocks, its own included, make a block final.
const Confirmations = 6

// DefaultPoll is how often a node is asked for its best block.
const DefaultPoll = time.Second

// Codes of errors that a block is not there (Bitcoin Core's rpc/protocol.h):
// an unknown hash, and a height out of range, for which btcd has its own.
const (
	codeUnknown      = -5
	codeOutOfRange   = -8
	codeOther        = -1 // btcd: a height out of range; Core: what has no code
	codeMethodHidden = -32601
)

func dial(ctx context.Context, c *Config) (*Node, error) {
	client, err := jsonrpc.New(c.URL, jsonrpc.Options{HTTP: c.HTTP, MaxAnswer: maxAnswer})
	if err != nil {
		return nil, err
	}
	n := &Node{rpc: client, depth: c.Confirmations, poll: c.Poll, sleep: c.Sleep}
	first, err := n.hashAt(ctx, 0)
	if err == nil {
		n.id, err = chainBornAs(first, client.String())
	}
	if err == nil && c.Chain != "" && c.Chain != n.id {
		err = errs.New("follow", errs.Conflict, client.String(), "the node is on chain "+string(n.id)+", not on "+string(c.Chain), "name the chain's own node")
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	return n, nil
}

// maxAnswer bounds an answer: a block in JSON with what it spends is some ten
// times as long as the block.
const maxAnswer = 128 << 20

// chainBornAs is the chain whose first block has a hash.
func chainBornAs(first Hash, where string) (chain.ID, error) {
	id, err := chain.ParseID("bip122:" + first.String()[:32])
	if err != nil {
		return "", errs.New("follow", errs.Invalid, where, "the node's first block "+first.String()+" is that of no chain known here", "follow a node of Bitcoin, its testnet, regtest or simnet")
	}
	return id, nil
}

// Chain implements follow.Node.
func (n *Node) Chain() chain.ID { return n.id }

// ask calls and tells a block that is not there from other failures.
func (n *Node) ask(ctx context.Context, out any, method string, params ...any) error {
	err := n.rpc.Call(ctx, out, method, params...)
	var e *jsonrpc.Error
	if errors.As(err, &e) {
		switch {
		case strings.Contains(e.Message, "pruned"):
			return &errs.Error{
				Op: method, Kind: errs.Limit, Where: n.rpc.String(), Why: "the node has thrown this block away", Err: e,
				Hint: "follow a node that keeps all blocks, or start at a later one",
			}
		case e.Code == codeUnknown, e.Code == codeOutOfRange, e.Code == codeOther && strings.Contains(e.Message, "out of range"):
			return &errs.Error{Op: method, Kind: errs.NotExist, Where: n.rpc.String(), Err: e}
		case e.Code == codeMethodHidden:
			return &errs.Error{Op: method, Kind: errs.Usage, Where: n.rpc.String(), Err: e, Hint: "follow the node of a chain like Bitcoin's, and allow it " + method}
		}
	}
	return err
}

func (n *Node) hashAt(ctx context.Context, number uint64) (Hash, error) {
	var text string
	if err := n.ask(ctx, &text, "getblockhash", number); err != nil {
		return Hash{}, err
	}
	return ParseHash(text)
}

// Head implements follow.Node.
func (n *Node) Head(ctx context.Context) (follow.Ref, error) {
	var text string
	if err := n.ask(ctx, &text, "getbestblockhash"); err != nil {
		return follow.Ref{}, err
	}
	h, err := ParseHash(text)
	if err != nil {
		return follow.Ref{}, err
	}
	ref, err := n.ByHash(ctx, ledger.Hash(h))
	if errs.Is(err) == errs.NotExist { // replaced in between
		return ref, &errs.Error{Op: "follow", Kind: errs.Unavailable, Where: n.rpc.String(), Err: err}
	}
	return ref, err
}

// ByNumber implements follow.Node.
func (n *Node) ByNumber(ctx context.Context, number uint64) (follow.Ref, error) {
	h, err := n.hashAt(ctx, number)
	if err != nil {
		return follow.Ref{}, err
	}
	ref, err := n.ByHash(ctx, ledger.Hash(h))
	if err == nil && ref.Number != number {
		return ref, errs.New("follow", errs.Forged, n.rpc.String(), fmt.Sprintf("asked for the block at height %d, the node names %s and calls it the one at height %d", number, h, ref.Number), "follow another node")
	}
	return ref, err
}

// maxHeight is where a number in place of a height is a time (BIP 65's threshold):
// no block stands there.
const maxHeight = 500_000_000

// verbose is a header as getblockheader tells it: every field of the 80 bytes,
// and the height.
type verbose struct {
	Hash    string  `json:"hash"`
	Height  *uint64 `json:"height"`
	Version int32   `json:"version"`
	Prev    string  `json:"previousblockhash"` // absent at height 0
	Merkle  string  `json:"merkleroot"`
	Time    uint32  `json:"time"`
	Bits    string  `json:"bits"`
	Nonce   uint32  `json:"nonce"`
}

// header puts the 80 bytes together again.
func (v *verbose) header() (Header, error) {
	raw := binary.LittleEndian.AppendUint32(make([]byte, 0, headerBytes), uint32(v.Version))
	if v.Prev == "" {
		v.Prev = Hash{}.String()
	}
	for _, text := range []string{v.Prev, v.Merkle} {
		h, err := ParseHash(text)
		if err != nil {
			return Header{}, err
		}
		wire := fromWire(h[:]) // the reverse of its own
		raw = append(raw, wire[:]...)
	}
	bits, err := strconv.ParseUint(v.Bits, 16, 32)
	if err != nil {
		return Header{}, errs.New("getblockheader", errs.Invalid, "", "the answer gives no target", "check that the URL is that of a Bitcoin node")
	}
	for _, n := range []uint32{v.Time, uint32(bits), v.Nonce} {
		raw = binary.LittleEndian.AppendUint32(raw, n)
	}
	return DecodeHeader(raw)
}

// ByHash implements follow.Node. The header has to hash to its name and to have
// been worked for; the height is the node's word, which package follow holds
// against the chain of hashes.
func (n *Node) ByHash(ctx context.Context, hash ledger.Hash) (follow.Ref, error) {
	var v verbose
	if err := n.ask(ctx, &v, "getblockheader", Hash(hash).String(), true); err != nil {
		return follow.Ref{}, err
	}
	h, err := v.header()
	why := ""
	switch {
	case err != nil:
		return follow.Ref{}, errs.Wrap("getblockheader", n.rpc.String(), err)
	case v.Height == nil:
		return follow.Ref{}, errs.New("getblockheader", errs.Invalid, n.rpc.String(), "the answer gives no height", "check that the URL is that of a Bitcoin node")
	case h.Hash != Hash(hash):
		why = "asked for block " + Hash(hash).String() + ", the node answers with " + h.Hash.String()
	case !h.Worked():
		why = "the hash of block " + h.Hash.String() + " does not meet the target that its header states"
	case easier(n.id, h.Bits):
		why = fmt.Sprintf("block %s states a target that is easier than any of its chain (%08x)", h.Hash, h.Bits)
	case h.Prev.IsZero() != (*v.Height == 0) || *v.Height >= maxHeight:
		why = fmt.Sprintf("block %s cannot stand at height %d", h.Hash, *v.Height)
	}
	if why != "" {
		return follow.Ref{}, errs.New("getblockheader", errs.Forged, n.rpc.String(), why, "follow another node")
	}
	return follow.Ref{
		Number: *v.Height, Hash: ledger.Hash(h.Hash), Parent: ledger.Hash(h.Prev), Time: chain.Time(h.Time) * 1000,
	}, nil
}

// Block implements follow.Node.
func (n *Node) Block(ctx context.Context, ref follow.Ref) (*ledger.LiveBlock, error) {
	var text string
	if err := n.ask(ctx, &text, "getblock", Hash(ref.Hash).String(), 0); err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, errs.New("getblock", errs.Invalid, n.rpc.String(), "the answer is no block in hexadecimal", "check that the URL is that of a Bitcoin node")
	}
	b, err := DecodeBlock(raw)
	if err == nil && b.Hash != Hash(ref.Hash) {
		err = errs.New("getblock", errs.Forged, n.rpc.String(), "asked for block "+Hash(ref.Hash).String()+", the node answers with "+b.Hash.String(), "follow another node")
	}
	if err == nil {
		err = contradicts(n.id, b, ref.Number)
	}
	if err != nil {
		return nil, errs.Wrap("follow", n.rpc.String(), err)
	}
	out := Facts(n.id, Placed{b, ref.Number})
	return out, n.spent(ctx, b, out.Facts.UTXOs)
}

// Final implements follow.Node: so many confirmations.
func (n *Node) Final(ctx context.Context, head follow.Ref) (follow.Ref, bool, error) {
	if head.Number+1 < n.depth {
		return follow.Ref{}, false, nil
	}
	r, err := n.ByNumber(ctx, head.Number+1-n.depth)
	if errs.Is(err) == errs.NotExist { // the node's chain became shorter meanwhile
		return r, false, nil
	}
	return r, err == nil, err
}

// Wait implements follow.Node.
func (n *Node) Wait(ctx context.Context) error { return n.sleep(ctx, n.poll) }

// Close ends the connection.
func (n *Node) Close() { n.rpc.Close() }
