package ledger

import (
	"context"
	"encoding/binary"
)

// Which transactions two segments share is found by going through the buckets
// of both lookups in order: nothing is read at random but the ids of those few
// that begin alike. Where one segment is much smaller than the other, its ids
// are looked up instead.

const (
	joinRatio  = 16            // up to so many times as large is not much larger
	joinBucket = 4 * bigBucket // more than so many of one beginning are looked up one by one

	// twinsAhead is how many transactions are looked up at once: the reads of
	// one do not wait for those of another.
	twinsAhead = 256
)

// twin is a transaction n of one segment that may be m of another.
type twin struct{ n, m uint32 }

// twins gives the transactions n of s that o holds as m; where o is s, each two
// once.
func (s *segment) twins(ctx context.Context, o *segment, use func(n, m uint32)) error {
	switch {
	case o.Txs > joinRatio*s.Txs:
		return s.lookUp(ctx, o, use)
	case s.Txs > joinRatio*o.Txs:
		return o.lookUp(ctx, s, func(m, n uint32) { use(n, m) })
	}
	return s.join(ctx, o, use)
}

// lookUp is twins by looking up every transaction of s.
func (s *segment) lookUp(ctx context.Context, o *segment, use func(n, m uint32)) error {
	l := idLookup{s: s, o: o, use: use}
	for n := range uint32(s.Txs) {
		if n%twinsAhead == 0 {
			l.flush()
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		l.add(n)
	}
	l.flush()
	return nil
}

// idLookup looks transactions of s up in o, some at once.
type idLookup struct {
	s, o     *segment
	use      func(n, m uint32)
	waiting  []uint32
	ids      [twinsAhead][]byte
	from, to [twinsAhead]uint32
	likely   []twin
}

func (l *idLookup) add(n uint32) {
	if len(l.waiting) == twinsAhead {
		l.flush()
	}
	l.waiting = append(l.waiting, n)
}

func (l *idLookup) flush() {
	for i, n := range l.waiting {
		l.ids[i] = l.s.idBytes(n)
		l.from[i], l.to[i] = l.o.bucket(binary.BigEndian.Uint64(l.ids[i]))
	}
	l.likely = l.likely[:0]
	for i, n := range l.waiting {
		prefix := binary.BigEndian.Uint64(l.ids[i])
		from, to := l.o.narrow(l.from[i], l.to[i], l.ids[i])
		for at := from; at < to; at++ {
			if m, ok := l.o.maybe(at, prefix); ok && (l.s != l.o || m < n) {
				l.likely = append(l.likely, twin{n, m})
			}
		}
	}
	for _, t := range l.likely {
		if string(l.o.idBytes(t.m)) == string(l.s.idBytes(t.n)) {
			l.use(t.n, t.m)
		}
	}
	l.waiting = l.waiting[:0]
}

// join is twins by going through both lookups, in two halves at once.
func (s *segment) join(ctx context.Context, o *segment, use func(n, m uint32)) error {
	depth := min(64-s.TxShift, 64-o.TxShift)
	middle := uint64(1) << depth >> 1
	var found []twin // in the half beside; as many as are brought to their blocks at once
	var err1, err2 error
	both(func() { err1 = s.joinRange(ctx, o, 0, middle, depth, use) }, func() {
		err2 = s.joinRange(ctx, o, middle, 1<<depth, depth, func(n, m uint32) {
			if len(found) < maxDisplaced {
				found = append(found, twin{n, m})
			}
		})
	})
	for _, t := range found {
		use(t.n, t.m)
	}
	return cmpErr(err1, err2)
}

// joinRange is join for the ids whose first depth bits are in [from, to).
func (s *segment) joinRange(ctx context.Context, o *segment, from, to uint64, depth uint, use func(n, m uint32)) error {
	known := min(s.knownBits(), o.knownBits())
	l := idLookup{s: s, o: o, use: use}
	var mine, others []beginning
	for b := from; b < to; b++ {
		if b&0xffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		mine = s.beginnings(mine[:0], b, depth, known)
		if o != s {
			others = o.beginnings(others[:0], b, depth, known)
		}
		if max(len(mine), len(others)) > joinBucket {
			for _, a := range mine {
				l.add(a.n)
			}
			continue
		}
		for i, a := range mine {
			list := others
			if o == s {
				list = mine[:i]
			}
			for _, c := range list {
				if a.bits == c.bits && string(s.idBytes(a.n)) == string(o.idBytes(c.n)) {
					use(a.n, c.n)
				}
			}
		}
	}
	l.flush()
	return nil
}

// beginning is the first bits of the id of transaction n.
type beginning struct{ bits, n uint32 }

// knownBits is how many bits of an id the lookup tells: those of its bucket and
// those of its mark.
func (s *segment) knownBits() uint { return 64 - s.TxShift + 32 - numberBits(s.Txs) }

// beginnings appends the transactions whose ids begin with the depth bits of b,
// as few as buckets have or fewer, each with the known first bits of its id.
func (s *segment) beginnings(out []beginning, b uint64, depth, known uint) []beginning {
	number, more, beyond := numberBits(s.Txs), 64-s.TxShift-depth, s.knownBits()-known
	for bucket := b << more; bucket < (b+1)<<more; bucket++ {
		from, to := s.bucket(bucket << s.TxShift)
		for at := from; at < to; at++ {
			w := s.word(at)
			bits := bucket<<(32-number) | uint64(w>>number)
			out = append(out, beginning{uint32(bits >> beyond), w & (1<<number - 1)})
		}
	}
	return out
}

// forgetIDs lets go of what twins reads.
func (s *segment) forgetIDs() {
	s.idx.forget()
	s.txs.forget()
}
