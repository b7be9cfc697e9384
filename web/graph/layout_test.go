package graph_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/web/graph"

	"pgregory.net/rapid"
)

func numbered(i int) chain.Account {
	var a [20]byte
	a[0], a[1], a[10], a[18], a[19] = byte(i>>8), byte(i), 1, byte(i), byte(i>>8)
	return chain.EVM(chain.Ethereum, a)
}

func eth(n uint64) chain.Money {
	return chain.Money{Asset: chain.Ethereum.Native(), Amount: chain.Units(n)}
}

// drawn makes any input: cycles, self-transfers, ties in time, accounts that
// nothing reaches, amounts of two assets.
func drawn(t *rapid.T) graph.Input {
	n := rapid.IntRange(0, 60).Draw(t, "accounts")
	in := graph.Input{Assets: chain.NewRegistry()}
	if n == 0 {
		return in
	}
	one := rapid.IntRange(0, n-1)
	kinds := rapid.SampledFrom([]graph.Kind{
		graph.Passed, graph.Holding, graph.Exchange, graph.Mixer, graph.Bridge, graph.Unfollowed, graph.Incomplete, graph.Aside,
	})
	for range rapid.IntRange(0, 3).Draw(t, "sources") {
		in.Sources = append(in.Sources, numbered(one.Draw(t, "source")))
	}
	for i := range n {
		if rapid.Bool().Draw(t, "known") {
			m := []chain.Money{eth(rapid.Uint64().Draw(t, "rests"))}
			in.Accounts = append(in.Accounts, graph.Account{Account: numbered(i), Kind: kinds.Draw(t, "kind"), Amounts: m, Origin: m})
		}
	}
	usdt := chain.Asset("eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
	for range rapid.IntRange(0, 120).Draw(t, "flows") {
		m := eth(rapid.Uint64Range(1, 5).Draw(t, "amount") * 1e18)
		if rapid.IntRange(0, 9).Draw(t, "token") == 0 {
			m.Asset = usdt
		}
		in.Flows = append(in.Flows, graph.Flow{
			From: numbered(one.Draw(t, "from")), To: numbered(one.Draw(t, "to")), Money: m,
			Tx: fmt.Sprint("0x", rapid.IntRange(0, 30).Draw(t, "tx")), Time: chain.Time(1 + rapid.Int64Range(0, 50).Draw(t, "time")*60_000),
			Inferred: rapid.IntRange(0, 4).Draw(t, "inferred") == 0,
		})
	}
	return in
}

var axes = rapid.SampledFrom([]graph.Axis{graph.ByHops, graph.ByTime})

// TestOrderDoesNotMatter: the picture depends on what is given, not on the order.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, axis := drawn(t), axes.Draw(t, "axis")
		want := text(t, graph.Layout(in, axis))
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(in.Flows), func(i, j int) { in.Flows[i], in.Flows[j] = in.Flows[j], in.Flows[i] })
		r.Shuffle(len(in.Accounts), func(i, j int) { in.Accounts[i], in.Accounts[j] = in.Accounts[j], in.Accounts[i] })
		r.Shuffle(len(in.Sources), func(i, j int) { in.Sources[i], in.Sources[j] = in.Sources[j], in.Sources[i] })
		if got := text(t, graph.Layout(in, axis)); got != want {
			t.Fatalf("another order gives another picture:\n%s\n%s", want, got)
		}
	})
}

func text(t *rapid.T, g graph.Graph) string {
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestNothingOverlaps: circles keep apart, also when a page stretches x or y.
func TestNothingOverlaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := graph.Layout(drawn(t), axes.Draw(t, "axis"))
		sx, sy := rapid.Float64Range(1, 4).Draw(t, "stretch x"), rapid.Float64Range(1, 4).Draw(t, "stretch y")
		for i, a := range g.Nodes {
			if a.X < 0 || a.Y < 0 || a.X > g.Width || a.Y > g.Height || math.IsNaN(a.X+a.Y) {
				t.Fatalf("%s lies outside: %v %v of %v %v", a.ID, a.X, a.Y, g.Width, g.Height)
			}
			for _, b := range g.Nodes[i+1:] {
				if d := math.Hypot((a.X-b.X)*sx, (a.Y-b.Y)*sy); d < a.Size+b.Size {
					t.Fatalf("%s and %s overlap: %v apart, radii %v and %v", a.ID, b.ID, d, a.Size, b.Size)
				}
			}
		}
	})
}

