package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"
)

// vigil is an agency that follows a chain node and watches a theft, and an
// exchange that hears of it: two `bongsu serve` processes under an agreement,
// and one `bongsu follow` process beside the agency's.
type vigil struct {
	t     *testing.T
	d     *demo
	theft string
	books *node // the agency's, read beside its processes

	mu     sync.Mutex // owns the fields below
	events []followedLine
}

// followedLine is a line of `follow --json`, and when it came.
type followedLine struct {
	Event string `json:"event"`
	Chain string `json:"chain"`
	Block uint64 `json:"block"`
	Last  uint64 `json:"last"`
	Live  bool   `json:"live"`
	Note  string `json:"note"`
	at    time.Time
}

func newVigil(t *testing.T) *vigil {
	t.Helper()
	t.Setenv("BONGSU_TEST_AS_MAIN", "1")
	var log bytes.Buffer
	a := &app{
		environment: environment{stdin: bytes.NewReader(nil), stdout: io.Discard, stderr: &lockedWriter{w: &log}, getenv: func(string) string { return "" }, now: time.Now},
		ctx:         context.Background(), dir: t.TempDir(), dirGiven: true, config: config{User: "test"},
	}
	v := &vigil{t: t, d: &demo{a: a, root: a.dir}}
	t.Cleanup(func() {
		if v.books != nil {
			v.books.close() //nolint:errcheck // it was only read
		}
		if err := v.d.end(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, name := range []string{"agency.log", "exchange.log", "follow.log"} {
				b, _ := os.ReadFile(filepath.Join(v.d.root, name))
				t.Logf("%s:\n%s", name, b)
			}
			t.Logf("messages of the commands:\n%s", log.String())
		}
	})
	for _, step := range []func() error{v.d.start, v.d.agree} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if v.books, err = openNode(&app{environment: a.environment, ctx: a.ctx, dir: v.d.agency.dir}); err != nil {
		t.Fatal(err)
	}
	return v
}

// follow runs `bongsu follow` beside the agency until the test ends.
func (v *vigil) follow(args ...string) {
	v.t.Helper()
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(v.d.root, "follow.log"))
	if err != nil {
		v.t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"--data", v.d.agency.dir, "--json", "follow"}, args...)...)
	cmd.Stderr = log
	cmd.Env = append(os.Environ(), "BONGSU_DATA=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			e := followedLine{at: time.Now()}
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				v.mu.Lock()
				v.events = append(v.events, e)
				v.mu.Unlock()
			}
		}
	}()
	v.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGINT) //nolint:errcheck // it may have ended
		<-read
		if err := cmd.Wait(); err != nil {
			v.t.Errorf("follow: %v", err)
		}
		log.Close()
	})
}

// saw says whether the follower told of something.
func (v *vigil) saw(ok func(followedLine) bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.ContainsFunc(v.events, ok)
}

// until polls; what names it in the failure.
func (v *vigil) until(what string, ok func() bool) {
	v.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			v.t.Fatalf("still waiting: %s\nstated:\n  %s", what, strings.Join(v.history(), "\n  "))
		}
	}
}

