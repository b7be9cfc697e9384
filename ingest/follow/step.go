package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"

	"golang.org/x/sync/errgroup"
)

// follower is one following. One goroutine runs it; fetches run beside it and
// are waited for within a step.
type follower struct {
	Config
	id    chain.ID
	ready bool // tip and live are read from the ledger
	fresh bool // the ledger held nothing to go on from

	next uint64 // the next block to apply
	tip  Ref    // the block below it; Hash zero when the ledger does not know it
	live bool   // blocks are applied one by one; before that, in imports

	final    uint64
	hasFinal bool
	head     uint64
	wasLevel ledger.Hash // the head that Level was told for
	astray   int         // steps in a row that found the node's chain broken
}

// maxAstray is how often a broken chain may be the trace of a reorganisation
// that happened between two questions, before the node is refused.
const maxAstray = 6

// step does one piece of work; level says that there is nothing to do now.
func (f *follower) step(ctx context.Context) (level bool, err error) {
	if !f.ready {
		if err := f.resume(ctx); err != nil {
			return false, err
		}
	}
	head, err := f.Node.Head(ctx)
	if err != nil {
		return false, err
	}
	f.head = head.Number
	final, ok, err := f.Node.Final(ctx, head)
	if err != nil {
		return false, err
	}
	if ok && final.Number > head.Number {
		return false, errs.New("follow", errs.Forged, "", fmt.Sprintf("the node calls block %d final, but its best block is %d", final.Number, head.Number), "follow another node")
	}
	before := f.tip.Hash
	err = f.advance(ctx, head, final.Number, ok)
	if err == nil && ok {
		err = f.finalize(ctx, head, final, f.tip.Hash != before)
	}
	var broken *brokenError
	if errors.As(err, &broken) {
		if f.astray++; f.astray >= maxAstray {
			return false, broken.forged()
		}
		return false, broken
	}
	if err != nil {
		return false, err
	}
	f.astray = 0
	// A tip above the node's head is a node that lags behind one that was
	// followed before: nothing to do until it has caught up.
	level = f.tip.Hash == head.Hash || f.next > head.Number
	if level && f.tip.Hash == head.Hash && f.wasLevel != head.Hash {
		f.wasLevel = head.Hash
		f.Event(Event{Kind: Level, Chain: f.id, Block: head, Head: head.Number, Live: f.live})
	}
	return level, nil
}

// advance brings the ledger one piece nearer to head.
func (f *follower) advance(ctx context.Context, head Ref, final uint64, hasFinal bool) error {
	switch {
	case head.Hash == f.tip.Hash:
		return nil
	case !f.live && hasFinal && f.next <= final:
		return f.importRange(ctx, min(final, f.next+uint64(f.Batch)-1))
	case !f.live && f.next == 0:
		return f.importRange(ctx, 0) // a chain's first block is final, whatever the node says
	case head.Number < f.next:
		return f.lower(ctx, head)
	case head.Number >= f.next+uint64(f.Window):
		return f.applyRange(ctx, f.next+uint64(f.Window)-1)
	}
	return f.applyBranch(ctx, head)
}

// lower handles a head that is not above our tip: the node lags on the same
// branch, or it has left it for one that is (so far) shorter.
func (f *follower) lower(ctx context.Context, head Ref) error {
	own, err := f.hashAt(ctx, head.Number)
	if err != nil || own == (ledger.Hash{}) || own == head.Hash {
		return err
	}
	return f.applyBranch(ctx, head)
}

// fetch gets the blocks [first, last] by number, all at the same time. They need
// not hang together: the caller looks.
func (f *follower) fetch(ctx context.Context, first, last uint64) ([]Ref, []*ledger.LiveBlock, error) {
	n := int(last - first + 1)
	refs, blocks := make([]Ref, n), make([]*ledger.LiveBlock, n)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(f.Window)
	for i := range n {
		g.Go(func() (err error) {
			number := first + uint64(i)
			if refs[i], err = f.Node.ByNumber(gctx, number); err != nil {
				return err
			}
			if refs[i].Number != number {
				return wrongNumber(refs[i], number)
			}
			blocks[i], err = f.Node.Block(gctx, refs[i])
			return err
		})
	}
	err := g.Wait()
	if errs.Is(err) == errs.NotExist {
		// It was there a moment ago: a reorganisation, or a node that lies.
		return nil, nil, &brokenError{why: err.Error()}
	}
	return refs, blocks, err
}

// linked is how many of refs hang together and on the block below them.
func linked(below Ref, refs []Ref) int {
	for i, r := range refs {
		if below.Hash != (ledger.Hash{}) && r.Parent != below.Hash {
			return i
		}
		below = r
	}
	return len(refs)
}

