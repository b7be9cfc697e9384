//go:build peers

// Package peers starts the real chain nodes that setup.sh fetched and built, for
// tests with the build tag `peers` (make test-peers). A node runs in a folder of
// its own, on ports that the kernel chose, and ends with its test. It is no part
// of what ships, and no node is ever linked.
package peers

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// startWithin is how long a node may take to say where it listens.
const startWithin = 60 * time.Second

// folder is where setup.sh put everything.
func folder(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("BONGSU_PEERS"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "bongsu-peers")
}

// Contract is the creation code of a contract of contracts.sol.
func Contract(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(t), "contracts.json"))
	if err != nil {
		t.Fatalf("%v; run ingest/peers/setup.sh first", err)
	}
	var code map[string]string
	if err := json.Unmarshal(text, &code); err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(code[name])
	if err != nil || len(raw) == 0 {
		t.Fatalf("no code of contract %s: %v", name, err)
	}
	return raw
}

// Start runs a node until the test ends, and returns what the groups of listens
// matched in its output, one address each, in the order of listens.
func Start(t testing.TB, name string, listens []*regexp.Regexp, args ...string) []string {
	t.Helper()
	binary := filepath.Join(folder(t), "bin", name)
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%v; run ingest/peers/setup.sh first", err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = in, in
	started, ended, lines := make(chan error), make(chan struct{}), make(chan string)
	go func() {
		// The kernel's word of a parent's death is about the thread that
		// started the process: this one lives as long as the node does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		in.Close()
		started <- err
		if err == nil {
			cmd.Wait() //nolint:errcheck // it is stopped by a signal
		}
	}()
	go func() {
		defer out.Close()
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			select {
			case lines <- scan.Text():
			case <-time.After(time.Millisecond): // nobody waits for lines any more
			}
		}
		io.Copy(io.Discard, out) //nolint:errcheck // so that the node never blocks
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended; its folder goes with the test
		<-ended
	})
	return wait(t, name, listens, lines, ended)
}

func wait(t testing.TB, name string, listens []*regexp.Regexp, lines <-chan string, ended <-chan struct{}) []string {
	t.Helper()
	found, missing := make([]string, len(listens)), len(listens)
	var said []string
	deadline := time.After(startWithin)
	for missing > 0 {
		select {
		case line := <-lines:
			said = append(said, line)
			for i, r := range listens {
				if m := r.FindStringSubmatch(line); m != nil && found[i] == "" {
					found[i] = m[1]
					missing--
				}
			}
		case <-ended:
			t.Fatalf("%s ended: %q", name, said)
		case <-deadline:
			t.Fatalf("%s did not start: %q", name, said)
		}
	}
	return found
}
