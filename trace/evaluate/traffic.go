package evaluate

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"

	"bongsu/chain"
)

// Mix mixes times rows of unrelated traffic for each known row into a case:
// 40 % in-out pairs through three hubs, 20 % dust to the case's accounts, 10 %
// zero-value transfers in their names, 10 % into the terminals, 10 % out of
// them, 10 % clean in-out pairs through its intermediates. Values are drawn
// from the known rows; the same seed gives the same rows. All are in the order of
// a case's rows, so that whoever reads the mixed rows back finds the same order.
func Mix(c *Case, times int, seed uint64) []Row {
	g := generator{c: c, rng: rand.New(rand.NewPCG(seed, uint64(times)))}
	g.prepare()
	n := times * len(c.Rows)
	for i := 0; i < n; {
		i += g.draw(n - i)
	}
	out := append(slices.Clone(c.Rows), g.traffic...)
	inOrder(out)
	return out
}

// generator makes traffic. Places are gaps between the known rows, for the
// block: gap i takes that of row i-1. Inside a block the transaction decides.
type generator struct {
	c     *Case
	rng   *rand.Rand
	hubs  [3]chain.Account
	inner []chain.Account // neither source nor terminal
	out   []chain.Account // terminals that are no source: what a source sends is the theft
	all   []chain.Account

	traffic []Row
}

func (g *generator) prepare() {
	for i := range g.hubs {
		g.hubs[i] = g.stranger()
	}
	sources, terminals := set(g.c.Sources), set(g.c.Terminals)
	for _, a := range g.c.Terminals {
		if !sources[a] {
			g.out = append(g.out, a)
		}
	}
	seen := map[chain.Account]bool{}
	for _, r := range g.c.Rows {
		for _, a := range []chain.Account{r.From, r.To} {
			if seen[a] {
				continue
			}
			seen[a] = true
			g.all = append(g.all, a)
			if !sources[a] && !terminals[a] {
				g.inner = append(g.inner, a)
			}
		}
	}
	slices.SortFunc(g.all, chain.Account.Compare)
	slices.SortFunc(g.inner, chain.Account.Compare)
}

// draw makes one row, or a pair of rows when two are left to make, and returns
// how many.
func (g *generator) draw(left int) int {
	value, gap := g.c.Rows[g.rng.IntN(len(g.c.Rows))].Value, g.rng.IntN(len(g.c.Rows)+1)
	switch p := g.rng.IntN(100); {
	case p < 40:
		return g.pair(g.hubs[g.rng.IntN(3)], gap, value, left)
	case p < 60:
		g.put(gap, g.stranger(), pick(g, g.all), 1+g.rng.Int64N(10_000))
	case p < 70:
		g.put(gap, pick(g, g.all), g.stranger(), 0)
	case p < 80 && len(g.c.Terminals) > 0:
		g.put(gap, g.stranger(), pick(g, g.c.Terminals), value)
	case p < 90 && len(g.out) > 0:
		g.put(gap, pick(g, g.out), g.stranger(), value)
	case len(g.inner) > 0:
		return g.pair(pick(g, g.inner), gap, value, left)
	default:
		g.put(gap, g.stranger(), g.stranger(), value)
	}
	return 1
}

// pair sends value in and, in the same or a later gap nearby, out again: never
// before it came.
func (g *generator) pair(through chain.Account, gap int, value int64, left int) int {
	g.put(gap, g.stranger(), through, value)
	if left < 2 {
		return 1
	}
	g.put(min(gap+g.rng.IntN(3), len(g.c.Rows)), through, g.stranger(), value)
	if in, out := &g.traffic[len(g.traffic)-2], &g.traffic[len(g.traffic)-1]; in.Block == out.Block && in.Tx > out.Tx {
		in.Tx, out.Tx = out.Tx, in.Tx
	}
	return 2
}

func pick(g *generator, from []chain.Account) chain.Account { return from[g.rng.IntN(len(from))] }

func (g *generator) stranger() chain.Account {
	var b [20]byte
	for i := range b {
		b[i] = byte(g.rng.Uint32())
	}
	return chain.EVM(chain.Ethereum, b)
}

// put places a row into a gap, with the time and block of the row before it.
func (g *generator) put(gap int, from, to chain.Account, value int64) {
	near := g.c.Rows[max(gap-1, 0)]
	var id [32]byte
	for i := range id {
		id[i] = byte(g.rng.Uint32())
	}
	g.traffic = append(g.traffic, Row{
		Time: near.Time, Block: near.Block, Tx: "0x" + hex.EncodeToString(id[:]), From: from, To: to, Value: value,
	})
}
