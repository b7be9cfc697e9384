package trace

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

// The digest of a run's rows is ledger.Digest's over the same transfers.
func TestDigestIsTheLedgers(t *testing.T) {
	a, b := chain.EVM(chain.Ethereum, [20]byte{1}), chain.EVM(chain.Ethereum, [20]byte{2})
	var ts []chain.Transfer
	for i := range 3 * readBatch / 2 {
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
			if err := log.add(ctx, r, &rows[i]); err != nil {
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

// stubborn is a reader whose text or activity fails.
type stubborn struct {
	ledger.Reader
	pages  int           // that activity gives before it fails
	failed chan struct{} // closed when it does
	texts  atomic.Int32  // asked for and not given yet
	text   func() error
}

var errStubborn = errors.New("no more")

func (s *stubborn) Activity(ctx context.Context, qs []ledger.Query, into *ledger.Pages) error {
	if s.pages--; s.pages < 0 {
		close(s.failed)
		return errStubborn
	}
	return s.Reader.Activity(ctx, qs, into)
}

func (s *stubborn) AppendRows(ctx context.Context, rows []ledger.Row, b []byte) ([]byte, error) {
	s.texts.Add(1)
	defer s.texts.Add(-1)
	if err := s.text(); err != nil {
		return b, err
	}
	return ledger.AppendRows(ctx, s.Reader, rows, b)
}

// manyTransfers is a theft and what its receiver does afterwards, in more rows
// than are digested at once.
func manyTransfers(t *testing.T) (ledger.Reader, Request) {
	t.Helper()
	a, b := chain.EVM(chain.Ethereum, [20]byte{1}), chain.EVM(chain.Ethereum, [20]byte{2})
	var ts []chain.Transfer
	for i := range 3 * readBatch {
		tx, _ := chain.NewTxID(append(make([]byte, 30), byte(i>>8), byte(i)))
		ts = append(ts, chain.Transfer{
			Chain: chain.Ethereum, Time: chain.Time(i+1) * 1500, Block: uint64(i), Tx: tx, Kind: chain.KindNative,
			Ordinal: chain.NoOrdinal, From: a, To: b, Asset: chain.Ethereum.Native(), Amount: chain.Units(5),
		})
		a, b = b, a
	}
	r, err := model.Of(ts...)
	if err != nil {
		t.Fatal(err)
	}
	return r, Request{reading: readBooks, Thefts: []Theft{{ID: "t", Transfers: ts[:1]}}}
}

func TestATextThatFailsFailsTheTrace(t *testing.T) {
	r, req := manyTransfers(t)
	for name, text := range map[string]func() error{
		"an error": func() error { return errStubborn },
		"a panic":  func() error { panic("no text") },
	} {
		if _, err := Follow(context.Background(), &stubborn{Reader: r, pages: 1 << 30, text: text}, nil, req); err == nil {
			t.Errorf("%s in the text of rows: the trace went on", name)
		}
	}
}

// The reader may be closed as soon as a trace returns, whatever came of it.
func TestNothingReadsBehindATrace(t *testing.T) {
	r, req := manyTransfers(t)
	s := &stubborn{Reader: r, pages: 6, failed: make(chan struct{})} // behind the first batch, before the second is full
	s.text = func() error {
		<-s.failed
		for range 1000 {
			runtime.Gosched()
		}
		return nil
	}
	if _, err := Follow(context.Background(), s, nil, req); !errors.Is(err, errStubborn) {
		t.Fatal(err)
	}
	if n := s.texts.Load(); n != 0 {
		t.Fatalf("%d texts are being written still", n)
	}
}
