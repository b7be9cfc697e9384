package screen

// Rule gives the verdict of the reasons it fits. An empty field fits anything.
type Rule struct {
	Kind        string  `json:"kind,omitempty" toml:"kind"`
	Place       string  `json:"place,omitempty" toml:"place"`
	Basis       string  `json:"basis,omitempty" toml:"basis"`
	Provisional *bool   `json:"provisional,omitempty" toml:"provisional"`
	Verdict     Verdict `json:"verdict" toml:"verdict"`
}

// Rules are tried in order; the first that fits a reason decides. A reason
// that none fits is Watch: what the journal says is never silently Clear.
type Rules []Rule

// DefaultRules: a listing blocks; what rests on blocks that are not final, or
// only passed through, is watched, as is what a trace could not resolve
// (incomplete, unfollowed) and the service account at which funds left (others'
// money lies there too); an inferred holding is held; an observed one blocks.
func DefaultRules() Rules {
	yes := true
	return Rules{
		{Kind: Listing, Verdict: Block},
		{Kind: Exposure, Provisional: &yes, Verdict: Watch},
		{Kind: Exposure, Place: PlacePassed, Verdict: Watch},
		{Kind: Exposure, Place: PlaceIncomplete, Verdict: Watch},
		{Kind: Exposure, Place: PlaceUnfollowed, Verdict: Watch},
		{Kind: Exposure, Basis: Inferred, Verdict: Hold},
		{Kind: Exposure, Place: PlaceHolding, Basis: Observed, Verdict: Block},
		{Kind: Exposure, Place: PlaceExit, Basis: Observed, Verdict: Watch},
	}
}

// Of is the verdict that r leads to.
func (rs Rules) Of(r *Reason) Verdict {
	for i := range rs {
		if rs[i].fits(r) {
			return rs[i].Verdict
		}
	}
	return Watch
}

func (ru *Rule) fits(r *Reason) bool {
	return (ru.Kind == "" || ru.Kind == r.Kind) &&
		(ru.Place == "" || ru.Place == r.Place) &&
		(ru.Basis == "" || ru.Basis == r.Basis) &&
		(ru.Provisional == nil || *ru.Provisional == r.Provisional)
}
