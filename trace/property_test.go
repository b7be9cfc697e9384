package trace_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/labels"
	"bongsu/ledger/model"
	"bongsu/trace"

	"pgregory.net/rapid"
)

// history is a generated ledger with thefts in it.
type history struct {
	transfers []chain.Transfer
	thefts    []trace.Theft
	set       *labels.Set
}

const people = 7

func person(n int) chain.Account { return chain.EVM(chain.Ethereum, [20]byte{0xaa, byte(n + 1)}) }

// genHistory draws some dozens of transfers among few accounts: hubs, loops,
// transfers to oneself, fees, mints, burns, adjustments, zero values, several
// in one transaction, some without an index or a block.
func genHistory(t *rapid.T) history {
	var h history
	n := rapid.IntRange(3, 45).Draw(t, "transfers")
	block, index := uint64(10), uint32(0)
	assets := []chain.Asset{chain.Ethereum.Native(), chain.Token(person(50))}
	wraps := rapid.Bool().Draw(t, "wraps")
	if wraps {
		assets[1] = weth.Token()
	}
	who := rapid.Custom(func(t *rapid.T) chain.Account {
		if n := rapid.IntRange(0, people-1).Draw(t, "who"); n < people-1 || !wraps {
			return person(n)
		}
		return weth.Contract
	})
	for i := range n {
		switch rapid.IntRange(0, 3).Draw(t, "step") {
		case 0:
			block, index = block+uint64(rapid.IntRange(1, 3).Draw(t, "blocks")), 0
		case 1:
			index++
		}
		tr := chain.Transfer{
			Chain: chain.Ethereum, Block: block, Index: index, Time: chain.Time(block * 12_000), Kind: chain.KindInternal, Ordinal: uint32(i),
			From: who.Draw(t, "from"), To: who.Draw(t, "to"),
			Asset: assets[rapid.IntRange(0, 1).Draw(t, "asset")], Amount: chain.Units(uint64(rapid.IntRange(0, 12).Draw(t, "amount"))),
		}
		if wraps && i == 0 {
			tr.Asset = weth.Coin() // where there is none the contract is an account as any other
		}
		if wraps && tr.Asset == weth.Token() && rapid.Bool().Draw(t, "event") {
			tr.Kind = chain.KindToken
		}
		switch rapid.IntRange(0, 19).Draw(t, "kind") {
		case 0:
			tr.Kind, tr.To = chain.KindFee, chain.Account{}
		case 1:
			tr.Kind, tr.From = chain.KindAdjustment, chain.Account{}
		case 2:
			tr.Kind, tr.To = chain.KindAdjustment, chain.Account{}
		case 3:
			tr.Index = chain.NoIndex
		case 4:
			tr.Block, tr.Index = chain.NoBlock, chain.NoIndex
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%d.%d", tr.Block, tr.Index))
		tr.Tx, _ = chain.NewTxID(sum[:])
		tr.Nth = nth(h.transfers, &tr)
		h.transfers = append(h.transfers, tr)
		if again, ok := toldAgain(tr); ok && rapid.IntRange(0, 3).Draw(t, "told again") == 0 {
			again.Ordinal += againOrdinal
			again.Nth = nth(h.transfers, &again)
			h.transfers = append(h.transfers, again)
		}
	}
	h.thefts = genThefts(t, h.transfers)
	return h
}

// wrapped says whether a transfer wraps or unwraps coin, whose, and into what.
func wrapped(x *chain.Transfer) (account chain.Account, gives, gets chain.Asset, ok bool) {
	coin, token := weth.Coin(), weth.Token()
	switch {
	case x.Asset != coin || x.From == x.To:
	case x.To == weth.Contract && !x.From.IsZero():
		return x.From, coin, token, true
	case x.From == weth.Contract && !x.To.IsZero():
		return x.To, token, coin, true
	}
	return account, "", "", false
}

// toldAgain is the row of the token by which some sources tell a wrap again.
func toldAgain(x chain.Transfer) (chain.Transfer, bool) {
	account, _, gets, ok := wrapped(&x)
	x.From, x.To = chain.Account{}, account
	if gets == x.Asset {
		x.From, x.To = account, chain.Account{}
	}
	x.Kind, x.Asset = chain.KindToken, weth.Token()
	return x, ok && !x.Tx.IsZero()
}

// againOrdinal is added to the ordinals of such rows.
const againOrdinal = 1000

// nth numbers equal movements of one transaction, as sources do.
func nth(all []chain.Transfer, tr *chain.Transfer) (n uint32) {
	for _, x := range all {
		x.Nth = tr.Nth
		if x.SameMovement(*tr) {
			n++
		}
	}
	return n
}

func genThefts(t *rapid.T, all []chain.Transfer) (out []trace.Theft) {
	for i := range rapid.IntRange(1, 3).Draw(t, "thefts") {
		th := trace.Theft{ID: fmt.Sprintf("theft-%d", i)}
		for _, k := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, min(3, len(all)), rapid.ID[int]).Draw(t, "stolen") {
			if x := all[k]; x.From != x.To && x.Kind != chain.KindFee { // a transaction pays one fee: equal ones are the same
				th.Transfers = append(th.Transfers, x)
			}
		}
		if len(th.Transfers) > 0 {
			out = append(out, th)
		}
	}
	return out
}

