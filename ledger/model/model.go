// Package model is a ledger in its plainest form: every fact in a list, every
// answer worked out from all of them by sorting and searching from the first.
//
// It is the oracle that the engine is compared with, and a ledger for tests of
// other rooms that need a Reader over a few transfers. It states the merging
// rules of package ledger once more, in the simplest words; it shares no code
// with the engine, knows no files and is slow by intent.
package model

import (
	"cmp"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// Model gathers facts. The zero is empty. Not safe for several goroutines;
// the Readers it gives are.
type Model struct {
	facts   []ledger.Facts
	live    []ledger.LiveBlock
	final   map[chain.ID]uint64
	version uint64
}

// Of is a Reader over some transfers.
func Of(transfers ...chain.Transfer) (ledger.Reader, error) {
	var m Model
	if err := m.Add(&ledger.Facts{Transfers: transfers}); err != nil {
		return nil, err
	}
	return m.Reader()
}

// Add adds facts.
func (m *Model) Add(f *ledger.Facts) error {
	for i := range f.Transfers {
		if t := &f.Transfers[i]; t.Block == chain.NoBlock && t.Time == 0 {
			return errs.New("import", errs.Invalid, t.Tx.Text(t.Chain), "a transfer with neither block nor time has no place", "give one of the two")
		}
	}
	c := *f
	c.Transfers, c.Txs = slices.Clone(f.Transfers), slices.Clone(f.Txs)
	c.Blocks, c.Notes = slices.Clone(f.Blocks), slices.Clone(f.Notes)
	c.UTXOs, c.Assets, c.Claims = slices.Clone(f.UTXOs), slices.Clone(f.Assets), slices.Clone(f.Claims)
	m.facts = append(m.facts, c)
	m.version++
	return nil
}

// ApplyBlock adds a live block.
func (m *Model) ApplyBlock(b ledger.LiveBlock) {
	m.live = append(m.live, b)
	m.version++
}

// Rollback forgets the live blocks of a chain above number.
func (m *Model) Rollback(id chain.ID, number uint64) {
	m.live = slices.DeleteFunc(m.live, func(b ledger.LiveBlock) bool {
		return b.Block.Chain == id && b.Block.Number > number
	})
	m.version++
}

// Finalize marks the live blocks of a chain up to number as final.
func (m *Model) Finalize(id chain.ID, number uint64) {
	if m.final == nil {
		m.final = map[chain.ID]uint64{}
	}
	m.final[id] = max(m.final[id], number)
	m.version++
}

// all is every batch of facts, live blocks included.
func (m *Model) all() []ledger.Facts {
	out := slices.Clone(m.facts)
	for _, b := range m.live {
		f := b.Facts
		f.Blocks = append(slices.Clone(f.Blocks), b.Block)
		f.Claims = append(slices.Clone(f.Claims), ledger.Claim{Chain: b.Block.Chain, From: b.Block.Number, To: b.Block.Number, What: b.What})
		out = append(out, f)
	}
	return out
}

type blockKey struct {
	chain  chain.ID
	number uint64
}

type block struct {
	ledger.Block
	header bool // Time is a header's
}

// txKey names a transaction; a movement without one is a transaction by itself.
type txKey struct {
	chain chain.ID
	id    chain.TxID
	alone identity
}

type tx struct {
	block  uint64
	index  uint32
	time   chain.Time // 0: none
	status ledger.TxStatus
	notes  ledger.Notes
	utxo   *ledger.UTXOTx
}

// identity is what makes two rows the same movement.
type identity struct {
	kind     chain.Kind
	from, to chain.Account
	asset    chain.Asset
	amount   chain.Amount
	nth      uint32
	time     chain.Time // only without a transaction id
}

type move struct {
	tx  txKey
	who identity
}

type place struct{ ordinal, row uint32 }

// truth is all facts merged.
type truth struct {
	blocks map[blockKey]*block
	txs    map[txKey]*tx
	moves  map[move]place
	claims map[chain.ID][]ledger.Claim
}

func merge(all []ledger.Facts) *truth {
	w := &truth{map[blockKey]*block{}, map[txKey]*tx{}, map[move]place{}, map[chain.ID][]ledger.Claim{}}
	for _, f := range all {
		for i := range f.Transfers {
			w.transfer(&f.Transfers[i])
		}
		for _, t := range f.Txs {
			at := chain.Time(0)
			if t.HasTime {
				at = t.Time
			}
			x := w.seen(txKey{chain: t.Chain, id: t.Tx}, t.Block, t.Index, at)
			x.status = max(x.status, t.Status)
		}
		for _, b := range f.Blocks {
			w.header(b)
		}
		for _, n := range f.Notes {
			w.note(n)
		}
		for i := range f.UTXOs {
			u := f.UTXOs[i]
			x := w.seen(txKey{chain: u.Chain, id: u.Tx}, u.Block, u.Index, u.Time)
			x.utxo = mergeUTXO(x.utxo, &u)
		}
		for _, c := range f.Claims {
			if c.What != 0 {
				w.claims[c.Chain] = append(w.claims[c.Chain], c)
			}
		}
	}
	for k, t := range w.txs {
		if t.block != chain.NoBlock && t.time != 0 {
			w.at(k.chain, t.block).rowTime(t.time)
		}
	}
	w.exact()
	return w
}

// exact leaves out fees and values of transactions of EVM chains that another
// states more exactly.
func (w *truth) exact() {
	singles := map[txKey][]identity{}
	for m := range w.moves {
		if (m.who.kind == chain.KindFee || m.who.kind == chain.KindNative) && m.tx.chain.EVM() && !m.tx.id.IsZero() {
			singles[m.tx] = append(singles[m.tx], m.who)
		}
	}
	for tx, list := range singles {
		for _, a := range list {
			for _, b := range list {
				if a.kind == b.kind && a.from == b.from && a.to == b.to && a.asset == b.asset && a.amount.IsRoundingOf(b.amount) {
					delete(w.moves, move{tx, a})
				}
			}
		}
	}
}

func (w *truth) transfer(t *chain.Transfer) {
	who := identity{kind: t.Kind, from: t.From, to: t.To, asset: t.Asset, amount: t.Amount, nth: t.Nth}
	k := txKey{chain: t.Chain, id: t.Tx}
	if t.Tx.IsZero() {
		who.time = t.Time
		k.alone = who
	} else if t.Kind == chain.KindNative || t.Kind == chain.KindFee {
		who.nth = 0 // one for each transaction
	}
	w.seen(k, t.Block, t.Index, t.Time)
	m := move{k, who}
	p := place{t.Ordinal, t.Row}
	if p.ordinal != chain.NoOrdinal {
		p.row = 0
	}
	if old, ok := w.moves[m]; ok && cmp.Or(cmp.Compare(old.ordinal, p.ordinal), cmp.Compare(p.row, old.row)) < 0 {
		p = old
	}
	w.moves[m] = p
}

func (w *truth) seen(k txKey, number uint64, index uint32, at chain.Time) *tx {
	t := w.txs[k]
	if t == nil {
		t = &tx{block: chain.NoBlock, index: chain.NoIndex}
		w.txs[k] = t
	}
	t.block, t.index = min(t.block, number), min(t.index, index)
	if number != chain.NoBlock {
		w.at(k.chain, number).rowTime(at)
	} else if at != 0 && (t.time == 0 || at < t.time) {
		t.time = at
	}
	return t
}

// rowTime takes the time that a row of the block states; a header's is better.
func (b *block) rowTime(at chain.Time) {
	if at != 0 && !b.header && (!b.HasTime || at < b.Time) {
		b.Time, b.HasTime = at, true
	}
}

func (w *truth) at(id chain.ID, number uint64) *block {
	k := blockKey{id, number}
	b := w.blocks[k]
	if b == nil {
		b = &block{Block: ledger.Block{Number: number, Known: true}}
		w.blocks[k] = b
	}
	return b
}

func (w *truth) header(f ledger.BlockFact) {
	b := w.at(f.Chain, f.Number)
	if f.Hash != (ledger.Hash{}) {
		b.Hash = f.Hash
	}
	if f.Parent != (ledger.Hash{}) {
		b.Parent = f.Parent
	}
	if f.HasTime && (!b.header || f.Time < b.Time) {
		b.Time, b.HasTime, b.header = f.Time, true, true
	}
}

func (w *truth) note(n ledger.NoteFact) {
	at := chain.NoBlock
	if n.HasBlock {
		at = n.Block
	}
	t := w.seen(txKey{chain: n.Chain, id: n.Tx}, at, chain.NoIndex, 0)
	if n.Call != nil && !slices.ContainsFunc(t.notes.Calls, func(c ledger.Call) bool { return compareCalls(c, *n.Call) == 0 }) {
		t.notes.Calls = append(t.notes.Calls, *n.Call)
		slices.SortFunc(t.notes.Calls, compareCalls)
	}
	if n.Log != nil && !slices.ContainsFunc(t.notes.Logs, func(c ledger.Log) bool { return compareLogs(c, *n.Log) == 0 }) {
		t.notes.Logs = append(t.notes.Logs, *n.Log)
		slices.SortFunc(t.notes.Logs, compareLogs)
	}
}

func compareCalls(a, b ledger.Call) int {
	return cmp.Or(cmp.Compare(a.Ordinal, b.Ordinal), a.From.Compare(b.From), a.To.Compare(b.To), slices.Compare(a.Input, b.Input))
}

func compareLogs(a, b ledger.Log) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), a.Address.Compare(b.Address), slices.Compare(a.Data, b.Data),
		slices.CompareFunc(a.Topics, b.Topics, func(x, y ledger.Hash) int { return slices.Compare(x[:], y[:]) }))
}
