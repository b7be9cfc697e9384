package bitcoin

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// assembly is the join of all block files of one run: the headers in memory,
// the blocks in the files. With each file the branch that it completes is
// stated, all but its last blocks: which branch wins, later files may tell.
type assembly struct {
	files  []*source
	index  index           // of the blocks that are not stated yet
	keep   int             // how many blocks of a branch wait for what comes
	before Held            // blocks imported before; may be nil
	known  map[Hash]uint64 // the heights of those that ours hang on
	asked  map[Hash]bool   // whether known was asked
	done   []span          // heights stated in this run
	stale  int             // blocks left out
}

// unsettled is how many blocks of a branch wait: no branch of Bitcoin's that
// lost was ever longer than some dozens.
const unsettled = 288

// span is a range of heights, both ends included.
type span struct{ first, last uint64 }

// source is a file of the run.
type source struct {
	File
	number int // of the run's source, for rejects
	chain  chain.ID
	held   *os.File // what File.Data reads, our own handle; nil when in memory
}

func (a *assembly) addFile(ctx context.Context, f *source, out *ingest.Output) error {
	held, err := hold(f.Data, f.Name)
	if err != nil {
		return err
	}
	f.held, f.Data = held, held
	a.files = append(a.files, f)
	if f.chain != "" && a.index.id == "" {
		a.index.id = f.chain
	}
	var failed error
	before := len(a.index.entries)
	err = a.index.add(len(a.files)-1, &f.File, func(r Reject) {
		place, why := rejection(r)
		if failed == nil {
			failed = out.Reject(place, nil, why)
		}
	})
	for range len(a.index.entries) - before {
		out.Row()
	}
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return a.settle(ctx, out, false)
}

// addSingle takes a file that is one block.
func (a *assembly) addSingle(f *source, hexadecimal bool, out *ingest.Output) error {
	out.Row()
	limit := int64(MaxBlockBytes)
	if hexadecimal {
		limit = 2*limit + 1024
	}
	if f.Size > limit {
		return errs.New("import", errs.Limit, f.Name, "larger than a block may be", "a block file begins with its chain's magic; this does not")
	}
	raw := make([]byte, f.Size)
	if _, err := io.ReadFull(io.NewSectionReader(f.Data, 0, f.Size), raw); err != nil {
		return errs.Wrap("import", f.Name, err)
	}
	if hexadecimal {
		digits := bytes.TrimSpace(raw)
		raw = make([]byte, hex.DecodedLen(len(digits)))
		if _, err := hex.Decode(raw, digits); err != nil {
			return out.Reject(ingest.Place{Column: "byte"}, nil, err)
		}
	}
	h, err := DecodeHeader(raw)
	if err != nil {
		return err
	}
	id, err := chainOf(f.chain, h, f.Name)
	if err != nil {
		return err
	}
	if a.index.id != "" && a.index.id != id {
		return errs.New("import", errs.Usage, f.Name, "blocks of two chains in one run", "import each chain by itself")
	}
	a.index.id = id
	f.Data, f.Size = bytes.NewReader(raw), int64(len(raw))
	a.files = append(a.files, f)
	return a.index.put(entry{hash: h.Hash, prev: h.Prev, bits: h.Bits, file: int32(len(a.files) - 1), rec: record{0, uint32(len(raw))}})
}

// Close implements ingest.Join.
func (a *assembly) Close() error {
	for _, f := range a.files {
		f.release()
	}
	return nil
}

func (f *source) release() {
	if f.held != nil {
		f.held.Close()
		f.held = nil
	}
}

// Finish implements ingest.Join: it states what waited for the last file.
func (a *assembly) Finish(ctx context.Context, out *ingest.Output) error {
	if err := a.settle(ctx, out, true); err != nil {
		return err
	}
	if a.stale > 0 {
		out.Note("%s of stale branches left out", describe(a.stale, "block"))
	}
	if a.index.doubles > 0 {
		out.Note("%s seen twice", describe(a.index.doubles, "block"))
	}
	return nil
}

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
				e.whole = b.Whole && b.Hash == own
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
		out.Row()
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
