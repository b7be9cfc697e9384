package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/journal"
)

// TestKillWhileSharing kills either node with SIGKILL while statements pass
// between them, starts it again, and holds that nothing acknowledged is lost
// and everything is applied once.
func TestKillWhileSharing(t *testing.T) {
	t.Setenv("BONGSU_TEST_AS_MAIN", "1")
	var log bytes.Buffer
	a := &app{
		environment: environment{stdin: bytes.NewReader(nil), stdout: io.Discard, stderr: &lockedWriter{w: &log}, getenv: func(string) string { return "" }, now: time.Now},
		ctx:         context.Background(), dir: t.TempDir(), dirGiven: true, config: config{User: "test"},
	}
	d := &demo{a: a, root: a.dir}
	t.Cleanup(func() {
		d.end() //nolint:errcheck // the test has said what matters
		if t.Failed() {
			for _, name := range []string{"agency.log", "exchange.log"} {
				b, _ := os.ReadFile(filepath.Join(d.root, name))
				t.Logf("%s:\n%s", name, b)
			}
			t.Logf("messages of the commands:\n%s", log.String())
		}
	})
	for _, step := range []func() error{d.start, d.agree} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	const n = 120
	var stated atomic.Int64
	done := make(chan error, 1)
	go func() { done <- stateAll(d, n, &stated) }()
	for i, victim := range []*demoNode{d.exchange, d.agency, d.exchange, d.agency} {
		until(t, func() bool { return stated.Load() >= int64((i+1)*n/6) })
		victim.kill(t)
		if err := victim.serve(a.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	values := make([]string, n)
	for i := range values {
		values[i] = killAccount(i)
	}
	until(t, func() bool {
		got, err := d.screen(values...)
		if err != nil {
			return false
		}
		for _, r := range got {
			if r.Verdict != "block" {
				return false
			}
		}
		return true
	})
	if err := d.check(); err != nil {
		t.Fatal(err)
	}
	if err := d.exchange.stop(); err != nil {
		t.Fatal(err)
	}
	once(t, d.exchange, n)
}

// stateAll lists n accounts one by one at the agency, asking again until each
// is acknowledged.
func stateAll(d *demo, n int, stated *atomic.Int64) error {
	for i := range n {
		deadline := time.Now().Add(30 * time.Second)
		for {
			var done any
			list := map[string]any{"list": map[string]string{"value": killAccount(i), "reason": "test", "marking": "green"}}
			err := d.agency.post(d.a.ctx, "/api/v1/statements", list, &done)
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return err
			}
			time.Sleep(5 * time.Millisecond)
		}
		stated.Add(1)
	}
	return nil
}

// killAccount is a made-up account.
func killAccount(i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "kill test %d", i))
	return chain.EVM(chain.Ethereum, [20]byte(sum[:20])).Address()
}

func (n *demoNode) kill(t *testing.T) {
	t.Helper()
	if err := n.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	n.cmd.Wait() //nolint:errcheck // it says that it was killed
	n.http.CloseIdleConnections()
}

// once holds that the journal of a stopped node has each listing once for each
// time that its author stated it.
func once(t *testing.T, node *demoNode, n int) {
	t.Helper()
	a := &app{environment: node.a.environment, ctx: context.Background(), dir: node.dir}
	opened, err := openNode(a)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.close() //nolint:errcheck // read only
	seen := map[string]int{}
	listings := map[string]bool{}
	for from := uint64(0); ; {
		list, err := opened.journal.Read(a.ctx, journal.LogJournal, from, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, st := range list {
			if st.From != nil && st.Type == "indicator" {
				seen[st.ID+" "+st.Version]++
				listings[st.ID] = true
			}
		}
		from = list[len(list)-1].Seq + 1
	}
	if len(listings) != n {
		t.Errorf("%d listings arrived, want %d", len(listings), n)
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s was applied %d times", id, times)
		}
	}
}

func until(t *testing.T, ask func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ask(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about within 60 s")
		}
	}
}

// lockedWriter is written to by several goroutines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
