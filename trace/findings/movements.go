package findings

import (
	"maps"
	"slices"

	"bongsu/chain"
	"bongsu/identity"
	"bongsu/stix"
	"bongsu/trace"
)

// Final says whether a block of a chain is final. Nil: every block is.
type Final func(id chain.ID, block uint64) bool

// Movements are what a run says moved since the run that was stated before it,
// and the present form of every movement that is said to have moved. With no
// run before there are none: what happened until a theft is first traced is
// told by its findings. author is who states them.
//
// A transfer is new when the run before does not have it. Where the two runs
// asked differently (another method, other bounds), a transfer is new when its
// block is above what the run before read: that other money counts as stolen
// now is no movement.
func Movements(run, before *trace.Run, said Said, author identity.OrgID, final Final) []stix.Movement {
	known := func(*stix.Movement) bool { return true }
	if before != nil {
		known = knownTo(before, author, sameQuestion(run, before))
	}
	var out []stix.Movement
	for _, m := range gather(run, author) {
		if _, stated := said.Statements[m.ID]; !stated && known(&m) {
			continue
		}
		m.Provisional = final != nil && m.Block > 0 && !final(m.Account.Chain(), m.Block)
		out = append(out, m)
	}
	return out
}

// knownTo says which movements a run knew of.
func knownTo(run *trace.Run, author identity.OrgID, sameQuestion bool) func(*stix.Movement) bool {
	if sameQuestion {
		ids := map[string]bool{}
		for _, m := range gather(run, author) {
			ids[m.ID] = true
		}
		return func(m *stix.Movement) bool { return ids[m.ID] }
	}
	read := map[chain.ID]uint64{}
	for _, g := range run.Result.Ledger {
		read[g.Chain] = g.To
	}
	return func(m *stix.Movement) bool { return m.Block <= read[m.Account.Chain()] }
}

// sameQuestion says whether two runs asked the same of the ledger.
func sameQuestion(a, b *trace.Run) bool {
	x, y := &a.Request, &b.Request
	return x.Method == y.Method && x.Fees == y.Fees && x.ObservedOnly == y.ObservedOnly && x.SkipAside == y.SkipAside &&
		x.Bounds.MaxDegree == y.Bounds.MaxDegree && x.Bounds.MaxHops == y.Bounds.MaxHops && slices.Equal(x.Bounds.MinAmount, y.Bounds.MinAmount)
}

// movementKey is what MovementID is made of.
type movementKey struct {
	theft   string
	event   stix.MovementEvent
	tx      string
	account chain.Account
	asset   chain.Asset
	basis   trace.Basis
}

// gather lists a run's movements in chain order, the parts of one summed up.
// The theft's own transfers are none, nor is what goes back to its sender.
func gather(run *trace.Run, author identity.OrgID) []stix.Movement {
	at := map[movementKey]int{}
	senders := map[movementKey]map[chain.Account]bool{}
	var out []stix.Movement
	for _, e := range run.Timeline() {
		event, ok := eventOf(&e)
		if !ok || e.Tx == "" || !slices.ContainsFunc(run.Request.Thefts, func(t trace.Theft) bool { return t.ID == e.Theft }) {
			continue
		}
		k := movementKey{e.Theft, event, e.Tx, e.To, e.Asset, e.Basis}
		if senders[k] == nil {
			senders[k] = map[chain.Account]bool{}
		}
		if !e.From.IsZero() {
			senders[k][e.From] = true
		}
		if i, ok := at[k]; ok {
			join(run, &out[i], &e)
			continue
		}
		m := stix.Movement{
			Theft: e.Theft, Event: event, Account: e.To, Amount: amount(e.Amount), Tx: e.Tx, Block: e.Block, At: e.Time.Std(),
			Label: e.Label, Category: e.Category, Source: e.Source, Basis: string(e.Basis), Rule: string(e.Rule), Trace: run.Result.Digest,
		}
		if e.Origin.Asset != "" {
			m.Origin = amount(e.Origin)
		}
		if event == stix.Woke {
			m.IdleDays = e.Slept
		}
		m.Author = author
		m.ID = stix.MovementID(m)
		at[k], out = len(out), append(out, m)
	}
	for k, i := range at {
		out[i].Senders = len(senders[k])
		out[i].From = slices.SortedFunc(maps.Keys(senders[k]), chain.Account.Compare)
		out[i].From = out[i].From[:min(len(out[i].From), stix.MaxSenders)]
	}
	return out
}

func eventOf(e *trace.Event) (stix.MovementEvent, bool) {
	switch e.Kind {
	case trace.EventService:
		return stix.ReachedService, true
	case trace.EventWoke:
		return stix.Woke, true
	case trace.EventMoved:
		return stix.Moved, e.From != e.To
	}
	return "", false
}

// join adds a part to a movement. A sum beyond 2^256 is cut.
func join(run *trace.Run, m *stix.Movement, e *trace.Event) {
	m.Amount = sum(run, m.Amount, e.Amount)
	if e.Origin.Asset != "" && (m.Origin.Asset == e.Origin.Asset || m.Origin.Asset == "") {
		m.Origin = sum(run, m.Origin, e.Origin)
	}
	if m.Event == stix.Woke {
		m.IdleDays = max(m.IdleDays, e.Slept)
	}
}

func sum(run *trace.Run, a stix.Amount, b trace.Amount) stix.Amount {
	base, err := a.Exact()
	if err != nil {
		return amount(b)
	}
	total, fits := base.Add(b.Base)
	if !fits {
		return a
	}
	return amount(run.Amount(b.Asset, total))
}
