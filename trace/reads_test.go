package trace

import (
	"context"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

// The digest of a run's rows is ledger.Digest's over the same transfers, whether
// their text came with them or not.
func TestDigestIsTheLedgers(t *testing.T) {
	a, b := chain.EVM(chain.Ethereum, [20]byte{1}), chain.EVM(chain.Ethereum, [20]byte{2})
	var ts []chain.Transfer
	for i := range 300 {
		tx, _ := chain.NewTxID(append(make([]byte, 30), byte(i>>8), byte(i)))
		tr := chain.Transfer{
			Chain: chain.Ethereum, Time: chain.Time(i+1) * 1500, Block: uint64(i / 3), Index: uint32(i % 3), Tx: tx, Kind: chain.KindNative,
			Ordinal: chain.NoOrdinal, From: a, To: b, Asset: chain.Ethereum.Native(), Amount: chain.Units(uint64(i)),
		}
		switch i % 7 {
		case 1:
			tr.Index = chain.NoIndex
		case 2:
			tr.Kind, tr.To = chain.KindFee, chain.Account{}
		case 3:
			tr.Amount, _ = tr.Amount.MulDiv(chain.FromWords([4]uint64{0, 1}), chain.Units(1))
		case 4:
			tr.Block, tr.Index = chain.NoBlock, chain.NoIndex
		}
		ts = append(ts, tr)
	}
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	want, log := ledger.NewDigest(), &readLog{}
	err = r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		all, err := ledger.Expand(ctx, r, rows)
		for i := range all {
			want.Add(&all[i], !rows[i].TimeUnknown)
			var text ledger.RowText
			if i/20%2 == 1 {
				text = func(b []byte) ([]byte, error) { return ledger.AppendRows(ctx, r, rows[i:i+1], b) }
			}
			if err := log.add(ctx, r, &rows[i], text); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.flush(ctx, r); err != nil {
		t.Fatal(err)
	}
	if got := log.digests[chain.Ethereum]; got.sum() != want.Sum() || got.Rows() != want.Rows() {
		t.Fatalf("%s over %d rows, want %s over %d", got.sum(), got.Rows(), want.Sum(), want.Rows())
	}
}
