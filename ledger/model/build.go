package model

import (
	"cmp"
	"math"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// reader answers from rows sorted once. Everything in it is fixed after build.
type reader struct {
	version  uint64
	registry *chain.Registry
	truth    *truth
	final    map[chain.ID]uint64
	live     map[blockKey]bool
	rows     []ledger.Row
	accounts []chain.Account // ref - 1
	assets   []chain.Asset   // ref - 1
	txs      []txKey         // ref - 1
	refs     map[txKey]ledger.TxRef
}

// Reader is a snapshot of all facts added so far.
func (m *Model) Reader() (ledger.Reader, error) {
	r := &reader{version: m.version, registry: chain.NewRegistry(), final: map[chain.ID]uint64{}, live: map[blockKey]bool{}}
	all := m.all()
	for _, f := range all {
		for _, a := range f.Assets {
			if err := r.registry.Add(a); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range m.live {
		r.live[blockKey{b.Block.Chain, b.Block.Number}] = true
	}
	for id, n := range m.final {
		r.final[id] = n
	}
	r.truth = merge(all)
	r.number()
	r.sort()
	return r, nil
}

// number gives out references in the order of names.
func (r *reader) number() {
	accounts, assets := map[chain.Account]bool{}, map[chain.Asset]bool{}
	for m := range r.truth.moves {
		accounts[m.who.from], accounts[m.who.to], assets[m.who.asset] = true, true, true
	}
	r.refs = map[txKey]ledger.TxRef{}
	for k, t := range r.truth.txs {
		r.txs = append(r.txs, k)
		if t.utxo != nil {
			for _, o := range t.utxo.Outputs {
				accounts[o.Account] = true
			}
			for _, in := range t.utxo.Inputs {
				accounts[in.Account] = true
			}
		}
	}
	delete(accounts, chain.Account{})
	for a := range accounts {
		r.accounts = append(r.accounts, a)
	}
	for a := range assets {
		r.assets = append(r.assets, a)
	}
	slices.SortFunc(r.accounts, chain.Account.Compare)
	slices.Sort(r.assets)
	slices.SortFunc(r.txs, func(a, b txKey) int {
		return cmp.Or(cmp.Compare(a.chain, b.chain), a.id.Compare(b.id), cmp.Compare(a.alone.time, b.alone.time))
	})
	for i, k := range r.txs {
		r.refs[k] = ledger.TxRef(i + 1)
	}
}

func (r *reader) account(a chain.Account) ledger.AccountRef {
	i, ok := slices.BinarySearchFunc(r.accounts, a, chain.Account.Compare)
	if !ok {
		return 0
	}
	return ledger.AccountRef(i + 1)
}

func (r *reader) asset(a chain.Asset) ledger.AssetRef {
	i, ok := slices.BinarySearch(r.assets, a)
	if !ok {
		return 0
	}
	return ledger.AssetRef(i + 1)
}

// placed is a transfer as it stands in chain order, beside its row.
type placed struct {
	t   chain.Transfer
	row ledger.Row
}

// sort makes the rows and puts them into chain order.
func (r *reader) sort() {
	var all []placed
	for m, p := range r.truth.moves {
		tx := r.truth.txs[m.tx]
		if tx.status == ledger.StatusFailed && m.who.kind != chain.KindFee {
			continue
		}
		all = append(all, r.place(m, p, tx))
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.t.Chain, b.t.Chain), a.t.Compare(b.t))
	})
	for i := range all {
		if i > 0 && sameButRank(all[i-1].row.Key, all[i].row.Key) {
			all[i].row.Rank = all[i-1].row.Rank + 1
		}
		r.rows = append(r.rows, all[i].row)
	}
}

func sameButRank(a, b ledger.Key) bool { a.Rank, b.Rank = 0, 0; return a == b }

func (r *reader) place(m move, p place, tx *tx) placed {
	row := ledger.Row{
		From: r.account(m.who.from), To: r.account(m.who.to), Asset: r.asset(m.who.asset),
		Nth: m.who.nth, Tx: r.refs[m.tx], Amount: m.who.amount,
	}
	row.Key = ledger.Key{
		Chain: ledger.RefOfChain(m.tx.chain), Block: tx.block, Index: tx.index,
		Kind: m.who.kind, Ordinal: p.ordinal, Row: p.row,
	}
	for i, c := range m.tx.id.Raw() {
		if i < 8 {
			row.Key.Tx |= uint64(c) << (56 - 8*i)
		} else if i < 16 {
			row.Key.TxNext |= uint64(c) << (120 - 8*i)
		}
	}
	if tx.block == chain.NoBlock {
		row.BlockInferred, row.Index = true, chain.NoIndex
		row.Stated, row.Time = tx.time, tx.time
		row.Block = r.latest(m.tx.chain, func(b *block) bool { return b.Time <= tx.time }).Number
	} else {
		b := r.truth.blocks[blockKey{m.tx.chain, tx.block}]
		row.Stated, row.TimeUnknown = b.Time, !b.HasTime
		row.Time = r.latest(m.tx.chain, func(b *block) bool { return b.Number <= tx.block }).Time
		row.Provisional = r.provisional(m.tx.chain, tx.block)
	}
	return placed{chain.Transfer{
		Chain: m.tx.chain, Time: row.Time, Block: row.Block, Index: row.Index, Tx: m.tx.id, Kind: m.who.kind,
		Ordinal: p.ordinal, Row: p.row, Nth: m.who.nth, From: m.who.from, To: m.who.to,
		Asset: m.who.asset, Amount: m.who.amount,
	}, row}
}

func (r *reader) provisional(id chain.ID, number uint64) bool {
	return r.live[blockKey{id, number}] && number > r.final[id]
}

// latest is the highest block with a known time that fits, or the zero.
func (r *reader) latest(id chain.ID, fits func(*block) bool) block {
	var best block
	for k, b := range r.truth.blocks {
		if k.chain == id && b.HasTime && fits(b) && (!best.HasTime || b.Number > best.Number) {
			best = *b
		}
	}
	return best
}

// ranges cuts [first, last] at every end of a claim.
func ranges(claims []ledger.Claim, first, last uint64) []ledger.Range {
	cuts := []uint64{first}
	for _, c := range claims {
		cuts = append(cuts, c.From)
		if c.To < math.MaxUint64 {
			cuts = append(cuts, c.To+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []ledger.Range
	for i, from := range cuts {
		if from < first || from > last {
			continue
		}
		to := last
		if i+1 < len(cuts) && cuts[i+1]-1 < last {
			to = cuts[i+1] - 1
		}
		var what ledger.Cover
		for _, c := range claims {
			if c.From <= from && from <= c.To {
				what |= c.What
			}
		}
		if n := len(out); n > 0 && out[n-1].What == what {
			out[n-1].To = to
		} else {
			out = append(out, ledger.Range{From: from, To: to, What: what})
		}
	}
	return out
}
