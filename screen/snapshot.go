package screen

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/FastFilter/xorfilter"
	"github.com/google/uuid"
)

// snapshot is an immutable index. Keys lie in the order of their seeded hash;
// the top bits of the hash pick a bucket, and buckets hold one or two keys.
// Before that a binary fuse filter turns away all but one in 256 of the keys
// that are not there, in one cache line or three.
//
//	hash ──> filter ──> starts[hash>>shift] ──> keys[i] ──> refs[first[i]:first[i+1]] ──> stmts[ref] ──> details
//
// The hash is seeded at random in each process, so nobody can choose
// addresses that collide.
type snapshot struct {
	seed    maphash.Seed
	filter  *xorfilter.BinaryFuse8 // nil when there are no keys
	shift   uint
	starts  []uint32 // 2^(64-shift)+1: where each bucket begins in keys
	keys    []Key
	first   []uint32 // len(keys)+1: where a key's refs begin
	refs    []uint32 // into stmts
	stmts   []stmt   // in order of uuid; those of one uuid in any order
	details []Reason // shared by statements that differ only in id, author and times
	authors []string // of stmts
	types   []string // of stmts' ids: "indicator"
}

// stmt is a packed statement.
type stmt struct {
	uuid    [16]byte
	typ     uint32 // into types
	author  uint32 // into authors
	detail  uint32 // into details; none when it was taken back
	version int64  // unix nanoseconds
	since   int64  // unix milliseconds, shown
	from    int64  // unix milliseconds
	until   int64  // unix milliseconds, 0 for none
}

const takenBack = math.MaxUint32

func newSnapshot(seed maphash.Seed) *snapshot {
	return &snapshot{seed: seed, shift: 63, starts: make([]uint32, 3), first: []uint32{0}}
}

func (s *snapshot) len() int { return len(s.keys) }

func (s *snapshot) hash(k *Key) uint64 { return maphash.Bytes(s.seed, k[:]) }

// find returns the position of a key.
func (s *snapshot) find(k *Key) (int, bool) {
	h := s.hash(k)
	if s.filter != nil && !s.filter.Contains(h) {
		return 0, false
	}
	b := h >> s.shift
	for i := s.starts[b]; i < s.starts[b+1]; i++ {
		if s.keys[i] == *k {
			return int(i), true
		}
	}
	return 0, false
}

// gather takes up the reasons of a key.
func (s *snapshot) gather(g *gathering, k *Key) {
	i, ok := s.find(k)
	if !ok {
		return
	}
	for _, ref := range s.refs[s.first[i]:s.first[i+1]] {
		st := &s.stmts[ref]
		if !counts(st.from, st.until, g.ms) {
			continue
		}
		detail := &s.details[st.detail]
		verdict := g.x.rules.Of(detail)
		if g.over() && verdict <= g.verdict && !g.x.layered() {
			g.more++ // the common case of many: nothing to build
			continue
		}
		if id := s.id(st); !g.x.hidden(id) {
			r := s.reason(st, id)
			g.take(&r, verdict)
		}
	}
}

func (s *snapshot) id(st *stmt) statementID {
	return statementID{s.types[st.typ] + "--" + uuid.UUID(st.uuid).String(), s.authors[st.author]}
}

func (s *snapshot) reason(st *stmt, id statementID) Reason {
	r := s.details[st.detail]
	r.Statement, r.Author = id.id, id.author
	r.Since = stdTime(st.since)
	r.Until = stdTime(st.until)
	return r
}

// stdTime is the zero time for 0.
func stdTime(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// version finds a statement's version by binary search.
func (s *snapshot) version(id statementID) (int64, bool) {
	typ, u, ok := splitID(id.id)
	if !ok {
		return 0, false
	}
	i, _ := slices.BinarySearchFunc(s.stmts, u, func(st stmt, u [16]byte) int { return bytes.Compare(st.uuid[:], u[:]) })
	for ; i < len(s.stmts) && s.stmts[i].uuid == u; i++ {
		if st := &s.stmts[i]; s.authors[st.author] == id.author && s.types[st.typ] == typ {
			return st.version, true
		}
	}
	return 0, false
}

// splitID takes a STIX id apart; ok says that its UUID is in the canonical
// spelling, so that the parts give the same text again.
func splitID(id string) (typ string, u [16]byte, ok bool) {
	typ, text, _ := strings.Cut(id, "--")
	parsed, err := uuid.Parse(text)
	return typ, parsed, err == nil && typ != "" && parsed.String() == text
}

func (s *snapshot) indexBytes() int {
	n := 4*len(s.starts) + len(Key{})*len(s.keys) + 4*len(s.first) + 4*len(s.refs)
	if s.filter != nil {
		n += len(s.filter.Fingerprints)
	}
	return n
}

func (s *snapshot) recordBytes() int {
	return len(s.stmts)*int(unsafe.Sizeof(stmt{})) + len(s.details)*int(unsafe.Sizeof(Reason{}))
}

// pair is one key of one statement, on its way into a snapshot.
type pair struct {
	hash uint64
	key  Key
	ref  uint32
}

func comparePairs(a, b pair) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), slices.Compare(a.key[:], b.key[:]), cmp.Compare(a.ref, b.ref))
}

// build makes the arrays from pairs in order.
func (s *snapshot) build(pairs []pair) {
	n := 0
	for i := range pairs {
		if i == 0 || pairs[i].key != pairs[i-1].key {
			n++
		}
	}
	s.keys = make([]Key, 0, n)
	s.first = make([]uint32, 0, n+1)
	s.refs = make([]uint32, 0, len(pairs))
	hashes := make([]uint64, 0, n)
	for i := range pairs {
		p := &pairs[i]
		if i == 0 || p.key != pairs[i-1].key {
			s.keys = append(s.keys, p.key)
			s.first = append(s.first, uint32(len(s.refs)))
			hashes = append(hashes, p.hash)
		}
		s.refs = append(s.refs, p.ref)
	}
	s.first = append(s.first, uint32(len(s.refs)))
	s.bucket(hashes)
	s.filter = fuse(hashes)
}

// fuse builds the filter. It fails only when it finds no seed in a hundred
// attempts; without it every lookup goes to the buckets: right, and slower.
func fuse(hashes []uint64) *xorfilter.BinaryFuse8 {
	if len(hashes) == 0 {
		return nil
	}
	f, err := xorfilter.PopulateBinaryFuse8(hashes) // may reorder and shorten hashes
	if err != nil {
		return nil
	}
	return f
}

// bucket fills starts for about one key a bucket.
func (s *snapshot) bucket(hashes []uint64) {
	width := max(1, bits.Len(uint(len(hashes)))-1)
	s.shift = uint(64 - width)
	s.starts = make([]uint32, 1<<width+1)
	for _, h := range hashes {
		s.starts[h>>s.shift+1]++
	}
	for i := 1; i < len(s.starts); i++ {
		s.starts[i] += s.starts[i-1]
	}
}
