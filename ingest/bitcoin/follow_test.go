package bitcoin

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/follow"
	"bongsu/ingest/follow/inmemory"
	"bongsu/ledger"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"
)

// server is a scripted node of regtest.
type server struct {
	*httptest.Server
	mu     sync.Mutex // guards all below
	raw    map[Hash][]byte
	height map[Hash]uint64
	best   []Hash
	bend   func(method string, answer any) any
	down   int // answers of 503 to give first
}

// regtestGenesis is the first block of regtest, as every node has it built in.
const regtestGenesis = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"

func newServer(t testing.TB) *server {
	s := &server{raw: map[Hash][]byte{}, height: map[Hash]uint64{}}
	s.add(unhex(t, regtestGenesis))
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *server) add(raw []byte) *Block {
	b, err := DecodeBlock(raw)
	if err != nil {
		panic(err)
	}
	s.raw[b.Hash], s.height[b.Hash] = raw, uint64(len(s.best))
	s.best = append(s.best, b.Hash)
	return b
}

// grow mines blocks; each pays its coins to one key, and spends the coins of
// the block before to another.
func (s *server) grow(blocks int, key byte) {
	for range blocks {
		height := uint64(len(s.best))
		tip := s.best[height-1]
		to := func(k byte) []byte { return append(append([]byte{op0, 20}, make([]byte, 19)...), k) }
		txs := [][]byte{coinbase(height, Out{50, to(key)}, Out{0, []byte{opReturn, 1, key}})}
		if b, err := DecodeBlock(s.raw[tip]); err == nil {
			spend := &Tx{In: []In{{Prev: OutPoint{b.Txs[0].ID, 0}}}, Out: []Out{{49, to(100)}}}
			txs = append(txs, serialize(spend, nil))
		}
		s.add(mine(tip, 4, 1_700_000_000+uint32(height), txs...))
	}
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down > 0 {
		s.down--
		http.Error(w, "warming up", http.StatusServiceUnavailable)
		return
	}
	if user, pass, _ := r.BasicAuth(); user != "u" || pass != "p" {
		http.Error(w, "who are you", http.StatusUnauthorized)
		return
	}
	var q struct {
		ID     jsontext.Value   `json:"id"`
		Method string           `json:"method"`
		Params []jsontext.Value `json:"params"`
	}
	if json.UnmarshalRead(r.Body, &q) != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	var text string
	var number uint64
	if len(q.Params) > 0 && json.Unmarshal(q.Params[0], &text) != nil {
		json.Unmarshal(q.Params[0], &number) //nolint:errcheck // zero then
	}
	answer := s.answer(q.Method, text, number)
	if q.Method == "getblock" && string(q.Params[1]) == "3" {
		answer = s.spending(text)
	}
	if s.bend != nil {
		answer = s.bend(q.Method, answer)
	}
	out := map[string]any{"id": q.ID, "result": answer, "error": nil}
	if code, failed := answer.(int); failed {
		out["result"], out["error"] = nil, map[string]any{"code": code, "message": "Block number out of range"}
		w.WriteHeader(http.StatusInternalServerError)
	}
	json.MarshalWrite(w, out) //nolint:errcheck // the client notices
}

func (s *server) answer(method, text string, number uint64) any {
	switch method {
	case "getblockhash":
		if number >= uint64(len(s.best)) {
			return codeOther
		}
		return s.best[number].String()
	case "getbestblockhash":
		return s.best[len(s.best)-1].String()
	case "getblockheader", "getblock":
		h, _ := ParseHash(text)
		raw, ok := s.raw[h]
		switch {
		case !ok:
			return codeUnknown
		case method == "getblock":
			return hex.EncodeToString(raw)
		}
		b, _ := DecodeHeader(raw)
		out := map[string]any{
			"hash": h.String(), "height": s.height[h], "confirmations": 1, "version": b.Version, "merkleroot": b.Merkle.String(),
			"time": b.Time, "bits": fmt.Sprintf("%08x", b.Bits), "nonce": b.Nonce,
		}
		if !b.Prev.IsZero() {
			out["previousblockhash"] = b.Prev.String()
		}
		return out
	}
	return -32601
}

// misbehave bends answers from now on; questions given up may still be answered.
func (s *server) misbehave(bend func(method string, answer any) any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bend = bend
}

