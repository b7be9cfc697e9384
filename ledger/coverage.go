package ledger

import (
	"math"
	"slices"
)

// addClaim adds a claim to a chain's, growing the last one where it goes on
// from it, as live blocks do. The slice given is not changed.
func addClaim(claims []Claim, c Claim) []Claim {
	if n := len(claims); n > 0 {
		last := claims[n-1]
		if last.What == c.What && c.From >= last.From && last.To != math.MaxUint64 && c.From <= last.To+1 {
			last.To = max(last.To, c.To)
			return append(slices.Clone(claims[:n-1]), last)
		}
	}
	return append(slices.Clip(claims), c)
}

// cutRanges lays the claims over [first, last] and cuts wherever what is
// claimed changes.
func cutRanges(claims []Claim, first, last uint64) []Range {
	type edge struct {
		at   uint64
		what Cover
		open bool
	}
	var edges []edge
	for _, c := range claims {
		if c.To < first || c.From > last {
			continue
		}
		edges = append(edges, edge{max(c.From, first), c.What, true})
		if c.To < last {
			edges = append(edges, edge{c.To + 1, c.What, false})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	var depth [8]int
	var out []Range
	emit := func(from, to uint64) {
		var what Cover
		for bit, n := range depth {
			if n > 0 {
				what |= 1 << bit
			}
		}
		if n := len(out); n > 0 && out[n-1].What == what {
			out[n-1].To = to
			return
		}
		out = append(out, Range{from, to, what})
	}
	from := first
	for _, e := range edges {
		if e.at > from {
			emit(from, e.at-1)
			from = e.at
		}
		for bit := range depth {
			if e.what&(1<<bit) == 0 {
				continue
			}
			if e.open {
				depth[bit]++
			} else {
				depth[bit]--
			}
		}
	}
	emit(from, last)
	return out
}
