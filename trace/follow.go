package trace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
)

// RunVersion is the version of a stored run (FORMAT.md), RunVersionLinks that
// of one that met links, which has more to say.
const (
	RunVersion      = 2
	RunVersionLinks = 3
)

// Follow traces what the request names, by its method, through the ledger as
// the reader shows it. The labels say where services are; nil is none. The
// same arguments give the same run but for ElapsedMS.
//
// Errors: errs.Usage and errs.Invalid for a request that contradicts itself,
// errs.NotExist for a theft's transfer that the ledger lacks, errs.Limit for
// more than MaxFlows flows, errs.Internal when the sums do not agree, which is
// a mistake of this package.
func Follow(ctx context.Context, r ledger.Reader, set *labels.Set, req Request) (*Run, error) {
	start := time.Now()
	run, err := follow(ctx, r, set, &req)
	if err != nil {
		return nil, err
	}
	run.Result.ElapsedMS = float64(time.Since(start).Microseconds()) / 1000
	return run, nil
}

// caught turns a panic into an error: amounts of a hostile token may exceed
// what any sum holds, and a mistake of ours must not end a node.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = errs.New("trace", errs.Internal, "", fmt.Sprintf("the trace gave up: %v", p),
			"leave out tokens whose amounts exceed any supply, or report this with the ledger's range; no result was written")
	}
}

func follow(ctx context.Context, r ledger.Reader, set *labels.Set, req *Request) (_ *Run, err error) {
	defer caught(&err)
	if req.Backward {
		if err := req.normalise(); err != nil {
			return nil, err
		}
		return followBack(ctx, r, set, req)
	}
	sims, err := simulate(ctx, r, set, req)
	if err != nil {
		return nil, err
	}
	return draw(ctx, r, set, req, sims)
}

// simulate runs a request's simulations to the ledger's end.
func simulate(ctx context.Context, r ledger.Reader, set *labels.Set, req *Request) ([]*sim, error) {
	if err := req.normalise(); err != nil {
		return nil, err
	}
	rows, coins, err := resolve(ctx, r, req.Thefts)
	if err != nil {
		return nil, err
	}
	var sims []*sim
	room := req.allowance()
	for _, part := range parts(req, rows, coins) {
		reads := &readLog{}
		defer reads.join()
		s, err := newSim(ctx, r, set, req, part, reads)
		if err != nil {
			return nil, err
		}
		s.room = room
		if s.utxo == nil && !req.SkipAside && req.Method != Poison { // which has a simulation for each theft
			s.bait = s.newBaitReader()
			defer s.bait.join()
		}
		if err := s.follow(ctx); err != nil {
			return nil, err
		}
		sims = append(sims, s)
	}
	return sims, nil
}

