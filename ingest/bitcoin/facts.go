package bitcoin

import (
	"bongsu/chain"
	"bongsu/ledger"
)

// A Placed block is a decoded block whose height is known.
type Placed struct {
	*Block
	Height uint64
}

// Facts states what a block holds: the block, its transactions with inputs and
// outputs, and that it is complete. The inputs' accounts and values are left to
// the ledger, which joins them with the outputs that they spend.
//
// The block's time is its header's, as its miner stated it.
func Facts(id chain.ID, b Placed) *ledger.LiveBlock {
	at := chain.Time(b.Time) * 1000
	out := &ledger.LiveBlock{
		Block: ledger.BlockFact{
			Chain: id, Number: b.Height, Hash: ledger.Hash(b.Hash), Parent: ledger.Hash(b.Prev), Time: at, HasTime: true,
		},
		What: ledger.CoverUTXO,
	}
	out.Facts.UTXOs = make([]ledger.UTXOTx, len(b.Txs))
	for i := range b.Txs {
		t := &b.Txs[i]
		out.Facts.UTXOs[i] = ledger.UTXOTx{
			Chain: id, Tx: t.ID.TxID(), Block: b.Height, Index: uint32(i), Time: at, Coinbase: t.Coinbase,
			Inputs: inputs(t), Outputs: outputs(id, t),
		}
	}
	return out
}

func inputs(t *Tx) []ledger.UTXOIn {
	in := make([]ledger.UTXOIn, len(t.In))
	if t.Coinbase {
		return in // one input that spends nothing
	}
	for i, x := range t.In {
		in[i].Prev = ledger.OutPoint{Tx: x.Prev.Tx.TxID(), Index: x.Prev.Index}
	}
	return in
}

func outputs(id chain.ID, t *Tx) []ledger.UTXOOut {
	out := make([]ledger.UTXOOut, len(t.Out))
	for i, x := range t.Out {
		out[i].Value = chain.Units(x.Value)
		account, kind := Classify(id, x.Script)
		if kind == NullData {
			out[i].Data = Payload(x.Script)
			continue
		}
		out[i].Account = account
	}
	return out
}

// MaxPayload is how much of an OP_RETURN output's data is kept. Nodes relay 83
// bytes by custom, and miners may include up to a block of them.
const MaxPayload = 100_000

// Payload is what an OP_RETURN script carries: the bytes of its pushes, one
// after the other; where what follows OP_RETURN is no list of pushes, that as
// it stands. It is never nil, so that an output with data tells itself apart
// from one without.
func Payload(script []byte) []byte {
	rest := script[1:]
	if len(rest) > MaxPayload {
		rest = rest[:MaxPayload]
	}
	out := make([]byte, 0, len(rest))
	for at := 0; at < len(rest); {
		push, next, ok := pushAt(rest, at)
		if !ok {
			return append(out[:0], rest...)
		}
		out, at = append(out, push...), next
	}
	return out
}

// pushAt reads the push at a place of a script and says where the next is.
func pushAt(s []byte, at int) (push []byte, next int, ok bool) {
	const data1, data2, data4, negative1 = 0x4c, 0x4d, 0x4e, 0x4f
	op := s[at]
	size, width := int(op), 0
	switch {
	case op == negative1:
		return []byte{0x81}, at + 1, true
	case op >= op1 && op <= op16:
		return []byte{op - op1 + 1}, at + 1, true
	case op == data1:
		width = 1
	case op == data2:
		width = 2
	case op == data4:
		width = 4
	case op > data4:
		return nil, 0, false
	}
	at++
	if width > 0 {
		if len(s)-at < width {
			return nil, 0, false
		}
		size = 0
		for i := range width {
			size |= int(s[at+i]) << (8 * i)
		}
		at += width
	}
	if size < 0 || len(s)-at < size {
		return nil, 0, false
	}
	return s[at : at+size], at + size, true
}
