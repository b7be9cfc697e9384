package ledger

import (
	"bongsu/chain"
)

// segments is the part of a ledger that lies in immutable files, as one
// manifest names them. It never changes.
type segments struct {
	claims   map[ChainRef][]Claim
	registry *chain.Registry
	live     map[ChainRef]*liveChain
}

func noSegments() *segments {
	return &segments{claims: map[ChainRef][]Claim{}, registry: chain.NewRegistry(), live: map[ChainRef]*liveChain{}}
}

type segment struct{ number uint64 }

func (s *segments) findTx(name txName) (*segment, uint32, bool) { return nil, 0, false }

func (s *segment) adopt(n uint32) (*txState, error) { return nil, nil }

func (s *segments) block(id ChainRef, number uint64) (blockState, bool) { return blockState{}, false }

func (s *segments) latestBlock(id ChainRef, t chain.Time, hidden func(uint64) bool) uint64 { return 0 }

func (s *segments) txRef(name txName) TxRef       { return 0 }
func (s *segments) tx(ref TxRef) Tx               { return Tx{} }
func (s *segments) chains(seen map[ChainRef]bool) {}
func (s *segments) timedBefore(id ChainRef, number uint64) (blockState, bool) {
	return blockState{}, false
}
func (s *segments) transaction(v *view, ref TxRef, into *Pages) {}
func (s *segments) notes(ref TxRef) ([]NoteFact, error)         { return nil, nil }
func (s *segments) count(v *view, ref ChainRef, c *counting)    {}
func (s *segments) state(ref TxRef) (*txState, error)           { return nil, nil }
func (s *segments) spender(id ChainRef, p OutPoint) OutPoint    { return OutPoint{} }
func (s *segments) outputsOf(v *view, a AccountRef, add func(*layerTx, TxRef, uint32)) error {
	return nil
}
func (s *segments) cursors(v *view, q *Query) []cursor           { return nil }
func (s *segments) scan(v *view, id ChainRef, q *Query) []cursor { return nil }
func (s *segments) err() error                                   { return nil }
