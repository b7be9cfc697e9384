package graph

import (
	"cmp"
	"slices"
	"strings"

	"bongsu/chain"
)

// builder is one layout under way. It is used by one goroutine.
type builder struct {
	assets     *chain.Registry
	nodes      []*node // by id
	edges      []*edge // by from, to, basis
	accounts   int
	aggregated bool
	width      float64
	height     float64
	ticks      []Tick
}

type node struct {
	id          string
	account     chain.Account // zero for a group
	kind        Kind
	label       string
	labelSource string
	amounts     sums
	origin      sums
	since       chain.Time
	first       chain.Time // first arrival; 0 when nothing arrived
	started     chain.Time // first departure; 0 when nothing left
	members     int
	sample      []string
	in, out     []*edge

	// The tree by first arrival, from settle.
	settled bool
	hop     int
	parent  *node
	kids    []*node

	x, y, r float64
}

type edge struct {
	from, to    *node
	amounts     sums
	each        chain.Money // what every movement carried, when all carried the same
	even        bool
	count       int
	first, last chain.Time
	txs         []string
	inferred    bool
	rule        string
}

// sums are exact amounts by asset.
type sums map[chain.Asset]chain.Amount

func (s sums) add(m chain.Money) { s[m.Asset] = s[m.Asset].MustAdd(m.Amount) }

func (s sums) addAll(o sums) {
	for asset, a := range o {
		s.add(chain.Money{Asset: asset, Amount: a})
	}
}

var kindRank = map[Kind]int{
	Passed: 0, Source: 1, Holding: 2, Exchange: 3, Mixer: 4, Bridge: 5, Unfollowed: 6, Incomplete: 7, Aside: 8,
}

// collect joins accounts and flows into nodes and edges. Flows that end or
// start nowhere (fees, mint) are not drawn: the totals carry them.
func collect(in Input) *builder {
	b := &builder{assets: in.Assets}
	byAccount := map[chain.Account]*node{}
	nodeOf := func(a chain.Account) *node {
		n, ok := byAccount[a]
		if !ok {
			n = newNode(a.String())
			n.account = a
			byAccount[a] = n
		}
		return n
	}
	for _, a := range in.Sources {
		if !a.IsZero() {
			nodeOf(a).kind = Source
		}
	}
	for _, a := range in.Accounts {
		if !a.Account.IsZero() {
			nodeOf(a.Account).join(a)
		}
	}
	edges := map[edgeKey]*edge{}
	for _, f := range sorted(in.Flows) {
		if !f.From.IsZero() && !f.To.IsZero() && f.From != f.To {
			addFlow(edges, nodeOf(f.From), nodeOf(f.To), f)
		}
	}
	for _, n := range byAccount {
		b.nodes = append(b.nodes, n)
	}
	b.accounts = len(b.nodes)
	b.setEdges(edges)
	b.settle()
	return b
}

func newNode(id string) *node {
	return &node{id: id, kind: Passed, members: 1, amounts: sums{}, origin: sums{}}
}

func (n *node) join(a Account) {
	if kindRank[a.Kind] > kindRank[n.kind] {
		n.kind = a.Kind
	}
	if n.label == "" || (a.Label != "" && a.Label < n.label) {
		n.label, n.labelSource = a.Label, a.LabelSource
	}
	for _, m := range a.Amounts {
		n.amounts.add(m)
	}
	for _, m := range a.Origin {
		n.origin.add(m)
	}
	n.since = earlier(n.since, a.Since)
}

// earlier is the earlier of two times of which 0 is unknown.
func earlier(a, b chain.Time) chain.Time {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

func sorted(flows []Flow) []Flow {
	out := slices.Clone(flows)
	slices.SortFunc(out, func(a, b Flow) int {
		return cmp.Or(
			cmp.Compare(a.Time, b.Time), a.From.Compare(b.From), a.To.Compare(b.To), strings.Compare(a.Tx, b.Tx),
			cmp.Compare(a.Money.Asset, b.Money.Asset), a.Money.Amount.Cmp(b.Money.Amount), strings.Compare(a.Rule, b.Rule),
		)
	})
	return out
}

type edgeKey struct {
	from, to *node
	inferred bool
}

func addFlow(edges map[edgeKey]*edge, from, to *node, f Flow) {
	k := edgeKey{from, to, f.Inferred}
	e, ok := edges[k]
	if !ok {
		e = &edge{from: from, to: to, inferred: f.Inferred, amounts: sums{}, each: f.Money, even: true}
		edges[k] = e
	}
	e.amounts.add(f.Money)
	e.even = e.even && e.each == f.Money
	e.count++
	e.first = earlier(e.first, f.Time)
	e.last = max(e.last, f.Time)
	if f.Tx != "" && len(e.txs) < MaxTxs && !slices.Contains(e.txs, f.Tx) {
		e.txs = append(e.txs, f.Tx)
	}
	if e.rule == "" {
		e.rule = f.Rule
	}
}

// setEdges takes nodes as they stand in b.nodes and the edges between them, and
// brings both into their fixed order.
func (b *builder) setEdges(edges map[edgeKey]*edge) {
	slices.SortFunc(b.nodes, func(a, c *node) int { return strings.Compare(a.id, c.id) })
	b.edges = b.edges[:0]
	for _, e := range edges {
		b.edges = append(b.edges, e)
	}
	slices.SortFunc(b.edges, func(a, c *edge) int {
		return cmp.Or(strings.Compare(a.from.id, c.from.id), strings.Compare(a.to.id, c.to.id), cmp.Compare(a.basis(), c.basis()))
	})
	for _, e := range b.edges {
		e.from.out = append(e.from.out, e)
		e.to.in = append(e.to.in, e)
		e.to.first = earlier(e.to.first, e.first)
		e.from.started = earlier(e.from.started, e.first)
	}
}

func (e *edge) basis() string {
	if e.inferred {
		return "inferred"
	}
	return "observed"
}
