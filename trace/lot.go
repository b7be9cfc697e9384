package trace

import (
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// class numbers a (theft, stolen asset) pair of a run; 0 is clean money.
type class uint32

const clean class = 0

// lot is an amount of one asset that a book acquired at once. Its size bounds
// the memory of a trace, and how near it lies its speed: a line of the
// processor's cache holds one.
type lot struct {
	amount chain.Amount
	since  chain.Time // arrival on this account
	class  class
	flow   int32 // the flow that brought it; -1: clean, or there before
	hop    uint16
	rule   ruleCode
	prov   bool    // arrived in a block that was not final when it was read
	rare   *rarity // nil for most
}

// rarity is what few lots have. Lots may share one: it never changes.
type rarity struct {
	origin  chain.Amount
	differs bool   // the origin is not the lot's amount
	block   uint64 // of an arrival that was not final; else 0
}

// origin is the lot's part of the theft, in base units of the stolen asset: its
// amount until a swap. It means nothing of clean money, nor with Poison.
func (l *lot) origin() chain.Amount {
	if l.rare != nil && l.rare.differs {
		return l.rare.origin
	}
	return l.amount
}

// setOrigin gives the lot, whose amount is set, an origin.
func (l *lot) setOrigin(o chain.Amount) {
	if o == l.amount {
		l.setRare(rarity{block: l.block()})
		return
	}
	l.setRare(rarity{o, true, l.block()})
}

// block is where the lot arrived, if that was not final; else 0.
func (l *lot) block() uint64 {
	if l.rare == nil {
		return 0
	}
	return l.rare.block
}

// arrive dates the lot.
func (l *lot) arrive(w *ledger.Row) {
	l.since = w.Stated
	l.settle(w.Provisional, w.Block)
}

// settle says whether the lot's arrival, in a block, is not final.
func (l *lot) settle(prov bool, block uint64) {
	r := rarity{}
	if l.rare != nil {
		r = *l.rare
	}
	if l.prov, r.block = prov, 0; prov {
		r.block = block
	}
	l.setRare(r)
}

func (l *lot) setRare(r rarity) {
	switch {
	case r == rarity{}:
		l.rare = nil
	case l.rare == nil || *l.rare != r:
		l.rare = &r
	}
}

// grow joins m, which is alike, to the lot.
func (l *lot) grow(m *lot) {
	if l.rare == nil && m.rare == nil {
		l.amount = l.amount.MustAdd(m.amount)
		return
	}
	o := l.origin().MustAdd(m.origin())
	l.amount = l.amount.MustAdd(m.amount)
	l.setOrigin(o)
}

func (l *lot) tainted() bool { return l.class != clean }

// joins says that two neighbouring lots may be one where nothing asks which of
// them is older. Lots that are not final stay apart unless one block brought
// both: they may become final at different times. With hops, a bound on depth
// tells lots of different hops apart.
func (l *lot) joins(m *lot, hops bool) bool {
	return l.class == m.class && l.rule == m.rule && l.prov == m.prov && (!l.prov || l.block() == m.block()) && (!hops || l.hop == m.hop)
}

// evenly says that two lots have one ratio of origin to amount, so that it
// makes no difference whether they are cut up apart or together: neither has
// met a swap, or neither carries an origin.
func (l *lot) evenly(m *lot) bool {
	return l.origin() == l.amount && m.origin() == m.amount || l.origin().IsZero() && m.origin().IsZero()
}

// split takes t of the lot, which must be at most its amount, with the share
// of the origin that goes with it: floor(o*t/v), and all of it when t = v.
func (l *lot) split(t chain.Amount) lot {
	p := *l
	p.amount = t
	if l.rare == nil || !l.rare.differs { // the share is t
		l.amount = l.amount.MustSub(t)
		return p
	}
	o := l.origin()
	share, _ := o.MulDiv(t, l.amount) // fits: t is at most the amount
	l.amount = l.amount.MustSub(t)
	p.setOrigin(share)
	l.setOrigin(o.MustSub(share))
	return p
}

// ruleCode is a Rule in one byte: after observed the rule that says least, and
// so on to the one that says most.
type ruleCode uint8

const (
	codeObserved ruleCode = iota
	codeKnownFirst
	codeOrder
	codePosition
	codeWithin
)

var ruleNames = [...]Rule{RuleNone, RuleKnownFirst, RuleOrder, RulePosition, RuleWithin}

// weaker is the rule of what rests on both.
func (c ruleCode) weaker(d ruleCode) ruleCode {
	if c == codeObserved || d != codeObserved && d < c {
		return d
	}
	return c
}

func (c ruleCode) rule() Rule { return ruleNames[c] }

func (c ruleCode) basis() Basis {
	if c == codeObserved {
		return Observed
	}
	return Inferred
}

// bookKey names a book.
type bookKey struct {
	account ledger.AccountRef
	asset   ledger.AssetRef
}

// book is what one account holds of one asset, oldest lot first. A method owns
// the order in which lots are drawn; the simulation owns everything else.
//
// Two lines of the processor's cache hold it; most transfers need the first and
// the sum of spends.
type book struct {
	total   chain.Amount // of the lots
	lots    []lot        // live ones from head on
	head    uint32
	tainted uint32 // how many lots are tainted

	account ledger.AccountRef
	asset   ledger.AssetRef
	owner   uint32       // index into sim.parties
	spent   chain.Amount // since the book was opened
	cur     *cursor      // nil while the ledger is read on
	more    *bookMore    // nil for most
}

// bookMore is what few books have.
type bookMore struct {
	missing chain.Amount // what of the spends the ledger did not know (definition 4)
	batch   *batchPlan   // TIHO: what is drawn ahead
}

// isOf says whether the book is the one of an account and asset.
func (b *book) isOf(account ledger.AccountRef, asset ledger.AssetRef) bool {
	return b.account == account && b.asset == asset
}

// missing is what of the book's spends the ledger did not know.
func (b *book) missing() chain.Amount {
	if b.more == nil {
		return chain.Amount{}
	}
	return b.more.missing
}

// lack adds to what is missing, and says whether the sum fits.
func (b *book) lack(a chain.Amount) (ok bool) {
	if a.IsZero() {
		return true
	}
	m := b.extra()
	m.missing, ok = m.missing.Add(a)
	return ok
}

// batch is what is drawn ahead, nil for nothing.
func (b *book) batch() *batchPlan {
	if b.more == nil {
		return nil
	}
	return b.more.batch
}

func (b *book) extra() *bookMore {
	if b.more == nil {
		b.more = &bookMore{}
	}
	return b.more
}

// batchPlan is the pieces that a batch drew, for its spends one by one.
type batchPlan struct {
	pieces []lot
	cuts   []int32 // how many pieces each spend still gets
}

// known is what of the book's spends the ledger knew.
func (b *book) known() chain.Amount { return b.spent.MustSub(b.missing()) }

// count adds a spend to the book's sums, and says whether they fit.
func (b *book) count(spent, missing *chain.Amount) (ok bool) {
	b.spent, ok = b.spent.Add(*spent)
	return ok && b.lack(*missing)
}

func (b *book) live() []lot { return b.lots[b.head:] }

// push appends a lot. Adjacent clean lots are one: nothing tells them apart.
func (b *book) push(l lot) {
	if l.amount.IsZero() {
		return
	}
	if n := len(b.lots); n > int(b.head) && !l.tainted() && !b.lots[n-1].tainted() {
		b.lots[n-1].amount = b.lots[n-1].amount.MustAdd(l.amount)
	} else {
		b.makeRoom()
		b.lots = append(b.lots, l)
		if l.tainted() {
			b.tainted++
		}
	}
	b.total = b.total.MustAdd(l.amount)
}

// pushFirst puts a clean lot before all others.
func (b *book) pushFirst(l lot) {
	if l.amount.IsZero() {
		return
	}
	if n := len(b.lots); n > int(b.head) && !b.lots[b.head].tainted() {
		b.lots[b.head].amount = b.lots[b.head].amount.MustAdd(l.amount)
	} else {
		b.lots = slices.Insert(b.lots, int(b.head), l)
	}
	b.total = b.total.MustAdd(l.amount)
}

// makeRoom reuses the space of lots that were drawn from the head.
func (b *book) makeRoom() {
	if len(b.lots) == cap(b.lots) && int(b.head) > len(b.lots)/2 {
		n := copy(b.lots, b.lots[b.head:])
		b.lots, b.head = b.lots[:n], 0
	}
}

// popHead takes up to a from the oldest lot and appends the piece to out.
func (b *book) popHead(a chain.Amount, out []lot) ([]lot, chain.Amount) {
	l := &b.lots[b.head]
	t := a.Min(l.amount)
	if t == l.amount {
		out = append(out, *l)
		b.drop(l)
		b.head++
		if int(b.head) == len(b.lots) {
			b.lots, b.head = b.lots[:0], 0
		}
	} else {
		out = append(out, l.split(t))
	}
	b.total = b.total.MustSub(t)
	return out, a.MustSub(t)
}

// popTail does the same with the newest lot.
func (b *book) popTail(a chain.Amount, out []lot) ([]lot, chain.Amount) {
	l := &b.lots[len(b.lots)-1]
	t := a.Min(l.amount)
	if t == l.amount {
		out = append(out, *l)
		b.drop(l)
		b.lots = b.lots[:len(b.lots)-1]
		if int(b.head) == len(b.lots) {
			b.lots, b.head = b.lots[:0], 0
		}
	} else {
		out = append(out, l.split(t))
	}
	b.total = b.total.MustSub(t)
	return out, a.MustSub(t)
}

func (b *book) drop(l *lot) {
	if l.tainted() {
		b.tainted--
	}
}

// method is one way to share out taint. A method sees one book at a time and
// has no state of its own.
type method interface {
	// acquire appends an arrival's lots, in order.
	acquire(b *book, lots []lot)
	// draw takes a, at most b.total, and appends the pieces to out in the
	// order in which the receiver acquires them.
	draw(b *book, a chain.Amount, out []lot) []lot
}

func methodOf(m Method, g grouping, arrival func(*lot) *rowInfo) method {
	switch m {
	case LIFO:
		return lifo{}
	case Haircut:
		return haircut{g, arrival}
	case Poison:
		return poison{}
	case TIHO:
		return tiho{}
	}
	return fifo{}
}

// queue is the acquiring side that FIFO, LIFO and TIHO share: lots in order.
type queue struct{}

func (queue) acquire(b *book, lots []lot) {
	for i := range lots {
		b.push(lots[i])
	}
}
