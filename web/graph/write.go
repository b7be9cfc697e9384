package graph

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"bongsu/chain"
)

const (
	minRadius, maxRadius = 0.2, 0.44 // in rows; two of the largest do not touch
	minLine, maxLine     = 1.0, 6.0
	minFan               = 5  // equal amounts from one account that are written once
	maxAlike             = 10 // look-alikes that a node names
	endsKeep             = 4  // leading and trailing characters that a glance compares
)

// graph writes the placed builder out.
func (b *builder) graph(axis Axis) Graph {
	g := Graph{
		Axis: axis, Width: b.width, Height: b.height, Accounts: b.accounts, Aggregated: b.aggregated,
		Nodes: []Node{}, Edges: []Edge{}, Ticks: b.ticks, Fans: []Fan{},
	}
	if g.Ticks == nil {
		g.Ticks = []Tick{}
	}
	var first, last chain.Time
	heaviest, widest := 0.0, 0.0
	for _, n := range b.nodes {
		heaviest = max(heaviest, b.weight(n.amounts))
	}
	for _, e := range b.edges {
		widest = max(widest, b.weight(e.amounts))
		first, last = earlier(first, e.first), max(last, e.last)
	}
	g.From, g.To = when(first), when(last)
	alike := b.lookalikes()
	for _, n := range b.nodes {
		n.r = minRadius + (maxRadius-minRadius)*share(b.weight(n.amounts), heaviest)
		g.Nodes = append(g.Nodes, b.node(n, alike[n]))
	}
	for _, e := range b.edges {
		g.Edges = append(g.Edges, Edge{
			ID: e.from.id + ">" + e.to.id + ">" + e.basis(), From: e.from.id, To: e.to.id,
			Amounts: b.amounts(e.amounts), Count: e.count, First: when(e.first), Last: when(e.last),
			Txs: append([]string{}, e.txs...), Basis: e.basis(), Rule: e.rule,
			Width: thousandth(minLine + (maxLine-minLine)*share(b.weight(e.amounts), widest)),
		})
	}
	g.Fans = b.fans()
	return g
}

func (b *builder) node(n *node, alike []string) Node {
	out := Node{
		ID: n.id, Label: n.label, LabelSource: n.labelSource, Kind: n.kind,
		X: n.x, Y: n.y, Size: thousandth(n.r), Hop: n.hop, Loose: n.loose(),
		Amounts: b.amounts(n.amounts), Origin: b.amounts(n.origin), Since: when(n.since), First: when(n.first),
		Lookalike: alike, Members: n.members, Sample: n.sample,
	}
	if !n.account.IsZero() {
		keep := endsKeep
		if len(alike) > 0 {
			keep *= 2 // what tells them apart must be seen
		}
		out.Short = shorten(n.account, keep)
	}
	return out
}

// share is where v lies between 0 and most on a logarithmic scale, 0 to 1.
func share(v, most float64) float64 {
	if most <= 0 || v <= 0 {
		return 0
	}
	return math.Log1p(v) / math.Log1p(most)
}

// units is an amount in whole units, as a float: for lengths, never for text.
func (b *builder) units(m chain.Money) float64 {
	w := m.Amount.Words()
	v := 0.0
	for i := len(w) - 1; i >= 0; i-- {
		v = v*math.Pow(2, 64) + float64(w[i])
	}
	if b.assets != nil {
		if info, ok := b.assets.Info(m.Asset); ok {
			return v / math.Pow10(int(info.Decimals))
		}
	}
	return v
}

func (b *builder) amount(m chain.Money) Amount {
	out := Amount{Asset: string(m.Asset), Symbol: string(m.Asset), Amount: m.Amount.Base(), Base: m.Amount.Base()}
	if b.assets != nil {
		if info, ok := b.assets.Info(m.Asset); ok {
			out.Symbol, out.Amount = info.Symbol, m.Amount.Decimal(info.Decimals)
		}
	}
	return out
}

func (b *builder) amounts(s sums) []Amount {
	out := make([]Amount, 0, len(s))
	for asset, a := range s {
		if !a.IsZero() {
			out = append(out, b.amount(chain.Money{Asset: asset, Amount: a}))
		}
	}
	slices.SortFunc(out, func(x, y Amount) int { return strings.Compare(x.Asset, y.Asset) })
	return out
}

func when(t chain.Time) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

// fans finds accounts that sent one same amount to at least minFan others.
func (b *builder) fans() []Fan {
	out := []Fan{}
	for _, n := range b.nodes {
		byEach := map[chain.Money][]*edge{}
		for _, e := range n.out {
			if e.even && e.count == 1 {
				byEach[e.each] = append(byEach[e.each], e)
			}
		}
		for each, edges := range byEach {
			if len(edges) < minFan {
				continue
			}
			f := Fan{From: n.id, Amount: b.amount(each)}
			var first, last chain.Time
			for _, e := range edges {
				f.Nodes = append(f.Nodes, e.to.id)
				first, last = earlier(first, e.first), max(last, e.last)
			}
			f.First, f.Last = when(first), when(last)
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(x, y Fan) int {
		return cmp.Or(strings.Compare(x.From, y.From), strings.Compare(x.Amount.Asset, y.Amount.Asset), strings.Compare(x.Amount.Base, y.Amount.Base))
	})
	return out
}

// body is the part of an address that people compare by its ends: without the
// prefix that all addresses of a form share.
func body(a chain.Account) (prefix, rest string) {
	s := a.Address()
	switch a.Form() {
	case chain.FormEVM:
		return s[:2], s[2:]
	case chain.FormWitness:
		if i := strings.LastIndexByte(s, '1'); i >= 0 && i+2 < len(s) {
			return s[:i+2], s[i+2:] // hrp, separator and witness version
		}
	}
	return "", s
}

func shorten(a chain.Account, keep int) string {
	prefix, rest := body(a)
	if len(rest) <= 2*keep+1 {
		return prefix + rest
	}
	return prefix + rest[:keep] + "…" + rest[len(rest)-keep:]
}

// lookalikes finds different addresses that begin and end with the same
// characters: address poisoning lives on that.
func (b *builder) lookalikes() map[*node][]string {
	byEnds := map[string][]*node{}
	for _, n := range b.nodes {
		if n.account.IsZero() {
			continue
		}
		prefix, rest := body(n.account)
		if len(rest) > 2*endsKeep {
			k := prefix + rest[:endsKeep] + rest[len(rest)-endsKeep:]
			byEnds[k] = append(byEnds[k], n)
		}
	}
	out := map[*node][]string{}
	for _, same := range byEnds {
		for _, n := range same {
			for _, m := range same {
				if n.account.Address() != m.account.Address() && len(out[n]) < maxAlike {
					out[n] = append(out[n], m.id)
				}
			}
		}
	}
	return out
}
