package generate_test

import (
	"slices"
	"testing"

	"bongsu/ledger"
	"bongsu/ledger/generate"
)

func TestSameSeedSameRows(t *testing.T) {
	opt := generate.Options{Seed: 3, Rows: 5000, RandomShare: generate.Mixed}
	a, b := make([]ledger.EVMTransfer, 6000), make([]ledger.EVMTransfer, 0, 6000)
	n := generate.New(opt).Next(a)
	g := generate.New(opt)
	for part := make([]ledger.EVMTransfer, 77); ; {
		k := g.Next(part)
		if k == 0 {
			break
		}
		b = append(b, part[:k]...)
	}
	if n != 5000 || !slices.Equal(a[:n], b) {
		t.Fatalf("%d rows at once and %d in parts differ", n, len(b))
	}
	for i := 1; i < n; i++ {
		if a[i].Block < a[i-1].Block || a[i].Block == a[i-1].Block && a[i].Ordinal <= a[i-1].Ordinal {
			t.Fatalf("row %d is not after the one before it", i)
		}
	}
}
