package ethereum

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// seeds adds what real nodes said.
func seeds(f *testing.F, pattern string) {
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var a struct {
			Result jsontext.Value `json:"result"`
		}
		if err := json.Unmarshal(text, &a); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(a.Result))
	}
}

// Whatever a node calls a block, with whatever receipts and traces: it is
// refused by kind, or moves only what adds up.
func FuzzBlock(f *testing.F) {
	blockText, err := json.Marshal(richBlock())
	if err != nil {
		f.Fatal(err)
	}
	s := newSimulated()
	s.grow()
	b := s.grow(rich()...)
	receipts, _ := json.Marshal(s.receipts[b.Hash])
	traces, _ := json.Marshal(s.traces[b.Hash])
	f.Add(blockText, receipts, traces, false)
	f.Add(blockText, receipts, traces, true)
	f.Fuzz(func(t *testing.T, blockText, receiptText, traceText []byte, exact bool) {
		var b block
		var receipts []receipt
		var traces []traced
		if json.Unmarshal(blockText, &b) != nil || json.Unmarshal(receiptText, &receipts) != nil || json.Unmarshal(traceText, &traces) != nil {
			return
		}
		if exact && b.hashOf() != b.Hash || b.checkList(exact) != nil || b.checkReceipts(receipts, exact) != nil {
			return
		}
		frames, err := b.checkFrames(traces)
		if err != nil {
			frames = nil
		}
		live, err := moved(chain.Ethereum, &b, receipts, frames, Keep{})
		if err != nil {
			if k := errs.Is(err); k != errs.Invalid && k != errs.Limit {
				t.Fatalf("%v is of kind %s", err, k)
			}
			return
		}
		for i, tr := range live.Facts.Transfers {
			if tr.Chain != chain.Ethereum || tr.Asset == "" || tr.From.IsZero() && tr.To.IsZero() && tr.Kind != chain.KindToken {
				t.Fatalf("transfer %+v", tr)
			}
			for _, other := range live.Facts.Transfers[:i] {
				if tr.SameMovement(other) {
					t.Fatalf("one movement twice: %+v", tr)
				}
			}
		}
	})
}

func richBlock() *block {
	s := newSimulated()
	s.grow()
	return s.grow(rich()...)
}

func FuzzHeader(f *testing.F) {
	seeds(f, "block_*.json")
	f.Fuzz(func(_ *testing.T, text []byte) {
		var h header
		if json.Unmarshal(text, &h) == nil {
			h.hashOf()
			h.ref()
		}
	})
}

func FuzzFrames(f *testing.F) {
	seeds(f, "trace_*.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		var traces []traced
		if json.Unmarshal(text, &traces) != nil {
			return
		}
		for i := range traces {
			if traces[i].Result == nil {
				continue
			}
			m := movements{id: chain.Ethereum, block: &block{}}
			n := uint32(0)
			if err := m.frames(&transaction{}, traces[i].Result.Calls, &n, 1); err == nil && n != count(traces[i].Result.Calls) {
				t.Errorf("saw %d of %d frames", n, count(traces[i].Result.Calls))
			}
		}
	})
}

func FuzzSymbol(f *testing.F) {
	f.Add([]byte("OLD"))
	f.Add(append(append(make([]byte, 31), 32), append(append(make([]byte, 31), 4), "PEER"...)...))
	f.Add(bytes.Repeat([]byte{0xff}, 96))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := symbolText(b); len(s) > maxSymbol {
			t.Errorf("symbol %q", s)
		}
	})
}