// state has the agency state the theft by its transaction, as soon as the
// ledger holds it, and trace it. service is labelled as an exchange before.
func (v *vigil) state(n *demoNode, tx string, service chain.Account) (digest string) {
	v.t.Helper()
	file := filepath.Join(v.d.root, "labels.csv")
	if err := os.WriteFile(file, fmt.Appendf(nil, "account,label,source,category,confidence\n%s,Cash Desk,test,exchange,service_data\n", service), 0o600); err != nil {
		v.t.Fatal(err)
	}
	if err := n.run(nil, "labels", "import", file); err != nil {
		v.t.Fatal(err)
	}
	var theft struct{ ID string }
	err := poll(v.d.a.ctx, 60*time.Second, func() (bool, error) {
		err := n.run(&theft, "theft", "state", "--title", "Live", "--tx", tx, "--marking", "green")
		if errs.Is(err) == errs.NotExist { // not in the ledger yet
			err = nil
		}
		return theft.ID != "", err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.theft = theft.ID
	return v.trace(n)
}

// trace traces the theft by hand.
func (v *vigil) trace(n *demoNode) (digest string) {
	v.t.Helper()
	var res struct {
		Digest    string
		Conserved bool
	}
	if err := n.run(&res, "trace", v.theft); err != nil {
		v.t.Fatal(err)
	}
	if !res.Conserved {
		v.t.Error("not conserved")
	}
	return res.Digest
}

// movements lists every version of every movement that a node's journal has,
// in order, and when each was committed.
func (v *vigil) movements(n *node) (out []stix.Movement, at []time.Time) {
	v.t.Helper()
	for from := uint64(0); ; {
		list, err := n.journal.Read(context.Background(), journal.LogJournal, from, 1000)
		if err != nil {
			v.t.Fatal(err)
		}
		if len(list) == 0 {
			return out, at
		}
		for _, st := range list {
			from = st.Seq + 1
			o, err := st.Object()
			if err != nil {
				v.t.Fatal(err)
			}
			if m, err := stix.ReadMovement(o); err == nil {
				out, at = append(out, m), append(at, st.Time)
			}
		}
	}
}

// history writes every version of every movement as a line.
func (v *vigil) history() []string {
	ms, _ := v.movements(v.books)
	out := make([]string, len(ms))
	for i := range ms {
		out[i] = told(&ms[i])
	}
	return out
}

// told is a movement without its block: "moved ADDRESS AMOUNT ...".
func told(m *stix.Movement) string {
	s := fmt.Sprintf("%s %s %s", m.Event, m.Account.Address(), m.Amount.Amount)
	if m.Label != "" {
		s += " " + m.Label
	}
	if m.Provisional {
		s += " provisional"
	}
	if m.Revoked {
		s += " revoked"
	}
	return s
}

// await waits until the agency has stated all these versions, in any order.
func (v *vigil) await(lines ...string) {
	v.t.Helper()
	v.until(strings.Join(lines, ", "), func() bool {
		h := v.history()
		for _, l := range lines {
			i := slices.Index(h, l)
			if i < 0 {
				return false
			}
			h = slices.Delete(h, i, i+1)
		}
		return true
	})
}

// verdict waits until the exchange's screening says so of an account.
func (v *vigil) verdict(account, want string) {
	v.t.Helper()
	var got []screened
	err := poll(v.d.a.ctx, 30*time.Second, func() (ok bool, err error) {
		got, err = v.d.screen(account)
		return err == nil && got[0].Verdict == want, err
	})
	if err != nil {
		v.t.Fatalf("the exchange does not say %s of %s: %v; %+v %s", want, account, err, got[0].Verdict, got[0].Reasons)
	}
}

// tellLatency logs how long after its block's being in the ledger the slowest
// movement was in the journal.
func (v *vigil) tellLatency() {
	v.t.Helper()
	ms, at := v.movements(v.books)
	v.mu.Lock()
	defer v.mu.Unlock()
	var worst time.Duration
	for i, m := range ms {
		if !m.Provisional || m.Revoked {
			continue
		}
		var block time.Time // a height may have been applied twice: the later one brought it
		for _, e := range v.events {
			if e.Event == "applied" && e.Block <= m.Block && m.Block <= e.Last && e.at.Before(at[i]) {
				block = e.at
			}
		}
		if !block.IsZero() {
			worst = max(worst, at[i].Sub(block))
		}
	}
	v.t.Logf("block told of to statement in the journal: at most %s", worst.Round(time.Millisecond))
}

// afresh is the digest of the same theft on a new node that takes the chain in
// at once.
func (v *vigil) afresh(tx string, service chain.Account, follow ...string) string {
	v.t.Helper()
	n := &demoNode{a: v.d.a, dir: filepath.Join(v.d.root, "second")}
	for _, args := range [][]string{{"init", "--name", "Second Expert"}, append(append([]string{"follow"}, follow...), "--once")} {
		var out bytes.Buffer
		env := v.d.a.environment
		env.stdout, env.stdin = &out, bytes.NewReader(nil)
		if code := run(context.Background(), env, append([]string{"--data", n.dir, "--json"}, args...)); code != 0 {
			v.t.Fatalf("%q: %d: %s", args, code, out.Bytes())
		}
	}
	return v.state(n, tx, service)
}

// settled holds that nothing was said twice, that the partner has every
// version, and that a second expert who takes the chain in at once comes to the
// same digest.
func (v *vigil) settled(theft string, service chain.Account, head uint64, follow ...string) {
	v.t.Helper()
	v.until("level", func() bool {
		return v.saw(func(e followedLine) bool { return e.Event == "level" && e.Block == head })
	})
	stated := v.history()
	live := v.trace(v.d.agency)
	if h := v.history(); !slices.Equal(h, stated) {
		v.t.Errorf("a trace by hand states %q more", h[len(stated):])
	}
	v.tellLatency()
	if again := v.afresh(theft, service, follow...); again != live {
		v.t.Errorf("watched: %s, taken in at once: %s", live, again)
	}
	exchange, err := openNode(&app{environment: v.d.a.environment, ctx: context.Background(), dir: v.d.exchange.dir})
	if err != nil {
		v.t.Fatal(err)
	}
	defer exchange.close() //nolint:errcheck // read only
	v.until("the exchange has every version", func() bool {
		ms, _ := v.movements(exchange)
		got := make([]string, len(ms))
		for i := range ms {
			got[i] = told(&ms[i])
		}
		return slices.Equal(got, stated)
	})
	if err := v.d.check(); err != nil {
		v.t.Error(err)
	}
}
