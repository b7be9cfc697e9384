package bitcoin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
)

// settle states the blocks whose place is known, in order of height: all in the
// end, before that only branches that hang on a block of known height, without
// their last blocks. What is stated, or lost against it, leaves the index.
func (a *assembly) settle(ctx context.Context, out *ingest.Output, end bool) error {
	if err := a.ask(ctx); err != nil {
		return err
	}
	var failed error
	unplaced := func(e *entry, blocks int) {
		if end && failed == nil {
			failed = a.reject(out, e, errs.New("", errs.Invalid, "",
				describe(blocks, "block")+" from "+e.hash.String()+" on hang on no block whose height is known",
				"import the block files that lead there first, or with them"))
		}
	}
	place := func(e *entry) (uint64, bool, error) { return a.place(e, end) }
	fragments, stale, err := a.index.chains(place, unplaced)
	if err != nil {
		return err
	}
	if end {
		a.stale += stale
	}
	for _, f := range fragments {
		if !end {
			f.path = f.path[:max(0, len(f.path)-a.keep)]
		}
		if len(f.path) == 0 {
			continue
		}
		if a.stated(f.first) {
			if end {
				a.stale += len(f.path)
			}
			continue
		}
		a.done = append(a.done, span{f.first, f.first + uint64(len(f.path)) - 1})
		f, err := a.agreed(ctx, f, out)
		if err != nil {
			return err
		}
		if err := a.fragment(ctx, f, out); err != nil {
			return err
		}
	}
	if !end {
		a.compact(out.Source())
	}
	return failed
}

// stated says whether a block of some height was stated in this run.
func (a *assembly) stated(height uint64) bool {
	return slices.ContainsFunc(a.done, func(s span) bool { return height >= s.first && height <= s.last })
}

// compact takes what was stated, and blocks of branches that lost against it,
// out of the index, and gives back the files that are not needed any more.
func (a *assembly) compact(current int) {
	old := a.index
	a.index = index{id: old.id, doubles: old.doubles, settled: old.settled}
	if a.index.settled == nil {
		a.index.settled = map[Hash]uint64{}
	}
	needed := make([]bool, len(a.files))
	for i := range old.entries {
		e := &old.entries[i]
		switch {
		case e.placed && a.stated(e.height):
			if e.taken {
				a.index.settled[e.hash] = e.height
			} else {
				a.stale++
			}
		default:
			needed[e.file] = true
			a.index.byHash = put(a.index.byHash, e.hash, int32(len(a.index.entries)))
			a.index.entries = append(a.index.entries, entry{hash: e.hash, prev: e.prev, bits: e.bits, file: e.file, rec: e.rec})
		}
	}
	for i, f := range a.files {
		if !needed[i] && f.number != current {
			f.release()
		}
	}
}

func put(m map[Hash]int32, h Hash, i int32) map[Hash]int32 {
	if m == nil {
		m = map[Hash]int32{}
	}
	m[h] = i
	return m
}

// reject writes down what is left out, beside the file it is in.
func (a *assembly) reject(out *ingest.Output, e *entry, why error) error {
	f, place := a.files[e.file], ingest.Place{Line: e.rec.off, Column: "byte"}
	if f.number == out.Source() { // its own import is still running
		return out.Reject(place, nil, why)
	}
	return out.RejectOf(f.number, place, nil, why)
}

// agreed cuts off a branch where the ledger holds another block than it: one of
// the two is stale, and nothing here says which. It marks the blocks that the
// ledger holds whole.
func (a *assembly) agreed(ctx context.Context, f fragment, out *ingest.Output) (fragment, error) {
	for _, at := range f.path {
		a.index.entries[at].taken = true
	}
	if a.before == nil {
		return f, nil
	}
	first, at := f.first, 0
	if first > 0 { // the block below it too
		first, at = first-1, -1
	}
	for at < len(f.path) {
		n := min(blocksAtOnce, len(f.path)-at)
		blocks, err := a.before.Blocks(ctx, a.index.id, first, n)
		if err != nil {
			return f, err
		}
		for i, b := range blocks {
			where := max(at+i, 0)
			e := &a.index.entries[f.path[where]]
			own := e.hash
			if at+i < 0 {
				own = e.prev
			}
			if !b.Hash.IsZero() && b.Hash != own {
				return a.cut(f, where, b.Hash, first+uint64(i), out)
			}
			if at+i >= 0 {
				if e.whole = b.Whole && b.Hash == own; e.whole {
					a.held++
				}
			}
		}
		first, at = first+uint64(n), at+n
	}
	return f, nil
}

// ask looks up the blocks that are in no file and that ours hang on, once each.
func (a *assembly) ask(ctx context.Context) error {
	if a.before == nil {
		return nil
	}
	if a.asked == nil {
		a.known, a.asked = map[Hash]uint64{}, map[Hash]bool{}
	}
	var wanted []Hash
	for i := range a.index.entries {
		p := a.index.entries[i].prev
		_, inFiles := a.index.byHash[p]
		_, stated := a.index.settled[p]
		if !inFiles && !stated && !a.asked[p] && !p.IsZero() && !genesis(a.index.id, p) {
			wanted = append(wanted, p)
			a.asked[p] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	found, err := a.before.Heights(ctx, a.index.id, wanted)
	maps.Copy(a.known, found)
	return err
}

// cut leaves out the blocks of a branch from a place on, because the ledger
// holds another block at a height.
func (a *assembly) cut(f fragment, where int, other Hash, height uint64, out *ingest.Output) (fragment, error) {
	e := &a.index.entries[f.path[where]]
	why := fmt.Sprintf("%s from %s on stand on another branch than the ledger, which holds block %s at height %d",
		describe(len(f.path)-where, "block"), e.hash, other, height)
	f.path = f.path[:where]
	return f, a.reject(out, e, errs.New("", errs.Conflict, "", why,
		"one of the two is stale: follow a node to learn which, and import into another ledger if it is the ledger's"))
}

// place finds the height of a block whose parent is in no file, or is stated
// already. In the end its own word is taken, where it has to be true.
func (a *assembly) place(e *entry, end bool) (uint64, bool, error) {
	if genesis(a.index.id, e.hash) {
		return 0, true, nil
	}
	if genesis(a.index.id, e.prev) {
		return 1, true, nil
	}
	for _, heights := range []map[Hash]uint64{a.index.settled, a.known} {
		if below, ok := heights[e.prev]; ok {
			return below + 1, true, nil
		}
	}
	if !end {
		return 0, false, nil
	}
	b, err := a.read(e)
	if err != nil {
		return 0, false, nil //nolint:nilerr // it cannot be placed; reading it again reports why
	}
	height, ok := b.StatedHeight(a.index.id)
	return height, ok, nil
}

// bip34 is the first height on Bitcoin's main chain that a coinbase has to
// state. Before it some miners of version 2 stated theirs already.
const bip34 = 227_836

// StatedHeight is the height that a block's coinbase states by BIP 34; ok is
// false where the block need not state one.
func (b *Block) StatedHeight(id chain.ID) (height uint64, ok bool) {
	if b.Version < 2 {
		return 0, false
	}
	height, ok = statedHeight(b.Txs[0].In[0].Script)
	return height, ok && (id != chain.Bitcoin || height >= bip34)
}

func (a *assembly) read(e *entry) (*Block, error) {
	f := a.files[e.file]
	raw, err := f.plain(e.rec.off, int(e.rec.size))
	if err != nil {
		return nil, err
	}
	return DecodeBlock(raw)
}
