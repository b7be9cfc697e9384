package ledger

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// movement is one transfer inside its transaction. Its identity is everything
// but ordinal and row, which are the evidence of its place.
type movement struct {
	from, to     AccountRef
	asset        AssetRef
	nth          uint32
	ordinal, row uint32
	kind         chain.Kind
	amount       chain.Amount
}

func (m *movement) compareIdentity(o *movement) int {
	return cmp.Or(cmp.Compare(m.kind, o.kind), cmp.Compare(m.from, o.from), cmp.Compare(m.to, o.to),
		cmp.Compare(m.asset, o.asset), m.amount.Cmp(o.amount), cmp.Compare(m.nth, o.nth))
}

// txName identifies a transaction. A movement without a transaction id is a
// transaction by itself, which alone names; nil for all others.
type txName struct {
	chain ChainRef
	id    chain.TxID
	alone *aloneName
}

// aloneName is the identity of a movement, and its time.
type aloneName struct {
	movement // ordinal and row 0
	time     chain.Time
}

// txState is all that is known of one transaction, merged. It is immutable
// once it is part of a layer: a later fact makes a new state in a layer above,
// which stands for the whole transaction.
type txState struct {
	name   txName
	block  uint64
	index  uint32
	time   chain.Time // the earliest stated without a block; 0: none
	status TxStatus
	moves  []movement // by identity
	notes  []NoteFact // by compareNotes
	coins  *coinTx
	live   uint64 // the highest live block that states it; 0: none
}

// txID is a transaction with an id of its own, as a key.
type txID struct {
	chain ChainRef
	id    chain.TxID
}

func (n *txName) equal(o *txName) bool {
	return n.chain == o.chain && n.id == o.id && (n.alone == o.alone || n.alone != nil && o.alone != nil && *n.alone == *o.alone)
}

func (n *txName) hash(seed maphash.Seed) uint64 {
	h := maphash.Comparable(seed, n.key())
	if n.alone != nil {
		h ^= maphash.Comparable(seed, *n.alone)
	}
	return h
}

func (n *txName) key() txID { return txID{n.chain, n.id} }

func newState(name txName) *txState {
	return &txState{name: name, block: chain.NoBlock, index: chain.NoIndex}
}

func (s *txState) clone() *txState {
	c := *s
	c.moves, c.notes = slices.Clone(s.moves), slices.Clone(s.notes)
	return &c
}

// place merges evidence of where the transaction stands.
func (s *txState) place(block uint64, index uint32, at chain.Time) {
	s.block, s.index = min(s.block, block), min(s.index, index)
	if at != 0 && (s.time == 0 || at < s.time) {
		s.time = at
	}
}

// result is what adding a movement changed.
type result uint8

const (
	there result = iota
	improved
	added
)

// move merges one movement. Two sources that state it both leave it once, with
// the better evidence of its place.
func (s *txState) move(m movement) result {
	if m.ordinal != chain.NoOrdinal {
		m.row = 0 // the row only orders what has no ordinal
	}
	i, found := slices.BinarySearchFunc(s.moves, &m, func(a movement, b *movement) int { return a.compareIdentity(b) })
	if !found {
		what := added
		if onlyOnce(m.kind) {
			if what = s.single(m); what == there {
				return there
			}
			i, _ = slices.BinarySearchFunc(s.moves, &m, func(a movement, b *movement) int { return a.compareIdentity(b) })
		}
		s.moves = slices.Insert(s.moves, i, m)
		return what
	}
	old := &s.moves[i]
	if comparePlaces(m.ordinal, m.row, old.ordinal, old.row) < 0 {
		old.ordinal, old.row = m.ordinal, m.row
		return improved
	}
	return there
}

// comparePlaces puts the better evidence of one movement's place first: an
// ordinal before none, the smaller first; then the larger row. A source that
// shows a part of a transaction counts fewer rows before a movement than one
// that shows all of it, never more.
func comparePlaces(ordinal, row, oOrdinal, oRow uint32) int {
	return cmp.Or(cmp.Compare(ordinal, oOrdinal), cmp.Compare(oRow, row))
}

func (s *txState) note(n NoteFact) {
	i, found := slices.BinarySearchFunc(s.notes, n, compareNotes)
	if !found {
		s.notes = slices.Insert(s.notes, i, n)
	}
}

