package trace

import (
	"context"
	"reflect"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
)

// What is read for the search for bait while the simulation goes on is what
// would be read at its end: of more accounts than wait at once, and of more
// rows than are looked through.
func TestBaitReadBeside(t *testing.T) {
	thief := chain.EVM(chain.Ethereum, [20]byte{1})
	theft := chain.Transfer{
		Chain: chain.Ethereum, Time: 12_000, Block: 1, Kind: chain.KindNative, Ordinal: chain.NoOrdinal,
		From: chain.EVM(chain.Ethereum, [20]byte{2}), To: thief, Asset: chain.Ethereum.Native(), Amount: chain.Units(1e18),
	}
	theft.Tx, _ = chain.NewTxID(append(make([]byte, 30), 0xff, 0xff))
	rows := []chain.Transfer{theft}
	add := func(block uint64, from, to chain.Account, amount uint64) {
		x := theft
		x.Block, x.Time, x.Index = block, chain.Time(12_000*block), uint32(len(rows))
		x.Tx, _ = chain.NewTxID(append(make([]byte, 30), byte(len(rows)>>8), byte(len(rows))))
		x.From, x.To, x.Amount = from, to, chain.Units(amount)
		rows = append(rows, x)
	}
	for n := range 2 * waiting {
		receiver := chain.EVM(chain.Ethereum, [20]byte{3, byte(n >> 8), byte(n)})
		add(2+uint64(n), thief, receiver, 1e15)
		for k := range 50 { // dust
			add(5_000+uint64(n), chain.EVM(chain.Ethereum, [20]byte{4, byte(n), byte(k)}), receiver, 7)
		}
	}
	ctx := context.Background()
	l, err := ledger.Open(ctx, t.TempDir(), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	im, err := l.Begin(ctx, "bait")
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Add(&ledger.Facts{Transfers: rows}); err != nil {
		t.Fatal(err)
	}
	if _, err := im.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	req := Request{Thefts: []Theft{{ID: "t", Transfers: rows[:1]}}}
	sims, err := simulate(ctx, r, nil, &req)
	if err != nil {
		t.Fatal(err)
	}
	n, err := nameAssets(ctx, r, sims)
	if err != nil {
		t.Fatal(err)
	}
	beside, err := sims[0].asides(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	after, err := sims[0].asides(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(beside, after) {
		t.Errorf("%d accounts beside the simulation, %d after it", len(beside), len(after))
	}
	found := 0
	for _, a := range after {
		found += a.Count
	}
	if want := MaxGuardTotal - 2*waiting; found != want { // what the thief sends is none
		t.Errorf("%d transfers set aside, want %d", found, want)
	}
}
