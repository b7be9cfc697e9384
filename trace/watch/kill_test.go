package watch_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/identity"
	"bongsu/ledger"
	"bongsu/stix"
	"bongsu/trace"
)

// lastBlock is how far the chain of TestKilled goes: the stolen money moves on
// by one account in each block, and every fifth block makes those before final.
const lastBlock = 60

// child applies what is missing of that chain while it watches, tells of each
// block, and waits until the last movement is stated.
func child(dir string) error {
	keys, err := identity.Load(filepath.Join(dir, "keys"))
	if err != nil {
		return err
	}
	l, err := ledger.Open(context.Background(), filepath.Join(dir, "ledger"), ledger.Options{})
	if err != nil {
		return err
	}
	d := openDesk(panics{}, dir, keys, l)
	d.now = time.Now() // later than that of the process before
	d.watch()
	last, _, err := l.Live(context.Background(), chain.Ethereum)
	if err != nil {
		return err
	}
	b := newBranch()
	for n := uint64(1); n <= lastBlock; n++ {
		if n <= last.Number {
			b.skip()
			continue
		}
		b.add(d, slot, step(n))
		fmt.Println(n)
		if n%5 == 0 {
			b.final(d, n-1)
		}
	}
	b.final(d, lastBlock)
	d.until("everything is stated and final", func() bool {
		return slices.Contains(d.history(), fmt.Sprintf("moved #%d 1000 in block %d", lastBlock, lastBlock))
	})
	fmt.Println("done")
	d.close()
	return l.Close()
}

// step is what block n moves: from account n-1 to account n. Block 1 is the
// theft.
func step(n uint64) chain.Transfer {
	from := byte(200)
	if n > 1 {
		from = byte(n - 1)
	}
	return move(fmt.Sprint("step ", n), from, byte(n), 1000)
}

// panics is how a process that is no test fails.
type panics struct{}

func (panics) Helper()                   {}
func (panics) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (panics) Fatalf(s string, a ...any) { panic(fmt.Sprintf(s, a...)) }

// TestKilled kills the process that follows and watches, again and again, and
// holds that every movement was stated, none twice.
func TestKilled(t *testing.T) {
	d := newDesk(t)
	b := newBranch()
	first := step(1)
	b.add(d, slot, first)
	first.Block, first.Time = 1, b.time
	req := trace.Request{Thefts: []trace.Theft{{ID: theftID, Title: "T", Transfers: []chain.Transfer{first}}}}
	d.trace(req)
	for blocks := 3; ; blocks += 4 {
		if run(t, d.dir, blocks%11+1) {
			break
		}
	}
	versions, says := map[string][]stix.Movement{}, map[string][32]byte{}
	for _, o := range d.own() {
		m, err := stix.ReadMovement(o)
		if err != nil {
			continue
		}
		if m.Says() == says[o.ID] && !m.Revoked {
			t.Errorf("said twice: %s", line(m))
		}
		versions[o.ID], says[o.ID] = append(versions[o.ID], m), m.Says()
	}
	if len(versions) != lastBlock-1 {
		t.Errorf("%d movements were stated, want %d", len(versions), lastBlock-1)
	}
	for _, vs := range versions {
		if m := vs[len(vs)-1]; m.Provisional || m.Revoked || len(vs) > 2 {
			t.Errorf("%d versions, the last %s", len(vs), line(m))
		}
	}
	before := len(d.own())
	d.trace(req)
	if after := len(d.own()); after != before+1 {
		t.Errorf("a trace by hand states %d more", after-before-1)
	}
}

// run starts a child and kills it after so many blocks; done says that it ended
// by itself.
func run(t *testing.T, dir string, blocks int) (done bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "WATCH_TEST_CHILD="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if done = lines.Text() == "done"; done {
			break
		}
		if blocks--; blocks == 0 {
			cmd.Process.Kill() //nolint:errcheck // Wait says so
			break
		}
	}
	err = cmd.Wait()
	if done && err != nil || !done && blocks > 0 {
		t.Fatalf("the child ended: %v", err)
	}
	return done
}
