package ledger_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/ledgertest"
	"bongsu/ledger/model"
)

// transferOf is the n-th of some unlike transfers; several share a block and a
// transaction.
func transferOf(n int) chain.Transfer {
	raw := make([]byte, 32)
	raw[0], raw[1], raw[2], raw[3] = byte(n*37), byte(n/2), byte(n/512), 9
	raw[0] = byte(n / 2 * 37)
	id, _ := chain.NewTxID(raw)
	who := func(k int) chain.Account {
		return chain.EVM(chain.Ethereum, [20]byte{byte(k * 11), byte(k), byte(k >> 8), 1})
	}
	return chain.Transfer{
		Chain: chain.Ethereum, Time: chain.Time(1_000_000 + 12_000*(n/4)), Block: uint64(100 + n/4), Index: uint32(n / 2 % 2), Tx: id,
		Kind: chain.KindToken, Ordinal: uint32(n), From: who(n % 5), To: who(n % 23), Asset: chain.Token(who(900 + n%2)), Amount: chain.Units(uint64(n*n + 1)),
	}
}

func facts(from, to int) *ledger.Facts {
	f := &ledger.Facts{}
	for n := from; n < to; n++ {
		f.Transfers = append(f.Transfers, transferOf(n))
	}
	return f
}

func liveAt(number uint64, fork byte, rows int) ledger.LiveBlock {
	hash := func(n uint64) ledger.Hash {
		if n < 501 {
			return ledger.Hash{byte(n), 1}
		}
		return ledger.Hash{byte(n), 1, fork}
	}
	b := ledger.LiveBlock{
		What:  ledger.CoverTokens,
		Block: ledger.BlockFact{Chain: chain.Ethereum, Number: number, Hash: hash(number), Parent: hash(number - 1), Time: chain.Time(9_000_000 + 12_000*number), HasTime: true},
	}
	for n := range rows {
		t := transferOf(int(number)*10 + n + int(fork)*100)
		t.Block, t.Time = number, b.Block.Time
		b.Facts.Transfers = append(b.Facts.Transfers, t)
	}
	return b
}

// step is something that the crash test does, acknowledged by its return.
type step struct {
	name  string
	do    func(*ledger.Ledger) error
	model func(*model.Model)
	parts []func(*model.Model) // what is acknowledged on the way; do leaves it out when it is there
}

func imports(name string, f *ledger.Facts, checkpoint bool) step {
	return step{name: name, do: func(l *ledger.Ledger) error { return try(l, f, checkpoint) }, model: func(m *model.Model) { m.Add(f) }}
}

func applies(number uint64, fork byte, rows int) step {
	b := liveAt(number, fork, rows)
	return step{name: "live block", do: func(l *ledger.Ledger) error {
		if last, _, err := l.Live(ctx, chain.Ethereum); err != nil || last.Known && last.Number >= number {
			return err
		}
		_, err := l.ApplyBlock(ctx, b)
		return err
	}, model: func(m *model.Model) { m.ApplyBlock(b) }}
}

func finalizes(number uint64) step {
	return step{
		name: "finalize", do: func(l *ledger.Ledger) error { return l.Finalize(ctx, chain.Ethereum, number) },
		model: func(m *model.Model) { m.Finalize(chain.Ethereum, number) },
	}
}

func rollsBack(number uint64) step {
	return step{
		name: "rollback", do: func(l *ledger.Ledger) error { return l.Rollback(ctx, chain.Ethereum, number) },
		model: func(m *model.Model) { m.Rollback(chain.Ethereum, number) },
	}
}

// merges is a round of merging in the background, in the middle of which
// another step is done. That one alone is acknowledged; a merge that fails
// changes nothing.
func merges(meanwhile step) step {
	return step{name: "merge, and meanwhile " + meanwhile.name, do: func(l *ledger.Ledger) error {
		done, err := false, error(nil)
		ledger.Merge(ctx, l, func() { done, err = true, meanwhile.do(l) }) //nolint:errcheck // see above
		if !done {
			return meanwhile.do(l)
		}
		return err
	}, model: meanwhile.model}
}

