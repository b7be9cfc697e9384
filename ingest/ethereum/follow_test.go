package ethereum

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/follow"
	"bongsu/ingest/follow/inmemory"
	"bongsu/ledger"
	"bongsu/ledger/model"

	"go.uber.org/goleak"
)

const simulatedChain = chain.ID("eip155:31337")

// rich is a block with everything that can move, and much that must not.
func rich() []move {
	nested := []frame{
		{Type: "CALL", From: who(2), To: whom(3), Value: wei(10), Calls: []frame{
			{Type: "DELEGATECALL", From: who(3), To: whom(4), Value: wei(10), Calls: []frame{
				{Type: "CALL", From: who(3), To: whom(5), Value: wei(4)},
			}},
			{Type: "STATICCALL", From: who(3), To: whom(6)},
			{Type: "CALLCODE", From: who(3), To: whom(6), Value: wei(9)},
		}},
		{Type: "CALL", From: who(2), To: whom(7), Value: wei(20), Error: "execution reverted", Calls: []frame{
			{Type: "CALL", From: who(7), To: whom(8), Value: wei(20)},
		}},
		{Type: "CREATE2", From: who(2), To: whom(9), Value: wei(30)},
		{Type: "SELFDESTRUCT", From: who(9), To: whom(10), Value: wei(30)},
		{Type: "CALL", From: who(2), To: whom(3), Value: wei(10)}, // equal to the first
	}
	picture := erc20(0x99, 0, 1, 0)
	picture.Topics, picture.Data = append(picture.Topics, hash{31: 5}), data{} // ERC-721
	short := erc20(0x77, 1, 2, 3)
	short.Data = short.Data[:31]
	return []move{
		{from: 1, to: 2, value: 100, frames: nested},
		{from: 1, to: 2, value: 50, failed: true, frames: []frame{{Type: "CALL", From: who(2), To: whom(3), Value: wei(50)}}, logs: []event{erc20(0x77, 1, 2, 9)}},
		{from: 3, to: 4, value: 0, kind: typeDynamicFee, logs: []event{
			erc20(0x77, 0, 3, 1000), erc20(0x77, 3, 4, 400), erc20(0x77, 3, 4, 400), erc20(0x88, 3, 4, 0), erc20(0x66, 1, 2, 7), picture, short, {Address: who(1), Topics: []hash{}},
		}},
		{from: 5, to: 6, value: 11, creates: true, kind: typeAccessList},
		{from: 5, to: 6, value: 1, kind: typeBlob, blobs: 131072},
		{from: 5, to: 6, value: 1, kind: typeSetCode},
	}
}

// richMoves is what a block with rich in it moves.
var richMoves = []string{
	"0 fee 0/0 0x01 > - native 147000", "0 native 0/0 0x01 > 0x02 native 100",
	"0 internal 1/0 0x02 > 0x03 native 10", "0 internal 3/0 0x03 > 0x05 native 4",
	"0 internal 8/0 0x02 > 0x09 native 30", "0 internal 9/0 0x09 > 0x0a native 30", "0 internal 10/1 0x02 > 0x03 native 10",
	"1 fee 0/0 0x01 > - native 147000",
	"2 fee 0/0 0x03 > - native 147000",
	"2 token 0/0 - > 0x03 0x77 1000", "2 token 1/0 0x03 > 0x04 0x77 400", "2 token 2/1 0x03 > 0x04 0x77 400",
	"2 token 3/0 0x03 > 0x04 0x88 0", "2 token 4/0 0x01 > 0x02 0x66 7",
	"3 fee 0/0 0x05 > - native 147000", "3 native 0/0 0x05 > 0x06 native 11",
	"4 fee 0/0 0x05 > - native 409144", "4 native 0/0 0x05 > 0x06 native 1",
	"5 fee 0/0 0x05 > - native 147000", "5 native 0/0 0x05 > 0x06 native 1",
}

