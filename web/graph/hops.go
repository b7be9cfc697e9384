package graph

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

const (
	columnGap  = 8.0 // between the columns of two hops, in rows
	staggerGap = 5.0 // between the staggered columns of one hop
	fewRows    = 22  // nodes in one column before it is staggered, in a small picture
	mostRows   = 700 // and in the largest: MaxNodes in three columns
	aspect     = 2.0 // width to height, from which on columns grow longer instead
	sweeps     = 6   // passes that reduce crossings
)

// placeByHops puts each node into the column of its hop, orders the columns so
// that few lines cross, staggers those that are too long, and draws each node
// towards what it is connected with.
func (b *builder) placeByHops() {
	columns := b.columns()
	orderColumns(columns)
	x := 0.0
	rows := rowsFor(columns)
	for hop, col := range columns {
		k := stagger(len(col), rows)
		if !slices.ContainsFunc(col, (*node).loose) {
			b.ticks = append(b.ticks, Tick{X: x + float64(k-1)*staggerGap/2, Hop: hop})
		}
		for i, n := range col {
			n.x = x + float64(i%k)*staggerGap
		}
		x += float64(k-1)*staggerGap + columnGap
	}
	ins, outs := func(n *node) []*edge { return n.in }, func(n *node) []*edge { return n.out }
	for range 2 {
		for _, col := range columns {
			alignColumn(col, rows, ins)
		}
		for _, col := range slices.Backward(columns) {
			alignColumn(col, rows, outs)
		}
	}
	for _, col := range columns {
		alignColumn(col, rows, ins)
	}
	b.frame()
}

// rowsFor is how long columns may get: as short as legible in a small picture,
// longer where staggering would make a large one wider than a page.
func rowsFor(columns [][]*node) int {
	rows := fewRows
	for ; rows < mostRows; rows += rows / 4 {
		width := -columnGap
		for _, col := range columns {
			width += float64(stagger(len(col), rows)-1)*staggerGap + columnGap
		}
		if width <= aspect*float64(rows) {
			break
		}
	}
	return rows
}

// stagger is the number of columns that n nodes of one hop are spread over.
func stagger(n, rows int) int { return max((n+rows-1)/rows, 1) }

func (b *builder) columns() [][]*node {
	var out [][]*node
	for _, n := range b.treeOrder() {
		for len(out) <= n.hop {
			out = append(out, nil)
		}
		out[n.hop] = append(out[n.hop], n)
	}
	for _, col := range out {
		slices.SortFunc(col, byArrival)
	}
	return out
}

func byArrival(a, b *node) int {
	return cmp.Or(cmp.Compare(a.moved(), b.moved()), strings.Compare(a.id, b.id))
}

// orderColumns is the barycentre heuristic (Sugiyama, Tagawa, Toda 1981): a
// node goes where the middle of its neighbours in the columns before (then
// after) is; ties stay in order of arrival. Sweeps alternate in direction, and
// the first order with the fewest crossings stays.
func orderColumns(columns [][]*node) {
	rank := map[*node]float64{}
	for _, col := range columns {
		number(col, rank)
	}
	best, fewest := cloneColumns(columns), crossings(columns)
	for s := 0; s < sweeps && fewest > 0; s++ {
		sweep(columns, rank, s%2 == 0)
		if c := crossings(columns); c < fewest {
			best, fewest = cloneColumns(columns), c
		}
	}
	copy(columns, best)
}

func number(col []*node, rank map[*node]float64) {
	for i, n := range col {
		rank[n] = (float64(i) + 0.5) / float64(len(col))
	}
}

func sweep(columns [][]*node, rank map[*node]float64, forward bool) {
	for i := range columns {
		col := columns[i]
		if !forward {
			col = columns[len(columns)-1-i]
		}
		middle := map[*node]float64{}
		for _, n := range col {
			middle[n] = barycentre(n, rank, forward)
		}
		slices.SortStableFunc(col, func(a, c *node) int { return cmp.Compare(middle[a], middle[c]) })
		number(col, rank)
	}
}

