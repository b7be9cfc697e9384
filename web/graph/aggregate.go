package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bongsu/chain"
)

const (
	// kept is how many accounts stay single when there are more than MaxNodes:
	// half, so that the groups have room.
	kept = MaxNodes / 2
	// sampled is how many members a group names.
	sampled = 10
	// lastHop bounds the groups by hop: 9 kinds x (lastHop+1) < MaxNodes - kept.
	lastHop = 100
)

// aggregate puts accounts together when there are more than MaxNodes. Sources,
// services and the largest holders stay single; the others are grouped by the
// nearest single account that the money came from and by kind, and where even
// that is too many groups, by (hop, kind).
func (b *builder) aggregate() {
	if len(b.nodes) <= MaxNodes {
		return
	}
	b.aggregated = true
	single := b.singles()
	byTree := b.treeOrder()
	anchor := map[*node]string{}
	for _, n := range byTree {
		switch {
		case single[n]:
			anchor[n] = n.id
		case n.parent != nil:
			anchor[n] = anchor[n.parent]
		}
	}
	rep := groupBy(byTree, single, func(n *node) string { return "group:" + anchor[n] + ":" + string(n.kind) })
	if distinct(rep) > MaxNodes {
		rep = groupBy(byTree, single, func(n *node) string {
			return fmt.Sprintf("group:hop%d:%s", min(n.hop, lastHop), n.kind)
		})
	}
	b.replace(rep)
	b.settle()
}

// singles are the accounts that stay: sources and services first, then by what
// they hold, then by name.
func (b *builder) singles() map[*node]bool {
	order := slices.Clone(b.nodes)
	rank := func(n *node) int {
		switch n.kind {
		case Source:
			return 0
		case Exchange, Mixer, Bridge:
			return 1
		}
		return 2
	}
	weight := map[*node]float64{}
	for _, n := range order {
		weight[n] = b.weight(n.amounts)
	}
	slices.SortFunc(order, func(a, c *node) int {
		return cmp.Or(cmp.Compare(rank(a), rank(c)), cmp.Compare(weight[c], weight[a]), strings.Compare(a.id, c.id))
	})
	out := map[*node]bool{}
	for _, n := range order[:kept] {
		out[n] = true
	}
	return out
}

// treeOrder lists the nodes, parents before their kids.
func (b *builder) treeOrder() []*node {
	var out []*node
	for _, n := range b.nodes {
		if n.parent == nil {
			out = append(out, n)
		}
	}
	for i := 0; i < len(out); i++ {
		out = append(out, out[i].kids...)
	}
	return out
}

// groupBy finds what stands for each node: itself, or the group that name says.
func groupBy(order []*node, single map[*node]bool, name func(*node) string) map[*node]*node {
	rep, groups := map[*node]*node{}, map[string]*node{}
	for _, n := range order {
		if single[n] {
			rep[n] = n
			continue
		}
		id := name(n)
		g, ok := groups[id]
		if !ok {
			g = newNode(id)
			g.kind, g.members = n.kind, 0
			groups[id] = g
		}
		g.members++
		rep[n] = g
	}
	for n, r := range rep {
		if r != n && r.members == 1 {
			rep[n] = n // one account is no group
		}
	}
	for _, g := range groups {
		g.members = 0 // replace counts them in their order
	}
	return rep
}

func distinct(rep map[*node]*node) int {
	seen := map[*node]bool{}
	for _, r := range rep {
		seen[r] = true
	}
	return len(seen)
}

// replace rebuilds nodes and edges with rep in the place of each node. What
// moved inside a group is no edge any more.
func (b *builder) replace(rep map[*node]*node) {
	old := b.nodes
	oldEdges := b.edges
	b.nodes, b.edges = nil, nil
	seen := map[*node]bool{}
	for _, n := range old { // by id, so that samples are always the same
		r := rep[n]
		if r != n {
			r.members++
			r.amounts.addAll(n.amounts)
			r.origin.addAll(n.origin)
			r.since = earlier(r.since, n.since)
			if len(r.sample) < sampled {
				r.sample = append(r.sample, n.id)
			}
		}
		if !seen[r] {
			seen[r] = true
			r.in, r.out, r.first, r.started = nil, nil, 0, 0
			b.nodes = append(b.nodes, r)
		}
	}
	edges := map[edgeKey]*edge{}
	for _, e := range oldEdges {
		joinEdge(edges, rep[e.from], rep[e.to], e)
	}
	b.setEdges(edges)
}

func joinEdge(edges map[edgeKey]*edge, from, to *node, e *edge) {
	if from == to {
		return
	}
	k := edgeKey{from, to, e.inferred}
	m, ok := edges[k]
	if !ok {
		m = &edge{from: from, to: to, inferred: e.inferred, amounts: sums{}, each: e.each, even: e.even}
		edges[k] = m
	}
	m.amounts.addAll(e.amounts)
	m.even = m.even && e.even && m.each == e.each
	m.count += e.count
	m.first = earlier(m.first, e.first)
	m.last = max(m.last, e.last)
	if m.rule == "" {
		m.rule = e.rule
	}
	for _, tx := range e.txs {
		if len(m.txs) < MaxTxs && !slices.Contains(m.txs, tx) {
			m.txs = append(m.txs, tx)
		}
	}
}

// weight is the sum of amounts in whole units, for drawing and ranking only:
// no price is known here, so a unit counts the same in every asset.
func (b *builder) weight(s sums) float64 {
	assets := make([]chain.Asset, 0, len(s))
	for a := range s {
		assets = append(assets, a)
	}
	slices.Sort(assets) // floating-point sums depend on their order
	total := 0.0
	for _, a := range assets {
		total += b.units(chain.Money{Asset: a, Amount: s[a]})
	}
	return total
}
