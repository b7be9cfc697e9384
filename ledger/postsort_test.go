package ledger

import "testing"

// TestHands gives every account's place one hand, in order, whatever the
// widths, and leaves it recognisable there.
func TestHands(t *testing.T) {
	for _, low := range []uint{1, 5, 6, 12, 14} {
		e := &entrySorter{low: low, lowest: low - min(low, firstBits)}
		last := uint64(0)
		for place := range uint64(5) << low {
			k, bits := e.handOf(place)
			if k != last && k != last+1 {
				t.Fatalf("low %d: place %d is in hand %d, the one before in %d", low, place, k, last)
			}
			first, same := e.accountsOf(k)
			if same != bits || first+place&(1<<bits-1) != place {
				t.Fatalf("low %d: place %d is in hand %d, of %d bits from %d", low, place, k, same, first)
			}
			last = k
		}
	}
}