// normalise fills in defaults, sorts what has no order, and refuses a request
// that contradicts itself.
func (q *Request) normalise() error {
	var err error
	if q.Method, err = ParseMethod(string(q.Method)); err != nil {
		return err
	}
	if q.Fees, err = ParseFeeRule(string(q.Fees)); err != nil {
		return err
	}
	if len(q.Thefts)+len(q.Sources) == 0 {
		return errs.New("trace", errs.Usage, "", "nothing to follow", "name a theft, or an account with --source")
	}
	if q.Bounds.MaxDegree < 0 || q.Bounds.MaxHops < 0 || q.Bounds.MaxHops > 1<<15 || q.Bounds.MaxDegree > 1<<30 {
		return errs.New("trace", errs.Usage, "", "a bound is out of range", "use --max-degree up to 2^30 and --max-hops up to 32768")
	}
	q.Thefts, q.Sources = slices.Clone(q.Thefts), slices.Clone(q.Sources)
	slices.SortStableFunc(q.Thefts, func(a, b Theft) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(q.Sources, func(a, b Source) int { return a.Account.Compare(b.Account) })
	seen := map[string]bool{}
	for _, t := range q.Thefts {
		if t.ID == "" || seen[t.ID] {
			return errs.New("trace", errs.Usage, t.ID, "the thefts of a trace need ids, each its own", "name each theft once")
		}
		seen[t.ID] = true
	}
	for _, s := range q.Sources {
		if s.Account.IsZero() || seen[s.Account.String()] {
			return errs.New("trace", errs.Usage, s.Account.String(), "a source is named twice or is no account", "name each account once")
		}
		seen[s.Account.String()] = true
	}
	return nil
}

// follow runs the simulation to its end.
func (s *sim) follow(ctx context.Context) error {
	if s.utxo != nil {
		return s.utxo.run(ctx)
	}
	return s.run(ctx)
}

// part is what one simulation follows: all thefts together, or with Poison
// each alone, because poison carries no amounts that could be shared out.
// Account chains and UTXO chains are simulations of their own: nothing but a
// link leads from one to the other.
type part struct {
	utxo    bool
	thefts  []uint32
	sources []uint32
	rows    []stolenRow
	coins   []stolenOutput
}

func parts(q *Request, rows []stolenRow, coins []stolenOutput) (out []part) {
	for _, utxo := range []bool{false, true} {
		all := part{utxo: utxo}
		for i, n := range held(q, utxo, rows, coins) {
			if n == 0 {
				continue
			}
			if q.Method == Poison {
				out = append(out, alone(uint32(i), utxo, rows, coins))
			}
			all.thefts = append(all.thefts, uint32(i))
		}
		for i := range q.Sources {
			if q.Sources[i].Account.Chain().UTXO() != utxo {
				continue
			}
			if q.Method == Poison {
				out = append(out, part{utxo: utxo, sources: []uint32{uint32(i)}})
			}
			all.sources = append(all.sources, uint32(i))
		}
		if q.Method == Poison || len(all.thefts)+len(all.sources) == 0 {
			continue
		}
		if utxo {
			all.coins = coins
		} else {
			all.rows = rows
		}
		out = append(out, all)
	}
	return out
}

// held counts what each theft has on account chains or on UTXO chains.
func held(q *Request, utxo bool, rows []stolenRow, coins []stolenOutput) []int {
	n := make([]int, len(q.Thefts))
	if utxo {
		for i := range coins {
			n[coins[i].theft]++
		}
		return n
	}
	for i := range rows {
		n[rows[i].theft]++
	}
	return n
}

// alone is the part of one theft.
func alone(theft uint32, utxo bool, rows []stolenRow, coins []stolenOutput) part {
	p := part{utxo: utxo, thefts: []uint32{theft}}
	for i := range rows {
		if !utxo && rows[i].theft == theft {
			p.rows = append(p.rows, rows[i])
		}
	}
	for i := range coins {
		if utxo && coins[i].theft == theft {
			p.coins = append(p.coins, coins[i])
		}
	}
	return p
}

// newBareSim makes a simulation in which nothing was stolen yet.
func newBareSim(ctx context.Context, r ledger.Reader, set *labels.Set, req *Request, reads *readLog) (*sim, error) {
	s := &sim{
		r: r, labels: set, req: req, reads: reads, reading: req.reading,
		poison: req.Method == Poison, tiho: req.Method == TIHO,
		until: req.Bounds.Until, classes: make([]classInfo, 1), parties: make([]party, 1),
		room: req.allowance(), byRef: map[ledger.AccountRef]uint32{}, sources: map[ledger.AccountRef]uint32{},
		unasked: map[uint32]int32{},
	}
	s.method = methodOf(req.Method, req.grouping(), func(l *lot) *rowInfo { return &s.flows[l.flow].row })
	return s, s.setFloors(ctx)
}

// newSim makes a simulation with the theft's rows in its heap.
func newSim(ctx context.Context, r ledger.Reader, set *labels.Set, req *Request, p part, reads *readLog) (*sim, error) {
	s, err := newBareSim(ctx, r, set, req, reads)
	if err != nil {
		return nil, err
	}
	local := map[uint32]uint32{}
	for _, i := range p.thefts {
		local[i] = s.addTheft(req.Thefts[i].ID, req.Thefts[i].Title)
	}
	if p.utxo {
		return s, s.addCoins(ctx, &p, local)
	}
	if s.wrappers, err = wrappersOf(ctx, r); err != nil {
		return nil, err
	}
	s.stolen = newStolenRows(len(p.rows))
	n := len(p.rows) // of receivers and, when the result is drawn up, of senders; flows are a few more, mostly
	s.parties, s.byRef, s.flows = slices.Grow(s.parties, 2*n), make(map[ledger.AccountRef]uint32, 2*n), make([]flow, 0, n+n/4)
	for i := range p.rows {
		w := &p.rows[i]
		if h := s.head(req.Thefts[w.theft].Transfers[0].Chain); !h.IsZero() && w.row.Key.Chain == h.Chain && w.row.Key.Compare(h) >= 0 {
			continue
		}
		s.classOf(local[w.theft], w.row.Asset)
		s.stolen.add(&w.row, local[w.theft])
	}
	rows := s.stolen.rows
	for i := range rows {
		s.heap.mixed = s.heap.mixed || rows[i].Chain != rows[0].Chain
	}
	s.ahead.rows = rows
	if err := s.stream(ctx, &cursor{rows: rows}); err != nil {
		return nil, err
	}
	return s, s.addSources(ctx, p.sources)
}

// addCoins starts the simulation of a UTXO chain.
func (s *sim) addCoins(ctx context.Context, p *part, local map[uint32]uint32) error {
	var coins []stolenOutput
	for _, c := range p.coins {
		c.theft = local[c.theft]
		coins = append(coins, c)
	}
	if len(coins)+len(p.sources) == 0 {
		return errs.New("trace", errs.NotExist, "", "the ledger holds no output that the theft names", "import its transactions first")
	}
	u := startUTXO(s)
	for _, i := range p.sources {
		at, err := s.addSource(ctx, &s.req.Sources[i])
		if err != nil {
			return err
		}
		if err := u.queueSends(ctx, at, nil); err != nil {
			return err
		}
	}
	return u.steals(ctx, coins)
}

func (s *sim) addTheft(id, title string) uint32 {
	s.thefts = append(s.thefts, theftInfo{id: id, title: title, class: map[ledger.AssetRef]class{}})
	return uint32(len(s.thefts) - 1)
}

// classOf is the class of a theft's asset, made when it is new.
func (s *sim) classOf(theft uint32, asset ledger.AssetRef) class {
	t := &s.thefts[theft]
	if c, ok := t.class[asset]; ok {
		return c
	}
	c := class(len(s.classes))
	s.classes = append(s.classes, classInfo{theft: theft, asset: asset})
	t.class[asset] = c
	return c
}

// head is the place before which rows of a chain are read; zero: all.
func (s *sim) head(id chain.ID) ledger.Key {
	if b, ok := s.req.Heads[id]; ok && b < chain.NoBlock-1 {
		return ledger.AtBlock(id, b+1)
	}
	return ledger.Key{}
}

func (s *sim) setFloors(ctx context.Context) error {
	s.floors = map[ledger.AssetRef]chain.Amount{}
	for _, m := range s.req.Bounds.MinAmount {
		ref, err := assetRefOf(ctx, s.r, m.Asset)
		if err != nil {
			return err
		}
		if ref != 0 {
			s.floors[ref] = m.Amount
		}
	}
	return nil
}

// addSources makes each source a theft whose rows are all that it sends.
func (s *sim) addSources(ctx context.Context, which []uint32) error {
	for _, i := range which {
		src := &s.req.Sources[i]
		at, err := s.addSource(ctx, src)
		if err != nil {
			return err
		}
		if src.Asset != "" {
			assets, err := s.r.AssetRefs(ctx, []chain.Asset{src.Asset})
			if err != nil {
				return err
			}
			if assets[0] == 0 {
				return errs.New("trace", errs.NotExist, string(src.Asset), "the ledger holds no transfer of this asset", "name another with --asset")
			}
			s.parties[at].asset = assets[0]
		}
		s.heap.mixed = s.heap.mixed || src.Account.Chain() != s.req.Sources[which[0]].Account.Chain()
		if err := s.streamSource(ctx, at, ledger.Key{}, s.head(src.Account.Chain())); err != nil {
			return err
		}
	}
	return nil
}

// streamSource streams what a source sends, and where it is asked for a wrapped
// coin alone, what it may unwrap.
func (s *sim) streamSource(ctx context.Context, at uint32, after, until ledger.Key) error {
	p := &s.parties[at]
	q := ledger.Query{Account: p.ref, Asset: p.asset, Direction: ledger.Out, After: after, Until: until, Limit: lastPage}
	if x := s.wrappers.of(p.ref, p.asset); x != nil {
		coin := q
		coin.Asset, coin.Direction = x.coin, ledger.In
		if err := s.stream(ctx, &cursor{more: true, query: coin}); err != nil {
			return err
		}
	}
	return s.stream(ctx, &cursor{more: true, query: q})
}

// addSource makes the party of a source, and a theft of what it sends.
func (s *sim) addSource(ctx context.Context, src *Source) (at uint32, err error) {
	refs, err := s.r.AccountRefs(ctx, []chain.Account{src.Account})
	if err != nil {
		return 0, err
	}
	if refs[0] == 0 {
		return 0, errs.New("trace", errs.NotExist, src.Account.String(), "the ledger holds no transfer of this account", "import its transfers first")
	}
	if at, err = s.party(ctx, refs[0]); err != nil {
		return 0, err
	}
	p := &s.parties[at]
	p.role, p.source, p.theft = roleSource, src, s.addTheft(src.Account.String(), "")
	s.sources[refs[0]] = at
	return at, nil
}
