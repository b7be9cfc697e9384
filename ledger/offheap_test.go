package ledger

import (
	"encoding/binary"
	"testing"

	"bongsu/chain"
)

// TestLongTable adds beyond several pieces while an earlier snapshot is read.
func TestLongTable(t *testing.T) {
	l := newLongTable[[20]byte]()
	defer l.free()
	value := func(i int) (v [20]byte) {
		binary.LittleEndian.PutUint64(v[3:], uint64(i)*0x9e3779b97f4a7c15)
		return v
	}
	const n, first = 1_200_000, 100_000
	for i := range first {
		l.add(value(i))
	}
	early := l.snapshot()
	done := make(chan int)
	go func() {
		bad := 0
		for i := range early.len() {
			if *early.at(i) != value(i) {
				bad++
			}
		}
		done <- bad
	}()
	for i := first; i < n; i++ {
		l.add(value(i))
	}
	if bad := <-done; bad > 0 || early.len() != first {
		t.Fatalf("%d of %d elements changed under a reader", bad, early.len())
	}
	for i := range n {
		if *l.at(i) != value(i) {
			t.Fatalf("element %d is not what was added", i)
		}
	}
	if len(l.pieces) < 3 || l.len() != n {
		t.Fatalf("%d elements in %d pieces", l.len(), len(l.pieces))
	}
}

// TestAccountTable numbers accounts in the order in which they are met first,
// those of another form among them, one by one as in batches.
func TestAccountTable(t *testing.T) {
	table := newAccountTable(1)
	defer table.free()
	numbers := map[[20]byte]uint32{}
	var b lookups
	var keys [tableBatch][20]byte
	random := uint64(1)
	for round := range 2000 {
		n := 1 + round%tableBatch
		for i := range n {
			random = random*6364136223846793005 + 1442695040888963407
			keys[i] = [20]byte{}
			binary.LittleEndian.PutUint64(keys[i][:], random>>32%(1<<20))
			b.keys[i] = &keys[i]
		}
		table.evms(&b, n)
		for i := range n {
			want, ok := numbers[keys[i]]
			if !ok {
				want = uint32(len(numbers))
				numbers[keys[i]] = want
			}
			if b.out[i] != want || table.evm(&keys[i]) != want {
				t.Fatalf("account %x is number %d, want %d", keys[i], b.out[i], want)
			}
		}
		if round%100 == 0 {
			name := [20]byte{19: byte(round / 100)}
			name[0], name[18] = 0xff, 0xff
			if got := table.other(chain.EVM("eip155:5", name)); got != uint32(len(numbers)) {
				t.Fatalf("an account of another form is number %d, want %d", got, len(numbers))
			}
			numbers[name] = uint32(len(numbers))
		}
	}
	if int(table.count) != len(numbers) {
		t.Fatalf("%d accounts, want %d", table.count, len(numbers))
	}
}
