package ledger

import "hash/maphash"

// txTable holds states of transactions by their names, in two or three words
// each: a map with the names as keys would take five times as much. The zero is
// empty. Not for concurrent use while it changes.
type txTable struct {
	slots []*txState // by hash, linear probing; a power of two, at most two thirds full
	n     int
}

var tableSeed = maphash.MakeSeed()

func (t *txTable) len() int { return t.n }

// slot is where the name is, or where it would be.
func (t *txTable) slot(name *txName) uint64 {
	mask := uint64(len(t.slots) - 1)
	i := name.hash(tableSeed) & mask
	for t.slots[i] != nil && !t.slots[i].name.equal(name) {
		i = (i + 1) & mask
	}
	return i
}

// get is the state of a name, or nil.
func (t *txTable) get(name *txName) *txState {
	if t.n == 0 {
		return nil
	}
	return t.slots[t.slot(name)]
}

// put holds a state in place of the one of its name.
func (t *txTable) put(s *txState) {
	if 3*(t.n+1) > 2*len(t.slots) {
		old := t.slots
		t.slots = make([]*txState, max(16, 2*len(old)))
		for _, o := range old {
			if o != nil {
				t.slots[t.slot(&o.name)] = o
			}
		}
	}
	i := t.slot(&s.name)
	if t.slots[i] == nil {
		t.n++
	}
	t.slots[i] = s
}

// remove lets go of a name, and says whether it was there.
func (t *txTable) remove(name *txName) bool {
	if t.get(name) == nil {
		return false
	}
	mask := uint64(len(t.slots) - 1)
	gap := t.slot(name)
	t.slots[gap] = nil
	t.n--
	for i := (gap + 1) & mask; t.slots[i] != nil; i = (i + 1) & mask {
		home := t.slots[i].name.hash(tableSeed) & mask
		if (i-home)&mask >= (i-gap)&mask { // it may stand in the gap
			t.slots[gap], t.slots[i] = t.slots[i], nil
			gap = i
		}
	}
	return true
}

// all calls yield with every state, in no order.
func (t *txTable) all(yield func(*txState) bool) {
	for _, s := range t.slots {
		if s != nil && !yield(s) {
			return
		}
	}
}

// layerIndex finds the transactions of a layer by id.
type layerIndex []int32 // by hash, linear probing: the transaction's number and one; 0: none

func newLayerIndex(txs []layerTx) layerIndex {
	size := 1
	for 2*size < 3*len(txs) {
		size *= 2
	}
	x := make(layerIndex, size)
	for i := range txs {
		if n := &txs[i].name; !n.id.IsZero() {
			x[x.slot(txs, n.key())] = int32(i) + 1
		}
	}
	return x
}

func (x layerIndex) slot(txs []layerTx, key txID) uint64 {
	mask := uint64(len(x) - 1)
	i := maphash.Comparable(tableSeed, key) & mask
	for x[i] != 0 && txs[x[i]-1].name.key() != key {
		i = (i + 1) & mask
	}
	return i
}

// named finds a transaction of the layer.
func (l *layer) named(name *txName) (int32, bool) {
	if len(l.txs) == 0 {
		return 0, false
	}
	n := l.index[l.index.slot(l.txs, name.key())]
	return n - 1, n != 0
}
