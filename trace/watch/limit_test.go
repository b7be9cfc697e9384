package watch_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// narrow is a ledger whose history is too much for a trace while it is full.
type narrow struct {
	books
	full atomic.Bool
}

func (n *narrow) Reader(ctx context.Context) (ledger.Reader, error) {
	r, err := n.books.Reader(ctx)
	return &narrowReader{r, n.full.Load()}, err
}

type narrowReader struct {
	ledger.Reader
	full bool
}

func (r *narrowReader) Scan(ctx context.Context, id chain.ID, after, until ledger.Key, see func([]ledger.Row) error) error {
	if r.full {
		return errs.New("trace", errs.Limit, "", "too many flows", "bound it with --max-hops")
	}
	return r.Reader.Scan(ctx, id, after, until, see)
}

// lines is what a logger wrote.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A theft whose trace reaches a limit is not traced again and again: the
// watcher says so once, with what to do, what was stated stands, and a trace by
// hand has it go on.
func TestLimitReached(t *testing.T) {
	d := newDesk(t)
	held, log := &narrow{books: d.ledger}, &lines{}
	d.ledger, d.logger = held, slog.New(slog.NewTextHandler(log, nil))
	b, req := stolen(d)
	d.trace(req)
	d.watch()
	b.add(d, slot, move("a", 1, 3, 40))
	d.expect("moved #3 40 in block 3 provisional")
	stated := len(d.live())

	held.full.Store(true)
	b.add(d, slot, move("b", 3, 4, 10))
	d.until("said", func() bool { return strings.Contains(log.String(), "watched no more") })
	if s := log.String(); !strings.Contains(s, "--max-hops") || strings.Contains(s, "again_in") || len(d.live()) != stated {
		t.Errorf("%d statements stand, %d stood; logged:\n%s", len(d.live()), stated, s)
	}

	held.full.Store(false)
	req.Bounds.MaxHops = 5
	d.trace(req)
	b.add(d, slot, move("c", 4, 5, 10))
	d.until("goes on", func() bool { return strings.Contains(strings.Join(d.history(), "\n"), "moved #5 10 in block 5") })
	if n := strings.Count(log.String(), "watched no more"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log)
	}
}
