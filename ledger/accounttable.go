package ledger

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"bongsu/chain"
)

// accountTable numbers the accounts of one chain from 0 in the order in which
// a large import meets them: one table serves many runs, so that an account is
// looked up where it lies and sorted once. EVM addresses go through an
// open-addressed table, all others through a map.
//
// Entries of keys and others below a length that was read once never change,
// so that a run is written while the next fills.
type accountTable struct {
	epoch  int      // names the table among an import's
	slots  []uint64 // the hash's upper half, then the number plus one; 0 is empty
	keys   [][20]byte
	count  uint32
	seed   [2]uint64
	number map[chain.Account]uint32
	others []numberedAccount // those that are not in keys, by number
}

type numberedAccount struct {
	number  uint32
	account chain.Account
}

// epochAccounts is how many accounts a table numbers before the next begins.
// It bounds the memory of an import: 36 bytes for each account, and 8 while
// its runs are merged.
const epochAccounts = 1 << 22

func newAccountTable(epoch int) *accountTable {
	s := maphash.MakeSeed()
	return &accountTable{
		epoch: epoch, slots: make([]uint64, 1<<12), number: map[chain.Account]uint32{},
		seed: [2]uint64{maphash.Comparable(s, 1), maphash.Comparable(s, 2)},
	}
}

func (t *accountTable) hash(k *[20]byte) uint64 {
	a, b, c := binary.LittleEndian.Uint64(k[:]), binary.LittleEndian.Uint64(k[8:]), binary.LittleEndian.Uint32(k[16:])
	hi, lo := bits.Mul64(a^t.seed[0], b^t.seed[1]^uint64(c)<<21)
	return (hi ^ lo ^ uint64(c)) * 0x9e3779b97f4a7c15
}

// A slot is found by the middle of a hash and told from others by its top.
func slotOf(h uint64, mask uint64) uint64 { return h >> 8 & mask }
func tagOf(h uint64) uint64               { return h &^ (1<<32 - 1) }

// tableBatch is how many addresses are looked up at once: their slots and then
// their keys are fetched in loops of their own, so that the processor waits
// for many cache lines at a time.
const tableBatch = 512

// lookups is the memory of a batch.
type lookups struct {
	keys   [tableBatch]*[20]byte
	hashes [tableBatch]uint64
	slots  [tableBatch]uint64
	first  [tableBatch]uint64 // the first bytes of the slot's key
	out    [tableBatch]uint32
}

// evms numbers the first n of the batch's keys into out. The zero address is
// an account like any other.
func (t *accountTable) evms(b *lookups, n int) {
	t.reserve(n)
	mask := uint64(len(t.slots) - 1)
	for i := range n {
		b.hashes[i] = t.hash(b.keys[i])
	}
	for i := range n {
		b.slots[i] = t.slots[slotOf(b.hashes[i], mask)]
	}
	for i := range n {
		if s := b.slots[i]; s != 0 && tagOf(s) == tagOf(b.hashes[i]) {
			b.first[i] = binary.LittleEndian.Uint64(t.keys[uint32(s)-1][:])
		}
	}
	for i := range n {
		k, s := b.keys[i], b.slots[i]
		if s != 0 && tagOf(s) == tagOf(b.hashes[i]) && b.first[i] == binary.LittleEndian.Uint64(k[:]) && t.keys[uint32(s)-1] == *k {
			b.out[i] = uint32(s) - 1
			continue
		}
		b.out[i] = t.probe(k, b.hashes[i])
	}
}

// probe finds a key's number or gives it the next. There is room for it.
func (t *accountTable) probe(k *[20]byte, h uint64) uint32 {
	mask := uint64(len(t.slots) - 1)
	i := slotOf(h, mask)
	for {
		s := t.slots[i]
		if s == 0 {
			break
		}
		if tagOf(s) == tagOf(h) && t.keys[uint32(s)-1] == *k {
			return uint32(s) - 1
		}
		i = (i + 1) & mask
	}
	t.keys = append(t.keys, *k)
	t.count++
	t.slots[i] = tagOf(h) | uint64(t.count)
	return t.count - 1
}

// evm numbers one address.
func (t *accountTable) evm(k *[20]byte) uint32 {
	t.reserve(1)
	return t.probe(k, t.hash(k))
}

// reserve makes room for n more keys; at most two slots in three are taken.
func (t *accountTable) reserve(n int) {
	for 3*(len(t.keys)+n) > 2*len(t.slots) {
		t.grow()
	}
}

func (t *accountTable) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := slotOf(t.hash(&t.keys[uint32(s)-1]), mask)
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// other numbers an account of any form. Its place among the keys stays empty.
func (t *accountTable) other(a chain.Account) uint32 {
	n, ok := t.number[a]
	if !ok {
		n = t.count
		t.keys = append(t.keys, [20]byte{})
		t.others = append(t.others, numberedAccount{n, a})
		t.number[a] = n
		t.count++
	}
	return n
}

// accountStretch is the accounts that a table numbered from first on.
type accountStretch struct {
	first  uint32
	keys   [][20]byte
	others []numberedAccount // the places among keys that hold no address
}

// since are the accounts numbered from first on, of which others begin at
// place other of the table's.
func (t *accountTable) since(first uint32, other int) accountStretch {
	return accountStretch{first, t.keys[first:t.count:t.count], t.others[other:len(t.others):len(t.others)]}
}