// MaxHeldRows bounds the transfers and transactions that one commit of a
// catch-up gathers in memory; a commit ends with the window that reaches it.
const MaxHeldRows = 100_000

// importRange takes final blocks up to last in one commit. The ledger's lock is
// not held while the node is asked.
func (f *follower) importRange(ctx context.Context, last uint64) error {
	var refs []Ref
	var blocks []*ledger.LiveBlock
	next, below, rows := f.next, f.tip, 0
	for next <= last && rows < MaxHeldRows {
		r, b, err := f.fetch(ctx, next, min(last, next+uint64(f.Window)-1))
		if err != nil {
			if len(refs) > 0 { // what hangs together is kept; the next step meets the error again
				break
			}
			return err
		}
		n := linked(below, r)
		if n == 0 && len(refs) == 0 {
			return f.applyBranch(ctx, r[0])
		}
		refs, blocks = append(refs, r[:n]...), append(blocks, b[:n]...)
		if n < len(r) {
			break
		}
		for _, one := range b {
			rows += len(one.Facts.Transfers) + len(one.Facts.UTXOs)
		}
		next, below = next+uint64(n), r[n-1]
	}
	return f.commit(ctx, refs, blocks)
}

// commit imports blocks that hang together on the tip.
func (f *follower) commit(ctx context.Context, refs []Ref, blocks []*ledger.LiveBlock) error {
	imp, err := f.Ledger.Begin(ctx, "follow "+string(f.id))
	if err != nil {
		return err
	}
	defer imp.Abort() //nolint:errcheck // a no-op after Commit
	for i, b := range blocks {
		b.Facts.Blocks = append(b.Facts.Blocks, b.Block)
		b.Facts.Claims = append(b.Facts.Claims, ledger.Claim{Chain: f.id, From: refs[i].Number, To: refs[i].Number, What: b.What})
		if err := imp.Add(&b.Facts); err != nil {
			return err
		}
	}
	stats, err := imp.Commit(ctx)
	if err != nil {
		return err
	}
	last := refs[len(refs)-1]
	f.moved(last)
	f.final, f.hasFinal = last.Number, true
	f.Event(Event{Kind: Applied, Chain: f.id, Block: refs[0], Last: last.Number, Head: f.head, Stats: stats})
	return nil
}

// applyRange takes blocks one by one, fetched several at a time.
func (f *follower) applyRange(ctx context.Context, last uint64) error {
	refs, blocks, err := f.fetch(ctx, f.next, last)
	if err != nil {
		return err
	}
	n := linked(f.tip, refs)
	if n == 0 {
		return f.applyBranch(ctx, refs[0])
	}
	for i := range n {
		if err := f.apply(ctx, refs[i], blocks[i]); err != nil {
			return err
		}
	}
	return nil
}

// applyBranch walks from ref down to a block that the ledger holds, rolls back
// to it if it is not the tip, and applies the branch.
func (f *follower) applyBranch(ctx context.Context, ref Ref) error {
	branch := []Ref{ref}
	for {
		low := branch[len(branch)-1]
		if low.Number == 0 {
			break
		}
		own, err := f.hashAt(ctx, low.Number-1)
		if err != nil {
			return err
		}
		if own == low.Parent || own == (ledger.Hash{}) && low.Number <= f.next {
			break
		}
		if f.hasFinal && low.Number <= f.final+1 && low.Number <= f.next {
			return errs.New("follow", errs.Conflict, "",
				fmt.Sprintf("the node's block %d has the parent %x, but block %d of the ledger is final and is %x", low.Number, low.Parent, low.Number-1, own),
				"the node is on another branch or another chain than the ledger; follow another node, or import into another ledger")
		}
		if len(branch) >= f.MaxReorg+f.Window {
			return errs.New("follow", errs.Limit, "", fmt.Sprintf("the node's branch leaves ours more than %d blocks below", f.MaxReorg), "raise the bound if the chain really did this")
		}
		parent, err := f.parentOf(ctx, low)
		if err != nil {
			return err
		}
		branch = append(branch, parent)
	}
	slices.Reverse(branch)
	return f.replace(ctx, branch)
}

// replace rolls back to below the branch and applies it.
func (f *follower) replace(ctx context.Context, branch []Ref) error {
	// Fetched first: a node that goes away now costs no rollback.
	blocks := make([]*ledger.LiveBlock, 0, len(branch))
	for _, r := range branch[:min(len(branch), f.Window)] {
		b, err := f.Node.Block(ctx, r)
		if err != nil {
			return goneFrom(err)
		}
		blocks = append(blocks, b)
	}
	if low := branch[0]; low.Number < f.next {
		if err := f.rollback(ctx, low); err != nil {
			return err
		}
	}
	for i, r := range branch {
		if i >= len(blocks) {
			b, err := f.Node.Block(ctx, r)
			if err != nil {
				return goneFrom(err)
			}
			blocks = append(blocks, b)
		}
		if err := f.apply(ctx, r, blocks[i]); err != nil {
			return err
		}
		blocks[i] = nil
	}
	return nil
}

