package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptStatus runs bongsu and holds its exit status: "status 3 import x.csv".
// With "eventually" before the status it tries again for some seconds.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	wait := time.Duration(0)
	if len(args) > 0 && args[0] == "eventually" {
		wait, args = 30*time.Second, args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status [eventually] N ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		got := 0
		if err := ts.Exec("bongsu", args[1:]...); err != nil {
			var x *exec.ExitError
			if !errors.As(err, &x) {
				ts.Fatalf("bongsu %s: %v", strings.Join(args[1:], " "), err)
			}
			got = x.ExitCode()
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("bongsu %s: exit status %d, want %d", strings.Join(args[1:], " "), got, want)
		}
	}
}

// scriptField puts a field of the JSON on standard output into a variable:
// "field ID partner.id"; numbers are indices.
func scriptField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field VARIABLE PATH")
	}
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	for _, step := range strings.Split(args[1], ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: no element %d", args[1], i)
			}
			doc = v[i]
		default:
			ts.Fatalf("%s: nothing there", args[1])
		}
	}
	if doc == nil {
		ts.Fatalf("%s: nothing there", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(doc))
}

// scriptEventually runs bongsu until its output matches: "eventually REGEXP
// ARG...".
func scriptEventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP ARG...")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := ts.Exec("bongsu", args[1:]...)
		if err == nil && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("bongsu %s: %v; %s", strings.Join(args[1:], " "), err, ts.ReadFile("stdout"))
		}
	}
}