func show(transfers []chain.Transfer) (out []string) {
	name := func(a chain.Account) string {
		if a.IsZero() {
			return "-"
		}
		return a.Address()[:4]
	}
	for _, t := range transfers {
		asset := "native"
		if c := t.Asset.Contract(); !c.IsZero() {
			asset = name(c)
		}
		out = append(out, fmt.Sprintf("%d %s %d/%d %s > %s %s %s", int32(t.Index), t.Kind, t.Ordinal, t.Nth, name(t.From), name(t.To), asset, t.Amount.Base()))
	}
	return out
}

func config(s *server, l follow.Ledger, edit ...func(*Config)) Config {
	c := Config{Setup: follow.Setup{
		URL: s.URL, Ledger: l, Once: true, Window: 4, Batch: 8, Poll: time.Millisecond, HTTP: s.Client(),
		Backoff: func(int) time.Duration { return time.Millisecond },
	}}
	for _, e := range edit {
		e(&c)
	}
	return c
}

func overWS(c *Config) { c.URL = strings.Replace(c.URL, "http", "ws", 1) }

// transfersOf is everything in a ledger, in order.
func transfersOf(t testing.TB, l follow.Ledger) []chain.Transfer {
	t.Helper()
	ctx := context.Background()
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return scan(t, r)
}

