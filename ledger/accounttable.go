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
// so that a run is written while the next fills; then free gives the memory
// back.
type accountTable struct {
	epoch  int           // names the table among an import's
	slots  table[uint64] // by the hash's first bits: its upper half, then the number plus one; 0 is empty
	keys   longTable[[20]byte]
	count  uint32
	seed   [2]uint64
	number map[chain.Account]uint32
	others []numberedAccount // those that are not in keys, by number
	counts *occurrences      // of runs that were written
	assets *assetTable
}

type numberedAccount struct {
	number  uint32
	account chain.Account
}

// epochAccounts is how many accounts a table numbers before the next begins.
// It bounds the memory of an import: 36 bytes for each account, 8 while its
// runs are merged, and one from its first run to the end. Those that are not
// EVM addresses take some 400 bytes, with what the collector leaves.
const (
	epochAccounts = 1 << 22
	epochOthers   = 1 << 18
)

func (t *accountTable) full() bool { return t.count >= epochAccounts || len(t.others) >= epochOthers }

func newAccountTable(epoch int) *accountTable {
	s := maphash.MakeSeed()
	return &accountTable{
		epoch: epoch, slots: newTable[uint64](1 << 12), keys: newLongTable[[20]byte](), number: map[chain.Account]uint32{},
		seed: [2]uint64{maphash.Comparable(s, 1), maphash.Comparable(s, 2)}, counts: &occurrences{}, assets: newAssetTable(),
	}
}

// end gives back what only finding accounts takes: there will be no others. A run
// that names the table's is still written.
func (t *accountTable) end() {
	t.slots.free()
	t.number = nil
}

// free gives the memory back. No stretch of the table's may be in use.
func (t *accountTable) free() {
	t.slots.free()
	t.keys.free()
}

func (t *accountTable) hash(k *[20]byte) uint64 {
	a, b, c := binary.LittleEndian.Uint64(k[:]), binary.LittleEndian.Uint64(k[8:]), binary.LittleEndian.Uint32(k[16:])
	hi, lo := bits.Mul64(a^t.seed[0], b^t.seed[1]^uint64(c)<<21)
	return (hi ^ lo ^ uint64(c)) * 0x9e3779b97f4a7c15
}

// A slot is found by the first bits of a hash and told from others by those
// that follow, up to the 32nd: so a table that grows reads no key.
func (t *accountTable) shift() uint { return uint(bits.LeadingZeros64(uint64(len(t.slots.list) - 1))) }

func tagOf(h uint64) uint64 { return h &^ (1<<32 - 1) }

// tableBatch is how many addresses are looked up at once: their slots and then
// their keys are fetched in loops of their own, in which no branch depends on
// what is fetched, so that the processor waits for many cache lines at a time.
const tableBatch = 512

// lookups is the memory of a batch.
type lookups struct {
	keys   [tableBatch]*[20]byte
	hashes [tableBatch]uint64
	slots  [tableBatch]uint64
	first  [tableBatch]uint64 // the first bytes of the slot's key: read ahead
	out    [tableBatch]uint32
}

// evms numbers the first n of the batch's keys into out. The zero address is
// an account like any other.
func (t *accountTable) evms(b *lookups, n int) {
	t.reserve(n)
	slots := t.slots.list
	mask, shift := uint64(len(slots)-1), t.shift()
	for i := range n {
		b.hashes[i] = t.hash(b.keys[i])
	}
	for i := range n {
		b.slots[i] = slots[b.hashes[i]>>shift]
	}
	for i := range n {
		s, at := b.slots[i], b.hashes[i]>>shift
		for s != 0 && tagOf(s) != tagOf(b.hashes[i]) { // nearly always in the same line
			at = (at + 1) & mask
			s = slots[at]
		}
		b.slots[i] = s
	}
	for i := range n {
		if s := b.slots[i]; s != 0 {
			b.first[i] = binary.LittleEndian.Uint64(t.keys.at(int(uint32(s) - 1))[:])
		}
	}
	for i := range n {
		k, s := b.keys[i], b.slots[i]
		if s != 0 && b.first[i] == binary.LittleEndian.Uint64(k[:]) && same20(t.keys.at(int(uint32(s)-1)), k) {
			b.out[i] = uint32(s) - 1
			continue
		}
		b.out[i] = t.probe(k, b.hashes[i])
	}
}

// same20 is *a == *b, which the compiler makes a call of.
func same20(a, b *[20]byte) bool {
	return binary.LittleEndian.Uint64(a[:]) == binary.LittleEndian.Uint64(b[:]) &&
		binary.LittleEndian.Uint64(a[8:]) == binary.LittleEndian.Uint64(b[8:]) &&
		binary.LittleEndian.Uint32(a[16:]) == binary.LittleEndian.Uint32(b[16:])
}

// probe finds a key's number or gives it the next. There is room for it.
func (t *accountTable) probe(k *[20]byte, h uint64) uint32 {
	slots := t.slots.list
	mask, i := uint64(len(slots)-1), h>>t.shift()
	for {
		s := slots[i]
		if s == 0 {
			break
		}
		if tagOf(s) == tagOf(h) && same20(t.keys.at(int(uint32(s)-1)), k) {
			return uint32(s) - 1
		}
		i = (i + 1) & mask
	}
	t.keys.add(*k)
	t.count++
	slots[i] = tagOf(h) | uint64(t.count)
	return t.count - 1
}

// evm numbers one address.
func (t *accountTable) evm(k *[20]byte) uint32 {
	t.reserve(1)
	return t.probe(k, t.hash(k))
}

// reserve makes room for n more keys; at most two slots in three are taken.
func (t *accountTable) reserve(n int) {
	for 3*(t.keys.len()+n) > 2*len(t.slots.list) {
		t.grow()
	}
}

func (t *accountTable) grow() {
	old := t.slots
	t.slots = newTable[uint64](2 * len(old.list))
	slots := t.slots.list
	mask, shift := uint64(len(slots)-1), t.shift()
	for _, s := range old.list {
		if s == 0 {
			continue
		}
		i := s >> shift
		for slots[i] != 0 {
			i = (i + 1) & mask
		}
		slots[i] = s
	}
	old.free()
}

// other numbers an account of any form. Its place among the keys stays empty.
func (t *accountTable) other(a chain.Account) uint32 {
	n, ok := t.number[a]
	if !ok {
		n = t.count
		t.keys.add([20]byte{})
		t.others = append(t.others, numberedAccount{n, a})
		t.number[a] = n
		t.count++
	}
	return n
}

// accountStretch is the accounts that a table numbered from first on.
type accountStretch struct {
	first  uint32
	count  int
	keys   longTable[[20]byte] // of the table, from its first on
	others []numberedAccount   // the places among keys that hold no address
}

// since are the accounts numbered from first on, of which others begin at
// place other of the table's.
func (t *accountTable) since(first uint32, other int) accountStretch {
	return accountStretch{first, int(t.count - first), t.keys.snapshot(), t.others[other:len(t.others):len(t.others)]}
}
