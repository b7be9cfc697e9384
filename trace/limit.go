package trace

import (
	"strconv"

	"bongsu/errs"
)

// MaxFlows is how many flows a run may hold, those of all its simulations
// together. Each takes some 200 bytes while money is followed, 500 more when the
// run is drawn up and as many when it is written: some 6 GB with all of it. It
// also bounds what else a run keeps: every book, party, lot and sum came with a
// flow.
const MaxFlows = 1 << 22

// parentsPerFlow is how many parents a run may hold for each flow that it may:
// a spend that draws on many lots is one flow with as many parents.
const parentsPerFlow = 8

// allowance is what the simulations of one run may still record. It belongs to
// the goroutine that runs them.
type allowance struct{ flows, parents int }

// maxFlows is how many flows the request's run may hold.
func (q *Request) maxFlows() int {
	if q.flows > 0 {
		return q.flows
	}
	return MaxFlows
}

// allowance is that of a new run.
func (q *Request) allowance() *allowance {
	return &allowance{q.maxFlows(), parentsPerFlow * q.maxFlows()}
}

// spend takes what was recorded off the allowance.
func (a *allowance) spend(flows, parents int) error {
	a.flows, a.parents = a.flows-flows, a.parents-parents
	if a.flows < 0 || a.parents < 0 {
		return tooManyFlows()
	}
	return nil
}

func tooManyFlows() error {
	return errs.New("trace", errs.Limit, "", "the trace holds more flows than the "+strconv.Itoa(MaxFlows)+" that it may: the money spread too far",
		"bound it with --max-hops, --max-degree or --min-amount, label the services on the way, or use fifo")
}
