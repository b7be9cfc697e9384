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

// movement is one of a run's; an old one is no news.
type movement struct {
	stix.Movement
	old bool
}

// movements are a run's, each with whether it moved since the run that was
// stated before. With no run before all are old: what happened until a theft is
// first traced is told by its findings. author is who states them.
//
// A transfer is new when the run before does not have it. Where the two runs
// asked differently (another method, other bounds), a transfer is new when its
// block is above what the run before read: that other money counts as stolen
// now is no movement.
func movements(run, before *trace.Run, author identity.OrgID, final Final) []movement {
	known := func(movementKey, *stix.Movement) bool { return true }
	if before != nil {
		known = knownTo(before, sameQuestion(run, before))
	}
	g := gather(run)
	out := make([]movement, len(g.list))
	for i, m := range g.list {
		m.Author = author
		m.ID = stix.MovementID(m)
		m.Provisional = final != nil && m.Block > 0 && !final(m.Account.Chain(), m.Block)
		out[i] = movement{m, known(g.keys[i], &m)}
	}
	return out
}

// knownTo says which movements a run knew of.
func knownTo(run *trace.Run, sameQuestion bool) func(movementKey, *stix.Movement) bool {
	if sameQuestion {
		at := gather(run).at
		return func(k movementKey, _ *stix.Movement) bool { _, ok := at[k]; return ok }
	}
	read := map[chain.ID]uint64{}
	for _, g := range run.Result.Ledger {
		read[g.Chain] = g.To
	}
	return func(_ movementKey, m *stix.Movement) bool { return m.Block <= read[m.Account.Chain()] }
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
	link    trace.Link
}

// gathered are a run's movements in chain order.
type gathered struct {
	list []stix.Movement
	keys []movementKey // of list
	at   map[movementKey]int
}

// gather lists a run's movements, the parts of one summed up, without ids. The
// theft's own transfers are none, nor is what goes back to its sender; what its
// holder turns into another asset is one, which nobody sent.
func gather(run *trace.Run) gathered {
	g := gathered{at: map[movementKey]int{}}
	var senders []map[chain.Account]bool
	thefts := theftsOf(run)
	for _, e := range run.Timeline() {
		event, ok := eventOf(&e)
		if !ok || e.Tx == "" || !slices.Contains(thefts, e.Theft) {
			continue
		}
		k := movementKey{e.Theft, event, e.Tx, e.To, e.Asset, e.Basis, e.Link}
		i, ok := g.at[k]
		if ok {
			join(run, &g.list[i], &e)
		} else {
			i = len(g.list)
			g.at[k], g.keys, g.list = i, append(g.keys, k), append(g.list, movementOf(run, event, &e))
			senders = append(senders, map[chain.Account]bool{})
		}
		if !e.From.IsZero() && e.Link == trace.LinkNone {
			senders[i][e.From] = true
		}
	}
	for i := range g.list {
		m := &g.list[i]
		m.Senders = len(senders[i])
		m.From = slices.SortedFunc(maps.Keys(senders[i]), chain.Account.Compare)
		m.From = m.From[:min(len(m.From), stix.MaxSenders)]
	}
	return g
}

func movementOf(run *trace.Run, event stix.MovementEvent, e *trace.Event) stix.Movement {
	m := stix.Movement{
		Theft: e.Theft, Event: event, Account: e.To, Amount: amount(e.Amount), Tx: e.Tx, Block: e.Block, At: e.Time.Std(),
		Label: e.Label, Category: e.Category, Source: e.Source, Basis: string(e.Basis), Rule: string(e.Rule), Link: string(e.Link), Via: e.Via,
		Trace: run.Result.Digest,
	}
	if e.Origin.Asset != "" {
		m.Origin = amount(e.Origin)
	}
	if event == stix.Woke {
		m.IdleDays = e.Slept
	}
	return m
}

func eventOf(e *trace.Event) (stix.MovementEvent, bool) {
	switch e.Kind {
	case trace.EventService:
		return stix.ReachedService, true
	case trace.EventWoke:
		return stix.Woke, true
	case trace.EventMoved:
		return stix.Moved, e.From != e.To || e.Link != trace.LinkNone
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