func (f *follower) rollback(ctx context.Context, low Ref) error {
	if low.Number == 0 {
		return errs.New("follow", errs.Conflict, "", "the node has another first block than the ledger", "the node is on another chain; import into another ledger")
	}
	if err := f.Ledger.Rollback(ctx, f.id, low.Number-1); err != nil {
		return err
	}
	undone := f.next - 1
	f.next, f.tip = low.Number, Ref{Number: low.Number - 1, Hash: low.Parent}
	f.Event(Event{Kind: RolledBack, Chain: f.id, Block: f.tip, Last: undone, Head: f.head, Live: true})
	return nil
}

// parentOf asks for the block that r names as its parent, by that name.
func (f *follower) parentOf(ctx context.Context, r Ref) (Ref, error) {
	p, err := f.Node.ByHash(ctx, r.Parent)
	if errs.Is(err) == errs.NotExist {
		return Ref{}, &brokenError{why: fmt.Sprintf("its block %d names the parent %x, which it does not have", r.Number, r.Parent)}
	}
	if err != nil {
		return Ref{}, err
	}
	if p.Hash != r.Parent {
		return Ref{}, errs.New("follow", errs.Forged, "", fmt.Sprintf("asked for block %x, the node answered with block %x", r.Parent, p.Hash), "follow another node")
	}
	if p.Number != r.Number-1 {
		return Ref{}, wrongNumber(p, r.Number-1)
	}
	return p, nil
}

func (f *follower) apply(ctx context.Context, r Ref, b *ledger.LiveBlock) error {
	stats, err := f.Ledger.ApplyBlock(ctx, *b)
	if err != nil {
		return err
	}
	f.live = true
	f.moved(r)
	f.Event(Event{Kind: Applied, Chain: f.id, Block: r, Last: r.Number, Live: true, Head: f.head, Stats: stats})
	return nil
}

func (f *follower) moved(r Ref) { f.tip, f.next = r, r.Number+1 }

// finalize passes the node's word on, as far as the ledger holds the blocks: a
// final block that we hold has to be ours by its hash. Where the final block is
// beyond our tip, a tip that was just fetched by its number is final too, for
// the node named it after it had called a higher one final.
func (f *follower) finalize(ctx context.Context, head, final Ref, moved bool) error {
	if f.next == 0 || !f.live || f.hasFinal && final.Number <= f.final {
		return nil
	}
	upTo := final.Number
	if upTo < f.next {
		own, err := f.hashAt(ctx, upTo)
		if err != nil {
			return err
		}
		if own == (ledger.Hash{}) {
			return nil // below what we hold
		}
		if own != final.Hash {
			if f.tip.Hash != head.Hash {
				return nil // not on the node's branch yet
			}
			return &brokenError{why: fmt.Sprintf("it calls %x final at height %d, where its own branch has %x", final.Hash, upTo, own)}
		}
	} else if upTo = f.tip.Number; !moved || f.hasFinal && upTo <= f.final {
		return nil
	}
	if err := f.Ledger.Finalize(ctx, f.id, upTo); err != nil {
		return err
	}
	f.final, f.hasFinal = upTo, true
	f.Event(Event{Kind: Finalized, Chain: f.id, Block: Ref{Number: upTo}, Head: f.head, Live: true})
	return nil
}

// brokenError says that the node's chain does not hang together; a
// reorganisation between two questions looks the same, so it is tried again.
type brokenError struct{ why string }

func (e *brokenError) Error() string { return e.why }

// Unwrap makes it a failure that is tried again.
func (e *brokenError) Unwrap() error {
	return errs.New("follow", errs.Unavailable, "", e.why, "")
}

func (e *brokenError) forged() error {
	return errs.New("follow", errs.Forged, "", "the node's chain does not hang together: "+e.why, "follow another node")
}

func goneFrom(err error) error {
	if errs.Is(err) == errs.NotExist {
		return &brokenError{why: err.Error()}
	}
	return err
}

func wrongNumber(r Ref, want uint64) error {
	return errs.New("follow", errs.Forged, "", fmt.Sprintf("block %x stands at height %d by the node's answer, but has to stand at %d", r.Hash, r.Number, want), "follow another node")
}
