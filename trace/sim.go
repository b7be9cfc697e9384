package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
)

// sim is one run of the simulation: the open books, the heap of their next
// rows, and where tainted money ended. It is owned by one goroutine.
type sim struct {
	r      ledger.Reader
	labels *labels.Set
	req    *Request
	method method
	poison bool
	tiho   bool
	until  chain.Time // 0: no bound
	floors map[ledger.AssetRef]chain.Amount

	classes []classInfo // by class; 0 is clean
	thefts  []theftInfo

	parties  []party // from 1; 0 is nobody
	byRef    map[ledger.AccountRef]uint32
	shelf    shelf
	heap     eventHeap
	reading  reading
	weighing weighing
	scanning bool // the ledger is read on: books have no cursors
	stolen   stolenRows
	ahead    openings
	unasked  map[uint32]int32 // places of books that nothing spends from yet: what they held before a flow was left out
	last     ledger.Key
	pages    ledger.Pages
	utxo     *utxo                // of a UTXO chain, else nil
	outputs  map[coinKey][]uint32 // thefts by output, of a UTXO chain
	scratch  []lot
	tally    tally
	flows    []flow
	parents  []int32     // of flows: what their lots were drawn from
	room     *allowance  // for both
	txs      []ledger.Tx // of the first flows: references to transactions do not outlive a Reader
	carried  int         // transfers that carried taint
	received int         // accounts that received it
	reads    *readLog
	bait     *baitReader                  // beside this simulation; nil: at its end
	sources  map[ledger.AccountRef]uint32 // parties that are sources
	within   func(ledger.AccountRef) bool // backward: the accounts whose books are followed; nil: all

	wrappers wrappers
	inTx     *txOrder // of the last transaction that may have an order of its own
	linking  linkCode // while the pieces of a link arrive
	metLink  bool     // a link took part in what was read
}

// classInfo is a (theft, stolen asset) pair.
type classInfo struct {
	theft  uint32
	asset  ledger.AssetRef
	stolen chain.Amount // what the theft took of the asset
}

type theftInfo struct {
	id    string
	title string
	class map[ledger.AssetRef]class
}

// party is an account that taint reached or might reach.
type party struct {
	ref     ledger.AccountRef
	account chain.Account
	role    role
	label   *labels.Label // with roleExit and roleContract
	reached bool
	sends   map[ledger.AssetRef]*sends // with a bound on degree

	coinsOver bool // of a UTXO chain: it spent more often than the bound on degree

	source *Source         // with roleSource
	theft  uint32          // with roleSource: what its sends are booked as
	asset  ledger.AssetRef // with roleSource: the only one, or 0
}

// role says what becomes of taint that arrives.
type role uint8

const (
	roleBook     role = iota // it is followed
	roleExit                 // a labelled service
	roleContract             // a contract of decentralised finance
	roleSource               // a source of this very run: it never runs dry
	roleWrapper              // a contract that wraps coin: what is its own never leaves it
	roleBurn                 // the all-zero address, from which nothing leaves
)

// sends counts what an account sent of one asset, for the bound on degree.
type sends struct {
	n    int
	over bool
}

// flow is a Flow by references.
type flow struct {
	row    rowInfo
	amount chain.Amount
	origin chain.Amount
	class  class
	hop    uint16
	rule   ruleCode
	link   linkCode

	parent, parents uint32 // where in sim.parents they start, and how many
}

// rowInfo is what of a row outlives its page.
type rowInfo struct {
	ledger.Key
	from, to ledger.AccountRef
	tx       ledger.TxRef
	asset    ledger.AssetRef
	untimed  bool // Key's time is for the order alone
	total    chain.Amount
}

// stated is the time of the row's block as the ledger states it; 0: unknown.
func (r *rowInfo) stated() chain.Time {
	if r.untimed {
		return 0
	}
	return r.Time
}

func infoOf(w *ledger.Row) rowInfo {
	return rowInfo{Key: w.Key, from: w.From, to: w.To, tx: w.Tx, asset: w.Asset, total: w.Amount, untimed: w.TimeUnknown}
}