// spending is what Bitcoin Core says of what a block spends.
func (s *server) spending(name string) any {
	h, err := ParseHash(name)
	if err != nil {
		return codeUnknown
	}
	b, err := DecodeBlock(s.raw[h])
	if err != nil {
		return codeUnknown
	}
	outs := map[OutPoint]Out{}
	for _, raw := range s.raw {
		if before, err := DecodeBlock(raw); err == nil {
			for i := range before.Txs {
				for n, o := range before.Txs[i].Out {
					outs[OutPoint{before.Txs[i].ID, uint32(n)}] = o
				}
			}
		}
	}
	var txs []any
	for i := range b.Txs {
		var in []any
		for _, x := range b.Txs[i].In {
			o := outs[x.Prev]
			in = append(in, map[string]any{"txid": x.Prev.Tx.String(), "vout": x.Prev.Index, "sequence": x.Sequence, "prevout": map[string]any{
				"value": jsontext.Value(fmt.Sprintf("0.%08d", o.Value)), "scriptPubKey": map[string]any{"hex": hex.EncodeToString(o.Script)},
			}})
		}
		txs = append(txs, map[string]any{"txid": b.Txs[i].ID.String(), "vin": in})
	}
	return map[string]any{"tx": txs}
}

func (s *server) config(l follow.Ledger, edit ...func(*Config)) Config {
	c := Config{Setup: follow.Setup{
		URL: strings.Replace(s.URL, "http://", "http://u:p@", 1), Ledger: l, Once: true, Poll: time.Millisecond,
		Window: 4, Batch: 8, HTTP: s.Client(), Backoff: func(int) time.Duration { return time.Millisecond },
	}}
	for _, e := range edit {
		e(&c)
	}
	return c
}

