package share_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/sqlite"
	"bongsu/share"
	"bongsu/stix"
)

// child is a node in a process of its own, to be killed: it runs the node in
// the folder SHARE_TEST_CHILD at SHARE_TEST_ADDRESS and, from the number
// SHARE_TEST_SAY on, states listings, each acknowledged by a line with its
// number once it is committed.
func child() error {
	dir := os.Getenv("SHARE_TEST_CHILD")
	keys, err := identity.Load(filepath.Join(dir, "keys"))
	if err != nil {
		return err
	}
	store, err := sqlite.Open(context.Background(), filepath.Join(dir, "journal.db"))
	if err != nil {
		return err
	}
	view := share.NewView(keys, nil)
	j, err := journal.Open(context.Background(), store, keys, journal.Options{Views: []journal.View{view}})
	if err != nil {
		return err
	}
	var l net.Listener
	for range 100 { // the one killed before may still hold the port for a moment
		if l, err = net.Listen("tcp", os.Getenv("SHARE_TEST_ADDRESS")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	s, err := share.New(share.Config{Journal: j, View: view, Keys: keys, Listener: l, AllowNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if from, err := strconv.Atoi(os.Getenv("SHARE_TEST_SAY")); err == nil {
		go childSays(j, keys, from)
	}
	return s.Run(context.Background())
}

func childSays(j *journal.Journal, keys *identity.Keys, from int) {
	for i := from; ; i++ {
		d, err := numbered(keys, i)
		if err == nil {
			_, err = j.Append(context.Background(), []journal.Draft{d})
		}
		if err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

// numbered is the listing of the i-th account, the same each time it is made.
func numbered(keys *identity.Keys, i int) (journal.Draft, error) {
	at := time.Date(2026, 11, 23, 0, 0, i, 0, time.UTC)
	a, err := chain.ParseAccount(fmt.Sprintf("eip155:1:0x%040x", i+1), "")
	if err != nil {
		return journal.Draft{}, err
	}
	o, err := stix.Listing{
		Common:  stix.Common{Author: keys.ID(), Created: at, Modified: at, Marking: stix.TLPAmber},
		Account: a, Reason: "number " + strconv.Itoa(i), Since: at,
	}.Object()
	return journal.Draft{Object: o}, err
}

// process is a running child.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func spawn(t *testing.T, n *node, say string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SHARE_TEST_CHILD="+n.dir, "SHARE_TEST_ADDRESS="+n.options.address, "SHARE_TEST_SAY="+say)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, bufio.NewScanner(out)}
	if !p.lines.Scan() || p.lines.Text() != "ready" {
		p.kill()
		t.Fatalf("the child says %q", p.lines.Text())
	}
	return p
}

// kill ends the child as a power cut would (SIGKILL) and waits for it.
func (p *process) kill() {
	p.cmd.Process.Kill() //nolint:errcheck // it may be gone
	p.cmd.Wait()         //nolint:errcheck // killed
}

// TestKilledReceiver: a receiver killed in the middle of it all, several
// times, ends up with everything, once, in order, and every statement answered.
func TestKilledReceiver(t *testing.T) {
	seoul, europe, _ := pair(t, nodeOptions{}, nodeOptions{})
	europe.end()
	p := spawn(t, europe, "")
	defer func() { p.kill() }()
	var said []journal.Entry
	const many = 120
	for i := range many {
		said = append(said, seoul.say(seoul.listing(i, stix.TLPAmber))...)
		if i%30 == 29 {
			until(t, "the receiver is in the middle of it", func() bool {
				st := seoul.status(europe)
				return st.Receipts.Arrived > i/30*20
			})
			p.kill()
			p = spawn(t, europe, "")
		}
	}
	until(t, "every statement is answered", func() bool {
		st := seoul.status(europe)
		return st.Shared == many && st.Unanswered == 0 && st.Receipts.Arrived == many
	})
	p.kill()
	europe.options.silent = true
	europe.start()
	onceInOrder(t, europe, seoul, said)
}

// TestKilledAuthor: nothing that a killed author acknowledged is lost, and
// nothing arrives twice.
func TestKilledAuthor(t *testing.T) {
	seoul, europe, _ := pair(t, nodeOptions{}, nodeOptions{})
	seoul.end()
	acknowledged := -1
	for round := range 4 {
		p := spawn(t, seoul, strconv.Itoa(acknowledged+1))
		for range 25 + 10*round {
			if !p.lines.Scan() {
				break
			}
			n, err := strconv.Atoi(p.lines.Text())
			if err != nil {
				p.kill()
				t.Fatalf("the child says %q", p.lines.Text())
			}
			acknowledged = n
		}
		p.kill()
	}
	p := spawn(t, seoul, "")
	defer p.kill()
	last, err := numbered(seoul.keys, acknowledged)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the last acknowledged arrives", func() bool {
		_, err := europe.journal.GetBy(t.Context(), seoul.keys.ID(), last.Object.ID)
		return err == nil
	})
	p.kill()
	seoul.options.silent = true
	seoul.start()
	var want []journal.Entry
	list, err := seoul.journal.Read(t.Context(), journal.LogJournal, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range list {
		if st.Type == "indicator" {
			want = append(want, st.Entry)
		}
	}
	if len(want) <= acknowledged {
		t.Fatalf("%d statements stand, %d were acknowledged", len(want), acknowledged+1)
	}
	for i := range acknowledged + 1 {
		if d, err := numbered(seoul.keys, i); err != nil || want[i].ID != d.Object.ID {
			t.Fatalf("statement %d is %s, %v", i, want[i].ID, err)
		}
	}
	// What was committed and not acknowledged before the last kill may still
	// be on its way.
	until(t, "all that stands is exchanged", func() bool {
		n := 0
		list, err := europe.journal.Read(t.Context(), journal.LogJournal, 0, 10_000)
		for _, st := range list {
			if st.Author == seoul.keys.ID() && st.Type == "indicator" {
				n++
			}
		}
		return err == nil && n >= acknowledged+1
	})
	var got []journal.Entry
	list, err = europe.journal.Read(t.Context(), journal.LogJournal, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range list {
		if st.Author == seoul.keys.ID() && st.Type == "indicator" {
			got = append(got, st.Entry)
		}
	}
	onceInOrder(t, europe, seoul, want[:len(got)])
}

// forget makes a stopped node's view count as one of another version, to be
// made anew.
func forget(t *testing.T, n *node) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(n.dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE views SET version=0 WHERE name='share'`); err != nil && !strings.Contains(err.Error(), "no such") {
		t.Fatal(err)
	}
}
