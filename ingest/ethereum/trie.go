package ethereum

import "slices"

// listRoot is the root of the Merkle Patricia trie (Yellow Paper, appendix D)
// that maps rlp(i) to items[i]: how a header commits to its transactions,
// receipts and withdrawals.
func listRoot(items [][]byte) hash {
	if len(items) == 0 {
		return keccak([]byte{0x80}) // the empty trie
	}
	pairs := make([]pair, len(items))
	for i, item := range items {
		pairs[i] = pair{nibbles(rlpUint(nil, uint64(i))), item}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return slices.Compare(a.key, b.key) })
	return keccak(trieNode(pairs, 0))
}

// pair is a key in nibbles and its value. No key is a prefix of another.
type pair struct{ key, value []byte }

func nibbles(b []byte) []byte {
	out := make([]byte, 0, 2*len(b))
	for _, x := range b {
		out = append(out, x>>4, x&15)
	}
	return out
}

// trieNode encodes the node that holds pairs, whose keys agree in their first
// depth nibbles.
func trieNode(pairs []pair, depth int) []byte {
	first, last := pairs[0].key, pairs[len(pairs)-1].key
	if len(pairs) == 1 {
		body := rlpBytes(nil, compact(first[depth:], true))
		return rlpList(nil, rlpBytes(body, pairs[0].value))
	}
	shared := depth
	for first[shared] == last[shared] { // sorted: all between agree too
		shared++
	}
	if shared > depth {
		body := rlpBytes(nil, compact(first[depth:shared], false))
		return rlpList(nil, trieRef(body, trieNode(pairs, shared)))
	}
	var body []byte
	for n := byte(0); n < 16; n++ {
		end := 0
		for end < len(pairs) && pairs[end].key[depth] == n {
			end++
		}
		if end == 0 {
			body = append(body, 0x80)
			continue
		}
		body = trieRef(body, trieNode(pairs[:end], depth+1))
		pairs = pairs[end:]
	}
	return rlpList(nil, append(body, 0x80)) // no value ends at a branch
}

// trieRef appends a node as its parent holds it: whole when short, else its hash.
func trieRef(out, node []byte) []byte {
	if len(node) < 32 {
		return append(out, node...)
	}
	h := keccak(node)
	return rlpBytes(out, h[:])
}

// compact is the hex-prefix encoding of nibbles.
func compact(key []byte, leaf bool) []byte {
	flag := byte(0)
	if leaf {
		flag = 2
	}
	out := []byte{flag << 4}
	if len(key)%2 == 1 {
		out[0] |= 1<<4 | key[0]
		key = key[1:]
	}
	for i := 0; i < len(key); i += 2 {
		out = append(out, key[i]<<4|key[i+1])
	}
	return out
}
