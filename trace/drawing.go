package trace

import (
	"cmp"
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// drawing gathers the rows of a result.
type drawing struct {
	*names
	res    *Result
	poison bool
}

// line is what rows of a result have in common before they are told apart.
type line struct {
	key         tallyKey
	provisional bool
}

// sim adds the rows of one simulation.
func (d *drawing) sim(s *sim, all map[tallyKey]*sum, final map[chain.ID]uint64) {
	t, sums := make(map[line]*sum, len(all)), make([]sum, 0, len(all))
	for k, v := range all {
		l := line{key: k}
		if d.poison {
			l.key.class = s.firstClass(k.class) // poison names no stolen asset, and a link may bring two into one
		}
		if k.block != 0 {
			l.provisional = k.place <= atUnfollowed && k.block > final[s.parties[k.party].account.Chain()]
			l.key.block = 0
		}
		if e := t[l]; e != nil {
			e.join(v)
			continue
		}
		sums = append(sums, *v)
		t[l] = &sums[len(sums)-1]
	}
	d.res.Holdings = slices.Grow(d.res.Holdings, len(t)) // most of them
	for l, v := range t {
		d.row(s, l, v)
	}
	d.incomplete(s)
}

// firstClass is the first class of a class's theft.
func (s *sim) firstClass(c class) class {
	for i := class(1); i < c; i++ {
		if s.classes[i].theft == s.classes[c].theft {
			return i
		}
	}
	return c
}

func (d *drawing) row(s *sim, l line, v *sum) {
	p := &s.parties[l.key.party]
	c := &s.classes[l.key.class]
	theft := s.thefts[c.theft].id
	money := d.amount(l.key.asset, v.amount)
	var origin *Amount
	if !d.poison {
		o := d.amount(c.asset, v.origin)
		origin = &o
	}
	basis := v.rule.basis()
	part := Part{Amount: money, Origin: origin, Theft: theft, Basis: basis}
	switch l.key.place {
	case atHolding:
		d.res.Holdings = append(d.res.Holdings, Holding{p.account, money, origin, theft, basis, v.rule.rule(), l.provisional, v.first})
	case atExit:
		d.res.Exits = append(d.res.Exits, Exit{
			p.account, p.label.Label, p.label.Service(), p.label.Source, money, origin, theft, basis, v.rule.rule(), l.provisional, v.first, v.last,
		})
	case atUnfollowed:
		d.res.Unfollowed = append(d.res.Unfollowed, Unfollowed{
			p.account, reasons[l.key.reason], money, origin, theft, basis, v.rule.rule(), l.provisional, v.first,
		})
	case atFee:
		d.res.Fees = append(d.res.Fees, part)
	case atAdjustment:
		d.res.Adjustments = append(d.res.Adjustments, part)
	case atCollided:
		d.res.Collided = append(d.res.Collided, part)
	case atTurned:
		d.res.Turned = append(d.res.Turned, money)
	}
}

func (d *drawing) incomplete(s *sim) {
	for _, b := range s.shelf.books {
		if m := b.missing(); !m.IsZero() {
			d.res.Incomplete = append(d.res.Incomplete, Incomplete{
				s.parties[b.owner].account, d.amount(b.asset, b.spent), d.amount(b.asset, b.known()), d.amount(b.asset, m),
			})
		}
	}
}

// stolen is what a simulation's thefts took.
func (d *drawing) stolen(s *sim) []Part {
	var out []Part
	for _, c := range s.classes[1:] {
		out = append(out, Part{Amount: d.amount(c.asset, c.stolen), Theft: s.thefts[c.theft].id, Basis: Observed})
	}
	sorted(out, (*Part).compare)
	return out
}

// count counts accounts and transfers; with Poison several simulations may
// touch the same ones.
func (d *drawing) count(sims []*sim) {
	if len(sims) == 1 {
		d.res.Accounts, d.res.Transfers = sims[0].received, sims[0].carried
		return
	}
	accounts, rows := map[ledger.AccountRef]bool{}, map[ledger.Key]bool{}
	for _, s := range sims {
		for i := range s.parties {
			if s.parties[i].reached {
				accounts[s.parties[i].ref] = true
			}
		}
		for i := range s.flows {
			rows[s.flows[i].row.Key] = true
		}
	}
	d.res.Accounts, d.res.Transfers = len(accounts), len(rows)
}

func (p *Part) compare(q *Part) int {
	return cmp.Or(cmp.Compare(p.Asset, q.Asset), cmp.Compare(p.Theft, q.Theft), compareOrigin(p.Origin, q.Origin), cmp.Compare(p.Basis, q.Basis))
}

func compareOrigin(a, b *Amount) int {
	if a == nil || b == nil {
		return 0
	}
	return cmp.Compare(a.Asset, b.Asset)
}

func bool01(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sort puts every array into the order of definition 9: account, asset,
// theft, then what still tells rows apart. It leaves none of them null.
func (d *drawing) sort() {
	r := d.res
	r.Holdings = sorted(r.Holdings, func(a, b *Holding) int {
		if c := a.Account.Compare(b.Account); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Theft, b.Theft),
			compareOrigin(a.Origin, b.Origin), cmp.Compare(b.Basis, a.Basis), bool01(a.Provisional)-bool01(b.Provisional))
	})
	r.Exits = sorted(r.Exits, func(a, b *Exit) int {
		if c := a.Account.Compare(b.Account); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Theft, b.Theft),
			compareOrigin(a.Origin, b.Origin), cmp.Compare(b.Basis, a.Basis), bool01(a.Provisional)-bool01(b.Provisional))
	})
	r.Unfollowed = sorted(r.Unfollowed, func(a, b *Unfollowed) int {
		if c := a.Account.Compare(b.Account); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Theft, b.Theft), cmp.Compare(a.Reason, b.Reason),
			compareOrigin(a.Origin, b.Origin), cmp.Compare(b.Basis, a.Basis), bool01(a.Provisional)-bool01(b.Provisional))
	})
	r.Incomplete = sorted(r.Incomplete, func(a, b *Incomplete) int {
		return cmp.Or(a.Account.Compare(b.Account), cmp.Compare(a.Spent.Asset, b.Spent.Asset), a.Missing.Base.Cmp(b.Missing.Base), a.Spent.Base.Cmp(b.Spent.Base))
	})
	r.Fees, r.Adjustments, r.Collided = sorted(r.Fees, (*Part).compare), sorted(r.Adjustments, (*Part).compare), sorted(r.Collided, (*Part).compare)
	r.Turned = sorted(r.Turned, func(a, b *Amount) int { return cmp.Or(cmp.Compare(a.Asset, b.Asset), a.Base.Cmp(b.Base)) })
	r.Aside = sorted(r.Aside, func(a, b *Aside) int { return cmp.Or(a.compare(b), cmp.Compare(b.Count, a.Count)) })
	if d.poison {
		d.once()
	}
}

