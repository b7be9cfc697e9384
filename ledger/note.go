package ledger

import "bongsu/chain"

// place is the block that the note's source gives.
func (n *NoteFact) place() uint64 {
	if n.HasBlock {
		return n.Block
	}
	return chain.NoBlock
}

// placed is the note as its transaction keeps it, which has the place itself.
func (n NoteFact) placed() NoteFact {
	n.Block, n.HasBlock = 0, false
	return n
}

// routeNotes puts notes into runs where it is known in which block they are.
func (im *Import) routeNotes(f, rest *Facts) error {
	var blocks map[txID]uint64 // of transactions that the same facts place
	for i := range f.Notes {
		n := &f.Notes[i]
		block := n.place()
		if block == chain.NoBlock {
			if blocks == nil {
				blocks = f.placed()
			}
			at, ok := blocks[txID{RefOfChain(n.Chain), n.Tx}]
			if !ok {
				rest.Notes = append(rest.Notes, *n)
				continue
			}
			block = at
		}
		b, err := im.buffer(n.Chain)
		if err != nil {
			return err
		}
		b.note(n, block)
	}
	return nil
}

// placed is the blocks of the transactions that the facts place.
func (f *Facts) placed() map[txID]uint64 {
	out := map[txID]uint64{}
	add := func(id chain.ID, tx chain.TxID, block uint64) {
		if block == chain.NoBlock || tx.IsZero() {
			return
		}
		k := txID{RefOfChain(id), tx}
		if old, ok := out[k]; !ok || block < old {
			out[k] = block
		}
	}
	for i := range f.Transfers {
		add(f.Transfers[i].Chain, f.Transfers[i].Tx, f.Transfers[i].Block)
	}
	for i := range f.Txs {
		add(f.Txs[i].Chain, f.Txs[i].Tx, f.Txs[i].Block)
	}
	for i := range f.UTXOs {
		add(f.UTXOs[i].Chain, f.UTXOs[i].Tx, f.UTXOs[i].Block)
	}
	return out
}

// note adds one to a transaction of a block.
func (r *runBuffer) note(n *NoteFact, block uint64) {
	var raw [64]byte
	r.extra(n.Tx.AppendRaw(raw[:0]), runTx{block: block, index: chain.NoIndex}, extraNote, func(e *encoder) {
		own := n.placed()
		encodeNote(e, &own)
	})
}