// run processes rows in chain order until every cursor is used up or at the
// end of the trace.
func (s *sim) run(ctx context.Context) error {
	s.weighing = weighing{}
	for n := 0; len(s.heap.entries) > 0; n++ {
		if n%weighEvery == 0 && ctx.Err() != nil {
			return errs.Wrap("trace", "", ctx.Err())
		}
		if n > 0 && (n%weighEvery == 0 || s.reading == readLedger) {
			if on, err := s.weigh(ctx); err != nil || on {
				if err == nil {
					err = s.scan(ctx)
				}
				return err
			}
		}
		src := s.heap.entries[0].source
		cur := s.heap.sources[src]
		w := cur.row()
		if s.until != 0 && w.Time > s.until {
			s.leave(src)
			continue
		}
		// Both sides of a transfer stream it; it happens once.
		if w.Key != s.last {
			s.last = w.Key
			if err := s.event(ctx, w); err != nil {
				return err
			}
		}
		cur.at++
		if err := cur.fill(ctx, s.r, &s.pages); err != nil {
			return err
		}
		s.heap.next()
	}
	return nil
}

// leave drops a cursor whose next row lies after the end of the trace. The row
// stays in the cursor: atEnd asks whether a spend follows.
func (s *sim) leave(uint32) {
	n := len(s.heap.entries) - 1
	s.heap.entries[0] = s.heap.entries[n]
	s.heap.entries = s.heap.entries[:n]
	s.heap.sink()
}

// event lets one transfer happen: the sender's book gives lots, the theft
// taints, the receiver acquires.
func (s *sim) event(ctx context.Context, w *ledger.Row) error {
	from, to := s.wrappers.sides(w.From, w.To, w.Asset)
	return s.happen(ctx, w, s.shelf.get(from.account, from.asset), s.shelf.get(to.account, to.asset))
}

// happen is event with the books of both sides, nil where none is open.
func (s *sim) happen(ctx context.Context, w *ledger.Row, from, to *book) error {
	thefts := s.theftsOf(w)
	if from == nil && to == nil && len(thefts) == 0 {
		return nil
	}
	var l linked
	if len(s.wrappers) > 0 {
		if x := s.wrappers.crosses(w); x != nil {
			if done, err := s.together(ctx, x, w); err != nil || done {
				return err
			}
		}
		if again, err := s.wrappers.retold(ctx, s.r, w); err != nil || again {
			return err
		}
		if l = s.wrappers.link(w.From, w.To, w.Asset); l.code != noLink {
			s.metLink = true
		}
	}
	if err := s.reads.add(ctx, s.r, w); err != nil {
		return err
	}
	if w.From == w.To || w.Amount.IsZero() {
		return nil // lots keep their order; nothing moves
	}
	if from != nil && l.code == noLink && w.Kind != chain.KindFee && w.Kind != chain.KindAdjustment {
		s.countSend(from)
	}
	if len(thefts) == 0 && s.passClean(w, from, to) {
		return nil
	}
	pieces := s.scratch[:0]
	if from == nil {
		pieces = append(pieces, lot{amount: w.Amount, flow: -1})
	} else {
		var err error
		if pieces, err = s.spend(ctx, from, w, pieces); err != nil {
			return err
		}
	}
	for _, t := range thefts {
		pieces = s.steal(t, w, pieces)
	}
	s.scratch = pieces
	if l.code != noLink {
		return s.change(ctx, w, &l, to, pieces)
	}
	return s.arrive(ctx, w, to, pieces)
}

