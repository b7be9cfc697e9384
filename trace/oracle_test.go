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
// ledger's first transfer on, and moves as definition 3 says. It shares
// nothing with the simulation: no lots, no opening balances, no cursors.
type unit struct {
	theft    string // "" is clean
	inferred bool
}

type oracle struct {
	books map[bookName][]unit
}

type bookName struct {
	account chain.Account
	asset   chain.Asset
}

func (o *oracle) run(h history, m trace.Method, r ledger.Reader, t *rapid.T) map[holdingName]uint64 {
	o.books = map[bookName][]unit{}
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
	for i, x := range all {
		o.step(&x, rows[i].BlockInferred, m, h.thefts)
	}
	out := map[holdingName]uint64{}
	for k, units := range o.books {
		for _, u := range units {
			if u.theft != "" {
				out[holdingName{k.account, k.asset, u.theft, u.inferred}]++
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

func (o *oracle) step(x *chain.Transfer, inferredBlock bool, m trace.Method, thefts []trace.Theft) {
	n, _ := x.Amount.Uint64()
	if x.From == x.To || n == 0 {
		return
	}
	from, to := bookName{x.From, x.Asset}, bookName{x.To, x.Asset}
	have := o.books[from]
	short := int(n) > len(have)
	k := min(int(n), len(have))
	var moved []unit
	switch m {
	case trace.LIFO:
		moved = slices.Clone(have[len(have)-k:])
		slices.Reverse(moved)
		o.books[from] = have[:len(have)-k]
	case trace.Haircut:
		moved, o.books[from] = shareOut(have, k)
	default:
		moved = slices.Clone(have[:k])
		o.books[from] = slices.Clone(have[k:])
	}
	if x.From.IsZero() {
		moved, short = nil, false
	}
	for i := range moved {
		if moved[i].theft != "" && (short || inferredBlock) {
			moved[i].inferred = true
		}
	}
	for len(moved) < int(n) {
		moved = append(moved, unit{})
	}
	for _, th := range thefts {
		for _, s := range th.Transfers {
			if s.SameMovement(*x) {
				for i := range moved {
					if moved[i].theft == "" {
						moved[i] = unit{theft: th.ID, inferred: inferredBlock}
					}
				}
			}
		}
	}
	if !x.To.IsZero() {
		o.books[to] = append(o.books[to], moved...)
	}
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

// FIFO, LIFO and haircut against the oracle, unit by unit. Transfers without an
// index are left out: that their order is inferred is a rule of the fixtures.
func TestAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		for i := range h.transfers {
			if h.transfers[i].Index == chain.NoIndex && h.transfers[i].Block != chain.NoBlock {
				return
			}
		}
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
		m := rapid.SampledFrom([]trace.Method{trace.FIFO, trace.LIFO, trace.Haircut}).Draw(t, "method")
		var o oracle
		want := o.run(h, m, r, t)
		run, err := trace.Follow(context.Background(), r, nil, trace.Request{Method: m, Thefts: h.thefts})
		if err != nil {
			t.Fatal(err)
		}
		got := map[holdingName]uint64{}
		for _, x := range run.Result.Holdings {
			n, _ := x.Base.Uint64()
			got[holdingName{x.Account, x.Asset, x.Theft, x.Basis == trace.Inferred}] += n
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%s:\n got %v\nwant %v", m, got, want)
		}
	})
}
