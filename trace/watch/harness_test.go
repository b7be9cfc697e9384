package watch_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/identity"
	"bongsu/ingest/follow/inmemory"
	"bongsu/journal"
	"bongsu/journal/sqlite"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/links"
	"bongsu/trace/watch"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("WATCH_TEST_CHILD"); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const theftID = "incident--7d6e4c3a-0f0b-4d8e-9a55-0d9d1f2b3c4d"

// fataler is what a *testing.T and a *rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// desk is an organisation's two books with a watcher that can be stopped and
// started.
type desk struct {
	t       fataler
	dir     string
	keys    *identity.Keys
	ledger  books
	store   journal.Store
	journal *journal.Journal
	view    *watch.View
	traces  trace.Store
	set     *labels.Set
	changes chan watch.Change
	logger  *slog.Logger // of the watcher; nil: the default one
	theft   string
	from    uint64 // the journal's first statement that counts

	mu  sync.Mutex // owns now
	now time.Time

	stop context.CancelFunc
	done chan error
}

// books is a ledger that can be followed into and watched.
type books interface {
	watch.Ledger
	ApplyBlock(ctx context.Context, b ledger.LiveBlock) (ledger.Stats, error)
	Rollback(ctx context.Context, id chain.ID, number uint64) error
	Finalize(ctx context.Context, id chain.ID, number uint64) error
}

// memory is the plainest ledger, which forgets with the process.
type memory struct{ inmemory.Ledger }

