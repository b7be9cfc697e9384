package trace

import (
	"context"
	"runtime"
	"unsafe"

	"bongsu/labels"
	"bongsu/ledger"
)

// Usage counts what simulations hold at their end, before a result is drawn
// up: for measuring what a trace costs in memory.
type Usage struct {
	Books   int
	Lots    int // that lie in books and unspent outputs, clean and tainted
	Tainted int // of these
	Flows   int // transfers' taint on record
	Room    int // bytes of the queues that hold the lots, slack included
}

// Hold runs a request's simulations to the ledger's end and calls look while
// everything that they hold is still in memory. Errors are Follow's.
func Hold(ctx context.Context, r ledger.Reader, set *labels.Set, req Request, look func(Usage)) (err error) {
	defer caught(&err)
	sims, err := simulate(ctx, r, set, &req)
	if err != nil {
		return err
	}
	var u Usage
	for _, s := range sims {
		u.Flows += len(s.flows)
		for _, b := range s.shelf.books {
			u.Books++
			u.lots(b.live())
			u.Room += cap(b.lots) * int(unsafe.Sizeof(lot{}))
		}
		if s.utxo != nil {
			for _, c := range s.utxo.coins {
				u.lots(c.lots)
				u.Room += cap(c.lots) * int(unsafe.Sizeof(lot{}))
			}
		}
	}
	look(u)
	runtime.KeepAlive(sims)
	return nil
}

func (u *Usage) lots(lots []lot) {
	u.Lots += len(lots)
	for i := range lots {
		if lots[i].tainted() {
			u.Tainted++
		}
	}
}
