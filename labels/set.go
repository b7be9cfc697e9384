package labels

import (
	"slices"

	"bongsu/chain"
)

// Set is an immutable reading of some label lists. The zero is empty. It is
// safe for concurrent use.
type Set struct {
	by    map[chain.Account][]Label // sorted by Label.Compare
	lists []string                  // digests, sorted
	n     int
}

// NewSet builds a set from labels and the digests of the lists they are in.
// Equal labels of one list count once.
func NewSet(all []Label, lists ...string) *Set {
	s := &Set{by: make(map[chain.Account][]Label, len(all)), lists: slices.Clone(lists)}
	slices.Sort(s.lists)
	s.lists = slices.Compact(s.lists)
	for _, l := range all {
		s.by[l.Account] = append(s.by[l.Account], l)
	}
	for a, ls := range s.by {
		slices.SortFunc(ls, Label.Compare)
		ls = slices.CompactFunc(ls, func(x, y Label) bool { return x.Compare(y) == 0 })
		s.by[a] = ls
		s.n += len(ls)
	}
	return s
}

// Len is the number of labels.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return s.n
}

// Digests are the digests ("sha256:...") of the lists in the set, sorted.
func (s *Set) Digests() []string {
	if s == nil {
		return nil
	}
	return slices.Clone(s.lists)
}

// Of returns the labels of an account, the deciding one first. The caller does
// not change them.
func (s *Set) Of(a chain.Account) []Label {
	if s == nil {
		return nil
	}
	return s.by[a]
}

// Deciding is the label that decides what an account is, if any does.
func (s *Set) Deciding(a chain.Account) (Label, bool) {
	ls := s.Of(a)
	if len(ls) == 0 || ls[0].Score < MinDeciding {
		return Label{}, false
	}
	return ls[0], true
}

// Show returns every label of an account and says which one decides, and why.
func (s *Set) Show(a chain.Account) Shown {
	out := Shown{Account: a, Labels: append([]Label{}, s.Of(a)...), Deciding: -1}
	for _, l := range out.Labels[min(1, len(out.Labels)):] {
		f := out.Labels[0]
		out.Conflict = out.Conflict || l.Service() != f.Service() || l.Category != f.Category || l.Actor != f.Actor
	}
	if _, ok := s.Deciding(a); !ok {
		return out
	}
	out.Deciding, out.Rule = 0, RuleOnly
	if len(out.Labels) > 1 && out.Labels[1].Score >= MinDeciding {
		out.Rule = rule(out.Labels[0], out.Labels[1])
	}
	return out
}

// rule names the first key by which a comes before b.
func rule(a, b Label) Rule {
	switch {
	case a.Score != b.Score:
		return RuleConfidence
	case a.Lastmod != b.Lastmod:
		return RuleLastmod
	case a.Source != b.Source:
		return RuleSource
	}
	return RuleContent
}
