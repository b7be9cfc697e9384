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
	Kind   EventKind     `json:"kind"`
	Theft  string        `json:"theft"`
	Time   chain.Time    `json:"time"`
	Block  uint64        `json:"block"`
	Tx     string        `json:"tx"`
	From   chain.Account `json:"from,omitzero"`
	To     chain.Account `json:"to,omitzero"`
	Amount               // stolen part of the transfer
	Basis  Basis         `json:"basis"`
	Rule   Rule          `json:"rule,omitempty"`
	Label  string        `json:"label,omitempty"` // with EventService
	Slept  int           `json:"slept_days,omitempty"`
}

// Timeline lists a run's transfers of stolen money in order, the parts of one
// transfer and theft summed up. Fees are left out.
func (r *Run) Timeline() []Event {
	service := map[chain.Account]string{}
	for _, x := range r.Result.Exits {
		service[x.Account] = x.Label
	}
	type key struct {
		theft, tx string
		from, to  chain.Account
		asset     chain.Asset
		ordinal   uint32
		basis     Basis
	}
	at := map[key]int{}
	out := []Event{}
	for i := range r.Flows {
		f := &r.Flows[i]
		if f.To.IsZero() {
			continue
		}
		k := key{f.Theft, f.Tx, f.From, f.To, f.Asset, chain.NoOrdinal, f.Basis}
		if f.Ordinal != nil {
			k.ordinal = *f.Ordinal
		}
		if n, ok := at[k]; ok && out[n].Time == f.Time {
			sum, fits := out[n].Amount.Base.Add(f.Amount)
			if fits {
				out[n].Amount = r.Amount(f.Asset, sum)
			}
			continue
		}
		e := Event{
			Kind: EventMoved, Theft: f.Theft, Time: f.Time, Block: f.Block, Tx: f.Tx, From: f.From, To: f.To,
			Amount: r.Amount(f.Asset, f.Amount), Basis: f.Basis, Rule: f.Rule,
		}
		slept := r.slept(f)
		switch label, ok := service[f.To]; {
		case ok:
			e.Kind, e.Label = EventService, label
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

// slept is how long the youngest of the lots that a flow drew on had lain.
func (r *Run) slept(f *Flow) time.Duration {
	var last chain.Time
	for _, p := range f.Parents {
		last = max(last, r.Flows[p].Time)
	}
	if len(f.Parents) == 0 {
		return 0
	}
	return time.Duration(f.Time-last) * time.Millisecond
}
