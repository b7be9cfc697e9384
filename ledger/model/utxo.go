package model

import (
	"bytes"
	"cmp"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// mergeUTXO is what two statements of one transaction are together: the one
// with more outputs, then more inputs, then the smaller; where they agree, an
// input that one of them knows is known, by the smaller statement of it.
func mergeUTXO(a, b *ledger.UTXOTx) *ledger.UTXOTx {
	if a == nil {
		return b
	}
	if c := compareUTXO(a, b); c != 0 {
		if c < 0 {
			return a
		}
		return b
	}
	out := *a
	out.Inputs = slices.Clone(a.Inputs)
	for i, in := range b.Inputs {
		if old := out.Inputs[i]; in.Known && (!old.Known || cmp.Or(in.Account.Compare(old.Account), in.Value.Cmp(old.Value)) < 0) {
			out.Inputs[i] = in
		}
	}
	return &out
}

func compareUTXO(a, b *ledger.UTXOTx) int {
	if c := cmp.Or(cmp.Compare(len(b.Outputs), len(a.Outputs)), cmp.Compare(len(b.Inputs), len(a.Inputs))); c != 0 {
		return c
	}
	if a.Coinbase != b.Coinbase {
		if a.Coinbase {
			return -1
		}
		return 1
	}
	for i := range a.Inputs {
		if c := comparePoints(a.Inputs[i].Prev, b.Inputs[i].Prev); c != 0 {
			return c
		}
	}
	for i := range a.Outputs {
		x, y := &a.Outputs[i], &b.Outputs[i]
		if c := cmp.Or(x.Account.Compare(y.Account), x.Value.Cmp(y.Value), bytes.Compare(x.Data, y.Data)); c != 0 {
			return c
		}
	}
	return 0
}

func comparePoints(a, b ledger.OutPoint) int {
	return cmp.Or(a.Tx.Compare(b.Tx), cmp.Compare(a.Index, b.Index))
}

// spender is the first input in chain order that spends an output and is not
// in a block before the output's.
func (r *reader) spender(k txKey, index uint32) ledger.OutPoint {
	born := r.truth.txs[k].block
	if born == chain.NoBlock {
		born = 0
	}
	type candidate struct {
		block uint64
		index uint32
		point ledger.OutPoint
	}
	var found []candidate
	for other, t := range r.truth.txs {
		if t.utxo == nil || other.chain != k.chain || t.block < born {
			continue
		}
		for i, in := range t.utxo.Inputs {
			if in.Prev == (ledger.OutPoint{Tx: k.id, Index: index}) {
				found = append(found, candidate{t.block, t.index, ledger.OutPoint{Tx: other.id, Index: uint32(i)}})
			}
		}
	}
	if len(found) == 0 {
		return ledger.OutPoint{}
	}
	return slices.MinFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.block, b.block), cmp.Compare(a.index, b.index), comparePoints(a.point, b.point))
	}).point
}
