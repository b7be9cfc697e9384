package bitcoin

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// fragment states the blocks of one branch. A block that does not hold splits
// the range that is claimed: what follows it stands on its own.
func (a *assembly) fragment(ctx context.Context, f fragment, out *ingest.Output) error {
	from := f.first
	claim := func(next uint64) {
		if next > from {
			out.Claim(ledger.Claim{Chain: a.index.id, From: from, To: next - 1, What: ledger.CoverUTXO})
		}
		from = next + 1
	}
	decoded, stop := a.ahead(f.path)
	defer stop()
	for i, at := range f.path {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := &a.index.entries[at]
		if e.whole {
			continue
		}
		d := <-decoded
		b, err := d.block, d.err
		if err == nil {
			err = contradicts(a.index.id, b, e.height)
		}
		if err != nil {
			claim(f.first + uint64(i))
			if err := a.reject(out, e, err); err != nil {
				return err
			}
			continue
		}
		if err := state(a.index.id, Placed{b, e.height}, out); err != nil {
			return err
		}
	}
	claim(f.first + uint64(len(f.path)))
	return nil
}

// contradicts holds that a block that has to state its height states this one.
func contradicts(id chain.ID, b *Block, height uint64) error {
	if id != chain.Bitcoin || height < bip34 {
		return nil
	}
	if stated, ok := statedHeight(b.Txs[0].In[0].Script); !ok || stated != height {
		return errs.New("block", errs.Forged, b.Hash.String(), "its coinbase states another height than its place in the chain (BIP 34)", "fetch it again from another node")
	}
	return nil
}

func state(id chain.ID, b Placed, out *ingest.Output) error {
	live := Facts(id, b)
	if err := out.Block(live.Block); err != nil {
		return err
	}
	for i := range live.Facts.UTXOs {
		if err := out.UTXO(live.Facts.UTXOs[i]); err != nil {
			return err
		}
	}
	return nil
}

// decodeAhead is how many blocks are decoded before they are asked for.
const decodeAhead = 4

type decoded struct {
	block *Block
	err   error
}

// ahead decodes the blocks of a path, some at a time, and gives them in order.
func (a *assembly) ahead(path []int32) (<-chan decoded, func()) {
	slots := make(chan chan decoded, decodeAhead)
	out, quit := make(chan decoded), make(chan struct{})
	done := make(chan struct{}, 2)
	path = slices.DeleteFunc(slices.Clone(path), func(at int32) bool { return a.index.entries[at].whole })
	go func() {
		defer func() { close(slots); done <- struct{}{} }()
		for _, at := range path {
			slot := make(chan decoded, 1)
			select {
			case slots <- slot:
			case <-quit:
				return
			}
			go func() {
				b, err := a.read(&a.index.entries[at])
				slot <- decoded{b, err}
			}()
		}
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		for slot := range slots {
			d := <-slot
			select {
			case out <- d:
			case <-quit:
				for slot := range slots { // let the decoders end before the files close
					<-slot
				}
				return
			}
		}
	}()
	return out, func() { close(quit); <-done; <-done }
}
