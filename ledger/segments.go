package ledger

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"runtime"
	"slices"
	"sort"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// segments is the part of a ledger that lies in immutable files, as one
// manifest names them. It never changes. The segments of a chain do not share
// a block.
type segments struct {
	byChain  map[ChainRef][]*segment // by block
	lists    [][]*segment            // the same, by chain
	list     []*segment              // a TxRef holds the place here, plus one
	claims   map[ChainRef][]Claim
	registry *chain.Registry
	live     map[ChainRef]*liveChain
}

func noSegments() *segments {
	return &segments{
		byChain: map[ChainRef][]*segment{}, claims: map[ChainRef][]Claim{},
		registry: chain.NewRegistry(), live: map[ChainRef]*liveChain{},
	}
}

// add takes a copy of seg, because what it says of its neighbours belongs to
// one manifest.
func (s *segments) add(shared *segment) {
	own := *shared
	seg := &own
	seg.place = uint64(len(s.list))
	s.list = append(s.list, seg)
	list := append(s.byChain[seg.chain], seg)
	slices.SortFunc(list, func(a, b *segment) int { return cmp.Compare(a.From, b.From) })
	s.byChain[seg.chain] = list
	s.lists = s.lists[:0]
	for _, id := range slices.Sorted(maps.Keys(s.byChain)) {
		s.lists = append(s.lists, s.byChain[id])
	}
	last := chain.Time(0)
	for _, seg := range list {
		seg.before = last
		if seg.Carry != 0 {
			last = chain.Time(seg.Carry)
		}
	}
}

// damage is what reading mapped bytes panics with where they contradict one
// another.
type damage string

// caught turns a fault in reading mapped bytes into a corruption: a flipped
// byte can make a column point outside its file.
func caught(fault any, err *error) {
	switch r := fault.(type) {
	case nil:
	case hurtPage:
		*err = r.err
	case damage:
		*err = errs.New("read ledger", errs.Corrupt, "", "a segment's bytes make no sense: "+string(r), "run bongsu ledger check")
	case runtime.Error:
		if why := r.Error(); !strings.Contains(why, "out of range") {
			panic(r)
		}
		*err = errs.New("read ledger", errs.Corrupt, "", "a segment's bytes make no sense: "+r.Error(), "run bongsu ledger check")
	default:
		panic(r)
	}
}

func (s *segments) findTx(name txName) (*segment, uint32, bool) {
	for _, seg := range s.byChain[name.chain] {
		if n, ok := seg.findID(name.id); ok {
			return seg, n, true
		}
	}
	return nil, 0, false
}

func (s *segments) ref(seg *segment, n uint32) TxRef {
	return TxRef((seg.place+1)<<txBits | uint64(n))
}

// of is the segment and the transaction's number behind a reference.
func (s *segments) of(ref TxRef) (*segment, uint32, bool) {
	i, n := uint64(ref)>>txBits, uint64(ref)&(1<<txBits-1)
	if i == 0 || i > uint64(len(s.list)) || n >= s.list[i-1].Txs {
		return nil, 0, false
	}
	return s.list[i-1], uint32(n), true
}

func (s *segments) tx(ref TxRef) Tx {
	seg, n, ok := s.of(ref)
	if !ok {
		return Tx{}
	}
	id, _ := chain.NewTxID(seg.idBytes(n))
	return Tx{seg.Chain, id}
}

// adopt reads a transaction back into the form in which facts merge.
func (s *segment) adopt(n uint32) (t *txState, err error) {
	defer func() { caught(recover(), &err) }()
	var tx segmentTxn
	s.txn(n, &tx, true)
	t = newState(txName{chain: s.chain, id: tx.id})
	t.block, t.index, t.status = s.blockAt(tx.block).number, tx.index, tx.status
	var w segmentRow
	for r := s.firstRow(n); uint64(r) < s.Rows; r++ {
		if s.row(r, &w); w.tx != n {
			break
		}
		t.move(w.movement)
	}
	if s.coins != nil && s.coins.held(n) {
		t.coins = &coinTx{}
		s.coins.read(s, n, t.coins)
	}
	t.notes, err = s.notes(n)
	runtime.KeepAlive(s)
	return t, err
}

// noted finds the entry of a transaction's notes.
func (s *segment) noted(n uint32) (entry int, ok bool) {
	i := sort.Search(s.extraNo, func(i int) bool { return binary.LittleEndian.Uint32(s.extraAt[i*extraEntry:]) >= n })
	return i, i < s.extraNo && binary.LittleEndian.Uint32(s.extraAt[i*extraEntry:]) == n
}

