package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"bongsu/errs"
)

// demoNode is one node of the demo: a `bongsu serve` process of its own, and
// the means to run commands beside it and to ask it over HTTP, as a user and
// as a compliance system would.
type demoNode struct {
	a    *app
	dir  string
	cmd  *exec.Cmd
	http *http.Client
	log  *os.File // messages of the process: DIR.log

	ID, Name, Fingerprint string
	token                 string
	serving
}

func startDemoNode(ctx context.Context, d *demo, folder, name string) (*demoNode, error) {
	n := &demoNode{
		a: d.a, dir: filepath.Join(d.root, folder),
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}},
	}
	if err := n.run(n, "init", "--name", name); err != nil {
		return n, err
	}
	var tok struct{ Token string }
	if err := n.run(&tok, "token", "create", "demo", "--scope", "screen,read,write"); err != nil {
		return n, err
	}
	n.token = tok.Token
	return n, n.serve(ctx)
}

// serve starts the process and waits for the line that says where it listens.
func (n *demoNode) serve(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap("demo", "", err)
	}
	listen, shareListen := "127.0.0.1:0", "127.0.0.1:0"
	if n.Listen != "" { // started again: where partners know it
		listen, shareListen = n.Listen, n.ShareListen
	}
	n.cmd = exec.Command(self, "serve", "--data", n.dir, "--json", "--listen", listen, "--share-listen", shareListen)
	if n.log, err = os.OpenFile(n.dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return errs.Wrap("demo", n.dir, err)
	}
	n.cmd.Stderr = n.log
	n.cmd.Env = append(os.Environ(), "BONGSU_DATA=")
	// A group of its own, so that Ctrl-C in a terminal reaches the demo alone,
	// which then ends the nodes in order.
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return errs.Wrap("demo", n.dir, err)
	}
	if err := n.cmd.Start(); err != nil {
		return errs.Wrap("demo", n.dir, err)
	}
	ready := make(chan error, 1)
	var now serving
	go func() {
		dec := json.NewDecoder(bufio.NewReader(out))
		ready <- dec.Decode(&now)
		io.Copy(io.Discard, out) //nolint:errcheck // until the process ends
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return errs.New("demo", errs.Unavailable, n.dir, "the node did not start: "+err.Error(), "its messages are in "+n.dir+".log")
	}
	if n.Listen == "" { // started again, it listens where it did
		n.serving = now
	}
	n.SignIn = now.SignIn
	return nil
}

// stop ends the process in order; nil is fine.
func (n *demoNode) stop() error {
	if n == nil || n.cmd == nil || n.cmd.Process == nil {
		return nil
	}
	defer n.log.Close()
	n.http.CloseIdleConnections()
	n.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may be gone already
	done := make(chan error, 1)
	go func() { done <- n.cmd.Wait() }()
	select {
	case err := <-done:
		return errs.Wrap("demo", n.dir, err)
	case <-time.After(15 * time.Second):
		n.cmd.Process.Kill() //nolint:errcheck // Wait reports what matters
		return errs.New("demo", errs.Internal, n.dir, "the node did not end within 15 s", "")
	}
}

// run runs one command of bongsu on the node's folder, beside the serving
// process, and reads its JSON into doc (nil: any).
func (n *demoNode) run(doc any, args ...string) error {
	var out bytes.Buffer
	env := n.a.environment
	env.stdout, env.stdin = &out, bytes.NewReader(nil)
	env.getenv = func(string) string { return "" }
	code := run(n.a.ctx, env, append([]string{"--data", n.dir, "--json"}, args...))
	if code != 0 {
		var e struct {
			Error struct{ Code, Message, Where, Hint string }
		}
		if json.Unmarshal(out.Bytes(), &e) == nil && e.Error.Message != "" {
			return errs.New(args[0], errs.KindOf(e.Error.Code), e.Error.Where, e.Error.Message, e.Error.Hint)
		}
		return errs.New(args[0], errs.Other, n.dir, fmt.Sprintf("exit status %d: %s", code, out.Bytes()), "")
	}
	if doc == nil {
		return nil
	}
	return errs.Wrap(args[0], n.dir, json.Unmarshal(out.Bytes(), doc))
}

// post asks the node's HTTP interface with the demo's token.
func (n *demoNode) post(ctx context.Context, path string, body, answer any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.Listen+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+n.token)
	res, err := n.http.Do(req)
	if err != nil {
		return errs.Wrap("demo", path, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return errs.Wrap("demo", path, err)
	}
	if res.StatusCode/100 != 2 {
		return errs.New("demo", errs.Other, path, fmt.Sprintf("%s: %s", res.Status, got), "")
	}
	return errs.Wrap("demo", path, json.Unmarshal(got, answer))
}