func compareNotes(a, b NoteFact) int {
	switch {
	case a.Call != nil && b.Call != nil:
		return cmp.Or(cmp.Compare(a.Call.Ordinal, b.Call.Ordinal), a.Call.From.Compare(b.Call.From),
			a.Call.To.Compare(b.Call.To), bytes.Compare(a.Call.Input, b.Call.Input))
	case a.Call != nil:
		return -1
	case b.Call != nil:
		return 1
	}
	return cmp.Or(cmp.Compare(a.Log.Index, b.Log.Index), a.Log.Address.Compare(b.Log.Address), bytes.Compare(a.Log.Data, b.Log.Data),
		slices.CompareFunc(a.Log.Topics, b.Log.Topics, func(x, y Hash) int { return bytes.Compare(x[:], y[:]) }))
}

// blockState is all that is known of one block, merged.
type blockState struct {
	number       uint64
	hash, parent Hash
	time         chain.Time
	timed        bool
	header       bool // time is a header's
}

func (b *blockState) addHeader(f *BlockFact) {
	if f.Hash != (Hash{}) {
		b.hash = f.Hash
	}
	if f.Parent != (Hash{}) {
		b.parent = f.Parent
	}
	if f.HasTime && (!b.header || f.Time < b.time) {
		b.time, b.timed, b.header = f.Time, true, true
	}
}

func (b *blockState) addRowTime(t chain.Time) {
	if t != 0 && !b.header && (!b.timed || t < b.time) {
		b.time, b.timed = t, true
	}
}

// checkFacts refuses what a ledger cannot hold, before anything is written.
func checkFacts(f *Facts) error {
	for i := range f.Transfers {
		t := &f.Transfers[i]
		if err := checkChain(t.Chain); err != nil {
			return err
		}
		if err := checkIDLen(t.Chain, t.Tx); err != nil {
			return err
		}
		if err := checkHome(t.Chain, t.Tx, t.From, t.To); err != nil {
			return err
		}
		if t.Block == chain.NoBlock && t.Time == 0 {
			return errs.New("import", errs.Invalid, t.Tx.Text(t.Chain), "a transfer with neither block nor time has no place", "give one of the two")
		}
		if t.Asset == "" || t.Kind == chain.KindNone || t.Time < 0 {
			return errs.New("import", errs.Invalid, t.Tx.Text(t.Chain), "a transfer lacks its asset or its kind, or its time is before 1970", "check the source's columns")
		}
	}
	for i := range f.Blocks {
		if err := checkChain(f.Blocks[i].Chain); err != nil {
			return err
		}
	}
	for i := range f.Txs {
		if err := checkTx(f.Txs[i].Chain, f.Txs[i].Tx); err != nil {
			return err
		}
	}
	for i := range f.Notes {
		if err := checkTx(f.Notes[i].Chain, f.Notes[i].Tx); err != nil {
			return err
		}
	}
	for i := range f.UTXOs {
		if err := checkCoins(&f.UTXOs[i]); err != nil {
			return err
		}
	}
	for _, c := range f.Claims {
		if err := checkChain(c.Chain); err != nil {
			return err
		}
		if c.To < c.From {
			return errs.New("import", errs.Invalid, string(c.Chain), "a range ends before it begins", "check the claimed range")
		}
	}
	return nil
}

func checkTx(id chain.ID, tx chain.TxID) error {
	if tx.IsZero() {
		return errs.New("import", errs.Invalid, string(id), "facts of a transaction without its id", "check the source's columns")
	}
	if err := checkChain(id); err != nil {
		return err
	}
	return checkIDLen(id, tx)
}

// checkHome refuses accounts of another chain than what they take part in:
// where accounts are numbered by chain they would become others.
func checkHome(id chain.ID, tx chain.TxID, accounts ...chain.Account) error {
	for _, a := range accounts {
		if !a.IsZero() && a.Chain() != id {
			return errs.New("import", errs.Invalid, tx.Text(id), "an account of "+string(a.Chain())+" in a transaction of "+string(id),
				"name the account on the chain on which it took part")
		}
	}
	return nil
}

// checkIDLen refuses an id that no transaction of the chain has: segments hold
// them with one length a chain.
func checkIDLen(id chain.ID, tx chain.TxID) error {
	var raw [64]byte
	if n := len(tx.AppendRaw(raw[:0])); n != 0 && n != idLen(id) {
		return errs.New("import", errs.Invalid, tx.Text(id), "a transaction id of a length that "+string(id)+" does not have", "check the source's columns")
	}
	return nil
}

// checkChain refuses a chain that RefOfChain cannot tell from every other.
func checkChain(id chain.ID) error {
	if RefOfChain(id) == 0 || (id.EVM() && len(id) > len("eip155:")+maxChainRef) {
		return errs.New("import", errs.Invalid, string(id), "not a chain that a ledger can hold", "use an eip155, bip122, tron or solana chain that bongsu knows")
	}
	return nil
}
