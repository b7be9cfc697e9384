package screen

import "time"

// statementID names a statement: the same STIX id by two authors is two
// statements.
type statementID struct{ id, author string }

// record is the newest version of a statement within a layer.
type record struct {
	id      statementID
	version int64 // unix nanoseconds
	from    int64 // unix milliseconds from which it counts
	until   int64 // unix milliseconds from which it counts no longer; 0: never
	keys    []Key // none when it was taken back
	reason  Reason
}

// counts says whether a statement counts at a moment, all unix milliseconds.
func counts(from, until, ms int64) bool {
	return from <= ms+skew.Milliseconds() && (until == 0 || ms < until)
}

// layer is what arrived since something below it was built: a statement here
// hides every version of itself in lower layers. The lock of the index that
// holds it owns it; a frozen one is never changed.
type layer struct {
	stmts map[statementID]*record
	byKey map[Key][]*record
	size  int // statements and keys ever put, as a measure of the work of a merge
}

func newLayer() *layer {
	return &layer{stmts: map[statementID]*record{}, byKey: map[Key][]*record{}}
}

func (l *layer) put(id statementID, s *Statement) {
	if old := l.stmts[id]; old != nil {
		l.drop(old)
	}
	r := &record{id: id, version: s.Version.UnixNano(), from: unixMilli(s.From), reason: s.Reason}
	r.reason.Statement, r.reason.Author = s.ID, s.Author
	r.reason.Since, r.reason.Until = writable(r.reason.Since), writable(r.reason.Until)
	r.until = unixMilli(r.reason.Until)
	if !s.Revoked {
		r.keys = uniqueKeys(s.Readings)
	}
	l.stmts[id] = r
	for _, k := range r.keys {
		l.byKey[k] = append(l.byKey[k], r)
	}
	l.size += 1 + len(r.keys)
}

func (l *layer) drop(old *record) {
	for _, k := range old.keys {
		rest := l.byKey[k][:0:0]
		for _, r := range l.byKey[k] {
			if r != old {
				rest = append(rest, r)
			}
		}
		if len(rest) == 0 {
			delete(l.byKey, k)
		} else {
			l.byKey[k] = rest
		}
	}
}

func uniqueKeys(rs []Reading) []Key {
	keys := make([]Key, 0, len(rs))
	seen := map[Key]bool{}
	for i := range rs {
		if k := rs[i].Key; k != (Key{}) && !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys
}

// writable is t in UTC, or the zero time when RFC 3339 has no text for it:
// somebody's statement of the year 10000 must not spoil an answer.
func writable(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// unixMilli is 0 for the zero time.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
