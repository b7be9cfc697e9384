package findings

import (
	"slices"
	"time"

	"bongsu/chain"
	"bongsu/trace"
)

// Fires say at a glance how urgent a theft is, as the beacon towers did.
const (
	FiresQuiet   = 1 // traced, and no stolen money moved within QuietAfter
	FiresStated  = 2 // stated; not traced yet, or fresh and not moved since the theft itself
	FiresMoving  = 3 // stolen money moved within QuietAfter
	FiresService = 4 // some of it entered a labelled service within QuietAfter
	FiresCashing = 5 // some of it entered an exchange, a payment processor or a gambling service within CashingWithin
)

// The windows behind the fires, counted back from the moment asked for.
const (
	QuietAfter    = 30 * 24 * time.Hour
	CashingWithin = 24 * time.Hour
)

// cashing are the service categories where stolen money becomes other money.
var cashing = []string{"exchange", "payment_processor", "gambling"}

// Fires is the number of fires of a theft at a moment: the present for a chain
// that is followed live, the ledger's last time for imported files. run is its
// latest trace, nil when there is none.
func Fires(run *trace.Run, theft string, at chain.Time) int {
	if run == nil {
		return FiresStated
	}
	within := func(t chain.Time, w time.Duration) bool { return t >= at-chain.Time(w.Milliseconds()) }
	fires := FiresQuiet
	for i := range run.Flows {
		f := &run.Flows[i]
		switch {
		case f.Theft != theft || !within(f.Time, QuietAfter):
		case f.Hop == 0 && f.Link == trace.LinkNone:
			fires = max(fires, FiresStated)
		default:
			fires = max(fires, FiresMoving)
		}
	}
	for i := range run.Result.Exits {
		x := &run.Result.Exits[i]
		switch {
		case x.Theft != theft:
		case within(x.Last, CashingWithin) && slices.Contains(cashing, x.Category):
			return FiresCashing
		case within(x.Last, QuietAfter):
			fires = max(fires, FiresService)
		}
	}
	return fires
}
