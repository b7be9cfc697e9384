package ethereum

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/follow"
	"bongsu/ingest/jsonrpc"
	"bongsu/ledger"
)

// Node is a node of an eip155 chain. It implements follow.Node.
type Node struct {
	rpc   *jsonrpc.Client
	id    chain.ID
	keep  Keep
	depth uint64 // finality by depth instead of the node's word; 0: the node's
	poll  time.Duration
	sleep func(context.Context, time.Duration) error
	note  func(string)
	// held gives what the ledger knows of assets now.
	held func(context.Context) (func(chain.Asset) bool, error)

	mu     sync.Mutex
	offers offers
	news   *jsonrpc.Subscription // nil: polling, or not yet subscribed
	told   map[string]bool       // notes given already
	// tokens are the contracts that were asked, with their answers; nil is none.
	tokens map[address]*chain.AssetInfo
}

// offers is what the node turned out to offer, learnt from its refusals.
type offers struct {
	noBlockReceipts, noBlockTraces, noTraces, noFinal bool
	strict                                            strictness
}

// strictness says whether blocks of this chain hash as Ethereum's do.
type strictness uint8

const (
	undecided strictness = iota // the next block decides
	strict
	lenient
)

// maxTokens bounds the set of token contracts that were asked already.
const maxTokens = 1 << 20

// maxQuiet is how long a connection may carry no notification before the node is
// asked all the same: a notification may get lost, and a connection may have
// died unseen. Asking costs two small questions.
const maxQuiet = 3 * time.Second

// DefaultPoll is how often a node is asked for its head where it cannot tell.
const DefaultPoll = time.Second

func dial(ctx context.Context, c *Config) (*Node, error) {
	client, err := jsonrpc.New(c.URL, jsonrpc.Options{HTTP: c.HTTP, MaxAnswer: c.MaxAnswer})
	if err != nil {
		return nil, err
	}
	n := &Node{
		rpc: client, keep: c.Keep, depth: c.FinalDepth, poll: c.Poll, sleep: c.Sleep,
		tokens: map[address]*chain.AssetInfo{}, told: map[string]bool{},
	}
	var id quantity
	if err := client.Call(ctx, &id, "eth_chainId"); err != nil {
		client.Close()
		return nil, err
	}
	if n.id, err = chain.ParseID("eip155:" + strconv.FormatUint(uint64(id), 10)); err != nil {
		client.Close()
		return nil, errs.Wrap("follow", client.String(), err)
	}
	if c.Chain != "" && c.Chain != n.id {
		client.Close()
		return nil, errs.New("follow", errs.Conflict, client.String(), "the node is on chain "+string(n.id)+", not on "+string(c.Chain), "name the chain's own node")
	}
	if plain(n.id) {
		n.offers.strict = strict
	}
	return n, nil
}

// Chain implements follow.Node.
func (n *Node) Chain() chain.ID { return n.id }

func (h *header) ref() follow.Ref {
	return follow.Ref{
		Number: uint64(h.Number), Hash: ledger.Hash(h.Hash), Parent: ledger.Hash(h.ParentHash),
		Time: chain.Time(h.Timestamp) * 1000,
	}
}

// Head implements follow.Node.
func (n *Node) Head(ctx context.Context) (follow.Ref, error) {
	h, err := n.header(ctx, "eth_getBlockByNumber", "latest")
	if errs.Is(err) == errs.NotExist {
		return follow.Ref{}, errs.New("follow", errs.Unavailable, n.rpc.String(), "the node has no block yet", "")
	}
	return h, err
}

// ByNumber implements follow.Node.
func (n *Node) ByNumber(ctx context.Context, number uint64) (follow.Ref, error) {
	return n.header(ctx, "eth_getBlockByNumber", quantity(number))
}

// ByHash implements follow.Node.
func (n *Node) ByHash(ctx context.Context, h ledger.Hash) (follow.Ref, error) {
	return n.header(ctx, "eth_getBlockByHash", hash(h))
}

func (n *Node) header(ctx context.Context, method string, which any) (follow.Ref, error) {
	var h *header
	if err := n.rpc.Call(ctx, &h, method, which, false); err != nil {
		return follow.Ref{}, asMissing(err)
	}
	if h == nil {
		return follow.Ref{}, errs.New(method, errs.NotExist, n.rpc.String(), fmt.Sprintf("the node has no block %v", which), "")
	}
	if err := n.checkHeader(h); err != nil {
		return follow.Ref{}, err
	}
	return h.ref(), nil
}

