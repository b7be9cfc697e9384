package trace

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// source is a stop as the forward trace sees it: an output, or a subsidy.
type source struct {
	key   coinKey
	coin  *wantedCoin // nil: the subsidy of tx
	tx    *ancestor   // spends it; nil: the deposit is the source
	row   rowInfo
	value chain.Amount
}

// list makes the sources, in chain order.
func (a *ancestry) list() {
	for key, c := range a.coins {
		if c.stop == stopNone || len(c.units) == 0 {
			continue
		}
		s := source{key: key, coin: c, tx: c.spender, value: c.value}
		if c.prev != nil {
			i := int(key.point.Index)
			s.row = rowInfo{Key: outputKey(c.prev, i, chain.KindNative), tx: c.prevRef}
		} else {
			// It came before the transaction that spends it: no more is known.
			s.row = rowInfo{Key: outputKey(&c.spender.tx, int(key.point.Index), chain.KindNative)}
			s.row.Tx, s.row.Rank = 0, binary.BigEndian.Uint32(key.point.Tx.Raw())
		}
		s.row.asset, s.row.total = a.asset, c.value
		a.sources = append(a.sources, s)
	}
	for _, t := range a.txs {
		if t.minted {
			a.sources = append(a.sources, source{tx: t, row: rowInfo{Key: outputKey(&t.tx, 0, chain.KindNative), tx: t.ref, asset: a.asset}})
		}
	}
	slices.SortFunc(a.sources, func(x, y source) int {
		return cmp.Or(x.row.Key.Compare(y.row.Key), x.key.point.Tx.Compare(y.key.point.Tx), cmp.Compare(x.key.point.Index, y.key.point.Index))
	})
	for i := range a.sources {
		s := &a.sources[i]
		x := stop{at: s.row.stated()}
		if s.coin != nil {
			a.at[s.key] = i
			x.account = s.coin.account
			x.stopped(s.coin.stop, s.coin.label)
		} else {
			a.minted[s.tx.ref] = i
			x.account = a.miner(s.tx)
		}
		a.stops = append(a.stops, x)
	}
}

// miner is the account that a subsidy was paid to on its way to the deposit.
func (a *ancestry) miner(t *ancestor) chain.Account {
	for i := range t.tx.Outputs {
		if o := &t.tx.Outputs[i]; len(a.units(t, uint32(i))) > 0 && !o.Account.IsZero() {
			return o.Account
		}
	}
	return chain.Account{}
}

// forward traces some sources, through the ancestry only, into the deposit.
func (a *ancestry) forward(ctx context.Context, dep *deposit, group []int) error {
	if len(group) == 0 {
		return nil
	}
	s, err := newBareSim(ctx, a.r, a.set, a.request(dep.id, group, a.on), &readLog{})
	if err != nil {
		return err
	}
	u := startUTXO(s)
	u.back, a.active = a, map[int]lot{}
	for _, i := range group {
		src := &a.sources[i]
		c := s.classOf(s.addTheft(dep.id, ""), a.asset)
		l := lot{amount: src.value, class: c, flow: -1}
		if src.coin != nil {
			if err := a.start(ctx, s, src, &l); err != nil {
				return err
			}
		}
		a.active[i] = l
		if src.tx == nil {
			continue // the deposit is a coinbase's: its own source
		}
		s.classes[c].stolen = src.value
		u.enqueue(src.tx.dueTx)
	}
	if err := u.run(ctx); err != nil {
		return err
	}
	if err := s.balance(s.rest()); err != nil {
		return err
	}
	return a.collect(ctx, s, dep, func(theft uint32) *stop { return &a.stops[group[theft]] })
}

// start gives an output that is traced its flow: the first on the way.
func (a *ancestry) start(ctx context.Context, s *sim, src *source, l *lot) error {
	refs, err := a.r.AccountRefs(ctx, []chain.Account{src.coin.account})
	if err != nil {
		return err
	}
	row := src.row
	row.to = refs[0]
	l.flow, l.since = int32(len(s.flows)), row.stated()
	f := flow{row: row, amount: l.amount, class: l.class}
	if !s.poison {
		f.origin = l.origin()
	}
	if err := s.room.spend(1, 0); err != nil {
		return err
	}
	s.flows = append(s.flows, f)
	s.txs = append(s.txs, ledger.Tx{Chain: a.on, ID: src.key.point.Tx}) // the ledger may lack it
	return nil
}

// source is what an output where going back stopped holds in this trace: all
// of it is the source's if that is traced now, and else clean.
func (a *ancestry) source(key coinKey) (lot, bool) {
	i, ok := a.at[key]
	if !ok {
		return lot{}, false
	}
	if l, ok := a.active[i]; ok {
		return l, true
	}
	return lot{amount: a.sources[i].value, flow: -1}, true
}

// subsidy is what a coinbase mints in this trace.
func (a *ancestry) subsidy(ref ledger.TxRef, amount chain.Amount, s *sim) lot {
	if i, ok := a.minted[ref]; ok {
		if l, ok := a.active[i]; ok {
			l.amount = amount
			s.classes[l.class].stolen = amount
			return l
		}
	}
	return lot{amount: amount, flow: -1}
}
