package share

import (
	"context"
	"sync"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
)

// task is one thing to keep doing with one partner: read a feed, or exchange
// agreements.
type task struct {
	partner   string // identity id
	agreement string // "" exchanges agreements
	address   string
	number    uint64 // of the partner's document: a new one means new keys
}

// supervise keeps one goroutine for each task, started and ended as partners
// and agreements come and go.
func (s *Service) supervise(ctx context.Context) error {
	var wg sync.WaitGroup
	running := map[task]context.CancelFunc{}
	pokes := map[string]chan struct{}{}
	defer wg.Wait()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		wanted, err := s.tasks(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.log.Error("partners could not be read", "err", err)
		} else {
			for t, cancel := range running {
				if _, ok := wanted[t]; !ok {
					cancel()
					delete(running, t)
					s.setFault(t, identity.OrgID(t.partner), nil, false)
				}
			}
			for t, p := range wanted {
				if _, ok := running[t]; ok {
					continue
				}
				tctx, cancel := context.WithCancel(ctx)
				running[t] = cancel
				if pokes[t.partner] == nil {
					pokes[t.partner] = make(chan struct{}, 1)
				}
				again := pokes[t.partner]
				wg.Go(func() { s.keepDoing(tctx, t, p, again) })
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.changed:
			for _, c := range pokes {
				wake(c)
			}
			wake(s.behind)
		case <-tick.C:
		}
	}
}

// tasks lists what there is to do now. It also refreshes the partners that the
// server knows.
func (s *Service) tasks(ctx context.Context) (map[task]peer, error) {
	peers, err := s.peers(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.known = peers
	s.mu.Unlock()
	all, err := s.bundles(ctx)
	if err != nil {
		return nil, err
	}
	wanted := map[task]peer{}
	now := s.clock()
	for _, p := range peers {
		if p.Address == "" {
			continue
		}
		base := task{partner: string(p.ID), address: p.Address, number: p.org.Number}
		wanted[base] = p
		for _, b := range all {
			if b.partner == p.ID && b.ag.State(now) == agreement.Active {
				t := base
				t.agreement = b.id
				wanted[t] = p
			}
		}
	}
	return wanted, nil
}

// keepDoing does a task again and again until ctx ends.
func (s *Service) keepDoing(ctx context.Context, t task, p peer, again <-chan struct{}) {
	wait := pause
	if age := s.clock().Sub(p.Since); t.agreement == "" && age >= 0 && age < settle && !sleep(ctx, settle-age) {
		return
	}
	for ctx.Err() == nil {
		moved, err := s.doTask(ctx, t, p)
		if ctx.Err() != nil {
			return
		}
		rest := wait
		switch {
		case t.agreement == "" && err == nil:
			wait, rest = pause, resync
			if s.cfg.DialOut {
				rest = resyncOut
			}
		case err == nil || moved: // the line works, if badly: no reason to wait longer
			wait, rest = pause, pause
		default:
			wait = min(2*wait, longest)
		}
		s.setFault(t, p.ID, err, wait > patienceWithPartner || errs.Is(err) == errs.Forged)
		timer := time.NewTimer(rest)
		if t.agreement != "" {
			again = nil // a stream that failed is not helped by news of another
		}
		select {
		case <-ctx.Done():
		case <-again:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// doTask does a task once. moved says that statements passed.
func (s *Service) doTask(ctx context.Context, t task, p peer) (moved bool, err error) {
	l, err := s.link(p)
	if err != nil {
		return false, err
	}
	defer l.close()
	switch {
	case t.agreement == "":
		if err = s.syncWith(ctx, l); err != nil && ctx.Err() == nil {
			err = s.renew(ctx, l, err)
		}
		return false, err
	case s.cfg.DialOut:
		return s.exchange(ctx, l, t.agreement)
	}
	return s.pull(ctx, l, t.agreement)
}

// setFault keeps what is wrong with a partner, for Status. What lasts or is
// grave is also logged when it changes: streams end and nodes restart all the
// time.
func (s *Service) setFault(t task, id identity.OrgID, err error, grave bool) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.mu.Lock()
	was := s.faults[t]
	if text == "" {
		delete(s.faults, t)
	} else {
		s.faults[t] = fault{text, grave}
	}
	s.mu.Unlock()
	if text == "" || was.text == text && was.told == grave {
		return
	}
	if !grave {
		s.log.Info("a connection to a partner ended", "partner", id, "err", err)
		return
	}
	s.log.Warn("sharing with a partner is disturbed", "partner", id, "err", err)
	s.event(Event{Kind: "fault", Partner: id, Why: text})
}

// fault is what is wrong with one task.
type fault struct {
	text string
	told bool // as grave
}
