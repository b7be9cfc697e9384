package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"bongsu/api"
	"bongsu/api/books"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/screen"
	"bongsu/share"
	"bongsu/stix"
	"bongsu/web"

	"golang.org/x/sync/errgroup"
)

type serveCmd struct {
	Listen       string `help:"Address of the workspace and the HTTP interface." placeholder:"HOST:PORT"`
	ShareListen  string `help:"Address at which partners reach this node." placeholder:"HOST:PORT"`
	ShareAddress string `help:"What invitations tell partners to dial, when it differs." placeholder:"HOST:PORT"`
	DialOut      bool   `help:"Partners cannot connect to this node: it connects to them, for both directions."`
}

func (serveCmd) Help() string {
	return `Runs the node until interrupted and prints a link that signs in once. Settings stand in DIR/bongsu.toml (listen, share_listen, share_address, hosts, allow_nets, user), are overridden by BONGSU_LISTEN and so on, and those by flags.

Each [[follow]] table of bongsu.toml names a chain node that the server follows by itself: chain = "ethereum" or "bitcoin", url, and as they are needed from and depth.

Commands beside it, on the same data folder, need no restart: what they append is seen within some milliseconds.

Examples:
  bongsu serve
  bongsu serve --listen 127.0.0.1:8420 --share-listen 0.0.0.0:8421 --share-address node.example.org:8421`
}

// server is a node that runs: its books, the views of them, and what listens.
type server struct {
	*node
	a     *app
	index *screen.Index
	share *share.Service
	api   *api.Server
	audit *api.Audit
}

func (c *serveCmd) Run(a *app) error {
	c.override(&a.config)
	n, err := openNode(a)
	if err != nil {
		return err
	}
	s := &server{node: n, a: a}
	n.log = slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	err = s.serve(c)
	return errors.Join(err, s.end())
}

func (c *serveCmd) override(cfg *config) {
	for _, f := range []struct {
		to   *string
		flag string
	}{{&cfg.Listen, c.Listen}, {&cfg.ShareListen, c.ShareListen}, {&cfg.ShareAddress, c.ShareAddress}} {
		if f.flag != "" {
			*f.to = f.flag
		}
	}
}

func (s *server) serve(c *serveCmd) error {
	ctx := s.a.ctx
	chains, err := s.followers()
	if err != nil {
		return err
	}
	web, err := listen(s.a.config.Listen)
	if err != nil {
		return err
	}
	partners, err := listen(s.a.config.ShareListen)
	if err != nil {
		web.Close()
		return err
	}
	if err := s.build(c, web, partners); err != nil {
		web.Close()
		partners.Close()
		return err
	}
	if err := s.announce(web, partners); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.share.Run(ctx) })
	g.Go(func() error { return s.index.Follow(ctx, s.journal) })
	g.Go(func() error { return s.answerSightings(ctx) })
	g.Go(func() error { return s.watchThefts(ctx) })
	g.Go(func() error { return s.followChains(ctx, chains) })
	g.Go(func() error { return s.audit.Anchor(ctx, anchorEvery, books.Anchor(s.journal, s.a.now)) })
	g.Go(func() error { return s.http(ctx, web) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// anchorEvery is how often the head of the audit is signed into the journal.
const anchorEvery = time.Minute

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &errs.Error{
			Op: "serve", Kind: errs.Unavailable, Where: address, Why: "cannot listen there",
			Hint: "stop the other program, or choose another address with --listen or --share-listen", Err: err,
		}
	}
	return l, nil
}

// build makes the views and the HTTP side.
func (s *server) build(c *serveCmd, webAt, partnersAt net.Listener) error {
	var err error
	s.share, err = s.sharing(s.a, func(cfg *share.Config) {
		cfg.Listener, cfg.DialOut, cfg.OnEvent = partnersAt, c.DialOut, s.shared
	})
	if err != nil {
		return err
	}
	s.index = screen.New(screen.Config{Logger: s.log, Clock: s.a.now, OnActive: s.share.Active})
	if err := s.index.Load(s.a.ctx, s.journal); err != nil {
		return err
	}
	if s.audit, err = api.OpenAudit(s.a.path("audit"), s.a.now); err != nil {
		return err
	}
	tokens, err := s.a.tokens()
	if err != nil {
		return err
	}
	org := s.keys.Org()
	pages, ok := web.Pages()
	if !ok {
		s.log.Warn("this binary was built without pages; make build makes one with them")
	}
	cases := books.NewCases(books.Config{Journal: s.journal, Traces: s.traces, Labels: s.labels})
	if err := cases.CatchUp(s.a.ctx); err != nil {
		return err
	}
	s.api, err = api.New(api.Config{
		Version: version(), Organisation: api.Organisation{ID: string(org.ID), Name: org.Name, Fingerprint: org.Fingerprint()},
		Screener: s.index, Journal: books.NewStatements(s.journal, s.a.now), Cases: cases, Partners: partners{s.share}, Layout: layout(cases),
		Audit: s.audit, Tokens: tokens, Pages: pages, Hosts: s.a.config.Hosts, Listen: webAt.Addr().String(), Clock: s.a.now, Logger: s.log,
	})
	return err
}