func (s *segment) notes(n uint32) ([]NoteFact, error) {
	i, ok := s.noted(n)
	if !ok {
		return nil, nil
	}
	from, to := binary.LittleEndian.Uint64(s.extraAt[i*extraEntry+4:]), uint64(len(s.extras)-sheetSlack)
	if i+1 < s.extraNo {
		to = binary.LittleEndian.Uint64(s.extraAt[(i+1)*extraEntry+4:])
	}
	s.extraPages.touchTo(from, to)
	d := &decoder{b: s.extras[from:]}
	var out []NoteFact
	for range d.count() {
		out = append(out, decodeNote(d))
	}
	return out, d.err
}

func (s *segments) notes(ref TxRef) (out []NoteFact, err error) {
	defer func() { caught(recover(), &err) }()
	seg, n, ok := s.of(ref)
	if !ok {
		return nil, nil
	}
	return seg.notes(n)
}

// segmentOf is the segment whose range holds a block.
func (s *segments) segmentOf(id ChainRef, number uint64) *segment {
	list := s.byChain[id]
	i := sort.Search(len(list), func(i int) bool { return list[i].To >= number })
	if i < len(list) && list[i].From <= number {
		return list[i]
	}
	return nil
}

func (s *segments) block(id ChainRef, number uint64) (blockState, bool) {
	seg := s.segmentOf(id, number)
	if seg == nil {
		return blockState{}, false
	}
	i := seg.findBlock(number)
	if i == seg.blockCount || seg.blockNumber(i) != number {
		return blockState{}, false
	}
	return seg.fullBlock(uint32(i)), true
}

// latestBlock is the highest block whose time is known and not after t,
// leaving out those hidden says a layer knows better; 0 when there is none.
func (s *segments) latestBlock(id ChainRef, t chain.Time, hidden func(uint64) bool) uint64 {
	list := s.byChain[id]
	for k := len(list) - 1; k >= 0; k-- {
		seg := list[k]
		if seg.FirstTime == 0 || chain.Time(seg.FirstTime) > t {
			continue
		}
		// Block times grow but for a chain's own tolerance (two hours of
		// Bitcoin's); from the first block that is clearly later, go back.
		i := sort.Search(seg.blockCount, func(i int) bool {
			b := seg.blockAt(uint32(i))
			return b.timed && b.time > t+timeTolerance
		})
		for i--; i >= 0; i-- {
			if b := seg.blockAt(uint32(i)); b.timed && b.time <= t && !hidden(b.number) {
				return b.number
			}
		}
	}
	return 0
}

// timeTolerance is by how much a block may be stamped before an earlier one
// (Bitcoin: median of eleven before, two hours ahead of the network's time).
const timeTolerance = 4 * 3600 * 1000

// timedBefore is the highest block at or below number whose time is known: its
// number (or a lower one in the same stretch of untimed blocks) and its time.
func (s *segments) timedBefore(id ChainRef, number uint64) (blockState, bool) {
	list := s.byChain[id]
	k := sort.Search(len(list), func(k int) bool { return list[k].From > number }) - 1
	if k < 0 {
		return blockState{}, false
	}
	seg := list[k]
	i := seg.blockCount
	if seg.To > number {
		i = seg.findBlock(number + 1)
	}
	carries := binary.LittleEndian.Uint64(seg.blocks[(i-1)*blockEntry+8:])>>2 != 0
	for i--; i >= 0 && carries; i-- { // which block it was, for layers in between
		if b := seg.blockAt(uint32(i)); b.timed {
			return b, true
		}
	}
	for k--; k >= 0; k-- {
		for i := list[k].blockCount - 1; i >= 0 && list[k].Carry != 0; i-- {
			if b := list[k].blockAt(uint32(i)); b.timed {
				return b, true
			}
		}
	}
	return blockState{}, false
}

// chains are the chains' segments, in one order.
func (s *segments) chains() [][]*segment { return s.lists }

func (s *segments) chainNames(seen map[ChainRef]bool) {
	for id := range s.byChain {
		seen[id] = true
	}
}

