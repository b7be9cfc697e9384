package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// txEvent is one transaction of a UTXO chain while it happens.
type txEvent struct {
	u       *utxo
	ref     ledger.TxRef
	tx      *ledger.UTXOTx
	asset   ledger.AssetRef
	in, out []ledger.AccountRef
	prov    bool
	short   bool // the ledger lacks outputs that it spends
}

func (e *txEvent) happen(ctx context.Context) error {
	p, err := e.gather(ctx)
	if err != nil {
		return err
	}
	if e.u.poison {
		e.turn(p)
	}
	r := p.pour(e.u.req.Method)
	for i := range r.outs {
		if err := e.pay(ctx, i, r.outs[i]); err != nil {
			return err
		}
	}
	return e.payFee(ctx, r.fee)
}

// gather collects the inputs' money. Inputs whose value the ledger lacks hold
// what the outputs need beyond the known, and make what goes on inferred. Going
// back, an output where that stopped is a source, if it is one of those that
// are traced, and clean whatever came to it if not.
func (e *txEvent) gather(ctx context.Context) (*pouring, error) {
	p := &pouring{grouping: e.u.req.grouping()}
	var known, spent chain.Amount
	for i := range e.tx.Outputs {
		p.outs = append(p.outs, e.tx.Outputs[i].Value)
		var ok bool
		if spent, ok = spent.Add(e.tx.Outputs[i].Value); !ok {
			return nil, overflow()
		}
	}
	if e.tx.Coinbase {
		p.in = append(p.in, []lot{{amount: spent, flow: -1}})
		return p, nil
	}
	var last *coin
	for i := range e.tx.Inputs {
		in := &e.tx.Inputs[i]
		key := coinKey{e.tx.Chain, in.Prev}
		c := e.u.coins[key]
		if e.u.back != nil {
			if l, ok := e.u.back.source(key); ok {
				p.in = append(p.in, []lot{l})
				known = known.MustAdd(l.amount)
				continue
			}
		}
		switch {
		case c != nil:
			if over, err := e.u.overSpends(ctx, c.party, e.tx, 1); err != nil {
				return nil, err
			} else if over {
				e.u.giveUpCoin(c, ReasonDegree)
			}
			p.in = append(p.in, c.lots)
			known = known.MustAdd(sumOf(c.lots))
			last = c
			delete(e.u.coins, key)
		case in.Known:
			p.in = append(p.in, []lot{e.u.sent(e, i)})
			known = known.MustAdd(in.Value)
		default:
			e.short = true
		}
	}
	var ok bool
	if p.fee, ok = known.Sub(spent); ok {
		return p, nil
	}
	missing := spent.MustSub(known)
	p.fee = chain.Amount{}
	if !e.short {
		return nil, errs.New("trace", errs.Corrupt, e.tx.Tx.Text(e.tx.Chain), "a transaction pays out more than its inputs hold", "verify the ledger with: bongsu ledger check")
	}
	p.missing = missing
	if last != nil {
		e.u.lack(last, e.asset, spent, missing)
	}
	return p, nil
}

// lack books a spend beyond what is known under the account of its last known
// tainted input.
func (u *utxo) lack(c *coin, asset ledger.AssetRef, spent, missing chain.Amount) {
	b := u.shelf.get(c.ref, asset)
	if b == nil {
		b = u.shelf.add(c.ref, asset, c.party)
	}
	b.spent, b.extra().missing = b.spent.MustAdd(spent), b.missing().MustAdd(missing)
}

// turn taints the clean inputs of a transaction with a tainted one (Poison).
func (e *txEvent) turn(p *pouring) {
	var by *lot
	for i := range p.in {
		for k := range p.in[i] {
			if l := &p.in[i][k]; l.tainted() && (by == nil || by.rule != codeObserved && l.rule == codeObserved) {
				by = l
			}
		}
	}
	if by == nil {
		return
	}
	taint := *by
	for i := range p.in {
		for k := range p.in[i] {
			if l := &p.in[i][k]; !l.tainted() && !l.amount.IsZero() {
				e.u.put(atTurned, 0, e.asset, "", &lot{amount: l.amount, class: taint.class})
				amount := l.amount
				*l = taint
				l.amount = amount
			}
		}
	}
	if !p.missing.IsZero() {
		e.u.put(atTurned, 0, e.asset, "", &lot{amount: p.missing, class: taint.class})
		taint.amount = p.missing
		p.in, p.missing = append(p.in, []lot{taint}), chain.Amount{}
	}
}

// row is the place of one output, as a ledger row.
func (e *txEvent) row(ordinal int, to ledger.AccountRef, kind chain.Kind, amount chain.Amount) ledger.Row {
	return ledger.Row{
		Key: outputKey(e.tx, ordinal, kind), Stated: e.tx.Time, To: to, Asset: e.asset, Tx: e.ref, Amount: amount, Provisional: e.prov,
	}
}

