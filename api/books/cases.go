package books

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"bongsu/api"
	"bongsu/chain"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/labels"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"
)

// Journal is what Cases reads; *journal.Journal is one.
type Journal interface {
	Size(ctx context.Context, log string) (uint64, error)
	Read(ctx context.Context, log string, from uint64, limit int) ([]journal.Statement, error)
	Versions(ctx context.Context, id string) ([]journal.Statement, error)
	Org() identity.Org
	OrgByID(ctx context.Context, id identity.OrgID) (identity.Org, error)
}

// Config is what Cases is made of.
type Config struct {
	Journal Journal
	Traces  trace.Store
	Labels  labels.Store
	Assets  *chain.Registry // nil: the built-in one
	// Moment is the time at which a theft's fires are judged; nil takes the
	// last movement of its trace, which is the present of an imported file.
	Moment func(run *trace.Run) chain.Time
}

// Cases shows thefts; it is an api.Cases. Its methods may be called from any
// goroutine.
type Cases struct {
	cfg Config

	mu       sync.Mutex // owns the fields below
	position uint64
	thefts   map[string]*theft // by incident id
	findings map[string]*theftFindings
	news     map[string]map[string]news // by incident id, then author and id
	theftOf  map[string]string          // by author and id of a live finding or piece of news
	told     map[string]summary         // by digest of a run
	runs     map[string]run             // by incident id: the newest of ours
	names    map[string]string          // of authors
	loaded   map[string]*trace.Run      // by digest, a few
	sets     map[string]*labels.Set
}

// theft is a stated theft: our own statement of it, or else the first author's.
type theft struct {
	author  identity.OrgID
	marking stix.TLP
	stated  time.Time
	version string
	gone    bool
	told    stix.Theft
}

// theftFindings are the live findings of one theft, by author and id.
type theftFindings struct{ live map[string]stix.Finding }

type run struct {
	digest string
	at     time.Time
}

// NewCases makes the view; it reads nothing yet.
func NewCases(cfg Config) *Cases {
	if cfg.Assets == nil {
		cfg.Assets = chain.NewRegistry()
	}
	return &Cases{
		cfg: cfg, thefts: map[string]*theft{}, findings: map[string]*theftFindings{},
		news: map[string]map[string]news{}, theftOf: map[string]string{}, told: map[string]summary{}, runs: map[string]run{},
		names: map[string]string{}, loaded: map[string]*trace.Run{}, sets: map[string]*labels.Set{},
	}
}

const (
	readBatch = 1000
	keptRuns  = 8 // decoded runs and label sets kept

	keptSummaries = 10_000
)

