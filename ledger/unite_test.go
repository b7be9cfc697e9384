package ledger_test

import (
	"context"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

// TestIDsThatBeginAlike imports many transactions whose ids share their first
// bytes twice, each time in another block: every one is found, and is there
// once.
func TestIDsThatBeginAlike(t *testing.T) {
	opt := ledger.Small(10, 0)
	l := open(t, t.TempDir(), opt)
	defer l.Close()
	var m model.Model
	for _, block := range []uint64{700, 500, 900} {
		f := &ledger.Facts{}
		for n := range 300 {
			x := transferOf(n)
			raw := make([]byte, 32)
			raw[0], raw[30], raw[31] = 7, byte(n>>8), byte(n)
			x.Tx, _ = chain.NewTxID(raw)
			x.Block, x.Time = block+uint64(n%5), 1_000_000+chain.Time(block)
			f.Transfers = append(f.Transfers, x)
		}
		put(t, l, f)
		if err := m.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	sameAs(t, reader(t, l), &m)
}

// TestLiveStatementOfOldTransaction has a live block add a movement to a
// transaction of a segment, and be taken back after the head settled.
func TestLiveStatementOfOldTransaction(t *testing.T) {
	opt := ledger.Small(10, 1)
	l := open(t, t.TempDir(), opt)
	defer l.Close()
	var m model.Model
	old := facts(0, 40)
	put(t, l, old)
	m.Add(old) //nolint:errcheck // its rows have places
	for _, s := range []step{applies(500, 0, 9), finalizes(500)} {
		if err := s.do(l); err != nil {
			t.Fatal(err)
		}
		s.model(&m)
	}
	live := liveAt(501, 0, 9)
	x := old.Transfers[3]
	x.Kind, x.Block, x.Time = chain.KindInternal, 501, 0
	live.Facts.Transfers = append(live.Facts.Transfers, x)
	if _, err := l.ApplyBlock(context.Background(), live); err != nil {
		t.Fatal(err)
	}
	more := facts(60, 70)
	put(t, l, more) // settles
	m.Add(more)     //nolint:errcheck // likewise
	if err := l.Rollback(context.Background(), chain.Ethereum, 500); err != nil {
		t.Fatal(err)
	}
	sameAs(t, reader(t, l), &m)
}

// TestAccountOfAnotherChain is refused, small or large.
func TestAccountOfAnotherChain(t *testing.T) {
	l := open(t, t.TempDir(), ledger.Options{})
	defer l.Close()
	im, err := l.Begin(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer im.Abort()
	x := transferOf(1)
	x.To = x.To.On("eip155:56")
	if err := im.Add(&ledger.Facts{Transfers: []chain.Transfer{x}}); errs.Is(err) != errs.Invalid {
		t.Fatalf("an account of another chain: %v", err)
	}
	u := ledger.UTXOTx{Chain: chain.Bitcoin, Tx: x.Tx, Block: 1, Outputs: []ledger.UTXOOut{{Account: x.From, Value: chain.Units(1)}}}
	if err := im.Add(&ledger.Facts{UTXOs: []ledger.UTXOTx{u}}); errs.Is(err) != errs.Invalid {
		t.Fatalf("an output to another chain: %v", err)
	}
}