// TestTimeRunsRight: by time, what was reached later never stands further left.
func TestTimeRunsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := graph.Layout(drawn(t), graph.ByTime)
		roots := map[string]bool{}
		for _, n := range g.Nodes {
			roots[n.ID] = n.Hop == 0
		}
		for _, a := range g.Nodes {
			for _, b := range g.Nodes {
				if !roots[a.ID] && !roots[b.ID] && a.First < b.First && a.X > b.X {
					t.Fatalf("%s (%s) stands right of %s (%s)", a.ID, a.First, b.ID, b.First)
				}
			}
		}
		for i := 1; i < len(g.Ticks); i++ {
			if g.Ticks[i].X < g.Ticks[i-1].X {
				t.Fatalf("ticks go back: %v", g.Ticks)
			}
		}
	})
}

// TestHopsRunRight: by hops, an account stands right of every account that is
// fewer hops away.
func TestHopsRunRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := graph.Layout(drawn(t), graph.ByHops)
		for _, a := range g.Nodes {
			for _, b := range g.Nodes {
				if a.Hop < b.Hop && a.X >= b.X {
					t.Fatalf("%s at hop %d stands at %v, %s at hop %d at %v", a.ID, a.Hop, a.X, b.ID, b.Hop, b.X)
				}
			}
		}
	})
}

// TestSumsAreExact: what moved on all edges is what moved in all flows.
func TestSumsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		want, count := map[string]chain.Amount{}, 0
		for _, f := range in.Flows {
			if f.From != f.To {
				want[string(f.Money.Asset)] = want[string(f.Money.Asset)].MustAdd(f.Money.Amount)
				count++
			}
		}
		got := map[string]chain.Amount{}
		for _, e := range graph.Layout(in, graph.ByHops).Edges {
			count -= e.Count
			for _, m := range e.Amounts {
				a, err := chain.ParseBase(m.Base)
				if err != nil {
					t.Fatal(err)
				}
				got[m.Asset] = got[m.Asset].MustAdd(a)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || count != 0 {
			t.Fatalf("edges carry %v, flows %v; %d movements missing", got, want, count)
		}
	})
}

// TestAggregated: a theft with very many accounts is put together below the
// bound, loses nothing of what rests, and keeps services single.
func TestAggregated(t *testing.T) {
	for _, shape := range []string{"wide", "deep", "forest"} {
		t.Run(shape, func(t *testing.T) {
			in := large(shape, 4_000)
			g := graph.Layout(in, graph.ByTime)
			if !g.Aggregated || g.Accounts != 4_000 || len(g.Nodes) > graph.MaxNodes {
				t.Fatalf("aggregated %v, %d accounts, %d nodes", g.Aggregated, g.Accounts, len(g.Nodes))
			}
			members, exchanges := 0, 0
			var rests chain.Amount
			for _, n := range g.Nodes {
				members += n.Members
				if n.Kind == graph.Exchange && n.Members == 1 {
					exchanges++
				}
				for _, m := range n.Amounts {
					a, _ := chain.ParseBase(m.Base)
					rests = rests.MustAdd(a)
				}
				if n.Members > 1 && (!strings.HasPrefix(n.ID, "group:") || len(n.Sample) == 0) {
					t.Errorf("group %s names no sample", n.ID)
				}
			}
			var want chain.Amount
			for _, a := range in.Accounts {
				want = want.MustAdd(a.Amounts[0].Amount)
			}
			if members != 4_000 || rests != want || exchanges != 10 {
				t.Errorf("%d members, %s at rest (want %s), %d exchanges of 10", members, rests.Base(), want.Base(), exchanges)
			}
			slices.Reverse(in.Flows)
			slices.Reverse(in.Accounts)
			again := graph.Layout(in, graph.ByTime)
			if !reflect.DeepEqual(again, g) {
				t.Error("another order gives another picture")
			}
		})
	}
}

// large is a theft of n accounts: all from one, one after another, or many
// chains without a source.
func large(shape string, n int) graph.Input {
	in := graph.Input{Assets: chain.NewRegistry(), Sources: []chain.Account{numbered(0)}}
	for i := 1; i < n; i++ {
		from := 0
		switch shape {
		case "deep":
			from = i - 1
		case "forest":
			from = i - 1
			if i%3 == 1 {
				from = max(i-3, 0)
			}
		}
		in.Flows = append(in.Flows, graph.Flow{
			From: numbered(from), To: numbered(i), Money: eth(uint64(i)), Tx: fmt.Sprint("0x", i), Time: chain.Time(1_740_000_000_000 + int64(i)*4_000),
		})
		kind := graph.Holding
		switch {
		case i%400 == 7:
			kind = graph.Exchange
		case i%5 == 0:
			kind = graph.Unfollowed
		}
		in.Accounts = append(in.Accounts, graph.Account{Account: numbered(i), Kind: kind, Amounts: []chain.Money{eth(uint64(i))}})
	}
	return in
}

