package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/journaltest"
	"bongsu/journal/sqlite"
	"bongsu/stix"
)

// childEnv makes the test binary a process that appends until it is killed.
const childEnv = "BONGSU_TEST_APPEND_IN"

// appendForever appends listings one by one, and in every fourth transaction
// to a feed too, and prints the sequence of each once it is acknowledged.
func appendForever(dir string) {
	ctx := context.Background()
	die := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	keys, err := identity.Load(dir)
	die(err)
	store, err := sqlite.Open(ctx, filepath.Join(dir, "journal.db"))
	die(err)
	j, err := journal.Open(ctx, store, keys, journal.Options{})
	die(err)
	for i := 0; ; i++ {
		o, err := stix.Note{
			Common: stix.Common{Author: keys.ID(), Modified: time.Now(), Marking: stix.TLPGreen},
			Text:   strings.Repeat(strconv.Itoa(os.Getpid())+" ", 1+i%2000), Of: []string{string(keys.ID())},
		}.Object()
		die(err)
		ds := []journal.Draft{{Object: o}}
		if i%4 == 0 {
			ds = append(ds, journal.Draft{Log: "feed/x", Object: o})
		}
		es, err := j.Append(ctx, ds)
		die(err)
		fmt.Println(es[0].Seq, o.ID)
	}
}

// child is one such process.
type child struct {
	cmd   *exec.Cmd
	lines chan string // closed at its end
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^$"), lines: make(chan string, 1<<16)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+dir)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	return c
}

// kill waits for n acknowledgements, kills the process as it works on, and
// returns all that it acknowledged.
func (c *child) kill(t *testing.T, n int) (acked []string) {
	t.Helper()
	limit := time.After(60 * time.Second)
	for len(acked) < n {
		select {
		case l, ok := <-c.lines:
			if !ok {
				t.Fatal("the process ended by itself")
			}
			acked = append(acked, l)
		case <-limit:
			t.Error("the process acknowledges nothing")
			n = 0
		}
	}
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for l := range c.lines {
		acked = append(acked, l)
	}
	c.cmd.Wait() //nolint:errcheck // it was killed
	return acked
}

// Processes that append are killed in the middle, again and again, two at
// once: nothing acknowledged is lost, and the journal checks clean each time.
func TestKill(t *testing.T) {
	n := journaltest.NewNode(t, open, "Agency", journal.Options{})
	var acked []string
	for round := range 5 {
		a, b := startChild(t, n.Dir), startChild(t, n.Dir)
		acked = append(acked, a.kill(t, 5+7*round)...)
		acked = append(acked, b.kill(t, 1)...)
		n.Clean(t)
	}
	for _, line := range acked {
		var seq uint64
		var id string
		if _, err := fmt.Sscan(line, &seq, &id); err != nil {
			continue // the last line may have been cut by the kill
		}
		s, err := n.Read(t.Context(), journal.LogJournal, seq, 1)
		if err != nil || len(s) != 1 || s[0].ID != id {
			t.Fatalf("acknowledged entry %d (%s) is lost: %v, %v", seq, id, s, err)
		}
	}
	t.Logf("%d acknowledged statements", len(acked))
	n.Close()
	again := journaltest.OpenNode(t, open, n.Dir, n.Keys, journal.Options{})
	again.Clean(t)
}
