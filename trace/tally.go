package trace

import (
	"bongsu/chain"
	"bongsu/ledger"
)

// tally sums up where tainted money ended. Money that still lies in a followed
// book is not in it until the result is drawn up.
type tally struct {
	sums map[tallyKey]*sum
}

type place uint8

const (
	atHolding place = iota
	atExit
	atUnfollowed
	atFee
	atAdjustment
	atCollided
	atTurned
)

// tallyKey tells apart what a result tells apart. block is the arrival's while
// it is not final, so that finality can be asked for later; 0 otherwise.
type tallyKey struct {
	party    uint32
	asset    ledger.AssetRef
	block    uint64
	class    class
	place    place
	inferred bool
	reason   reasonCode
}

type sum struct {
	amount, origin chain.Amount
	first, last    chain.Time
	rule           ruleCode
}

// reasonCode is a Reason in one byte.
type reasonCode uint8

var reasons = [...]Reason{"", ReasonDegree, ReasonFloor, ReasonDepth, ReasonTime, ReasonContract, ReasonInferred}

func codeOf(r Reason) reasonCode {
	for i, x := range reasons {
		if x == r {
			return reasonCode(i)
		}
	}
	return 0
}

// put books a lot at a place.
func (s *sim) put(where place, party uint32, asset ledger.AssetRef, why Reason, l *lot) {
	k := tallyKey{party: party, asset: asset, class: l.class, place: where, inferred: l.rule != codeObserved, reason: codeOf(why)}
	if l.prov {
		k.block = l.block()
	}
	s.tally.add(k, &sum{amount: l.amount, origin: l.origin(), first: l.since, last: l.since, rule: l.rule})
}

func (t *tally) add(k tallyKey, v *sum) {
	if t.sums == nil {
		t.sums = map[tallyKey]*sum{}
	}
	if e := t.sums[k]; e != nil {
		e.join(v)
		return
	}
	t.sums[k] = v
}

func (e *sum) join(v *sum) {
	e.amount, e.origin = e.amount.MustAdd(v.amount), e.origin.MustAdd(v.origin)
	e.first, e.last, e.rule = min(e.first, v.first), latest(e.last, v.last), min(e.rule, v.rule)
}

// latest is the later of two times, unknown when one of them is; the earlier is
// their minimum.
func latest(a, b chain.Time) chain.Time {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}
