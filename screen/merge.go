package screen

import (
	"bytes"
	"slices"
	"time"
)

// merge builds the snapshot that has everything of s that l does not hide, and
// everything of l. Taken-back statements stay, without keys, so that an older
// version that comes late stays out. It takes time linear in both, and as much
// memory again as the result.
func (s *snapshot) merge(l *layer) *snapshot {
	m := merger{next: newSnapshot(s.seed), authors: map[string]uint32{}, types: map[string]uint32{}, details: map[detailKey]uint32{}}
	fromOld, fromNew := m.statements(s, l)
	m.next.build(m.pairs(s, l, fromOld, fromNew))
	return m.next
}

// merger interns what a new snapshot shares between statements.
type merger struct {
	next    *snapshot
	authors map[string]uint32
	types   map[string]uint32
	details map[detailKey]uint32
}

// detailKey is a Reason by value: its amounts are pointers.
type detailKey struct {
	reason         Reason
	amount, origin Money
}

func (m *merger) intern(r Reason) uint32 {
	r.Statement, r.Author, r.AuthorName, r.Verdict, r.Since, r.Until = "", "", "", Clear, time.Time{}, time.Time{}
	k := detailKey{reason: r}
	if r.Amount != nil {
		k.amount, k.reason.Amount = *r.Amount, nil
	}
	if r.Origin != nil {
		k.origin, k.reason.Origin = *r.Origin, nil
	}
	i, ok := m.details[k]
	if !ok {
		i = uint32(len(m.next.details))
		m.details[k] = i
		m.next.details = append(m.next.details, r)
	}
	return i
}

func internText(list *[]string, at map[string]uint32, text string) uint32 {
	i, ok := at[text]
	if !ok {
		i = uint32(len(*list))
		at[text] = i
		*list = append(*list, text)
	}
	return i
}

const hiddenRef = ^uint32(0)

// statements fills next.stmts in order of uuid, and tells where each of s's
// went (hiddenRef: replaced) and each of l's.
func (m *merger) statements(s *snapshot, l *layer) (fromOld []uint32, fromNew map[*record]uint32) {
	fresh := make([]freshStmt, 0, len(l.stmts))
	for _, r := range l.stmts {
		fresh = append(fresh, freshStmt{r, m.pack(r)})
	}
	slices.SortFunc(fresh, func(a, b freshStmt) int { return bytes.Compare(a.st.uuid[:], b.st.uuid[:]) })
	fromOld = make([]uint32, len(s.stmts))
	fromNew = make(map[*record]uint32, len(fresh))
	out := make([]stmt, 0, len(s.stmts)+len(fresh))
	var last *freshStmt // the one before, for a statement of the same uuid
	next := func(f *freshStmt) {
		fromNew[f.rec] = uint32(len(out))
		out = append(out, f.st)
		last = f
	}
	old := newCarrier(s)
	for i := range s.stmts {
		st := s.stmts[i]
		for len(fresh) > 0 && bytes.Compare(fresh[0].st.uuid[:], st.uuid[:]) <= 0 {
			next(&fresh[0])
			fresh = fresh[1:]
		}
		fromOld[i] = hiddenRef
		if last != nil && last.st.uuid == st.uuid {
			if _, replaced := l.stmts[s.id(&st)]; replaced {
				continue
			}
		}
		fromOld[i] = uint32(len(out))
		out = append(out, m.carry(old, st))
	}
	for i := range fresh {
		next(&fresh[i])
	}
	m.next.stmts = out
	return fromOld, fromNew
}

// freshStmt is a record of the layer, packed.
type freshStmt struct {
	rec *record
	st  stmt
}

// carrier remembers where what an old snapshot's statements share went.
type carrier struct {
	from                    *snapshot
	details, authors, types []uint32 // hiddenRef: not carried over yet
}

func newCarrier(s *snapshot) *carrier {
	none := func(n int) []uint32 {
		out := make([]uint32, n)
		for i := range out {
			out[i] = hiddenRef
		}
		return out
	}
	return &carrier{s, none(len(s.details)), none(len(s.authors)), none(len(s.types))}
}

// carry packs a statement of the old snapshot for the new one.
func (m *merger) carry(c *carrier, st stmt) stmt {
	if st.detail != takenBack {
		if c.details[st.detail] == hiddenRef {
			c.details[st.detail] = m.intern(c.from.details[st.detail])
		}
		st.detail = c.details[st.detail]
	}
	if c.authors[st.author] == hiddenRef {
		c.authors[st.author] = internText(&m.next.authors, m.authors, c.from.authors[st.author])
	}
	if c.types[st.typ] == hiddenRef {
		c.types[st.typ] = internText(&m.next.types, m.types, c.from.types[st.typ])
	}
	st.author, st.typ = c.authors[st.author], c.types[st.typ]
	return st
}

func (m *merger) pack(r *record) stmt {
	typ, u, _ := splitID(r.id.id)
	st := stmt{
		uuid: u, version: r.version, detail: takenBack, since: unixMilli(r.reason.Since), from: r.from, until: r.until,
		typ:    internText(&m.next.types, m.types, typ),
		author: internText(&m.next.authors, m.authors, r.id.author),
	}
	if len(r.keys) > 0 {
		st.detail = m.intern(r.reason)
	}
	return st
}

// pairs merges the keys of both, in order. Those of s are in order already.
func (m *merger) pairs(s *snapshot, l *layer, fromOld []uint32, fromNew map[*record]uint32) []pair {
	fresh := make([]pair, 0, l.size)
	for r, ref := range fromNew {
		for _, k := range r.keys {
			fresh = append(fresh, pair{s.hash(&k), k, ref})
		}
	}
	slices.SortFunc(fresh, comparePairs)
	out := make([]pair, 0, len(fresh)+len(s.refs))
	for i := range s.keys {
		k := s.keys[i]
		h := s.hash(&k)
		for len(fresh) > 0 && (fresh[0].hash < h || fresh[0].hash == h && bytes.Compare(fresh[0].key[:], k[:]) <= 0) {
			out, fresh = append(out, fresh[0]), fresh[1:]
		}
		for _, ref := range s.refs[s.first[i]:s.first[i+1]] {
			if to := fromOld[ref]; to != hiddenRef {
				out = append(out, pair{h, k, to})
			}
		}
	}
	return append(out, fresh...)
}