func (m *memory) Wait(ctx context.Context, after uint64) error {
	for {
		r, err := m.Reader(ctx)
		if err != nil || r.Version() > after {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

func openDesk(t fataler, dir string, keys *identity.Keys, l books) *desk {
	t.Helper()
	d := &desk{t: t, dir: dir, keys: keys, ledger: l, traces: trace.Store{Dir: filepath.Join(dir, "traces")}, changes: make(chan watch.Change, 10_000), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), theft: theftID}
	var err error
	if d.store, err = sqlite.Open(context.Background(), filepath.Join(dir, "journal.db")); err != nil {
		t.Fatal(err)
	}
	d.view = watch.NewView(keys.ID())
	if d.journal, err = journal.Open(context.Background(), d.store, keys, journal.Options{Views: []journal.View{d.view}, Now: d.clock}); err != nil {
		t.Fatal(err)
	}
	return d
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	dir := t.TempDir()
	keys, err := identity.Create(filepath.Join(dir, "keys"), "Desk", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), filepath.Join(dir, "ledger"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := openDesk(t, dir, keys, l)
	t.Cleanup(func() {
		d.close()
		l.Close()
	})
	return d
}

// clock ticks: no two moments are the same.
func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(time.Millisecond)
	return d.now
}

func (d *desk) close() {
	d.end()
	d.journal.Close()
	d.store.Close()
}

func (d *desk) labelled() (*labels.Set, error) {
	if d.set == nil {
		return labels.NewSet(nil), nil
	}
	return d.set, nil
}

// anew gives the desk an empty ledger and another theft; the old one is watched
// no more.
func (d *desk) anew(t fataler, theft string) {
	t.Helper()
	d.t, d.ledger, d.theft = t, &memory{}, theft
	err := d.journal.Update(context.Background(), func(ctx context.Context, tx *journal.Tx) (err error) {
		if d.from, err = tx.Size(ctx, journal.LogJournal); err != nil {
			return err
		}
		return tx.Exec(ctx, `DELETE FROM watch_run`)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// watch starts the watcher.
func (d *desk) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	w := watch.New(watch.Config{
		Journal: d.journal, View: d.view, Ledger: d.ledger, Labels: d.labelled, Traces: d.traces, Clock: d.clock,
		Logger: d.logger, Settle: time.Millisecond, OnChange: func(c watch.Change) { d.changes <- c },
	})
	d.stop, d.done = cancel, make(chan error, 1)
	go func() { d.done <- w.Run(ctx) }()
}

func (d *desk) end() {
	if d.stop == nil {
		return
	}
	d.stop()
	if err := <-d.done; err != nil {
		d.t.Fatal(err)
	}
	d.stop = nil
}

// trace traces by hand, as the command does.
func (d *desk) trace(req trace.Request) *trace.Run {
	d.t.Helper()
	ctx := context.Background()
	r, err := d.ledger.Reader(ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // read only
	set, _ := d.labelled()
	run, err := trace.Follow(ctx, r, set, req)
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = watch.State(ctx, watch.Saying{
		Journal: d.journal, View: d.view, Traces: d.traces, Now: d.clock(), Actor: "analyst", Marking: stix.TLPGreen, Even: true,
	}, r, run)
	if err != nil {
		d.t.Fatal(err)
	}
	return run
}

// until polls; what names it in the failure.
func (d *desk) until(what string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	d.t.Fatalf("still waiting: %s; stated:\n%v", what, d.history())
}

// own lists every statement of the journal's own organisation, in order.
func (d *desk) own() (out []stix.Object) {
	d.t.Helper()
	for from := d.from; ; {
		list, err := d.journal.Read(context.Background(), journal.LogJournal, from, 1000)
		if err != nil {
			d.t.Fatal(err)
		}
		if len(list) == 0 {
			return out
		}
		for _, st := range list {
			from = st.Seq + 1
			if st.Erased || st.Act != journal.State {
				continue
			}
			o, err := st.Object()
			if err != nil {
				d.t.Fatal(err)
			}
			out = append(out, o)
		}
	}
}

// history writes each version of each movement as one line.
func (d *desk) history() (out []string) {
	for _, o := range d.own() {
		if m, err := stix.ReadMovement(o); err == nil {
			out = append(out, line(m))
		}
	}
	return out
}

// live are the newest versions that are not revoked, by id: movements and
// findings.
func (d *desk) live() map[string]string {
	out := map[string]string{}
	for _, o := range d.own() {
		if o.Revoked {
			delete(out, o.ID)
			continue
		}
		if m, err := stix.ReadMovement(o); err == nil {
			out[o.ID] = line(m)
		} else if f, err := stix.ReadFinding(o); err == nil {
			out[o.ID] = fmt.Sprintf("%s %s %s %v", f.Place, name(f.Account), f.Amount.Base, f.Provisional)
		}
	}
	return out
}

func line(m stix.Movement) string {
	s := fmt.Sprintf("%s %s %s in block %d", m.Event, name(m.Account), m.Amount.Base, m.Block)
	if m.Event == stix.Woke {
		s += fmt.Sprintf(" after %d days", m.IdleDays)
	}
	if m.Label != "" {
		s += " " + m.Label
	}
	if m.Link != "" {
		s += " by " + m.Link
	}
	if m.Provisional {
		s += " provisional"
	}
	if m.Revoked {
		s += " revoked"
	}
	return s
}

func acct(n byte) chain.Account { return chain.EVM(chain.Ethereum, [20]byte{n, 19: n}) }

func name(a chain.Account) string { return "#" + fmt.Sprint(a.Raw()[0]) }

// move is a transfer; its transaction is named by id, not by its block.
func move(id string, from, to byte, amount uint64) chain.Transfer {
	sum := sha256.Sum256([]byte(id))
	tx, _ := chain.NewTxID(sum[:])
	return chain.Transfer{
		Chain: chain.Ethereum, Index: 1, Tx: tx, Kind: chain.KindNative, Ordinal: chain.NoOrdinal,
		From: acct(from), To: acct(to), Asset: chain.Ethereum.Native(), Amount: chain.Units(amount),
	}
}

// branch is a chain of blocks that may fall back to a fork.
type branch struct {
	fork  int
	block uint64
	time  chain.Time
	hash  map[uint64]ledger.Hash
	times map[uint64]chain.Time
}

func newBranch() *branch {
	return &branch{hash: map[uint64]ledger.Hash{}, times: map[uint64]chain.Time{}, time: 1_700_000_000_000}
}

// skip counts a block of branch 0 that the ledger has.
func (b *branch) skip() {
	b.block++
	b.time += chain.Time(slot.Milliseconds())
	b.hash[b.block], b.times[b.block] = sha256.Sum256(fmt.Appendf(nil, "%d/%d", b.fork, b.block)), b.time
}

// add applies the next block; after is how long after the one before.
func (b *branch) add(d *desk, after time.Duration, transfers ...chain.Transfer) {
	d.t.Helper()
	b.block++
	b.time += chain.Time(after.Milliseconds())
	b.hash[b.block] = sha256.Sum256(fmt.Appendf(nil, "%d/%d", b.fork, b.block))
	b.times[b.block] = b.time
	for i := range transfers {
		transfers[i].Block, transfers[i].Time, transfers[i].Index = b.block, b.time, uint32(i+1)
	}
	_, err := d.ledger.ApplyBlock(context.Background(), ledger.LiveBlock{
		Block: ledger.BlockFact{Chain: chain.Ethereum, Number: b.block, Hash: b.hash[b.block], Parent: b.hash[b.block-1], Time: b.time, HasTime: true},
		Facts: ledger.Facts{Transfers: transfers}, What: ledger.CoverAll,
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// back takes the blocks above number away.
func (b *branch) back(d *desk, number uint64) {
	d.t.Helper()
	if err := d.ledger.Rollback(context.Background(), chain.Ethereum, number); err != nil {
		d.t.Fatal(err)
	}
	b.block, b.time = number, b.times[number]
	b.fork++
}

func (b *branch) final(d *desk, number uint64) {
	d.t.Helper()
	if err := d.ledger.Finalize(context.Background(), chain.Ethereum, number); err != nil {
		d.t.Fatal(err)
	}
}

const slot = 12 * time.Second

// stolen begins a chain with a theft of 100 that lies on #1.
func stolen(d *desk) (*branch, trace.Request) {
	b := newBranch()
	var everybody []chain.Transfer // the plainest ledger numbers accounts by what it has of them
	for n := range byte(9) {
		everybody = append(everybody, move("everybody", n+1, 40, 0))
	}
	weth := move("everybody", 9, 40, 0)
	weth.To = links.AllWrapped()[0].Contract
	b.add(d, slot, append(everybody, weth)...)
	theft := move("theft", 9, 1, 100)
	b.add(d, slot, theft)
	theft.Block, theft.Time = b.block, b.time
	b.final(d, b.block)
	return b, trace.Request{Thefts: []trace.Theft{{ID: d.theft, Title: "T", Transfers: []chain.Transfer{theft}}}}
}