// importsBeside is a large import while which others commit: while its accounts
// are named, and while its segments are written.
func importsBeside(name string, f *ledger.Facts, first, second step) step {
	do := func(l *ledger.Ledger) error {
		var err error
		calls := 0
		ledger.Meanwhile(l, func() {
			if calls++; err == nil && calls <= 2 {
				err = []step{first, second}[calls-1].do(l)
			}
		})
		defer ledger.Meanwhile(l, nil)
		im, berr := l.Begin(ctx, "crash")
		if berr != nil {
			return berr
		}
		defer im.Suspend()
		if err := im.Add(f); err != nil {
			return err
		}
		if _, cerr := im.Commit(ctx); cerr != nil {
			return cerr
		}
		if calls < 2 {
			return errors.New("nobody could commit meanwhile")
		}
		return err
	}
	return step{
		name: name, do: do, parts: []func(*model.Model){first.model, second.model},
		model: func(m *model.Model) { first.model(m); second.model(m); m.Add(f) },
	}
}

var script = []step{
	imports("small import", facts(0, 3), false),
	imports("large import", facts(2, 40), true),
	applies(500, 0, 3),
	applies(501, 0, 3),
	rollsBack(500),
	applies(501, 7, 2),
	finalizes(500),
	imports("outputs", coinFacts(0, 14), false),
	imports("outputs that spend those", coinFacts(9, 20), false),
	imports("overlapping import", facts(20, 70), true),
}

// mergedScript has all that moves into segments moved in the background.
var mergedScript = []step{
	imports("large import", facts(0, 40), false),
	imports("small import", facts(38, 45), false),
	merges(applies(500, 0, 9)),
	applies(501, 0, 9),
	finalizes(500),
	merges(rollsBack(500)),
	applies(501, 7, 9),
	finalizes(501),
	merges(imports("small import meanwhile", facts(10, 18), false)),
}

// besideScript has blocks follow and be taken back while large imports are
// under way, which name some of the same accounts.
var besideScript = []step{
	imports("small import", facts(0, 3), false),
	applies(500, 0, 3),
	importsBeside("large import", withLoose(facts(2, 40)), applies(501, 0, 9), applies(502, 0, 3)),
	finalizes(500),
	importsBeside("overlapping import", facts(30, 70), rollsBack(500), applies(501, 7, 9)),
	importsBeside("another import", facts(60, 95), applies(502, 7, 4), rollsBack(501)),
}

// withLoose adds a row that names no block.
func withLoose(f *ledger.Facts) *ledger.Facts {
	t := transferOf(3)
	t.Block, t.Kind = chain.NoBlock, chain.KindInternal
	f.Transfers = append(f.Transfers, t)
	return f
}

// coinFacts are some payments, with a note at each.
func coinFacts(from, to int) *ledger.Facts {
	f := &ledger.Facts{UTXOs: payments()[from:to]}
	for _, u := range f.UTXOs {
		f.Notes = append(f.Notes, ledger.NoteFact{Chain: u.Chain, Tx: u.Tx, Block: u.Block, HasBlock: true, Call: &ledger.Call{Input: []byte{byte(from), byte(u.Index)}}})
	}
	return f
}

var ctx = context.Background()

// try imports, with a checkpoint in the middle when large.
func try(l *ledger.Ledger, f *ledger.Facts, checkpoint bool) error {
	return tryAs(l, "crash", f, checkpoint)
}

func tryAs(l *ledger.Ledger, source string, f *ledger.Facts, checkpoint bool) error {
	im, err := l.Begin(ctx, source)
	if err != nil {
		return err
	}
	defer im.Suspend()
	rest := *f
	if checkpoint && im.Cursor() == nil {
		half := len(f.Transfers) / 2
		if err := im.Add(&ledger.Facts{Transfers: f.Transfers[:half]}); err != nil {
			return err
		}
		if err := im.Checkpoint([]byte("half")); err != nil {
			return err
		}
		rest.Transfers = f.Transfers[half:]
	}
	if err := im.Add(&rest); err != nil {
		return err
	}
	_, err = im.Commit(ctx)
	return err
}

func dumpModel(t *testing.T, script []step) string {
	var m model.Model
	for _, s := range script {
		s.model(&m)
	}
	r, err := m.Reader()
	if err != nil {
		t.Fatal(err)
	}
	return ledgertest.Dump(t, r)
}

