package ethereum

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// server answers JSON-RPC for a simulated chain, and misbehaves when told to.
type server struct {
	*httptest.Server
	mu    sync.Mutex // guards all below and the chain
	chain *simulated
	final int // height of the finalized block; -1: none
	id    quantity

	lacks  map[string]bool // methods not offered
	asked  map[string]int
	bend   func(method string, answer any) any // changes an answer
	refuse func(w http.ResponseWriter) bool    // answers in HTTP's words instead
	conns  map[*websocket.Conn]bool            // with a subscription
}

type call struct {
	ID     jsontext.Value   `json:"id"`
	Method string           `json:"method"`
	Params []jsontext.Value `json:"params"`
}

type rpcFailure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func newServer(t testing.TB) *server {
	s := &server{
		chain: newSimulated(), final: -1, id: 31337, lacks: map[string]bool{}, asked: map[string]int{}, conns: map[*websocket.Conn]bool{},
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.drop()
		s.Close()
	})
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse != nil && refuse(w) {
		return
	}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.serveWS(w, r)
		return
	}
	var c call
	if err := json.UnmarshalRead(r.Body, &c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	json.MarshalWrite(w, s.answer(&c)) //nolint:errcheck // the client notices
}

func (s *server) serveWS(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow() //nolint:errcheck // it is over either way
	for {
		_, text, err := c.Read(r.Context())
		if err != nil {
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
			return
		}
		var q call
		if json.Unmarshal(text, &q) != nil {
			return
		}
		a := s.answer(&q)
		if q.Method == "eth_subscribe" && !s.lacks["eth_subscribe"] {
			s.mu.Lock()
			s.conns[c] = true
			s.mu.Unlock()
			a = map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": "0xcd"}
		}
		out, _ := json.Marshal(a)
		if c.Write(r.Context(), websocket.MessageText, out) != nil {
			return
		}
	}
}

// announce tells subscribers of a new head.
func (s *server) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "eth_subscription", "params": map[string]any{"subscription": "0xcd", "result": s.chain.tip().header}})
	for c := range s.conns {
		c.Write(context.Background(), websocket.MessageText, out) //nolint:errcheck // a broken one is dropped by its reader
	}
}

// drop breaks every WebSocket.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.CloseNow() //nolint:errcheck // that is the point
	}
	clear(s.conns)
}

func (s *server) subscribers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// change changes the chain while it is being followed.
func (s *server) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *server) answer(c *call) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[c.Method]++
	result, fail := s.result(c)
	if fail == nil && s.bend != nil {
		result = s.bend(c.Method, result)
		if f, ok := result.(*rpcFailure); ok {
			fail = f
		}
	}
	if fail != nil {
		return map[string]any{"jsonrpc": "2.0", "id": c.ID, "error": fail}
	}
	return map[string]any{"jsonrpc": "2.0", "id": c.ID, "result": result}
}

func param[T any](c *call, n int) (v T) {
	if n < len(c.Params) {
		json.Unmarshal(c.Params[n], &v) //nolint:errcheck // zero then
	}
	return v
}

func (s *server) result(c *call) (any, *rpcFailure) {
	if s.lacks[c.Method] {
		return nil, &rpcFailure{-32601, "the method " + c.Method + " does not exist/is not available"}
	}
	switch c.Method {
	case "eth_chainId":
		return s.id, nil
	case "eth_getBlockByNumber":
		return s.byNumber(c)
	case "eth_getBlockByHash":
		return s.shown(s.chain.blocks[param[hash](c, 0)], param[bool](c, 1)), nil
	case "eth_getBlockReceipts":
		return s.chain.receipts[param[hash](c, 0)], nil
	case "eth_getTransactionReceipt":
		return s.chain.receiptOf(param[hash](c, 0)), nil
	case "debug_traceBlockByHash":
		return s.chain.traces[param[hash](c, 0)], nil
	case "debug_traceTransaction":
		return s.chain.frameOf(param[hash](c, 0)), nil
	case "eth_call":
		return s.view(c)
	}
	return nil, &rpcFailure{-32601, "no such method " + c.Method}
}

// view answers for token contracts: 0x77.. has 6 decimals and the symbol PEER,
// 0x88.. has 18 and an old symbol of 32 bytes, the others are no tokens.
func (s *server) view(c *call) (any, *rpcFailure) {
	type query struct {
		To    address `json:"to"`
		Input data    `json:"input"`
	}
	q := param[query](c, 0)
	word := make(data, 32)
	decimals := string(q.Input) == string(selDecimals)
	switch {
	case q.To == who(0x77) && decimals:
		word[31] = 6
	case q.To == who(0x77):
		word[31] = 32
		return append(append(word, append(make(data, 31), 4)...), append(data("PEER"), make(data, 28)...)...), nil
	case q.To == who(0x88) && decimals:
		word[31] = 18
	case q.To == who(0x88):
		copy(word, "OLD")
	default:
		return nil, &rpcFailure{3, "execution reverted"}
	}
	return word, nil
}

func (s *server) byNumber(c *call) (any, *rpcFailure) {
	full := param[bool](c, 1)
	switch tag := param[string](c, 0); tag {
	case "latest":
		return s.shown(s.chain.tip(), full), nil
	case "finalized":
		if s.lacks["finalized"] {
			return nil, &rpcFailure{-32602, "invalid argument 0: unknown tag"}
		}
		if s.final < 0 {
			return nil, &rpcFailure{-39001, "finalized block not found"}
		}
		return s.shown(s.chain.blocks[s.chain.best[s.final]], full), nil
	}
	n := param[quantity](c, 0)
	if uint64(n) >= uint64(len(s.chain.best)) {
		return nil, nil
	}
	return s.shown(s.chain.blocks[s.chain.best[n]], full), nil
}

func (s *server) shown(b *block, full bool) any {
	switch {
	case b == nil:
		return nil
	case full:
		return b
	}
	return &b.header
}