func TestLookalikes(t *testing.T) {
	acc := func(s string) chain.Account { return account(t, s) }
	genuine := acc("0x47666fab8bd0ac7003bce3f5c3585383f09486e2")
	fake := acc("0x47660000000000000000000000000000000086e2")
	other := acc("0x47660000000000000000000000000000000086e3")
	in := graph.Input{
		Assets: chain.NewRegistry(), Sources: []chain.Account{genuine},
		Flows: []graph.Flow{
			{From: genuine, To: fake, Money: eth(1), Time: 1},
			{From: genuine, To: other, Money: eth(1), Time: 1},
			{From: genuine, To: genuine.On("eip155:10"), Money: eth(1), Time: 1},
		},
	}
	got := map[string][]string{}
	short := map[string]string{}
	for _, n := range graph.Layout(in, graph.ByHops).Nodes {
		got[n.ID], short[n.ID] = n.Lookalike, n.Short
	}
	if want := []string{fake.String()}; !slices.Equal(got[genuine.String()], want) {
		t.Errorf("the genuine account looks like %v, want %v", got[genuine.String()], want)
	}
	if len(got[fake.String()]) != 2 { // the genuine one, on either chain
		t.Errorf("the fake account looks like %v", got[fake.String()])
	}
	if len(got[other.String()]) != 0 {
		t.Errorf("another ending looks like %v", got[other.String()])
	}
	if short[genuine.String()] == short[fake.String()] {
		t.Errorf("look-alikes are both written %s", short[fake.String()])
	}
}

// TestFindingsWithoutPath: accounts of which only a finding is known stand
// behind the theft, and by time where they were first seen to hold.
func TestFindingsWithoutPath(t *testing.T) {
	in := graph.Input{
		Assets: chain.NewRegistry(), Sources: []chain.Account{numbered(0)},
		Flows: []graph.Flow{{From: numbered(0), To: numbered(1), Money: eth(5), Time: 1_740_000_000_000}},
	}
	for i := 2; i < 5; i++ {
		in.Accounts = append(in.Accounts, graph.Account{
			Account: numbered(i), Kind: graph.Holding, Amounts: []chain.Money{eth(1)}, Since: chain.Time(1_740_000_000_000 + int64(i)*60_000),
		})
	}
	for _, axis := range []graph.Axis{graph.ByHops, graph.ByTime} {
		g := graph.Layout(in, axis)
		at := map[string]graph.Node{}
		for _, n := range g.Nodes {
			at[n.ID] = n
		}
		for i := 2; i < 5; i++ {
			n, before := at[numbered(i).String()], at[numbered(1).String()]
			if n.Hop != 2 || !n.Loose || before.Loose || n.X <= before.X || n.First != n.Since || n.Since == "" {
				t.Errorf("%s: %+v does not stand behind %+v", axis, n, before)
			}
		}
	}
}

func TestIdleTimeIsCut(t *testing.T) {
	day := int64(24 * 60 * 60 * 1000)
	in := graph.Input{Assets: chain.NewRegistry(), Sources: []chain.Account{numbered(0)}}
	for i, at := range []int64{1, 2, 3, 4, 5, 200 * day, 200*day + 60_000} {
		in.Flows = append(in.Flows, graph.Flow{From: numbered(i), To: numbered(i + 1), Money: eth(1), Time: chain.Time(1_740_000_000_000 + at*1000)})
	}
	g := graph.Layout(in, graph.ByTime)
	if !slices.ContainsFunc(g.Ticks, func(t graph.Tick) bool { return t.Break }) {
		t.Errorf("an idle year is not marked: %+v", g.Ticks)
	}
	if n := g.Nodes; len(n) != 8 {
		t.Fatalf("%d nodes", len(n))
	}
}

func TestEmpty(t *testing.T) {
	for _, axis := range []graph.Axis{graph.ByHops, graph.ByTime} {
		b, err := json.Marshal(graph.Layout(graph.Input{}, axis))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "null") {
			t.Errorf("an empty picture has null for a list: %s", b)
		}
	}
}

func TestParseAxis(t *testing.T) {
	for in, want := range map[string]graph.Axis{"hops": graph.ByHops, "time": graph.ByTime, "": graph.ByTime, "x": graph.ByTime} {
		if got := graph.ParseAxis(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

func BenchmarkLayout(b *testing.B) {
	for _, n := range []int{44, 2000, 4_000} {
		for _, axis := range []graph.Axis{graph.ByHops, graph.ByTime} {
			in := large("forest", n)
			b.Run(fmt.Sprint(n, "/", axis), func(b *testing.B) {
				for b.Loop() {
					graph.Layout(in, axis)
				}
			})
		}
	}
}