// once says once what several simulations of Poison met: the same book, from
// the theft on that opened it first, the same bait, and what turned of an asset.
func (d *drawing) once() {
	r := d.res
	slices.Reverse(r.Incomplete) // the book opened first spent most
	r.Incomplete = slices.CompactFunc(r.Incomplete, func(a, b Incomplete) bool {
		return a.Account == b.Account && a.Spent.Asset == b.Spent.Asset
	})
	slices.Reverse(r.Incomplete)
	r.Aside = slices.CompactFunc(r.Aside, func(a, b Aside) bool { return a.compare(&b) == 0 })
	sums := r.Turned[:0]
	for _, x := range r.Turned {
		if n := len(sums); n > 0 && sums[n-1].Asset == x.Asset {
			sums[n-1] = d.money(x.Asset, sums[n-1].Base.MustAdd(x.Base))
			continue
		}
		sums = append(sums, x)
	}
	r.Turned = sums
}

// sorted sorts rows where they are, and makes none of nil. Rows are large: their
// places are sorted, and then each row is moved once.
func sorted[T any](rows []T, compare func(a, b *T) int) []T {
	if rows == nil {
		return []T{}
	}
	order := make([]int32, len(rows)) // by place, whose row belongs there
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return compare(&rows[a], &rows[b]) })
	for i := range order {
		first := rows[i]
		at := int32(i)
		for order[at] != int32(i) {
			next := order[at]
			rows[at], order[at] = rows[next], at
			at = next
		}
		rows[at], order[at] = first, at
	}
	return rows
}

