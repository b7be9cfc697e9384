package ledger

import (
	"sync"

	"bongsu/chain"
)

// rowAmounts is the amounts of a segment's rows, held while its index is made:
// two words each, or the place of a larger one.
type rowAmounts struct {
	words table[[2]uint64]
	mu    sync.Mutex // of large, while amounts are set
	large []chain.Amount
}

// amountLarge says that an amount takes more than two words.
const amountLarge = 1 << 63

// set keeps the amount of a row. Several goroutines may, for different rows.
func (l *rowAmounts) set(row uint32, a chain.Amount) {
	w := a.Words()
	if w[3]|w[2]|w[1]&amountLarge != 0 {
		l.mu.Lock()
		w[0], w[1] = uint64(len(l.large)), amountLarge
		l.large = append(l.large, a)
		l.mu.Unlock()
	}
	l.words.list[row] = [2]uint64{w[0], w[1]}
}

// of is the amount of a row's words.
func (l *rowAmounts) of(w *[2]uint64) chain.Amount {
	if w[1]&amountLarge != 0 {
		return l.large[w[0]]
	}
	return chain.FromWords([4]uint64{w[0], w[1]})
}
