package bitcoin

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// assembly is the join of all block files of one run: their headers in memory,
// the blocks in the files.
type assembly struct {
	files  []*source
	index  index
	before Held            // blocks imported before; may be nil
	known  map[Hash]uint64 // the heights of those that ours hang on
}

// source is a file of the run.
type source struct {
	File
	number int // of the run's source, for rejects
	chain  chain.ID
	held   *os.File // what File.Data reads, our own handle; nil when in memory
}

func (a *assembly) addFile(f *source, out *ingest.Output) error {
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
	return err
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
		if f.held != nil {
			f.held.Close()
		}
	}
	return nil
}

// Finish implements ingest.Join: it finds the chain and states its blocks in
// order of height.
func (a *assembly) Finish(ctx context.Context, out *ingest.Output) error {
	var failed error
	if err := a.ask(ctx); err != nil {
		return err
	}
	fragments, stale, err := a.index.chains(a.place, func(e *entry, blocks int) {
		f := a.files[e.file]
		if failed == nil {
			failed = out.RejectOf(f.number, ingest.Place{Line: e.rec.off, Column: "byte"}, nil, errs.New("", errs.Invalid, "",
				describe(blocks, "block")+" from "+e.hash.String()+" on hang on no block whose height is known",
				"import the block files that lead there first, or with them"))
		}
	})
	if err != nil {
		return err
	}
	if stale > 0 {
		out.Note("%s of stale branches left out", describe(stale, "block"))
	}
	if a.index.doubles > 0 {
		out.Note("%s seen twice", describe(a.index.doubles, "block"))
	}
	for _, f := range fragments {
		f, err := a.agreed(ctx, f, out)
		if err != nil {
			return err
		}
		if err := a.fragment(ctx, f, out); err != nil {
			return err
		}
	}
	return failed
}

// agreed cuts off a branch where the ledger holds another block than it: one of
// the two is stale, and nothing here says which.
func (a *assembly) agreed(ctx context.Context, f fragment, out *ingest.Output) (fragment, error) {
	if a.before == nil {
		return f, nil
	}
	first, at := f.first, 0
	if first > 0 { // the block below it too
		first, at = first-1, -1
	}
	for at < len(f.path) {
		n := min(blocksAtOnce, len(f.path)-at)
		hashes, err := a.before.Hashes(ctx, a.index.id, first, n)
		if err != nil {
			return f, err
		}
		for i, h := range hashes {
			where := max(at+i, 0)
			e := &a.index.entries[f.path[where]]
			own := e.hash
			if at+i < 0 {
				own = e.prev
			}
			if !h.IsZero() && h != own {
				return a.cut(f, where, h, first+uint64(i), out)
			}
		}
		first, at = first+uint64(n), at+n
	}
	return f, nil
}

// ask looks up the blocks that are in no file and that ours hang on.
func (a *assembly) ask(ctx context.Context) (err error) {
	if a.before == nil {
		return nil
	}
	var wanted []Hash
	for i := range a.index.entries {
		if e := &a.index.entries[i]; !e.prev.IsZero() && !genesis(a.index.id, e.prev) {
			if _, ok := a.index.byHash[e.prev]; !ok {
				wanted = append(wanted, e.prev)
			}
		}
	}
	if len(wanted) > 0 {
		a.known, err = a.before.Heights(ctx, a.index.id, wanted)
	}
	return err
}

// cut leaves out the blocks of a branch from a place on, because the ledger
// holds another block at a height.
func (a *assembly) cut(f fragment, where int, other Hash, height uint64, out *ingest.Output) (fragment, error) {
	e := &a.index.entries[f.path[where]]
	why := fmt.Sprintf("%s from %s on stand on another branch than the ledger, which holds block %s at height %d",
		describe(len(f.path)-where, "block"), e.hash, other, height)
	f.path = f.path[:where]
	return f, out.RejectOf(a.files[e.file].number, ingest.Place{Line: e.rec.off, Column: "byte"}, nil, errs.New("", errs.Conflict, "", why,
		"one of the two is stale: follow a node to learn which, and import into another ledger if it is the ledger's"))
}

// place finds the height of a block whose parent is in no file.
func (a *assembly) place(e *entry) (uint64, bool, error) {
	switch {
	case genesis(a.index.id, e.hash):
		return 0, true, nil
	case genesis(a.index.id, e.prev):
		return 1, true, nil
	}
	if below, ok := a.known[e.prev]; ok {
		return below + 1, true, nil
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
		d := <-decoded
		b, err := d.block, d.err
		if err == nil {
			err = contradicts(a.index.id, b, e.height)
		}
		if err != nil {
			claim(f.first + uint64(i))
			src := a.files[e.file]
			if err := out.RejectOf(src.number, ingest.Place{Line: e.rec.off, Column: "byte"}, nil, err); err != nil {
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
	path = slices.Clone(path)
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
