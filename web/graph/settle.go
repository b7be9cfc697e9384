package graph

import (
	"container/heap"
	"slices"
	"strings"

	"bongsu/chain"
)

// settle makes the tree by first arrival: from the sources on, each account is
// reached through the movement that brought stolen money there first. Accounts
// that no source reaches start trees of their own, earliest first; those that no
// movement touches at all (a finding that a partner shared, without its path)
// stand one hop beyond everything else. Cycles and returns stay edges; they are
// never part of the tree.
func (b *builder) settle() {
	q := &arrivals{}
	for _, n := range b.nodes {
		n.settled, n.parent, n.kids, n.hop = false, nil, nil, 0
	}
	for _, n := range b.nodes {
		if n.kind == Source {
			heap.Push(q, arrival{at: n.started, to: n})
		}
	}
	drain(q)
	rest := slices.DeleteFunc(slices.Clone(b.nodes), func(n *node) bool { return n.settled })
	slices.SortFunc(rest, byArrival)
	for _, n := range rest {
		if !n.settled && !n.loose() {
			heap.Push(q, arrival{at: n.moved(), to: n})
			drain(q)
		}
	}
	b.settleLoose()
}

func (b *builder) settleLoose() {
	last := 0
	for _, n := range b.nodes {
		last = max(last, n.hop)
	}
	for _, n := range b.nodes {
		if !n.settled {
			n.settled, n.hop, n.first = true, last+1, n.since
		}
	}
}

// loose says that no movement touches the account. A source never is.
func (n *node) loose() bool { return n.kind != Source && len(n.in) == 0 && len(n.out) == 0 }

func drain(q *arrivals) {
	for q.Len() > 0 {
		take(q)
	}
}

func take(q *arrivals) {
	a := heap.Pop(q).(arrival)
	n := a.to
	if n.settled {
		return
	}
	n.settled, n.parent = true, a.from
	if a.from != nil {
		n.hop = a.from.hop + 1
		a.from.kids = append(a.from.kids, n)
	}
	for _, e := range n.out {
		if !e.to.settled {
			heap.Push(q, arrival{at: max(e.first, a.at), hop: n.hop + 1, from: n, to: e.to})
		}
	}
}

// moved is when the account enters the picture: its first arrival, or for the
// root of a tree, which may have none, its first movement of either kind.
func (n *node) moved() chain.Time {
	if n.parent != nil {
		return n.first
	}
	return earlier(n.first, n.started)
}

// arrival is one way to reach a node.
type arrival struct {
	at       chain.Time
	hop      int
	from, to *node
}

type arrivals []arrival

func (q arrivals) Len() int      { return len(q) }
func (q arrivals) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *arrivals) Push(x any)   { *q = append(*q, x.(arrival)) }

func (q *arrivals) Pop() any {
	old := *q
	a := old[len(old)-1]
	*q = old[:len(old)-1]
	return a
}

// Less orders by time, then hops, then names, so that the tree is always the
// same.
func (q arrivals) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.hop != b.hop {
		return a.hop < b.hop
	}
	if a.to.id != b.to.id {
		return a.to.id < b.to.id
	}
	return a.from != nil && b.from != nil && strings.Compare(a.from.id, b.from.id) < 0
}
