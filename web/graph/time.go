package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"bongsu/chain"
)

const (
	rootGap   = 4.0  // from a source to the first arrival
	minStep   = 0.35 // between two different times, in rows
	idleShare = 0.22 // an idle gap takes at most this share of the width
	perLane   = 1.7  // width for each lane: pages are wider than high
	minWidth  = 24.0
	maxTicks  = 11
)

// placeByTime puts each node at the time of its first arrival and gives each a
// lane of its own: the tree by first arrival, kids in order of time from top to
// bottom, each parent in the middle of its kids. So nothing overlaps, and a
// fan-out reads as a staircase.
func (b *builder) placeByTime() {
	scale := b.timeScale()
	lane := 0
	for _, n := range b.nodes {
		slices.SortFunc(n.kids, byArrival)
	}
	var roots []*node
	for _, n := range b.nodes {
		if n.parent == nil {
			roots = append(roots, n)
		}
	}
	slices.SortFunc(roots, byArrival)
	for _, r := range roots {
		lane = lanes(r, lane)
	}
	for _, n := range b.nodes {
		n.x = rootGap + scale.at(n.moved())
		if n.parent == nil {
			n.x -= rootGap
		}
	}
	b.ticks = scale.ticks()
	b.frame()
}

// lanes numbers the lanes of a tree: the first half of the kids, the parent,
// the other half. It walks with a stack of its own; a chain of hops can be long.
func lanes(root *node, next int) int {
	type step struct {
		n    *node
		done int // kids walked
		own  bool
	}
	stack := []step{{n: root}}
	for len(stack) > 0 {
		s := &stack[len(stack)-1]
		switch {
		case !s.own && s.done >= (len(s.n.kids)+1)/2:
			s.n.y, s.own = float64(next), true
			next++
		case s.done < len(s.n.kids):
			kid := s.n.kids[s.done]
			s.done++
			stack = append(stack, step{n: kid})
		default:
			stack = stack[:len(stack)-1]
		}
	}
	return next
}

// timeline maps times to x. It is monotone: different times are at least
// minStep apart, and long idle gaps are cut short (and marked).
type timeline struct {
	times  []chain.Time
	x      []float64
	broken []bool // the gap before times[i] was cut
}

func (b *builder) timeScale() timeline {
	var t timeline
	for _, n := range b.nodes {
		if m := n.moved(); m != 0 {
			t.times = append(t.times, m)
		}
	}
	for _, e := range b.edges {
		t.times = append(t.times, e.last)
	}
	slices.Sort(t.times)
	t.times = slices.Compact(t.times)
	t.x = make([]float64, len(t.times))
	t.broken = make([]bool, len(t.times))
	if len(t.times) < 2 {
		return t
	}
	width := max(minWidth, perLane*float64(len(b.nodes)))
	total := float64(t.times[len(t.times)-1] - t.times[0])
	for i := 1; i < len(t.times); i++ {
		gap := float64(t.times[i]-t.times[i-1]) / total * width
		if limit := max(idleShare*width, minStep); gap > limit && len(t.times) > 3 {
			gap, t.broken[i] = limit, true
		}
		t.x[i] = t.x[i-1] + max(gap, minStep)
	}
	return t
}

// at is the place of a time; between two known ones, in proportion.
func (t timeline) at(v chain.Time) float64 {
	i, found := slices.BinarySearch(t.times, v)
	switch {
	case len(t.times) == 0 || i == 0:
		return 0
	case found:
		return t.x[i]
	case i == len(t.times):
		return t.x[i-1]
	}
	part := float64(v-t.times[i-1]) / float64(t.times[i]-t.times[i-1])
	return t.x[i-1] + part*(t.x[i]-t.x[i-1])
}

var tickSteps = []time.Duration{
	365 * 24 * time.Hour, 90 * 24 * time.Hour, 30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, 12 * time.Hour,
	6 * time.Hour, 3 * time.Hour, time.Hour, 30 * time.Minute, 15 * time.Minute, 5 * time.Minute, time.Minute,
	15 * time.Second, 5 * time.Second, time.Second,
}

// ticks marks round times, coarse steps before fine ones, where there is room.
func (t timeline) ticks() []Tick {
	if len(t.times) == 0 {
		return nil
	}
	first, last := t.times[0], t.times[len(t.times)-1]
	room := t.x[len(t.x)-1] / maxTicks
	out := []Tick{{X: rootGap, Time: first.String()}}
	for i, cut := range t.broken {
		if cut {
			out = append(out, Tick{X: rootGap + (t.x[i-1]+t.x[i])/2, Break: true})
		}
	}
	for _, step := range tickSteps {
		ms := chain.Time(step.Milliseconds())
		if (last-first)/ms > 4*maxTicks*10 {
			break
		}
		for v := (first/ms + 1) * ms; v <= last; v += ms {
			x := rootGap + t.at(v)
			crowded := slices.ContainsFunc(out, func(o Tick) bool { return max(o.X-x, x-o.X) < room })
			if !crowded {
				out = append(out, Tick{X: x, Time: v.String()})
			}
		}
	}
	slices.SortFunc(out, func(a, b Tick) int { return cmp.Or(cmp.Compare(a.X, b.X), strings.Compare(a.Time, b.Time)) })
	return out
}