// judge marks what a transaction with unknown inputs moves as inferred. The
// order of spends needs no judging here: an output is there before its spender.
func (e *txEvent) judge(lots []lot) {
	for i := range lots {
		if l := &lots[i]; e.short && l.tainted() {
			l.rule = codeKnownFirst
		}
	}
}

// payer is the account whose money a lot was: that of the flow which brought
// it.
func (e *txEvent) payer(lots []lot) ledger.AccountRef {
	for i := range lots {
		if l := &lots[i]; l.tainted() && l.flow >= 0 {
			return e.u.flows[l.flow].row.to
		}
	}
	first := ledger.AccountRef(0)
	for _, ref := range e.in {
		if at, ok := e.u.sources[ref]; ok && anyOf(lots, e.u.parties[at].theft, e.u.classes) {
			return ref
		}
		if first == 0 {
			first = ref
		}
		if first != 0 && len(e.u.sources) == 0 {
			break
		}
	}
	return first
}

// pay gives an output its lots: the theft taints them, a service or a bound
// ends the branch, and what is left waits for the output's spender.
func (e *txEvent) pay(ctx context.Context, i int, lots []lot) error {
	out := &e.tx.Outputs[i]
	w := e.row(i, e.out[i], chain.KindNative, out.Value)
	w.From = e.payer(lots)
	e.judge(lots)
	e.u.change(w.To, lots)
	key := coinKey{e.tx.Chain, ledger.OutPoint{Tx: e.tx.Tx, Index: uint32(i)}}
	for _, t := range e.u.outputs[key] {
		lots = e.u.steal(t, &w, lots)
	}
	if !anyTainted(lots) {
		return nil
	}
	e.u.carried++
	lots, err := e.u.record(&w, lots)
	if err != nil {
		return err
	}
	if w.To == 0 {
		e.u.sinkhole(&ledger.Row{Key: ledger.Key{Kind: chain.KindAdjustment}, Asset: e.asset}, lots)
		return nil
	}
	at, err := e.u.party(ctx, w.To)
	if err != nil {
		return err
	}
	p := &e.u.parties[at]
	if !p.reached {
		p.reached = true
		e.u.received++
	}
	switch p.role {
	case roleExit, roleContract, roleSource:
		e.u.end(at, &w, lots)
		return nil
	}
	over, err := e.u.overSpends(ctx, at, e.tx, 0)
	if err != nil {
		return err
	}
	e.u.boundOutput(at, &w, lots, over)
	if !anyTainted(lots) {
		return nil
	}
	e.u.coins[key] = &coin{lots: lots, party: at, ref: w.To, asset: e.asset}
	if out.Spender.Tx.IsZero() {
		return nil
	}
	if e.u.back != nil {
		if t := e.u.back.txs[out.Spender.Tx]; t != nil {
			e.u.enqueue(t.dueTx)
		}
		return nil
	}
	refs, err := e.u.r.TxRefs(ctx, []ledger.Tx{{Chain: e.tx.Chain, ID: out.Spender.Tx}})
	if err != nil {
		return err
	}
	return e.u.queue(ctx, refs[0])
}

// boundOutput is bound for an output.
func (s *sim) boundOutput(at uint32, w *ledger.Row, lots []lot, over bool) {
	floor := s.floors[w.Asset]
	small := !floor.IsZero() && taintOf(lots).Less(floor)
	for i := range lots {
		l := &lots[i]
		why := Reason("")
		switch depth := s.req.Bounds.MaxHops; {
		case !l.tainted():
		case over:
			why = ReasonDegree
		case small:
			why = ReasonFloor
		case depth > 0 && int(l.hop) >= depth:
			why = ReasonDepth
		case s.req.ObservedOnly && l.rule != codeObserved:
			why = ReasonInferred
		}
		if why != "" {
			s.put(atUnfollowed, at, w.Asset, why, l)
			*l = lot{amount: l.amount, flow: -1}
		}
	}
}

// payFee ends the fee's taint in fees, or with the rule coinbase keeps it for
// the block's coinbase.
func (e *txEvent) payFee(ctx context.Context, lots []lot) error {
	if !anyTainted(lots) {
		return nil
	}
	e.judge(lots)
	if e.u.req.Fees == FeesCoinbase {
		if kept, err := e.u.keepFee(ctx, e, lots); kept || err != nil {
			return err
		}
	}
	w := e.row(len(e.tx.Outputs), 0, chain.KindFee, sumOf(lots))
	w.From = e.payer(lots)
	e.u.carried++
	lots, err := e.u.record(&w, lots)
	e.u.sinkhole(&w, lots)
	return err
}