// theftsOf lists the thefts that a transfer is part of.
func (s *sim) theftsOf(w *ledger.Row) []uint32 {
	var thefts []uint32
	if w.Block <= s.stolen.to {
		thefts = s.stolen.of(&w.Key)
	}
	if len(s.sources) == 0 {
		return thefts
	}
	// What a source wraps it keeps. It is followed where only what is wrapped is
	// asked for.
	giver, asset, l := w.From, w.Asset, s.wrappers.link(w.From, w.To, w.Asset)
	if l.code != noLink {
		giver, asset = l.account, l.gives
	}
	if at, ok := s.sources[giver]; ok && w.Kind != chain.KindFee && w.Kind != chain.KindAdjustment {
		p := &s.parties[at]
		if w.Time >= p.source.Since && (p.asset == asset || p.asset == 0 && l.code == noLink) {
			return append(thefts[:len(thefts):len(thefts)], p.theft)
		}
	}
	return thefts
}

// spend draws a transfer's amount from the sender's book. What the ledger does
// not know the origin of becomes a clean piece, booked as missing.
func (s *sim) spend(ctx context.Context, b *book, w *ledger.Row, out []lot) ([]lot, error) {
	a := w.Amount
	var missing chain.Amount
	switch {
	case s.tiho:
		var err error
		if out, err = s.spendBatch(ctx, b, w, out); err != nil {
			return nil, err
		}
		missing = a.MustSub(sumOf(out))
	case b.total.Less(a):
		missing = a.MustSub(b.total)
		out = s.method.draw(b, b.total, out)
	default:
		out = s.method.draw(b, a, out)
	}
	if !b.count(&a, &missing) {
		return nil, overflow()
	}
	short := !missing.IsZero()
	for i := range out {
		if out[i].tainted() {
			s.judge(&out[i], w, short)
		}
	}
	if s.req.ObservedOnly {
		out = s.keepInferred(b, out)
	}
	if short {
		out = append(out, lot{amount: missing, flow: -1})
	}
	return out, nil
}

// judge marks a tainted piece that was drawn as inferred where the ledger does
// not show it. What was inferred before is so by the weaker of both rules.
func (s *sim) judge(p *lot, w *ledger.Row, short bool) {
	switch {
	case short:
		p.rule = codeKnownFirst
	case p.rule == codeKnownFirst: // none is weaker
	case w.BlockInferred:
		p.rule = p.rule.weaker(codePosition)
	case p.flow >= 0 && s.guessed(&s.flows[p.flow].row, w):
		p.rule = p.rule.weaker(codeWithin)
	case p.flow >= 0:
		// The lot came in the same block, and nothing says which of the two
		// transactions was first.
		by := &s.flows[p.flow].row
		if by.Block == w.Block && by.Chain == w.Chain && (by.Index == chain.NoIndex || w.Index == chain.NoIndex) && by.Tx != w.Key.Tx {
			p.rule = p.rule.weaker(codeOrder)
		}
	}
}

// keepInferred leaves pieces that would go on as inferred with the sender, as
// unfollowed; clean money goes in their place.
func (s *sim) keepInferred(b *book, out []lot) []lot {
	for i := range out {
		p := &out[i]
		if p.tainted() && p.rule != codeObserved {
			p.rule = codeObserved // that it lies here is on the ledger
			s.put(atUnfollowed, b.owner, b.asset, ReasonInferred, p)
			*p = lot{amount: p.amount, flow: -1}
		}
	}
	return out
}

// steal taints the clean pieces of a theft's transfer. What is tainted already
// stays with the theft that tainted it and collides with this one.
func (s *sim) steal(t uint32, w *ledger.Row, pieces []lot) []lot {
	c := s.classOf(t, w.Asset)
	s.classes[c].stolen = s.classes[c].stolen.MustAdd(w.Amount)
	for i := range pieces {
		p := &pieces[i]
		if p.tainted() {
			s.put(atCollided, 0, w.Asset, "", &lot{amount: p.amount, class: c})
			continue
		}
		*p = lot{amount: p.amount, class: c, flow: -1}
		if w.BlockInferred {
			p.rule = codePosition
		}
	}
	return pieces
}

func overflow() error {
	return errs.New("trace", errs.Invalid, "", "the amounts of an asset exceed 2^256 base units: its contract does not keep a supply",
		"leave this asset out of the theft")
}
