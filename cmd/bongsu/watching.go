package main

import (
	"context"
	"time"

	"bongsu/api"
	"bongsu/labels"
	"bongsu/stix"
	"bongsu/trace/watch"
)

// watchThefts goes on with the traces of this organisation's thefts until ctx
// ends.
func (s *server) watchThefts(ctx context.Context) error {
	return watch.New(watch.Config{
		Journal: s.journal, View: s.watched, Ledger: s.ledger, Labels: func() (*labels.Set, error) { return s.labels.Load() }, Traces: s.traces,
		Clock: s.a.now, Logger: s.log, OnChange: s.stolenMoved,
	}).Run(ctx)
}

// stolenMoved tells open pages what a watched theft just stated.
func (s *server) stolenMoved(c watch.Change) {
	movements := []map[string]any{}
	for _, o := range c.Said {
		m, err := stix.ReadMovement(o)
		if err != nil {
			continue // a finding, or the run
		}
		movements = append(movements, map[string]any{
			"statement": o.ID, "event": m.Event, "account": m.Account, "amount": m.Amount, "tx": m.Tx, "time": m.At,
			"label": m.Label, "idle_days": m.IdleDays, "link": m.Link, "provisional": m.Provisional, "revoked": m.Revoked,
		})
	}
	s.api.Publish(api.Event{Kind: "finding", Data: map[string]any{
		"theft": c.Theft, "digest": c.Digest, "movements": movements, "at": c.At.UTC().Format(time.RFC3339Nano),
	}})
}
