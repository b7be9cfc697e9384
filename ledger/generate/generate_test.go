package generate_test

import (
	"reflect"
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

func TestCoinsSpendOnce(t *testing.T) {
	a, b := generate.NewCoins(7), generate.NewCoins(7)
	spent := map[ledger.OutPoint]bool{}
	made := map[ledger.OutPoint]bool{}
	for range 20_000 {
		u, again := a.Next(), b.Next()
		if !reflect.DeepEqual(u, again) {
			t.Fatalf("the same seed gives %+v and %+v", u, again)
		}
		for _, in := range u.Inputs {
			if !u.Coinbase && (spent[in.Prev] || !made[in.Prev]) {
				t.Fatalf("%+v spends what is spent or never was", u)
			}
			spent[in.Prev] = true
		}
		for i := range u.Outputs {
			made[ledger.OutPoint{Tx: u.Tx, Index: uint32(i)}] = true
		}
	}
}
