package ethereum

import (
	"context"
	"errors"
	"strings"

	"bongsu/errs"
	"bongsu/ingest/jsonrpc"

	"golang.org/x/sync/errgroup"
)

// receiptsAtOnce is how many receipts or traces are asked for side by side.
const receiptsAtOnce = 8

// receipts asks for a block's receipts at once, or one by one where the node
// does not know how.
func (n *Node) receipts(ctx context.Context, b *block) ([]receipt, error) {
	if len(b.Transactions) == 0 {
		return nil, nil
	}
	if !n.offered().noBlockReceipts {
		var all jsonrpc.List[receipt]
		err := n.rpc.Call(ctx, &all, "eth_getBlockReceipts", b.Hash)
		switch {
		case err == nil && all == nil:
			return nil, n.vanished("eth_getBlockReceipts", b)
		case !notOffered(err):
			return all, asMissing(err)
		}
		n.mu.Lock()
		n.offers.noBlockReceipts = true
		n.mu.Unlock()
	}
	all := make(jsonrpc.List[receipt], len(b.Transactions))
	err := n.each(ctx, b, func(ctx context.Context, i int) error {
		var r *receipt
		if err := n.rpc.Call(ctx, &r, "eth_getTransactionReceipt", b.Transactions[i].Hash); err != nil {
			return asMissing(err)
		}
		if r == nil || r.BlockHash != b.Hash {
			return n.vanished("eth_getTransactionReceipt", b)
		}
		all[i] = *r
		return nil
	})
	return all, err
}

// vanished says that a block was there a moment ago: a reorganisation took it,
// or the node lies. Package follow asks again before it decides.
func (n *Node) vanished(op string, b *block) error {
	return errs.New(op, errs.NotExist, n.rpc.String(), "what it says of block "+b.Hash.String()+" is gone", "")
}

func (n *Node) each(ctx context.Context, b *block, do func(context.Context, int) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(receiptsAtOnce)
	for i := range b.Transactions {
		g.Go(func() error { return do(gctx, i) })
	}
	return g.Wait()
}

// tracer asks for frames without logs, which receipts give.
var tracer = map[string]any{
	"tracer": "callTracer", "timeout": "60s",
	"tracerConfig": map[string]bool{"onlyTopCall": false, "withLog": false},
}

// frames asks for the call frames of a block; nil where the node offers none.
func (n *Node) frames(ctx context.Context, b *block) ([]*frame, error) {
	o := n.offered()
	if len(b.Transactions) == 0 {
		if o.noTraces {
			return nil, nil
		}
		return []*frame{}, nil
	}
	if o.noTraces {
		return nil, nil
	}
	var traces jsonrpc.List[traced]
	var err error
	if !o.noBlockTraces {
		err = n.rpc.Call(ctx, &traces, "debug_traceBlockByHash", b.Hash, tracer)
		if err == nil && traces == nil {
			return nil, n.vanished("debug_traceBlockByHash", b)
		}
		if err == nil {
			return b.checkFrames(traces)
		}
		if notOffered(err) {
			n.mu.Lock()
			n.offers.noBlockTraces = true
			n.mu.Unlock()
		}
	}
	if err == nil || notOffered(err) {
		if traces, err = n.traceEach(ctx, b); err == nil {
			return b.checkFrames(traces)
		}
	}
	switch {
	case notOffered(err):
		n.mu.Lock()
		n.offers.noTraces = true
		n.tellLocked("the node offers no call tracer (debug_traceBlockByHash): internal transfers are not imported, and the coverage says so")
		n.mu.Unlock()
		return nil, nil
	case pruned(err):
		n.tell("the node has pruned the state that tracing older blocks needs: their internal transfers are not imported, and the coverage says so")
		return nil, nil
	}
	return nil, asMissing(err)
}

func (n *Node) traceEach(ctx context.Context, b *block) ([]traced, error) {
	traces := make([]traced, len(b.Transactions))
	err := n.each(ctx, b, func(ctx context.Context, i int) error {
		err := n.rpc.Call(ctx, &traces[i].Result, "debug_traceTransaction", b.Transactions[i].Hash, tracer)
		if err == nil && traces[i].Result == nil {
			return n.vanished("debug_traceTransaction", b)
		}
		return err
	})
	return traces, err
}

// invalidParams is the code of a call whose parameters the node does not take.
const invalidParams = -32602

// notOffered says whether the node refused because it does not offer a method,
// or not with these parameters: by the standard's codes, or in the words of
// providers that block it.
func notOffered(err error) bool {
	var e *jsonrpc.Error
	if !errors.As(err, &e) || errs.Is(asMissing(err)) == errs.NotExist && e.Code != jsonrpc.MethodNotFound {
		return false
	}
	if e.Code == jsonrpc.MethodNotFound || e.Code == invalidParams {
		return true
	}
	m := strings.ToLower(e.Message)
	for _, s := range []string{"method not found", "not supported", "not available", "does not exist", "not enabled", "not allowed", "unsupported method"} {
		if strings.Contains(m, s) && strings.Contains(m, "method") {
			return true
		}
	}
	return false
}

// pruned says whether the node lacks the state that a trace starts from.
func pruned(err error) bool {
	var e *jsonrpc.Error
	if !errors.As(err, &e) {
		return false
	}
	m := strings.ToLower(e.Message)
	for _, s := range []string{"missing trie node", "historical state", "state is not available", "state not available", "pruned", "required historical"} {
		if strings.Contains(m, s) {
			return true
		}
	}
	return false
}