func cloneColumns(columns [][]*node) [][]*node {
	out := make([][]*node, len(columns))
	for i, col := range columns {
		out[i] = slices.Clone(col)
	}
	return out
}

// crossings counts pairs of edges between neighbouring columns that cross:
// inversions of the targets' places in order of the sources' places, counted
// with a binary indexed tree (Barth, Juenger, Mutzel 2002).
func crossings(columns [][]*node) int {
	place := map[*node]int{}
	for _, col := range columns {
		for i, n := range col {
			place[n] = i
		}
	}
	total := 0
	for hop := 0; hop+1 < len(columns); hop++ {
		seen := make([]int, len(columns[hop+1])+1)
		edges := 0
		for _, n := range columns[hop] {
			var to []int
			for _, e := range n.out {
				if e.to.hop == hop+1 {
					to = append(to, place[e.to])
				}
			}
			for _, t := range to { // edges of earlier sources that end further down
				total += edges - upTo(seen, t+1)
			}
			for _, t := range to {
				for i := t + 1; i < len(seen); i += i & -i {
					seen[i]++
				}
			}
			edges += len(to)
		}
	}
	return total
}

func upTo(tree []int, i int) int {
	sum := 0
	for ; i > 0; i -= i & -i {
		sum += tree[i]
	}
	return sum
}

func barycentre(n *node, rank map[*node]float64, forward bool) float64 {
	sum, count := 0.0, 0
	look := func(m *node) {
		if (forward && m.hop < n.hop) || (!forward && m.hop > n.hop) {
			sum, count = sum+rank[m], count+1
		}
	}
	for _, e := range n.in {
		look(e.from)
	}
	for _, e := range n.out {
		look(e.to)
	}
	if count == 0 {
		return rank[n]
	}
	// Rounded, so that equal neighbourhoods tie exactly and stay in their order.
	return math.Round(sum/float64(count)*1e9) / 1e9
}

// alignColumn moves the nodes of a column towards the mean of their neighbours
// without changing their order and with their distances kept: least squares
// under y[i+1]-y[i] >= gap, solved exactly by pooling adjacent violators.
func alignColumn(col []*node, rows int, edges func(*node) []*edge) {
	gap := 1 / float64(stagger(len(col), rows))
	type block struct {
		sum   float64
		count int
	}
	var blocks []block
	for i, n := range col {
		blocks = append(blocks, block{wanted(n, edges) - float64(i)*gap, 1})
		for len(blocks) > 1 {
			a, c := blocks[len(blocks)-2], blocks[len(blocks)-1]
			if a.sum/float64(a.count) <= c.sum/float64(c.count) {
				break
			}
			blocks = append(blocks[:len(blocks)-2], block{a.sum + c.sum, a.count + c.count})
		}
	}
	i := 0
	for _, bl := range blocks {
		for range bl.count {
			col[i].y = bl.sum/float64(bl.count) + float64(i)*gap
			i++
		}
	}
}

func wanted(n *node, edges func(*node) []*edge) float64 {
	sum, count := 0.0, 0
	for _, e := range edges(n) {
		m := e.from
		if m == n {
			m = e.to
		}
		if m.hop != n.hop {
			sum, count = sum+m.y, count+1
		}
	}
	if count == 0 {
		return n.y
	}
	return sum / float64(count)
}

// frame moves everything so that it starts at 0 and measures it. Coordinates
// are cut to a thousandth of a row, so that they print the same everywhere.
func (b *builder) frame() {
	if len(b.nodes) == 0 {
		return
	}
	left, top := math.Inf(1), math.Inf(1)
	for _, n := range b.nodes {
		left, top = min(left, n.x), min(top, n.y)
	}
	for _, n := range b.nodes {
		n.x, n.y = thousandth(n.x-left), thousandth(n.y-top)
		b.width, b.height = max(b.width, n.x), max(b.height, n.y)
	}
	for i := range b.ticks {
		b.ticks[i].X = thousandth(b.ticks[i].X - left)
	}
}

func thousandth(v float64) float64 { return math.Round(v*1000) / 1000 }