// regtest is what a ledger holds of regtest, as text.
func regtest(t testing.TB, l follow.Ledger, blocks []Hash, s *server) string {
	t.Helper()
	ctx := context.Background()
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cov, err := r.Coverage(ctx, chain.BitcoinRegtest)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	fmt.Fprintln(&out, cov.Ranges, cov.Txs)
	var names []ledger.Tx
	for _, h := range blocks {
		b, err := DecodeBlock(s.raw[h])
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Txs {
			names = append(names, ledger.Tx{Chain: chain.BitcoinRegtest, ID: b.Txs[i].ID.TxID()})
		}
	}
	refs, err := r.TxRefs(ctx, names)
	if err != nil {
		t.Fatal(err)
	}
	held, err := r.UTXOs(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range held {
		fmt.Fprintf(&out, "%+v\n", u)
	}
	return out.String()
}

// batch is the same of a ledger into which the server's chain was imported at once.
func (s *server) batch(t testing.TB) string {
	t.Helper()
	var l inmemory.Ledger
	imp, err := l.Begin(context.Background(), "all")
	if err != nil {
		t.Fatal(err)
	}
	for height, h := range s.best {
		b, err := DecodeBlock(s.raw[h])
		if err != nil {
			t.Fatal(err)
		}
		live := Facts(chain.BitcoinRegtest, Placed{b, uint64(height)})
		live.Facts.Claims = []ledger.Claim{{Chain: chain.BitcoinRegtest, From: uint64(height), To: uint64(height), What: live.What}}
		if err := imp.Add(&live.Facts); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := imp.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return regtest(t, &l, s.best, s)
}

func TestFollow(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := newServer(t)
	defer s.Close()
	s.grow(20, 1)
	s.down = 3
	var l inmemory.Ledger
	var told []string
	c := s.config(&l, func(c *Config) {
		c.Event = func(e follow.Event) {
			if e.Kind != follow.Applied {
				told = append(told, fmt.Sprint(e.Kind, " ", e.Block.Number))
			}
		}
	})
	look := func(want ...string) {
		t.Helper()
		told = nil
		if err := Follow(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if got, want := regtest(t, &l, s.best, s), s.batch(t); got != want {
			t.Errorf("holds\n%.3000s\nwant\n%.3000s", got, want)
		}
	}
	// Block 15 has six confirmations: itself and the five above.
	look("retrying 0", "retrying 0", "retrying 0", "planned 0", "level 20")
	if last, final, _ := l.Live(context.Background(), chain.BitcoinRegtest); last.Number != 20 || final.Known {
		t.Errorf("live %+v, final %+v", last, final)
	}
	s.grow(2, 2)
	look("planned 21", "finalized 17", "level 22")
	lost := slices.Clone(s.best[19:])
	s.best = s.best[:19]
	s.grow(6, 3)
	look("planned 23", "rolled back 18", "finalized 19", "level 24")
	for _, h := range lost {
		b, _ := DecodeBlock(s.raw[h])
		r, _ := l.Reader(context.Background())
		refs, _ := r.TxRefs(context.Background(), []ledger.Tx{{Chain: chain.BitcoinRegtest, ID: b.Txs[0].ID.TxID()}})
		if held, _ := r.UTXOs(context.Background(), refs); held[0].Outputs != nil {
			t.Errorf("the coins of a lost block are still held: %+v", held[0])
		}
	}
}

func TestFollowRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(method string, answer any) any
		kind errs.Kind
		why  string
	}{
		{"a header of another block", func(m string, a any) any {
			if v, ok := a.(map[string]any); ok && m == "getblockheader" {
				v["time"] = 7
			}
			return a
		}, errs.Forged, "answers with"},
		{"a header without its fields", func(m string, a any) any {
			if v, ok := a.(map[string]any); ok && m == "getblockheader" {
				delete(v, "bits")
			}
			return a
		}, errs.Invalid, "no target"},
		{"a changed transaction", func(m string, a any) any {
			if text, ok := a.(string); ok && m == "getblock" {
				return text[:len(text)-10] + "65" + text[len(text)-8:]
			}
			return a
		}, errs.Forged, "Merkle"},
		{"half a block", func(m string, a any) any {
			if text, ok := a.(string); ok && m == "getblock" {
				return text[:len(text)/2/2*2]
			}
			return a
		}, errs.Invalid, "too early"},
		{"no hexadecimal", func(m string, a any) any {
			if m == "getblock" {
				return "xyz"
			}
			return a
		}, errs.Invalid, "hexadecimal"},
		{"heights that are others", func(m string, a any) any {
			if p, ok := a.(map[string]any); ok && p["height"].(uint64) > 0 {
				p["height"] = p["height"].(uint64) + 1
			}
			return a
		}, errs.Forged, "height"},
		{"a height that is a time", func(m string, a any) any {
			if p, ok := a.(map[string]any); ok && p["height"].(uint64) > 0 {
				p["height"] = uint64(1<<64 - 1)
			}
			return a
		}, errs.Forged, "cannot stand at height 18446744073709551615"},
		{"no height", func(m string, a any) any {
			if p, ok := a.(map[string]any); ok {
				delete(p, "height")
			}
			return a
		}, errs.Invalid, "height"},
		{"an unknown chain", func(m string, a any) any {
			if m == "getblockhash" {
				return strings.Repeat("ab", 32)
			}
			return a
		}, errs.Invalid, "no chain known here"},
		{"methods not offered", func(string, any) any { return -32601 }, errs.NotExist, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.grow(4, 1)
			s.bend = c.bend
			var l inmemory.Ledger
			err := Follow(context.Background(), s.config(&l))
			if c.kind == errs.NotExist {
				c.kind = errs.Usage
			}
			if errs.Is(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.why) {
				t.Errorf("%v (%s), want %s with %q", err, errs.Is(err), c.kind, c.why)
			}
		})
	}
	s := newServer(t)
	if err := Follow(context.Background(), s.config(&inmemory.Ledger{}, func(c *Config) { c.URL = s.URL })); errs.Is(err) != errs.Permission {
		t.Errorf("without credentials: %v", err)
	}
	if err := Follow(context.Background(), s.config(&inmemory.Ledger{}, func(c *Config) { c.Chain = chain.Bitcoin })); errs.Is(err) != errs.Conflict {
		t.Errorf("another chain: %v", err)
	}
}

