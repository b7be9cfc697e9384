package ledger

import (
	"encoding/binary"
	"sort"
)

// outputList is an account's outputs.
type outputList struct {
	c     *coins
	count int
	k     uint
	skip  int
	start uint64    // where it is in the postings
	r     bitReader // at the first distance
}

func (c *coins) list(a AccountRef) (l outputList, ok bool) {
	n, ok := c.dir.place(a)
	if !ok {
		return l, false
	}
	at, _ := c.dir.list(n)
	start, near := c.dir.open(at)
	l = outputList{c: c, start: start, r: bitReader{b: c.dir.lists[start:]}}
	if near {
		l.r.at = 1
	}
	l.count, l.k = int(l.r.gamma()), uint(l.r.get(5))
	switch {
	case near != (l.count <= bigBook):
		panic(damage("a list of outputs is not as long as where it stands says"))
	case uint64(l.count) > c.Outputs:
		panic(damage("an account has more outputs than there are"))
	case !near:
		l.skip = int(l.r.get(32))
	}
	return l, true
}

func (l *outputList) chunks() int { return (l.count + bigBook - 1) / bigBook }

// chunk reads the j-th run of outputs.
func (l *outputList) chunk(j int, out *[bigBook]uint32) []uint32 {
	r, prev := l.r, int64(-1)
	if j > 0 {
		b := l.c.skips[uint64(l.skip+j-1)*coinSkipEntry:]
		prev = int64(binary.LittleEndian.Uint32(b))
		r.at += int(binary.LittleEndian.Uint32(b[4:]))
	}
	l.c.dir.listPages.touch(l.start + uint64(r.at)/8)
	n := min(bigBook, l.count-j*bigBook)
	for i := range n {
		prev += int64(r.rice(l.k)) + 1
		out[i] = uint32(prev)
	}
	return out[:n]
}

// outputsOf walks the outputs that pay a query's account, within its bounds and
// in its order, until use says to stop.
func (c *coins) outputsOf(q *Query, key func(uint32) Key, use func(uint32, Key) bool) {
	l, ok := c.list(q.Account)
	if !ok {
		return
	}
	var buf [bigBook]uint32
	j := 0
	if q.Reverse {
		// The last run whose first output is before Until.
		j = l.chunks() - 1
		if !q.Until.IsZero() {
			j = sort.Search(l.chunks(), func(j int) bool { return key(l.chunk(j, &buf)[0]).Compare(q.Until) >= 0 }) - 1
		}
	} else if !q.After.IsZero() {
		// The last run whose first output is not behind After.
		j = max(0, sort.Search(l.chunks(), func(j int) bool { return key(l.chunk(j, &buf)[0]).Compare(q.After) > 0 })-1)
	}
	for j >= 0 && j < l.chunks() {
		run := l.chunk(j, &buf)
		for i := range run {
			o := run[i]
			if q.Reverse {
				o = run[len(run)-1-i]
			}
			k := key(o)
			switch {
			case q.holds(k):
				if !use(o, k) {
					return
				}
			case q.Reverse && !q.After.IsZero() && k.Compare(q.After) <= 0, !q.Reverse && !q.Until.IsZero() && k.Compare(q.Until) >= 0:
				return
			}
		}
		if q.Reverse {
			j--
		} else {
			j++
		}
	}
}