func followed(t *rapid.T, h history, q trace.Request) *trace.Run {
	var m model.Model
	if err := m.Add(facts(h.transfers)); err != nil {
		t.Fatal(err)
	}
	r, err := m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	q.Thefts = h.thefts
	run, err := trace.Follow(context.Background(), r, h.set, q)
	if err != nil {
		t.Fatalf("%s: %v", q.Method, err)
	}
	return run
}

// Whatever the history, the method and the bounds: what was stolen is what is
// accounted for, and no account holds more taint than it has.
func TestConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		if len(h.thefts) == 0 {
			return
		}
		h.set = labels.NewSet([]labels.Label{
			{Account: person(0), Label: "E", Category: "exchange", Source: "s", Score: 50},
			{Account: person(1), Label: "D", Category: "defi", Source: "s", Score: uint8(rapid.SampledFrom([]int{10, 50}).Draw(t, "score"))},
		})
		q := trace.Request{
			Method: rapid.SampledFrom(trace.Methods()).Draw(t, "method"), ObservedOnly: rapid.Bool().Draw(t, "observed"),
			Bounds: trace.Bounds{
				MaxDegree: rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "degree"), MaxHops: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "hops"),
				Until: chain.Time(rapid.SampledFrom([]int{0, 0, 20, 40}).Draw(t, "until")) * 12_000,
			},
		}
		if rapid.Bool().Draw(t, "floor") {
			q.Bounds.MinAmount = []chain.Money{{Asset: chain.Ethereum.Native(), Amount: chain.Units(4)}}
		}
		run := followed(t, h, q)
		checkSums(t, run)
		if q.ObservedOnly {
			for _, x := range run.Result.Holdings {
				if x.Basis != trace.Observed {
					t.Fatalf("inferred, though only observed links were asked for: %+v", x)
				}
			}
		}
		if err := run.Result.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}

// unwrapped is the asset that poison's amounts are summed up in: it carries no
// origins, and wrapping keeps amounts.
func unwrapped(run *trace.Run, a chain.Asset) chain.Asset {
	if a == weth.Token() && run.Result.Method == trace.Poison {
		return weth.Coin()
	}
	return a
}

type stolenKey struct {
	theft string
	asset chain.Asset
}

// checkSums adds a result up once more, from its written rows.
func checkSums(t *rapid.T, run *trace.Run) {
	want, have := map[stolenKey]chain.Amount{}, map[stolenKey]chain.Amount{}
	poison := run.Result.Method == trace.Poison
	add := func(theft string, a trace.Amount, o *trace.Amount) {
		if poison {
			o, theft = &a, ""
		}
		k := stolenKey{theft, unwrapped(run, o.Asset)}
		have[k] = have[k].MustAdd(o.Base)
	}
	for _, p := range run.Stolen {
		k := stolenKey{p.Theft, unwrapped(run, p.Asset)}
		if poison {
			k.theft = ""
		}
		want[k] = want[k].MustAdd(p.Base)
	}
	for _, x := range run.Result.Turned {
		k := stolenKey{"", unwrapped(run, x.Asset)}
		want[k] = want[k].MustAdd(x.Base)
	}
	res := &run.Result
	for _, x := range res.Holdings {
		add(x.Theft, x.Amount, x.Origin)
	}
	for _, x := range res.Exits {
		add(x.Theft, x.Amount, x.Origin)
	}
	for _, x := range res.Unfollowed {
		add(x.Theft, x.Amount, x.Origin)
	}
	for _, x := range slices.Concat(res.Fees, res.Adjustments, res.Collided) {
		add(x.Theft, x.Amount, x.Origin)
	}
	for k, v := range want {
		if have[k] != v {
			t.Fatalf("%s %v: %s stolen, %s accounted for", res.Method, k, v.Base(), have[k].Base())
		}
	}
	for k := range have {
		if _, ok := want[k]; !ok && !have[k].IsZero() {
			t.Fatalf("%s %v: %s accounted for that nobody stole", res.Method, k, have[k].Base())
		}
	}
	for _, i := range res.Incomplete {
		if i.Known.Base.MustAdd(i.Missing.Base) != i.Spent.Base {
			t.Fatalf("incomplete does not add up: %+v", i)
		}
	}
}