// TestSpentBefore follows from a later block on: what is spent there is told by
// the node, and only where it has to be.
func TestSpentBefore(t *testing.T) {
	s := newServer(t)
	s.grow(20, 1)
	var asked atomic.Int64
	count := func(bend func(any) any) func(string, any) any {
		return func(_ string, a any) any {
			if m, ok := a.(map[string]any); ok && m["tx"] != nil {
				asked.Add(1)
				return bend(a)
			}
			return a
		}
	}
	same := func(a any) any { return a }
	var l inmemory.Ledger
	s.misbehave(count(same))
	if err := Follow(context.Background(), s.config(&l)); err != nil || asked.Load() != 0 {
		t.Fatalf("%v, asked %d times though the ledger reaches down to the first block", err, asked.Load())
	}
	spend := func(l follow.Ledger, height int) ledger.UTXOIn {
		t.Helper()
		b, err := DecodeBlock(s.raw[s.best[height]])
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Reader(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		refs, _ := r.TxRefs(context.Background(), []ledger.Tx{{Chain: chain.BitcoinRegtest, ID: b.Txs[1].ID.TxID()}})
		held, err := r.UTXOs(context.Background(), refs)
		if err != nil {
			t.Fatal(err)
		}
		return held[0].Inputs[0]
	}
	whole := spend(&l, 10)
	late := func(c *Config) { c.From = 10 }
	var part inmemory.Ledger
	if err := Follow(context.Background(), s.config(&part, late)); err != nil || asked.Load() == 0 {
		t.Fatalf("%v, asked %d times", err, asked.Load())
	}
	if got := spend(&part, 10); got != whole || !got.Known || got.Value != chain.Units(50) {
		t.Errorf("spends %+v, want %+v", got, whole)
	}
	for why, bend := range map[string]func(any) any{
		"pays more than it spends": func(a any) any {
			for _, tx := range a.(map[string]any)["tx"].([]any)[1:] {
				tx.(map[string]any)["vin"].([]any)[0].(map[string]any)["prevout"].(map[string]any)["value"] = jsontext.Value("0.00000001")
			}
			return a
		},
		"is of another": func(a any) any {
			a.(map[string]any)["tx"].([]any)[1].(map[string]any)["txid"] = Hash{}.String()
			return a
		},
		"but the node tells what 1 spend": func(a any) any {
			m := a.(map[string]any)
			m["tx"] = m["tx"].([]any)[:1]
			return a
		},
		"no amount of coins": func(a any) any {
			a.(map[string]any)["tx"].([]any)[1].(map[string]any)["vin"].([]any)[0].(map[string]any)["prevout"].(map[string]any)["value"] = "many"
			return a
		},
	} {
		s.misbehave(count(bend))
		if err := Follow(context.Background(), s.config(&inmemory.Ledger{}, late)); errs.Is(err) != errs.Forged || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %q", err, why)
		}
	}
	// A node that does not tell is followed all the same, and that is told.
	for _, bend := range []func(any) any{
		func(any) any { return codeOutOfRange - 100 },
		func(a any) any {
			for _, tx := range a.(map[string]any)["tx"].([]any) {
				for _, in := range tx.(map[string]any)["vin"].([]any) {
					delete(in.(map[string]any), "prevout")
				}
			}
			return a
		},
	} {
		s.misbehave(count(bend))
		var l inmemory.Ledger
		var notes []string
		err := Follow(context.Background(), s.config(&l, late, func(c *Config) {
			c.Event = func(e follow.Event) {
				if e.Kind == follow.Noticed {
					notes = append(notes, e.Note)
				}
			}
		}))
		if err != nil || len(notes) != 1 || spend(&l, 10).Known || !spend(&l, 11).Known {
			t.Errorf("%v, told %q, spends %+v", err, notes, spend(&l, 10))
		}
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := newServer(t)
	defer s.Close()
	s.grow(3, 1)
	ctx, cancel := context.WithCancel(context.Background())
	var l inmemory.Ledger
	err := Follow(ctx, s.config(&l, func(c *Config) {
		c.Once = false
		c.Event = func(e follow.Event) {
			if e.Kind == follow.Level {
				cancel()
			}
		}
	}))
	if err != nil {
		t.Error(err)
	}
	s.down = 1 << 30
	ctx, cancel = context.WithCancel(context.Background())
	err = Follow(ctx, s.config(&l, func(c *Config) {
		c.Event = func(e follow.Event) {
			if e.Kind == follow.Retrying {
				cancel()
			}
		}
	}))
	if err != nil {
		t.Error(err)
	}
}
