package journal

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// naiveRoot is RFC 6962 section 2.1 as it stands there, over leaf hashes.
func naiveRoot(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	l, r := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

// A tree grown leaf by leaf, packed and unpacked anywhere on the way, has the
// naive root, and the hashes it stores prove every leaf.
func TestTreeIsTheNaiveTree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(rt, "leaves")
		var leaves, stored []tlog.Hash
		tr := tree{edge: map[int64]tlog.Hash{}}
		for i := range n {
			leaf := leafHash(fmt.Appendf(nil, "leaf %d", i))
			pos, hashes, err := tr.add(leaf)
			if err != nil || pos != int64(len(stored)) {
				rt.Fatalf("leaf %d: position %d of %d, %v", i, pos, len(stored), err)
			}
			leaves, stored = append(leaves, leaf), append(stored, hashes...)
			if rapid.IntRange(0, 9).Draw(rt, "reopen") == 0 {
				if tr, err = unpackTree(tr.size, tr.pack()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		root, err := tr.root()
		if err != nil || root != naiveRoot(leaves) {
			rt.Fatalf("root of %d leaves: %v, %v", n, root, err)
		}
		reader := tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(idx))
			for i, x := range idx {
				out[i] = stored[x]
			}
			return out, nil
		})
		seq := int64(rapid.IntRange(0, n-1).Draw(rt, "proven"))
		proof, err := tlog.ProveRecord(int64(n), seq, reader)
		if err != nil || tlog.CheckRecord(proof, int64(n), root, seq, leaves[seq]) != nil {
			rt.Fatalf("proof of leaf %d of %d: %v", seq, n, err)
		}
	})
}

func TestUnpackRefuses(t *testing.T) {
	for _, c := range []struct {
		size  int64
		bytes int
	}{{1, 0}, {1, 31}, {3, 32}, {0, 1}, {7, 128}} {
		if _, err := unpackTree(c.size, make([]byte, c.bytes)); err == nil {
			t.Errorf("an edge of %d bytes for %d leaves", c.bytes, c.size)
		}
	}
}
