package follow

import (
	"context"

	"bongsu/ledger"
)

// resume reads from the ledger where to go on: after the last live block, else
// after the last range that was imported whole, else at From.
func (f *follower) resume(ctx context.Context) error {
	last, final, err := f.Ledger.Live(ctx, f.id)
	if err != nil {
		return err
	}
	switch {
	case last.Known:
		f.live = true
		f.moved(Ref{Number: last.Number, Hash: last.Hash, Parent: last.Parent})
		f.final, f.hasFinal = final.Number, final.Known
	default:
		if err := f.resumeImported(ctx); err != nil {
			return err
		}
	}
	head, err := f.Node.Head(ctx)
	if err != nil {
		return err
	}
	if f.fresh && f.Latest {
		f.next = head.Number
		f.below()
	}
	f.ready = true
	f.Event(Event{Kind: Planned, Chain: f.id, Block: Ref{Number: f.next}, Last: head.Number, Head: head.Number, Live: f.live, Fresh: f.fresh})
	return nil
}

// below takes what lies below the next block as final and unknown.
func (f *follower) below() {
	if f.next > 0 {
		f.tip = Ref{Number: f.next - 1}
		f.final, f.hasFinal = f.tip.Number, true
	}
}

func (f *follower) resumeImported(ctx context.Context) error {
	f.next, f.fresh = f.From, true
	r, err := f.Ledger.Reader(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	if f.Resume {
		cov, err := r.Coverage(ctx, f.id)
		if err != nil {
			return err
		}
		if next := after(&cov, f.From, f.Needs); next > 0 {
			f.next, f.fresh = next, false
		}
	}
	f.below() // what was imported is final
	if f.next == 0 {
		return nil
	}
	blocks, err := r.Blocks(ctx, f.id, []uint64{f.next - 1})
	if err != nil {
		return err
	}
	f.tip.Hash = blocks[0].Hash
	return nil
}

// after is the first block after the last range that is complete for what is
// needed, not below from; 0 where there is none.
func after(cov *ledger.Coverage, from uint64, needs ledger.Cover) uint64 {
	next := uint64(0)
	for _, r := range cov.Ranges {
		if r.What != 0 && r.What&needs == needs && r.To >= from {
			next = r.To + 1
		}
	}
	return next
}

// hashAt is the ledger's own block hash at a height; zero where it holds none,
// or nothing above the tip.
func (f *follower) hashAt(ctx context.Context, number uint64) (ledger.Hash, error) {
	switch {
	case number >= f.next:
		return ledger.Hash{}, nil
	case number == f.tip.Number && f.next > 0:
		return f.tip.Hash, nil
	}
	r, err := f.Ledger.Reader(ctx)
	if err != nil {
		return ledger.Hash{}, err
	}
	defer r.Close()
	blocks, err := r.Blocks(ctx, f.id, []uint64{number})
	if err != nil {
		return ledger.Hash{}, err
	}
	return blocks[0].Hash, nil
}