// A transfer carries at most what it moves, and each lot drawn was there.
func TestFlowsFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		if len(h.thefts) == 0 {
			return
		}
		for _, m := range trace.Methods() {
			run := followed(t, h, trace.Request{Method: m})
			type row struct {
				theft, tx, kind string
				from, to        chain.Account
				asset           chain.Asset
				total           chain.Amount
			}
			sum, times := map[row]chain.Amount{}, map[row]chain.Amount{}
			for i, f := range run.Flows {
				k := row{f.Theft, f.Tx, f.Kind, f.From, f.To, f.Asset, f.Total}
				if m != trace.Poison {
					k.theft = ""
				}
				sum[k] = sum[k].MustAdd(f.Amount)
				if times[k].IsZero() {
					for _, x := range h.transfers {
						if tells(&f, &x) {
							times[k] = times[k].MustAdd(f.Total)
						}
					}
				}
				if times[k].Less(sum[k]) {
					t.Fatalf("%s: %s taint in transfers of %s: %+v", m, sum[k].Base(), times[k].Base(), f)
				}
				for _, p := range f.Parents {
					if p >= i || run.Flows[p].To != f.From || run.Flows[p].Theft != f.Theft {
						t.Fatalf("%s: flow %d cannot come from flow %d", m, i, p)
					}
				}
				if f.Hop > 0 && len(f.Parents) == 0 {
					t.Fatalf("%s: flow %d comes from nowhere", m, i)
				}
			}
		}
	})
}

// tells says whether a flow is of a transfer: of a wrap it names the account
// and what it got.
func tells(f *trace.Flow, x *chain.Transfer) bool {
	from, to, asset := x.From, x.To, x.Asset
	if who, _, gets, ok := wrapped(x); ok {
		from, to, asset = who, who, gets
	}
	return x.Tx.Text(x.Chain) == f.Tx && from == f.From && to == f.To && asset == f.Asset && x.Amount == f.Total && x.Kind.String() == f.Kind
}

// Poison's accounts include every other method's.
func TestPoisonReachesAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		if len(h.thefts) == 0 {
			return
		}
		h.thefts = h.thefts[:1]
		reach := func(m trace.Method) map[chain.Account]bool {
			out := map[chain.Account]bool{}
			for _, f := range followed(t, h, trace.Request{Method: m}).Flows {
				out[f.To] = true
			}
			return out
		}
		all := reach(trace.Poison)
		for _, m := range []trace.Method{trace.FIFO, trace.LIFO, trace.Haircut, trace.TIHO} {
			for a := range reach(m) {
				if !all[a] {
					t.Fatalf("%s reaches %s and poison does not", m, a)
				}
			}
		}
	})
}

// The order and the partition of imports, and repeated ones, change nothing.
func TestAnyImportOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		if len(h.thefts) == 0 {
			return
		}
		q := trace.Request{Method: rapid.SampledFrom(trace.Methods()).Draw(t, "method"), Thefts: h.thefts}
		want := followed(t, h, q).Result.Digest
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		shuffled := slices.Clone(h.transfers)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		cut := rng.Intn(len(shuffled) + 1)
		var m model.Model
		for _, part := range [][]chain.Transfer{shuffled[:cut], shuffled, shuffled[cut:]} {
			if err := m.Add(facts(part)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := m.Reader()
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(q.Thefts)
		run, err := trace.Follow(context.Background(), r, h.set, q)
		if err != nil {
			t.Fatal(err)
		}
		if run.Result.Digest != want {
			t.Fatalf("digest %s, want %s", run.Result.Digest, want)
		}
	})
}
