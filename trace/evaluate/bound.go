package evaluate

import (
	"math"

	"bongsu/chain"
)

// bound is the maximum flow in time from the sources into the terminals, on
// the known rows only: a node for each (account, row); each row an arc of its
// value; unlimited arcs to an account's next node; sources unlimited; terminals
// drain and do not forward. No method that conserves value attributes more.
func bound(c *Case) int64 {
	const source, sink = 0, 1
	n := network{arcs: nil, heads: make([]int32, 2)}
	n.heads[source], n.heads[sink] = -1, -1
	isSource, isTerminal := set(c.Sources), set(c.Terminals)
	last := map[chain.Account]int32{}
	node := func(a chain.Account, receives bool) int32 {
		v := n.node()
		switch {
		case isTerminal[a] && receives: // a source may be a terminal, too
			n.arc(v, sink, unlimited)
		case isSource[a]:
			n.arc(source, v, unlimited)
		default:
			if p, ok := last[a]; ok {
				n.arc(p, v, unlimited)
			}
		}
		last[a] = v
		return v
	}
	for _, r := range c.Rows {
		if r.From == r.To && !isSource[r.From] || isTerminal[r.From] && !isSource[r.From] || r.Value == 0 {
			continue
		}
		u, v := node(r.From, false), node(r.To, true)
		n.arc(u, v, r.Value)
	}
	return n.maxFlow(source, sink)
}

func set(as []chain.Account) map[chain.Account]bool {
	out := map[chain.Account]bool{}
	for _, a := range as {
		out[a] = true
	}
	return out
}

const unlimited = math.MaxInt64 / 4

// network is Dinic's maximum flow over arcs in pairs: arc i^1 is the way back.
type network struct {
	arcs  []arc
	heads []int32
	level []int32
	next  []int32
}

type arc struct {
	to, next int32
	left     int64
}

func (n *network) node() int32 {
	n.heads = append(n.heads, -1)
	return int32(len(n.heads) - 1)
}

func (n *network) arc(u, v int32, capacity int64) {
	n.arcs = append(n.arcs, arc{v, n.heads[u], capacity}, arc{u, n.heads[v], 0})
	n.heads[u], n.heads[v] = int32(len(n.arcs)-2), int32(len(n.arcs)-1)
}

func (n *network) maxFlow(s, t int32) (sum int64) {
	for n.levels(s, t) {
		n.next = append(n.next[:0], n.heads...)
		for {
			f := n.push(s, t)
			if f == 0 {
				break
			}
			sum += f
		}
	}
	return sum
}

// levels numbers the nodes by their distance from s and says whether t is
// still reached.
func (n *network) levels(s, t int32) bool {
	n.level = append(n.level[:0], make([]int32, len(n.heads))...)
	n.level[s] = 1
	queue := []int32{s}
	for len(queue) > 0 {
		u := queue[0]
		queue = queue[1:]
		for e := n.heads[u]; e >= 0; e = n.arcs[e].next {
			if a := n.arcs[e]; a.left > 0 && n.level[a.to] == 0 {
				n.level[a.to] = n.level[u] + 1
				queue = append(queue, a.to)
			}
		}
	}
	return n.level[t] != 0
}

// push sends as much as one path from s to t takes; the path is kept in a
// slice, because a chain of accounts may be long.
func (n *network) push(s, t int32) int64 {
	var path []int32 // arcs
	u := s
	for u != t {
		e := n.next[u]
		if e < 0 {
			if len(path) == 0 {
				return 0
			}
			e = path[len(path)-1]
			path = path[:len(path)-1]
			u = n.arcs[e^1].to
			n.next[u] = n.arcs[n.next[u]].next
			continue
		}
		if a := n.arcs[e]; a.left > 0 && n.level[a.to] == n.level[u]+1 {
			path = append(path, e)
			u = a.to
			continue
		}
		n.next[u] = n.arcs[e].next
	}
	f := int64(unlimited)
	for _, e := range path {
		f = min(f, n.arcs[e].left)
	}
	for _, e := range path {
		n.arcs[e].left -= f
		n.arcs[e^1].left += f
	}
	return f
}
