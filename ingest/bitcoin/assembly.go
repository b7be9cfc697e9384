package bitcoin

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"os"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
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
	held   int             // blocks that the ledger had whole
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
	if a.held > 0 {
		out.Note("%s known already", describe(a.held, "block"))
	}
	if a.stale > 0 {
		out.Note("%s of stale branches left out", describe(a.stale, "block"))
	}
	if a.index.doubles > 0 {
		out.Note("%s seen twice", describe(a.index.doubles, "block"))
	}
	return nil
}
