package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReadme runs the commands of the README's "By hand" as they stand there,
// but for the id that the reader copies and the serving that never ends.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "## By hand\n\n```\n")
	block, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("README.md has no section By hand with commands")
	}
	t.Chdir("../..")
	dir := t.TempDir()
	id, ran := "", 0
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		line, ok := strings.CutPrefix(line, "build/bongsu ")
		if !ok || line == "serve" {
			continue
		}
		line = strings.Replace(line, "incident--...", id, 1)
		var out, errOut bytes.Buffer
		env := environment{stdin: strings.NewReader(""), stdout: &out, stderr: &errOut, getenv: func(string) string { return "" }, now: time.Now}
		code := run(context.Background(), env, append([]string{"--data", dir}, words(line)...))
		if want := map[bool]int{true: 10}[strings.HasPrefix(line, "screen")]; code != want {
			t.Fatalf("bongsu %s: exit status %d, want %d\n%s%s", line, code, want, out.String(), errOut.String())
		}
		if strings.HasPrefix(line, "theft state") {
			f := strings.Fields(out.String())
			id = f[len(f)-1]
		}
		ran++
	}
	if ran < 5 {
		t.Errorf("only %d commands ran", ran)
	}
}

// words splits a command line at spaces outside double quotes.
func words(line string) []string {
	var out []string
	for _, w := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		out = append(out, strings.Trim(w, `"`))
	}
	return out
}
