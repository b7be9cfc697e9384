package share

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"

	"golang.org/x/sync/errgroup"
)

const (
	pause               = 50 * time.Millisecond  // before the first retry of a partner
	longest             = 30 * time.Second       // between retries
	resync              = time.Minute            // between exchanges of agreements when nothing changed
	resyncOut           = 2 * time.Second        // the same for a node that partners cannot connect to
	grace               = 3 * time.Second        // for requests under way when Run ends
	settle              = 200 * time.Millisecond // for a node that just joined to write down whom it joined
	lookAgain           = time.Second            // for agreements that begin or expire
	patienceWithPartner = time.Second            // of growing pauses, until what fails is called a disturbance
	lookAfter           = 8 * time.Millisecond   // after a commit, for what it says of partners and agreements
)

// Run listens, reads every partner's feeds, fills the own ones, delivers
// agreements and writes receipts, until ctx ends. It returns nil then, or the
// reason why it cannot run (a port that is taken). A partner that fails is
// tried again, ever more slowly, up to once in 30 s.
func (s *Service) Run(ctx context.Context) error {
	listener, err := s.listen()
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if listener != nil {
		g.Go(func() error { return s.serve(ctx, listener) })
	}
	g.Go(func() error { return s.watch(ctx) })
	g.Go(func() error { return s.keepFilled(ctx) })
	g.Go(func() error { return s.writeReceipts(ctx) })
	g.Go(func() error { return s.keepSeen(ctx) })
	g.Go(func() error { return s.supervise(ctx) })
	err = g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (s *Service) listen() (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return nil, errs.New("share", errs.Internal, "", "it runs already", "")
	}
	s.running = true
	l := s.cfg.Listener
	if l == nil && s.cfg.Listen != "" {
		var err error
		if l, err = net.Listen("tcp", s.cfg.Listen); err != nil {
			return nil, &errs.Error{Op: "share", Kind: errs.Unavailable, Where: s.cfg.Listen, Why: "cannot listen there", Hint: "stop the other program, or choose another address", Err: err}
		}
	}
	if l != nil {
		s.addr = l.Addr()
		if s.address == "" {
			s.address = reachable(l.Addr().String())
		}
	}
	return l, nil
}

// serve answers partners until ctx ends.
func (s *Service) serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s.handler(), TLSConfig: s.serverTLS(),
		ReadHeaderTimeout: s.limits.HeaderTime, IdleTimeout: s.limits.Quiet, MaxHeaderBytes: s.limits.HeaderBytes,
		BaseContext:  func(net.Listener) context.Context { return ctx },
		ErrorLog:     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		// Streams end with ctx. What else is being answered may finish.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if srv.Shutdown(last) != nil {
			srv.Close()
		}
	}()
	err := srv.ServeTLS(&boundedListener{Listener: l, places: s.limits.Connections, each: s.limits.FromOne, from: map[string]int{}}, "", "")
	if ctx.Err() != nil {
		<-ended
		s.guard.wait()
		return nil
	}
	return &errs.Error{Op: "share", Kind: errs.Unavailable, Where: l.Addr().String(), Err: err}
}

// watch follows the journal, whoever appends to it, and wakes what depends on
// partners and agreements. It lets a moment pass before it looks: what is
// urgent (the streams) is woken by the journal itself, and a burst of appends
// costs one look.
func (s *Service) watch(ctx context.Context) error {
	defer s.journal.Watch()()
	from, err := s.journal.Size(ctx, journal.LogJournal)
	if err != nil {
		return err
	}
	s.poke()
	for {
		changed := s.journal.Changed()
		batch, err := s.journal.Read(ctx, journal.LogJournal, from, fillAtOnce)
		if err != nil {
			return err
		}
		s.look(batch)
		if from += uint64(len(batch)); len(batch) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
		if !sleep(ctx, lookAfter) {
			return ctx.Err()
		}
	}
}

// look wakes what a run of statements concerns.
func (s *Service) look(batch []journal.Statement) {
	if len(batch) > fillAtOnce/4 {
		wake(s.behind) // the append may have left some for later
	}
	for _, st := range batch {
		switch {
		case st.From != nil && st.Type == stix.TypeReceipt:
			s.announce(st)
		case st.From == nil && (st.Type == stix.TypePartner || st.Type == stix.TypeAgreement):
			s.poke()
		}
	}
}

// sleep waits, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// announce tells a page about a receipt that came in.
func (s *Service) announce(st journal.Statement) {
	if s.cfg.OnEvent == nil {
		return
	}
	o, err := st.Object()
	if err != nil {
		return
	}
	if r, err := stix.ReadReceipt(o); err == nil {
		s.event(Event{Kind: "receipt", Partner: st.From.Org, Statement: r.Statement, State: r.State, Ms: r.Ms, Why: printable(r.Reason)})
	}
}

// keepFilled takes care of feeds that no append filled: those that just became
// active, and what a process without the view appended.
func (s *Service) keepFilled(ctx context.Context) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		behind, err := s.anyBehind(ctx)
		for err == nil && behind {
			err = s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
				behind, err = s.view.fill(ctx, tx, nil, newBudget(nil))
				return err
			})
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("feeds could not be filled", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.behind:
		case <-tick.C:
		}
	}
}

func (s *Service) anyBehind(ctx context.Context) (behind bool, err error) {
	err = s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		size, err := tx.Size(ctx, journal.LogJournal)
		if err != nil {
			return err
		}
		feeds, err := s.view.feeds(ctx, tx, size)
		behind = len(feeds) > 0
		return err
	})
	return behind, err
}