func scan(t testing.TB, r ledger.Reader) (all []chain.Transfer) {
	t.Helper()
	err := r.Scan(context.Background(), simulatedChain, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		some, err := ledger.Expand(context.Background(), r, rows)
		all = append(all, some...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// batch is what a ledger holds into which the server's chain was imported at once.
func (s *server) batch(t testing.TB, traces bool) []chain.Transfer {
	t.Helper()
	var m model.Model
	for _, h := range s.chain.best {
		b := s.chain.blocks[h]
		var frames []*frame
		if traces {
			frames = []*frame{}
			for _, tr := range s.chain.traces[h] {
				frames = append(frames, tr.Result)
			}
		}
		live, err := moved(simulatedChain, b, s.chain.receipts[h], frames, Keep{})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Add(&live.Facts); err != nil {
			t.Fatal(err)
		}
	}
	r, err := m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	return scan(t, r)
}

func coverage(t testing.TB, l follow.Ledger) ledger.Coverage {
	t.Helper()
	r, err := l.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cov, err := r.Coverage(context.Background(), simulatedChain)
	if err != nil {
		t.Fatal(err)
	}
	return cov
}

func TestMoves(t *testing.T) {
	for _, way := range []struct {
		name   string
		lacks  []string
		traces bool
	}{
		{"all offered", nil, true},
		{"receipts one by one", []string{"eth_getBlockReceipts"}, true},
		{"traces one by one", []string{"debug_traceBlockByHash"}, true},
		{"no tracer", []string{"debug_traceBlockByHash", "debug_traceTransaction"}, false},
	} {
		for _, over := range []string{"HTTP", "WebSocket"} {
			t.Run(way.name+" over "+over, func(t *testing.T) {
				s := newServer(t)
				for _, m := range way.lacks {
					s.lacks[m] = true
				}
				s.chain.grow()
				b := s.chain.grow(rich()...)
				var notes []string
				var l inmemory.Ledger
				c := config(s, &l, func(c *Config) {
					if over == "WebSocket" {
						overWS(c)
					}
					c.Event = func(e follow.Event) {
						if e.Kind == follow.Noticed {
							notes = append(notes, e.Note)
						}
					}
				})
				if err := Follow(context.Background(), c); err != nil {
					t.Fatal(err)
				}
				want := slices.DeleteFunc(slices.Clone(richMoves), func(m string) bool { return !way.traces && strings.Contains(m, "internal") })
				if got := show(transfersOf(t, &l)); !slices.Equal(got, want) {
					t.Errorf("moved\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				cov := coverage(t, &l)
				if full := cov.Complete(1, 1, ledger.CoverAll); full != way.traces || !cov.Complete(1, 1, ledger.CoverNative|ledger.CoverFees|ledger.CoverTokens) {
					t.Errorf("covers %+v", cov.Ranges)
				}
				if told := strings.Contains(strings.Join(notes, ""), "internal transfers are not imported"); told == way.traces {
					t.Errorf("told %q", notes)
				}
				r, _ := l.Reader(context.Background())
				for token, want := range map[byte]chain.AssetInfo{
					0x77: {Symbol: "PEER", Decimals: 6}, 0x88: {Symbol: "OLD", Decimals: 18},
				} {
					info, ok := r.Registry().Info(chain.Token(chain.EVM(simulatedChain, who(token))))
					if !ok || info.Symbol != want.Symbol || info.Decimals != want.Decimals {
						t.Errorf("token %x: %+v, %v", token, info, ok)
					}
				}
				if blocks, _ := r.Blocks(context.Background(), simulatedChain, []uint64{1}); hash(blocks[0].Hash) != b.Hash {
					t.Errorf("block %+v", blocks[0])
				}
			})
		}
	}
}

func TestWithdrawalsAreMints(t *testing.T) {
	s := newServer(t)
	s.chain.grow()
	b := s.chain.grow(move{from: 1, to: 2, value: 5})
	s.chain.reorganise(1)
	b.Withdrawals = []withdrawal{{0, 1, who(3), 7}, {1, 2, who(3), 7}, {2, 3, who(4), 1}, {3, 4, who(4), 0}}
	s.chain.seal(b, s.chain.receipts[b.Hash], s.chain.traces[b.Hash])
	s.chain.best = append(s.chain.best, b.Hash)
	var l inmemory.Ledger
	if err := Follow(context.Background(), config(s, &l)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0 fee 0/0 0x01 > - native 147000", "0 native 0/0 0x01 > 0x02 native 5",
		"-1 adjustment 0/0 - > 0x03 native 7000000000", "-1 adjustment 1/1 - > 0x03 native 7000000000", "-1 adjustment 2/0 - > 0x04 native 1000000000",
	}
	if got := show(transfersOf(t, &l)); !slices.Equal(got, want) {
		t.Errorf("moved\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestKeepsCallsAndLogs(t *testing.T) {
	s := newServer(t)
	s.chain.grow()
	call := data{1, 2, 3, 4, 5}
	s.chain.grow(move{
		from: 1, to: 2, value: 1, logs: []event{erc20(0x77, 1, 2, 9)},
		frames: []frame{{Type: "CALL", From: who(2), To: whom(3), Input: call}, {Type: "CALL", From: who(2), To: whom(3), Input: data{9}}},
	})
	var l inmemory.Ledger
	c := config(s, &l, func(c *Config) {
		c.Keep = Keep{Call: func(s [4]byte) bool { return s == [4]byte{1, 2, 3, 4} }, Log: func(t [32]byte) bool { return hash(t) == transferTopic }}
	})
	if err := Follow(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r, _ := l.Reader(ctx)
	refs, _ := r.TxRefs(ctx, []ledger.Tx{{Chain: simulatedChain, ID: s.chain.tip().Transactions[0].Hash.tx()}})
	notes, err := r.Notes(ctx, refs)
	if err != nil || len(notes[0].Calls) != 1 || len(notes[0].Logs) != 1 {
		t.Fatalf("notes %+v, %v", notes, err)
	}
	if n := notes[0]; string(n.Calls[0].Input) != string(call) || n.Calls[0].Ordinal != 1 || n.Logs[0].Index != 0 || len(n.Logs[0].Topics) != 3 {
		t.Errorf("notes %+v", n)
	}
}

func TestReorganisation(t *testing.T) {
	for _, final := range []int{-1, 3} {
		s := newServer(t)
		s.final = final
		for i := range 8 {
			s.chain.grow(move{from: 1, to: byte(i + 2), value: uint64(i + 1)})
		}
		var l inmemory.Ledger
		var told []string
		c := config(s, &l, func(c *Config) {
			c.Event = func(e follow.Event) { told = append(told, fmt.Sprint(e.Kind, " ", e.Block.Number)) }
		})
		if err := Follow(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		s.chain.reorganise(3)
		s.chain.grow(rich()...)
		s.chain.grow()
		for range 6 {
			s.chain.grow(move{from: 7, to: 8, value: 3})
		}
		told = nil
		if err := Follow(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if told[0] != "planned 8" || told[1] != "rolled back 4" {
			t.Errorf("final %d: told %q", final, told)
		}
		if got, want := show(transfersOf(t, &l)), show(s.batch(t, true)); !slices.Equal(got, want) {
			t.Errorf("moved\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestRefusesLies(t *testing.T) {
	resealed := func(answer any, change func(b *block)) any {
		if b, ok := answer.(*block); ok {
			c := *b
			c.Transactions = slices.Clone(b.Transactions)
			change(&c)
			return &c
		}
		return answer
	}
	for _, c := range []struct {
		name string
		bend func(method string, answer any) any
		why  string
	}{
		{"a header that does not hash to its name", func(_ string, a any) any {
			if h, ok := a.(*header); ok && h.Number == 1 {
				c := *h
				c.Timestamp++
				return &c
			}
			return a
		}, "hashes to"},
		{"a block of another number", func(m string, a any) any {
			if m == "eth_getBlockByHash" {
				return resealed(a, func(b *block) { b.Number = 7; b.Hash = b.hashOf() })
			}
			return a
		}, "answers with another"},
		{"a transaction changed", func(_ string, a any) any {
			return resealed(a, func(b *block) {
				if len(b.Transactions) > 0 {
					b.Transactions[0].Value = *wei(1 << 40)
				}
			})
		}, "does not hash to"},
		{"a transaction left out", func(_ string, a any) any {
			return resealed(a, func(b *block) { b.Transactions = b.Transactions[:len(b.Transactions)/2] })
		}, "header commits to"},
		{"receipts of other transactions", func(m string, a any) any {
			if r, ok := a.([]receipt); ok && m == "eth_getBlockReceipts" && len(r) > 1 {
				c := slices.Clone(r)
				c[0], c[1] = c[1], c[0]
				return c
			}
			return a
		}, "is not that of transaction"},
		{"a forged token transfer", func(_ string, a any) any {
			if r, ok := a.([]receipt); ok && len(r) > 0 {
				c := slices.Clone(r)
				c[0].Logs = append(slices.Clone(c[0].Logs), erc20(0x77, 1, 6, 1<<50))
				c[0].Logs[len(c[0].Logs)-1].Index = 0
				return c
			}
			return a
		}, "receipt"},
		{"a status that there is not", func(_ string, a any) any {
			if r, ok := a.([]receipt); ok && len(r) > 0 {
				c, two := slices.Clone(r), quantity(2)
				c[0].Status = &two
				return c
			}
			return a
		}, "its status is neither"},
		{"too few receipts", func(_ string, a any) any {
			if r, ok := a.([]receipt); ok && len(r) > 0 {
				return r[1:]
			}
			return a
		}, "receipts"},
		{"traces of other transactions", func(_ string, a any) any {
			if r, ok := a.([]traced); ok && len(r) > 1 {
				c := slices.Clone(r)
				slices.Reverse(c)
				return c
			}
			return a
		}, "trace 0 is not that of"},
		{"a root frame of another value", func(_ string, a any) any {
			if r, ok := a.([]traced); ok && len(r) > 0 {
				c := slices.Clone(r)
				root := *c[0].Result
				root.Value = wei(1 << 40)
				c[0].Result = &root
				return c
			}
			return a
		}, "root frame"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.chain.grow()
			s.chain.grow(rich()...)
			s.bend = c.bend
			var l inmemory.Ledger
			err := Follow(context.Background(), config(s, &l))
			if errs.Is(err) != errs.Forged || !strings.Contains(fmt.Sprint(err), c.why) {
				t.Errorf("%v (%s), want forged with %q", err, errs.Is(err), c.why)
			}
			if got := transfersOf(t, &l); len(got) != 0 {
				t.Errorf("the ledger took %v", show(got))
			}
		})
	}
}

// TestGoneBetweenQuestions holds that a block that a reorganisation takes while
// it is being fetched is no lie: the node is asked again.
func TestGoneBetweenQuestions(t *testing.T) {
	for _, method := range []string{"eth_getBlockReceipts", "debug_traceBlockByHash", "eth_getTransactionReceipt", "debug_traceTransaction", "eth_getBlockByHash"} {
		s := newServer(t)
		s.lacks["eth_getBlockReceipts"] = method == "eth_getTransactionReceipt"
		s.lacks["debug_traceBlockByHash"] = method == "debug_traceTransaction"
		s.chain.grow()
		s.chain.grow(rich()...)
		times := 0
		s.bend = func(m string, a any) any {
			if m == method && times < 2 {
				times++
				return nil
			}
			return a
		}
		var l inmemory.Ledger
		if err := Follow(context.Background(), config(s, &l)); err != nil || times != 2 {
			t.Errorf("%s: %v", method, err)
		}
		if got := show(transfersOf(t, &l)); !slices.Equal(got, richMoves) {
			t.Errorf("%s: moved %q", method, got)
		}
		times = -1 << 20
		s.chain.grow(rich()...)
		if err := Follow(context.Background(), config(s, &l)); errs.Is(err) != errs.Forged {
			t.Errorf("%s: for ever: %v", method, err)
		}
	}
}

// TestOtherEncoding holds that a chain whose headers have fields of their own is
// followed as far as its answers agree with each other, and that this is told.
func TestOtherEncoding(t *testing.T) {
	s := newServer(t)
	s.id = 10
	s.chain.grow()
	s.chain.grow(rich()...)
	s.bend = func(_ string, a any) any { // a field that this chain hashes and nobody else has
		switch b := a.(type) {
		case *header:
			c := *b
			c.ExtraData = data{1}
			return &c
		case *block:
			c := *b
			c.ExtraData = data{1}
			return &c
		}
		return a
	}
	var l inmemory.Ledger
	var notes []string
	err := Follow(context.Background(), config(s, &l, func(c *Config) {
		c.Event = func(e follow.Event) { notes = append(notes, e.Note) }
	}))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(notes, ""), "do not hash as Ethereum's do") {
		t.Errorf("told %q", notes)
	}
	if last, _, _ := l.Live(context.Background(), "eip155:10"); last.Number != 1 {
		t.Errorf("live %+v", last)
	}
	// A chain that has hashed as Ethereum's does is held to it.
	s = newServer(t)
	s.id = 10
	s.chain.grow()
	s.chain.grow()
	s.bend = func(_ string, a any) any {
		if h, ok := a.(*header); ok && h.Number == 0 {
			c := *h
			c.ExtraData = data{1}
			return &c
		}
		return a
	}
	if err := Follow(context.Background(), config(s, &inmemory.Ledger{})); errs.Is(err) != errs.Forged {
		t.Errorf("%v", err)
	}
}

func TestAnotherChain(t *testing.T) {
	s := newServer(t)
	s.chain.grow()
	err := Follow(context.Background(), config(s, &inmemory.Ledger{}, func(c *Config) { c.Chain = chain.Ethereum }))
	if errs.Is(err) != errs.Conflict {
		t.Errorf("%v", err)
	}
}

func TestPrunedState(t *testing.T) {
	s := newServer(t)
	s.chain.grow()
	s.chain.grow(move{from: 1, to: 2, value: 3})
	s.chain.grow(move{from: 1, to: 2, value: 3})
	old := s.chain.best[1]
	s.bend = func(m string, a any) any {
		if r, ok := a.([]traced); ok && len(r) > 0 && *r[0].TxHash == s.chain.blocks[old].Transactions[0].Hash {
			return &rpcFailure{-32000, "required historical state unavailable (reexec=128)"}
		}
		return a
	}
	var l inmemory.Ledger
	if err := Follow(context.Background(), config(s, &l)); err != nil {
		t.Fatal(err)
	}
	if cov := coverage(t, &l); cov.Complete(1, 1, ledger.CoverInternal) || !cov.Complete(2, 2, ledger.CoverAll) {
		t.Errorf("covers %+v", cov.Ranges)
	}
}

func TestFinality(t *testing.T) {
	s := newServer(t)
	for range 12 {
		s.chain.grow()
	}
	s.lacks["finalized"] = true
	var l inmemory.Ledger
	var notes []string
	note := func(c *Config) {
		c.Event = func(e follow.Event) {
			if e.Kind == follow.Noticed {
				notes = append(notes, e.Note)
			}
		}
	}
	if err := Follow(context.Background(), config(s, &l, note)); err != nil {
		t.Fatal(err)
	}
	if cov := coverage(t, &l); cov.Final != 0 || len(notes) != 1 {
		t.Errorf("final %d, told %q", cov.Final, notes)
	}
	if err := Follow(context.Background(), config(s, &l, func(c *Config) { c.FinalDepth = 4 })); err != nil {
		t.Fatal(err)
	}
	if cov := coverage(t, &l); cov.Final != 7 {
		t.Errorf("final %d, want 7", cov.Final)
	}
}

// TestLive follows over both connections while the chain grows, reorganises
// and the server goes away, until the ledger agrees and ctx ends.
func TestLive(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, over := range []string{"HTTP", "WebSocket"} {
		t.Run(over, func(t *testing.T) {
			s := newServer(t)
			s.chain.grow()
			var l inmemory.Ledger
			level := make(chan uint64, 1000)
			c := config(s, &l, func(c *Config) {
				c.Once = false
				if over == "WebSocket" {
					overWS(c)
				}
				c.Event = func(e follow.Event) {
					if e.Kind == follow.Level {
						level <- e.Block.Number
					}
				}
			})
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- Follow(ctx, c) }()
			reach := func(height uint64) {
				t.Helper()
				deadline := time.After(20 * time.Second)
				for {
					select {
					case n := <-level:
						if n == height {
							return
						}
					case err := <-ended:
						t.Fatalf("ended: %v", err)
					case <-deadline:
						t.Fatalf("block %d was not reached", height)
					}
				}
			}
			step := func(do func()) {
				s.change(do)
				s.announce()
			}
			reach(0)
			if over == "WebSocket" {
				for deadline := time.Now().Add(10 * time.Second); s.subscribers() == 0; time.Sleep(time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatal("nobody subscribed")
					}
				}
			}
			step(func() { s.chain.grow(rich()...) })
			reach(1)
			step(func() { s.chain.grow(move{from: 1, to: 2, value: 3}); s.chain.grow() })
			reach(3)
			step(func() {
				s.chain.reorganise(2)
				s.chain.grow()
				s.chain.grow()
				s.chain.grow(move{from: 2, to: 1, value: 1})
			})
			reach(4)
			// Away, and back with more.
			var once sync.Once
			step(func() {
				away := 0
				s.refuse = func(w http.ResponseWriter) bool {
					if away++; away > 3 {
						once.Do(func() { s.change(func() { s.refuse = nil }) })
						return false
					}
					http.Error(w, "gone", http.StatusServiceUnavailable)
					return true
				}
				s.chain.grow()
				s.chain.grow(rich()...)
			})
			s.drop()
			reach(6)
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			s.CloseClientConnections()
			s.Client().CloseIdleConnections()
			if got, want := show(transfersOf(t, &l)), show(s.batch(t, true)); !slices.Equal(got, want) {
				t.Errorf("moved\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			s.drop()
			s.Close()
		})
	}
}