// TestCrashAtEveryStep stops the ledger at each of its steps on the disk. What
// opens afterwards passes Check and holds what was acknowledged, or that and
// the step that was under way; and it goes on from there.
func TestCrashAtEveryStep(t *testing.T) { crashes{script, false}.everywhere(t) }

// TestCrashWhileMerging is the same for merging in the background.
func TestCrashWhileMerging(t *testing.T) { crashes{mergedScript, true}.everywhere(t) }

// TestCrashWhileOthersCommit is the same for commits during an import.
func TestCrashWhileOthersCommit(t *testing.T) { crashes{besideScript, false}.everywhere(t) }

type crashes struct {
	script []step
	held   bool // merging is left to the script
}

func (c crashes) open(dir string, opt ledger.Options) (*ledger.Ledger, error) {
	ledger.SmallSegments(&opt, 10, 30)
	if c.held {
		ledger.SmallSegments(&opt, 10, 8)
	}
	l, err := ledger.Open(ctx, dir, opt)
	if err == nil && c.held {
		ledger.HoldMerges(l)
	}
	return l, err
}

func (c crashes) everywhere(t *testing.T) {
	want := make([]string, len(c.script)+1)
	for i := range want {
		want[i] = dumpModel(t, c.script[:i])
	}
	for n := 1 + c.stepsBeforeMerges(t); ; n++ {
		dir := t.TempDir()
		var opt ledger.Options
		left := ledger.CrashAfter(&opt, n)
		acked := c.run(dir, opt)
		if rep, err := ledger.Check(ctx, dir); err == nil && len(rep.Damages) > 0 {
			t.Fatalf("step %d, after %d acknowledged: check finds %+v", n, acked, rep.Damages)
		}
		c.goOn(t, dir, n, acked, want)
		if left.Load() > 0 {
			return
		}
	}
}

// stepsBeforeMerges is how much of the disk's steps the script takes up to its
// first merge: the other script has crashes in those.
func (c crashes) stepsBeforeMerges(t *testing.T) int {
	if !c.held {
		return 0
	}
	const many = 1 << 20
	var opt ledger.Options
	left := ledger.CrashAfter(&opt, many)
	before := slices.IndexFunc(c.script, func(s step) bool { return strings.HasPrefix(s.name, "merge") })
	if got := (crashes{c.script[:before], true}).run(t.TempDir(), opt); got != before {
		t.Fatalf("%d steps of %d", got, before)
	}
	return many - int(left.Load())
}

// goOn opens what crash n left and does the rest of the script.
func (c crashes) goOn(t *testing.T, dir string, n, acked int, want []string) {
	t.Helper()
	var again ledger.Options
	ledger.WithoutSync(&again)
	l, err := c.open(dir, again)
	if err != nil {
		t.Fatalf("step %d, after %d acknowledged: %v", n, acked, err)
	}
	defer l.Close()
	got, last := ledgertest.Dump(t, reader(t, l)), len(c.script)
	from := acked
	switch {
	case got == want[acked]:
	case acked < last && got == want[acked+1]:
		from++
	case acked < last && slices.Contains(c.onTheWay(t, acked), got):
	default:
		t.Fatalf("step %d, after %d acknowledged, holds\n%s\nwant\n%s", n, acked, got, want[acked])
	}
	for _, s := range c.script[from:] {
		if err := s.do(l); err != nil {
			t.Fatalf("step %d, going on with %s: %v", n, s.name, err)
		}
	}
	if got := ledgertest.Dump(t, reader(t, l)); got != want[last] {
		t.Fatalf("step %d, in the end holds\n%s\nwant\n%s", n, got, want[last])
	}
}

// onTheWay is what the ledger may hold while the step is under way.
func (c crashes) onTheWay(t *testing.T, n int) (dumps []string) {
	for i := range c.script[n].parts {
		part := step{model: func(m *model.Model) {
			for _, p := range c.script[n].parts[:i+1] {
				p(m)
			}
		}}
		dumps = append(dumps, dumpModel(t, append(slices.Clone(c.script[:n]), part)))
	}
	return dumps
}

