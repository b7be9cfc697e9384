package tables

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"

	"github.com/go-json-experiment/json/jsontext"
)

// gethTraces reads what ethereum-etl's export_geth_traces writes: an object a
// block, a line each or the items of one list, with the block's number and for
// each of its transactions, in their order, what geth's callTracer answers.
var gethTraces = ingest.Format{
	Name:  "ethereum-etl-geth-traces",
	Title: "geth's traces as ethereum-etl's export_geth_traces writes them, a block a line, or in a list",
	Rank:  func([]byte) int { return afterTransactions },
	Recognise: func(head []byte) bool {
		head = bytes.TrimLeft(bytes.TrimPrefix(head, bom), "[ \t\r\n")
		return bytes.HasPrefix(head, []byte("{")) && bytes.Contains(head, []byte(`"transaction_traces"`))
	},
	Read: readGethTraces,
}

// gethRows is how many times longer a block's traces may be than another row.
const gethRows = 4

func readGethTraces(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	e, err := newETL(in, out)
	if err != nil {
		return err
	}
	long := *in
	long.Limits.Row *= gethRows
	err = eachRow(ctx, &long, out, e.gethBlock)
	if err == nil {
		e.claim(&layout{name: "traces"})
	}
	e.noteSilent()
	return err
}

// noteSilent says what traces leave out.
func (e *etl) noteSilent() {
	if e.silent > 0 {
		e.out.Note("%d self-destructs do not say whom they paid, as in traces of old versions of geth: internal transfers are missing", e.silent)
	}
}

// gethBlock states the traces of one block.
func (e *etl) gethBlock(row []byte, n int64) error {
	e.at.Line, e.line, e.frames = n, row, e.frames[:0]
	defer func() { e.line = nil }()
	b := gethReader{e: e, d: jsontext.NewDecoder(bytes.NewReader(row))}
	if err := b.block(); err != nil {
		e.frames = e.frames[:0]
		if cell := (*cellError)(nil); errors.As(err, &cell) {
			return err
		}
		return wrong("", errs.New("", errs.Invalid, "", "not a block's traces as ethereum-etl writes them: "+err.Error(), "mend the line or export it again"))
	}
	for i := range e.frames {
		f := &e.frames[i]
		f.place.Block, f.place.Time = b.number, e.times.of(b.number)
	}
	e.blocks.saw(b.number)
	return e.endTransaction()
}

// gethReader reads one block.
type gethReader struct {
	e      *etl
	d      *jsontext.Decoder
	number uint64
	tx     uint32 // being read
}

func (b *gethReader) block() error {
	b.number = chain.NoBlock
	traced := false
	err := b.members(func(name string) (err error) {
		switch name {
		case "block_number":
			var v []byte
			if v, err = b.text(); err == nil {
				b.number, err = b.e.uint(v, name, chain.NoBlock)
			}
		case "transaction_traces":
			traced = true
			err = b.items(func(i int) error {
				if b.d.PeekKind() == 'n' {
					return wrongf(name, "", "transaction %d has no trace", "export the traces of the block again, from a node that has its state", i)
				}
				b.tx = uint32(i)
				return b.call(nil)
			})
		default:
			err = b.d.SkipValue()
		}
		return err
	})
	if err == nil && (b.number == chain.NoBlock || !traced) {
		err = errors.New("it lacks block_number or transaction_traces")
	}
	return err
}

// call reads one frame and those that it called, which may stand before its own
// members.
func (b *gethReader) call(path []uint32) error {
	if len(path) > maxDepth {
		return fmt.Errorf("calls nest deeper than %d", maxDepth)
	}
	f := frame{place: chain.Transfer{Chain: b.e.id, Index: b.tx}, path: path, line: b.e.at.Line}
	kind := ""
	var input []byte
	err := b.members(func(name string) (err error) {
		if name == "calls" {
			return b.items(func(i int) error { return b.call(append(slices.Clip(path), uint32(i))) })
		}
		var v []byte
		switch name {
		case "type", "from", "to", "value", "error", "input":
			v, err = b.text()
		default:
			err = b.d.SkipValue()
		}
		if err != nil {
			return err
		}
		switch name {
		case "type":
			kind = string(v)
		case "from":
			f.from, err = b.e.account(v, name)
		case "to":
			f.to, err = b.e.account(v, name)
		case "value":
			f.place.Amount, err = quantity(v, name)
		case "error":
			f.failed = len(v) > 0
		case "input":
			input = v
		}
		return err
	})
	if err != nil {
		return err
	}
	switch kind {
	case "CALL":
		f.kind = frameCall
	case "CREATE", "CREATE2":
		f.kind = frameCreate
	case "SELFDESTRUCT":
		f.kind = frameSuicide
	case "DELEGATECALL", "CALLCODE", "STATICCALL":
		f.kind = frameStill
	default:
		return wrongf("type", clip(kind), "not a type of frame that geth's callTracer knows", "export the traces again")
	}
	if f.kind == frameCall && keepsInput(b.e.out, input) {
		f.input = bytes.Clone(input)
	}
	if len(b.e.frames) >= b.e.in.Limits.Frames {
		return wrongf("calls", "", "the block has more than %d frames", "mend the file", b.e.in.Limits.Frames)
	}
	b.e.frames = append(b.e.frames, f)
	return nil
}

// quantity reads an amount as nodes write it: hexadecimal digits after 0x.
func quantity(v []byte, column string) (chain.Amount, error) {
	if len(v) == 0 {
		return chain.Amount{}, nil
	}
	digits, ok := bytes.CutPrefix(v, []byte("0x"))
	if len(digits)%2 == 1 {
		digits = append([]byte{'0'}, digits...)
	}
	raw := make([]byte, len(digits)/2)
	var a chain.Amount
	if ok = ok && len(raw) > 0 && unhex(raw, digits); ok {
		a, ok = chain.AmountFromBytes(raw)
	}
	if !ok {
		return a, wrongf(column, clip(string(v)), "not 0x and the hexadecimal digits of an amount below 2^256", "mend the row or export it again")
	}
	return a, nil
}

// members calls read at the value of each member of an object; null has none.
func (b *gethReader) members(read func(name string) error) error {
	return b.inside('{', '}', func(int) error {
		name, err := b.d.ReadToken()
		if err != nil {
			return err
		}
		return read(name.String())
	})
}

// items calls read at each item of a list; null has none.
func (b *gethReader) items(read func(i int) error) error { return b.inside('[', ']', read) }

func (b *gethReader) inside(open, end jsontext.Kind, read func(i int) error) error {
	tok, err := b.d.ReadToken()
	switch {
	case err != nil:
		return err
	case tok.Kind() == 'n':
		return nil
	case tok.Kind() != open:
		return fmt.Errorf("%v where %v should be", tok.Kind(), open)
	}
	for i := 0; b.d.PeekKind() != end; i++ {
		if b.d.PeekKind() == 0 {
			break // ReadToken says why
		}
		if err := read(i); err != nil {
			return err
		}
	}
	_, err = b.d.ReadToken()
	return err
}

// text is a text or number; null is none.
func (b *gethReader) text() ([]byte, error) {
	switch b.d.PeekKind() {
	case '{', '[':
		return nil, errors.New("a structure where text should be")
	}
	return scalar(b.d, 0)
}
