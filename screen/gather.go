package screen

// maxGathered is how many reasons are looked at for their order; with more,
// only one that is more severe than all before is still taken up.
const maxGathered = 8 * MaxReasons

// gathering is the reasons for one value on their way into its answer.
type gathering struct {
	x       *Index
	ms      int64 // the moment, unix milliseconds
	verdict Verdict
	reasons []Reason
	more    int
}

func (g *gathering) over() bool { return len(g.reasons) >= maxGathered }

// take takes up one reason that counts and is not hidden.
func (g *gathering) take(r *Reason, verdict Verdict) {
	if g.over() && verdict <= g.verdict {
		g.more++
		return
	}
	g.verdict = max(g.verdict, verdict)
	g.reasons = append(g.reasons, *r)
	g.reasons[len(g.reasons)-1].Verdict = verdict
}

func (g *gathering) takeRecord(r *record) {
	if counts(r.from, r.until, g.ms) {
		g.take(&r.reason, g.x.rules.Of(&r.reason))
	}
}