// announce prints where the node listens and the link that signs in.
func (s *server) announce(web, partners net.Listener) error {
	base := "http://" + web.Addr().String()
	link, err := s.api.SignInLink(base, api.User{Name: s.a.config.User, Role: api.Admin})
	if err != nil {
		return err
	}
	doc := serving{Listen: web.Addr().String(), ShareListen: partners.Addr().String()}
	if err := s.a.noteServing(doc); err != nil {
		return err
	}
	doc.SignIn = link
	return s.a.print(doc, func(w io.Writer) {
		org := s.keys.Org()
		fmt.Fprintf(w, "%s\n  workspace    %s\n  partners     %s, fingerprint %s\nSign in once: %s\n", org.Name, base, doc.ShareListen, org.Fingerprint(), link)
	})
}

// version is the revision that the binary was built from, where it is known.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "development"
}

// http serves until ctx ends, then lets requests finish for some seconds.
func (s *server) http(ctx context.Context, l net.Listener) error {
	srv := s.api.HTTPServer()
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		s.api.Close() // ends event streams, which never finish by themselves
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		ended <- srv.Shutdown(grace)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// shared tells open pages what passed between partners.
func (s *server) shared(e share.Event) {
	kind := "journal"
	if e.Kind == "receipt" {
		kind = "receipt"
	}
	s.api.Publish(api.Event{Kind: kind, Data: map[string]any{
		"what": e.Kind, "partner": e.Partner, "statement": e.Statement, "state": e.State, "why": e.Why, "at": e.At, "ms": e.Ms,
	}})
}

// answerSightings tells a partner that its statement was acted on, when this
// organisation states a sighting of it.
func (s *server) answerSightings(ctx context.Context) error {
	size, err := s.journal.Size(ctx, journal.LogJournal)
	if err != nil {
		return err
	}
	for list, err := range s.journal.Follow(ctx, journal.LogJournal, size, 100) {
		if err != nil {
			return err
		}
		for _, st := range list {
			if st.Type != "sighting" || st.Author != s.keys.ID() || st.Erased {
				continue
			}
			if err := s.acted(ctx, st); err != nil {
				s.log.Warn("no receipt for a sighting", "sighting", st.ID, "err", err)
			}
		}
	}
	return ctx.Err()
}

func (s *server) acted(ctx context.Context, st journal.Statement) error {
	o, err := st.Object()
	if err != nil {
		return err
	}
	seen, err := stix.ReadSighting(o)
	if err != nil {
		return err
	}
	of, err := s.journal.Get(ctx, seen.Of)
	if err != nil || of.Author == s.keys.ID() {
		return err
	}
	return s.share.Acted(ctx, of.ID, of.Author, stix.Acted)
}

// end closes everything, in the order in which it depends on each other.
func (s *server) end() error {
	err := s.a.forgetServing()
	if s.api != nil {
		err = errors.Join(err, s.api.Close())
	}
	if s.audit != nil {
		err = errors.Join(err, s.audit.Close())
	}
	if s.index != nil {
		s.index.Close()
	}
	return errors.Join(err, s.close())
}

// partners is the sharing service as the HTTP interface shows it.
type partners struct{ s *share.Service }

func (p partners) Partners(ctx context.Context) ([]api.Partner, error) {
	list, err := p.s.Status(ctx)
	if err != nil {
		return nil, err
	}
	out := []api.Partner{}
	for _, st := range list {
		x := api.Partner{
			ID: string(st.Partner.ID), Name: st.Partner.Name, Fingerprint: st.Partner.Fingerprint, Since: st.Partner.Since,
			Shared: st.Shared, Withheld: st.Withheld, P50: st.P50, P99: st.P99, Unanswered: st.Unanswered, Agreements: []api.Agreement{},
			Receipts: api.Receipts{Arrived: st.Receipts.Arrived, Active: st.Receipts.Active, Acted: st.Receipts.Acted, Removed: st.Receipts.Removed, Refused: st.Receipts.Refused},
		}
		if !st.LastSeen.IsZero() {
			x.LastSeen = &st.LastSeen
		}
		for _, t := range st.Agreements {
			until := t.ValidUntil
			x.Agreements = append(x.Agreements, api.Agreement{
				ID: t.ID, Title: t.Title, State: string(t.State), ValidFrom: t.ValidFrom, ValidUntil: &until, HighestTLP: t.HighestTLP,
			})
		}
		out = append(out, x)
	}
	return out, nil
}

func (p partners) Receipts(ctx context.Context, statement string) ([]api.Receipt, error) {
	list, err := p.s.Receipts(ctx, statement)
	if err != nil {
		return nil, err
	}
	out := []api.Receipt{}
	for _, r := range list {
		out = append(out, api.Receipt{Partner: string(r.Partner.ID), PartnerName: r.Partner.Name, State: r.State, At: r.At, Millis: r.Ms})
	}
	return out, nil
}
