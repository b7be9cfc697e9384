package ledger

import (
	"testing"

	"bongsu/chain"

	"pgregory.net/rapid"
)

// TestTxTable: the table is a map by name.
func TestTxTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table txTable
		held := map[int]*txState{}
		name := func(i int) txName { // some with an id, on two chains, some alone
			n := txName{chain: ChainRef(1 + i%2)}
			if i%3 == 0 {
				n.alone = &aloneName{movement{from: AccountRef(i)}, 7}
			} else {
				n.id = chain.Hash32([32]byte{byte(i / 4), 1})
			}
			return n
		}
		for range rapid.IntRange(0, 400).Draw(t, "steps") {
			i := rapid.IntRange(0, 60).Draw(t, "name")
			n := name(i)
			key := 0 // the first of the same name
			for o := name(key); !o.equal(&n); o = name(key) {
				key++
			}
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				s := newState(n)
				table.put(s)
				held[key] = s
			case 1:
				_, want := held[key]
				if table.remove(&n) != want {
					t.Fatalf("removing %d: it was there: %v", i, want)
				}
				delete(held, key)
			}
			if got := table.get(&n); got != held[key] {
				t.Fatalf("%d is %p, want %p", i, got, held[key])
			}
		}
		n := 0
		for s := range table.all {
			n++
			if table.get(&s.name) != s {
				t.Fatal("listed and not found")
			}
		}
		if n != len(held) || table.len() != n {
			t.Fatalf("%d listed, %d counted, want %d", n, table.len(), len(held))
		}
	})
}
