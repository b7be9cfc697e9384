package ledger

import (
	"math"
	"math/bits"
	"sort"
)

// The accounts of a segment are in groups that follow one another, and those of
// a group in hands: one, or many where they occur often, so that no hand holds
// much more than the processor keeps near. Hands that follow one another make a
// round. How many entries there will be is told from some of the rows.
const (
	roundEntries = 1 << 23 // that a round takes, about; each is 8 bytes
	handEntries  = 1 << 16 // that a hand takes, about, if it has several accounts
	maxGroup     = 12      // bits of a place below its group's
	leastHand    = 3       // bits of a place that a hand's accounts differ in at least
	blocksSeen   = 1 << 12 // of rows that are looked at beforehand, about,
	leastStep    = 1 << 4  // and at most one in so many
)

// handPlan says which accounts go into which hand and round.
type handPlan struct {
	bits   uint // of a place below its group's
	groups []handGroup
	rounds []round
}

// handGroup says how a group's accounts are dealt to hands.
type handGroup struct {
	first uint32 // its first hand
	low   uint8  // bits of a place that tell accounts of one hand apart
}

// round is the hands from first to end, and their accounts.
type round struct {
	first, end uint32
	account    uint64 // the first, not 0
	accounts   uint64 // beyond it, with those that do not occur
}

func (r *round) has(account uint64) bool { return account-r.account < r.accounts }

// handOf is the hand of an account's place, and how many bits of it tell it
// from others there.
func (p *handPlan) handOf(place uint64) (hand uint32, low uint8) {
	g := &p.groups[place>>p.bits]
	return g.first + uint32(place&(1<<p.bits-1)>>g.low), g.low
}

// accountsOf are the places whose entries are in a hand: the first, and how many
// bits tell them apart.
func (p *handPlan) accountsOf(hand uint32) (first uint64, low uint8) {
	i := sort.Search(len(p.groups), func(i int) bool { return p.groups[i].first > hand }) - 1
	g := &p.groups[i]
	return uint64(i)<<p.bits + uint64(hand-g.first)<<g.low, g.low
}

// plan deals the accounts out to hands and rounds; a round has room for so many
// entries, about.
func (e *entrySorter) plan(room uint64) {
	e.bits = min(maxGroup, 64-e.tail())
	places, step := e.sample()
	counts := make([]uint64, e.s.Accounts>>e.bits+1)
	for _, place := range places {
		counts[place>>e.bits] += step
	}
	hands := uint32(0)
	for _, n := range counts {
		low := e.bits - min(uint(bits.Len64(n/handEntries)), e.bits-min(e.bits, leastHand))
		e.groups = append(e.groups, handGroup{hands, uint8(low)})
		hands += 1 << (e.bits - low)
	}
	sizes := make([]uint64, hands)
	for _, place := range places {
		k, _ := e.handOf(uint64(place))
		sizes[k] += step
	}
	e.split(sizes, room)
}

// split makes rounds of hands that have so many entries.
func (e *entrySorter) split(sizes []uint64, room uint64) {
	r, n := round{account: max(1, e.set.first)}, uint64(0)
	end := func(hand uint32, account uint64) {
		r.end, r.accounts = hand, account-r.account
		e.rounds = append(e.rounds, r)
		r, n = round{first: hand, account: account}, 0
	}
	for k, size := range sizes {
		if n += size; n > room && uint32(k) > r.first {
			place, _ := e.accountsOf(uint32(k))
			end(uint32(k), e.set.account(place))
			n = size
		}
	}
	end(uint32(len(sizes)), math.MaxUint64)
}

// sample gives the accounts' places in one block of rows of every step.
func (e *entrySorter) sample() (places []uint32, step uint64) {
	blocks := (e.s.Rows + blockRows - 1) / blockRows
	step = max(leastStep, blocks/blocksSeen)
	var b rowBlock
	for i := uint64(0); i < blocks; i += step {
		e.s.rowBlock(uint32(i*blockRows), &b)
		for k := range b.rows() {
			from, to, _, _ := b.sidesOf(k, b.at(k))
			for _, a := range [...]AccountRef{from, to} {
				if a != 0 {
					places = append(places, uint32(e.set.place(uint64(a))))
				}
			}
		}
	}
	return places, step
}
