package ethereum

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"bongsu/ingest/follow"
	"bongsu/ledger"
)

// TestMain turns the test binary into a follower when the test below asks.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BONGSU_FOLLOW_INTO"); dir != "" {
		if err := followInto(dir, os.Getenv("BONGSU_FOLLOW_FROM")); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		fmt.Println("done")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func followInto(dir, url string) error {
	ctx := context.Background()
	l, err := ledger.Open(ctx, dir, ledger.Options{})
	if err != nil {
		return err
	}
	defer l.Close()
	return Follow(ctx, Config{Setup: follow.Setup{
		URL: url, Ledger: follow.Into(l), Once: true, Window: 2, Batch: 2,
		Event: func(e follow.Event) { fmt.Println(e.Kind, e.Block.Number) },
	}})
}

// TestKilled kills a following process again and again, after so many events,
// while the chain grows and reorganises: the ledger opens, verifies, and in the
// end holds what a batch import would hold.
func TestKilled(t *testing.T) {
	s := newServer(t)
	dir := t.TempDir()
	s.chain.grow()
	run := func(events int) (last string) {
		t.Helper()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "BONGSU_FOLLOW_INTO="+dir, "BONGSU_FOLLOW_FROM="+s.URL)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		scan := bufio.NewScanner(out)
		for n := 0; scan.Scan(); n++ {
			if last = scan.Text(); n == events {
				cmd.Process.Kill() //nolint:errcheck // it may have ended
			}
		}
		cmd.Wait() //nolint:errcheck // it was killed
		if strings.HasPrefix(last, "failed") {
			t.Fatal(last)
		}
		return last
	}
	for round := range 12 {
		s.change(func() {
			for i := range 4 {
				s.chain.grow(move{from: byte(round + 1), to: byte(i + 20), value: uint64(100*round + i + 1)})
			}
			if round%3 == 2 {
				s.chain.reorganise(5)
				for range 7 {
					s.chain.grow(rich()...)
				}
			}
			s.final = max(s.final, len(s.chain.best)-9)
		})
		run(round % 5)
		report, err := ledger.Check(context.Background(), dir)
		if err != nil || len(report.Damages) > 0 {
			t.Fatalf("round %d: %+v, %v", round, report.Damages, err)
		}
	}
	if last := run(-1); last != "done" {
		t.Fatalf("the last run said %q", last)
	}
	l, err := ledger.Open(context.Background(), dir, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, want := show(transfersOf(t, follow.Into(l))), show(s.batch(t, true)); !slices.Equal(got, want) {
		t.Errorf("moved\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
