package trace

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"bongsu/errs"
)

// Rows that are moved once each end where sorting them by themselves puts them.
func TestSortedMovesEachRowToItsPlace(t *testing.T) {
	if got := sorted(nil, func(a, b *int) int { return cmp.Compare(*a, *b) }); got == nil || len(got) != 0 {
		t.Fatalf("no rows became %v", got)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		rows := make([]int, n)
		for i := range rows {
			rows[i] = random.IntN(n) // some are alike
		}
		want := slices.Sorted(slices.Values(rows))
		if got := sorted(rows, func(a, b *int) int { return cmp.Compare(*a, *b) }); !slices.Equal(got, want) || !slices.Equal(rows, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

// A spend that draws on many lots is one flow; its parents count, too.
func TestParentsAreBounded(t *testing.T) {
	a := (&Request{flows: 2}).allowance()
	if err := a.spend(1, 2*parentsPerFlow); err != nil {
		t.Fatal(err)
	}
	if err := a.spend(0, 1); errs.Is(err) != errs.Limit {
		t.Errorf("a parent too many: %v", err)
	}
}
