package main

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	// The demo starts its nodes from its own executable, which here is the
	// test binary.
	if os.Getenv("BONGSU_TEST_AS_MAIN") == "1" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"bongsu": main})
}

// TestScripts runs the scripts of testdata/script: each is what a user types,
// with what must come out. The real files lie in $BYBIT and $LABELS, and
// $BLOCKS is one of real blocks.
func TestScripts(t *testing.T) {
	data, err := filepath.Abs("../../data")
	if err != nil {
		t.Fatal(err)
	}
	var nodes sync.Map
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("BONGSU_TEST_AS_MAIN", "1")
			env.Setenv("BYBIT", filepath.Join(data, "bybit-2025"))
			env.Setenv("BLOCKS", filepath.Join(data, "..", "ingest", "bitcoin", "testdata", "blocks1-256.bz2"))
			env.Setenv("LABELS", filepath.Join(data, "labels"))
			env.Setenv("BONGSU_DATA", filepath.Join(env.WorkDir, "node"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":     scriptStatus,
			"waitfor":    scriptWaitFor,
			"flip":       scriptFlip,
			"field":      scriptField,
			"swap":       scriptSwap,
			"chainnode":  scriptChainNode(&nodes),
			"eventually": scriptEventually,
		},
	})
}

// scriptWaitFor waits until a file is there: "waitfor FILE".
func scriptWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor FILE")
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not appear within 30 s", args[0])
}

// scriptSwap replaces a text of a binary file by one of the same length:
// "swap FILE OLD NEW".
func scriptSwap(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 || len(args[1]) != len(args[2]) {
		ts.Fatalf("usage: swap FILE OLD NEW, both texts of one length")
	}
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(name, bytes.ReplaceAll(b, []byte(args[1]), []byte(args[2])), 0o600))
}

// scriptFlip changes the middle byte of a file's content, the zeros that make room
// behind it aside: "flip FILE".
func scriptFlip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip FILE")
	}
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	b[len(bytes.TrimRight(b, "\x00"))/2] ^= 1
	ts.Check(os.WriteFile(name, b, 0o600))
}