// checkHeader recomputes a header's hash.
func (n *Node) checkHeader(h *header) error {
	matches := h.hashOf() == h.Hash
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.offers.strict == undecided {
		if n.offers.strict = lenient; matches {
			n.offers.strict = strict
		} else {
			n.tellLocked("the headers of this chain do not hash as Ethereum's do: what the node says is checked for agreement with itself only")
		}
	}
	if n.offers.strict == strict && !matches {
		return errs.New("read block", errs.Forged, fmt.Sprintf("block %d %s", uint64(h.Number), h.Hash), "its header hashes to "+h.hashOf().String(), "follow another node")
	}
	return nil
}

// asMissing reads the errors by which nodes say that a block is not there.
func asMissing(err error) error {
	var e *jsonrpc.Error
	if errors.As(err, &e) {
		for _, s := range []string{"not found", "unknown block", "BlockOutOfRange", "out of range"} {
			if strings.Contains(e.Message, s) {
				return &errs.Error{Op: "follow", Kind: errs.NotExist, Err: err}
			}
		}
	}
	return err
}

// Final implements follow.Node: the node's finalized block, or a depth.
func (n *Node) Final(ctx context.Context, head follow.Ref) (follow.Ref, bool, error) {
	if n.depth > 0 {
		if head.Number < n.depth {
			return follow.Ref{}, false, nil
		}
		r, err := n.ByNumber(ctx, head.Number-n.depth)
		return r, err == nil, orNone(err)
	}
	n.mu.Lock()
	none := n.offers.noFinal
	n.mu.Unlock()
	if none {
		return follow.Ref{}, false, nil
	}
	r, err := n.header(ctx, "eth_getBlockByNumber", "finalized")
	var e *jsonrpc.Error
	if errors.As(err, &e) && notOffered(err) {
		n.mu.Lock()
		n.offers.noFinal = true
		n.tellLocked("the node does not say which blocks are final: none will be, unless a depth is set")
		n.mu.Unlock()
		return follow.Ref{}, false, nil
	}
	return r, err == nil, orNone(err)
}

// orNone makes of a block that is not there no answer.
func orNone(err error) error {
	if errs.Is(err) == errs.NotExist {
		return nil
	}
	return err
}

// Block implements follow.Node.
func (n *Node) Block(ctx context.Context, ref follow.Ref) (*ledger.LiveBlock, error) {
	var b *block
	if err := n.rpc.Call(ctx, &b, "eth_getBlockByHash", hash(ref.Hash), true); err != nil {
		return nil, asMissing(err)
	}
	if b == nil {
		return nil, errs.New("eth_getBlockByHash", errs.NotExist, n.rpc.String(), "the node has no block "+hash(ref.Hash).String(), "")
	}
	if b.Hash != hash(ref.Hash) || uint64(b.Number) != ref.Number || b.ParentHash != hash(ref.Parent) {
		return nil, b.forged("asked for block " + hash(ref.Hash).String() + ", the node answers with another")
	}
	if err := n.checkHeader(&b.header); err != nil {
		return nil, err
	}
	exact := n.offered().strict == strict
	if err := b.checkList(exact); err != nil {
		return nil, err
	}
	if exact && !development(n.id) {
		if err := b.checkSenders(); err != nil {
			return nil, err
		}
	}
	receipts, err := n.receipts(ctx, b)
	if err != nil {
		return nil, err
	}
	if err := b.checkReceipts(receipts, exact); err != nil {
		return nil, err
	}
	frames, err := n.frames(ctx, b)
	if err != nil {
		return nil, err
	}
	out, err := moved(n.id, b, receipts, frames, n.keep)
	if err != nil {
		return nil, err
	}
	out.Facts.Assets, err = n.assets(ctx, &out.Facts)
	return out, err
}

func (n *Node) offered() offers {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.offers
}

// tell gives a note once.
func (n *Node) tell(note string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tellLocked(note)
}

func (n *Node) tellLocked(note string) {
	if !n.told[note] {
		n.told[note] = true
		if n.note != nil {
			n.note(note)
		}
	}
}

// Wait implements follow.Node: it waits for a notification where the
// connection carries them, else for the time of a poll.
func (n *Node) Wait(ctx context.Context) error {
	if !n.rpc.Subscribes() {
		return n.sleep(ctx, n.poll)
	}
	if n.news == nil {
		s, err := n.rpc.Subscribe(ctx, "eth", "newHeads")
		if err != nil {
			if notOffered(err) {
				return n.sleep(ctx, n.poll)
			}
			return err
		}
		n.news = s
		return nil // a head may have come before the subscription
	}
	quiet := time.NewTimer(maxQuiet)
	defer quiet.Stop()
	select {
	case <-n.news.News:
	case <-n.news.Gone:
		n.news = nil
	case <-quiet.C:
	case <-ctx.Done():
	}
	return nil
}

// Close ends the connection.
func (n *Node) Close() { n.rpc.Close() }
