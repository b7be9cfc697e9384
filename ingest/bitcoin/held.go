package bitcoin

import (
	"context"
	"errors"

	"bongsu/chain"
	"bongsu/ledger"
)

// Held is what was imported before.
type Held interface {
	// Heights finds the heights of blocks by their hashes; those that are not
	// held are missing from the answer.
	Heights(ctx context.Context, id chain.ID, wanted []Hash) (map[Hash]uint64, error)
	// Blocks are the blocks at n heights from first on.
	Blocks(ctx context.Context, id chain.ID, first uint64, n int) ([]HeldBlock, error)
}

// HeldBlock is what is held at a height: zero, or a block's hash and whether
// all its transactions are held too.
type HeldBlock struct {
	Hash  Hash
	Whole bool
}

// HeldBy is what a ledger holds; open gives a Reader of it, as
// (*ledger.Ledger).Reader does.
func HeldBy(open func(context.Context) (ledger.Reader, error)) Held { return held{open} }

type held struct {
	open func(context.Context) (ledger.Reader, error)
}

// blocksAtOnce is how many blocks a ledger is asked for at a time.
const blocksAtOnce = 4096

// Heights implements Held: it goes over the blocks that the ledger holds.
func (h held) Heights(ctx context.Context, id chain.ID, wanted []Hash) (map[Hash]uint64, error) {
	r, err := h.open(ctx)
	if err != nil {
		return nil, err
	}
	cov, err := r.Coverage(ctx, id)
	if err = errors.Join(err, r.Close()); err != nil || cov.Empty {
		return nil, err
	}
	found, set := map[Hash]uint64{}, map[Hash]bool{}
	for _, w := range wanted {
		set[w] = true
	}
	for first := cov.FirstBlock; first <= cov.LastBlock && len(found) < len(set); first += blocksAtOnce {
		blocks, err := h.Blocks(ctx, id, first, int(min(blocksAtOnce, cov.LastBlock-first+1)))
		if err != nil {
			return nil, err
		}
		for i, b := range blocks {
			if set[b.Hash] {
				found[b.Hash] = first + uint64(i)
			}
		}
	}
	return found, nil
}

// Blocks implements Held.
func (h held) Blocks(ctx context.Context, id chain.ID, first uint64, n int) (out []HeldBlock, err error) {
	r, err := h.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	numbers := make([]uint64, n)
	for i := range numbers {
		numbers[i] = first + uint64(i)
	}
	blocks, err := r.Blocks(ctx, id, numbers)
	if err != nil {
		return nil, err
	}
	cov, err := r.Coverage(ctx, id)
	if err != nil {
		return nil, err
	}
	out = make([]HeldBlock, n)
	for i, b := range blocks {
		out[i] = HeldBlock{Hash(b.Hash), cov.Complete(numbers[i], numbers[i], ledger.CoverUTXO)}
	}
	return out, nil
}
