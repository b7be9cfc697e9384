package ledger

import (
	"context"
	"runtime"
	"slices"
	"sort"
	"sync"

	"bongsu/chain"
	"bongsu/errs"
)

// view is the embedded Reader: segments below, layers in memory above, all of
// them immutable.
type view struct {
	version  uint64
	names    *names
	below    *segments
	layers   []*layer // lowest first; the last holds the loose transactions
	claims   map[ChainRef][]Claim
	registry *chain.Registry
	live     map[ChainRef]*liveChain
	masked   map[segmentTx]struct{}

	lowestBlock map[ChainRef]uint64 // that a layer knows
	lowestAt    []uint64            // the same for each segment, by its place; math.MaxUint64: none
	counted     *coverages
}

// coverages keeps what Coverage counted: a view never changes.
type coverages struct {
	mu sync.Mutex
	m  map[chain.ID]Coverage // guarded by mu
}

// view is a snapshot of the head and what lies below it.
func (h *head) view(version uint64) *view {
	h.settle()
	v := &view{
		version: version, names: h.names, below: h.below, layers: append(slices.Clip(h.layers), h.looseTop),
		claims: h.claims, registry: h.registry, live: h.live, lowestBlock: map[ChainRef]uint64{}, counted: &coverages{m: map[chain.ID]Coverage{}},
	}
	for _, l := range v.layers {
		for id, list := range l.blocks {
			if n, ok := v.lowestBlock[id]; !ok || list[0].number < n {
				v.lowestBlock[id] = list[0].number
			}
		}
		for _, m := range l.masks {
			if v.masked == nil {
				v.masked = map[segmentTx]struct{}{}
			}
			v.masked[m] = struct{}{}
		}
	}
	for _, s := range v.below.list {
		v.lowestAt = append(v.lowestAt, v.lowest(s.chain))
	}
	return v
}

func (v *view) Version() uint64           { return v.version }
func (v *view) Registry() *chain.Registry { return v.registry }

// Close has nothing to give back at once: mapped files are let go when no
// Reader can reach them any more.
func (v *view) Close() error { return nil }

// guard ends every question that may read mapped files: a fault becomes a
// corruption, and the files stay mapped until here.
func (v *view) guard(err *error) {
	caught(recover(), err)
	runtime.KeepAlive(v)
}

func (v *view) AccountRefs(_ context.Context, accounts []chain.Account) (_ []AccountRef, err error) {
	defer v.guard(&err)
	return v.names.accountRefs(accounts), nil
}

func (v *view) Accounts(_ context.Context, refs []AccountRef) (_ []chain.Account, err error) {
	defer v.guard(&err)
	return v.names.accountNames(refs), nil
}

func (v *view) AssetRefs(_ context.Context, assets []chain.Asset) ([]AssetRef, error) {
	return v.names.assetRefs(assets), nil
}

func (v *view) Assets(_ context.Context, refs []AssetRef) ([]chain.Asset, error) {
	return v.names.assetNames(refs), nil
}

// A TxRef of a layer has the top bit, then the layer, then the transaction's
// number in it; one of a segment has the segment's place in the view.
const (
	layerBit = 1 << 63
	txBits   = 40
)

func layerTxRef(layer, tx int) TxRef { return TxRef(layerBit | uint64(layer)<<txBits | uint64(tx)) }

// state is the transaction behind a reference into a layer.
func (v *view) state(ref TxRef) (layer int, tx int32, ok bool) {
	if ref&layerBit == 0 {
		return 0, 0, false
	}
	layer, n := int(uint64(ref)&^layerBit>>txBits), uint64(ref)&(1<<txBits-1)
	if layer >= len(v.layers) || n >= uint64(len(v.layers[layer].txs)) {
		return 0, 0, false
	}
	return layer, int32(n), true
}

// hidden says whether a layer over the i-th holds the transaction.
func (v *view) hidden(i int, name *txName) bool {
	for _, l := range v.layers[i+1:] {
		if l.holds(name) {
			return true
		}
	}
	return false
}

// block is what is known of a block.
func (v *view) block(id ChainRef, number uint64) (blockState, bool) {
	for i := len(v.layers) - 1; i >= 0; i-- {
		if s := v.layers[i].block(id, number); s != nil {
			return *s, true
		}
	}
	return v.below.block(id, number)
}

