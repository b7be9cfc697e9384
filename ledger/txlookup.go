package ledger

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
)

// The lookup of transactions by id: numbers in buckets by the top bits of the
// ids, about four each. A number leaves some bits of its word free; they hold
// the bits of the id that follow those of the bucket, so that an id which is
// not there is told without reading others. Ids made to begin alike share a
// bucket: one of more than bigBucket is sorted by id, and bisected.
const bigBucket = 64

// numberBits is how many low bits of a word hold a number, of n transactions.
func numberBits(n uint64) uint { return uint(min(32, bits.Len64(n))) }

// mark is a word without its number.
func (s *segment) mark(prefix uint64) uint32 {
	return uint32(prefix<<(64-s.TxShift)>>32) >> numberBits(s.Txs) << numberBits(s.Txs)
}

// bucket is the range of words in which the transactions are whose ids begin
// as prefix does.
func (s *segment) bucket(prefix uint64) (from, to uint32) {
	at := prefix >> s.TxShift * 4
	s.bucketPages.touch(at)
	return binary.LittleEndian.Uint32(s.txBuckets[at:]), binary.LittleEndian.Uint32(s.txBuckets[at+4:])
}

// narrow leaves of a big bucket the words whose ids are id.
func (s *segment) narrow(from, to uint32, id []byte) (first, end uint32) {
	if to-from <= bigBucket {
		return from, to
	}
	compare := func(i, than int) bool { return bytes.Compare(s.idBytes(s.numberAt(from+uint32(i))), id) >= than }
	n := int(to - from)
	return from + uint32(sort.Search(n, func(i int) bool { return compare(i, 0) })),
		from + uint32(sort.Search(n, func(i int) bool { return compare(i, 1) }))
}

func (s *segment) word(at uint32) uint32 {
	s.orderPages.touch(uint64(at) * 4)
	return binary.LittleEndian.Uint32(s.txOrder[at*4:])
}

func (s *segment) numberAt(at uint32) uint32 { return s.word(at) & (1<<numberBits(s.Txs) - 1) }

// maybe is the number of the transaction behind a word, and false when its id
// does not begin as prefix does.
func (s *segment) maybe(at uint32, prefix uint64) (n uint32, ok bool) {
	w := s.word(at)
	n = w & (1<<numberBits(s.Txs) - 1)
	return n, w^n == s.mark(prefix)
}

// txsByID is a segment's transactions by id, until they are written.
type txsByID struct {
	buckets, order table[uint32]
}

// sortTxs sorts the transactions by id into buckets; prefixes are the first
// bytes of their ids.
func sortTxs(s *segment, prefixes *longTable[uint32]) *txsByID {
	l := &txsByID{newTable[uint32](1<<(64-s.TxShift) + 2), newTable[uint32](prefixes.len())}
	buckets, order := l.buckets.list, l.order.list
	shift := s.TxShift - 32
	for _, piece := range prefixes.pieces {
		for _, p := range piece {
			buckets[p>>shift+2]++
		}
	}
	for i := 2; i < len(buckets); i++ {
		buckets[i] += buckets[i-1]
	}
	n := uint32(0)
	for _, piece := range prefixes.pieces {
		for _, p := range piece {
			order[buckets[p>>shift+1]] = n | s.mark(uint64(p)<<32)
			buckets[p>>shift+1]++ // where a bucket begins becomes where it ends
			n++
		}
	}
	buckets = buckets[:len(buckets)-1]
	number := uint32(1)<<numberBits(s.Txs) - 1
	for i := 1; i < len(buckets); i++ {
		if part := order[buckets[i-1]:buckets[i]]; len(part) > bigBucket {
			slices.SortFunc(part, func(a, b uint32) int { return bytes.Compare(s.idBytes(a&number), s.idBytes(b&number)) })
		}
	}
	return l
}

// write writes the lookup, which nobody uses any more.
func (l *txsByID) write(x *sheetWriter) {
	buckets := l.buckets.list
	writeUint32s(x, "txbuckets", buckets[:len(buckets)-1]) // the last served the sorting
	writeUint32s(x, "txorder", l.order.list)
	l.buckets.free()
	l.order.free()
}

// txShift makes buckets of about four transactions.
func txShift(n uint64) uint { return uint(64 - max(0, bits.Len64(n)-3)) }
