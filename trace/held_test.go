package trace

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace/links"
)

// heldByReading is heldWrapped by reading every row of coin and token.
func heldByReading(t *testing.T, s *sim, x *wrapper, account ledger.AccountRef, before ledger.Key) (held chain.Amount) {
	t.Helper()
	key := bookKey{account, x.token}
	c := &cursor{more: true, query: ledger.Query{Account: account, Asset: x.token, Until: before, Limit: lastPage}, beside: x}
	var h eventHeap
	if err := h.stream(t.Context(), s.r, &s.pages, c); err != nil {
		t.Fatal(err)
	}
	err := s.wrappers.each(t.Context(), s.r, &s.pages, &h, func(w *ledger.Row) (err error) {
		held, err = s.wrappers.running(key, held, w)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// wrapHistory is what an account did with coin and its token: in stretches, with
// many links or few, with more that comes or more that goes, and with
// transactions that do several of these at once.
func wrapHistory(rng *rand.Rand, n int) (out []chain.Transfer) {
	weth := links.AllWrapped()[0]
	who := chain.EVM(chain.Ethereum, [20]byte{1})
	other := func() chain.Account { return chain.EVM(chain.Ethereum, [20]byte{2, byte(rng.IntN(5))}) }
	seldom, comes, turn := 1, 2, uint64(3)
	for tx := uint64(1); len(out) < n; tx++ {
		if tx == turn {
			turn += []uint64{50, 200, 1500}[rng.IntN(3)]
			seldom, comes = []int{2, 60, 500}[rng.IntN(3)], rng.IntN(5)
		}
		var id [32]byte
		binary.BigEndian.PutUint64(id[:], rng.Uint64())
		in, _ := chain.NewTxID(id[:])
		do := func(kind chain.Kind, from, to chain.Account, asset chain.Asset, ordinal uint32) {
			out = append(out, chain.Transfer{
				Chain: chain.Ethereum, Time: chain.Time(tx / 3 * 12_000), Block: tx / 3, Index: uint32(tx % 3), Tx: in, Kind: kind, Ordinal: ordinal,
				From: from, To: to, Asset: asset, Amount: chain.Units(uint64(1 + rng.IntN(50))),
			})
		}
		for k := range uint32([]int{1, 1, 1, 3, 90}[min(rng.IntN(60), 4)]) {
			switch {
			case rng.IntN(seldom) == 0:
				if link := rng.IntN(4); link == 0 {
					do(chain.KindInternal, weth.Contract, who, weth.Coin(), k)
				} else {
					do(chain.KindInternal, who, weth.Contract, weth.Coin(), k)
					if link == 1 { // told again
						do(chain.KindToken, chain.Account{}, who, weth.Token(), k+100)
						out[len(out)-1].Amount = out[len(out)-2].Amount
					}
				}
			case rng.IntN(4) == 0:
				do(chain.KindInternal, other(), who, weth.Coin(), k)
			case rng.IntN(4) < comes:
				do(chain.KindToken, other(), who, weth.Token(), k)
			default:
				do(chain.KindToken, who, other(), weth.Token(), k)
			}
		}
	}
	return out
}

// What an account held of a wrapped coin is the same by the ledger's sums as row
// by row, in segments and before them.
func TestHeldIsReading(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(24) {
		rng := rand.New(rand.NewPCG(seed, 7))
		all := wrapHistory(rng, 200+rng.IntN(3000))
		l, err := ledger.Open(ctx, t.TempDir(), ledger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cut := rng.IntN(len(all))
		for _, part := range [][]chain.Transfer{all[:cut], all[cut:]} {
			im, err := l.Begin(ctx, "part")
			if err != nil {
				t.Fatal(err)
			}
			if err := im.Add(&ledger.Facts{Transfers: part}); err != nil {
				t.Fatal(err)
			}
			if _, err := im.Commit(ctx); err != nil {
				t.Fatal(err)
			}
		}
		r, err := l.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s := &sim{r: r}
		if s.wrappers, err = wrappersOf(ctx, r); err != nil || len(s.wrappers) != 1 {
			t.Fatal(s.wrappers, err)
		}
		who, err := r.AccountRefs(ctx, []chain.Account{chain.EVM(chain.Ethereum, [20]byte{1})})
		if err != nil {
			t.Fatal(err)
		}
		var rows []ledger.Row
		if err := r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(some []ledger.Row) error {
			rows = append(rows, some...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for range 12 {
			at := rows[rng.IntN(len(rows))].Key
			got, err := s.heldWrapped(ctx, &s.wrappers[0], who[0], at)
			if want := heldByReading(t, s, &s.wrappers[0], who[0], at); err != nil || got != want {
				t.Fatalf("seed %d, %d rows, at %+v: %s, want %s, %v", seed, len(rows), at, got.Base(), want.Base(), err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
