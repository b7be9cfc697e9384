package ingest

import (
	"encoding/binary"
	"math/bits"

	"bongsu/chain"
	"bongsu/ledger"
)

// equalsWindow is how many different movements one generation of an equals
// remembers: two generations of 16-byte entries in a half-full table, 64 MiB at
// most. Equal movements of one transaction that a source without positions
// writes further apart than that are taken for one.
const equalsWindow = 1 << 20

// equals numbers equal movements of one source (chain.Transfer.Nth).
//
// A position in the source (log index, trace address) tells two equal movements
// from one row that stands there twice; without one, two equal rows are two
// movements. An account chain's transaction has one native value and one fee,
// so those are never two.
type equals struct {
	seed     uint64
	now, old table
	sink     uint32 // keeps fetch's reads from being optimised away
}

func newEquals(seed uint64) *equals { return &equals{seed: seed | 1} }

// fetch reads the table where the keys will be looked for. The reads do not
// depend on each other, so the processor waits for memory once and not once a
// key.
func (e *equals) fetch(keys []uint64) {
	for _, t := range []*table{&e.now, &e.old} {
		if len(t.slots) == 0 {
			continue
		}
		mask := uint64(len(t.slots) - 1)
		for _, k := range keys {
			e.sink += t.slots[k&mask].count
		}
	}
}

// number sets t.Nth; key is t's IdentityHash.
func (e *equals) number(t *chain.Transfer, key uint64) {
	t.Nth = 0
	if !single(t) {
		t.Nth = e.nth(key, t.Ordinal)
	}
}

// nth is the number of a movement among its equals.
func (e *equals) nth(key uint64, ordinal uint32) uint32 {
	if ordinal == chain.NoOrdinal {
		return e.count(key, chain.NoOrdinal)
	}
	first := e.find(key)
	if first == nil {
		e.put(key, 1, ordinal)
		return 0
	}
	if first.ordinal == ordinal {
		return 0 // the first itself, again
	}
	n := first.count
	at := key ^ (uint64(ordinal)+1)*0x9e3779b97f4a7c15
	if seen := e.find(at); seen != nil {
		return seen.count
	}
	if first = e.find(key); first != nil { // the search may have moved it
		first.count = n + 1
	}
	e.put(at, n, ordinal)
	return n
}

// tokenKey is the identity of a token transfer of an EVM chain, as a hash.
func (e *equals) tokenKey(t *ledger.EVMTransfer) uint64 {
	w := t.Amount.Words()
	h := e.seed ^ uint64(t.Kind)<<56
	word := func(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
	fold := func(a, b uint64) {
		hi, lo := bits.Mul64(h^a, b^0xa0761d6478bd642f)
		h = hi ^ lo ^ h
	}
	fold(word(t.Tx[:]), word(t.Tx[8:]))
	fold(word(t.Tx[16:]), word(t.Tx[24:]))
	for _, a := range []*[20]byte{&t.From, &t.To, &t.Contract} {
		fold(word(a[:]), word(a[8:])^uint64(binary.LittleEndian.Uint32(a[16:]))<<16)
	}
	fold(w[0], w[1])
	fold(w[2], w[3])
	return h
}

// single says whether a transaction can hold only one such movement.
func single(t *chain.Transfer) bool {
	return !t.Tx.IsZero() && (t.Kind == chain.KindFee || t.Kind == chain.KindNative) && (t.Chain.EVM() || t.Chain == chain.Tron)
}

func (e *equals) count(key uint64, ordinal uint32) uint32 {
	if s := e.find(key); s != nil {
		s.count++
		return s.count - 1
	}
	e.put(key, 1, ordinal)
	return 0
}

// find looks in both generations; an entry of the old one moves to the new one,
// so that what is in use is not forgotten.
func (e *equals) find(key uint64) *slot {
	if s := e.now.find(key); s != nil {
		return s
	}
	if s := e.old.find(key); s != nil {
		c, o := s.count, s.ordinal // put may clear what s points to
		return e.put(key, c, o)
	}
	return nil
}

func (e *equals) put(key uint64, count, ordinal uint32) *slot {
	if e.now.n >= equalsWindow {
		e.old, e.now = e.now, e.old
		clear(e.now.slots)
		e.now.n = 0
	}
	return e.now.put(slot{key, count, ordinal})
}

// slot is an entry of a table; count zero is an empty one.
type slot struct {
	key            uint64
	count, ordinal uint32
}

// table is an open-addressing hash table. It grows eightfold, because each
// growth puts every entry elsewhere.
type table struct {
	slots []slot
	n     int
}

func (t *table) find(key uint64) *slot {
	if len(t.slots) == 0 {
		return nil
	}
	mask := uint64(len(t.slots) - 1)
	for i := key & mask; t.slots[i].count != 0; i = (i + 1) & mask {
		if t.slots[i].key == key {
			return &t.slots[i]
		}
	}
	return nil
}

func (t *table) put(s slot) *slot {
	if 2*(t.n+1) > len(t.slots) {
		old := t.slots
		t.slots = make([]slot, min(max(1024, 8*len(old)), 2*equalsWindow))
		for _, o := range old {
			if o.count != 0 {
				t.insert(o)
			}
		}
	}
	t.n++
	return t.insert(s)
}

func (t *table) insert(s slot) *slot {
	mask := uint64(len(t.slots) - 1)
	i := s.key & mask
	for t.slots[i].count != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
	return &t.slots[i]
}
