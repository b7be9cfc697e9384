package findings

import (
	"cmp"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"
	"bongsu/trace"
)

// Drafts are the statements by which a run is told: the findings that are new
// or changed, a revocation of each finding that said knows and the run no
// longer makes, the same for movements, and last the bongsu-trace object of
// each theft.
//
// c gives author, time (Modified) and marking. before is the run that the
// author stated last of the same thefts, nil for none: a movement is stated
// when it is new since then. said is what the author stated of
// the run's thefts, and where to read it again. final says whether a block is
// final. run must come from trace.Follow or trace.Decode.
func Drafts(c stix.Common, run, before *trace.Run, said Said, final Final) ([]journal.Draft, error) {
	return Tell(run, before, c.Author, final).Drafts(c, said)
}

func theftsOf(run *trace.Run) []string {
	var out []string
	for _, t := range run.Request.Thefts {
		out = append(out, t.ID)
	}
	return out
}

// runOf is the run of one theft, as a new version when the very same run was
// stated before.
func (d *drafting) runOf(theft string) (stix.Object, error) {
	r := runOf(d.c, d.run, theft)
	o, err := r.Object()
	if err != nil {
		return o, err
	}
	old, err := d.said.Get(o.ID)
	switch {
	case errs.Is(err) == errs.NotExist:
		return o, nil
	case err != nil:
		return o, err
	}
	r.Created, r.Modified = old.Created, later(r.Modified, old.Modified)
	return r.Object()
}

func runOf(c stix.Common, run *trace.Run, theft string) stix.Run {
	r := stix.Run{Common: c, Theft: theft, Method: string(run.Result.Method), Digest: run.Result.Digest, Labels: run.Result.Labels}
	for i, l := range run.Result.Ledger {
		if i > 0 {
			r.Ledger += " "
		}
		r.Ledger += l.Digest
	}
	totals := map[chain.Asset]*trace.Amount{}
	for i := range run.Result.Holdings {
		h := &run.Result.Holdings[i]
		if h.Theft != theft {
			continue
		}
		if t := totals[h.Asset]; t != nil {
			*t = plus(run, *t, h.Amount)
			continue
		}
		a := h.Amount
		totals[h.Asset] = &a
	}
	for _, t := range totals {
		r.Totals = append(r.Totals, amount(*t))
	}
	slices.SortFunc(r.Totals, func(a, b stix.Amount) int { return cmp.Compare(a.Asset, b.Asset) })
	return r
}

// plus adds two amounts of one asset. A result's sums fit by definition 8.
func plus(run *trace.Run, a, b trace.Amount) trace.Amount {
	return run.Amount(a.Asset, a.Base.MustAdd(b.Base))
}

func amount(a trace.Amount) stix.Amount {
	return stix.Amount{Asset: a.Asset, Symbol: a.Symbol, Amount: a.Amount, Base: a.Base.Base()}
}

func origin(a *trace.Amount) stix.Amount {
	if a == nil {
		return stix.Amount{}
	}
	return amount(*a)
}
