package main

import (
	"context"
	"fmt"
	"time"

	"bongsu/errs"
	"bongsu/ingest/follow"

	"golang.org/x/sync/errgroup"
)

// follower is one chain node of the configuration, checked.
type follower struct {
	setup follow.Setup
	run   followFunc
}

// followers checks the [[follow]] tables before anything runs.
func (s *server) followers() ([]follower, error) {
	var out []follower
	for i, c := range s.a.config.Follow {
		where := fmt.Sprintf("follow %d", i+1)
		flags := followFlags{URL: c.URL, From: c.From}
		if flags.From == "" {
			flags.From = "0"
		}
		setup, err := flags.setup(s.a, s.node, s.followed)
		if err != nil {
			return nil, errs.Wrap("configuration", where, err)
		}
		f := follower{setup: setup}
		switch c.Chain {
		case "ethereum":
			f.run = followEthereum(c.Depth)
		case "bitcoin":
			f.run = followBitcoin(c.Depth)
		default:
			return nil, errs.New("configuration", errs.Invalid, where, "chain "+c.Chain+" is none that can be followed", "write ethereum or bitcoin")
		}
		out = append(out, f)
	}
	return out, nil
}

// followChains runs every follower until ctx ends. A node that is refused is
// said in the log and left; the others, and the rest of the server, go on.
func (s *server) followChains(ctx context.Context, list []follower) error {
	if len(list) == 0 {
		return nil
	}
	err := s.ledger.MergeInBackground(ctx, func(err error) {
		if err != nil {
			s.log.Warn("the ledger was not merged, and will be later", "err", err)
		}
	})
	if err != nil {
		return err
	}
	var g errgroup.Group
	for _, f := range list {
		g.Go(func() error {
			if err := f.run(ctx, f.setup); err != nil && ctx.Err() == nil {
				s.log.Error("a chain is followed no more", "err", err)
			}
			return nil
		})
	}
	return g.Wait()
}

// followed writes what a follower tells into the log: what is rare, always;
// single blocks, not at all.
func (s *server) followed(e follow.Event) {
	switch e.Kind {
	case follow.Planned:
		s.log.Info(plan(e))
	case follow.Noticed:
		s.log.Warn(e.Note, "chain", e.Chain)
	case follow.Retrying:
		s.log.Warn("a chain node is asked again", "chain", e.Chain, "in", e.Delay.Round(100*time.Millisecond), "err", e.Err)
	case follow.RolledBack:
		s.log.Info("a reorganisation took blocks back", "chain", e.Chain, "above", e.Block.Number, "to", e.Last)
	case follow.Level:
		s.log.Debug("level with the chain node", "chain", e.Chain, "block", e.Block.Number)
	}
}
