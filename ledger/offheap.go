package ledger

import (
	"math/bits"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The large tables of an import lie outside of Go's heap: they are given back
// at a known moment rather than at a collection, they do not let the heap grow
// to twice their size, and Linux lays them in huge pages, which cuts what a
// random read waits for. They hold no pointers. What is not given back, because
// an error came between, is lost to the process: there is no finalizer.

// table is n zero elements outside of the heap. One that is empty, or smaller
// than a huge page, lies in it.
type table[T any] struct {
	list  []T
	bytes []byte // what is mapped; nil: on the heap
}

func newTable[T any](n int) table[T] {
	size := n * int(unsafe.Sizeof(*new(T)))
	if size < hugePage/2 {
		return table[T]{list: make([]T, n)}
	}
	size = (size + hugePage - 1) &^ (hugePage - 1)
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return table[T]{list: make([]T, n)}
	}
	adviseHuge(b)
	return table[T]{unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n), b}
}

// free gives the memory back. Nobody may hold a part of the list.
func (t *table[T]) free() {
	if t.bytes != nil {
		unix.Munmap(t.bytes) //nolint:errcheck // it was mapped as it is
	}
	*t = table[T]{}
}

// longTable is a list that grows without copying, in pieces outside of the heap
// but for the first, which may stay small.
type longTable[T any] struct {
	pieces [][]T
	tables []table[T] // of pieces but the first
	shift  uint       // bits of a place in a piece
	n      int
}

// newLongTable makes pieces of whole huge pages that hold a power of two: T
// takes 2^n or 5 * 2^n bytes.
func newLongTable[T any]() longTable[T] {
	size := int(unsafe.Sizeof(*new(T)))
	shift := uint(bits.TrailingZeros(uint(hugePage))) - uint(bits.TrailingZeros(uint(size)))
	return longTable[T]{shift: shift}
}

func (l *longTable[T]) len() int { return l.n }

func (l *longTable[T]) add(v T) {
	if l.n>>l.shift == len(l.pieces) {
		l.grow()
	}
	last := &l.pieces[len(l.pieces)-1]
	*last = append(*last, v)
	l.n++
}

func (l *longTable[T]) grow() {
	var piece []T
	if len(l.pieces) > 0 {
		t := newTable[T](1 << l.shift)
		l.tables = append(l.tables, t)
		piece = t.list[:0]
	}
	l.pieces = append(l.pieces, piece)
}

// at is element i, until add.
func (l *longTable[T]) at(i int) *T { return &l.pieces[i>>l.shift][i&(1<<l.shift-1)] }

// snapshot is the elements that there are, to be read while more are added and
// until free.
func (l *longTable[T]) snapshot() longTable[T] {
	return longTable[T]{pieces: slices.Clone(l.pieces), shift: l.shift, n: l.n}
}

// free gives the memory back.
func (l *longTable[T]) free() {
	for i := range l.tables {
		l.tables[i].free()
	}
	*l = longTable[T]{shift: l.shift}
}
