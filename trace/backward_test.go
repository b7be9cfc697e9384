package trace_test

import (
	"testing"

	"bongsu/chain"
	"bongsu/trace"

	"pgregory.net/rapid"
)

// Backward is forward's dual: what a transfer contributes to a deposit is what
// tracing that transfer alone carries into it, and together with what the
// ledger does not explain it is the deposit.
func TestDuality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHistory(t)
		d := h.transfers[rapid.IntRange(0, len(h.transfers)-1).Draw(t, "deposit")]
		if d.From == d.To || d.Kind == chain.KindFee || d.Kind == chain.KindAdjustment || d.Amount.IsZero() {
			return
		}
		if d.Ordinal >= againOrdinal {
			return // it may tell a wrap again, which then is the deposit
		}
		method := rapid.SampledFrom([]trace.Method{trace.FIFO, trace.LIFO, trace.Haircut, trace.TIHO, trace.Poison}).Draw(t, "method")
		h.thefts = []trace.Theft{{ID: "d", Transfers: []chain.Transfer{d}}}
		back := followed(t, h, trace.Request{Method: method, Backward: true})
		want := map[chain.Account]chain.Amount{}
		total := chain.Amount{}
		for _, x := range back.Result.Holdings {
			want[x.Account] = want[x.Account].MustAdd(x.Base)
			total = total.MustAdd(x.Base)
		}
		if method != trace.TIHO && method != trace.Poison {
			for _, x := range back.Result.Incomplete {
				total = total.MustAdd(x.Missing.Base)
			}
			if total != d.Amount {
				t.Fatalf("%s: a deposit of %s is explained by %s", method, d.Amount.Base(), total.Base())
			}
		}
		got := map[chain.Account]chain.Amount{}
		seen := map[*chain.Transfer]bool{}
		for _, f := range back.Flows {
			if len(f.Parents) > 0 {
				continue
			}
			s := find(&h, &f)
			if s == nil {
				t.Fatalf("a flow of no transfer: %+v", f)
			}
			if seen[s] {
				continue
			}
			seen[s] = true
			g := h
			g.thefts = []trace.Theft{{ID: "s", Transfers: []chain.Transfer{*s}}}
			who := s.From
			if who.IsZero() {
				who = s.To
			}
			if a, _, _, ok := wrapped(s); ok {
				who = a
			}
			for _, x := range followed(t, g, trace.Request{Method: method}).Flows {
				if find(&h, &x) == find(&h, &trace.Flow{Tx: d.Tx.Text(d.Chain), Ordinal: &d.Ordinal}) {
					got[who] = got[who].MustAdd(x.Amount)
				}
			}
		}
		together := chain.Amount{}
		for _, v := range got {
			together = together.MustAdd(v)
		}
		trimmed := method == trace.Haircut && d.Amount.Less(together) // each is rounded alone
		for a, v := range want {
			if got[a] != v && !(trimmed && v.Less(got[a])) {
				t.Fatalf("%s: %s contributed %s backward and %s forward", method, a, v.Base(), got[a].Base())
			}
		}
	})
}

// find is the transfer of a flow; ordinals are unique in a history.
func find(h *history, f *trace.Flow) *chain.Transfer {
	for i := range h.transfers {
		if x := &h.transfers[i]; f.Ordinal != nil && x.Ordinal == *f.Ordinal && x.Tx.Text(x.Chain) == f.Tx {
			return x
		}
	}
	return nil
}
