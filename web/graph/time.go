package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"bongsu/chain"
)

const (
	rootShare = 0.12 // of the width, from a source to the first arrival
	minStep   = 0.35 // between two different times, in rows
	idleShare = 0.22 // an idle gap takes at most this share of the width
	perLane   = 1.7  // width for each lane: pages are wider than high
	minWidth  = 24.0
	clear     = 1.5  // between two nodes of one lane
	maxTicks  = 11   // ticks that the width has room for
	maxMarks  = 1000 // marks of one step that are tried
	minTicks  = 5    // with as many, no finer step is marked
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
	for _, n := range b.nodes {
		n.x = scale.at(n.moved())
		if n.parent == nil && !n.loose() {
			n.x -= scale.lead
		}
	}
	for _, r := range roots {
		lane = lanes(r, lane)
	}
	b.ticks = scale.ticks()
	b.frame()
}

// lanes numbers the lanes of a tree: the first half of the kids, the parent,
// the other half. An only kid that stands clear of its parent shares the lane.
// It walks with a stack of its own; a chain of hops can be long.
func lanes(root *node, next int) int {
	type step struct {
		n    *node
		done int  // kids walked
		own  bool // has its lane
	}
	stack := []step{{n: root}}
	for len(stack) > 0 {
		s := &stack[len(stack)-1]
		alone := len(s.n.kids) == 1 && s.n.kids[0].x-s.n.x >= clear
		switch {
		case !s.own && alone && s.done == 1:
			s.n.y, s.own = s.n.kids[0].y, true
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
	lead   float64 // room left of the first time
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
	width := max(minWidth, perLane*float64(len(b.nodes)))
	t.lead = rootShare * width
	for i := range t.x {
		t.x[i] = t.lead
	}
	if len(t.times) < 2 {
		return t
	}
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
		return t.lead
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
	room := (t.x[len(t.x)-1] - t.lead) / maxTicks
	out := []Tick{{X: t.lead, Time: first.String()}}
	for i, cut := range t.broken {
		if cut {
			out = append(out, Tick{X: (t.x[i-1] + t.x[i]) / 2, Break: true})
		}
	}
	for _, step := range tickSteps {
		ms := chain.Time(step.Milliseconds())
		if marked := len(out); marked >= minTicks || (last-first)/ms > maxMarks {
			break
		}
		for v := (first/ms + 1) * ms; v <= last; v += ms {
			x := t.at(v)
			crowded := slices.ContainsFunc(out, func(o Tick) bool { return max(o.X-x, x-o.X) < room })
			if !crowded {
				out = append(out, Tick{X: x, Time: v.String()})
			}
		}
	}
	slices.SortFunc(out, func(a, b Tick) int { return cmp.Or(cmp.Compare(a.X, b.X), strings.Compare(a.Time, b.Time)) })
	return out
}
