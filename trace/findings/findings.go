package findings

import (
	"cmp"
	"slices"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"
	"bongsu/trace"
)

// Drafts are the statements by which a run is told: the bongsu-trace object of
// each theft, the findings that are new or changed, and a revocation of each
// finding in previous that the run no longer makes.
//
// c gives author, time (Modified) and marking. previous holds the newest
// version of every finding that the author stated of the run's thefts before,
// revoked ones included; other objects in it are ignored. run must come from
// trace.Follow or trace.Decode.
func Drafts(c stix.Common, run *trace.Run, previous []stix.Object) ([]journal.Draft, error) {
	old := map[string]stix.Finding{}
	for _, o := range previous {
		if f, err := stix.ReadFinding(o); err == nil && o.CreatedBy == string(c.Author) {
			old[o.ID] = f
		}
	}
	thefts := theftsOf(run)
	var out []journal.Draft
	state := func(o stix.Object, err error) error {
		out = append(out, journal.Draft{Object: o, Marking: c.Marking})
		return err
	}
	for _, id := range thefts {
		if err := state(runOf(c, run, id).Object()); err != nil {
			return nil, err
		}
	}
	now := map[string]bool{}
	for _, f := range All(run) {
		if !slices.Contains(thefts, f.Theft) {
			continue // traced from an account, not from a stated theft
		}
		f.Common = c
		f.ID = stix.FindingID(f)
		now[f.ID] = true
		if prev, ok := old[f.ID]; ok {
			if !prev.Revoked && same(prev, f) {
				continue
			}
			f.Created, f.Modified = prev.Created, later(c.Modified, prev.Modified)
		}
		if err := state(f.Object()); err != nil {
			return nil, errs.Wrap("findings", f.Account.String(), err)
		}
	}
	for _, id := range sortedKeys(old) {
		f := old[id]
		if now[id] || f.Revoked || !slices.Contains(thefts, f.Theft) {
			continue
		}
		f.Modified, f.Revoked, f.Trace = later(c.Modified, f.Modified), true, run.Result.Digest
		if err := state(f.Object()); err != nil {
			return nil, errs.Wrap("findings", f.Account.String(), err)
		}
	}
	return out, nil
}

// later is the time of a new version: now, but always after the old version.
func later(now, old time.Time) time.Time {
	if now.After(old) {
		return now
	}
	return old.Add(time.Millisecond)
}

func sortedKeys(m map[string]stix.Finding) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// same says whether two findings say the same but for who says it when, and by
// which run.
func same(a, b stix.Finding) bool {
	a.Common, b.Common = stix.Common{}, stix.Common{}
	a.Trace, b.Trace = "", ""
	a.Since, b.Since = a.Since.UTC(), b.Since.UTC()
	return a.Theft == b.Theft && a.Place == b.Place && a.Account == b.Account && a.Amount == b.Amount && a.Origin == b.Origin &&
		a.Basis == b.Basis && a.Rule == b.Rule && a.Provisional == b.Provisional && a.Since.Equal(b.Since) && a.First.Equal(b.First) &&
		a.Last.Equal(b.Last) && a.Label == b.Label && a.Category == b.Category && a.Source == b.Source && a.Reason == b.Reason
}

func theftsOf(run *trace.Run) []string {
	var out []string
	for _, t := range run.Request.Thefts {
		out = append(out, t.ID)
	}
	return out
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