// times is the time of a block for the order across chains (its own, or the
// latest known one before it), and whether it is its own.
func (v *view) times(id ChainRef, number uint64) (chain.Time, bool) {
	if b, ok := v.block(id, number); ok && b.timed {
		return b.time, true
	}
	// The nearest timed block below, in any layer or segment.
	best, found := v.below.timedBefore(id, number)
	for _, l := range v.layers {
		list := l.blocks[id]
		i := sort.Search(len(list), func(i int) bool { return list[i].number > number })
		for i--; i >= 0 && (!found || list[i].number >= best.number); i-- {
			if list[i].timed {
				best, found = list[i], true
				break
			}
		}
	}
	if found { // a higher layer may know that block better
		if b, ok := v.block(id, best.number); ok && b.timed {
			best = b
		}
	}
	return best.time, false
}

func (v *view) provisional(id ChainRef, number uint64) bool {
	c := v.live[id]
	if c == nil || len(c.blocks) == 0 || (c.known && number <= c.final) {
		return false
	}
	return number >= c.blocks[0].Number && number <= c.blocks[len(c.blocks)-1].Number
}

// fill writes the row n of a layer into w.
func (v *view) fill(layer int, n int32, w *Row) {
	l := v.layers[layer]
	r := l.rows[n]
	t := &l.txs[r.tx]
	m := &t.moves[r.move]
	*w = Row{
		Key: Key{
			Chain: t.name.chain, Block: t.at, Tx: txPrefix(t.name.id), TxNext: txNext(t.name.id), Index: t.position(),
			Ordinal: m.ordinal, Row: m.row, Rank: r.rank, Kind: m.kind,
		},
		From: m.from, To: m.to, Asset: m.asset, Nth: m.nth, Tx: layerTxRef(layer, int(r.tx)), Amount: m.amount,
		BlockInferred: t.inferred,
	}
	if t.inferred {
		w.Stated, w.Time = t.time, t.time
		return
	}
	at, own := v.times(t.name.chain, t.at)
	w.Time, w.TimeUnknown = at, !own
	if own {
		w.Stated = at
	}
	w.Provisional = v.provisional(t.name.chain, t.at)
}

func (v *view) Chains(context.Context) (_ []chain.ID, err error) {
	defer v.guard(&err)
	seen := map[ChainRef]bool{}
	for id := range v.claims {
		seen[id] = true
	}
	for _, l := range v.layers {
		for i := range l.txs {
			seen[l.txs[i].name.chain] = true
		}
		for id := range l.blocks {
			seen[id] = true
		}
	}
	v.below.chainNames(seen)
	var out []chain.ID
	for id := range seen {
		out = append(out, chainOfRef(id))
	}
	slices.Sort(out)
	return out, nil
}

func (v *view) Blocks(_ context.Context, id chain.ID, numbers []uint64) (_ []Block, err error) {
	defer v.guard(&err)
	ref := RefOfChain(id)
	out := make([]Block, len(numbers))
	for i, n := range numbers {
		out[i].Number = n
		if b, ok := v.block(ref, n); ok {
			out[i] = Block{Number: n, Hash: b.hash, Parent: b.parent, Time: b.time, HasTime: b.timed, Known: true, Final: !v.provisional(ref, n)}
		}
	}
	return out, nil
}

func (v *view) Notes(_ context.Context, refs []TxRef) ([]Notes, error) {
	out := make([]Notes, len(refs))
	for i, ref := range refs {
		var notes []NoteFact
		if layer, n, ok := v.state(ref); ok {
			notes = v.layers[layer].txs[n].notes
		} else if ref != 0 {
			var err error
			if notes, err = v.below.notes(ref); err != nil {
				return nil, err
			}
		}
		for _, n := range notes {
			if n.Call != nil {
				out[i].Calls = append(out[i].Calls, *n.Call)
			} else {
				out[i].Logs = append(out[i].Logs, *n.Log)
			}
		}
	}
	return out, nil
}

func (q *Query) holds(k Key) bool {
	return (q.After.IsZero() || k.Compare(q.After) > 0) && (q.Until.IsZero() || k.Compare(q.Until) < 0)
}

func (q *Query) limit() (int, error) {
	switch {
	case q.Limit < 0 || q.Limit > MaxLimit:
		return 0, errs.New("read ledger", errs.Usage, "", "a page of more than a million rows, or fewer than none", "ask for less and go on from the last row")
	case q.Limit == 0:
		return DefaultLimit, nil
	}
	return q.Limit, nil
}
