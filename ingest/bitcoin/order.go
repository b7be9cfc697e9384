package bitcoin

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/holiman/uint256"
)

// MaxIndexedBlocks bounds the headers' index: about 100 bytes a block, and the
// chain makes some 53,000 blocks a year.
const MaxIndexedBlocks = 8_000_000

// entry is one block of the index.
type entry struct {
	hash, prev Hash
	bits       uint32
	file       int32
	rec        record
	parent     int32 // index of prev, or -1
	height     uint64
	work       uint256.Int // of the branch, from its root to here
	placed     bool        // height is known
	taken      bool        // on the branch that is stated
	whole      bool        // held by the ledger already
}

// index holds the headers of all files and finds the chain among them.
type index struct {
	id      chain.ID
	entries []entry
	byHash  map[Hash]int32
	settled map[Hash]uint64 // heights of blocks that were stated and taken out
	doubles int             // blocks that were there already
}

// add scans one file into the index.
func (x *index) add(n int, f *File, rejects func(Reject)) error {
	s := newScanner(f, rejects)
	s.id = x.id
	for {
		rec, h, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		x.id = s.id
		if err := x.put(entry{hash: h.Hash, prev: h.Prev, bits: h.Bits, file: int32(n), rec: rec}); err != nil {
			return err
		}
	}
}

func (x *index) put(e entry) error {
	if x.byHash == nil {
		x.byHash = map[Hash]int32{}
	}
	_, ok := x.byHash[e.hash]
	if _, stated := x.settled[e.hash]; ok || stated {
		x.doubles++
		return nil
	}
	if len(x.entries) >= MaxIndexedBlocks {
		return errs.New("import", errs.Limit, "", "more blocks than the index holds", "import the files in several runs, in order")
	}
	x.byHash[e.hash] = int32(len(x.entries))
	x.entries = append(x.entries, e)
	return nil
}

// genesis says whether a hash is that of the chain's first block: a bip122
// chain is named after it.
func genesis(id chain.ID, h Hash) bool {
	_, ref, _ := strings.Cut(string(id), ":")
	return len(ref) == 32 && strings.HasPrefix(h.String(), ref)
}

// A fragment is the best branch of blocks that hang together.
type fragment struct {
	first, last uint64  // heights
	path        []int32 // entries by height
	work        uint256.Int
}

// chains finds the best branch of each connected part of the index. place gives
// the height of a part's root; a root that it cannot place is handed to
// unplaced with all that hangs on it. The result is in order of height and
// covers no height twice; stale counts what was left out of it.
func (x *index) chains(place func(e *entry) (uint64, bool, error), unplaced func(e *entry, blocks int)) (out []fragment, stale int, err error) {
	order := x.link()
	roots := make([]int32, len(x.entries)) // root of each entry
	best := map[int32]int32{}
	size := map[int32]int{}
	lost := map[int32]bool{}
	for _, i := range order {
		e := &x.entries[i]
		own := Header{Bits: e.bits}.work()
		if e.parent < 0 {
			height, ok, err := place(e)
			if err != nil {
				return nil, 0, err
			}
			e.height, roots[i], lost[i] = height, i, !ok
			e.work, e.placed = own, ok
		} else {
			p := &x.entries[e.parent]
			e.height, roots[i], e.placed = p.height+1, roots[e.parent], p.placed
			e.work.Add(&p.work, &own)
		}
		r := roots[i]
		size[r]++
		b, ok := best[r]
		// At equal work the branch that was stored first stays: nodes do so too.
		if !ok || e.work.Gt(&x.entries[b].work) {
			best[r] = i
		}
	}
	for _, r := range slices.Sorted(maps.Keys(best)) {
		tip := best[r]
		if lost[r] {
			unplaced(&x.entries[r], size[r])
			continue
		}
		f := x.path(tip)
		stale += size[r] - len(f.path)
		out = append(out, f)
	}
	out, dropped := withoutOverlap(out)
	return out, stale + dropped, nil
}

// link sets each entry's parent and returns the entries with parents first.
func (x *index) link() []int32 {
	children := make(map[int32][]int32, len(x.entries))
	var order []int32
	for i := range x.entries {
		e := &x.entries[i]
		p, ok := x.byHash[e.prev]
		if e.parent = -1; ok && p != int32(i) {
			e.parent = p
			children[p] = append(children[p], int32(i))
		} else {
			order = append(order, int32(i))
		}
	}
	for at := 0; at < len(order); at++ {
		order = append(order, children[order[at]]...)
	}
	return order
}

func (x *index) path(tip int32) fragment {
	f := fragment{last: x.entries[tip].height, work: x.entries[tip].work}
	for i := tip; i >= 0; i = x.entries[i].parent {
		f.path = append(f.path, i)
	}
	slices.Reverse(f.path)
	f.first = x.entries[f.path[0]].height
	return f
}

// withoutOverlap keeps, of fragments that claim the same heights, the one with
// the most work.
func withoutOverlap(in []fragment) (out []fragment, dropped int) {
	slices.SortFunc(in, func(a, b fragment) int {
		return cmp.Or(b.work.Cmp(&a.work), cmp.Compare(a.first, b.first), cmp.Compare(a.path[0], b.path[0]))
	})
	for _, f := range in {
		if slices.ContainsFunc(out, func(o fragment) bool { return f.first <= o.last && o.first <= f.last }) {
			dropped += len(f.path)
			continue
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b fragment) int { return cmp.Compare(a.first, b.first) })
	return out, dropped
}
