package trace_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
	"bongsu/trace"

	"pgregory.net/rapid"
)

func facts(ts []chain.Transfer) *ledger.Facts { return &ledger.Facts{Transfers: ts} }

// The oracle: every unit of every account is a thing of its own, from the
// ledger's first transfer on, and moves as the definitions say. It shares
// nothing with the simulation: no lots, no opening balances, no cursors.
type unit struct {
	theft string // "" is clean
	asset chain.Asset
	rule  trace.Rule
	hop   int
	by    int // number of the transfer that brought it, from 1; 0: it was there
}

type oracle struct {
	req   trace.Request
	runs  int // of like units that haircut keeps in order
	books map[bookName][]unit
	all   []chain.Transfer
	left  map[holdingName]uint64 // unfollowed, for their depth

	happened []chain.Transfer      // all, in the order in which they happened
	drawn    map[bookName][][]unit // TIHO: what the next spends of a batch get
}

type bookName struct {
	account chain.Account
	asset   chain.Asset
}

func (o *oracle) run(r ledger.Reader, t *rapid.T) map[holdingName]uint64 {
	o.books, o.drawn, o.left = map[bookName][]unit{}, map[bookName][][]unit{}, map[holdingName]uint64{}
	var rows []ledger.Row
	if err := r.Scan(context.Background(), chain.Ethereum, ledger.Key{}, ledger.Key{}, func(b []ledger.Row) error {
		rows = append(rows, b...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all, err := ledger.Expand(context.Background(), r, rows)
	if err != nil {
		t.Fatal(err)
	}
	o.all = all
	o.order()
	inferred := map[chain.Transfer]bool{}
	for i := range all {
		inferred[all[i]] = rows[i].BlockInferred
	}
	for i, x := range o.happened {
		o.step(i, inferred[x])
	}
	out := map[holdingName]uint64{}
	for k, units := range o.books {
		for _, u := range units {
			if u.theft != "" {
				out[nameOf(k, &u)]++
			}
		}
	}
	return out
}

type holdingName struct {
	account  chain.Account
	asset    chain.Asset
	theft    string
	inferred bool
}

func nameOf(k bookName, u *unit) holdingName {
	return holdingName{k.account, k.asset, u.theft, u.rule != trace.RuleNone}
}

func (o *oracle) step(at int, inferredBlock bool) {
	x, m := &o.happened[at], o.req.Method
	n, _ := x.Amount.Uint64()
	if x.From == x.To || n == 0 {
		return
	}
	if o.retold(x) {
		return
	}
	from, to := booksOf(x)
	if from.account == weth.Contract {
		from = bookName{} // what is its own never leaves it
	}
	if m == trace.TIHO && from != (bookName{}) && len(o.drawn[from]) == 0 {
		o.batch(at, from)
	}
	have := o.books[from]
	k := min(int(n), len(have))
	var moved []unit
	switch m {
	case trace.LIFO:
		moved = slices.Clone(have[len(have)-k:])
		slices.Reverse(moved)
		o.books[from] = have[:len(have)-k]
	case trace.Haircut:
		moved, o.books[from] = shareOut(have, k)
	case trace.TIHO:
		if from == (bookName{}) {
			break
		}
		moved, o.drawn[from] = o.drawn[from][0], o.drawn[from][1:]
	default:
		moved = slices.Clone(have[:k])
		o.books[from] = slices.Clone(have[k:])
	}
	short := int(n) > len(moved)
	if from.account.IsZero() {
		moved, short = nil, false
	}
	_, _, _, link := wrapped(x)
	for i := range moved {
		u := &moved[i]
		if u.theft != "" {
			u.rule = weaker(u.rule, o.judge(u, at, short, inferredBlock))
		}
		if !link {
			u.hop++
		}
	}
	for len(moved) < int(n) {
		moved = append(moved, unit{})
	}
	for _, th := range o.req.Thefts {
		for _, s := range th.Transfers {
			if s.SameMovement(*x) || o.tells(&s, x) {
				for i := range moved {
					if moved[i].theft == "" {
						moved[i] = unit{theft: th.ID, asset: x.Asset}
						if inferredBlock {
							moved[i].rule = trace.RulePosition
						}
					}
				}
			}
		}
	}
	for i := range moved {
		moved[i].by = at + 1
	}
	if !to.account.IsZero() {
		o.arrive(to, moved)
	}
}

// weaker is the rule of what rests on two.
func weaker(a, b trace.Rule) trace.Rule {
	for _, r := range []trace.Rule{trace.RuleKnownFirst, trace.RuleOrder, trace.RulePosition, trace.RuleWithin} {
		if a == r || b == r {
			return r
		}
	}
	return trace.RuleNone
}

// judge says what rule a tainted unit goes on by.
func (o *oracle) judge(u *unit, at int, short, inferredBlock bool) trace.Rule {
	switch {
	case short:
		return trace.RuleKnownFirst
	case inferredBlock:
		return trace.RulePosition
	case o.guessed(u.by-1, at):
		return trace.RuleWithin
	case o.unordered(u.by-1, at):
		return trace.RuleOrder
	}
	return trace.RuleNone
}

// arrive brings units to a book. The bound on hops leaves some there as clean
// money; haircut keeps units of a kind together when they come by turns too
// often.
func (o *oracle) arrive(to bookName, units []unit) {
	max := o.req.Bounds.MaxHops
	tainted := false
	for i := range units {
		u := &units[i]
		if max > 0 && u.theft != "" && u.hop >= max && to.account != weth.Contract {
			o.left[nameOf(to, u)]++
			*u = unit{by: u.by}
		}
		tainted = tainted || u.theft != ""
	}
	if o.books[to] = append(o.books[to], units...); o.req.Method == trace.Haircut && tainted {
		o.books[to] = grouped(o.books[to], o.runs, max > 0)
	}
}

// grouped puts tainted units of one kind together, in the order of the first of
// each, when they lie in more than so many runs; clean ones come first.
func grouped(units []unit, runs int, hops bool) []unit {
	var out []unit
	var kinds []unit
	of := map[unit][]unit{}
	n, before := 0, unit{}
	for _, u := range units {
		if u.theft == "" {
			out = append(out, u)
			continue
		}
		kind := unit{theft: u.theft, asset: u.asset, rule: u.rule}
		if hops {
			kind.hop = u.hop
		}
		if kind != before {
			n, before = n+1, kind
		}
		if of[kind] == nil {
			kinds = append(kinds, kind)
		}
		of[kind] = append(of[kind], u)
	}
	if n <= runs {
		return units
	}
	for _, k := range kinds {
		out = append(out, of[k]...)
	}
	return out
}

// booksOf are the books that a transfer takes from and gives to: a wrap is of
// one account.
func booksOf(x *chain.Transfer) (from, to bookName) {
	if who, gives, gets, ok := wrapped(x); ok {
		return bookName{who, gives}, bookName{who, gets}
	}
	return bookName{x.From, x.Asset}, bookName{x.To, x.Asset}
}

// retold says whether a row of the token tells a wrap again: the n-th alike of
// its transaction the n-th such wrap.
func (o *oracle) retold(x *chain.Transfer) bool { return o.told(x) != nil }

func (o *oracle) told(x *chain.Transfer) *chain.Transfer {
	var links []*chain.Transfer
	before := 0
	for i := range o.all {
		y := &o.all[i]
		again, ok := toldAgain(*y)
		switch {
		case y.Tx != x.Tx || x.Tx.IsZero():
		case ok && again.From == x.From && again.To == x.To && again.Asset == x.Asset && again.Amount == x.Amount:
			links = append(links, y)
		case y.Compare(*x) < 0 && y.From == x.From && y.To == x.To && y.Asset == x.Asset && y.Amount == x.Amount:
			before++
		}
	}
	if before < len(links) {
		return links[before]
	}
	return nil
}

// tells says whether a theft's transfer tells a link again.
func (o *oracle) tells(stolen, x *chain.Transfer) bool {
	for i := range o.all {
		if o.all[i].SameMovement(*stolen) {
			l := o.told(&o.all[i])
			return l != nil && l.SameMovement(*x)
		}
	}
	return false
}

// order puts the events of each transaction before the unwrap that they pay:
// one by one, while that brings its account nearer to what it unwraps.
func (o *oracle) order() {
	for from := 0; from < len(o.all); {
		to := from + 1
		for to < len(o.all) && o.all[to].Tx == o.all[from].Tx && !o.all[from].Tx.IsZero() {
			to++
		}
		o.happened = append(o.happened, o.ordered(o.all[from:to])...)
		from = to
	}
}

func (o *oracle) ordered(tx []chain.Transfer) (out []chain.Transfer) {
	var calls, events, others []chain.Transfer // adjustments come last, fees first: of other assets than these, or of none
	for _, x := range tx {
		of := x.Asset == weth.Coin() || x.Asset == weth.Token()
		switch {
		case of && x.Kind == chain.KindInternal:
			calls = append(calls, x)
		case of && x.Kind == chain.KindToken && !o.retold(&x):
			events = append(events, x)
		case x.Kind == chain.KindFee:
			out = append(out, x)
		default:
			others = append(others, x)
		}
	}
	first := len(out)
	brought := func(who chain.Account) (n int) {
		for _, x := range out[first:] {
			a, _ := x.Amount.Uint64()
			if x.From == x.To {
				continue
			}
			gives, gets := booksOf(&x)
			if gives == (bookName{who, weth.Token()}) {
				n -= int(a)
			}
			if gets == (bookName{who, weth.Token()}) {
				n += int(a)
			}
		}
		return n
	}
	for _, x := range calls {
		if who, gives, _, ok := wrapped(&x); ok && gives == weth.Token() {
			a, _ := x.Amount.Uint64()
			had := len(out)
			best, need := had, brought(who)
			for _, e := range events {
				if need >= int(a) {
					break
				}
				if out = append(out, e); brought(who) > need {
					best, need = len(out), brought(who)
				}
			}
			out, events = out[:best], events[best-had:]
		}
		out = append(out, x)
	}
	return append(append(out, events...), others...)
}

// guessed says whether a call draws on an event of its transaction.
func (o *oracle) guessed(by, at int) bool {
	if by < 0 {
		return false
	}
	a, b := &o.happened[by], &o.happened[at]
	return a.Tx == b.Tx && !a.Tx.IsZero() && a.Kind == chain.KindToken && b.Kind == chain.KindInternal
}

// unordered says whether nothing tells which of two transactions of one block
// was first.
func (o *oracle) unordered(by, at int) bool {
	if by < 0 {
		return false
	}
	a, b := &o.happened[by], &o.happened[at]
	return a.Block == b.Block && a.Tx != b.Tx && (a.Index == chain.NoIndex || b.Index == chain.NoIndex)
}

// batch draws for all spends of a book in one transaction, up to the next
// arrival: the known units belong to the first spends, and of these the tainted
// ones fill the highest.
func (o *oracle) batch(at int, from bookName) {
	var spends, known []int
	left := len(o.books[from])
	for _, x := range o.happened[at:] {
		n, _ := x.Amount.Uint64()
		if x.Tx != o.happened[at].Tx {
			break
		}
		if x.From == x.To || n == 0 || o.retold(&x) {
			continue
		}
		gives, gets := booksOf(&x)
		if gets == from {
			break
		}
		if gives == from {
			spends, known = append(spends, int(n)), append(known, min(int(n), left))
			left -= known[len(known)-1]
		}
	}
	order := make([]int, len(spends))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return spends[j] - spends[i] })
	pieces := make([][]unit, len(spends))
	for _, tainted := range []bool{true, false} {
		for _, i := range order {
			o.books[from] = slices.DeleteFunc(slices.Clone(o.books[from]), func(u unit) bool {
				take := (u.theft != "") == tainted && len(pieces[i]) < known[i]
				if take {
					pieces[i] = append(pieces[i], u)
				}
				return take
			})
		}
	}
	o.drawn[from] = pieces
}

// shareOut takes floor(a*P_k/B) - floor(a*P_(k-1)/B) of each run of tainted
// units, P_k their running sum, and the rest from the clean ones.
func shareOut(have []unit, a int) (moved, rest []unit) {
	seen, taken := 0, 0
	var clean []unit
	for i := 0; i < len(have); {
		if have[i].theft == "" {
			clean = append(clean, have[i])
			i++
			continue
		}
		seen++
		if upTo := a * seen / len(have); upTo > taken {
			moved, taken = append(moved, have[i]), upTo
		} else {
			rest = append(rest, have[i])
		}
		i++
	}
	need := a - len(moved)
	moved = append(moved, clean[:need]...)
	return moved, append(rest, clean[need:]...)
}

// Every method but poison, which carries no origins, against the oracle, unit by
// unit.
func TestAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		if len(h.thefts) == 0 {
			return
		}
		var mod model.Model
		if err := mod.Add(facts(h.transfers)); err != nil {
			t.Fatal(err)
		}
		r, err := mod.Reader()
		if err != nil {
			t.Fatal(err)
		}
		o := oracle{
			runs: rapid.SampledFrom([]int{1, 2, 3, 64}).Draw(t, "runs"),
			req: trace.Request{
				Method: rapid.SampledFrom([]trace.Method{trace.FIFO, trace.LIFO, trace.Haircut, trace.TIHO}).Draw(t, "method"), Thefts: h.thefts,
				Bounds: trace.Bounds{MaxHops: rapid.SampledFrom([]int{0, 0, 1, 2, 5}).Draw(t, "hops")},
			},
		}
		want := o.run(r, t)
		run, err := trace.Follow(context.Background(), r, nil, o.req.InRuns(o.runs))
		if err != nil {
			t.Fatal(err)
		}
		got, left := map[holdingName]uint64{}, map[holdingName]uint64{}
		for _, x := range run.Result.Holdings {
			n, _ := x.Base.Uint64()
			got[holdingName{x.Account, x.Asset, x.Theft, x.Basis == trace.Inferred}] += n
		}
		for _, x := range run.Result.Unfollowed {
			n, _ := x.Base.Uint64()
			left[holdingName{x.Account, x.Asset, x.Theft, x.Basis == trace.Inferred}] += n
		}
		if !maps.Equal(got, want) || !maps.Equal(left, o.left) {
			t.Fatalf("%s:\n got %v and %v\nwant %v and %v", o.req.Method, got, left, want, o.left)
		}
	})
}
