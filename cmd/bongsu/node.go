package main

import (
	"context"
	"log/slog"

	"bongsu/identity"
	"bongsu/ingest"
	"bongsu/ingest/bitcoin"
	"bongsu/ingest/tables"
	"bongsu/journal"
	"bongsu/journal/sqlite"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/screen"
	"bongsu/share"
	"bongsu/trace"
	"bongsu/trace/watch"
)

// node is an opened data folder: the organisation's keys and its two books,
// with the stores beside them. Commands open one and close it; they work beside
// a running `bongsu serve` on the same folder, because both books are safe for
// several processes.
type node struct {
	dir     string
	keys    *identity.Keys
	ledger  *ledger.Ledger
	journal *journal.Journal
	view    *share.View
	watched *watch.View
	labels  labels.Store
	traces  trace.Store
	store   journal.Store
	log     *slog.Logger
}

// formats is every import format, in the order in which they are recognised.
// held lets block files go on from what the ledger holds; nil for a list of
// names.
func formats(held *ledger.Ledger) []ingest.Format {
	if held == nil {
		return append(tables.Formats(), bitcoin.Formats()...)
	}
	return append(tables.Formats(), bitcoin.Formats(bitcoin.HeldBy(held.Reader))...)
}

// openNode opens the node in the data folder. close it.
func openNode(a *app) (*node, error) {
	if err := a.needNode("open node"); err != nil {
		return nil, err
	}
	n := &node{
		dir: a.dir, log: slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		labels: labels.Store{Dir: a.path("labels")}, traces: trace.Store{Dir: a.path("traces")},
	}
	if err := n.open(a); err != nil {
		n.close() //nolint:errcheck // the first error says what matters
		return nil, err
	}
	return n, nil
}

func (n *node) open(a *app) (err error) {
	if n.keys, err = identity.Load(a.dir); err != nil {
		return err
	}
	if n.ledger, err = a.openLedger(); err != nil {
		return err
	}
	if n.store, err = sqlite.Open(a.ctx, a.path("journal.db")); err != nil {
		return err
	}
	n.view, n.watched = share.NewView(n.keys, a.now), watch.NewView(n.keys.ID())
	n.journal, err = journal.Open(context.WithoutCancel(a.ctx), n.store, n.keys, journal.Options{Views: []journal.View{n.view, n.watched}, Now: a.now})
	return err
}

// close closes what openNode opened, books last, and returns the first error.
func (n *node) close() error {
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	if n.journal != nil {
		keep(n.journal.Close())
	}
	if n.store != nil {
		keep(n.store.Close())
	}
	if n.ledger != nil {
		keep(n.ledger.Close())
	}
	return first
}

// sharing is the sharing service of this node; only serve runs it.
func (n *node) sharing(a *app, change func(*share.Config)) (*share.Service, error) {
	cfg := share.Config{
		Journal: n.journal, View: n.view, Keys: n.keys, Clock: a.now, Logger: n.log,
		Listen: a.config.ShareListen, Address: a.config.ShareAddress, AllowNets: a.config.AllowNets,
	}
	if cfg.Address == "" {
		cfg.Address = a.servingNow().ShareListen // of a running serve, where there is one
	}
	if change != nil {
		change(&cfg)
	}
	return share.New(cfg)
}

// screening builds the screening index from the journal as it is now.
func (n *node) screening(ctx context.Context) (*screen.Index, error) {
	x := screen.New(screen.Config{Logger: n.log})
	if err := x.Load(ctx, n.journal); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}