// flows writes a simulation's flows out with their names.
func (d *drawing) flows(ctx context.Context, s *sim, run *Run) error {
	if err := s.meet(ctx, s.flowSides()); err != nil {
		return err
	}
	txs := make([]ledger.TxRef, 0, len(s.flows)-min(len(s.flows), len(s.txs)))
	for i := len(s.txs); i < len(s.flows); i++ {
		txs = append(txs, s.flows[i].row.tx)
	}
	fresh, err := s.r.Txs(ctx, txs)
	if err != nil {
		return err
	}
	s.txs = append(s.txs, fresh...)
	base := len(run.Flows)
	run.Flows = slices.Grow(run.Flows, len(s.flows))[:base+len(s.flows)]
	var text [88]byte // of an id, at most
	for i := range s.flows {
		f := &s.flows[i]
		c := &s.classes[f.class]
		out := &run.Flows[base+i]
		*out = Flow{
			Theft: s.thefts[c.theft].id, From: s.account(f.row.from), To: s.account(f.row.to), Asset: d.assets[f.row.asset], Amount: f.amount,
			OriginAsset: d.assets[c.asset], Origin: f.origin, Total: f.row.total, Tx: string(s.txs[i].ID.AppendTo(text[:0], s.txs[i].Chain)), Time: f.row.stated(),
			Block: f.row.Block, Kind: f.row.Kind.String(), Basis: f.rule.basis(), Rule: f.rule.rule(), Hop: int(f.hop), Parents: make([]int, 0, f.parents),
		}
		if f.link != noLink {
			out.Link, out.Via = f.link.link(), s.wrappers.via(f.row.asset)
		}
		if o := f.row.Ordinal; o != chain.NoOrdinal {
			out.Ordinal = &o
		}
		for _, p := range s.parents[f.parent : f.parent+f.parents] {
			out.Parents = append(out.Parents, base+int(p))
		}
	}
	d.lots(s, run, base)
	return nil
}

// flowSides lists the accounts on both sides of the flows.
func (s *sim) flowSides() []ledger.AccountRef {
	sides := make([]ledger.AccountRef, 0, 2*len(s.flows))
	for i := range s.flows {
		for _, ref := range [...]ledger.AccountRef{s.flows[i].row.from, s.flows[i].row.to} {
			if ref != 0 {
				sides = append(sides, ref)
			}
		}
	}
	return sides
}

// account names an account that is a party; the zero for nobody.
func (s *sim) account(ref ledger.AccountRef) chain.Account { return s.parties[s.byRef[ref]].account }

// lots writes down what lies in books and outputs, sorted.
func (d *drawing) lots(s *sim, run *Run, base int) {
	first := len(run.Lots)
	add := func(party uint32, asset ledger.AssetRef, lots []lot) {
		for i := range lots {
			if l := &lots[i]; l.tainted() {
				run.Lots = append(run.Lots, Lot{
					Account: s.parties[party].account, Asset: d.assets[asset], Theft: s.thefts[s.classes[l.class].theft].id,
					Amount: l.amount, Flow: base + int(l.flow),
				})
			}
		}
	}
	tainted := 0
	for _, b := range s.shelf.books {
		tainted += int(b.tainted)
	}
	run.Lots = slices.Grow(run.Lots, tainted)
	for _, b := range s.shelf.books {
		add(b.owner, b.asset, b.live())
	}
	if s.utxo != nil {
		for _, c := range s.utxo.coins {
			add(c.party, c.asset, c.lots)
		}
	}
	sorted(run.Lots[first:], func(a, b *Lot) int {
		if c := a.Account.Compare(b.Account); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Theft, b.Theft), cmp.Compare(a.Flow, b.Flow), a.Amount.Cmp(b.Amount))
	})
}
