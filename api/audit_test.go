package api

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bongsu/errs"
)

func openAudit(t *testing.T, dir string) *Audit {
	t.Helper()
	a, err := OpenAudit(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func record(t *testing.T, a *Audit, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := a.Record(&Asked{Who: n, Values: []string{n}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) (names []string) {
	t.Helper()
	if err := ReadAudit(dir, func(a Asked) error {
		names = append(names, a.Who)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("the log has %v, want %v", got, want)
	}
}

func TestAuditIsKept(t *testing.T) {
	dir := t.TempDir()
	a := openAudit(t, dir)
	record(t, a, "a", "b")
	record(t, a, "c")
	same(t, read(t, dir), "a", "b", "c")
	if _, err := OpenAudit(dir, nil); errs.Is(err) != errs.Unavailable {
		t.Errorf("opened twice: %v", err)
	}
	if err := a.Record(&Asked{Who: "d"}); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil { // writes what is pending
		t.Fatal(err)
	}
	if err := a.Record(&Asked{Who: "late"}); errs.Is(err) != errs.Unavailable {
		t.Errorf("recorded after Close: %v", err)
	}
	record(t, openAudit(t, dir), "e")
	same(t, read(t, dir), "a", "b", "c", "d", "e")
	info, err := os.Stat(auditName(dir, 1))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestAuditOfMany(t *testing.T) {
	dir := t.TempDir()
	a := openAudit(t, dir)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 500 {
				if err := a.Record(&Asked{Who: fmt.Sprint(w, "-", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, n := range read(t, dir) {
		seen[n] = true
	}
	if len(seen) != 4000 {
		t.Errorf("%d records", len(seen))
	}
}

// frames is a closed log of three frames, and where the third begins.
func frames(t *testing.T) (dir, file string, text []byte, third int) {
	t.Helper()
	dir = t.TempDir()
	a := openAudit(t, dir)
	record(t, a, "a")
	record(t, a, "b")
	file = auditName(dir, 1)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	record(t, a, "c")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return dir, file, text, int(info.Size())
}

// Wherever a crash cuts the last frame, what was synced before stands, and the
// torn bytes are kept aside.
func TestTornTail(t *testing.T) {
	dir, file, text, third := frames(t)
	for cut := third; cut < len(text); cut += 1 + (cut-third)/8 { // each byte of the head's first fields, then fewer
		for _, tail := range [][]byte{nil, make([]byte, len(text)-cut)} { // cut short, or grown without its bytes
			torn := append(bytes.Clone(text[:cut]), tail...)
			if bytes.Equal(torn, text) {
				continue
			}
			if err := os.WriteFile(file, torn, 0o600); err != nil {
				t.Fatal(err)
			}
			same(t, read(t, dir), "a", "b")
			a := openAudit(t, dir)
			record(t, a, "d")
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			same(t, read(t, dir), "a", "b", "d")
			aside := fmt.Sprintf("%s.torn-%d", file, third)
			kept, err := os.ReadFile(aside)
			if cut == third && tail == nil {
				if !os.IsNotExist(err) {
					t.Fatalf("nothing was torn, yet %s is there", aside)
				}
				continue
			}
			if err != nil || !bytes.Equal(kept, torn[third:]) {
				t.Fatalf("cut at %d: the torn bytes are not kept: %v", cut, err)
			}
			if err := os.Remove(aside); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Any changed byte before the last frame is found, and the log does not open.
func TestTamperedAudit(t *testing.T) {
	dir, file, text, third := frames(t)
	for at := 0; at < third; at += 3 {
		changed := bytes.Clone(text)
		changed[at] ^= 0x40
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		// A length that became larger than the file looks like a torn tail:
		// then records are missing.
		err := ReadAudit(dir, func(Asked) error { return nil })
		if err == nil {
			if got := read(t, dir); len(got) == 3 {
				t.Fatalf("byte %d was changed and nobody noticed", at)
			}
		} else if k := errs.Is(err); k != errs.Corrupt {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
	if err := os.WriteFile(file, append([]byte("something else  "), text[16:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAudit(dir, nil); errs.Is(err) != errs.Corrupt {
		t.Errorf("%v", err)
	}
}

// A new file continues the chain of the one before, also when a crash came
// between its making and its head.
func TestAuditFilesAreChained(t *testing.T) {
	dir := t.TempDir()
	a := openAudit(t, dir)
	record(t, a, "a")
	a.mu.Lock() // the writer is idle: Sync has returned
	err := a.begin(2)
	a.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	record(t, a, "b")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, read(t, dir), "a", "b")
	if err := os.WriteFile(auditName(dir, 3), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	same(t, read(t, dir), "a", "b")
	a = openAudit(t, dir)
	record(t, a, "c")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, read(t, dir), "a", "b", "c")
	if err := os.Remove(auditName(dir, 2)); err != nil {
		t.Fatal(err)
	}
	if err := ReadAudit(dir, func(Asked) error { return nil }); errs.Is(err) != errs.Corrupt {
		t.Errorf("a missing file: %v", err)
	}
}

// While the audit cannot be written, nobody is answered.
func TestNothingIsAnsweredUnseen(t *testing.T) {
	n := start(t)
	c := n.holder(0, ScopeScreen, ScopeRead)
	if res := c.get("/api/v1/session"); res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	if err := n.cfg.Audit.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.cfg.Audit.file.Close() // as a disk that fails
	c.get("/api/v1/session")
	if err := n.cfg.Audit.Sync(t.Context()); err == nil {
		t.Fatal("a failed write was called durable")
	}
	res := c.post("/api/v1/screen", oneValue)
	res.problem(503)
	if res.Header.Get("Retry-After") == "" || strings.Contains(res.body, "results") {
		t.Error(res.body)
	}
	link, err := n.SignInLink(n.url, User{"min", Reader})
	if err != nil {
		t.Fatal(err)
	}
	if res := n.stranger().get(strings.TrimPrefix(link, n.url)); res.StatusCode < 500 || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("signed in unseen: %d", res.StatusCode)
	}
}

// Who may not come in cannot fill the disk by knocking.
func TestStrangersDoNotFillTheAudit(t *testing.T) {
	n := start(t)
	c := n.stranger()
	const knocks = 4 * strangerBurst
	long := "/api/v1/thefts/" + strings.Repeat("a", 20_000)
	for i := range knocks {
		if i%2 == 0 {
			c.get(long).problem(401)
		} else {
			c.get("/signin?token=guess").problem(401)
		}
	}
	n.signedIn(Reader) // who comes in is recorded all the same
	if err := n.cfg.Audit.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, left, in := 0, 0, 0
	err := ReadAudit(filepath.Join(n.dir, "audit"), func(a Asked) error {
		if len(a.Path) > maxAuditPath+3 {
			t.Errorf("a path of %d bytes", len(a.Path))
		}
		if a.Who == "-" {
			records++
			left += a.Left
		} else {
			in++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n.strangers.mu.Lock()
	defer n.strangers.mu.Unlock()
	if left += n.strangers.left; records+left != knocks || left == 0 || in != 2 {
		t.Errorf("%d records and %d left out of %d; %d of who came in", records, left, knocks, in)
	}
}

func TestSyncEndsWithItsContext(t *testing.T) {
	a := &Audit{wake: make(chan struct{}, 1), quick: make(chan struct{}, 1)} // without its writer
	a.changed = sync.NewCond(&a.mu)
	if err := a.Record(&Asked{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := a.Sync(ctx); err != context.DeadlineExceeded {
		t.Errorf("%v", err)
	}
}

func FuzzAuditFile(f *testing.F) {
	dir := f.TempDir()
	a, err := OpenAudit(dir, nil)
	if err != nil {
		f.Fatal(err)
	}
	if err := a.Record(&Asked{Who: "a", Values: []string{"x"}}); err != nil {
		f.Fatal(err)
	}
	if err := a.Close(); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(auditName(dir, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:auditHead])
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "audit-000001.log"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		err := ReadAudit(dir, func(Asked) error { return nil })
		a, oerr := OpenAudit(dir, nil)
		if oerr != nil {
			return
		}
		if cerr := a.Close(); cerr != nil {
			t.Fatal(cerr)
		}
		if err == nil {
			if err := ReadAudit(dir, func(Asked) error { return nil }); err != nil {
				t.Fatalf("readable before it was opened, not after: %v", err)
			}
		}
	})
}