// count adds what the segments hold of a chain, less what layers stand for.
func (s *segments) count(v *view, id ChainRef, c *counting) {
	for _, seg := range s.byChain[id] {
		c.Rows += seg.Rows
		c.Txs += seg.Txs
		c.Noted += uint64(seg.extraNo)
		c.Untimed += seg.Untimed
		c.block(seg.From)
		c.block(seg.To)
		if !v.overlays(seg) {
			c.time(chain.Time(seg.FirstTime))
			c.time(chain.Time(seg.LastTime))
			continue
		}
		for i := range uint32(seg.blockCount) {
			if b := seg.blockAt(i); b.timed && !v.overridden(id, b.number, -1) {
				c.time(b.time)
			}
		}
		if seg.Untimed > 0 {
			seg.timedAbove(v, c)
		}
	}
	for m := range v.masked {
		for _, seg := range s.byChain[id] {
			if seg.number == m.segment {
				seg.uncount(v, m.tx, c)
			}
		}
	}
}

// timedAbove takes off the untimed rows whose block a layer gives a time.
func (s *segment) timedAbove(v *view, c *counting) {
	var w segmentRow
	var t segmentTxn
	for n := range uint32(s.Rows) {
		s.row(n, &w)
		s.txn(w.tx, &t, false)
		b := s.blockAt(t.block)
		if !b.timed {
			if _, own := v.times(s.chain, b.number); own {
				c.Untimed--
			}
		}
	}
}

func (s *segment) uncount(v *view, n uint32, c *counting) {
	c.Txs--
	if _, noted := s.noted(n); noted {
		c.Noted--
	}
	var w segmentRow
	var t segmentTxn
	s.txn(n, &t, false)
	_, own := v.times(s.chain, s.blockAt(t.block).number)
	for r := s.firstRow(n); uint64(r) < s.Rows; r++ {
		if s.row(r, &w); w.tx != n {
			break
		}
		c.Rows--
		if !own {
			c.Untimed--
		}
	}
}

// overlays says whether a layer knows a block in the segment's range.
func (v *view) overlays(s *segment) bool {
	for _, l := range v.layers {
		list := l.blocks[s.chain]
		i := sort.Search(len(list), func(i int) bool { return list[i].number >= s.From })
		if i < len(list) && list[i].number <= s.To {
			return true
		}
	}
	return false
}

// bound is the number of the segment's rows before a place, or up to it.
func (s *segment) bound(v *view, k *Key, upTo bool) uint32 {
	switch {
	case k.Chain != s.chain:
		return s.boundByTime(v, k, upTo)
	case k.Block < s.From:
		return 0
	case k.Block > s.To:
		return uint32(s.Rows)
	}
	place := s.findBlock(k.Block)
	_, from := s.firsts(place)
	if place == s.blockCount || s.blockNumber(place) != k.Block {
		return from
	}
	_, to := s.firsts(place + 1)
	return from + s.search(v, from, to, k, upTo)
}

// search is how many of the rows [from, to) stand before a place, or up to it.
func (s *segment) search(v *view, from, to uint32, k *Key, upTo bool) uint32 {
	var w Row
	return uint32(sort.Search(int(to-from), func(n int) bool {
		v.fillSegment(s, from+uint32(n), &w)
		c := w.Key.Compare(*k)
		return c > 0 || c == 0 && !upTo
	}))
}

// boundByTime is bound for a place on another chain.
func (s *segment) boundByTime(v *view, k *Key, upTo bool) uint32 {
	return s.search(v, 0, uint32(s.Rows), k, upTo)
}

// span is the rows of the segment that a query's bounds leave: [from, to).
func (s *segment) span(v *view, after, until *Key) (from, to uint32) {
	to = uint32(s.Rows)
	if !after.IsZero() {
		from = s.bound(v, after, true)
	}
	if !until.IsZero() {
		to = s.bound(v, until, false)
	}
	return from, max(from, to)
}

// fillSegment writes row n of a segment into w.
func (v *view) fillSegment(s *segment, n uint32, w *Row) {
	g := gatherer{v: v}
	r := gathered{s: s, row: n, block: s.rowAt.of(n / blockRows)}
	var b rowBlock
	s.rowPages.touch(r.block)
	b.parse(s.rowData[r.block:])
	i := int(n % blockRows)
	r.at, r.tx = uint32(b.at(i)), b.tx(i)
	r.place = b.place(i, int(r.at))
	g.read(&r, nil, w)
}

// lowest is the lowest block of a chain that a layer knows.
func (v *view) lowest(id ChainRef) uint64 {
	if n, ok := v.lowestBlock[id]; ok {
		return n
	}
	return math.MaxUint64
}
