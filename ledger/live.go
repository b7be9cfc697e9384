package ledger

import (
	"context"
	"fmt"

	"bongsu/chain"
	"bongsu/errs"
)

// ApplyBlock commits one live block: durable and visible when it returns.
// The block's number must follow the last live one of its chain and its Parent
// must be that one's hash, else errs.Conflict (Rollback first).
func (l *Ledger) ApplyBlock(ctx context.Context, b LiveBlock) (stats Stats, err error) {
	if err := checkFacts(&b.Facts); err != nil {
		return stats, err
	}
	if err := checkChain(b.Block.Chain); err != nil {
		return stats, err
	}
	err = l.write(ctx, func() error {
		if live := l.head.live[RefOfChain(b.Block.Chain)]; live != nil && len(live.blocks) > 0 {
			last := live.blocks[len(live.blocks)-1]
			if b.Block.Number != last.Number+1 || b.Block.Parent != last.Hash {
				return errs.New("follow", errs.Conflict, fmt.Sprintf("%s block %d", b.Block.Chain, b.Block.Number),
					fmt.Sprintf("it does not follow block %d", last.Number), "roll back to the common ancestor first")
			}
		}
		if err := l.checkAssets(b.Facts.Assets); err != nil {
			return err
		}
		stats, err = l.commit(&record{kind: recordLive, block: b.Block, what: b.What, facts: &b.Facts})
		return err
	})
	return stats, err
}

// Rollback takes back the live blocks of a chain above number, exactly.
// Blocks that are final are refused with errs.Conflict.
func (l *Ledger) Rollback(ctx context.Context, id chain.ID, number uint64) error {
	return l.write(ctx, func() error {
		live := l.head.live[RefOfChain(id)]
		if live == nil || len(live.blocks) == 0 || live.blocks[len(live.blocks)-1].Number <= number {
			return nil
		}
		if number+1 < live.blocks[0].Number || (live.known && number < live.final) {
			return errs.New("follow", errs.Conflict, fmt.Sprintf("%s block %d", id, number), "blocks above it are final",
				"check the node: a reorganisation past a final block should not happen")
		}
		_, err := l.commit(&record{kind: recordRollback, chain: id, number: number})
		return err
	})
}

// Finalize says that no block of the chain up to number will be rolled back.
// When enough is final it is moved out of memory into segments: in the
// background where MergeInBackground was called, else before Finalize returns.
func (l *Ledger) Finalize(ctx context.Context, id chain.ID, number uint64) error {
	err := l.write(ctx, func() error {
		if live := l.head.live[RefOfChain(id)]; live != nil && live.known && live.final >= number {
			return nil
		}
		_, err := l.commit(&record{kind: recordFinal, chain: id, number: number})
		return err
	})
	if err != nil {
		return err
	}
	return l.settle(ctx)
}

// Live is the last live block of a chain, and the last final one; Known is
// false in the first when the chain is not followed and in the second when
// none is final yet.
func (l *Ledger) Live(ctx context.Context, id chain.ID) (last, final Block, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return Block{}, Block{}, err
	}
	live := l.head.live[RefOfChain(id)]
	if live == nil {
		return Block{}, Block{}, ctx.Err()
	}
	for i := range live.blocks {
		f := &live.blocks[i]
		b := Block{Number: f.Number, Hash: f.Hash, Parent: f.Parent, Time: f.Time, HasTime: f.HasTime, Known: true}
		if b.Final = live.known && f.Number <= live.final; b.Final {
			final = b
		}
		last = b
	}
	return last, final, ctx.Err()
}
