package ethereum

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"

	"github.com/go-json-experiment/json"
)

// answered reads a real node's answer from testdata.
func answered[T any](t testing.TB, name string) (out T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Result T `json:"result"`
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(name, err)
	}
	return a.Result
}

// TestRealBlocks holds the encodings against the main net: headers hash to
// their names, and commit to their transactions.
func TestRealBlocks(t *testing.T) {
	for _, name := range []string{"block_0", "block_47218", "block_483920", "block_1755634", "block_1755635"} {
		b := answered[block](t, name+".json")
		if got := b.hashOf(); got != b.Hash {
			t.Errorf("%s: header hashes to %s, want %s", name, got, b.Hash)
		}
		if err := b.checkList(true); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := b.checkSenders(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	first := answered[block](t, "block_0.json")
	if first.Hash.String() != "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3" {
		t.Errorf("the first block is %s", first.Hash)
	}
}

func realReceipts(t testing.TB) []receipt {
	return []receipt{
		answered[receipt](t, "receipt_1755635_0.json"),
		answered[receipt](t, "receipt_1755635_1.json"),
	}
}

// TestRealMovements states what block 1755635 moved: a vote on The DAO that
// sends 5 tokens on, and a payment.
func TestRealMovements(t *testing.T) {
	b := answered[block](t, "block_1755635.json")
	receipts := realReceipts(t)
	if err := b.checkReceipts(receipts, true); err != nil {
		t.Fatal(err)
	}
	live, err := moved(chain.Ethereum, &b, receipts, nil, Keep{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tr := range live.Facts.Transfers {
		got = append(got, fmt.Sprintf("%d %s %d %.8s > %.8s %s %s", tr.Index, tr.Kind, tr.Ordinal, tr.From.Address(), tr.To.Address(), tr.Asset, tr.Amount.Base()))
	}
	want := []string{
		"0 fee 0 0xed059b >  eip155:1/slip44:60 728360000000000",
		"0 token 0 0x649807 > 0x8b3b3b eip155:1/erc20:0xbb9bc244d798123fde783fcc1c72d3bb8c189413 5000000000000000000",
		"1 fee 0 0x3763e6 >  eip155:1/slip44:60 420000000000000",
		"1 native 0 0x3763e6 > 0xec1eba eip155:1/slip44:60 405738107000000000",
	}
	if !slices.Equal(got, want) {
		t.Errorf("moved\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if live.Block.Number != 1755635 || live.Block.Time != 1466669562000 || live.What&ledger.CoverInternal != 0 {
		t.Errorf("block %+v, covers %b", live.Block, live.What)
	}
}

// TestBeforeByzantium holds that a value of which nothing says that it moved is
// not stated, and that the range is not called complete then.
func TestBeforeByzantium(t *testing.T) {
	b := answered[block](t, "block_1755635.json")
	receipts := realReceipts(t)
	b.Transactions[1].Gas = receipts[1].GasUsed // all gas used: it may have failed
	live, err := moved(chain.Ethereum, &b, receipts, nil, Keep{})
	if err != nil {
		t.Fatal(err)
	}
	if last := live.Facts.Transfers[len(live.Facts.Transfers)-1]; last.Kind != chain.KindFee || live.What&ledger.CoverNative != 0 {
		t.Errorf("moved %+v, covers %b", last, live.What)
	}
	ok := &frame{Type: "CALL"}
	live, err = moved(chain.Ethereum, &b, receipts, []*frame{ok, ok}, Keep{})
	if err != nil {
		t.Fatal(err)
	}
	if last := live.Facts.Transfers[len(live.Facts.Transfers)-1]; last.Kind != chain.KindNative || live.What != ledger.CoverAll {
		t.Errorf("traced, moved %+v, covers %b", last, live.What)
	}
}

// TestRealFrames reads what real call tracers said.
func TestRealFrames(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string // per transaction: state, internal transfers
	}{
		{"create", []string{"ok", "ok", "ok", "ok"}},
		{"error", []string{"failed: out of gas", "ok"}},
		{"subtraces", []string{"ok", "ok"}}, // one callcode frame with 100 ether, which moves nothing
		{"suicide", []string{"ok"}},
	} {
		traces := answered[[]traced](t, "trace_"+c.name+".json")
		m := movements{id: chain.Ethereum, block: &block{}, what: ledger.CoverAll}
		var got []string
		for i := range traces {
			root := traces[i].Result
			state := "ok"
			if statusOf(&transaction{}, &receipt{}, root) == ledger.StatusFailed {
				state = "failed: " + root.Error
			}
			n := uint32(0)
			if err := m.frames(&transaction{}, root.Calls, &n, 1); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			got = append(got, state)
		}
		if len(m.facts.Transfers) > 0 {
			t.Errorf("%s: moved %+v", c.name, m.facts.Transfers)
		}
		if !slices.Equal(got[:min(len(got), len(c.want))], c.want[:min(len(got), len(c.want))]) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if covers := m.what&ledger.CoverInternal != 0; covers != (c.name != "suicide") {
			t.Errorf("%s: covers internal transfers: %v", c.name, covers)
		}
	}
}

// TestTampered changes one thing of a real block at a time.
func TestTampered(t *testing.T) {
	for name, change := range map[string]func(b *block, r []receipt){
		"a value": func(b *block, _ []receipt) { b.Transactions[1].Value.Amount = chain.Units(1) },
		"an order": func(b *block, _ []receipt) {
			b.Transactions[0], b.Transactions[1] = b.Transactions[1], b.Transactions[0]
		},
		"a transaction left out":   func(b *block, _ []receipt) { b.Transactions = b.Transactions[:1] },
		"a transaction of another": func(b *block, _ []receipt) { b.Transactions[0].BlockHash[0] ^= 1 },
	} {
		b := answered[block](t, "block_1755635.json")
		change(&b, nil)
		if err := b.checkList(true); errs.Is(err) != errs.Forged {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(t *transaction){
		"a sender":       func(t *transaction) { t.From[0] ^= 1 },
		"a signature":    func(t *transaction) { t.R.Amount = t.S.Amount },
		"no signature":   func(t *transaction) { t.R.Amount, t.S.Amount = chain.Amount{}, chain.Amount{} },
		"a parity":       func(t *transaction) { t.V.Amount = chain.Units(55 - t.V.Amount.Words()[0]) },
		"a parity large": func(t *transaction) { t.V.Amount = chain.FromWords([4]uint64{27, 1}) },
		"no parity":      func(t *transaction) { t.V = nil },
	} {
		b := answered[block](t, "block_1755635.json")
		change(&b.Transactions[0])
		if err := b.checkSenders(); errs.Is(err) != errs.Forged {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(r []receipt) []receipt{
		"a status":        func(r []receipt) []receipt { one := quantity(1); r[0].Status = &one; return r },
		"one too few":     func(r []receipt) []receipt { return r[:1] },
		"swapped":         func(r []receipt) []receipt { r[0], r[1] = r[1], r[0]; return r },
		"another block's": func(r []receipt) []receipt { r[1].BlockHash[3] ^= 1; return r },
		"less gas":        func(r []receipt) []receipt { r[0].GasUsed--; return r },
		"a removed log":   func(r []receipt) []receipt { r[0].Logs[0].Removed = true; return r },
		"a log's order":   func(r []receipt) []receipt { r[0].Logs[0].Index = 7; return r },
	} {
		b := answered[block](t, "block_1755635.json")
		if err := b.checkReceipts(change(realReceipts(t)), name == "a status"); errs.Is(err) != errs.Forged {
			t.Errorf("%s: %v", name, err)
		}
	}
	h := answered[header](t, "block_1755635.json")
	for name, change := range map[string]func(h *header){
		"parent": func(h *header) { h.ParentHash[0] ^= 1 }, "number": func(h *header) { h.Number++ },
		"time": func(h *header) { h.Timestamp++ }, "receipts": func(h *header) { h.ReceiptsRoot[9] ^= 1 },
		"a fork's field": func(h *header) { h.BaseFee = &amount{} },
	} {
		c := h
		change(&c)
		if c.hashOf() == h.Hash {
			t.Errorf("%s: the hash stays", name)
		}
	}
}