// Thefts lists the live thefts, the newest first.
func (c *Cases) Thefts(ctx context.Context) ([]api.Theft, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.catchUp(ctx); err != nil {
		return nil, err
	}
	out := []api.Theft{}
	for id, t := range c.thefts {
		if t.gone {
			continue
		}
		shown, err := c.show(id, t)
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	slices.SortFunc(out, func(a, b api.Theft) int {
		if n := b.Stated.Compare(a.Stated); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// find returns a live theft. c.mu is held.
func (c *Cases) find(ctx context.Context, id string) (*theft, error) {
	if err := c.catchUp(ctx); err != nil {
		return nil, err
	}
	t := c.thefts[id]
	if t == nil || t.gone {
		return nil, errs.New("theft", errs.NotExist, id, "no such theft is stated here", "list the thefts")
	}
	return t, nil
}

// show is a theft as the list has it. c.mu is held.
func (c *Cases) show(id string, t *theft) (api.Theft, error) {
	out := api.Theft{
		ID: id, Title: t.told.Title, Stated: t.stated, Author: string(t.author), AuthorName: c.names[string(t.author)],
		Marking: "TLP:" + t.marking.String(), Fires: findings.FiresStated, Amounts: []api.Amount{}, HoldingsTotal: []api.Amount{}, Where: []api.Where{},
		Transfers: len(t.told.Transfers),
	}
	for _, a := range t.told.Amounts {
		out.Amounts = append(out.Amounts, api.Amount(a))
	}
	c.where(&out)
	sum, ok, err := c.summary(id)
	if err != nil || !ok {
		return out, err
	}
	out.Fires, out.Accounts, out.Transfers = sum.fires, sum.accounts, sum.transfers
	known := c.runs[id]
	out.Digest, out.Traced = known.digest, &known.at
	return out, nil
}

// summary is what the list of thefts shows of a run, so that listing many
// thefts does not read all their runs again.
type summary struct {
	fires, accounts, transfers int
	judged                     time.Time // when the fires were
}

// firesFresh is how long fires judged by the present stay good.
const firesFresh = time.Minute

// summary returns that of the theft's latest run of ours; ok is false without
// one whose file is here. c.mu is held.
func (c *Cases) summary(id string) (_ summary, ok bool, _ error) {
	key := c.runs[id].digest + " " + id // one run may follow several thefts
	if s, ok := c.told[key]; ok && (c.cfg.Moment == nil || time.Since(s.judged) < firesFresh) {
		return s, true, nil
	}
	r, err := c.run(id)
	if err != nil || r == nil {
		return summary{}, false, err
	}
	s := summary{findings.Fires(r, id, c.moment(r)), r.Result.Accounts, r.Result.Transfers, time.Now()}
	if len(c.told) >= keptSummaries {
		clear(c.told)
	}
	c.told[key] = s
	return s, true, nil
}

// where sums the live findings by place.
func (c *Cases) where(out *api.Theft) {
	fs := c.findings[out.ID]
	if fs == nil {
		return
	}
	sums := map[stix.Place]totals{}
	accounts := map[stix.Place]map[chain.Account]bool{}
	touched := map[chain.Account]bool{}
	for _, f := range fs.live {
		if sums[f.Place] == nil {
			sums[f.Place], accounts[f.Place] = totals{}, map[chain.Account]bool{}
		}
		sums[f.Place].add(f.Amount)
		accounts[f.Place][f.Account] = true
		touched[f.Account] = true
	}
	for _, p := range []stix.Place{stix.Holding, stix.Exit, stix.Unfollowed, stix.Incomplete, stix.Passed} {
		if sums[p] == nil {
			continue
		}
		out.Where = append(out.Where, api.Where{Place: string(p), Amounts: sums[p].list(c.cfg.Assets), Accounts: len(accounts[p])})
		if p == stix.Holding {
			out.HoldingsTotal = sums[p].list(c.cfg.Assets)
		}
	}
	out.Accounts = len(touched)
}

func (c *Cases) moment(r *trace.Run) chain.Time {
	if c.cfg.Moment != nil {
		return c.cfg.Moment(r)
	}
	var last chain.Time
	for i := range r.Flows {
		last = max(last, r.Flows[i].Time)
	}
	return last
}

// run is the theft's latest run of ours, or nil without one whose file is
// here. c.mu is held.
func (c *Cases) run(id string) (*trace.Run, error) {
	known, ok := c.runs[id]
	if !ok {
		return nil, nil
	}
	if r := c.loaded[known.digest]; r != nil {
		return r, nil
	}
	r, err := c.cfg.Traces.Load(known.digest)
	if errs.Is(err) == errs.NotExist {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(c.loaded) >= keptRuns {
		clear(c.loaded)
	}
	c.loaded[known.digest] = r
	return r, nil
}

// labelSet is the lists that a run went by. c.mu is held.
func (c *Cases) labelSet(r *trace.Run) (*labels.Set, error) {
	if r == nil || len(r.Result.Labels) == 0 {
		return labels.NewSet(nil), nil
	}
	key := strings.Join(r.Result.Labels, " ")
	if s := c.sets[key]; s != nil {
		return s, nil
	}
	s, err := c.cfg.Labels.Load(r.Result.Labels...)
	if errs.Is(err) == errs.NotExist {
		return labels.NewSet(nil), nil
	}
	if err != nil {
		return nil, err
	}
	if len(c.sets) >= keptRuns {
		clear(c.sets)
	}
	c.sets[key] = s
	return s, nil
}

// Case is one theft whole.
func (c *Cases) Case(ctx context.Context, id string) (*api.Case, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.find(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &api.Case{Movements: []api.Movement{}, Labels: map[string][]api.Label{}}
	if out.Theft, err = c.show(id, t); err != nil {
		return nil, err
	}
	for _, m := range t.told.Transfers {
		out.Movements = append(out.Movements, c.movement(&m))
	}
	if fs := c.findings[id]; fs != nil {
		out.Statements = len(fs.live)
	}
	out.News, out.NewsTotal = c.newsOf(id), len(c.news[id])
	out.Statements += out.NewsTotal
	r, err := c.run(id)
	if err != nil {
		return nil, err
	}
	if r != nil {
		if out.Trace, err = json.Marshal(r.Result); err != nil {
			return nil, errs.Wrap("theft", id, err)
		}
	}
	set, err := c.labelSet(r)
	if err != nil {
		return nil, err
	}
	for a := range c.accounts(id, r, t) {
		if ls := set.Of(a); len(ls) > 0 {
			out.Labels[a.String()] = labelsOf(set, a, ls)
		}
	}
	return out, nil
}

// accounts are those that the pages name. c.mu is held.
func (c *Cases) accounts(id string, r *trace.Run, t *theft) map[chain.Account]bool {
	out := map[chain.Account]bool{}
	for _, m := range t.told.Transfers {
		out[m.From], out[m.To] = true, true
	}
	if fs := c.findings[id]; fs != nil {
		for _, f := range fs.live {
			out[f.Account] = true
		}
	}
	for _, n := range c.news[id] {
		out[n.told.Account] = true
	}
	if r != nil {
		for i := range r.Flows {
			out[r.Flows[i].From], out[r.Flows[i].To] = true, true
		}
	}
	delete(out, chain.Account{})
	return out
}

func labelsOf(set *labels.Set, a chain.Account, ls []labels.Label) []api.Label {
	out := make([]api.Label, len(ls))
	_, decides := set.Deciding(a)
	for i, l := range ls {
		out[i] = api.Label{Label: l.Label, Category: l.Category, Source: l.Source, Confidence: float64(l.Score), Deciding: i == 0 && decides}
		if l.Lastmod != 0 {
			out[i].LastMod = l.Lastmod.String()
		}
	}
	return out
}