// run does the script until the crash and says how many steps were
// acknowledged.
func (c crashes) run(dir string, opt ledger.Options) int {
	l, err := c.open(dir, opt)
	if err != nil {
		return 0
	}
	for i, s := range c.script {
		if s.do(l) != nil {
			return i
		}
	}
	return len(c.script)
}

// TestKill kills a process of its own again and again while it imports, and
// finds each time all that the process had acknowledged.
func TestKill(t *testing.T) {
	if dir := os.Getenv("LEDGER_KILL_DIR"); dir != "" {
		killed(t, dir)
		return
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	acked := 0
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "LEDGER_KILL_DIR="+dir, fmt.Sprintf("LEDGER_KILL_FROM=%d", acked))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for seen := 0; lines.Scan(); {
			n, found := strings.CutPrefix(lines.Text(), "acked ")
			if !found {
				continue
			}
			acked, _ = strconv.Atoi(n)
			if seen++; seen == 3+round*2 {
				time.AfterFunc(time.Duration(round)*700*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait() //nolint:errcheck // it was killed
		checkKilled(t, dir, acked)
	}
}

// killed imports ten transfers after ten, in turns small and large, and says
// after each how many are acknowledged.
func killed(t *testing.T, dir string) {
	var opt ledger.Options
	ledger.SmallSegments(&opt, 15, 60)
	l := open(t, dir, opt)
	from, _ := strconv.Atoi(os.Getenv("LEDGER_KILL_FROM"))
	for n := from; n < from+4000; n += 10 {
		back := 0
		if n/10%3 == 2 && n > 20 {
			back = 20
		}
		if err := try(l, facts(n-back, n+10), false); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acked", n+10)
	}
}

func checkKilled(t *testing.T, dir string, acked int) {
	t.Helper()
	rep, err := ledger.Check(ctx, dir)
	if err != nil || len(rep.Damages) > 0 {
		t.Fatalf("check: %v %+v", err, rep.Damages)
	}
	l := open(t, dir, ledger.Options{})
	defer l.Close()
	r := reader(t, l)
	held := 0
	err = r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		for i := range rows {
			if rows[i].Ordinal != uint32(held+i) {
				t.Fatalf("row %d is of transfer %d: lost or doubled", held+i, rows[i].Ordinal)
			}
		}
		held += len(rows)
		return nil
	})
	if err != nil || held < acked || held > acked+10 {
		t.Fatalf("%d transfers, %d were acknowledged (%v)", held, acked, err)
	}
}

// TestEveryFlippedByteIsFound flips bytes of every file, one by one.
func TestEveryFlippedByteIsFound(t *testing.T) {
	dir := t.TempDir()
	opt := ledger.Small(10, 1000)
	l := open(t, dir, opt)
	if err := try(l, facts(0, 60), false); err != nil {
		t.Fatal(err)
	}
	if err := try(l, facts(60, 65), false); err != nil {
		t.Fatal(err)
	}
	l.Close()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		data, err := os.ReadFile(name)
		if err != nil || len(data) == 0 {
			continue
		}
		if strings.HasPrefix(e.Name(), "head-") {
			slot := func(at int) uint64 { return binary.LittleEndian.Uint64(data[at+8:]) }
			data = data[:max(slot(512), slot(1024))] // room for commits to come is behind
		}
		for i := 0; i < len(data); i += 1 + len(data)/400 {
			data[i] ^= 0x10
			os.WriteFile(name, data, 0o600) //nolint:errcheck // the check sees it
			rep, err := ledger.Check(ctx, dir)
			if err == nil && len(rep.Damages) == 0 {
				t.Fatalf("byte %d of %s was flipped and not found", i, e.Name())
			}
			if err == nil && strings.HasPrefix(e.Name(), "segment-") && (rep.Damages[0].Segment == "" || rep.Damages[0].To != 114) {
				t.Fatalf("byte %d of %s: damage does not name segment and range: %+v", i, e.Name(), rep.Damages[0])
			}
			data[i] ^= 0x10
		}
		os.WriteFile(name, data, 0o600) //nolint:errcheck // checked below
	}
	if rep, err := ledger.Check(ctx, dir); err != nil || len(rep.Damages) > 0 {
		t.Fatalf("put right again: %v %+v", err, rep.Damages)
	}
}
