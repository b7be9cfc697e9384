package screen

import (
	"bytes"
	"cmp"
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

// statements fills next.stmts in order, and tells where each of s's went
// (hiddenRef: replaced) and each of l's.
func (m *merger) statements(s *snapshot, l *layer) (fromOld []uint32, fromNew map[*record]uint32) {
	type source struct {
		old uint32
		rec *record
		st  stmt
	}
	all := make([]source, 0, len(s.stmts)+len(l.stmts))
	fromOld = make([]uint32, len(s.stmts))
	for i := range s.stmts {
		st := s.stmts[i]
		fromOld[i] = hiddenRef
		if _, replaced := l.stmts[s.id(&st)]; replaced {
			continue
		}
		if st.detail != takenBack {
			st.detail = m.intern(s.details[st.detail])
		}
		st.author = internText(&m.next.authors, m.authors, s.authors[st.author])
		st.typ = internText(&m.next.types, m.types, s.types[st.typ])
		all = append(all, source{old: uint32(i), st: st})
	}
	for _, r := range l.stmts {
		all = append(all, source{rec: r, st: m.pack(r)})
	}
	slices.SortFunc(all, func(a, b source) int {
		return cmp.Or(bytes.Compare(a.st.uuid[:], b.st.uuid[:]), cmp.Compare(a.st.typ, b.st.typ), cmp.Compare(a.st.author, b.st.author))
	})
	m.next.stmts = make([]stmt, len(all))
	fromNew = make(map[*record]uint32, len(l.stmts))
	for i := range all {
		m.next.stmts[i] = all[i].st
		if r := all[i].rec; r != nil {
			fromNew[r] = uint32(i)
		} else {
			fromOld[all[i].old] = uint32(i)
		}
	}
	return fromOld, fromNew
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
