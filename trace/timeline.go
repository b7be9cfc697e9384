package trace

import (
	"time"

	"bongsu/chain"
)

// EventKind says what a transfer of stolen money means.
type EventKind string

// The kinds of events.
const (
	EventStolen  EventKind = "stolen"  // the theft itself
	EventMoved   EventKind = "moved"   // it went on
	EventService EventKind = "service" // it reached a labelled service
	EventWoke    EventKind = "woke"    // it went on after WokeAfter or more without a movement
)

// WokeAfter is how long money must lie before its next movement is a waking.
const WokeAfter = 7 * 24 * time.Hour

// Event is one transfer of stolen money on a timeline.
type Event struct {
	Kind     EventKind     `json:"kind"`
	Theft    string        `json:"theft"`
	Time     chain.Time    `json:"time,omitzero"`
	Block    uint64        `json:"block"`
	Tx       string        `json:"tx"`
	From     chain.Account `json:"from,omitzero"`
	To       chain.Account `json:"to,omitzero"`
	Amount                 // stolen part of the transfer
	Origin   Amount        `json:"origin,omitzero"` // the part of the theft it stands for, of one stolen asset; none with Poison
	Basis    Basis         `json:"basis"`
	Rule     Rule          `json:"rule,omitempty"`
	Link     Link          `json:"link,omitempty"`  // From turned it into this asset, at Via
	Via      chain.Account `json:"via,omitzero"`    // the contract that did it
	Label    string        `json:"label,omitempty"` // with EventService, as are Category and Source
	Category string        `json:"category,omitempty"`
	Source   string        `json:"source,omitempty"` // of the label
	Slept    int           `json:"slept_days,omitempty"`
}

// Timeline lists a run's transfers of stolen money in order, the parts of one
// transfer and theft summed up. Fees are left out.
func (r *Run) Timeline() []Event {
	service := map[chain.Account]*Exit{}
	for i := range r.Result.Exits {
		service[r.Result.Exits[i].Account] = &r.Result.Exits[i]
	}
	type key struct {
		theft, tx string
		from, to  chain.Account
		asset     chain.Asset
		ordinal   uint32
		basis     Basis
		link      Link
	}
	at := map[key]int{}
	out := []Event{}
	for i := range r.Flows {
		f := &r.Flows[i]
		if f.To.IsZero() {
			continue
		}
		k := key{f.Theft, f.Tx, f.From, f.To, f.Asset, chain.NoOrdinal, f.Basis, f.Link}
		if f.Ordinal != nil {
			k.ordinal = *f.Ordinal
		}
		if n, ok := at[k]; ok && out[n].Time == f.Time {
			sum, fits := out[n].Amount.Base.Add(f.Amount)
			if fits {
				out[n].Amount = r.Amount(f.Asset, sum)
			}
			out[n].addOrigin(r, f)
			continue
		}
		e := Event{
			Kind: EventMoved, Theft: f.Theft, Time: f.Time, Block: f.Block, Tx: f.Tx, From: f.From, To: f.To,
			Amount: r.Amount(f.Asset, f.Amount), Basis: f.Basis, Rule: f.Rule, Link: f.Link, Via: f.Via,
		}
		e.addOrigin(r, f)
		slept := r.slept(f)
		switch at, ok := service[f.To]; {
		case ok:
			e.Kind, e.Label, e.Category, e.Source = EventService, at.Label, at.Category, at.Source
		case len(f.Parents) == 0:
			e.Kind = EventStolen
		case slept >= WokeAfter:
			e.Kind, e.Slept = EventWoke, int(slept/(24*time.Hour))
		}
		at[k] = len(out)
		out = append(out, e)
	}
	return out
}

// addOrigin adds the origin amount of a flow. Those of several stolen assets
// cannot be summed: the first by name stays.
func (e *Event) addOrigin(r *Run, f *Flow) {
	switch {
	case f.OriginAsset == "" || f.Origin.IsZero() || e.Origin.Asset != "" && e.Origin.Asset < f.OriginAsset:
	case e.Origin.Asset != f.OriginAsset:
		e.Origin = r.Amount(f.OriginAsset, f.Origin)
	default:
		if sum, fits := e.Origin.Base.Add(f.Origin); fits {
			e.Origin = r.Amount(f.OriginAsset, sum)
		}
	}
}

// slept is how long the youngest of the lots that a flow drew on had lain; 0
// when that is not known.
func (r *Run) slept(f *Flow) time.Duration {
	last := f.Time
	for i, p := range f.Parents {
		if i == 0 {
			last = r.Flows[p].Time
		} else {
			last = latest(last, r.Flows[p].Time)
		}
	}
	if last == 0 || f.Time == 0 {
		return 0
	}
	return time.Duration(f.Time-last) * time.Millisecond
}
