package journal

import (
	"fmt"
	"math/bits"

	"bongsu/errs"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is the right edge of a Merkle tree: the roots of its complete subtrees,
// which is all that appending and the tree's own root need.
type tree struct {
	size int64
	edge map[int64]tlog.Hash // by tlog.StoredHashIndex
}

// edgeAt lists the stored indexes of the complete subtrees of a tree of size
// n, from the largest to the smallest.
func edgeAt(n int64) []int64 {
	out := make([]int64, 0, bits.OnesCount64(uint64(n)))
	for l := 62; l >= 0; l-- {
		if n>>l&1 == 1 {
			out = append(out, tlog.StoredHashIndex(l, n>>l-1))
		}
	}
	return out
}

// unpackTree reads what pack wrote.
func unpackTree(size int64, packed []byte) (tree, error) {
	t := tree{size: size, edge: map[int64]tlog.Hash{}}
	want := edgeAt(size)
	if len(packed) != len(want)*tlog.HashSize {
		return tree{}, errs.New("journal", errs.Corrupt, "", fmt.Sprintf("the edge of a tree of %d leaves has %d bytes", size, len(packed)), "run bongsu journal check")
	}
	for i, idx := range want {
		t.edge[idx] = tlog.Hash(packed[i*tlog.HashSize:])
	}
	return t, nil
}

func (t tree) pack() []byte {
	var out []byte
	for _, idx := range edgeAt(t.size) {
		h := t.edge[idx]
		out = append(out, h[:]...)
	}
	return out
}

// ReadHashes implements tlog.HashReader for the edge alone.
func (t tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, idx := range indexes {
		h, ok := t.edge[idx]
		if !ok {
			return nil, errs.New("journal", errs.Internal, "", fmt.Sprintf("hash %d is not on the tree's edge", idx), "")
		}
		out[i] = h
	}
	return out, nil
}

// add appends a leaf and returns the hashes to store, the first at position
// pos (tlog.StoredHashIndex), the others right after it.
func (t *tree) add(leaf tlog.Hash) (pos int64, hashes []tlog.Hash, err error) {
	hashes, err = tlog.StoredHashesForRecordHash(t.size, leaf, t)
	if err != nil {
		return 0, nil, errs.Wrap("journal", "", err)
	}
	pos = tlog.StoredHashIndex(0, t.size)
	edge := map[int64]tlog.Hash{}
	for _, idx := range edgeAt(t.size + 1) {
		h, ok := t.edge[idx]
		if !ok {
			if idx < pos {
				return 0, nil, errs.New("journal", errs.Corrupt, "", fmt.Sprintf("the edge of the tree lacks hash %d", idx), "run bongsu journal check")
			}
			h = hashes[idx-pos]
		}
		edge[idx] = h
	}
	t.size, t.edge = t.size+1, edge
	return pos, hashes, nil
}

// root is the tree's hash.
func (t tree) root() (tlog.Hash, error) {
	h, err := tlog.TreeHash(t.size, t)
	return h, errs.Wrap("journal", "", err)
}
